"""What a sweep found: a row a run as CSV and JSON, and means with their spread over the splits of each setting.

The files are written anew each time, whole or not at all, with the rows in the order of the sweep file, so that
figures depend on neither the order in which runs end nor the number of workers. Where the flow went on to measure
circuits on the test rows, these are told; nothing is chosen by them.
"""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.circuits import by_merit
from flows.mapping import BASELINES, EXACT, Entry, area_of, power_of_choice
from flows.run import MANIFEST, json_text, write_text
from flows.sweep_plan import PlannedRun, each_once
from flows.wording import significant
from printedmlp.front import LOSSES, FrontPoint

FORMAT = "printedmlp.sweep"
CSV, JSON = "sweep.csv", "sweep.json"
OPEN, DONE, FAILED = "open", "done", "failed"
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Circuit:
    """A circuit of a run: what it is chosen by, and test figures where they were measured."""

    score: float
    merit: float
    area_cm2: float
    power_mw: float | None
    test: float | None


@dataclass
class Result:
    """One run of the sweep and how far it is.

    Attributes
    ----------
    run : as it was planned.
    status : "open", "done" or "failed".
    tries : workers that were given it; 0 for one that was kept from an earlier sweep.
    error : one line where it failed.
    figures : of its circuits by name; empty where it did not get so far.
    """

    run: PlannedRun
    status: str = OPEN
    tries: int = 0
    error: str | None = None
    seconds: float | None = None
    figures: Figures | None = None

    def finish(self, folder: Path, tries: int, until: str) -> None:
        """Take the figures of a run that is done from its folder."""
        self.status, self.tries, self.error = DONE, tries, None
        stages = _read(folder / MANIFEST)["stages"]
        self.seconds = round(sum(stage["seconds"] for stage in stages.values()), 2)
        self.figures = figures(folder, until)

    def fail(self, tries: int, error: str) -> None:
        """Note why a run has failed."""
        self.status, self.tries, self.error = FAILED, tries, error

    def row(self) -> dict[str, Any]:
        """A flat JSON-ready dictionary, the same keys for every run of a sweep."""
        return {
            "run": self.run.name,
            **self.run.axes,
            "seed": self.run.config.seed,
            "status": self.status,
            "tries": self.tries,
            "seconds": self.seconds,
            **{name: (self.figures or {}).get(name) for name in FIGURES},
            "error": self.error,
        }


PARTS = ("validation", "test", "area_cm2", "power_mw")
WHICH = ("exact", "best", *(f"loss{loss}" for loss in LOSSES))
FIGURES = tuple(f"{which}_{part}" for which in WHICH for part in PARTS)
"""Of the exact baseline, the circuit of most merit, and the smallest at each loss of validation score."""


def figures(folder: Path, until: str) -> Figures | None:
    """Figures of a finished run by the names of `FIGURES`; None where no circuit was mapped yet.

    `until` is the last stage that the sweep asked for: what later ones may have left there is not looked at.
    """
    if until in ("front", "report"):
        exact, circuits = _measured(_read(folder / "front.json"))
    elif until in ("synthesis", "refine", "designs"):
        exact, circuits = _mapped(folder, refined=until != "synthesis")
    else:
        return None
    best = min(circuits, key=lambda c: (-c.merit, c.area_cm2), default=None)
    chosen = [exact, best, *(_smallest(circuits, exact.score - loss / 100) for loss in LOSSES)]
    values = [[c.score, c.test, c.area_cm2, c.power_mw] if c else [None] * len(PARTS) for c in chosen]
    return dict(zip(FIGURES, (value for each in values for value in each), strict=True))


def _smallest(circuits: Sequence[Circuit], least: float) -> Circuit | None:
    able = [c for c in circuits if c.score >= least - 1e-9]
    return min(able, key=lambda c: (c.area_cm2, -c.score), default=None)


def _measured(front: Mapping[str, Any]) -> tuple[Circuit, list[Circuit]]:
    exact, *points = (FrontPoint.from_json(record) for record in (front["exact"], *front["front"]))
    return _circuit(exact), [_circuit(point) for point in points]


def _circuit(point: FrontPoint) -> Circuit:
    return Circuit(point.score, point.merit, point.chosen_area_cm2, point.choice_power_mw, point.test_score)


def _mapped(folder: Path, *, refined: bool) -> tuple[Circuit, list[Circuit]]:
    entries = _read(folder / "search" / "candidates.json")
    exact = next(entry for entry in entries if entry["stage"] == EXACT)
    found = [entry for entry in entries if entry["stage"] not in BASELINES]
    if refined:
        found += _read(folder / "search" / "refine.json")["found"]
    n_validation = len(_read(folder / "dataset.json")["split"]["validation"])
    return _of_entry(exact), [_of_entry(entry) for entry in by_merit(found, n_validation)]


def _of_entry(entry: Entry) -> Circuit:
    return Circuit(entry["score"], entry["merit"], area_of(entry), power_of_choice(entry), None)


def write_results(folder: Path, results: Sequence[Result], until: str) -> None:
    """Write both files; a reader sees the old or the new ones, never half of one."""
    rows = [result.row() for result in results]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / CSV, text.getvalue())
    write_text(folder / JSON, json_text(results_document(results, until)))


def results_document(results: Sequence[Result], until: str) -> dict[str, Any]:
    """All runs and what came of every setting, as a JSON-ready dictionary."""
    rows = [result.row() for result in results]
    return {"format": FORMAT, "until": until, "runs": rows, "summary": summary(results)}


def summary(results: Sequence[Result]) -> list[dict[str, Any]]:
    """For each setting, over its splits: runs done, failed and open, and of every figure mean and spread."""
    by_run = {result.run.name: result for result in results}
    groups = each_once([result.run for result in results], key=lambda run: tuple(run.axes.items()))
    return [_of_setting([by_run[run.name] for run in group]) for group in groups]


def _of_setting(results: Sequence[Result]) -> dict[str, Any]:
    count = {status: sum(r.status == status for r in results) for status in (DONE, FAILED, OPEN)}
    values = {name: [v for r in results if r.figures and (v := r.figures[name]) is not None] for name in FIGURES}
    return {
        "setting": dict(results[0].run.axes),
        **count,
        "figures": {k: _spread(v) for k, v in values.items() if v},
    }


def _spread(values: Sequence[float]) -> dict[str, float | int | None]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "n": len(values),
        "mean": statistics.fmean(values),
        "sd": deviation,
        "min": min(values),
        "max": max(values),
    }


def table_head(results: Sequence[Result]) -> list[str]:
    """Column titles of `table_rows`."""
    return [*results[0].run.axes, "splits", "exact", "best", *(f"at {loss} %" for loss in LOSSES)]


def table_rows(results: Sequence[Result]) -> list[list[str]]:
    """A line for each setting: splits done; of the exact baseline, of the circuit of most merit and of the smallest
    within each loss the mean score ± its standard deviation, and the mean area in cm2.
    """
    return [
        [
            *setting["setting"].values(),
            f"{setting[DONE]} of {sum(setting[status] for status in (DONE, FAILED, OPEN))}",
            *(_cell(setting["figures"], which) for which in WHICH),
        ]
        for setting in summary(results)
    ]


def _cell(values: Mapping[str, Mapping[str, Any]], which: str) -> str:
    """The test score, or that of validation where nothing was measured on test rows, and the area."""
    score = values.get(f"{which}_test") or values.get(f"{which}_validation")
    if score is None:
        return "–"
    deviation = f" ±{100 * score['sd']:.1f}" if score["sd"] is not None else ""
    return f"{100 * score['mean']:.1f}{deviation} %, {significant(values[f'{which}_area_cm2']['mean'])}"


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
