"""Stuck-at faults of a netlist: what they are, which are the same, and the netlist that has them.

A fault holds one place at 0 or 1: a net for all that reads it (an input bit or a cell's output), or one input pin
of one cell. `with_faults` is the definition; `fault_simulation` is its fast twin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from printedmlp.circuit.netlist import CONSTANT_1, FIRST_INPUT, Instance, Netlist
from printedmlp.errors import ConfigError
from printedmlp.technology import Cell, Technology

STEM = -1
"""Stands for the pin of a fault that holds a whole net."""


@dataclass(frozen=True, order=True)
class Fault:
    """One place that is stuck.

    Attributes
    ----------
    place : a net where `pin` is `STEM`, else the number of an instance.
    pin : place in the cell's pin order, or `STEM`.
    value : 0 or 1.
    """

    place: int
    pin: int
    value: int

    @property
    def of_net(self) -> bool:
        """Whether it holds a net for all its readers."""
        return self.pin == STEM


def all_faults(netlist: Netlist) -> list[Fault]:
    """Both faults of every input bit that something reads, of every cell's output, and of every input pin.

    An input bit that nothing reads is no wire of the circuit.
    """
    read = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    nets = [net for net in range(FIRST_INPUT, netlist.n_nets) if net in read or net >= netlist.first_driven]
    places = [(net, STEM) for net in nets]
    places += [(k, pin) for k, instance in enumerate(netlist.instances) for pin in range(len(instance.inputs))]
    return [Fault(place, pin, value) for place, pin in places for value in (0, 1)]


def with_faults(netlist: Netlist, faults: Iterable[Fault]) -> Netlist:
    """The netlist in which what reads a stuck place reads a constant: the definition of what faults do.

    Of several faults of one place the last counts. Raises ConfigError for a place that the netlist does not have.
    """
    nets: dict[tuple[int, int], int] = {}
    pins: dict[tuple[int, int], int] = {}
    for fault in faults:
        _check(netlist, fault)
        (nets if fault.of_net else pins)[fault.place, fault.pin] = fault.value
    instances = []
    for k, instance in enumerate(netlist.instances):
        read = (pins.get((k, pin), nets.get((net, STEM), net)) for pin, net in enumerate(instance.inputs))
        instances.append(Instance(instance.cell, tuple(read)))
    outputs = tuple(nets.get((net, STEM), net) for net in netlist.outputs)
    return Netlist(netlist.n_inputs, tuple(instances), outputs)


def _check(netlist: Netlist, fault: Fault) -> None:
    if fault.of_net:
        known = FIRST_INPUT <= fault.place < netlist.n_nets
    else:
        known = 0 <= fault.place < len(netlist.instances)
        known = known and 0 <= fault.pin < len(netlist.instances[fault.place].inputs)
    if not known or fault.value not in (0, 1):
        raise ConfigError(f"{fault} is no stuck-at fault of a netlist of {len(netlist.instances)} cells")


@dataclass(frozen=True)
class Collapsed:
    """Faults sorted into classes that no input can tell apart.

    Attributes
    ----------
    classes : faults of each class, none of them empty; every fault is in one class or in `without_effect`.
    without_effect : faults that leave the circuit what it is, whatever the inputs.
    """

    classes: tuple[tuple[Fault, ...], ...]
    without_effect: tuple[Fault, ...]


def collapse(netlist: Netlist, technology: Technology) -> Collapsed:
    """Structural equivalence of all faults.

    Two rules, and what follows from them: faults of one cell that make the same function of it are the same fault,
    such as either input of a NAND at 0 and its output at 1; a net that only one pin reads is stuck when the pin is.
    A fault that leaves a cell's function as it is, one of a pin wired to that constant, and one of a net that
    nothing reads have no effect. Functional equivalence beyond a cell and its wires is not looked for.
    """
    sets = _Sets(all_faults(netlist))
    readers: dict[int, list[tuple[int, int]]] = {}
    for k, instance in enumerate(netlist.instances):
        for pin, net in enumerate(instance.inputs):
            readers.setdefault(net, []).append((k, pin))
        _join_cell(sets, netlist, k, technology.cell(instance.cell))
    for net in range(FIRST_INPUT, netlist.n_nets):
        ends = [*readers.get(net, []), *[None] * netlist.outputs.count(net)]
        if len(ends) == 1 and ends[0] is not None:
            for value in (0, 1):
                sets.join(Fault(net, STEM, value), Fault(*ends[0], value))
        elif not ends and net >= netlist.first_driven:
            for value in (0, 1):
                sets.join(Fault(net, STEM, value), None)
    return sets.collapsed()


def _join_cell(sets: _Sets, netlist: Netlist, k: int, cell: Cell) -> None:
    """Join the faults of one instance that make the same function of its cell."""
    instance, ones = netlist.instances[k], (1 << cell.n_states) - 1
    by_function: dict[int, Fault | None] = {cell.truth_table: None}
    output = netlist.first_driven + k
    faults = [(Fault(output, STEM, value), ones * value) for value in (0, 1)]
    faults += [
        (Fault(k, pin, value), _held(cell, pin, value)) for pin in range(len(cell.inputs)) for value in (0, 1)
    ]
    for fault, function in faults:
        if not fault.of_net and instance.inputs[fault.pin] == fault.value <= CONSTANT_1:
            sets.join(fault, None)
        sets.join(fault, by_function.setdefault(function, fault))


def _held(cell: Cell, pin: int, value: int) -> int:
    """Truth table of a cell with one input held."""
    bit = 1 << pin
    states = ((state | bit) if value else (state & ~bit) for state in range(cell.n_states))
    return sum(cell.evaluate(held) << state for state, held in enumerate(states))


class _Sets:
    """Disjoint sets of faults; None stands for the circuit without faults."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._parent: dict[Fault | None, Fault | None] = {fault: fault for fault in faults} | {None: None}

    def _root(self, fault: Fault | None) -> Fault | None:
        while (above := self._parent[fault]) != fault:
            self._parent[fault] = fault = self._parent[above]
        return fault

    def join(self, a: Fault | None, b: Fault | None) -> None:
        """Make two faults equivalent."""
        one, other = self._root(a), self._root(b)
        if one is not None:
            one, other = other, one
        self._parent[other] = one

    def collapsed(self) -> Collapsed:
        """The sets in the order of their first faults."""
        found: dict[Fault | None, list[Fault]] = {None: []}
        for fault in self._faults:
            found.setdefault(self._root(fault), []).append(fault)
        idle = tuple(found.pop(None))
        return Collapsed(tuple(map(tuple, found.values())), idle)
