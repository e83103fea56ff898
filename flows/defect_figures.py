"""What printing defects do to one circuit on given rows, as a JSON-ready record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
    check_prints,
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
        check_prints(self.draws)
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative")
        for name, value, most in (("loss", self.loss, 1.0), ("sigma", self.sigma, 5.0)):
            if not 0 <= value <= most:
                raise ConfigError(f"{name}: {value:g} is not in 0..{most:g}")
        if not 0 <= self.threshold_sigma <= 100:
            raise ConfigError(f"threshold sigma: {self.threshold_sigma:g} is not in 0..100")

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
    of_delay, of_power = (log_normal_factors(settings.sigma, settings.draws, cells, rng) for _ in range(2))
    delay, power, nominal = None, None, timing_of(netlist, technology)[voltage]
    if nominal:
        found = Spread.of(delays_ms(netlist, technology, voltage, of_delay)).to_json()
        delay = {"nominal": nominal.delay_ms, **found}
    if not technology.without_power:
        profile = power_profile(netlist, technology, vectors.codes, input_bits)
        static = float(static_powers_mw(profile, voltage, np.ones((1, cells)))[0])
        power = {"nominal": static, **Spread.of(static_powers_mw(profile, voltage, of_power)).to_json()}
    return {"sigma": settings.sigma, "delay_ms": delay, "static_power_mw": power}


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
