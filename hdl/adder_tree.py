"""Hardware of a reduction: what `printedmlp.reduction` lists becomes nets of a module."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from printedmlp.reduction import ONE, ZERO, Reduction


def add_hardware(m: Module, reduction: Reduction, bits: Sequence[Value], first: int) -> Value:
    """Add a reduction's adders to a module; the total's columns from `first` upwards."""
    used = reduction.used(first)
    nets: dict[int, Value] = {ZERO: Const(0, 1), ONE: Const(1, 1), **dict(enumerate(bits))}
    for k, adder in enumerate(reduction.adders):
        name, net = f"{adder.column}_{k}", reduction.n_bits + 2 * k
        if {net, net + 1} & used:
            total, carry = _adder(m, [nets[operand] for operand in adder.operands], adder.one, name)
            nets[net] = named(m, f"sum_{name}", total) if net in used else total
            passed_on = len(adder.operands) == 1 or net + 1 not in used
            nets[net + 1] = carry if passed_on else named(m, f"carry_{name}", carry)
    return Cat(nets[net] for net in reduction.total[first:])


def _adder(m: Module, operands: Sequence[Value], one: bool, name: str) -> tuple[Value, Value]:
    """Sum and carry of one to three bits of a column, plus 1 when `one`."""
    if len(operands) == 1:
        return ~operands[0], operands[0]
    a, b, *rest = operands
    if rest:
        half = named(m, f"half_{name}", a ^ b)
        return half ^ rest[0], Mux(half, rest[0], a)
    return (~(a ^ b), a | b) if one else (a ^ b, a & b)


def named(m: Module, name: str, value: Value) -> Signal:
    """A signal of that name that carries the value."""
    signal = Signal(name=name)
    m.d.comb += signal.eq(value)
    return signal
