"""Words of nets as sums of other nets: whole factors that follow from equations of adders, inverters and words.

Every rewriting adds a multiple of an equation that holds on all inputs, so what comes out is right whichever rules
are tried, in whatever order: a wrong choice can only leave nets over that should have gone.

* an adder that `adder_is_right` has tried: operands (+ 1) = total + 2 carry.
* an inverter and a buffer, read off the netlist.
* a word of n buffers with bits b. By the equations before it, b0 + 2 b1 + ... = L modulo 2^n, L a sum of nets. If
  L stays within 0 to 2^n - 1 for all values of its nets, the word is L itself; if it stays within -2^(n-1) to
  2^(n-1) - 1, the word in two's complement is. So the word's top bit may be read again above it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from hdl.reference import GENERIC, AdderNote, WordNote
from printedmlp.circuit.netlist import CONSTANT_0, CONSTANT_1, Netlist

Weights = dict[int, int]
"""A number as a sum: the factor of each net, the constant under CONSTANT_1; zeros left out."""


class LinearForms:
    """The rules of one layer of a reference circuit.

    Parameters
    ----------
    adders : each is tried on all of its inputs when it is needed.
    words : on the way to the sums.
    inputs : nets that sums are to be made of.
    """

    def __init__(
        self, netlist: Netlist, adders: Iterable[AdderNote], words: Iterable[WordNote], inputs: Collection[int]
    ) -> None:
        self.netlist = netlist
        self.inputs = frozenset(inputs)
        self.adders = {adder.total: adder for adder in adders if adder.total > max(adder.operands)}
        self.words = {word.copies[-1]: word for word in words if self._are_copies(word)}
        self._tried: dict[int, bool] = {}
        self._forms: dict[int, Weights | None] = {}

    def form(self, nets: Sequence[int]) -> Weights:
        """The number that a word stands for, modulo 2^its length, by the inputs and what nothing is known of."""
        for key in sorted(self._words_below(nets)):
            self._form_of(self.words[key])
        return self._form(nets)

    def _words_below(self, nets: Sequence[int]) -> set[int]:
        """Words on the way: from the first one on, the form of each takes those before it and no deep calls."""
        seen: set[int] = set()
        missing = list(nets)
        while missing:
            net = missing.pop()
            if net in seen or net in self.inputs:
                continue
            seen.add(net)
            missing += self.words[net].bits if net in self.words else ()
            missing += self.adders[net].operands if net in self.adders else ()
            sources = (driver(net, cell, self.netlist) for cell in ("BUF", "NOT"))
            missing += [source for source in sources if source is not None]
        return seen & self.words.keys()

    def _form(self, nets: Sequence[int]) -> Weights:
        weights: Weights = {}
        for j, net in enumerate(nets):
            add(weights, net, 1 << j)
        return self._reduced(weights, len(nets))

    def _reduced(self, weights: Weights, width: int) -> Weights:
        """Every net by those before it, the last one first."""
        done: Weights = {}
        while weights:
            net = max(weights)
            factor = weights.pop(net) % (1 << width)
            stays = not factor or net <= CONSTANT_1 or net in self.inputs
            if stays or not self._replace(weights, net, factor, width):
                add(done, net, factor)
        return modulo(done, width)

    def _replace(self, weights: Weights, net: int, factor: int, width: int) -> bool:
        """Put what is known of a net in its place; False where nothing is."""
        if (word := self.words.get(net)) is not None and self._replace_word(weights, word, factor, width):
            return True
        if (adder := self.adders.get(net)) is not None and self._is_right(adder):
            add(weights, adder.carry, -2 * factor)
            for operand in (*adder.operands, *([CONSTANT_1] if adder.one else [])):
                add(weights, operand, factor)
            return True
        for cell, sign in (("BUF", 1), ("NOT", -1)):
            if (source := driver(net, cell, self.netlist)) is not None:
                add(weights, source, sign * factor)
                add(weights, CONSTANT_1, factor if sign < 0 else 0)
                return True
        return False

    def _replace_word(self, weights: Weights, word: WordNote, top: int, width: int) -> bool:
        """Put a multiple of a word's form in its place where its copied bits have the factors of one."""
        n, size = len(word.bits), 1 << width
        own = [j for j, (bit, copy) in enumerate(zip(word.bits, word.copies, strict=True)) if bit != copy]
        factors = {j: weights.get(word.copies[j], 0) for j in own[:-1]} | {own[-1]: top}
        scale = factors[own[0]] >> own[0]
        form, sign = self._form_of(word), 1
        if form is None or any((factors[j] - (scale << j)) % size for j in own[:-1]):
            return False
        if (top - (scale << n - 1)) % size:
            sign = -1
            exact = _within(form, -(1 << n - 1), 1 << n - 1) if (top + (scale << n - 1)) % size == 0 else None
        else:
            exact = _within(form, 0, 1 << n) if (scale << n) % size else form
        if exact is None:
            return False
        add(weights, word.copies[-1], top)
        for j, copy in enumerate(word.copies):
            add(weights, copy, (-sign if j == n - 1 else -1) * (scale << j))
        for net, factor in exact.items():
            add(weights, net, scale * factor)
        return True

    def _is_right(self, adder: AdderNote) -> bool:
        if adder.total not in self._tried:
            self._tried[adder.total] = adder_is_right(adder, self.netlist)
        return self._tried[adder.total]

    def _form_of(self, word: WordNote) -> Weights | None:
        """None while it is being worked out, which only notes that run in circles ask for."""
        if (key := word.copies[-1]) not in self._forms:
            self._forms[key] = None
            self._forms[key] = self._form(word.bits)
        return self._forms[key]

    def _are_copies(self, word: WordNote) -> bool:
        if len(word.bits) != len(word.copies) or word.bits[-1] == word.copies[-1]:
            return False
        pairs = zip(word.copies, word.bits, strict=True)
        return all(copy == bit or driver(copy, "BUF", self.netlist) == bit for copy, bit in pairs)


def _within(form: Weights, low: int, end: int) -> Weights | None:
    """The form with the factors that stay within low and end - 1 for all values of its nets; None if none do."""
    size = end - low
    chosen = {net: (factor - low) % size + low for net, factor in form.items()}
    factors = [factor for net, factor in chosen.items() if net != CONSTANT_1]
    constant = chosen.get(CONSTANT_1, 0)
    least, largest = (constant + sum(bound(0, factor) for factor in factors) for bound in (min, max))
    return chosen if low <= least and largest < end else None


def adder_is_right(adder: AdderNote, netlist: Netlist) -> bool:
    """Whether operands (+ 1) = total + 2 carry for all values of the operands."""
    free = sorted({net for net in adder.operands if net > CONSTANT_1})
    for state in range(1 << len(free)):
        values = {CONSTANT_0: 0, CONSTANT_1: 1, **{net: state >> i & 1 for i, net in enumerate(free)}}
        wanted = sum(values[net] for net in adder.operands) + adder.one
        if _value(adder.total, values, netlist) + 2 * _value(adder.carry, values, netlist) != wanted:
            return False
    return True


def _value(net: int, values: dict[int, int], netlist: Netlist) -> int:
    """Value of a net that depends on nets of known value only."""
    if net not in values:
        if net < netlist.first_driven:
            raise KeyError(net)
        instance = netlist.instances[net - netlist.first_driven]
        state = sum(_value(pin, values, netlist) << i for i, pin in enumerate(instance.inputs))
        values[net] = GENERIC.cell(instance.cell).evaluate(state)
    return values[net]


def driver(net: int, cell: str, netlist: Netlist) -> int | None:
    """What the one-input gate of this kind that drives the net reads; None where it is no such gate."""
    instance = netlist.instances[net - netlist.first_driven] if net >= netlist.first_driven else None
    return instance.inputs[0] if instance is not None and instance.cell == cell else None


def add(weights: Weights, net: int, factor: int) -> None:
    """Add a multiple of a net."""
    weights[net] = weights.get(net, 0) + factor


def modulo(weights: Weights, width: int) -> Weights:
    """The factors modulo 2^width, without the constant 0 and zeros."""
    left = {net: factor % (1 << width) for net, factor in weights.items() if net != CONSTANT_0}
    return {net: factor for net, factor in left.items() if factor}
