"""What the parts of an NSGA-II generation cost beside its accuracy evaluation.

    python -m benchmarks.generation [--population 200] [--generations 60] [--threads 1] [--json FILE]

Random tables of the shapes that matter, labelled by a random linear classifier; the search runs for some
generations from random individuals with the closed-form area as its cost, and every generation's parts are timed.
Medians, in microseconds a generation; the last two columns divide what is not evaluation, and everything, by the
evaluation of the same run. The full-adder count is timed beside the area on the same children and is in no sum.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from deap import base

from benchmarks.tables import table
from printedmlp.area import AreaModel, AreaUnits
from printedmlp.cost import PopulationCost
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.population import Population
from printedmlp.search import SearchSettings, toolbox
from printedmlp.technology import load_technology

SHAPES = (((16, 5, 10), 7494), ((21, 3, 3), 1275), ((11, 2, 6), 959), ((9, 3, 2), 489), ((4, 3, 3), 375))
PARTS = ("tournament", "crossover", "mutation", "area", "selection", "archive")


def generation_times(
    topology: tuple[int, ...], n_rows: int, population: int, generations: int, threads: int
) -> dict[str, float]:
    """Median microseconds of each part of a generation."""
    rng = np.random.default_rng(0)
    layout = GenomeLayout.uniform(topology)
    X = rng.integers(0, 16, (n_rows, topology[0]))
    y = np.argmax((X - 7.5) @ rng.normal(size=(topology[0], topology[-1])), axis=1)
    evaluator = PopulationEvaluator(layout, X, y, threads=threads)
    area, adders = AreaModel(layout, AreaUnits.of(load_technology("egfet"))), PopulationCost(layout)
    settings = SearchSettings(population=population)
    box = toolbox(settings, layout, evaluator, area, max_errors=n_rows)
    times: dict[str, list[float]] = {}

    def timed(name: str, part: Callable[..., Any], *arguments: object) -> Any:
        start = time.perf_counter()
        result = part(*arguments)
        times.setdefault(name, []).append((time.perf_counter() - start) * 1e6)
        return result

    genes = layout.random(population, rng)
    genes[(layout.kinds == MASK) & (rng.random(genes.shape) < 0.5)] = 0
    survivors = archive = box.select(box.evaluate(genes))
    for _ in range(generations):
        parents = timed("tournament", box.choose_parents, survivors, rng)
        crossed = timed("crossover", box.mate, parents, rng)
        children = timed("mutation", box.mutate, crossed, rng)[:population]
        errors = timed("evaluation", evaluator.errors, children)
        areas = timed("area", area.areas, children)
        timed("full adders", adders.full_adders, children)
        offspring = Population(children, errors, areas, np.zeros(len(children)))
        survivors = timed("selection", _selected, box, survivors, offspring)
        archive = timed("archive", _archived, archive, offspring, n_rows)
    return {name: median(values) for name, values in times.items()}


def _selected(box: base.Toolbox, survivors: Population, offspring: Population) -> Any:
    return box.select(survivors + offspring)


def _archived(archive: Population, offspring: Population, max_errors: int) -> Population:
    return (archive + offspring.feasible(max_errors)).front()


def row(topology: tuple[int, ...], n_rows: int, found: dict[str, float]) -> list[str]:
    """One shape's line."""
    overhead, evaluation = sum(found[part] for part in PARTS), found["evaluation"]
    figures = [found[name] for name in ("evaluation", *PARTS, "full adders")]
    return [
        f"{'-'.join(map(str, topology))} × {n_rows}",
        *(f"{figure:.0f}" for figure in figures),
        f"{overhead / evaluation:.2f}",
        f"{(overhead + evaluation) / evaluation:.2f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--population", type=int, default=200)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    settings = options.population, options.generations, options.threads
    found = {shape: generation_times(*shape, *settings) for shape in SHAPES}
    if options.json:
        named = {f"{topology} x {n_rows}": times for (topology, n_rows), times in found.items()}
        options.json.write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")
    head = ["shape × rows", "evaluation, µs", *PARTS, "(full adders)", "rest ÷ evaluation", "all ÷ evaluation"]
    print(table(head, [row(*shape, times) for shape, times in found.items()]))


if __name__ == "__main__":
    main()
