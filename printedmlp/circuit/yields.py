"""What printing defects leave of a classifier: single faults, accuracy by failed devices, yield of prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.circuit.devices import Devices, check_yield, drawn_prints
from printedmlp.circuit.fault_simulation import FaultSimulator, Singles
from printedmlp.circuit.faults import Collapsed
from printedmlp.errors import ConfigError
from printedmlp.metrics import wilson_interval

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ROUNDING = 1e-9


@dataclass(frozen=True)
class Spread:
    """Mean, least, largest and quantiles of a figure over draws or faults."""

    mean: float
    least: float
    largest: float
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, values: ArrayLike) -> Spread:
        """From one value or more; quantiles are those of `QUANTILES`."""
        found = np.asarray(values, dtype=np.float64)
        marks = tuple(float(q) for q in np.quantile(found, QUANTILES))
        return cls(float(found.mean()), float(found.min()), float(found.max()), marks)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary, quantiles by their share."""
        marks = {f"{share:g}": value for share, value in zip(QUANTILES, self.quantiles, strict=True)}
        return {"mean": self.mean, "least": self.least, "largest": self.largest, "quantiles": marks}


@dataclass(frozen=True)
class Yield:
    """Prints at one device yield.

    Attributes
    ----------
    device_yield : probability that a device works.
    prints : how many were drawn.
    working : those whose accuracy is at least that without faults less the stated loss.
    perfect : those without a failed device.
    expected_perfect : the same as an exact share, device yield to the power of the devices.
    accuracy : over the prints.
    """

    device_yield: float
    prints: int
    working: int
    perfect: int
    expected_perfect: float
    accuracy: Spread

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the share of working prints."""
        return wilson_interval(self.working, self.prints)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {
            "device_yield": self.device_yield,
            "prints": self.prints,
            "working": self.working / self.prints,
            "interval": list(self.interval),
            "perfect": self.perfect / self.prints,
            "expected_perfect": self.expected_perfect,
            "accuracy": self.accuracy.to_json(),
        }


def most_wrong(simulator: FaultSimulator, loss: float) -> int:
    """Rows that a print may answer wrong if it is to lose no more than `loss`, a share of all rows.

    Raises ConfigError for a loss that is not in 0 to 1.
    """
    if not 0 <= loss <= 1:
        raise ConfigError(f"loss: {loss:g} is not in 0..1")
    return int(simulator.wrong.sum()) + math.floor(loss * simulator.n_rows + ROUNDING)


def yield_of(
    simulator: FaultSimulator,
    devices: Devices,
    device_yield: float,
    *,
    loss: float,
    prints: int,
    rng: np.random.Generator,
) -> Yield:
    """Draw prints at a device yield and count those that work.

    Parameters
    ----------
    loss : of accuracy, 0 to 1, that a working print may have.
    prints : how many to draw, at least 1.

    Raises
    ------
    ConfigError : for a figure out of range.
    """
    check_yield(device_yield)
    check_prints(prints)
    limit = most_wrong(simulator, loss)
    drawn = drawn_prints(simulator, devices, device_yield, prints, rng)
    wrong = drawn.wrong.sum(axis=1)
    return Yield(
        device_yield,
        prints,
        int((wrong <= limit).sum()),
        int((drawn.failed == 0).sum()),
        devices.all_work(device_yield),
        Spread.of(1 - wrong / simulator.n_rows),
    )


def check_prints(prints: int) -> None:
    """Refuse, with a ConfigError, fewer than one print."""
    if prints < 1:
        raise ConfigError(f"draws: {prints} is below 1")


@dataclass(frozen=True)
class FailedDevices:
    """Prints of which each has the same number of failed devices: their accuracy, and the share that works."""

    failed: int
    accuracy: Spread
    working: float

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {"failed": self.failed, "accuracy": self.accuracy.to_json(), "working": self.working}


def by_failed_devices(
    simulator: FaultSimulator,
    devices: Devices,
    numbers: Sequence[int],
    *,
    loss: float,
    prints: int,
    rng: np.random.Generator,
) -> list[FailedDevices]:
    """Accuracy against the number of failed devices, for those of `numbers` that the circuit has."""
    check_prints(prints)
    limit, found = most_wrong(simulator, loss), []
    for n_failed in numbers:
        if n_failed > devices.total:
            break
        wrong = simulator.coded_sets(*devices.draw_failed(n_failed, prints, rng)).wrong.sum(axis=1)
        accuracy = Spread.of(1 - wrong / simulator.n_rows)
        found.append(FailedDevices(n_failed, accuracy, float(np.mean(wrong <= limit))))
    return found


@dataclass(frozen=True)
class SingleFaults:
    """All single stuck-at faults of a circuit, each counted once though equivalent ones do the same.

    Attributes
    ----------
    faults, collapsed : how many there are, and classes of equivalent ones that have an effect.
    without_effect : faults that change the function for no input, as far as the structure shows.
    silent : share of the faults that change no answer on the rows.
    within : by loss of accuracy, the share of faults that cost no more.
    accuracy : over the faults; None for a circuit without any.
    """

    faults: int
    collapsed: int
    without_effect: int
    silent: float
    within: dict[float, float]
    accuracy: Spread | None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {
            "faults": self.faults,
            "collapsed": self.collapsed,
            "without_effect": self.without_effect,
            "silent": self.silent,
            "within": {f"{loss:g}": share for loss, share in self.within.items()},
            "accuracy": self.accuracy.to_json() if self.accuracy else None,
        }


def single_faults(
    simulator: FaultSimulator, singles: Singles, collapsed: Collapsed, losses: Sequence[float]
) -> SingleFaults:
    """Sum up the campaign; of each class of equivalent faults the first is looked at."""
    counts = np.array([len(faults) for faults in collapsed.classes] + [len(collapsed.without_effect)])
    heads = [faults[0] for faults in collapsed.classes]
    wrong = np.array([singles.wrong(f).sum() for f in heads] + [simulator.wrong.sum()])
    changed = np.array([singles.changed(f) for f in heads] + [0])
    total = int(counts.sum())
    accuracy = Spread.of(1 - np.repeat(wrong, counts) / simulator.n_rows) if total else None

    def share(able: NDArray[np.bool_]) -> float:
        return float(counts[able].sum() / total) if total else 1.0

    within = {loss: share(wrong <= most_wrong(simulator, loss)) for loss in losses}
    idle = len(collapsed.without_effect)
    return SingleFaults(total, len(heads), idle, share(changed == 0), within, accuracy)


def gate_drops(simulator: FaultSimulator, devices: Devices, singles: Singles) -> NDArray[np.float64]:
    """(n_instances,) mean loss of accuracy when one device of a cell fails, 0 to 1."""
    lost = devices.drops(singles, simulator).sum(axis=1) / simulator.n_rows
    cells = len(simulator.netlist.instances)
    weights = np.bincount(devices.owners, weights=devices.counts, minlength=cells)
    return np.asarray(np.bincount(devices.owners, weights=lost * devices.counts, minlength=cells) / weights)


def printed_merit(
    simulator: FaultSimulator, devices: Devices, singles: Singles, device_yield: float, weights: NDArray[np.float64]
) -> float:
    """Merit that a print is expected to have at a device yield, from its single faults alone.

    Every fault is taken to cost its part of what the circuit is better than a random code, whatever other faults
    there are:

        c + (m - c) * product over places of (1 - p * d / (m - c))

    with m the merit without faults, c = 2^-outputs, p the probability that a place fails and d what its fault costs
    on average. To first order in the failed devices it is exact, and it needs no draws, whose noise would favour
    lucky circuits. Idle gates do not count, whereas a mean over faults would rise with every one of them.

    Parameters
    ----------
    weights : (C,) what a row of each class is worth; all rows together are worth 1.
    """
    merit = 1 - float(simulator.wrong @ weights)
    random_code = 0.5 ** len(simulator.netlist.outputs)
    margin = merit - random_code
    if margin <= 0:
        return merit
    lost = devices.drops(singles, simulator) @ weights
    survival = 1 - devices.fault_probabilities(device_yield) * np.minimum(lost / margin, 1.0)
    return random_code + margin * float(survival.prod())


def row_weights(held: NDArray[np.int64], *, balanced: bool) -> NDArray[np.float64]:
    """(C,) what a row of each class is worth: the same for all, or so that all classes that have rows are."""
    if not balanced:
        return np.full(len(held), 1 / held.sum())
    return np.where(held > 0, 1 / np.maximum(held, 1) / (held > 0).sum(), 0.0)
