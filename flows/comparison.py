"""The result of a comparison: all rows, what they were measured with, and the levels that its views show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.chosen_by import CLASSIFIER
from flows.compared_levels import LevelMean, level_means
from flows.compared_row import ADDERS, FOREIGN, PUBLISHED, Row
from flows.compared_runs import ComparedRun
from flows.plot import OUTLINES
from printedmlp.front import FRONT_ENDS
from printedmlp.technology import Technology

FORMAT = "printedmlp.comparison"
PAGE, PICTURE, TABLE, SHEET = "compare.html", "compare.svg", "compare.json", "compare.csv"
SERIES_NAMES = {
    "textbook": "exact, textbook form",
    "exact": "exact, smallest form",
    "ours": "ours (search and refine)",
    ADDERS: "adder graph",
    FOREIGN: "given Verilog",
    PUBLISHED: "published, as reported",
}


SHORT_NAMES = {ADDERS: "adder graph", FOREIGN: "given"}


@dataclass(frozen=True)
class Comparison:
    """Everything that the table, the page and the data show.

    Attributes
    ----------
    technology : of all rows.
    runs : where they come from, JSON-ready.
    rows : in the order of data sets, series, variants, runs and areas.
    levels : mean and spread by data set and level.
    library : version of the adder graphs' library, None where none were made.
    stages : that were asked for.
    """

    technology: Technology
    runs: tuple[Mapping[str, Any], ...]
    rows: tuple[Row, ...]
    levels: tuple[LevelMean, ...]
    library: str | None
    stages: tuple[str, ...]

    @classmethod
    def of(
        cls,
        runs: Sequence[ComparedRun],
        rows: Sequence[Row],
        words: Mapping[Path, str],
        library: str | None,
        stages: Sequence[str],
    ) -> Comparison:
        """Put the rows in order, and add what follows from them."""
        sets = list(dict.fromkeys(run.name for run in runs))
        places = {str(run.folder): number for number, run in enumerate(runs)}

        def order(row: Row) -> tuple[Any, ...]:
            place = places.get(row.run or "", len(places))
            return (
                sets.index(row.data_set),
                list(OUTLINES).index(row.series),
                row.variant,
                place,
                row.deciding_cm2,
                row.id,
            )

        ordered = tuple(sorted(rows, key=order))
        technology = runs[0].technology
        told = tuple(_run_record(run, words[run.folder]) for run in runs)
        levels = level_means(ordered, f"{technology.nominal_voltage:g}", _decisive(told))
        return cls(technology, told, ordered, tuple(levels), library, tuple(stages))

    @property
    def chosen_by(self) -> str:
        """Which area decided in all runs; the classifier's where they differ, which all have."""
        return _decisive(self.runs)

    @property
    def data_sets(self) -> list[str]:
        """Names, in the order of the runs."""
        return list(dict.fromkeys(run["data_set"] for run in self.runs))

    @cached_property
    def keys(self) -> dict[int, str]:
        """By place in `rows` a key that is unique, the number of the run and the name, safe in an address."""
        found: dict[int, str] = {}
        for number, row in enumerate(self.rows):
            name = re.sub(r"[^a-z0-9]+", "-", row.id.lower()).strip("-") or "circuit"
            key = f"r{self.place_of(row) or 0}-{name}"
            # A circuit of two series has two rows, and names of strangers may be alike.
            found[number] = key if key not in found.values() else f"row{number}"
        return found

    def place_of(self, row: Row) -> int | None:
        """Number of a row's run, from 1; None for a row of none."""
        folders = [run["folder"] for run in self.runs]
        return folders.index(row.run) + 1 if row.run in folders else None

    @property
    def nominal(self) -> str:
        """The nominal voltage as JSON writes it."""
        return f"{self.technology.nominal_voltage:g}"

    @property
    def ends(self) -> list[str]:
        """The nominal and the lowest voltage."""
        return list(dict.fromkeys([self.nominal, f"{min(self.technology.voltages):g}"]))

    @property
    def front_ends(self) -> list[str]:
        """Kinds of sensor front end that some circuit has figures with."""
        known = [row.figures["system"] or {} for row in self.rows]
        return [kind for kind in FRONT_ENDS if any(system.get(kind) for system in known)]

    def of_data_set(self, name: str) -> list[Row]:
        """The rows of a data set."""
        return [row for _, row in self.keyed(name)]

    def keyed(self, name: str) -> list[tuple[str, Row]]:
        """The rows of a data set with their keys."""
        return [(self.keys[number], row) for number, row in enumerate(self.rows) if row.data_set == name]

    def runs_of(self, name: str) -> list[Mapping[str, Any]]:
        """The runs of a data set."""
        return [run for run in self.runs if run["data_set"] == name]

    def n_splits(self, name: str) -> int:
        """How many different splits of a data set are compared."""
        return len({run["split"] for run in self.runs_of(name)})

    def levels_of(self, name: str) -> list[LevelMean]:
        """The levels of a data set."""
        return [level for level in self.levels if level.data_set == name]

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {
            "format": FORMAT,
            "technology": self.technology.name,
            "voltages": [f"{voltage:g}" for voltage in self.technology.voltages],
            "nominal_voltage": self.nominal,
            "adder_graph_library": self.library,
            "stages": list(self.stages),
            "runs": [dict(run) for run in self.runs],
            "rows": [row.to_json() for row in self.rows],
            "levels": [level.to_json() for level in self.levels],
        }


def _decisive(runs: Sequence[Mapping[str, Any]]) -> str:
    found = {run["chosen_by"] for run in runs}
    return found.pop() if len(found) == 1 else CLASSIFIER


def series_name(series: str) -> str:
    """What a person calls a series."""
    return SERIES_NAMES.get(series, series)


def short_name(series: str) -> str:
    """The same in a table."""
    return SHORT_NAMES.get(series, series)


def _run_record(run: ComparedRun, variant: str) -> dict[str, Any]:
    record = run.dataset
    return {
        "folder": str(run.folder),
        "data_set": run.name,
        "data_set_sha256": record["sha256"],
        "seed": run.config.seed,
        "split": run.split,
        "rows": {part: len(rows) for part, rows in record["split"].items()},
        "variant": variant,
        "metric": run.config.metric,
        "budget": run.config.budget,
        "effort": run.config.effort,
        "input_bits": run.config.input_bits,
        "chosen_by": run.chosen_by,
        "exact_score": run.exact_score,
    }
