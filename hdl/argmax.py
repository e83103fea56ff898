"""Index of the largest score: one pass of ripple comparators over the classes that can win."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from printedmlp.model import Interval
from printedmlp.summand import word_width
from printedmlp.winners import possible_winners


class Argmax(wiring.Component):
    """Index of the largest of the scores that can win.

    Ports: `value_<c>` for every possible winner c whose value varies, as wide as its bounds, and `out`, the class.
    One pass from the lowest index to the highest is smaller than a tournament tree: its index needs only constants.

    Parameters
    ----------
    bounds : bounds of every class's value; at least two classes can win.
    """

    def __init__(self, bounds: Sequence[Interval]) -> None:
        self.bounds = tuple(bounds)
        self.candidates = possible_winners(bounds)
        self.varying = tuple(c for c in self.candidates if bounds[c][0] < bounds[c][1])
        ports = {f"value_{c}": In(word_width(bounds[c])) for c in self.varying}
        super().__init__({**ports, "out": Out(max(1, (len(bounds) - 1).bit_length()))})

    def elaborate(self, platform: object) -> Module:
        """Keep the best value so far and its class; nobody needs the last one's value."""
        m = Module()
        first, *others = self.candidates
        best, bounds, winner = self._value(first), self.bounds[first], Const(first, len(self.out))
        for c in others:
            both = (min(bounds[0], self.bounds[c][0]), max(bounds[1], self.bounds[c][1]))
            old = _extended(best, bounds, both)
            new = _extended(self._value(c), self.bounds[c], both)
            beats = Signal(name=f"beats_{c}")
            m.d.comb += beats.eq(_exceeds(m, new, old, both[0] < 0, f"{c}"))
            winner = Mux(beats, Const(c, len(self.out)), winner)
            bounds = (max(bounds[0], self.bounds[c][0]), both[1])
            best = Signal(word_width(bounds), name=f"best_{c}")
            if c != others[-1]:
                m.d.comb += best.eq(Mux(beats, new, old))
        m.d.comb += self.out.eq(winner)
        return m

    def _value(self, c: int) -> Value:
        return getattr(self, f"value_{c}") if c in self.varying else Const(self.bounds[c][0])


def _extended(value: Value, bounds: Interval, to: Interval) -> Value:
    """A word with the first bounds as wide as the second bounds ask for."""
    missing = word_width(to) - len(value)
    filler = value[-1] if bounds[0] < 0 else Const(0, 1)
    return Cat(value, [filler] * missing)


def _exceeds(m: Module, a: Value, b: Value, signed: bool, name: str) -> Value:
    """Whether a > b, words of equal width: the majority of a, not b and the verdict on the lower bits, rippling."""
    if signed:
        a, b = Cat(a[:-1], b[-1]), Cat(b[:-1], a[-1])
    greater: Value = Const(0, 1)
    for bit in range(len(a)):
        differ = Signal(name=f"differ_{name}_{bit}")
        m.d.comb += differ.eq(a[bit] ^ b[bit])
        verdict = Signal(name=f"greater_{name}_{bit}")
        m.d.comb += verdict.eq(Mux(differ, a[bit], greater))
        greater = verdict
    return greater
