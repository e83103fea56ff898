"""Whether a search that knows the price of thresholds pays: area and power of systems of equal merit.

    python -m benchmarks.priced_thresholds [--seeds N] [--budget quick] [--json FILE] RUNS [DATA ...]

Makes two runs of `flows.design` up to refinement for each data set and seed, in the folders RUNS/binary without and
RUNS/priced with `--inputs thermometer`; runs that are there are taken as they are. Three kinds of system are
compared: the front of the first behind pruned converters, the same circuits on comparators' outputs, and the front
of the second.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table
from flows.circuits import by_merit, chosen_front
from flows.config import THERMOMETER, make_config, with_hidden
from flows.design import design
from flows.front_ends import front_ends_of
from flows.job import Job
from flows.levels import inputs_of, second_form, system_cost, with_systems
from flows.mapping import BASELINES, Entry, Judge, model_of, netlist_of
from flows.progress import Reporter
from flows.run import MANIFEST, Run
from hdl.synthesis import read_netlist
from printedmlp.choice import ROUNDING
from printedmlp.dataset import load_dataset
from printedmlp.technology import load_technology
from printedmlp.topology import default_hidden

DATA = ("iris", "wine", "seeds", "vertebral_2c")
LOSSES = (0.0, 1.0, 2.0, 5.0)
"""Points of merit below the best circuit of the binary front."""
PRUNED, SECOND, PRICED = KINDS = ("binary, pruned", "the same, thermometer", "priced search")
Result = dict[str, Any]


def finished(data: str, seed: int, budget: str, inputs: str, folder: Path) -> Job:
    """The job of a run that is done up to refinement; one that is there is taken as it is."""
    config = make_config(None, {"dataset": data, "seed": seed, "budget": budget, "inputs": inputs})
    if not (folder / "search" / "refine.json").is_file():
        design(config, folder, until="refine", quiet=True)
    dataset = load_dataset(data)
    config = with_hidden(config, default_hidden(dataset.name, dataset.n_classes))
    run = Run(folder, json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    return Job(config, dataset, load_technology("egfet"), run, Reporter(quiet=True))


def front_of(job: Job) -> list[Entry]:
    """The front that the run would have."""
    found = job.run.read_json("search", "candidates.json")[len(BASELINES) :]
    found += job.run.read_json("search", "refine.json")["found"]
    judged = by_merit(found, len(job.vectors("validation").y))
    return [choice.entry for choice in chosen_front(job, with_systems(job, Judge.of(job), judged))]


def pruned_system(job: Job, judge: Judge, entry: Entry) -> Result:
    """Area and power of a circuit of codes with its pruned converters."""
    netlist, bits = netlist_of(job, entry), job.config.input_bits
    found = front_ends_of(netlist, job.technology, job.vectors("train"), bits, entry["choice_power_mw"])
    return dict(found["system"]["pruned"])


def second_system(job: Job, judge: Judge, entry: Entry) -> Result:
    """Area and power of a circuit's second form with its comparators."""
    record = second_form(job, judge, entry, netlist_of(job, entry))
    if record["netlist"] is None:
        return {"area_cm2": entry["area_cm2"], "power_mw": entry["choice_power_mw"]}
    netlist = read_netlist(record["netlist"], job.technology)
    return system_cost(job, netlist, inputs_of(job, record), judge.deciding_codes()).to_json()


def priced_system(job: Job, judge: Judge, entry: Entry) -> Result:
    """Area and power that the circuit was chosen by."""
    return dict(entry["system"])


def systems(job: Job, measure: Callable[[Job, Judge, Entry], Result]) -> list[Result]:
    """Merit, system figures and test accuracy of every circuit of a run's front."""
    judge, test = Judge.of(job), job.vectors("test")
    return [
        {
            "key": entry["key"],
            "stage": entry["stage"],
            "merit": entry["merit"],
            "test": float(np.mean(model_of(entry).predict(test.codes) == test.y)),
            **{name: figure for name, figure in measure(job, judge, entry).items() if name != "carried_by"},
        }
        for entry in front_of(job)
    ]


def measured(data: str, seed: int, budget: str, runs: Path) -> dict[str, list[Result]]:
    """The systems of one split by kind."""
    name = f"{data}-s{seed}"
    binary = finished(data, seed, budget, "binary", runs / "binary" / name)
    priced = finished(data, seed, budget, THERMOMETER, runs / "priced" / name)
    return {
        PRUNED: systems(binary, pruned_system),
        SECOND: systems(binary, second_system),
        PRICED: systems(priced, priced_system),
    }


def at_losses(found: dict[str, list[Result]]) -> list[Result]:
    """For every loss, kind and figure the circuit that needs least of it, None where none is good enough."""
    best = max(result["merit"] for result in found[PRUNED])
    rows = []
    for loss in LOSSES:
        for kind in KINDS:
            able = [r for r in found[kind] if r["merit"] >= best - loss / 100 - ROUNDING]
            for figure in ("area_cm2", "power_mw"):
                least = min(able, key=lambda r: (r[figure], -r["merit"], r["key"]), default=None)
                rows.append({"loss": loss, "kind": kind, "figure": figure, "circuit": least})
    return rows


def lines(data: str, splits: Sequence[list[Result]]) -> list[list[str]]:
    """One data set's lines of the table, a line for a loss and kind; means and spreads over the splits."""
    return [
        [
            data,
            f"{loss:g}",
            kind,
            *(text for figure in ("area_cm2", "power_mw") for text in cells(splits, loss, kind, figure)),
        ]
        for loss in LOSSES
        for kind in KINDS
    ]


def cells(splits: Sequence[list[Result]], loss: float, kind: str, figure: str) -> list[str]:
    """Least area or power with its ratio to the binary system's, and the test accuracy of these circuits."""

    def of(name: str) -> list[Result | None]:
        return [
            row["circuit"]
            for split in splits
            for row in split
            if (row["loss"], row["kind"], row["figure"]) == (loss, name, figure)
        ]

    pairs = [(a, b) for a, b in zip(of(kind), of(PRUNED), strict=True) if a and b]
    if not pairs:
        return ["–"] * 3
    values = np.array([a[figure] for a, _ in pairs])
    ratios = np.array([b[figure] / a[figure] for a, b in pairs if a[figure]])
    tests = np.array([a["test"] for a, _ in pairs])
    missing = len(splits) - len(pairs)
    note = f" (of {len(pairs)})" if missing else ""
    ratio = f"{np.exp(np.log(ratios).mean()):.2f}" if len(ratios) else "–"
    return [f"{values.mean():.3g} ± {values.std():.2g}{note}", ratio, f"{tests.mean():.1%} ± {tests.std():.1%}"]


def main() -> None:
    """Make the runs that are missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", nargs="*", default=list(DATA))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {
        data: [measured(data, seed, options.budget, options.runs) for seed in range(options.seeds)]
        for data in options.data
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    head = ("data", "loss", "system", "cm²", "÷", "test", "mW", "÷", "test")
    print(
        table(head, [row for data, splits in results.items() for row in lines(data, list(map(at_losses, splits)))])
    )


if __name__ == "__main__":
    main()
