"""The page: report.html from the run's files, self-contained, opens from disk, same bytes for the same run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from flows.chosen_by import CLASSIFIER, SYSTEM, chosen_by, system_area
from flows.config import THERMOMETER, DesignConfig
from flows.explained import explained
from flows.explorer import Explorer, Plot, plots_of, render
from flows.plot import NAMED, SHAPES, key_svg
from flows.plot_axes import Mark, ordered_axes
from flows.proofs import proof_count
from flows.report_choice import Choices
from flows.report_panels import Panels
from flows.report_rows import View
from flows.wording import METRIC_NAMES, STAGE_WORDS, factor
from printedmlp.choice import TRUST
from printedmlp.front import FrontPoint, Level, stage_fronts, stages_side_by_side
from printedmlp.objective import BALANCED
from printedmlp.power_sources import POWER_SOURCES
from printedmlp.technology import Technology

Figures = Mapping[str, Any]
LEGEND = {"textbook": "exact, textbook form", "exact": "exact, smallest form"}


def report_html(
    front: Figures,
    dataset: Figures,
    quantiser: Figures,
    config: DesignConfig,
    technology: Technology,
    ceiling: str | None = None,
    pictures: Figures | None = None,
    defects: Figures | None = None,
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
    defects : of the circuits by id, from `flows.report_defects`; likewise.
    """
    exact, points, others = front["exact"], front["front"], front.get("others", [])
    view = View(technology, exact, thermometer=config.inputs == THERMOMETER, device_yield=config.fault_tolerance)
    circuits = [FrontPoint.from_json(record) for record in (*points, *others)]
    stages = [stage for stage in SHAPES if stage in {c.stage for c in circuits}]
    keys = {stage: Markup(key_svg(stage, filled=stage != "textbook")) for stage in (*NAMED, *stages)}
    levels = stages_side_by_side(circuits, view.exact)
    return render(
        "report.html.j2",
        [explorer := _explorer(view, front, levels, quantiser, pictures or {}, defects or {}, keys)],
        explorer=explorer,
        dataset=_dataset(dataset),
        split={part: len(rows) for part, rows in dataset["split"].items()},
        settings=config,
        metric=METRIC_NAMES[view.metric],
        choice=_choice_words(config),
        trust=TRUST,
        technology=_technology(technology, view, exact),
        keys=keys,
        hollow=Markup(key_svg("search", filled=False)),
        majority=f"{view.majority:.1%}",
        exact=view.row(exact),
        textbook=view.row(front["textbook"]),
        textbook_ratio=factor(front["textbook"]["area_cm2"], exact["area_cm2"]),
        points=[view.row(point) for point in points],
        others=[view.row(point) for point in others],
        reductions=view.cards(front["reductions"], points),
        ceiling=ceiling,
        pictures=bool(pictures),
        levels=[view.level(level) for level in levels],
        stage_words={stage: STAGE_WORDS[stage] for stage in stages if stage in STAGE_WORDS},
        use=config.use,
        thermometer=view.thermometer,
        sources=[{"name": s.name, "power": f"{s.power_mw:g} mW"} for s in POWER_SOURCES],
        quantiser=_features(quantiser, config.input_bits),
        proofs=proof_count([front["textbook"], exact, *points, *others]),
        extrapolated=any(p["delay_extrapolated"] for p in (exact, *points)),
        explained=explained(
            power=view.has_power,
            delay=not technology.without_delay,
            sensors=view.exact.system is not None,
            pictures=bool(pictures),
            prints=view.device_yield is not None,
            working=bool(defects),
        ),
        device_yield=None if view.device_yield is None else f"{view.device_yield:g}",
        command=shlex.join(["python", "-m", "flows.design", "--config", "config.toml"]),
    )


def _technology(technology: Technology, view: View, exact: Figures) -> dict[str, Any]:
    """What the page says of the cells."""
    power: Figures = exact.get("power") or {}
    return {
        "name": technology.name.upper(),
        "has_power": view.has_power,
        "has_front_end": view.exact.system is not None,
        "has_switching": bool(power) and power["total_mw"][view.nominal] is not None,
        "has_delay": not technology.without_delay,
        "mean_power": ", ".join(technology.with_mean_power),
        "source": technology.source,
        "voltage": view.nominal,
        "beside": view.beside,
        "ends": view.ends,
    }


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


def _explorer(
    view: View,
    front: Figures,
    levels: Sequence[Level],
    quantiser: Figures,
    pictures: Figures,
    defects: Figures,
    keys: Mapping[str, Markup],
) -> Explorer:
    """Plots and panels of all circuits; the first shown is the smallest that loses next to nothing."""
    decisive = chosen_by(front)
    records = [front["textbook"], front["exact"], *front["front"], *front.get("others", [])]
    size = {CLASSIFIER: "cell area", SYSTEM: "area with comparators"}[decisive]
    counted = {"has_power": view.has_power, "prints": view.device_yield is not None}
    choices = Choices(front["front"], front["reductions"], levels, size=size, **counted)
    panels = Panels(view, choices, quantiser, pictures, defects)
    first = next((row["id"] for row in front["reductions"] if row["id"]), None)
    return Explorer(
        name="",
        plots=_plots(view, records, {point["id"] for point in front["front"]}, decisive),
        keys=keys,
        names={stage: LEGEND.get(stage, stage) for stage in keys},
        panels=[panels.of(record) for record in records],
        first=first or front["exact"]["id"],
        runs={},
    )


def _plots(view: View, records: Sequence[Figures], on_front: Collection[str], decisive: str) -> list[Plot]:
    """Score along every figure that is known, what decided first."""
    circuits = [FrontPoint.from_json(record) for record in records]
    marks = marks_of(circuits, on_front, view.nominal, decisive)
    axes = ordered_axes(view.nominal, decisive, view.device_yield)
    return plots_of(marks, axes, metric=METRIC_NAMES[view.metric], majority=view.majority)


def marks_of(circuits: Sequence[FrontPoint], on_front: Collection[str], voltage: str, decisive: str) -> list[Mark]:
    """The marks of a run's circuits; `decisive` is which area their stages' lines are by."""
    found = [p for p in circuits if p.stage not in NAMED]
    sized = [replace(p, area_cm2=p.chosen_area_cm2) for p in found] if decisive == SYSTEM else found
    on_stage_front = {p.id for own in stage_fronts(sized).values() for p in own}
    return [
        Mark(
            p.id,
            p.stage,
            p.area_cm2,
            p.power_at(voltage),
            p.test_score,
            p.score,
            p.test.interval if p.metric == "accuracy" else None,
            on_front=p.stage in NAMED or p.id in on_front,
            on_stage_front=p.id in on_stage_front,
            delay_ms=p.delay_ms[voltage],
            system_cm2=system_area(p.system),
            printed_merit=p.printed_merit,
            target=p.id,
        )
        for p in circuits
    ]


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
