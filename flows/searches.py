"""The stages that search for classifiers: the published method, trees, networks annealed under error budgets."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from flows.given import given_networks, given_trees
from flows.job import Job
from flows.levels import is_priced, prices_of
from flows.mapping import ESTIMATE, ESTIMATED_POWER, PAPER, SEARCH, TREE, Entry, Judge, spread
from flows.progress import Bar
from flows.teacher import training_rows
from printedmlp.anneal import AnnealSettings, anneal
from printedmlp.cost import PopulationCost
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.exact_trees import exact_trees
from printedmlp.genome import GenomeLayout
from printedmlp.islands import IslandSettings, evolve_islands
from printedmlp.model import DiscreteMLP
from printedmlp.pareto import non_dominated
from printedmlp.priced_trees import priced_trees
from printedmlp.search import Evolution, Generation, SearchResult
from printedmlp.threshold_prices import ThresholdPrices
from printedmlp.tree_area import UM2_PER_MM2, TreeUnits, tree_area_um2
from printedmlp.tree_search import TreeSearchSettings, approximate_trees
from printedmlp.trees import DecisionTree

HISTORY = 200
"""About so many of the search's generations are kept in the run folder."""
PRICED_STARTS = 6
"""Priced trees of different sizes that are approximated, beside the full exact tree."""
EVOLVED_SHARE = 4
"""One in so many annealing chains starts from a network of the genetic trainer."""


def search_layout(job: Job) -> GenomeLayout:
    """The genome of the genetic search for this run's topology and widths."""
    config = job.config
    return GenomeLayout.uniform(job.topology, input_bits=config.input_bits, lsb=config.lsb, msb=config.msb)


def paper(job: Job) -> list[str]:
    """Run the genetic trainer of DATE 2024; goes on from its checkpoint where one was left."""
    layout, judge, rows = search_layout(job), Judge.of(job), training_rows(job)
    evaluator = PopulationEvaluator(layout, rows.codes, rows.y, class_weights=judge.weights)
    exact_record = job.run.read_json("search", "exact.json")
    exact = DiscreteMLP.from_json(exact_record["model"])
    exact_errors = judge.objective.weighted_error(rows.y, exact.predict(rows.codes))
    nearly_exact = [*given_networks(job), *map(DiscreteMLP.from_json, exact_record["starts"])]
    work = Evolution(
        job.config.search_settings,
        layout,
        evaluator,
        PopulationCost(layout),
        reference_accuracy=1 - exact_errors / evaluator.total_weight,
        initial=[layout.encode(start) for start in nearly_exact],
    )
    checkpoint = job.run.path("search", "paper.checkpoint.npz")
    result = _evolved(job, work, evaluator.total_weight, checkpoint)
    found = [
        judge.entry(PAPER, layout.decode(genes), estimate=int(adders))
        for genes, adders in zip(result.genes, result.costs, strict=True)
    ]
    history = result.history[:: max(1, len(result.history) // HISTORY)]
    job.run.write_json({"found": found, "history": history}, "search", "paper.json")
    if not job.stop.is_set():
        checkpoint.unlink(missing_ok=True)
    return ["search/paper.json"]


def _evolved(job: Job, work: Evolution, total_weight: int, checkpoint: Path) -> SearchResult:
    """The result of the search, on one population or on islands."""
    n_islands, rng, stop = job.config.islands, job.rng(PAPER), job.stop.is_set
    with job.reporter.bar("genetic search", job.config.generations) as bar:

        def told(generation: Generation) -> None:
            bar.step(to=generation.number, note=_note(generation, total_weight))

        if n_islands == 1:
            return work.run(rng, on_generation=told, checkpoint=checkpoint, should_stop=stop)
        islands = IslandSettings(n_islands)
        return evolve_islands(islands, work, rng=rng, on_epoch=told, checkpoint=checkpoint, should_stop=stop)


def _note(generation: Generation, total_weight: int) -> str:
    return (
        f"error {generation.best_error / total_weight:.1%}, smallest {generation.smallest_cost} FA, "
        f"hypervolume {generation.hypervolume:.3f}"
    )


def tree(job: Job) -> list[str]:
    """Fit bespoke decision trees: exact ones of every size, approximated ones, and trees grown with prices.

    With comparators' outputs as inputs, prices are those of comparators, a share of power after the other.
    """
    judge, bits = Judge.of(job), job.config.input_bits
    X, y, weights, n_classes = judge.train.codes, judge.train.y, judge.weights, judge.train.n_classes
    prices: list[ThresholdPrices | None] = [*prices_of(job)] or [None]
    given = given_trees(job)
    exact = [
        *given,
        *exact_trees(X, y, n_classes=n_classes, input_bits=bits, rng=job.rng(TREE), class_weights=weights),
    ]
    settings, rng = TreeSearchSettings(generations=job.config.tree_generations), job.rng("approximate trees")
    trees = {t.dumps(): t for t in exact}
    n_searches = PRICED_STARTS + len(prices) * (1 + len(given))
    with job.reporter.bar("tree search", settings.generations * n_searches) as bar:
        for number, thresholds in enumerate(prices):
            priced = priced_trees(
                X,
                y,
                n_classes=n_classes,
                input_bits=bits,
                technology=job.technology,
                class_weights=weights,
                thresholds=thresholds,
            )
            by_size = sorted((f.tree for f in priced), key=lambda tree: tree.n_leaves)
            grown = [max(exact, key=lambda tree: tree.n_leaves), *spread(by_size, PRICED_STARTS // len(prices))]
            starts = [*given, *grown]
            approximated = approximate_trees(
                settings,
                starts,
                X,
                y,
                technology=job.technology,
                rng=rng,
                class_weights=weights,
                thresholds=thresholds,
                on_progress=partial(_told, bar, number),
                should_stop=job.stop.is_set,
            )
            trees |= {f.tree.dumps(): f.tree for f in (*priced, *approximated) if f.tree.dumps() not in trees}
    found = [judge.entry(TREE, t, **tree_estimates(job, t)) for t in trees.values()]
    job.run.write_json({"found": found}, "search", "tree.json")
    return ["search/tree.json"]


def _told(bar: Bar, number: int, done: int, of: int) -> None:
    """Generations done of all prices' searches, of which each has as many."""
    bar.step(to=number * of + done)


def tree_estimates(job: Job, tree: DecisionTree) -> dict[str, float]:
    """Area of a tree in mm2; where comparators count, with theirs, and power as area of gates beside it."""
    if not is_priced(job):
        return {ESTIMATE: tree_area_um2(tree, TreeUnits.of(job.technology)) / UM2_PER_MM2}
    bits, technology = job.config.input_bits, job.technology
    kinds = {ESTIMATE: 0.0, ESTIMATED_POWER: 1.0}
    units = {
        name: TreeUnits.of(technology, ThresholdPrices.of(technology, bits, share)) for name, share in kinds.items()
    }
    return {name: tree_area_um2(tree, unit) / UM2_PER_MM2 for name, unit in units.items()}


def _front(found: list[Entry]) -> list[Entry]:
    """The non-dominated by training error and estimate."""
    points = np.array([[entry["train_error"], entry["estimate"]] for entry in found]).reshape(-1, 2)
    return [entry for entry, good in zip(found, non_dominated(points), strict=True) if good]


def search(job: Job) -> list[str]:
    """Anneal networks of many widths under error budgets; goes on from its checkpoint where one was left."""
    config, judge, rows = job.config, Judge.of(job), training_rows(job)
    evolved = _front(job.run.read_json("search", "paper.json")["found"])
    wanted = config.chains // EVOLVED_SHARE if len(job.topology) == 3 else 0
    evolved_starts = [DiscreteMLP.from_json(e["model"]) for e in spread(evolved, wanted)] if wanted else []
    starts = [*(given_networks(job) if len(job.topology) == 3 else []), *evolved_starts]
    settings = AnnealSettings(chains=config.chains, proposals=config.proposals)
    checkpoint = job.run.path("search", "search.checkpoint.npz")
    with job.reporter.bar("annealing", 1) as bar:
        networks = anneal(
            settings,
            rows.codes,
            rows.y,
            n_classes=rows.n_classes,
            input_bits=config.input_bits,
            technology=job.technology,
            rng=job.rng(SEARCH),
            class_weights=judge.weights,
            lsb=config.lsb,
            msb=config.msb,
            starts=starts,
            on_progress=lambda done, of, errors, area: bar.step(to=done, of=of, note=f"{area:.1f} mm2"),
            should_stop=job.stop.is_set,
            checkpoint=checkpoint,
        )
    found = [judge.entry(SEARCH, network.model, estimate=network.area_mm2) for network in networks]
    job.run.write_json({"found": found}, "search", "search.json")
    if not job.stop.is_set():
        checkpoint.unlink(missing_ok=True)
    return ["search/search.json"]
