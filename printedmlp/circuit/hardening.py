"""Circuits whose prints err less: evolution of the gates with what failed devices cost in the price.

Area that is spent on gates which take each other's place is not lost: it is what makes prints work. So a circuit
that evolution made small is changed again, with more area allowed, for the merit that its prints are expected to
have at some device yield.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.care import CareSet
from printedmlp.circuit.devices import shared_devices
from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.circuit.refine import MOVE_WEIGHTS
from printedmlp.circuit.slots import CellKinds, netlist_of, slots_of
from printedmlp.kernels import gates
from printedmlp.kernels import hardening as kernel
from printedmlp.technology import Technology

COMPOSITE = 0.3
ROUNDS = 2
"""Rounds of a search, each from the best circuit so far with another order of its gates."""
HOT_ROWS, COLD_ROWS = 0.0005, 0.00002
"""First and last temperature, as shares of all rows."""
AREA_PRICE = 0.0002
"""What the smallest cell's area may cost, as a share of all rows, so that gates without use go."""


@dataclass(frozen=True)
class Hardened:
    """A circuit that hardening found, with figures on the care set.

    Attributes
    ----------
    netlist : its gates.
    expected : weighted errors that a print is expected to make.
    errors : weighted errors without faults.
    area_mm2 : of the cells.
    """

    netlist: Netlist
    expected: float
    errors: int
    area_mm2: float


class Hardening:
    """Evolves netlists of cells of one or two inputs on one care set, for prints at one device yield."""

    def __init__(self, care: CareSet, technology: Technology, device_yield: float) -> None:
        self.care, self.technology = care, technology
        self.kinds = CellKinds.of(technology)
        self._failures = _failures(self.kinds, technology, device_yield)
        self._unit = float(self.kinds.areas[1:].min())

    def measure(self, netlist: Netlist) -> Hardened:
        """The netlist as it is."""
        return self._round(netlist, 0, np.random.default_rng(0), np.inf, 1.0)

    def run(self, netlist: Netlist, moves: int, rng: np.random.Generator, *, area_mm2: float) -> Hardened:
        """The best circuit of at most that area that so many proposals find, the netlist itself included."""
        found, heats = None, np.geomspace(1.0, COLD_ROWS / HOT_ROWS, ROUNDS + 1)[:-1]
        for heat in heats:
            found = self._round(found.netlist if found else netlist, moves // ROUNDS, rng, area_mm2, float(heat))
        assert found is not None
        return found

    def _round(
        self, netlist: Netlist, moves: int, rng: np.random.Generator, area_mm2: float, heat: float
    ) -> Hardened:
        slots = slots_of(netlist, self.technology, self.kinds, rng)
        best = (slots[0].copy(), slots[1].copy(), slots[2].copy(), slots[3].copy())
        counts, n_nets = np.zeros(kernel.N_COUNTS), len(slots[0])
        random = rng.integers(1, 1 << 63, size=1, dtype=np.uint64)
        inputs = np.zeros((netlist.first_driven, len(self.care.valid)), np.uint64)
        inputs[1], inputs[FIRST_INPUT:] = ~np.uint64(0), self.care.inputs
        rows = self._rows(n_nets, inputs)
        shares = np.cumsum(MOVE_WEIGHTS, dtype=np.float64)
        copy = kernel.new_copy(inputs, self.care.wanted, self.care.valid, n_nets)
        goal = self._goal(len(netlist.outputs), area_mm2, heat)
        scratch, cells = gates.new_scratch(n_nets), self.kinds.arrays()
        kernel.harden(slots, cells, self._failures, rows, goal, shares, moves, random, best, counts, scratch, copy)
        expected, errors, area = counts[: kernel.ACCEPTED].tolist()
        return Hardened(netlist_of(best, netlist.n_inputs, self.kinds), expected, int(errors), area)

    def _goal(self, n_outputs: int, area_mm2: float, heat: float) -> NDArray[np.float64]:
        """The figures in the compiled loop's order; a round begins at a share `heat` of the first temperature."""
        total = float(self.care.total_weight)
        price, hot = AREA_PRICE * total / self._unit, heat * HOT_ROWS * total
        cold = hot * (COLD_ROWS / HOT_ROWS) ** (1 / ROUNDS)
        return np.array([price, area_mm2, hot, cold, COMPOSITE, 0.5**n_outputs, total])

    def _rows(self, n_nets: int, inputs: NDArray[np.uint64]) -> tuple[NDArray[np.generic], ...]:
        care = self.care
        values = np.zeros((n_nets, 2, len(care.valid)), dtype=np.uint64)
        values[: len(inputs), 0] = inputs
        values[1] = ~np.uint64(0)
        return values.reshape(-1), care.wanted.reshape(-1), care.valid, care.weights, np.array([len(inputs)])


def _failures(kinds: CellKinds, technology: Technology, device_yield: float) -> NDArray[np.float64]:
    """(K, 2) probability that a pin, and that the output, of every kind of gate fails; see `circuit.devices`."""
    found = np.zeros((len(kinds.names), 2))
    for kind, name in enumerate(kinds.names[1:], start=1):
        of_pin, of_output = shared_devices(technology.cell(name))
        found[kind] = 1 - device_yield**of_pin, 1 - device_yield**of_output
    return found
