"""Approximated bespoke trees: NSGA-II over thresholds, precisions and prunings, with DEAP.

In the manner of Balaskas, Zervakis, Siozios, Tahoori, Henkel, "Approximate Decision Trees for Machine Learning
Classification on Tiny Printed Circuits", ISQED 2022: every comparator of a trained tree gets a threshold of its own
near the trained one and may read only the top bits of its feature. Here a gene can also end the tree at a node, so
that one start tree gives a whole front, and every end answers what most training rows that reach it are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from deap import base
from numpy.typing import ArrayLike, NDArray

from printedmlp import tree_genes
from printedmlp.errors import ConfigError
from printedmlp.exact_trees import checked_weights, training_rows
from printedmlp.operators import constrained_dominance
from printedmlp.pareto import non_dominated
from printedmlp.population import nsga2
from printedmlp.technology import Technology
from printedmlp.threshold_prices import ThresholdPrices
from printedmlp.tree_area import UM2_PER_MM2, TreeUnits, tree_area_um2
from printedmlp.tree_genes import Genes, TreeEvaluator, TreeGenome
from printedmlp.trees import DecisionTree

NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class TreeSearchSettings:
    """What the search may spend on each start tree, and how bold it is.

    Parameters
    ----------
    population : individuals, 4 or more.
    generations : rounds of variation, evaluation and selection.
    crossover_rate : probability that a pair of parents exchanges a subtree.
    mutations_per_child : expected number of changed nodes, among those that training rows reach.

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    population: int = 100
    generations: int = 300
    crossover_rate: float = 0.7
    mutations_per_child: float = 2.0

    def __post_init__(self) -> None:
        for name, least in (("population", 4), ("generations", 0), ("mutations_per_child", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not 0 <= self.crossover_rate <= 1:
            raise ConfigError(f"crossover_rate must be in 0..1, not {self.crossover_rate}")


@dataclass(frozen=True)
class FoundTree:
    """A tree, the weight of the training rows it gets wrong, and its estimated area in mm2."""

    tree: DecisionTree
    errors: int
    area_mm2: float


@dataclass(frozen=True)
class Population:
    """Evaluated individuals: genes (P, G), objectives (P, 2) int64 errors and square micrometres, live (P, N).

    crowding : (P,) float64 crowding distance at the last selection.
    """

    genes: Genes
    objectives: NDArray[np.int64]
    live: NDArray[np.uint8]
    crowding: NDArray[np.float64]

    @classmethod
    def evaluated(cls, genes: Genes, evaluator: TreeEvaluator) -> Population:
        """The individuals of (P, G) genes with their objectives."""
        objectives, live = evaluator.score(genes)
        return cls(genes, objectives, live, np.zeros(len(genes)))

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Population:
        return Population(self.genes[rows], self.objectives[rows], self.live[rows], self.crowding[rows])

    def __add__(self, other: Population) -> Population:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Population(*(np.concatenate(pair) for pair in pairs))

    def front(self) -> Population:
        """The non-dominated individuals, one for each pair of objectives."""
        return self[non_dominated(self.objectives)]


def approximate_trees(
    settings: TreeSearchSettings,
    trees: Sequence[DecisionTree],
    X_train: ArrayLike,
    y_train: ArrayLike,
    *,
    technology: Technology,
    rng: np.random.Generator,
    class_weights: Sequence[int] | None = None,
    thresholds: ThresholdPrices | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[FoundTree]:
    """Trees with few training errors and little area; none dominates another, fewest errors first.

    Every start tree is searched on its own, with all of the settings' generations.

    Parameters
    ----------
    trees : start trees of equal inputs and classes.
    X_train : (n_samples, n_features) codes.
    y_train : (n_samples,) class indices.
    technology : whose cells the area is estimated from, see `tree_area`.
    rng : the only source of chance; the same state gives the same trees.
    class_weights : (n_classes,) positive integers; None weighs all classes alike.
    thresholds : prices of tests that are comparators' outputs; None makes them of gates. The area is a price then.
    on_progress : called with (generations done, of); an exception it raises ends the search.
    should_stop : asked before every generation; once it says yes, what is found so far is the result.

    Raises
    ------
    ModelError : for rows or labels that do not fit a tree.
    ConfigError : for class weights that do not fit, or a technology without the cells that areas are counted in.
    """
    units = TreeUnits.of(technology, thresholds)
    found: list[FoundTree] = []
    for number, tree in enumerate(trees):
        X, y = training_rows(X_train, y_train, tree.n_classes, tree.input_bits, tree.n_features)
        evaluator = TreeEvaluator(TreeGenome(tree), X, y, checked_weights(class_weights, tree.n_classes), units)
        tell = partial(_told, on_progress, number * settings.generations, len(trees) * settings.generations)
        archive = _evolved(settings, evaluator, rng, tell, should_stop)
        found += (measured(evaluator.decoded(genes), X, y, evaluator.weights, units) for genes in archive.genes)
    return best_trees(found)


def measured(
    tree: DecisionTree, X: NDArray[np.int64], y: NDArray[np.int64], weights: NDArray[np.int64], units: TreeUnits
) -> FoundTree:
    """A tree with its weighted errors on the rows X (n, F), y (n,) and its estimated area."""
    wrong = tree.predict(X) != y
    return FoundTree(tree, int(weights[y[wrong]].sum()), tree_area_um2(tree, units) / UM2_PER_MM2)


def best_trees(found: Sequence[FoundTree]) -> list[FoundTree]:
    """The trees that no other dominates in errors and area, fewest errors first."""
    if not found:
        return []
    best = np.flatnonzero(non_dominated([(item.errors, item.area_mm2) for item in found]))
    return sorted((found[int(row)] for row in best), key=lambda item: item.errors)


def _told(on_progress: Callable[[int, int], object] | None, before: int, of: int, done: int) -> None:
    if on_progress:
        on_progress(before + done, of)


def _evolved(
    settings: TreeSearchSettings,
    evaluator: TreeEvaluator,
    rng: np.random.Generator,
    tell: Callable[[int], object],
    should_stop: Callable[[], bool],
) -> Population:
    """The archive of all non-dominated individuals of one start tree's search."""
    box = toolbox(settings, evaluator)
    population = box.select(box.evaluate(box.first(rng)))
    archive: Population = population.front()
    if evaluator.genome.n_inner == 0:
        return archive
    for number in range(settings.generations):
        if should_stop():
            break
        parents = box.choose_parents(population, rng)
        children = box.mutate(box.mate(parents, rng), parents.live, rng)[: settings.population]
        offspring = box.evaluate(children)
        population = box.select(population + offspring)
        archive = (archive + offspring).front()
        tell(number + 1)
    return archive


def toolbox(settings: TreeSearchSettings, evaluator: TreeEvaluator) -> base.Toolbox:
    """DEAP's toolbox with the operators of the search, each on a whole population at once."""
    box = base.Toolbox()
    genome, n_parents = evaluator.genome, settings.population + settings.population % 2
    box.register("first", _first_genes, settings, evaluator)
    box.register("evaluate", Population.evaluated, evaluator=evaluator)
    box.register("choose_parents", tournament, n=n_parents)
    box.register("mate", _mated, genome=genome, rate=settings.crossover_rate)
    box.register("mutate", tree_genes.mutate, genome=genome, mutations=settings.mutations_per_child)
    box.register("select", select, size=settings.population)
    return box


def _first_genes(settings: TreeSearchSettings, evaluator: TreeEvaluator, rng: np.random.Generator) -> Genes:
    """The start tree and prunings of it, spread over its pruning path; then all of these again, mutated."""
    path = evaluator.pruning_path()
    half = (settings.population + 1) // 2
    chosen = path[np.unique(np.linspace(0, len(path) - 1, half).round().astype(int))]
    copies = np.resize(chosen, (settings.population - len(chosen), path.shape[1]))
    _, live = evaluator.score(copies)
    mutations = settings.mutations_per_child
    changed = tree_genes.mutate(copies, live, rng, genome=evaluator.genome, mutations=mutations)
    return np.concatenate([chosen, changed])


def tournament(population: Population, rng: np.random.Generator, *, n: int) -> Population:
    """Winners of n binary tournaments: who dominates, else who is in the less crowded place, else the first."""
    first, second = rng.integers(0, len(population.genes), size=(2, n))
    worse = constrained_dominance(population.objectives[first], population.objectives[second], NO_LIMIT)
    crowding = population.crowding
    second_wins = (worse > 0) | ((worse == 0) & (crowding[second] > crowding[first]))
    return population[np.where(second_wins, second, first)]


def _mated(parents: Population, rng: np.random.Generator, *, genome: TreeGenome, rate: float) -> Genes:
    return tree_genes.mate(parents.genes, parents.live, rng, genome=genome, rate=rate)


def select(candidates: Population, *, size: int) -> Population:
    """The best `size` individuals by NSGA-II; those with the objectives of an earlier one come last."""
    _, first = np.unique(candidates.objectives, axis=0, return_index=True)
    first.sort()
    errors, areas = candidates.objectives[first].T
    chosen, distances = nsga2(errors, areas, size)
    crowding = np.zeros(len(candidates.genes))
    crowding[first[chosen]] = distances
    copies = np.setdiff1d(np.arange(len(crowding)), first)
    rows = np.concatenate([first[chosen], copies])[:size]
    return Population(candidates.genes, candidates.objectives, candidates.live, crowding)[rows]
