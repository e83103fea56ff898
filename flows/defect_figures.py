"""What printing defects do to one circuit on given rows, as a JSON-ready record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.burns import comparator_names, timing_of
from hdl.blocks import Blocks, blocks_of
from hdl.power import power_profile
from hdl.variation import delays_ms, log_normal_factors, static_powers_mw
from printedmlp.circuit import Netlist
from printedmlp.circuit.comparator_spread import accuracy_under_spread
from printedmlp.circuit.devices import Devices, assumed_cells, check_yield
from printedmlp.circuit.fault_simulation import FaultSimulator
from printedmlp.circuit.faults import collapse
from printedmlp.circuit.yields import (
    Spread,
    by_failed_devices,
    gate_drops,
    printed_merit,
    row_weights,
    single_faults,
    yield_of,
)
from printedmlp.classifier import Classifier
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology
from printedmlp.vectors import Vectors

DEVICE_YIELDS = (0.9, 0.95, 0.99, 0.999)
FAILED = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Numbers of failed devices that accuracy is told against."""
NAMED_GATES = 10
"""Most critical gates that are named."""
MOST_PRINTS = 10_000
"""Beyond them a share is known to one per cent, and memory grows with every one."""
LOSSES, SIGMAS, THRESHOLD_SIGMAS = (0.0, 1.0), (0.0, 5.0), (0.0, 100.0)
"""Ranges of the settings of these names, both ends included."""
PRINTS_AT_ONCE = 1000
MOST_COPIES = 200
"""Prints with displaced comparators, at most: each is a simulation of all rows."""
YIELDS, COUNTS, VARIATION, THRESHOLDS = range(4)
"""Streams of random numbers, so that a figure does not depend on which others are computed."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What is assumed of printing.

    Attributes
    ----------
    device_yields : probabilities that a device works, one after the other.
    loss : of accuracy, 0 to 1, that a working print may have.
    draws : prints drawn for every figure.
    seed : of all draws.
    sigma : standard deviation of the logarithm of a cell's delay, and of its static power.
    threshold_sigma : standard deviation of a comparator's threshold, in steps of the code.

    Raises
    ------
    ConfigError : naming the setting and the value out of range.
    """

    device_yields: tuple[float, ...] = DEVICE_YIELDS
    loss: float = 0.05
    draws: int = 1000
    seed: int = 0
    sigma: float = 0.2
    threshold_sigma: float = 0.25

    def __post_init__(self) -> None:
        if not self.device_yields:
            raise ConfigError("device yield: none given")
        for device_yield in self.device_yields:
            check_yield(device_yield)
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative")
        for name, value, (low, high) in (
            ("draws", self.draws, (1, MOST_PRINTS)),
            ("loss", self.loss, LOSSES),
            ("sigma", self.sigma, SIGMAS),
            ("threshold sigma", self.threshold_sigma, THRESHOLD_SIGMAS),
        ):
            if not low <= value <= high:
                raise ConfigError(f"{name}: {value:g} is not in {low:g}..{high:g}")

    def rng(self, stream: int) -> np.random.Generator:
        """The random generator of one kind of figure."""
        return np.random.default_rng([self.seed, stream])


def defects_of(
    netlist: Netlist,
    technology: Technology,
    vectors: Vectors,
    input_bits: int,
    settings: Settings,
    *,
    classifier: Classifier | None = None,
    feature_names: Sequence[str] = (),
) -> Record:
    """All figures of one circuit: single faults, yields, critical gates, spreads of delay, power and thresholds.

    Parameters
    ----------
    vectors : rows that the accuracy is told on.
    classifier : what the circuit computes, for the names of its parts; None for a stranger's.
    feature_names : one for each feature, or none.
    """
    simulator = FaultSimulator(
        netlist, technology, vectors.codes, vectors.y, n_classes=vectors.n_classes, input_bits=input_bits
    )
    devices, singles = Devices.of(netlist, technology), simulator.singles()
    campaign = single_faults(simulator, singles, collapse(netlist, technology), (0.01, settings.loss))
    blocks = blocks_of(netlist, technology, classifier).renamed(comparator_names(feature_names))
    weights = row_weights(simulator.held, balanced=False)
    loss, prints, yields, counts = settings.loss, settings.draws, settings.rng(YIELDS), settings.rng(COUNTS)
    return {
        "settings": {**asdict(settings), "device_yields": list(settings.device_yields)},
        "rows": simulator.n_rows,
        "accuracy": 1 - float(simulator.wrong.sum()) / simulator.n_rows,
        "cells": len(netlist.instances),
        "area_cm2": netlist.area_cm2(technology),
        "devices": {
            "total": devices.total,
            "source": technology.devices_source,
            "assumed_cells": list(assumed_cells(netlist, technology)),
        },
        "single_faults": campaign.to_json(),
        "yields": [
            {
                **yield_of(simulator, devices, device_yield, loss=loss, prints=prints, rng=yields).to_json(),
                "estimated_accuracy": printed_merit(simulator, devices, singles, device_yield, weights),
            }
            for device_yield in settings.device_yields
        ],
        "failed_devices": [
            found.to_json()
            for found in by_failed_devices(simulator, devices, FAILED, loss=loss, prints=prints, rng=counts)
        ],
        **_critical(netlist, devices, gate_drops(simulator, devices, singles), blocks),
        "variation": _variation(netlist, technology, vectors, input_bits, settings),
        "thresholds": _thresholds(netlist, technology, vectors, input_bits, settings),
    }


def _critical(netlist: Netlist, devices: Devices, drops: NDArray[np.float64], blocks: Blocks) -> Record:
    """The gates whose failed devices cost most, and every part's share of what a failed device costs."""
    counts = np.bincount(devices.owners, weights=devices.counts, minlength=len(drops))
    order = np.argsort(-drops, kind="stable")[:NAMED_GATES].tolist()
    names = [name for name in blocks.names if name in blocks.labels]
    places = {name: [k for k, label in enumerate(blocks.labels) if label == name] for name in names}
    return {
        "critical": [
            {
                "instance": f"g{k}",
                "cell": netlist.instances[k].cell,
                "part": blocks.labels[k],
                "devices": int(counts[k]),
                "mean_drop": float(drops[k]),
            }
            for k in order
        ],
        "parts": [
            {
                "name": name,
                "cells": len(own),
                "devices": int(counts[own].sum()),
                "mean_drop": float(drops[own] @ counts[own] / counts[own].sum()),
            }
            for name, own in places.items()
        ],
    }


def _variation(
    netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int, settings: Settings
) -> Record:
    """Delay and static power of prints at the nominal voltage; None where the technology has no figures."""
    rng, voltage, cells = settings.rng(VARIATION), technology.nominal_voltage, len(netlist.instances)
    delay, power, nominal = None, None, timing_of(netlist, technology)[voltage]
    # Drawn for the delays also where there are none, so that the power's draws do not depend on them.
    slow = partial(delays_ms, netlist, technology, voltage) if nominal else _nothing
    delays = _of_prints(slow, cells, settings, rng)
    if nominal:
        delay = {"nominal": nominal.delay_ms, **Spread.of(delays).to_json()}
    if not technology.without_power:
        burn = partial(static_powers_mw, power_profile(netlist, technology, vectors.codes, input_bits), voltage)
        static = float(burn(np.ones((1, cells)))[0])
        power = {"nominal": static, **Spread.of(_of_prints(burn, cells, settings, rng)).to_json()}
    return {"sigma": settings.sigma, "delay_ms": delay, "static_power_mw": power}


def _nothing(factors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.zeros(len(factors))


def _of_prints(
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    cells: int,
    settings: Settings,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(draws,) a figure of every print from the factors of its cells, in bounded memory."""
    parts = [min(PRINTS_AT_ONCE, settings.draws - begin) for begin in range(0, settings.draws, PRINTS_AT_ONCE)]
    return np.concatenate([figure(log_normal_factors(settings.sigma, n, cells, rng)) for n in parts])


def _thresholds(
    netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int, settings: Settings
) -> Record:
    prints = min(settings.draws, MOST_COPIES)
    accuracy = accuracy_under_spread(
        netlist,
        technology,
        vectors.codes,
        vectors.y,
        input_bits=input_bits,
        sigma_steps=settings.threshold_sigma,
        prints=prints,
        rng=settings.rng(THRESHOLDS),
    )
    return {"sigma_steps": settings.threshold_sigma, "prints": prints, "accuracy": Spread.of(accuracy).to_json()}
