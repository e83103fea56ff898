"""Every stage beside the published circuits: test accuracy within an area, and area at a loss, over many splits.

    python -m benchmarks.published [--splits N] [--folder runs/published] [DATA_SET ...]

Each split is one run of the design flow up to refinement. Whatever is quoted was chosen by area and, as the
flow's front is, by the merit that training and validation rows give it; the test rows decide nothing. Every
netlist is proved equal to its Verilog by the flow, and here once more run on all rows of the table against the
classifier that is quoted. Runs are kept and go on where they were stopped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import read_json, shares, spread, table
from flows.circuits import by_merit
from flows.config import make_config
from flows.design import design
from flows.mapping import BASELINES, EXACT, PAPER, REFINE, SEARCH, TREE, model_of
from hdl.power import static_power_mw
from hdl.structural import read_netlist
from printedmlp.circuit import Netlist, classes, input_bits_of, simulate
from printedmlp.cores import available_cores
from printedmlp.dataset import Dataset, load_dataset
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import Vectors, read_vectors

Entry = dict[str, Any]
ANY = "any"
STAGES = (PAPER, TREE, SEARCH, REFINE)
VOLTAGES = (1.0, 0.6)
LOSSES = (0, 1, 2)
"""Losses of validation accuracy against the exact baseline, in percentage points."""
SPLITS = 10
SLOW = {"pendigits": 3}
"""Splits unless another number is asked for; fewer where one takes minutes."""


@dataclass(frozen=True)
class Target:
    """A test accuracy wanted within an area in cm2, perhaps a power in mW at 1 V, and what is published nearby."""

    accuracy: float
    area_cm2: float
    published: str
    power_mw: float | None = None


TARGETS: dict[str, tuple[Target, ...]] = {
    "breast_cancer": (Target(0.96, 0.010, "tree 96.6 % 0.056 / 0.258", 0.03),),
    "redwine": (Target(0.57, 0.010, "tree 55.8 % 0.403 / 1.81"),),
    "whitewine": (Target(0.525, 0.08, "ternary 52.5 % 0.297 / 0.30 at 0.6 V"),),
    "cardio": (
        Target(0.90, 0.10, "tree 90.9 % 0.378 / 1.79", 0.2),
        Target(0.925, 0.30, "tree 92.5 % 0.435 / 2.05"),
    ),
    "pendigits": (
        Target(0.92, 1.2, "tree 92.2 % 2.13 / 9.36"),
        Target(0.94, 1.8, "tree 94.1 % 2.64 / 11.6"),
        Target(0.96, 3.0, "tree 96.4 % 3.95 / 17.2"),
    ),
    "balance": (Target(0.936, 0.15, "MLP 93.6 % 0.253 / 0.85"),),
    "seeds": (Target(0.92, 0.015, "tree 93.7 % 0.023 / 0.092"),),
    "vertebral_3c": (Target(0.83, 0.05, "tree 86.0 % 0.078 / 0.382"),),
    "mammographic": (Target(0.815, 0.02, "tree 80.7 % 0.081 / 0.376"),),
}
"""What is published: accuracy, area in cm2 / power in mW. Trees: ISQED 2022, chosen on their own test rows; ternary
network: arXiv 2508.19660; MLP: ESL 2024, arXiv 2411.08674, its Verilog measured by this flow."""


@dataclass(frozen=True)
class Quoted:
    """A chosen circuit on one split: what chose it, and what the test rows say."""

    accuracy: float
    balanced_accuracy: float
    area_cm2: float
    power_mw: tuple[float, ...]


@dataclass
class SplitRun:
    """One finished run with its candidates, measured on the test rows when they are quoted."""

    folder: Path
    technology: Technology
    input_bits: int = 4

    def __post_init__(self) -> None:
        chosen = read_json(self.folder, "search", "candidates.json")
        self.exact: Entry = next(entry for entry in chosen if entry["stage"] == EXACT)
        record = read_json(self.folder, "dataset.json")
        self.parts = {part: self._vectors(part, record) for part in ("train", "validation", "test")}
        mapped = [e for e in chosen if e["stage"] not in BASELINES]
        found = [*mapped, *read_json(self.folder, "search", "refine.json")["found"]]
        self.entries = by_merit(found, len(self.parts["validation"].y))
        self._quoted: dict[str, Quoted] = {}

    @property
    def seconds(self) -> float:
        """Wall time of all stages; of a stage that was interrupted, what it took after it went on."""
        stages = read_json(self.folder, "manifest.json")["stages"]
        return sum(float(stage["seconds"]) for stage in stages.values())

    def copied(self, dataset: Dataset) -> float:
        """Share of the test rows of the run's data set that equal a training or validation row, class included."""
        split = read_json(self.folder, "dataset.json")["split"]
        rows = np.column_stack([dataset.X, dataset.y])
        known = {row.tobytes() for part in ("train", "validation") for row in rows[split[part]]}
        return float(np.mean([row.tobytes() in known for row in rows[split["test"]]]))

    def of_stage(self, stage: str) -> list[Entry]:
        """The circuits of one stage, or of all."""
        return [self.exact] if stage == EXACT else [e for e in self.entries if stage in (ANY, e["stage"])]

    def within(self, stage: str, area_cm2: float, power_mw: float | None = None) -> Entry | None:
        """The circuit of most merit within the limits, which training and validation rows decide."""
        able = [e for e in self.of_stage(stage) if e["area_cm2"] <= area_cm2]
        able = [e for e in able if power_mw is None or e["choice_power_mw"] <= power_mw]
        return min(able, key=lambda e: (-e["merit"], e["area_cm2"], e["key"]), default=None)

    def smallest(self, stage: str, least: float) -> Entry | None:
        """The smallest circuit of at least a validation score."""
        able = [e for e in self.of_stage(stage) if e["score"] >= least - 1e-9]
        return min(able, key=lambda e: (e["area_cm2"], -e["score"], e["key"]), default=None)

    def quote(self, entry: Entry) -> Quoted:
        """Measure a chosen circuit on the test rows, after checking its netlist on all rows."""
        if entry["key"] not in self._quoted:
            self._quoted[entry["key"]] = self._measured(entry)
        return self._quoted[entry["key"]]

    def _measured(self, entry: Entry) -> Quoted:
        netlist = read_netlist(read_json(self.folder, entry["netlist_file"])["netlist"], self.technology)
        model = model_of(entry)
        for part, vectors in self.parts.items():
            if not np.array_equal(self._answers(netlist, vectors), model.predict(vectors.codes)):
                raise SystemExit(f"{self.folder}: netlist of {entry['key']} differs from its classifier on {part}")
        test = self.parts["test"]
        right = self._answers(netlist, test) == test.y
        recalls = [right[test.y == c].mean() for c in np.unique(test.y)]
        power = static_power_mw(netlist, self.technology, test.codes, self.input_bits)
        area = netlist.area_cm2(self.technology)
        return Quoted(float(right.mean()), float(np.mean(recalls)), area, tuple(power[v] for v in VOLTAGES))

    def _answers(self, netlist: Netlist, vectors: Vectors) -> np.ndarray:
        inputs = input_bits_of(vectors.codes, self.input_bits)
        n = len(vectors.y)
        return classes(netlist, simulate(netlist, self.technology, inputs, n), n)

    def _vectors(self, part: str, record: Entry) -> Vectors:
        bus_bits = len(record["feature_names"]) * self.input_bits
        read = read_vectors(self.folder / "vectors" / f"{part}.csv", bus_bits)
        return Vectors(read.codes, read.y, record["n_classes"], record["majority_class"])


def run_split(task: tuple[str, int, Path, str]) -> None:
    """Run the flow on one split."""
    name, seed, root, budget = task
    config = make_config(None, {"dataset": name, "seed": seed, "budget": budget})
    design(config, folder_of(root, name, seed), until="refine", quiet=True)


def folder_of(root: Path, name: str, seed: int) -> Path:
    """Where a split's run is kept."""
    return root / f"{name}-s{seed}"


def take_core(cores: Any) -> None:
    """Bind this worker to a core of its own: splits side by side use the cores better than stages within one."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores.get()})


def run_all(tasks: Sequence[tuple[str, int, Path, str]]) -> None:
    """Run all splits, one on each core at a time; those done before are kept."""
    context = multiprocessing.get_context("spawn")
    cores = context.Queue()
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(available_cores()))
    for core in own:
        cores.put(core)
    with ProcessPoolExecutor(len(own), context, take_core, (cores,)) as pool:
        for task, _ in zip(tasks, pool.map(run_split, tasks), strict=True):
            print(f"{task[0]} split {task[1]}: done", file=sys.stderr, flush=True)


def target_rows(runs: dict[str, list[SplitRun]]) -> list[list[str]]:
    """For every target the best of all stages, and of each stage, within the area and the power of the target."""
    rows = []
    for name, splits in runs.items():
        for target in TARGETS[name]:
            wanted = f"{target.accuracy:.1%} at {target.area_cm2:g}"
            wanted += f" / {target.power_mw:g}" if target.power_mw else ""
            cells = [_target_cell(splits, stage, target) for stage in (ANY, *STAGES)]
            best = [run.within(ANY, target.area_cm2, target.power_mw) for run in splits]
            quoted = [run.quote(e) for run, e in zip(splits, best, strict=True) if e]
            met = "yes" if _is_met(quoted, len(splits), target) else "no"
            areas = spread([q.area_cm2 for q in quoted], lambda v: f"{v:.3g}")
            powers = [spread([q.power_mw[k] for q in quoted], lambda v: f"{v:.2g}") for k in range(len(VOLTAGES))]
            rows.append(
                [name, str(len(splits)), target.published, wanted, met, cells[0], areas, *powers, *cells[1:]]
            )
    return rows


def _is_met(quoted: Sequence[Quoted], n_splits: int, target: Target) -> bool:
    """Whether every split has a circuit within the limits, and their mean reaches the accuracy."""
    return len(quoted) == n_splits and statistics.fmean(q.accuracy for q in quoted) >= target.accuracy


def _target_cell(splits: Sequence[SplitRun], stage: str, target: Target) -> str:
    pairs = [(run, run.within(stage, target.area_cm2, target.power_mw)) for run in splits]
    quoted = [run.quote(entry) for run, entry in pairs if entry is not None]
    missing = len(splits) - len(quoted)
    return shares([q.accuracy for q in quoted]) + (f", {missing} without" if missing and quoted else "")


def stage_rows(runs: dict[str, list[SplitRun]]) -> list[list[str]]:
    """For every data set, stage and loss of validation accuracy: test figures, area, power, over the splits."""
    rows = []
    for name, splits in runs.items():
        rows.append([name, EXACT, "–", *_figures([run.quote(run.exact) for run in splits], len(splits))])
        for stage in STAGES:
            for loss in LOSSES:
                pairs = [(run, run.smallest(stage, run.exact["score"] - loss / 100)) for run in splits]
                quoted = [run.quote(entry) for run, entry in pairs if entry is not None]
                rows.append([name, stage, f"{loss} %", *_figures(quoted, len(splits))])
    return rows


def _figures(quoted: Sequence[Quoted], n_splits: int) -> list[str]:
    areas = spread([q.area_cm2 for q in quoted], lambda v: f"{v:.3g}")
    powers = [spread([q.power_mw[k] for q in quoted], lambda v: f"{v:.2g}") for k in range(len(VOLTAGES))]
    accuracy, balanced = (shares([getattr(q, key) for q in quoted]) for key in ("accuracy", "balanced_accuracy"))
    return [f"{len(quoted)} of {n_splits}", accuracy, balanced, areas, *powers]


def _facts(splits: Sequence[SplitRun], dataset: Dataset) -> list[str]:
    """Of the splits of a table: wall time, and the share of test rows that trained or chose in another copy."""
    copied = spread([run.copied(dataset) for run in splits], lambda v: f"{v:.1%}")
    return [spread([run.seconds for run in splits], lambda v: f"{v:.0f}"), copied]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is not done, print both tables, and write them as JSON beside the runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.published", description=__doc__)
    parser.add_argument("datasets", nargs="*", metavar="DATA_SET", help=f"default: {', '.join(TARGETS)}")
    parser.add_argument("--splits", type=int, metavar="N", help="splits of every table (10, fewer of slow ones)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="seed of the first split (0)")
    parser.add_argument("--budget", default="quick", help="budget of each run (quick)")
    parser.add_argument("--folder", type=Path, default=Path("runs", "published"), help="where the runs are kept")
    given = parser.parse_args(arguments)
    names = given.datasets or list(TARGETS)
    splits = {name: given.splits or SLOW.get(name, SPLITS) for name in names}
    seeds = {name: range(given.first, given.first + n) for name, n in splits.items()}
    # The longest first, so that no core waits for one at the end.
    order = sorted(names, key=lambda name: name not in SLOW)
    run_all([(name, seed, given.folder, given.budget) for name in order for seed in seeds[name]])
    technology = load_technology("egfet")
    runs = {n: [SplitRun(folder_of(given.folder, n, s), technology) for s in seeds[n]] for n in names}
    voltages = [f"mW at {v:g} V" for v in VOLTAGES]
    targets, stages = target_rows(runs), stage_rows(runs)
    head = ["data set", "splits", "published", "target", "met", "test", "cm²", *voltages, *STAGES]
    print(table(head, targets), end="\n\n")
    print(table(["data set", "stage", "loss", "splits", "test", "balanced", "cm²", *voltages], stages), end="\n\n")
    facts = [[n, *_facts(splits, load_dataset(n))] for n, splits in runs.items()]
    print(table(["data set", "wall time of a split on one core, s", "test rows that are copies"], facts))
    record = {"targets": targets, "stages": stages, "splits": facts}
    given.folder.joinpath("published.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
