"""Proposals a second of the annealing loop, and what each ingredient of the annealing search gives.

    python -m benchmarks.annealing [--proposals 50000] [--seed 100] [--json FILE] [DATASET ...]

Every line but the first leaves one ingredient out and spends as many proposals. The volume is the share of a
rectangle that the front on the training rows dominates: errors from none to `WORST` of the rows, area on a
logarithmic scale from `SMALLEST` to `LARGEST` mm2. The areas are those of the smallest circuit, by the closed form,
that is at most so many points of validation accuracy worse than the best of all lines. No test row is read.
Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table
from printedmlp.anneal import AnnealSettings, Found, anneal
from printedmlp.dataset import load_dataset
from printedmlp.moves import MoveShares
from printedmlp.pareto import hypervolume
from printedmlp.preparation import Prepared, prepare
from printedmlp.technology import load_technology
from printedmlp.topology import default_hidden

DATASETS = ("cardio", "redwine", "balance")
WORST, SMALLEST, LARGEST = 0.5, 0.1, 10_000.0
LOSSES = (0.0, 0.01, 0.02, 0.05)
PLAIN_MOVES = ("flip_bit", "slide_exponent", "flip_sign", "drop_connection", "step_bias")
"""The mutations of the DATE 2024 search."""


def variants(settings: AnnealSettings, width: int) -> dict[str, AnnealSettings]:
    """The settings with everything, then without one ingredient each, for the same number of proposals."""
    plain = {name: 0.0 for name in MoveShares.__dataclass_fields__ if name not in PLAIN_MOVES}
    rounds = settings.rounds + 1
    return {
        "all": settings,
        "plain moves only": replace(settings, moves=replace(settings.moves, **plain)),
        "one move a proposal": replace(settings, another_move=0.0),
        "trained starts only": replace(settings, starts=("trained",)),
        f"width {width} only": replace(settings, widths=(width,)),
        "8 hidden bits only": replace(settings, tops=(11,)),
        "hard budgets only": replace(settings, hard_share=1.0),
        "cold": replace(settings, heat=settings.heat / 100),
        "no later rounds": replace(
            settings, rounds=0, proposals=settings.proposals * rounds, learning=settings.learning / rounds
        ),
    }


def search(ready: Prepared, settings: AnnealSettings, seed: int) -> tuple[list[Found], float]:
    """The front of one search and the processor seconds it took."""
    train, start = ready.vectors("train"), time.process_time()
    found = anneal(
        settings,
        train.codes,
        train.y,
        n_classes=train.n_classes,
        input_bits=ready.quantiser.input_bits,
        technology=load_technology("egfet"),
        rng=np.random.default_rng(seed),
    )
    return found, time.process_time() - start


def describe(ready: Prepared, settings: AnnealSettings, seed: int) -> dict[str, Any]:
    """Volume, speed, and validation accuracy and area of everything found."""
    found, seconds = search(ready, settings, seed)
    validation = ready.vectors("validation")
    n = len(ready.vectors("train").y)
    points = [(f.errors / n, np.log(max(f.area_mm2, SMALLEST))) for f in found]
    span = np.log(LARGEST / SMALLEST)
    spent = settings.chains * settings.proposals * (settings.learning + settings.levels * (settings.rounds + 1))
    return {
        "volume": hypervolume(points, (WORST, np.log(LARGEST))) / (WORST * span),
        "seconds": seconds,
        "proposals_per_s": spent / seconds,
        "found": [(float(np.mean(f.model.predict(validation.codes) == validation.y)), f.area_mm2) for f in found],
    }


def rows(dataset: str, settings: AnnealSettings, seed: int) -> list[dict[str, Any]]:
    """Every variant on one data set."""
    ready = prepare(load_dataset(dataset), seed=seed)
    width = default_hidden(dataset, ready.dataset.n_classes)[0]
    return [
        {"dataset": dataset, "variant": name, **describe(ready, variant, seed)}
        for name, variant in variants(settings, width).items()
    ]


def line(result: dict[str, Any], best: float) -> list[str]:
    """One variant's line."""
    smallest = []
    for loss in LOSSES:
        areas = [area for accuracy, area in result["found"] if accuracy >= best - loss - 1e-9]
        smallest.append(f"{min(areas) / 100:.3f}" if areas else "–")
    speed = f"{result['proposals_per_s'] / 1000:.0f}"
    return [f"{result['dataset']}: {result['variant']}", f"{result['volume']:.4f}", *smallest, speed]


def lines(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """All lines, each against the best validation accuracy on its data set."""
    best = {
        name: max(accuracy for r in results if r["dataset"] == name for accuracy, _ in r["found"])
        for name in {r["dataset"] for r in results}
    }
    return [line(result, best[result["dataset"]]) for result in results]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--proposals", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = AnnealSettings(proposals=options.proposals)
    # Compile before anything is timed.
    search(prepare(load_dataset("seeds"), seed=options.seed), replace(settings, chains=1, proposals=1), 0)
    results = [result for name in options.datasets for result in rows(name, settings, options.seed)]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    head = ["search", "volume", *(f"cm² at {loss:.0%} loss" for loss in LOSSES), "1000 proposals/s"]
    print(table(head, lines(results)))


if __name__ == "__main__":
    main()
