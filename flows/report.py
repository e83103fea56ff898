"""The page: report.html from the run's files, self-contained, opens from disk, same bytes for the same run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from flows.circuits import BASELINES
from flows.config import DesignConfig
from flows.plot import Mark, area_accuracy_svg
from printedmlp.power_sources import POWER_SOURCES, feasible_sources
from printedmlp.technology import Technology

TEMPLATES = Path(__file__).with_name("templates")
NOTHING = "–"
Figures = Mapping[str, Any]


def report_html(
    front: Figures, dataset: Figures, quantiser: Figures, config: DesignConfig, technology: Technology
) -> str:
    """Fill the page.

    Parameters
    ----------
    front : the run's front.json.
    dataset : the run's dataset.json.
    quantiser : the run's quantiser.json.
    config : the run's settings.
    technology : the cells, for its name, source and voltages.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    exact, points = front["exact"], front["front"]
    view = _View(technology, exact)
    return environment.get_template("report.html.j2").render(
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        dataset=_dataset(dataset),
        split={part: len(rows) for part, rows in dataset["split"].items()},
        settings=config,
        technology={
            "name": technology.name.upper(),
            "source": technology.source,
            "voltage": f"{technology.nominal_voltage:g}",
            "voltages": [f"{v:g}" for v in technology.voltages],
        },
        plot=Markup(
            area_accuracy_svg([_mark(p) for p in (front["textbook"], exact, *points)], exact["majority_accuracy"])
        ),
        majority=f"{exact['majority_accuracy']:.1%}",
        exact=view.point(exact),
        textbook=view.point(front["textbook"]),
        textbook_ratio=factor(front["textbook"]["area_cm2"], exact["area_cm2"]),
        points=[view.point(point) for point in points],
        reductions=[view.reduction(row, points) for row in front["reductions"]],
        sources=[{"name": s.name, "power": f"{s.power_mw:g} mW"} for s in POWER_SOURCES],
        quantiser=_features(quantiser, config.input_bits),
        extrapolated=any(p["delay_extrapolated"] for p in (exact, *points)),
        command=shlex.join(["python", "-m", "flows.design", "--config", "config.toml"]),
    )


class _View:
    """Turns figures into the words of the page, at one technology's voltages and against one baseline."""

    def __init__(self, technology: Technology, exact: Figures) -> None:
        self._voltages = [f"{v:g}" for v in technology.voltages]
        self._nominal = f"{technology.nominal_voltage:g}"
        self._exact = exact

    def power(self, point: Figures) -> float:
        """Power in mW at the nominal voltage."""
        return float(point["power_mw"][self._nominal])

    def point(self, point: Figures) -> dict[str, Any]:
        """One row of the table."""
        power = self.power(point)
        return {
            "id": point["id"],
            "topology": "-".join(map(str, point["topology"])),
            "n": point["n"],
            "test": f"{point['accuracy']:.1%}",
            "interval": f"{point['interval'][0]:.1%} to {point['interval'][1]:.1%}",
            "balanced": f"{point['balanced_accuracy']:.1%}",
            "classes_predicted": point["classes_predicted"],
            "validation": f"{point['validation_accuracy']:.1%}",
            "area": significant(point["area_cm2"]),
            "power": significant(power),
            "powers": [significant(point["power_mw"][v]) for v in self._voltages],
            "delay": significant(point["delay_ms"][self._nominal]),
            "rate": significant(point["max_rate_hz"]) if point["max_rate_hz"] else NOTHING,
            "cells": point["cells"],
            "cell_counts": ", ".join(f"{n} {cell}" for cell, n in point["cell_counts"].items()) or "none",
            "area_factor": factor(self._exact["area_cm2"], point["area_cm2"]),
            "power_factor": factor(self.power(self._exact), power),
            "carried": [source in feasible_sources(power) for source in POWER_SOURCES],
            "vectors": point["verification"]["vectors"]["total"],
            "mismatches": sum(point["verification"]["mismatches"].values()),
        }

    def reduction(self, row: Figures, points: Sequence[Figures]) -> dict[str, Any]:
        """One card: the smallest circuit within a loss of validation accuracy."""
        chosen = next((p for p in points if p["id"] == row["id"]), None)
        if chosen is None:
            return {"loss": row["loss"], "factor": None}
        shown = self.point(chosen)
        return {
            "loss": row["loss"],
            "factor": shown["area_factor"],
            "area": shown["area"],
            "power": shown["power"],
            "test": shown["test"],
        }


def significant(value: float) -> str:
    """Three significant digits, never in exponent form."""
    if value == 0:
        return "0"
    text = f"{value:.3g}"
    return f"{float(text):.6f}".rstrip("0").rstrip(".") if "e" in text else text


def factor(reference: float, value: float) -> str:
    """How many times smaller a value is than its reference."""
    if value <= 0:
        return "∞" if reference > 0 else "1"
    ratio = reference / value
    return f"{ratio:,.0f}".replace(",", " ") if ratio >= 20 else f"{ratio:.1f}"


def _mark(point: Figures) -> Mark:
    low, high = point["interval"]
    return Mark(
        point["id"],
        point["area_cm2"],
        point["accuracy"],
        low,
        high,
        point["validation_accuracy"],
        baseline=point["id"] if point["stage"] in BASELINES else None,
    )


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
