"""Printed devices of a netlist and the faults that they cause when they fail.

A printed gate is several devices, each of which works with a probability called the device yield, whatever the
others do. What a failed device does is assumed: a transistor that never or always conducts is its gate's input
stuck, a resistor that is open or short is the output stuck, and both polarities are equally likely. For a stage of
one transistor an input and one resistor that is what happens. Of a cell of several stages an equal part of the
devices is counted to every input and the rest to the output. Wires and sensors do not fail here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.fault_simulation import FaultSimulator, Integers, Singles
from printedmlp.circuit.faults import STEM
from printedmlp.circuit.netlist import Netlist
from printedmlp.errors import ConfigError
from printedmlp.technology import Cell, Technology

CHUNK = 256
"""Draws that are simulated at a time."""


def device_count(cell: Cell) -> int:
    """Devices of a cell, assumed from its function where the technology does not say.

    One for each input and one load for a cell whose output falls with every input; two more, an inverter, for one
    whose output rises with every input; otherwise three for each state of the inputs, as in two levels of NAND2.
    """
    if cell.devices is not None:
        return cell.devices
    if all(_monotone(cell, pin, falling=True) for pin in range(len(cell.inputs))):
        return len(cell.inputs) + 1
    if all(_monotone(cell, pin, falling=False) for pin in range(len(cell.inputs))):
        return len(cell.inputs) + 3
    return 3 * cell.n_states


def shared_devices(cell: Cell) -> tuple[int, int]:
    """Devices of a cell that are counted to each of its inputs, and those that are counted to its output."""
    devices, inputs = device_count(cell), len(cell.inputs)
    share = devices // (inputs + 1)
    return share, devices - share * inputs


def assumed_cells(netlist: Netlist, technology: Technology) -> tuple[str, ...]:
    """Names of the netlist's cells whose devices the technology does not count."""
    return tuple(name for name in netlist.cell_counts() if technology.cell(name).devices is None)


def _monotone(cell: Cell, pin: int, *, falling: bool) -> bool:
    steps = (
        (cell.evaluate(state), cell.evaluate(state | 1 << pin))
        for state in range(cell.n_states)
        if not state >> pin & 1
    )
    return all(low >= high if falling else low <= high for low, high in steps)


def check_yield(device_yield: float, name: str = "device yield") -> None:
    """Refuse, with a ConfigError, what is no probability of a device that works."""
    if not 0 < device_yield <= 1:
        raise ConfigError(f"{name}: {device_yield:g} is not above 0 and at most 1")


@dataclass(frozen=True)
class Devices:
    """Where the devices of a netlist are.

    Attributes
    ----------
    places : (L, 2) int64, every place that devices hold when they fail, as place and pin of a `faults.Fault`.
    counts : (L,) int64, devices at each of them, none of them 0.
    owners : (L,) int64, the instance each place belongs to.
    """

    places: Integers
    counts: Integers
    owners: Integers

    @classmethod
    def of(cls, netlist: Netlist, technology: Technology) -> Devices:
        """Count the devices of a netlist."""
        rows = []
        for k, instance in enumerate(netlist.instances):
            of_pin, of_output = shared_devices(technology.cell(instance.cell))
            rows += [(k, pin, of_pin, k) for pin in range(len(instance.inputs))]
            rows.append((netlist.first_driven + k, STEM, of_output, k))
        table = np.array([row for row in rows if row[2]], dtype=np.int64).reshape(-1, 4)
        return cls(table[:, :2], table[:, 2], table[:, 3])

    @property
    def total(self) -> int:
        """Number of devices."""
        return int(self.counts.sum())

    def all_work(self, device_yield: float) -> float:
        """Probability that a print has no failed device: device yield to the power of their number."""
        return device_yield**self.total

    def fault_probabilities(self, device_yield: float) -> NDArray[np.float64]:
        """(L,) probability that some device of a place fails."""
        return 1 - device_yield ** self.counts.astype(np.float64)

    def draw(self, device_yield: float, prints: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """Faults of so many prints, as `FaultSimulator.coded_sets` takes them."""
        failed = rng.random((prints, len(self.counts))) < self.fault_probabilities(device_yield)
        return self._coded(failed, rng)

    def draw_failed(self, n_failed: int, prints: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """Faults of so many prints of which each has exactly that many failed devices, any set equally likely."""
        if not 0 <= n_failed <= self.total:
            raise ConfigError(f"{n_failed} failed devices of {self.total}: at least 0 and no more than there are")
        place_of = np.repeat(np.arange(len(self.counts)), self.counts)
        failed = np.zeros((prints, len(self.counts)), dtype=bool)
        for row in failed:
            row[place_of[rng.choice(self.total, n_failed, replace=False, shuffle=False)]] = True
        return self._coded(failed, rng)

    def _coded(self, failed: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Integers, Integers]:
        # Of several failed devices of one place one decides, whose polarity is as fair as that of a single one.
        stuck = rng.integers(0, 2, size=int(failed.sum()))
        places = self.places[np.nonzero(failed)[1]]
        return np.column_stack([places, stuck]).astype(np.int64), np.cumsum(failed.sum(axis=1), dtype=np.int64)

    def drops(self, singles: Singles, simulator: FaultSimulator) -> NDArray[np.float64]:
        """(L, C) rows of each class that a failed device of each place costs, mean over both polarities."""
        of_net = self.places[:, 1] == STEM
        wrong = np.empty((len(self.places), 2, len(simulator.wrong)))
        wrong[of_net] = singles.wrong_by_net[self.places[of_net, 0]]
        wrong[~of_net] = singles.wrong_by_pin[self.places[~of_net, 0], self.places[~of_net, 1]]
        return np.asarray(wrong.mean(axis=1) - simulator.wrong)


@dataclass(frozen=True)
class Prints:
    """Drawn prints: rows of each class answered wrong, (S, C) int64, and places that failed, (S,) int64."""

    wrong: Integers
    failed: Integers


def drawn_prints(
    simulator: FaultSimulator, devices: Devices, device_yield: float, prints: int, rng: np.random.Generator
) -> Prints:
    """Draw prints at a device yield and simulate each, in bounded memory."""
    parts = []
    for begin in range(0, prints, CHUNK):
        faults, ends = devices.draw(device_yield, min(CHUNK, prints - begin), rng)
        parts.append(Prints(simulator.coded_sets(faults, ends).wrong, np.diff(ends, prepend=0)))
    return Prints(np.concatenate([p.wrong for p in parts]), np.concatenate([p.failed for p in parts]))
