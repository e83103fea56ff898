"""Stages side by side over several splits: mean and spread of each series' circuit at every level of loss."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.chosen_by import CLASSIFIER
from flows.compared_row import OTHERS, Row
from printedmlp.front import LOSSES

BEST = -1.0
"""Stands among losses for the best validation score."""
LEVELS = (BEST, *map(float, LOSSES))


@dataclass(frozen=True)
class Spread:
    """Mean of a figure over the splits, and its standard deviation, None for one split; None without figures."""

    mean: float | None
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Spread:
        """Of the values; unknown if one of them is."""
        known = [value for value in values if value is not None]
        if not known or len(known) < len(values):
            return cls(None, None)
        return cls(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {"mean": self.mean, "deviation": self.deviation}


@dataclass(frozen=True)
class LevelMean:
    """A series at a level: figures of its smallest circuit within the loss, over the splits that have one.

    Attributes
    ----------
    loss : percentage points of validation score below the exact baseline; BEST for the series' best score.
    n, n_splits : splits with such a circuit, and all of them.
    area : the one that decided in all runs.
    power : at the nominal voltage.
    """

    data_set: str
    series: str
    variant: str
    loss: float
    n: int
    n_splits: int
    accuracy: Spread
    balanced: Spread
    area: Spread
    power: Spread

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        plain = {key: getattr(self, key) for key in ("data_set", "series", "variant", "loss", "n", "n_splits")}
        return {**plain, **{key: getattr(self, key).to_json() for key in ("accuracy", "balanced", "area", "power")}}


def level_means(rows: Sequence[Row], voltage: str, decisive: str = CLASSIFIER) -> list[LevelMean]:
    """Of every data set, variant and series a record for each level that some split has a circuit for.

    Parameters
    ----------
    voltage : that power is told at, as JSON writes it.
    decisive : which area is told, see `flows.chosen_by`.
    """
    found = []
    staged = [row for row in rows if row.series not in OTHERS]
    for data_set, variant in dict.fromkeys((row.data_set, row.variant) for row in staged):
        own = [row for row in staged if (row.data_set, row.variant) == (data_set, variant)]
        n_splits = len({row.split for row in own})
        for loss in LEVELS:
            for series in dict.fromkeys(row.series for row in own):
                at_level = [row for row in own if row.series == series and loss in row.levels]
                if at_level:
                    found.append(_mean(at_level, loss, n_splits, voltage, decisive))
    return found


def _mean(rows: Sequence[Row], loss: float, n_splits: int, voltage: str, decisive: str) -> LevelMean:
    def figure(key: str) -> Spread:
        return Spread.of([row.figures[key] for row in rows])

    power = Spread.of([row.figures["power_mw"][voltage] for row in rows])
    one = rows[0]
    return LevelMean(
        *(one.data_set, one.series, one.variant, loss, len(rows), n_splits),
        accuracy=figure("accuracy"),
        balanced=figure("balanced_accuracy"),
        area=Spread.of([row.area_by(decisive) for row in rows]),
        power=power,
    )
