"""The page: report.html from the run's files, self-contained, opens from disk, same bytes for the same run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from flows.burns import sentences, speed_words
from flows.config import THERMOMETER, DesignConfig
from flows.feasible import carried_cells
from flows.front_ends import system_cells
from flows.plot import NAMED, SHAPES, Mark, area_axis, key_svg, power_axis, score_svg
from flows.proofs import proof_count, proof_words
from printedmlp.choice import TRUST
from printedmlp.front import FrontPoint, Level, stage_fronts, stages_side_by_side
from printedmlp.objective import BALANCED
from printedmlp.power_sources import POWER_SOURCES
from printedmlp.technology import Technology
from printedmlp.units import three

TEMPLATES = Path(__file__).with_name("templates")
NOTHING = "–"
Figures = Mapping[str, Any]
METRIC_NAMES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}
STAGE_WORDS = {
    "paper": "The published method (Afentaki et al., DATE 2024): NSGA-II evolves masks, signs, power-of-two "
    "weights and biases of a small network against error and full adders.",
    "tree": "A bespoke decision tree: every node compares one feature with a constant, and a search thins out "
    "nodes, thresholds and bits. A rival of the networks, through the same synthesis, cells and proof.",
    "search": "Our search among the same masked power-of-two networks: trained starts of several widths, "
    "structured moves, and annealing under an error budget with the area of the whole circuit as cost.",
    "refine": "A circuit of another stage, or a few trees that vote, changed gate by gate: gates are rewired, "
    "retyped, merged or made constant within a budget of errors on the training rows and noisy copies of them, or "
    "at a price of area in errors, then exchanged for power. It is no longer literally a network or a tree: its "
    "gates alone say what it answers, and it may differ from what it came from wherever no training row looks. "
    "Only rows it was not trained on, validation and test, tell its worth.",
}


def report_html(
    front: Figures,
    dataset: Figures,
    quantiser: Figures,
    config: DesignConfig,
    technology: Technology,
    ceiling: str | None = None,
    pictures: Figures | None = None,
) -> str:
    """Fill the page.

    Parameters
    ----------
    front : the run's front.json: "exact", "textbook", "front", "reductions", and in "others" the circuits that are
        kept to compare the stages though they are not on the front.
    dataset : the run's dataset.json.
    quantiser : the run's quantiser.json.
    config : the run's settings.
    technology : the cells, for its name, source and voltages.
    ceiling : what float networks reach on the same table, in words; None where nobody trained any.
    pictures : of the circuits by id, from `flows.pictures`; None for a page without.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    exact, points, others = front["exact"], front["front"], front.get("others", [])
    view = _View(technology, exact, thermometer=config.inputs == THERMOMETER)
    circuits = [FrontPoint.from_json(record) for record in (*points, *others)]
    baselines = [FrontPoint.from_json(front[name]) for name in NAMED]
    stages = [stage for stage in SHAPES if stage in {c.stage for c in circuits}]
    return environment.get_template("report.html.j2").render(
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        dataset=_dataset(dataset),
        split={part: len(rows) for part, rows in dataset["split"].items()},
        settings=config,
        metric=METRIC_NAMES[view.metric],
        choice=_choice_words(config),
        trust=TRUST,
        technology={
            "name": technology.name.upper(),
            "has_power": view.has_power,
            "has_front_end": view.exact.system is not None,
            "has_switching": bool(exact.get("power")) and exact["power"]["total_mw"][view.nominal] is not None,
            "has_delay": not technology.without_delay,
            "mean_power": ", ".join(technology.with_mean_power),
            "source": technology.source,
            "voltage": view.nominal,
            "voltages": view.voltages,
            "ends": view.ends,
        },
        plots=_plots(view, baselines, circuits, {point["id"] for point in points}),
        keys={stage: Markup(key_svg(stage, filled=stage != "textbook")) for stage in (*NAMED, *stages)},
        hollow=Markup(key_svg("search", filled=False)) if others else None,
        majority=f"{view.majority:.1%}",
        exact=view.point(exact),
        textbook=view.point(front["textbook"]),
        textbook_ratio=factor(front["textbook"]["area_cm2"], exact["area_cm2"]),
        points=[view.point(point) for point in points],
        others=[view.point(point) for point in others],
        reductions=[view.reduction(row, points) for row in front["reductions"]],
        ceiling=ceiling,
        pictures=pictures or {},
        levels=[view.level(level) for level in stages_side_by_side(circuits, view.exact)],
        stage_words={stage: STAGE_WORDS[stage] for stage in stages if stage in STAGE_WORDS},
        use=config.use,
        thermometer=view.thermometer,
        sources=[{"name": s.name, "power": f"{s.power_mw:g} mW"} for s in POWER_SOURCES],
        quantiser=_features(quantiser, config.input_bits),
        proofs=proof_count([front["textbook"], exact, *points, *others]),
        extrapolated=any(p["delay_extrapolated"] for p in (exact, *points)),
        command=shlex.join(["python", "-m", "flows.design", "--config", "config.toml"]),
    )


def _choice_words(config: DesignConfig) -> dict[str, str]:
    """The user's weights and limits in words; empty where there is nothing to say."""
    weights = config.class_weights
    if weights is None and config.metric != "accuracy":
        weights = BALANCED
    shown = weights if weights is None or isinstance(weights, str) else " : ".join(f"{w:g}" for w in weights)
    limits = [
        f"{text} {value:g} {unit}".strip()
        for text, value, unit in (
            ("area up to", config.max_area, "cm²"),
            ("power up to", config.max_power, "mW"),
            (f"validation {METRIC_NAMES[config.metric]} from", config.min_accuracy, ""),
        )
        if value is not None
    ]
    return {"weights": shown or "", "limits": ", ".join(limits)}


def _plots(
    view: _View, baselines: Sequence[FrontPoint], circuits: Sequence[FrontPoint], on_front: Collection[str]
) -> list[Markup]:
    """Score against area and, where it is known, against power."""
    on_stage_front = {p.id for own in stage_fronts(circuits).values() for p in own}
    marks = [
        Mark(
            p.id,
            p.stage,
            p.area_cm2,
            p.power_at(view.nominal) or 0.0,
            p.test_score,
            p.score,
            p.test.interval if p.metric == "accuracy" else None,
            on_front=p.stage in NAMED or p.id in on_front,
            on_stage_front=p.id in on_stage_front,
        )
        for p in (*baselines, *circuits)
    ]
    axes = [area_axis()] + ([power_axis(view.nominal)] if view.has_power else [])
    name = METRIC_NAMES[view.metric]
    return [Markup(score_svg(marks, axis, metric=name, majority=view.majority)) for axis in axes]


class _View:
    """Turns figures into the words of the page, at one technology's voltages and against one baseline."""

    def __init__(self, technology: Technology, exact: Figures, *, thermometer: bool) -> None:
        self.thermometer = thermometer
        self.voltages = [f"{v:g}" for v in technology.voltages]
        self.nominal = f"{technology.nominal_voltage:g}"
        # The least power a circuit can be run with is at the lowest voltage.
        self.ends = list(dict.fromkeys([self.nominal, f"{min(technology.voltages):g}"]))
        self.exact = FrontPoint.from_json(exact)
        self.has_power = self.exact.power_at(self.nominal) is not None
        self.metric = self.exact.metric
        self.majority = self.exact.test.majority_value(self.metric)

    def point(self, point: Figures) -> dict[str, Any]:
        """One row of the table."""
        circuit = FrontPoint.from_json(point)
        power, test = circuit.power_at(self.nominal), circuit.test
        return {
            "id": circuit.id,
            "stage": circuit.stage,
            "form": circuit.form,
            "n": test.n,
            "test": f"{circuit.test_score:.1%}",
            "accuracy": f"{test.accuracy:.1%}",
            "interval": _interval(test.interval),
            "balanced": f"{test.balanced_accuracy:.1%}",
            "macro_f1": f"{test.macro_f1:.1%}",
            "classes_predicted": test.classes_predicted,
            "validation": f"{circuit.score:.1%}",
            "area": significant(circuit.area_cm2),
            "power": significant(power),
            "power_text": _power_text(power),
            "powers": [significant(circuit.power_mw[v]) for v in self.voltages],
            "delay": significant(circuit.delay_ms[self.nominal]),
            "cells": circuit.cells,
            "cell_counts": ", ".join(f"{n} {cell}" for cell, n in circuit.cell_counts.items()) or "none",
            "area_factor": factor(self.exact.area_cm2, circuit.area_cm2),
            "power_factor": factor(self.exact.power_at(self.nominal), power),
            **carried_cells(point.get("feasibility"), micro="µ"),
            "sensors": system_cells(point, self.thermometer),
            "burns": sentences(point, self.nominal),
            "speed": speed_words(point, self.nominal),
            "vectors": point["verification"]["vectors"]["total"],
            "proof": proof_words(point.get("proof")),
            "mismatches": sum(point["verification"]["mismatches"].values()),
        }

    def level(self, level: Level) -> dict[str, Any]:
        """The stages' circuits at one level; the smallest is marked, except among best scores, which differ."""
        areas = [p.area_cm2 for p in level.smallest.values() if p is not None and level.loss is not None]
        return {
            "loss": level.loss,
            "rows": [
                {"stage": stage, "id": None, "smallest": False}
                if p is None
                else {**self._compared(p), "smallest": p.area_cm2 == min(areas, default=None)}
                for stage, p in level.smallest.items()
            ],
        }

    def _compared(self, point: FrontPoint) -> dict[str, Any]:
        return {
            "stage": point.stage,
            "id": point.id,
            "validation": f"{point.score:.1%}",
            "test": f"{point.test_score:.1%}",
            "accuracy": f"{point.test.accuracy:.1%}",
            "interval": _interval(point.test.interval),
            "area": significant(point.area_cm2),
            "powers": [significant(point.power_mw[v]) for v in self.ends],
        }

    def reduction(self, row: Figures, points: Sequence[Figures]) -> dict[str, Any]:
        """One card: the smallest circuit within a loss of validation accuracy."""
        chosen = next((p for p in points if p["id"] == row["id"]), None)
        if chosen is None:
            return {"loss": row["loss"], "factor": None}
        shown = self.point(chosen)
        return {
            "loss": row["loss"],
            "id": shown["id"],
            "factor": shown["area_factor"],
            "area": shown["area"],
            "power_text": shown["power_text"],
            "test": shown["test"],
        }


def _power_text(power: float | None) -> str:
    return "no power figures" if power is None else f"{significant(power)} mW"


def significant(value: float | None) -> str:
    """Three significant digits, never in exponent form; a dash for no figure."""
    return NOTHING if value is None else three(value)


def factor(reference: float | None, value: float | None) -> str:
    """How many times smaller a value is than its reference; a dash where one is not known."""
    if reference is None or value is None:
        return NOTHING
    if value <= 0:
        return "∞" if reference > 0 else "1"
    ratio = reference / value
    return f"{ratio:,.0f}".replace(",", " ") if ratio >= 20 else f"{ratio:.1f}"


def _interval(ends: tuple[float, float]) -> str:
    return f"{100 * ends[0]:.1f}–{ends[1]:.1%}"


def _dataset(record: Figures) -> dict[str, Any]:
    return {
        "name": record["name"],
        "rows": record["n_samples"],
        "features": len(record["feature_names"]),
        "classes": len(record["classes"]),
        "class_names": list(record["classes"]),
        "sha256": record["sha256"],
        "source": record["source"].rstrip("."),
        "duplicate_rows": record["duplicate_rows"],
        "warnings": [re.sub(r"\.$", "", warning) for warning in record["warnings"]],
    }


def _features(quantiser: Figures, bits: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "name": feature["name"],
            "bits": f"{bits * (index + 1) - 1}:{bits * index}",
            "thresholds": "  ".join(f"{t:.5g}" for t in feature["thresholds"]) or "constant in training",
        }
        for index, feature in enumerate(quantiser["features"])
    ]
