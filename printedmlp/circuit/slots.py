"""A netlist as the arrays that the compiled evolution works on, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.gates import two_input_table
from printedmlp.circuit.netlist import FIRST_INPUT, Instance, Netlist
from printedmlp.errors import ConfigError
from printedmlp.kernels import gates as kernel
from printedmlp.technology import Technology

Integers = NDArray[np.int64]
WIRE_TABLE = 0b1010
SPARE_SHARE, SPARE_LEAST = 0.35, 40
"""Slots beyond the live ones, as a share of them and at least."""
UW_PER_NW = 1e-3


@dataclass(frozen=True)
class CellKinds:
    """The gates that evolution may use: a wire first, then an inverter, then the smallest cell of every function.

    tables (K,) int64, areas (K,) mm2, leakage (K, 4) uW at the technology's nominal voltage, arities (K,) int64.
    """

    names: tuple[str, ...]
    tables: Integers
    areas: NDArray[np.float64]
    leakage: NDArray[np.float64]
    arities: Integers

    @classmethod
    def of(cls, technology: Technology) -> CellKinds:
        """Kinds from the cells of one or two inputs; ConfigError without an inverter.

        A cell whose leakage is not known counts as one that draws nothing.
        """
        smallest: dict[tuple[int, int], str] = {}
        for cell in sorted(technology.cells.values(), key=lambda cell: (cell.area_mm2, cell.name)):
            n = len(cell.inputs)
            if n in (1, 2) and not _is_trivial(cell.truth_table, n):
                smallest.setdefault((n, cell.truth_table), cell.name)
        inverter = smallest.pop((1, 0b01), None)
        if inverter is None:
            raise ConfigError(f"technology '{technology.name}' has no inverter")
        names = (inverter, *smallest.values())
        cells = [technology.cell(name) for name in names]
        voltage = technology.nominal_voltage
        leaks = [cell.leakage_nw.get(voltage, (0.0,) * cell.n_states) for cell in cells]
        return cls(
            ("", *names),
            np.array([WIRE_TABLE, *(two_input_table(c.truth_table, len(c.inputs)) for c in cells)]),
            np.array([0.0, *(cell.area_mm2 for cell in cells)]),
            np.array([[0.0] * 4, *(_by_two(leak) for leak in leaks)]) * UW_PER_NW,
            np.array([1, *(len(cell.inputs) for cell in cells)]),
        )

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """The arrays in the compiled loop's order."""
        return (self.tables, self.areas, self.leakage, self.arities)


def _is_trivial(table: int, n_inputs: int) -> bool:
    """Constants, and buffers that the wire stands for."""
    return table in (0, (1 << (1 << n_inputs)) - 1) or (n_inputs == 1 and table == 0b10)


def _by_two(leak: tuple[float, ...]) -> tuple[float, ...]:
    """Leakage by the state of two pins; the second pin of a cell of one input is always 0."""
    return leak if len(leak) == 4 else (*leak, *leak)


Slots = tuple[Integers, Integers, Integers, Integers]


def slots_of(
    netlist: Netlist, technology: Technology, kinds: CellKinds, rng: np.random.Generator, *, wired: bool = False
) -> Slots:
    """Kind, two pins (n_nets,) and outputs of a netlist, its gates spread at random among spare slots.

    The order of the gates is a random topological one, so that repeated calls let evolution connect gates that
    one order kept apart. ConfigError where a cell is no kind of gate.

    wired : gates and outputs read inputs through a wire each, so that one change gives all of them another input.
    """
    by_function = {(int(t), int(n)): k for k, (t, n) in enumerate(zip(kinds.tables, kinds.arities, strict=True))}
    first, n_live = netlist.first_driven, len(netlist.instances)
    wires = _inputs_read(netlist) if wired else []
    n_slots = n_live + max(SPARE_LEAST, round(SPARE_SHARE * n_live))
    kind, pins = _random_slots(first, len(wires) + n_slots, kinds, rng)
    order = _random_order(netlist, rng)
    places = np.sort(rng.permutation(n_slots)[:n_live]) + first + len(wires)
    new = np.arange(first + n_live)
    for place, net in enumerate(wires, start=first):
        new[net], kind[place], pins[place] = place, kernel.WIRE, (net, 0)
    new[np.array(order, dtype=np.int64) + first] = places
    for k, place in zip(order, places.tolist(), strict=True):
        cell = technology.cell(netlist.instances[k].cell)
        n = len(cell.inputs)
        key = (two_input_table(cell.truth_table, n), n) if n <= 2 else (-1, n)
        if key not in by_function:
            raise ConfigError(f"instance {k}: {cell.name} is not a gate that refinement knows")
        nets = [*(int(new[net]) for net in netlist.instances[k].inputs), 0]
        kind[place], pins[place] = by_function[key], nets[:2]
    outputs = np.array([new[net] for net in netlist.outputs], dtype=np.int64)
    return kind, pins[:, 0].copy(), pins[:, 1].copy(), outputs


def _inputs_read(netlist: Netlist) -> list[int]:
    read = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    return sorted(net for net in read if FIRST_INPUT <= net < netlist.first_driven)


def _random_slots(
    first: int, n_slots: int, kinds: CellKinds, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    kind = np.zeros(first + n_slots, dtype=np.int64)
    pins = np.zeros((first + n_slots, 2), dtype=np.int64)
    kind[first:] = rng.integers(1, len(kinds.names), n_slots)
    pins[first:] = rng.integers(0, np.arange(first, first + n_slots)[:, None], (n_slots, 2))
    pins[kinds.arities[kind] == 1, 1] = 0
    return kind, pins


def _random_order(netlist: Netlist, rng: np.random.Generator) -> list[int]:
    """Indices of the instances in a random topological order."""
    lateness = np.zeros(netlist.n_nets)
    draws = rng.random(len(netlist.instances))
    for k, (net, instance) in enumerate(netlist.driven()):
        before = max((lateness[i] for i in instance.inputs), default=0.0)
        lateness[net] = before + (1.0 - before) * draws[k] * 0.5
    # A stable sort keeps what rounding made equal in its old, valid order.
    return [int(k) for k in np.argsort(lateness[netlist.first_driven :], kind="stable")]


def netlist_of(slots: Slots, n_inputs: int, kinds: CellKinds) -> Netlist:
    """The live gates as a netlist without wires; the function stays the same."""
    kind, pin_a, pin_b, outputs = slots
    first = 2 + n_inputs
    live, stack = set(), [int(net) for net in outputs]
    while stack:
        net = stack.pop()
        if net >= first and net not in live:
            live.add(net)
            stack += [int(pin_a[net])] + ([int(pin_b[net])] if kinds.arities[kind[net]] == 2 else [])
    new = {net: net for net in range(first)}
    instances: list[Instance] = []
    for net in sorted(live):
        if kind[net] == kernel.WIRE:
            new[net] = new[int(pin_a[net])]
            continue
        nets = (new[int(pin_a[net])], new[int(pin_b[net])])[: int(kinds.arities[kind[net]])]
        new[net] = first + len(instances)
        instances.append(Instance(kinds.names[kind[net]], nets))
    return Netlist(n_inputs, tuple(instances), tuple(new[int(net)] for net in outputs))
