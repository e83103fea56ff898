"""Circuits on comparators' outputs: the same circuit on other levels, on all levels, and on the features' codes."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.circuit.netlist import FIRST_INPUT, Instance, Netlist
from printedmlp.technology import Technology

AND, OR = 0b1000, 0b1110
CONSTANT_0 = 0
Levels = Sequence[Sequence[int]]
"""For each feature the levels that there is an input bit for, ascending."""
Place = tuple[int, int]
"""A feature and a level of it, which an input bit tells to be reached."""


def all_levels(n_features: int, input_bits: int) -> tuple[tuple[int, ...], ...]:
    """For each feature every level of its codes."""
    return (tuple(range(1, 1 << input_bits)),) * n_features


def places_of(levels: Levels) -> list[Place]:
    """(feature, level) of every input bit."""
    return [(f, level) for f, own in enumerate(levels) for level in own]


def on_levels(netlist: Netlist, old: Levels, new: Levels) -> Netlist:
    """The circuit with other inputs: every level it reads becomes the next one upwards of those there are.

    The answers stay where the circuit does not tell apart the codes between the two. A level above all that there
    are is never reached.
    """
    nets = {place: FIRST_INPUT + i for i, place in enumerate(places_of(new))}

    def net_of(feature: int, level: int) -> int:
        above = [own for own in new[feature] if own >= level]
        return nets[feature, min(above)] if above else CONSTANT_0

    inputs = [0, 1, *(net_of(*place) for place in places_of(old))]
    shift = len(nets) - netlist.n_inputs

    def moved(net: int) -> int:
        return inputs[net] if net < netlist.first_driven else net + shift

    instances = [Instance(i.cell, tuple(map(moved, i.inputs))) for i in netlist.instances]
    return Netlist(len(nets), tuple(instances), tuple(map(moved, netlist.outputs)))


def levels_read(netlist: Netlist, levels: Levels) -> tuple[tuple[int, ...], ...]:
    """For each feature the levels that a gate or an output reads."""
    used = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    read = {place for i, place in enumerate(places_of(levels)) if FIRST_INPUT + i in used}
    return tuple(tuple(level for level in own if (f, level) in read) for f, own in enumerate(levels))


def gates_of_codes(
    netlist: Netlist, levels: Levels, technology: Technology, *, input_bits: int, n_classes: int
) -> GateClassifier:
    """The classifier of codes that a circuit on comparators' outputs is: its gates behind comparators of gates.

    A comparator x >= t is a chain of AND and OR from the lowest set bit of t upwards; chains share what they can.

    Raises
    ------
    ModelError : the netlist has a cell of more than two inputs.
    """
    if not netlist.n_inputs:
        # A constant; a classifier of gates has an input, whether it reads it or not.
        levels, old = ((1,), *levels[1:]), levels
        netlist = on_levels(netlist, old, levels)
    bare = GateClassifier.of_netlist(netlist, technology, input_bits=1, n_classes=n_classes)
    gates: list[Gate] = []
    known: dict[Gate, int] = {}
    first = FIRST_INPUT + len(levels) * input_bits

    def add(gate: Gate) -> int:
        if gate not in known:
            known[gate] = first + len(gates)
            gates.append(gate)
        return known[gate]

    def comparator(feature: int, level: int) -> int:
        lowest = (level & -level).bit_length() - 1
        bit_of = FIRST_INPUT + feature * input_bits
        net = bit_of + lowest
        for bit in range(lowest + 1, input_bits):
            net = add(Gate(AND if level >> bit & 1 else OR, (bit_of + bit, net)))
        return net

    read = set(places_of(levels_read(netlist, levels)))
    nets = [0, 1, *(comparator(*place) if place in read else CONSTANT_0 for place in places_of(levels))]
    for gate in bare.gates:
        nets.append(add(Gate(gate.table, (nets[gate.inputs[0]], nets[gate.inputs[1]]))))
    return GateClassifier(len(levels), input_bits, n_classes, tuple(gates), tuple(nets[n] for n in bare.outputs))
