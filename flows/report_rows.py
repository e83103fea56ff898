"""The tables of the page: a row for each circuit, the stages at each level, and the cards, all in words."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from flows.compare_text import percent
from flows.feasible import carried_cells
from flows.front_ends import system_cells
from flows.wording import factor, interval_words, listed, power_words, significant
from printedmlp.front import FrontPoint, Level
from printedmlp.technology import Technology

Figures = Mapping[str, Any]


class View:
    """Turns figures into the words of the page, at one technology's voltages and against one baseline.

    Parameters
    ----------
    technology : the circuits' cells.
    exact : record of the exact baseline.
    thermometer : whether the run was for circuits on comparators' outputs.
    device_yield : at which the merit of prints was an axis of the front; None where it was not.
    """

    def __init__(
        self, technology: Technology, exact: Figures, *, thermometer: bool, device_yield: float | None = None
    ) -> None:
        self.thermometer, self.device_yield = thermometer, device_yield
        self.voltages = [f"{v:g}" for v in technology.voltages]
        self.nominal = f"{technology.nominal_voltage:g}"
        self.beside = [voltage for voltage in self.voltages if voltage != self.nominal]
        # The least power a circuit can be run with is at the lowest voltage.
        self.ends = list(dict.fromkeys([self.nominal, f"{min(technology.voltages):g}"]))
        self.exact = FrontPoint.from_json(exact)
        self.has_power = self.exact.power_at(self.nominal) is not None
        self.metric = self.exact.metric
        self.majority = self.exact.test.majority_value(self.metric)

    def row(self, point: Figures) -> dict[str, Any]:
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
            "interval": interval_words(test.interval),
            "balanced": f"{test.balanced_accuracy:.1%}",
            "macro_f1": f"{test.macro_f1:.1%}",
            "classes_predicted": test.classes_predicted,
            "validation": f"{circuit.score:.1%}",
            "prints": percent(circuit.printed_merit),
            "area": significant(circuit.area_cm2),
            "power": significant(power),
            "power_text": power_words(power),
            "other_powers": [significant(circuit.power_mw[v]) for v in self.beside],
            "delay": significant(circuit.delay_ms[self.nominal]),
            "cells": circuit.cells,
            "area_factor": factor(self.exact.area_cm2, circuit.area_cm2),
            "power_factor": factor(self.exact.power_at(self.nominal), power),
            **carried_cells(point.get("feasibility"), micro="µ"),
            "sensors": system_cells(point, self.thermometer),
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
            "interval": interval_words(point.test.interval),
            "area": significant(point.area_cm2),
            "powers": [significant(point.power_mw[v]) for v in self.ends],
        }

    def cards(self, rows: Sequence[Figures], points: Sequence[Figures]) -> list[dict[str, Any]]:
        """The smallest circuit within each loss of validation accuracy; losses with the same one share a card."""
        groups = itertools.groupby(rows, key=lambda row: row["id"])
        return [self._card(name, [row["loss"] for row in own], points) for name, own in groups]

    def _card(self, name: str | None, losses: Sequence[float], points: Sequence[Figures]) -> dict[str, Any]:
        told = listed([f"{loss:g}" for loss in losses])
        chosen = next((p for p in points if p["id"] == name), None)
        if chosen is None:
            return {"losses": told, "factor": None}
        shown = self.row(chosen)
        return {
            "losses": told,
            "id": shown["id"],
            "factor": shown["area_factor"],
            "area": shown["area"],
            "power_text": shown["power_text"],
            "test": shown["test"],
        }
