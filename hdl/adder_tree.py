"""Multi-operand addition as one heap of bits: full and half adders column by column, carries rippling upwards.

The reduction is first a list of adders (data, `reduce_columns`) and then hardware (`add_hardware`). A constant is folded
into the adders: a + b + 1 costs an exclusive nor and an or, a + 1 an inverter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

ZERO, ONE = -2, -1
"""Stand in a reduction's total for columns that are constant."""


@dataclass(frozen=True)
class Adder:
    """One to three nets of a column added, plus 1 when `one`; drives a sum and a carry net."""

    column: int
    operands: tuple[int, ...]
    one: bool


@dataclass(frozen=True)
class Reduction:
    """Adders in order, and for each column of the total its net, ZERO or ONE.

    Nets 0 .. n_bits - 1 are the summand bits; adder k drives nets n_bits + 2k (sum) and n_bits + 2k + 1 (carry).
    """

    n_bits: int
    adders: tuple[Adder, ...]
    total: tuple[int, ...]

    def used(self, first: int) -> frozenset[int]:
        """The nets that the total's columns from `first` upwards depend on."""
        needed = set(self.total[first:])
        for k, adder in reversed(list(enumerate(self.adders))):
            if {self.n_bits + 2 * k, self.n_bits + 2 * k + 1} & needed:
                needed.update(adder.operands)
        return frozenset(needed)


def reduce_columns(columns: Sequence[int], constant: int, width: int) -> Reduction:
    """Reduce summand bits to one bit a column, from the least significant column upwards.

    Parameters
    ----------
    columns : the column, below `width`, of each summand bit.
    constant, width : the total is (sum of 2^column over the set bits + constant) modulo 2^width.
    """
    heap: list[list[int]] = [[] for _ in range(width + 1)]
    for net, column in enumerate(columns):
        heap[column].append(net)
    adders: list[Adder] = []
    total = []
    for column in range(width):
        nets, one = heap[column], bool(constant >> column & 1)
        while len(nets) + one > 1:
            operands, nets = nets[:3], nets[3:]
            folded = one and len(operands) < 3
            one = one and not folded
            nets.append(len(columns) + 2 * len(adders))
            heap[column + 1].append(nets[-1] + 1)
            adders.append(Adder(column, tuple(operands), folded))
        total.append(nets[0] if nets else ONE if one else ZERO)
    return Reduction(len(columns), tuple(adders), tuple(total))


def add_hardware(m: Module, reduction: Reduction, bits: Sequence[Value], first: int) -> Value:
    """Add a reduction's adders to a module; the total's columns from `first` upwards."""
    used = reduction.used(first)
    nets: dict[int, Value] = {ZERO: Const(0, 1), ONE: Const(1, 1), **dict(enumerate(bits))}
    for k, adder in enumerate(reduction.adders):
        net = reduction.n_bits + 2 * k
        operands = [nets[operand] for operand in adder.operands if operand in nets]
        if {net, net + 1} & used:
            nets[net], nets[net + 1] = _adder(m, operands, adder.one, f"{adder.column}_{k}", net + 1 in used)
    return Cat(nets[net] for net in reduction.total[first:])


def _adder(m: Module, operands: Sequence[Value], one: bool, name: str, has_carry: bool) -> tuple[Value, Value]:
    """Sum and carry of a column's bits; `name` makes the signals' names."""

    def named(prefix: str, value: Value) -> Signal:
        signal = Signal(name=f"{prefix}_{name}")
        m.d.comb += signal.eq(value)
        return signal

    if len(operands) == 1:
        return named("sum", ~operands[0]), operands[0]
    a, b, *rest = operands
    if rest:
        half = named("half", a ^ b)
        total = named("sum", half ^ rest[0])
        return total, named("carry", Mux(half, rest[0], a)) if has_carry else total
    total = named("sum", ~(a ^ b) if one else a ^ b)
    return total, named("carry", a | b if one else a & b) if has_carry else total
