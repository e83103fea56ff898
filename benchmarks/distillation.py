"""Whether a float teacher helps the genetic trainers: test accuracy within an area, with and without, over splits.

    python -m benchmarks.distillation [--teacher KEY] [--splits N] [--first SEED] [DATA_SET ...]

Each split is run three times up to the search stage: on the training rows alone, with noisy copies of them that
keep their rows' classes, and with the same copies labelled by a teacher, so that what the copies do is told from
what the teacher does. The circuits of stages paper and search are mapped, and within an area the one that
answers most training and validation rows is quoted. The test rows decide nothing. Runs are kept and go on where
they stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.tables import read_json, shares, table
from flows.circuits import most_promising
from flows.config import DesignConfig, make_config
from flows.design import design
from flows.mapping import PAPER, QUICK, SEARCH, VERILOG, Entry, model_of
from flows.reference_teacher import OWN
from flows.run import json_text, write_text
from hdl.synthesis import map_verilog
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import read_vectors

NAMES = ("wine", "breast_cancer_diagnostic", "vertebral_2c")
AREAS = (0.01, 0.03, 0.1)
SPLITS = 5
NO_TEACHER = "none"
STAGES = (PAPER, SEARCH)
SHORT: dict[str, Any] = {"restarts": 2, "tree_generations": 0}
"""Less of the stages that are not compared; what is compared starts from the same in all runs of a split."""


@dataclass(frozen=True)
class Circuit:
    """A mapped circuit: what it is chosen by, and what the test rows say."""

    key: str
    stage: str
    merit: float
    area_cm2: float
    test_accuracy: float


@dataclass(frozen=True)
class Quote:
    """Test accuracies by split of the circuits chosen within an area; None where there is none so small."""

    accuracies: tuple[float | None, ...]

    @property
    def words(self) -> str:
        """Mean and deviation over the splits that have a circuit."""
        found = [value for value in self.accuracies if value is not None]
        missing = len(self.accuracies) - len(found)
        return shares(found) + (f", {missing} without" if missing and found else "")

    def gain(self, other: Quote) -> str:
        """Mean and deviation of what this has more than another, over the splits where both have a circuit."""
        pairs = zip(self.accuracies, other.accuracies, strict=True)
        return shares([a - b for a, b in pairs if a is not None and b is not None], sign="+")


def within(circuits: Sequence[Circuit], area_cm2: float) -> Circuit | None:
    """The circuit within an area that answers most training and validation rows."""
    able = [circuit for circuit in circuits if circuit.area_cm2 <= area_cm2]
    return min(able, key=lambda c: (-c.merit, c.area_cm2, c.key), default=None)


def run_one(config: DesignConfig, folder: Path, technology: Technology) -> list[Circuit]:
    """Run the flow up to the search stage, and map what the genetic trainers found."""
    design(config, folder, until=SEARCH, quiet=True)
    n_features = len(read_json(folder, "dataset.json")["feature_names"])
    test = read_vectors(folder / "vectors" / "test.csv", n_features * config.input_bits)
    circuits = []
    for entry in most_promising(partial(read_json, folder), STAGES, config.candidates):
        accuracy = float(np.mean(model_of(entry).predict(test.codes) == test.y))
        area = _area(folder, entry, technology)
        circuits.append(Circuit(entry["key"], entry["stage"], entry["merit"], area, accuracy))
    return circuits


def table_text(found: dict[tuple[str, int, str], list[Circuit]], teachers: Sequence[str]) -> str:
    """A row for every data set and area: each teacher's accuracy, and what it gains over the first."""
    rows = []
    for name in dict.fromkeys(key[0] for key in found):
        seeds = sorted({key[1] for key in found if key[0] == name})
        for area in AREAS:
            quotes = [Quote(tuple(_accuracy(found[name, s, t], area) for s in seeds)) for t in teachers]
            gains = [quote.gain(quotes[0]) for quote in quotes[1:]]
            rows.append([name, str(len(seeds)), f"{area:g}", *(quote.words for quote in quotes), *gains])
    head = ["data set", "splits", "cm²", *teachers, *(f"{t} - {teachers[0]}" for t in teachers[1:])]
    return table(head, rows)


def _accuracy(circuits: Sequence[Circuit], area_cm2: float) -> float | None:
    chosen = within(circuits, area_cm2)
    return None if chosen is None else chosen.test_accuracy


def _area(folder: Path, entry: Entry, technology: Technology) -> float:
    """Area in cm2 of a classifier's circuit, mapped once and proved equal to its Verilog."""
    place = folder / "areas" / f"{entry['key']}.json"
    if not place.is_file():
        with TemporaryDirectory(prefix="printedmlp-") as work:
            rtl = VERILOG[entry["stage"]](model_of(entry))
            mapped = map_verilog(rtl, technology, effort=QUICK, work_dir=Path(work))
        write_text(place, json_text(mapped.netlist.area_cm2(technology)))
    return float(json.loads(place.read_text(encoding="utf-8")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not done, split by split, and print the table after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distillation", description=__doc__)
    parser.add_argument("datasets", nargs="*", metavar="DATA_SET", help=f"default: {', '.join(NAMES)}")
    parser.add_argument("--teacher", default="mlp", metavar="KEY", help="the teacher (mlp)")
    parser.add_argument("--splits", type=int, default=SPLITS, metavar="N", help=f"splits of every table ({SPLITS})")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first split (0)")
    parser.add_argument("--budget", default="quick", help="budget of each run (quick)")
    parser.add_argument("--folder", type=Path, default=Path("runs", "distillation"), help="where the runs are kept")
    given = parser.parse_args(arguments)
    technology, found = load_technology("egfet"), {}
    teachers = tuple(dict.fromkeys((NO_TEACHER, OWN, given.teacher)))
    for seed in range(given.first, given.first + given.splits):
        for name in given.datasets or NAMES:
            for teacher in teachers:
                wanted = {"dataset": name, "seed": seed, "budget": given.budget, **SHORT}
                wanted |= {} if teacher == NO_TEACHER else {"teacher": teacher}
                folder = given.folder / f"{name}-s{seed}-{teacher}"
                found[name, seed, teacher] = run_one(make_config(None, wanted), folder, technology)
                print(f"{name} split {seed} {teacher}: done", file=sys.stderr, flush=True)
        print(f"\n{table_text(found, teachers)}", flush=True)


if __name__ == "__main__":
    main()
