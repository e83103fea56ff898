"""Whether islands that exchange front members find more than one population, for as many evaluations.

    python -m benchmarks.islands [--population 200] [--generations 1000] [--splits 5] [--json FILE] [DATA_SET ...]

The genetic trainer on one population; on four populations of a quarter of its size for as many generations, with
exchanges and without; and on four of its size for a quarter of the generations, likewise. The volume is the share
of a rectangle that the front on the training rows dominates: errors up to the most allowed, full adders up to the
largest start point's. On validation rows it is that of the same circuits with their errors there; no test row is
read. Differences are to the one population on the same split: mean and standard deviation over tables and splits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table
from printedmlp.baseline import exact_baseline
from printedmlp.cost import PopulationCost
from printedmlp.dataset import load_dataset
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import GenomeLayout
from printedmlp.islands import IslandSettings, evolve_islands
from printedmlp.pareto import hypervolume
from printedmlp.power_of_two import power_of_two_starts
from printedmlp.preparation import Prepared, prepare
from printedmlp.search import Evolution, SearchSettings
from printedmlp.topology import default_hidden

DATASETS = ("cardio", "redwine", "balance", "seeds", "vertebral_3c")
ISLANDS, RESTARTS = 4, 4
ONE = "one population"
Record = dict[str, Any]


def variants(settings: SearchSettings) -> dict[str, tuple[SearchSettings, IslandSettings]]:
    """Ways to spend the same evaluations."""
    small = replace(settings, population=settings.population // ISLANDS)
    short = replace(settings, generations=settings.generations // ISLANDS)
    together, alone = IslandSettings(ISLANDS), IslandSettings(ISLANDS, migrants=0)
    return {
        ONE: (settings, IslandSettings(1, migrants=0)),
        "4 small islands": (small, together),
        "4 small, no exchange": (small, alone),
        "4 short islands": (short, together),
        "4 short, no exchange": (short, alone),
    }


def compared(name: str, seed: int, settings: SearchSettings) -> dict[str, Record]:
    """Every variant on one split: volume on training and on validation rows, and seconds."""
    ready = prepare(load_dataset(name), seed=seed)
    train, validation = ready.vectors("train"), ready.vectors("validation")
    hidden = default_hidden(name, train.n_classes)
    exact = exact_baseline(
        train.codes,
        train.y,
        validation.codes,
        validation.y,
        topology=hidden,
        input_bits=ready.quantiser.input_bits,
        n_classes=train.n_classes,
        restarts=RESTARTS,
        rng=np.random.default_rng([seed, 0]),
    )
    layout = GenomeLayout.uniform((train.codes.shape[1], *hidden, train.n_classes))
    starts = power_of_two_starts(exact, layout, train.codes, train.y, rng=np.random.default_rng([seed, 1]))
    genes = [layout.encode(start) for start in starts]
    rows = {}
    for variant, (own, islands) in variants(settings).items():
        rows[variant] = searched(ready, layout, genes, exact.accuracies.train, own, islands, seed)
    return rows


def searched(
    ready: Prepared,
    layout: GenomeLayout,
    genes: Sequence[np.ndarray],
    reference: float,
    settings: SearchSettings,
    islands: IslandSettings,
    seed: int,
) -> Record:
    """One search and what its front is worth."""
    train, validation = ready.vectors("train"), ready.vectors("validation")
    evaluator = PopulationEvaluator(layout, train.codes, train.y, threads=1)
    cost = PopulationCost(layout)
    work = Evolution(settings, layout, evaluator, cost, reference_accuracy=reference, initial=genes)
    start = time.process_time()
    result = evolve_islands(islands, work, rng=np.random.default_rng([seed, 2]), threads=1)
    seconds = time.process_time() - start
    front = result.genes[: result.n_front]
    errors = PopulationEvaluator(layout, validation.codes, validation.y, threads=1).errors(front)
    largest = float(cost.costs(np.array(genes)).max()) + 1
    most = (work.max_errors + 1) / len(train.y)
    points = np.stack([errors / len(validation.y), result.costs[: result.n_front]], axis=1)
    return {
        "train": result.history[-1]["hypervolume"],
        "validation": hypervolume(points, (most, largest)) / (most * largest),
        "seconds": seconds,
        "evaluations": result.history[-1]["evaluations"],
    }


def line(variant: str, splits: Sequence[dict[str, Record]]) -> list[str]:
    """One variant over all tables and splits."""
    cells = [variant, f"{statistics.fmean(s[variant]['evaluations'] for s in splits):.0f}"]
    for rows in ("train", "validation"):
        gains = [s[variant][rows] - s[ONE][rows] for s in splits]
        better = sum(gain > 0 for gain in gains)
        worse = sum(gain < 0 for gain in gains)
        spread = statistics.stdev(gains) if len(gains) > 1 else 0.0
        cells += [f"{statistics.fmean(s[variant][rows] for s in splits):.4f}"]
        cells += ["–" if variant == ONE else f"{statistics.fmean(gains):+.4f} ± {spread:.4f}, {better} : {worse}"]
    ratio = statistics.fmean(s[variant]["seconds"] / s[ONE]["seconds"] for s in splits)
    return [*cells, f"{ratio:.2f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--population", type=int, default=200)
    parser.add_argument("--generations", type=int, default=1000)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    settings = SearchSettings(population=options.population, generations=options.generations)
    records = {}
    for name in options.datasets:
        for seed in range(options.splits):
            records[f"{name} {seed}"] = compared(name, seed, settings)
            print(f"{name} split {seed}: done", file=sys.stderr, flush=True)
    head = ["search", "evaluations", "volume, train", "difference, better : worse"]
    head += ["volume, validation", "difference, better : worse", "processor time"]
    splits = list(records.values())
    print(table(head, [line(variant, splits) for variant in splits[0]]), end="\n\n")
    by_table = {n: [r for key, r in records.items() if key.split()[0] == n] for n in options.datasets}
    rows = [
        [name, *(f"{statistics.fmean(s[v]['validation'] for s in own):.4f}" for v in splits[0])]
        for name, own in by_table.items()
    ]
    print(table(["volume, validation", *splits[0]], rows))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
