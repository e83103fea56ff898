"""The result of a search: verified circuits that no other beats in both validation accuracy and area."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from printedmlp.errors import ConfigError
from printedmlp.metrics import Metrics
from printedmlp.pareto import non_dominated

LOSSES = (0, 1, 2, 5)
"""Losses of validation accuracy, in percentage points, at which reductions are quoted."""
ROUNDING = 1e-9


class Judged(Protocol):
    """What a circuit is chosen by; none of it is measured on the test rows."""

    @property
    def id(self) -> str:
        """Unique name."""

    @property
    def train_accuracy(self) -> float:
        """Share of training rows answered right."""

    @property
    def validation_accuracy(self) -> float:
        """Share of validation rows answered right."""

    @property
    def area_cm2(self) -> float:
        """Cell area of the mapped netlist."""


Circuit = TypeVar("Circuit", bound=Judged)


@dataclass(frozen=True)
class FrontPoint:
    """One synthesised circuit and everything measured of it.

    Attributes
    ----------
    id : short unique name, safe in paths.
    stage : where it comes from: "exact", "paper", ...
    topology : layer sizes from the inputs to the classes.
    validation_accuracy : what circuits are chosen by.
    test : figures on the test rows, which nothing is chosen by.
    area_cm2, cells, cell_counts : of the mapped netlist; cell area without routing.
    power_mw, delay_ms : by supply voltage as JSON writes it, such as "0.6" and "1".
    max_rate_hz : highest rate at the nominal voltage; None where there is no path from input to output.
    model_sha256 : hash of the classifier's JSON text.
    """

    id: str
    stage: str
    topology: tuple[int, ...]
    train_accuracy: float
    validation_accuracy: float
    test: Metrics
    area_cm2: float
    cells: int
    power_mw: Mapping[str, float]
    delay_ms: Mapping[str, float]
    max_rate_hz: float | None
    model_sha256: str
    cell_counts: Mapping[str, int] = field(default_factory=dict)

    def power_at(self, voltage: str) -> float:
        """Power in mW at a supply voltage; ConfigError if it was not measured there."""
        if voltage not in self.power_mw:
            raise ConfigError(f"circuit {self.id}: no power at {voltage} V, only at {', '.join(self.power_mw)} V")
        return self.power_mw[voltage]

    def to_json(self) -> dict[str, Any]:
        """A flat JSON-ready dictionary, test figures beside the circuit's; `from_json` is its inverse."""
        data = asdict(self)
        del data["test"]
        return {**data, "topology": list(self.topology), **self.test.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FrontPoint:
        """Rebuild from `to_json`'s dictionary, which may hold other keys too."""
        values = {name: data[name] for name in cls.__dataclass_fields__ if name != "test"}
        return cls(**{**values, "topology": tuple(data["topology"]), "test": Metrics.from_json(data)})


@dataclass(frozen=True)
class Reduction:
    """The smallest circuit within a loss of validation accuracy, against the exact baseline.

    `id` is None where no circuit qualifies. A factor is the baseline's figure over the circuit's; None without a
    circuit and where the circuit's figure is zero (a constant answer needs no cell).
    """

    loss: float
    id: str | None = None
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    area_factor: float | None = None
    power_factor: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


def select_front(candidates: Sequence[Circuit]) -> list[Circuit]:
    """The circuits that none dominates in validation accuracy (more) and area (less), smallest first.

    Of circuits equal in both, the one most accurate on the training rows stays, then the one whose id sorts first;
    the order of the candidates does not matter. What was measured on the test rows is not looked at, nor is power,
    which depends on the states that those rows cause; candidates need not have been measured on them.
    """
    ranked = sorted(candidates, key=lambda p: (-p.train_accuracy, p.id))
    points = np.array([(p.area_cm2, -p.validation_accuracy) for p in ranked]).reshape(-1, 2)
    kept = [p for p, keep in zip(ranked, non_dominated(points), strict=True) if keep]
    return sorted(kept, key=lambda p: p.area_cm2)


def reductions(
    front: Sequence[FrontPoint], exact: FrontPoint, losses: Sequence[float] = LOSSES, *, voltage: str
) -> list[Reduction]:
    """For each loss, in percentage points of validation accuracy, the smallest circuit that loses no more.

    Power is compared at `voltage`. Validation accuracy decides; test accuracy is only told.
    """
    return [_reduction(front, exact, loss, voltage) for loss in losses]


def _reduction(front: Sequence[FrontPoint], exact: FrontPoint, loss: float, voltage: str) -> Reduction:
    least = exact.validation_accuracy - loss / 100 - ROUNDING
    able = [p for p in front if p.validation_accuracy >= least]
    if not able:
        return Reduction(loss)
    best = min(able, key=lambda p: (p.area_cm2, p.id))
    return Reduction(
        loss,
        best.id,
        best.validation_accuracy,
        best.test.accuracy,
        _factor(exact.area_cm2, best.area_cm2),
        _factor(exact.power_at(voltage), best.power_at(voltage)),
    )


def _factor(reference: float, value: float) -> float | None:
    return reference / value if value > 0 else None


def front_csv(points: Sequence[FrontPoint], exact: FrontPoint, *, voltage: str) -> str:
    """The circuits as CSV text, the exact baseline first; same circuits, same bytes.

    Numbers are written with as many digits as read back to the same double, missing ones as an empty cell. Power
    and delay have a column for each voltage; `power_factor` compares at `voltage`.
    """
    text = io.StringIO()
    rows = [_csv_row(point, exact, voltage) for point in (exact, *points)]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(point: FrontPoint, exact: FrontPoint, voltage: str) -> dict[str, Any]:
    test = point.test
    return {
        "id": point.id,
        "stage": point.stage,
        "topology": "-".join(map(str, point.topology)),
        "train_accuracy": point.train_accuracy,
        "validation_accuracy": point.validation_accuracy,
        "test_accuracy": test.accuracy,
        "test_n": test.n,
        "test_low": test.interval[0],
        "test_high": test.interval[1],
        "test_balanced_accuracy": test.balanced_accuracy,
        "test_majority_accuracy": test.majority_accuracy,
        "classes_predicted": test.classes_predicted,
        "area_cm2": point.area_cm2,
        "area_factor": _factor(exact.area_cm2, point.area_cm2),
        "cells": point.cells,
        **{f"power_mw_{v}v": point.power_mw[v] for v in sorted(exact.power_mw)},
        "power_factor": _factor(exact.power_at(voltage), point.power_at(voltage)),
        **{f"delay_ms_{v}v": point.delay_ms[v] for v in sorted(exact.delay_ms)},
        "max_rate_hz": point.max_rate_hz,
        "model_sha256": point.model_sha256,
    }
