"""What each ingredient gives: the same without it, at an equal number of evaluations.

    python -m benchmarks.ablation [DATA_SET ...] [--splits 3] [--first 0] [--evaluations 800000] [--moves 100000]
                                  [--processes 1] [--folder runs/ablation]

Every row takes one ingredient away, or puts another in its place, and spends what its counterpart spends:
evaluations of NSGA-II, proposals of annealing, moves of refinement. (A proposal that is refused for its area before
any row is evaluated counts like the others.)

The figure of merit: at 0, 1, 2, 3 and 4 points of validation accuracy below the exact baseline, the smallest mapped
area (quick effort) of the row's circuits over its counterpart's, as the geometric mean over the splits and the
levels that both reach. Above 1 the ingredient pays. In brackets are the smallest and the largest mean of a split,
then how many levels of all splits the row and its counterpart reach: what only one of them reaches is in no mean.
An area below that of the smallest cell counts as that. Counterparts have rows of their own with absolute figures.

The last columns have the geometric mean over the data sets, in brackets the smallest and the largest of them: on
the validation rows as before, and on the training rows that everything is optimised on, whose levels are those of
the exact baseline's training accuracy. The first includes how well circuits generalise, and the luck of small
validation parts; the second says which ingredient optimises better. Test rows are not used.

Refinement starts from the annealed networks and the trees that are smallest at each level of the training rows, and
from some forests; all its rows include their starts. Polarity is measured by the mean power on the validation rows
of the refined circuits that are smallest at each level of the training rows: before over after, at no more training
errors.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import NamedTuple

from benchmarks import ablation_split as rows
from benchmarks.ablation_split import PARTS, Level, Spend, Split
from benchmarks.tables import table
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.starts import KINDS

DATA_SETS = ("breast_cancer_diagnostic", "wine", "cardio", "balance")
ALL = "all, {}"


class Line(NamedTuple):
    """A line of the table: a row over its counterpart, or a counterpart alone in a unit."""

    ingredient: str
    row: str
    counterpart: str = ""
    unit: str = ""


LINES = (
    Line("–", rows.NSGA, unit="mm²"),
    Line("cost model", rows.FULL_ADDERS, rows.NSGA),
    Line("–", rows.ANNEALED, unit="mm²"),
    Line("annealing", rows.NSGA, rows.NARROW),
    Line("width", rows.NARROW, rows.ANNEALED),
    Line("mutations", rows.BITS, rows.ANNEALED),
    Line("mutations", rows.GENES, rows.ANNEALED),
    *(Line("starts", rows.ALONE.format(kind), rows.ANNEALED) for kind in KINDS),
    Line("–", rows.REFINED, unit="mm²"),
    Line("refinement", rows.UNREFINED, rows.REFINED),
    Line("refinement", rows.COLD, rows.REFINED),
    Line("refinement", rows.CLEAN, rows.REFINED),
    Line("refinement", rows.NO_SUBSTITUTES, rows.REFINED),
    Line("refinement", rows.FROM_NETWORKS, rows.REFINED),
    Line("refinement", rows.FROM_TREES, rows.REFINED),
    Line("refinement", rows.NO_FORESTS, rows.REFINED),
    Line("–", rows.PLAIN_POWER, unit="mW"),
    Line("polarity", rows.PLAIN_POWER, rows.SAME_AREA),
    Line("polarity", rows.PLAIN_POWER, rows.MORE_AREA),
)


@dataclass(frozen=True)
class Outcome:
    """What one split gave: every row's areas or powers by level, and the exact baseline's validation accuracy."""

    dataset: str
    seed: int
    exact: dict[str, float]
    levels: dict[str, dict[str, list[Level]]]
    seconds: float


def run_split(task: tuple[str, int, Spend]) -> Outcome:
    """Run everything on one split."""
    name, seed, spend = task
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrintedMLPWarning)
        split = Split(name, seed, spend)
        levels = split.rows()
    return Outcome(name, seed, split.exact, levels, time.perf_counter() - began)


@dataclass(frozen=True)
class Figure:
    """A line's figure for a data set: its mean, the smallest and largest part of it, and the levels reached."""

    mean: float
    low: float
    high: float
    reached: tuple[int, ...]
    """By the row and, where there is one, by its counterpart."""

    def __str__(self) -> str:
        return f"{self.mean:.3g} ({self.low:.3g} to {self.high:.3g}), {':'.join(map(str, self.reached))}"


Levels = dict[str, list[Level]]
"""What every row has at each level of a split."""


def figure(line: Line, splits: Sequence[Levels]) -> Figure | None:
    """The figure of merit over some splits; None where row and counterpart have no level in common."""
    parts = [list(values(line, levels)) for levels in splits]
    names = [line.row, line.counterpart] if line.counterpart else [line.row]
    reached = tuple(sum(v is not None for levels in splits for v in levels[name]) for name in names)
    return _summary(parts, [value for part in parts for value in part], reached)


def values(line: Line, levels: Levels) -> Iterator[float]:
    """The line's ratio, or the row's own figure, at every level of a split where there is one."""
    own = levels[line.row]
    others = levels[line.counterpart] if line.counterpart else [1.0] * len(own)
    for value, other in zip(own, others, strict=True):
        if value is not None and other is not None:
            yield value / other


def together(figures: Sequence[Figure | None]) -> Figure | None:
    """Several data sets' figures in one, each for as much."""
    known = [f for f in figures if f]
    reached = tuple(sum(counts) for counts in zip(*(f.reached for f in known), strict=True))
    return _summary([[f.mean] for f in known], [f.mean for f in known], reached)


def _summary(
    parts: Sequence[Sequence[float]], everything: Sequence[float], reached: tuple[int, ...]
) -> Figure | None:
    means = [geometric_mean(part) for part in parts if part]
    return Figure(geometric_mean(everything), min(means), max(means), reached) if means else None


def cells(line: Line, found: dict[str, list[Outcome]]) -> dict[str, Figure | None]:
    """A line's figures by data set, and over all of them."""
    by_part = {
        part: {name: figure(line, [o.levels[part] for o in outcomes]) for name, outcomes in found.items()}
        for part in PARTS
    }
    return by_part[PARTS[0]] | {ALL.format(part): together(list(by_part[part].values())) for part in PARTS}


def run_all(names: Sequence[str], seeds: Sequence[int], spend: Spend, processes: int) -> dict[str, list[Outcome]]:
    """Run all splits; a data set that is not at hand is left out and named."""
    tasks = {name: [(name, seed, spend) for seed in seeds] for name in names}
    found: dict[str, list[Outcome]] = {}
    with ProcessPoolExecutor(processes) as pool:
        jobs = {name: [pool.submit(run_split, task) for task in of_name] for name, of_name in tasks.items()}
        for name, futures in jobs.items():
            try:
                found[name] = [future.result() for future in futures]
            except DataError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
            seconds = sum(outcome.seconds for outcome in found[name])
            print(f"{name}: {len(seeds)} splits in {seconds:.0f} s", file=sys.stderr, flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it with all that it is made of as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATA_SETS, metavar="DATA_SET")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="seed of the first split")
    parser.add_argument("--evaluations", type=int, default=800_000, help="of every search")
    parser.add_argument("--moves", type=int, default=100_000, help="of every refinement at each of its levels")
    parser.add_argument("--processes", type=int, default=1, help="splits at a time")
    parser.add_argument("--folder", type=Path, default=Path("runs", "ablation"))
    given = parser.parse_args(arguments)
    seeds, spend = range(given.first, given.first + given.splits), Spend(given.evaluations, given.moves)
    found = run_all(given.datasets, seeds, spend, given.processes)
    figures = [(line, cells(line, found)) for line in LINES]
    head = ["ingredient", "row", "over", *found, *map(ALL.format, PARTS)]
    lines = [
        [line.ingredient, line.row, line.counterpart or line.unit, *(str(f or "–") for f in by_name.values())]
        for line, by_name in figures
    ]
    print(table(head, lines))
    record = {
        "spend": asdict(spend),
        "splits": [asdict(outcome) for outcomes in found.values() for outcome in outcomes],
        "lines": [
            {**line._asdict(), "figures": {name: f and asdict(f) for name, f in by_name.items()}}
            for line, by_name in figures
        ],
    }
    given.folder.mkdir(parents=True, exist_ok=True)
    given.folder.joinpath("ablation.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
