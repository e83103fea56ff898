"""The result of a run: verified circuits, the stage each comes from, and what the front says at each loss level.

How the circuits are chosen is in `choice`, for which this is the entrance.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from printedmlp.choice import ROUNDING, Judged, Limits, nearest_miss, select_front
from printedmlp.errors import ConfigError
from printedmlp.metrics import Metrics

__all__ = [
    "LOSSES",
    "STAGE_ORDER",
    "FrontPoint",
    "Judged",
    "Level",
    "Limits",
    "Reduction",
    "front_csv",
    "nearest_miss",
    "reductions",
    "select_front",
    "smallest_at",
    "stage_fronts",
    "stages_side_by_side",
]

STAGE_ORDER = ("textbook", "exact", "paper", "tree", "search", "refine")
"""Where a circuit can come from, in the order in which pages and tables show it."""
FRONT_ENDS = ("full", "pruned", "thermometer")
"""Sensor front ends that a circuit's system figures are told with."""
LOSSES = (0, 1, 2, 5)
"""Losses of the validation score, in percentage points, at which reductions are quoted."""


@dataclass(frozen=True)
class FrontPoint:
    """One synthesised circuit and everything measured of it.

    Attributes
    ----------
    id : short unique name, safe in paths.
    stage : where it comes from, one of `STAGE_ORDER`.
    topology : layer sizes from the inputs to the classes; empty for what is no network.
    train_accuracy, validation_accuracy : shares of rows answered right, whatever the metric is.
    metric, score : the metric that was chosen, and its value on the validation rows.
    merit : by which circuits are chosen, see `printedmlp.choice.merit_of`.
    choice_power_mw : power at the nominal voltage on the rows that choose; None in records that lack it.
    description : what the classifier is, in a word or two, where its topology does not tell.
    test : figures on the test rows, which nothing is chosen by.
    area_cm2, cells, cell_counts : of the mapped netlist; cell area without routing.
    power_mw, delay_ms : by supply voltage as JSON writes it, such as "0.6" and "1"; power is that on the test rows.
        None where the technology has no figures.
    max_rate_hz : highest rate at the nominal voltage; None where no path from input to output or no delay is known.
    model_sha256 : hash of the classifier's JSON text.
    printed_merit : what prints are expected to be worth at the device yield of `fault_tolerance`; None
        without that.
    system : comparators and, by kind of sensor front end, area and power with it; None where that is not known.
    proof : of the netlist, against its Verilog and its integers; None in records that lack it.
    """

    id: str
    stage: str
    topology: tuple[int, ...]
    train_accuracy: float
    validation_accuracy: float
    test: Metrics
    area_cm2: float
    cells: int
    power_mw: Mapping[str, float | None]
    delay_ms: Mapping[str, float | None]
    max_rate_hz: float | None
    model_sha256: str
    metric: str
    score: float
    merit: float
    choice_power_mw: float | None = None
    printed_merit: float | None = None
    description: str = ""
    cell_counts: Mapping[str, int] = field(default_factory=dict)
    system: Mapping[str, Any] | None = None
    proof: Mapping[str, Any] | None = None

    @property
    def form(self) -> str:
        """What the classifier is: its description, or else its topology such as 16-5-10."""
        return self.description or "-".join(map(str, self.topology))

    @property
    def chosen_area_cm2(self) -> float:
        """The area that circuits are ordered by: on bare comparators with them, or else the netlist's."""
        bare = (self.system or {}).get(FRONT_ENDS[-1]) or {}
        return float(bare.get("area_cm2", self.area_cm2))

    @property
    def power_mw_nominal(self) -> float:
        """Power on the rows that choose; ConfigError where it is not known."""
        if self.choice_power_mw is None:
            raise ConfigError(f"circuit {self.id}: its power on the rows that choose is not known")
        return self.choice_power_mw

    @property
    def test_score(self) -> float:
        """Value of the chosen metric on the test rows."""
        return self.test.value(self.metric)

    def power_at(self, voltage: str) -> float | None:
        """Power in mW at a supply voltage, None without figures; ConfigError if it was not measured there."""
        if voltage not in self.power_mw:
            raise ConfigError(f"circuit {self.id}: no power at {voltage} V, only at {', '.join(self.power_mw)} V")
        return self.power_mw[voltage]

    def to_json(self) -> dict[str, Any]:
        """A flat JSON-ready dictionary, test figures beside the circuit's; `from_json` is its inverse."""
        data = asdict(self)
        del data["test"]
        if self.printed_merit is None:
            del data["printed_merit"]
        return {**data, "topology": list(self.topology), **self.test.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FrontPoint:
        """Rebuild from `to_json`'s dictionary, which may hold other keys too.

        A record without metric and merit is one of circuits chosen by validation accuracy.
        """
        filled = {"metric": "accuracy", "score": data["validation_accuracy"], **data}
        filled.setdefault("merit", filled["score"])
        values = {item.name: filled[item.name] for item in fields(cls) if item.name in filled}
        return cls(**{**values, "topology": tuple(data["topology"]), "test": Metrics.from_json(data)})


@dataclass(frozen=True)
class Reduction:
    """The smallest circuit within a loss of validation score, against the exact baseline.

    `id` is None where no circuit qualifies. `score` and `test_score` are by the metric that was chosen. A factor is
    the baseline's figure over the circuit's; None without a circuit or a figure, and where the circuit's figure is
    zero (a constant answer needs no cell).
    """

    loss: float
    id: str | None = None
    score: float | None = None
    test_score: float | None = None
    area_factor: float | None = None
    power_factor: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return asdict(self)


def stage_fronts(points: Sequence[FrontPoint]) -> dict[str, list[FrontPoint]]:
    """Each stage's circuits that no other of the same stage beats in merit and area, smallest first.

    Stages without circuits are left out; those there are come in the order of `STAGE_ORDER`, others after them.
    """
    stages = sorted({p.stage for p in points}, key=lambda stage: (_rank(stage), stage))
    return {
        stage: select_front([p for p in points if p.stage == stage], axes=("merit", "area")) for stage in stages
    }


def _rank(stage: str) -> int:
    return STAGE_ORDER.index(stage) if stage in STAGE_ORDER else len(STAGE_ORDER)


@dataclass(frozen=True)
class Level:
    """What each stage needs for a validation score.

    Attributes
    ----------
    loss : percentage points of validation score lost against the exact baseline; None for each stage's best.
    smallest : by stage its smallest circuit that loses no more, None where it has none.
    """

    loss: float | None
    smallest: Mapping[str, FrontPoint | None]


def stages_side_by_side(
    points: Sequence[FrontPoint], exact: FrontPoint, losses: Sequence[float] = LOSSES
) -> list[Level]:
    """Each stage's best circuit, then its smallest at each loss; the validation score alone decides.

    The stages are those of `points`, in the order of `stage_fronts`. The losses are the same for all stages, in
    percentage points below the exact baseline.
    """
    fronts = stage_fronts(points)
    best = {stage: smallest_at(own, max(p.score for p in own)) for stage, own in fronts.items()}
    levels = [
        Level(loss, {stage: smallest_at(own, exact.score - loss / 100) for stage, own in fronts.items()})
        for loss in losses
    ]
    return [Level(None, best), *levels]


def reductions(
    front: Sequence[FrontPoint], exact: FrontPoint, losses: Sequence[float] = LOSSES, *, voltage: str
) -> list[Reduction]:
    """For each loss, in percentage points of validation score, the smallest circuit that loses no more.

    Power is compared at `voltage`. The validation score decides; that on the test rows is only told.
    """
    return [_reduction(front, exact, loss, voltage) for loss in losses]


def smallest_at(points: Sequence[FrontPoint], least: float) -> FrontPoint | None:
    """The smallest of the circuits whose validation score is no less than `least`; None if there is none."""
    able = [p for p in points if p.score >= least - ROUNDING]
    return min(able, key=lambda p: (p.area_cm2, -p.score, p.id), default=None)


def _reduction(front: Sequence[FrontPoint], exact: FrontPoint, loss: float, voltage: str) -> Reduction:
    best = smallest_at(front, exact.score - loss / 100)
    if best is None:
        return Reduction(loss)
    return Reduction(
        loss,
        best.id,
        best.score,
        best.test_score,
        _factor(exact.area_cm2, best.area_cm2),
        _factor(exact.power_at(voltage), best.power_at(voltage)),
    )


def _factor(reference: float | None, value: float | None) -> float | None:
    return reference / value if reference is not None and value else None


def front_csv(points: Sequence[FrontPoint], exact: FrontPoint, *, voltage: str) -> str:
    """The circuits as CSV text, the exact baseline first; same circuits, same bytes.

    Numbers are written with as many digits as read back to the same double, missing ones as an empty cell. Power
    and delay have a column for each voltage; `power_factor` compares at `voltage`.
    """
    text = io.StringIO()
    bare = any((point.system or {}).get(FRONT_ENDS[-1]) for point in points)
    printed = any(point.printed_merit is not None for point in points)
    rows = [_csv_row(point, exact, voltage, bare, printed) for point in (exact, *points)]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(point: FrontPoint, exact: FrontPoint, voltage: str, bare: bool, printed: bool) -> dict[str, Any]:
    test = point.test
    return {
        "id": point.id,
        "stage": point.stage,
        "form": point.form,
        "metric": point.metric,
        "score": point.score,
        "merit": point.merit,
        **({"printed_merit": point.printed_merit} if printed else {}),
        "test_score": point.test_score,
        "train_accuracy": point.train_accuracy,
        "validation_accuracy": point.validation_accuracy,
        "test_accuracy": test.accuracy,
        "test_n": test.n,
        "test_low": test.interval[0],
        "test_high": test.interval[1],
        "test_balanced_accuracy": test.balanced_accuracy,
        "test_macro_f1": test.macro_f1,
        "test_majority_accuracy": test.majority_accuracy,
        "classes_predicted": test.classes_predicted,
        "area_cm2": point.area_cm2,
        "area_factor": _factor(exact.area_cm2, point.area_cm2),
        "cells": point.cells,
        "choice_power_mw": point.choice_power_mw,
        **{f"power_mw_{v}v": point.power_mw[v] for v in sorted(exact.power_mw)},
        "power_factor": _factor(exact.power_at(voltage), point.power_at(voltage)),
        **{f"delay_ms_{v}v": point.delay_ms[v] for v in sorted(exact.delay_ms)},
        "max_rate_hz": point.max_rate_hz,
        **_system_columns(point.system or {}, bare),
        "proof": point.proof["integers"]["verdict"] if point.proof else None,
        "model_sha256": point.model_sha256,
    }


def _system_columns(system: Mapping[str, Any], bare: bool) -> dict[str, Any]:
    """Classifier and sensor front end together, in a column for each kind and figure; empty where not known.

    Where some circuits stand on bare comparators their gates alone follow.
    """
    columns = {"comparators": system.get("comparators")}
    kinds = {kind: system.get(kind) or {} for kind in FRONT_ENDS}
    if bare:
        kinds[f"{FRONT_ENDS[-1]}_gates"] = kinds[FRONT_ENDS[-1]].get("gates", {})
    for kind, figures in kinds.items():
        columns |= {f"{kind}_{figure}": figures.get(figure) for figure in ("area_cm2", "power_mw")}
    return columns
