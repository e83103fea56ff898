"""One row of a comparison, wherever its circuit comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flows.chosen_by import CLASSIFIER, SYSTEM, system_area

ADDERS, FOREIGN, PUBLISHED = "adders", "verilog", "published"
OTHERS = (ADDERS, FOREIGN, PUBLISHED)
"""Series that are no stage of a run."""
KEPT = (
    *("accuracy", "n", "interval", "balanced_accuracy", "macro_f1", "majority_accuracy", "classes_predicted"),
    *("area_cm2", "cells", "power_mw", "delay_ms", "max_rate_hz", "system"),
)


@dataclass(frozen=True)
class Row:
    """One circuit of the comparison; figures that are not known are None.

    Attributes
    ----------
    data_set, run, split, seed : where it was measured; run, split and seed are None for figures of others.
    series : a stage, or one of `OTHERS`.
    variant : settings that tell its run from others of the data set.
    id : its name in the table.
    form : what the classifier is.
    stage : where it comes from, which of a series of several stages is one.
    validation, merit : what it was chosen by, None where nothing was chosen.
    on_front : whether it is of its stage's front as it is drawn, not only beside it.
    levels : losses of validation score at which it is its series' smallest; -1 for the best score.
    figures : see `KEPT`.
    proof : "verdict" and "words".
    source : the file it was read from, or the library that made it.
    folder : of its design, None without one.
    sha256 : of its netlist as Verilog without a header.
    chosen_by : which area decided in its run, see `flows.chosen_by`.
    beside : of an adder graph "area_cm2" of the circuit with the same weights, its "id", and "adders".
    """

    data_set: str
    series: str
    id: str
    figures: Mapping[str, Any]
    source: str
    run: str | None = None
    split: str | None = None
    seed: int | None = None
    variant: str = ""
    form: str = ""
    stage: str = ""
    validation: float | None = None
    merit: float | None = None
    levels: tuple[float, ...] = ()
    proof: Mapping[str, str] | None = None
    folder: str | None = None
    sha256: str | None = None
    beside: Mapping[str, Any] | None = None
    chosen_by: str = CLASSIFIER

    @property
    def area_cm2(self) -> float:
        """Cell area."""
        return float(self.figures["area_cm2"])

    def area_by(self, decisive: str) -> float | None:
        """Cell area, or with the sensors' front end, None where that is not known."""
        return system_area(self.figures["system"]) if decisive == SYSTEM else self.area_cm2

    @property
    def deciding_cm2(self) -> float:
        """The area that decided in its run; the cell area where that is not known."""
        return self.area_by(self.chosen_by) or self.area_cm2

    @property
    def accuracy(self) -> float:
        """Share of test rows answered right."""
        return float(self.figures["accuracy"])

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {**asdict(self), "levels": list(self.levels)}
