"""All figures of a mapped circuit on given vectors, a run's or a stranger's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.burns import power_and_timing, timing_of
from flows.front_ends import front_ends_of
from hdl.blocks import Blocks
from hdl.power import static_power_mw
from hdl.timing import TimingReport
from printedmlp.circuit import Netlist
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.classifier import Classifier
from printedmlp.metrics import Metrics, evaluate
from printedmlp.power_sources import DEFAULT_RATE_HZ
from printedmlp.technology import Technology
from printedmlp.vectors import Vectors


def figures_of(
    netlist: Netlist,
    technology: Technology,
    vectors: Vectors,
    input_bits: int,
    *,
    classifier: Classifier | None = None,
    feature_names: Sequence[str] | None = None,
    rate_hz: float = DEFAULT_RATE_HZ,
    blocks: Blocks | None = None,
) -> dict[str, Any]:
    """All figures of a mapped circuit on given vectors; the one place where a run's and a stranger's are made.

    Parameters
    ----------
    netlist : with vectors.codes.shape[1] * input_bits inputs.
    technology : the netlist's cells.
    vectors : rows whose codes fit `input_bits`.
    input_bits : bits of each feature.
    classifier, feature_names, rate_hz, blocks : see `flows.burns.power_and_timing`.

    Returns
    -------
    JSON-ready: the metrics, "area_cm2", "cells", "cell_counts", "power_mw" and "delay_ms" by voltage (None where
    the technology has no figures), "max_rate_hz" at the technology's nominal voltage (None without a delay),
    "delay_extrapolated", "front_end" and "system" of `flows.front_ends`, "power" and "timing" of `flows.burns`.
    """
    timing = timing_of(netlist, technology)
    burns = power_and_timing(
        netlist,
        technology,
        vectors,
        input_bits,
        classifier=classifier,
        feature_names=feature_names,
        rate_hz=rate_hz,
        timing=timing,
        blocks=blocks,
    )
    nominal = timing[technology.nominal_voltage]
    rate_hz = nominal.max_rate_hz if nominal else math.inf
    power = power_of(netlist, technology, vectors.codes, input_bits)
    return {
        **accuracy_of(netlist, technology, vectors, input_bits).to_json(),
        **costs_of(netlist, technology, power, timing),
        "max_rate_hz": rate_hz if math.isfinite(rate_hz) else None,
        **front_ends_of(netlist, technology, vectors, input_bits, power[technology.nominal_voltage]),
        "delay_extrapolated": any(report.extrapolated for report in timing.values() if report),
        **burns,
    }


def costs_of(
    netlist: Netlist,
    technology: Technology,
    power: Mapping[float, float | None],
    timing: Mapping[float, TimingReport | None],
) -> dict[str, Any]:
    """What a circuit costs, JSON-ready: area, cells, and power and delay by voltage; see `figures_of`."""
    return {
        "area_cm2": netlist.area_cm2(technology),
        "cells": len(netlist.instances),
        "cell_counts": netlist.cell_counts(),
        "power_mw": {f"{voltage:g}": power[voltage] for voltage in technology.voltages},
        "delay_ms": {f"{voltage:g}": report.delay_ms if report else None for voltage, report in timing.items()},
    }


def power_of(
    netlist: Netlist, technology: Technology, codes: NDArray[np.uint8], input_bits: int
) -> dict[float, float | None]:
    """Static power in mW by voltage over rows of codes; None where the technology does not know it of all cells."""
    if technology.without_power:
        return dict.fromkeys(technology.voltages)
    return {**static_power_mw(netlist, technology, codes, input_bits)}


def accuracy_of(netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int) -> Metrics:
    """Metrics of a netlist's answers on the vectors; an output word beyond the classes counts as wrong."""
    values = simulate(netlist, technology, input_bits_of(vectors.codes, input_bits), len(vectors.y))
    answers = classes(netlist, values, len(vectors.y))
    return evaluate(vectors.y, answers, n_classes=vectors.n_classes, majority_class=vectors.majority_class)
