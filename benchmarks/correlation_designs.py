"""Designs to compare cost estimates on: thinned at random, evolved, and pruned under an error budget."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from printedmlp.area import AreaModel, AreaUnits
from printedmlp.baseline import exact_baseline
from printedmlp.cost import PopulationCost
from printedmlp.dataset import load_dataset
from printedmlp.errors import PrintedMLPWarning
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import BIAS, MASK, Genes, GenomeLayout
from printedmlp.operators import mutate
from printedmlp.population import first_of_each
from printedmlp.power_of_two import power_of_two_starts
from printedmlp.preparation import Prepared, prepare
from printedmlp.search import SearchSettings, evolve
from printedmlp.technology import load_technology

KINDS = ("thinned", "evolved", "pruned")
HIDDEN = (3, 6)
BUDGETS = (0.01, 0.03, 0.08, 0.15)
"""Shares of the training rows that a pruned design may get wrong beyond its start."""
LARGEST = 600.0
"""Designs estimated above so many mm2 are left out: no circuit of interest is that large, and they map slowly."""


@dataclass(frozen=True)
class Design:
    """One chromosome, where it comes from, how, and its area in closed form."""

    dataset: str
    kind: str
    layout: GenomeLayout
    genes: Genes
    area_mm2: float


def designs(dataset: str, n: int, seed: int) -> Iterator[Design]:
    """At most n designs of a data set, a third of each of KINDS, in halves of both hidden widths."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrintedMLPWarning)
        ready = prepare(load_dataset(dataset), seed=seed)
    train = ready.vectors("train")
    for hidden in HIDDEN:
        rng = np.random.default_rng([seed, hidden])
        layout = GenomeLayout.uniform((train.codes.shape[1], hidden, train.n_classes))
        starts = start_points(layout, ready, rng)
        evaluator = PopulationEvaluator(layout, train.codes, train.y, threads=1)
        area = AreaModel(layout, AreaUnits.of(load_technology("egfet")))
        share = n // (len(KINDS) * len(HIDDEN))
        made = {
            "thinned": thinned(layout, starts, 20 * share, rng),
            "evolved": evolved(layout, evaluator, area, starts, rng),
            "pruned": pruned(layout, evaluator, area, starts, 2 * share, rng),
        }
        for kind, population in made.items():
            kept = spread_out(layout, area, population, share)
            areas = area.areas(kept).tolist()
            yield from (Design(dataset, kind, layout, *pair) for pair in zip(kept, areas, strict=True))


def start_points(layout: GenomeLayout, ready: Prepared, rng: np.random.Generator) -> Genes:
    """A few nearly exact networks with power-of-two weights."""
    train, validation = ready.vectors("train"), ready.vectors("validation")
    baseline = exact_baseline(
        train.codes,
        train.y,
        validation.codes,
        validation.y,
        topology=layout.topology[1:-1],
        input_bits=layout.input_bits,
        n_classes=train.n_classes,
        restarts=2,
        rng=rng,
    )
    models = power_of_two_starts(baseline, layout, train.codes, train.y, rng=rng, n=4, sweeps=1, rows=1000)
    return np.stack([layout.encode(model) for model in models])


def spread_out(layout: GenomeLayout, area: AreaModel, population: Genes, n: int) -> Genes:
    """Up to n different designs that are neither constant nor too large, evenly over the sizes found."""
    population = population[first_of_each(layout, population)]
    areas = area.areas(population)
    rows = np.flatnonzero((areas > 0) & (areas <= LARGEST))
    rows = rows[np.argsort(areas[rows], kind="stable")]
    spread: Genes = population[rows[np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).astype(int))]]
    return spread


def thinned(layout: GenomeLayout, starts: Genes, n: int, rng: np.random.Generator) -> Genes:
    """Start points with a random share of their connections and mask bits cleared and some biases halved."""
    genes = starts[rng.integers(0, len(starts), n)].copy()
    masks = layout.kinds == MASK
    share = rng.uniform(0.1, 0.97, (n, 1))
    genes[masks & (rng.random(genes.shape) < share)] = 0
    for bit in range(int(layout.upper[masks].max()).bit_length()):
        genes[masks & (rng.random(genes.shape) < share / 2)] &= ~(1 << bit)
    genes[(layout.kinds == BIAS) & (rng.random(genes.shape) < share)] //= 4
    return genes


def evolved(
    layout: GenomeLayout, evaluator: PopulationEvaluator, area: AreaModel, starts: Genes, rng: np.random.Generator
) -> Genes:
    """What NSGA-II found after few and after more generations, with the full adders and with the area as cost."""
    reference = 1 - float(evaluator.errors(starts).min()) / evaluator.n_samples
    found = []
    for generations in (30, 150):
        for cost in (PopulationCost(layout), area):
            settings = SearchSettings(population=60, generations=generations, max_accuracy_loss=0.2)
            options: dict[str, Any] = {"reference_accuracy": reference, "rng": rng, "initial": starts}
            found.append(evolve(settings, layout, evaluator, cost, **options).genes)
    return np.concatenate(found)


def pruned(
    layout: GenomeLayout,
    evaluator: PopulationEvaluator,
    area: AreaModel,
    starts: Genes,
    n: int,
    rng: np.random.Generator,
) -> Genes:
    """Start points made ever smaller within an error budget, some of them not to the end."""
    made = []
    for k in range(n):
        start = starts[k % len(starts)]
        budget = int(evaluator.errors(start[None])[0] + BUDGETS[k % len(BUDGETS)] * evaluator.n_samples)
        made.append(_prune(layout, evaluator, area, start, budget, int(rng.integers(20, 200)), rng))
    return np.stack(made)


def _prune(
    layout: GenomeLayout,
    evaluator: PopulationEvaluator,
    area: AreaModel,
    genes: Genes,
    budget: int,
    rounds: int,
    rng: np.random.Generator,
) -> Genes:
    """Rounds of 30 random changes each, of which the smallest circuit within the budget is kept, if smaller."""
    best = float(area.areas(genes[None])[0])
    rate = 3 / layout.size
    for _ in range(rounds):
        tried = mutate(np.repeat(genes[None], 30, axis=0), rng, layout=layout, rate=rate, removal_share=0.4)
        areas = np.where(evaluator.errors(tried) <= budget, area.areas(tried), np.inf)
        if areas.min() <= best:
            best, genes = float(areas.min()), tried[areas.argmin()]
    return genes
