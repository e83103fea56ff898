"""Evaluated individuals, and the selection of NSGA-II under a constraint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from printedmlp.cost import Cost, Costs
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import BIAS, MASK, Genes, GenomeLayout
from printedmlp.kernels.sorting import EMPTY, add_crowding, mark_first, sort_fronts
from printedmlp.pareto import non_dominated

Rows = NDArray[np.intp] | NDArray[np.bool_]


@dataclass(frozen=True)
class Population:
    """Evaluated individuals, one array per property.

    genes : (P, G) int32.
    errors : (P,) int64 wrong training rows.
    costs : (P,) int64 or float64, such as full adders or mm2.
    crowding : (P,) float64 crowding distance at the last selection, 0 for the infeasible.
    """

    genes: Genes
    errors: NDArray[np.int64]
    costs: Costs
    crowding: NDArray[np.float64]

    @classmethod
    def evaluated(cls, genes: Genes, *, evaluator: PopulationEvaluator, cost: Cost) -> Population:
        """The individuals of (P, G) genes with their objectives."""
        return cls(genes, evaluator.errors(genes), cost.costs(genes), np.zeros(len(genes)))

    def __len__(self) -> int:
        return len(self.genes)

    def __add__(self, other: Population) -> Population:
        return Population(
            np.concatenate([self.genes, other.genes]),
            np.concatenate([self.errors, other.errors]),
            np.concatenate([self.costs, other.costs]),
            np.concatenate([self.crowding, other.crowding]),
        )

    def __getitem__(self, rows: Rows) -> Population:
        return Population(self.genes[rows], self.errors[rows], self.costs[rows], self.crowding[rows])

    @property
    def objectives(self) -> Costs:
        """(P, 2): errors and costs, of the costs' type."""
        return np.stack([self.errors, self.costs], axis=1)

    def feasible(self, max_errors: int) -> Population:
        """The individuals with at most `max_errors` wrong rows."""
        return self[self.errors <= max_errors]

    def front(self) -> Population:
        """The non-dominated individuals, one for each pair of objectives, fewest errors first."""
        best = self[non_dominated(self.objectives)]
        return best[np.argsort(best.errors, kind="stable")]


def select(candidates: Population, *, size: int, layout: GenomeLayout, max_errors: int) -> Population:
    """The best `size` individuals: NSGA-II among the feasible, then the infeasible with fewest errors.

    Copies of an individual (the same classifier, see `first_of_each`) come last, whatever their worth: on discrete
    genes they would otherwise take over the population.
    """
    first = first_of_each(layout, candidates.genes)
    feasible = candidates.errors <= max_errors
    crowding = np.zeros(len(candidates))
    rows = np.flatnonzero(first & feasible)
    chosen, distances = nsga2(candidates.errors[rows], candidates.costs[rows], size)
    crowding[rows[chosen]] = distances
    order = [rows[chosen], _by_errors(candidates, first & ~feasible), _by_errors(candidates, ~first)]
    return replace(candidates, crowding=crowding)[np.concatenate(order)[:size]]


def nsga2(errors: Costs, costs: Costs, size: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The selection of NSGA-II (Deb and others, 2002), as DEAP's `selNSGA2` with `nd="log"` makes it.

    Returns
    -------
    The best `size` of the (n,) individuals, or all if there are fewer: front by front, the last front by falling
    crowding distance; and the crowding distances of those chosen.
    """
    first, second = errors.astype(np.float64), costs.astype(np.float64)
    order = np.lexsort((second, first))
    fronts, work = np.zeros(len(order), np.int64), np.zeros(len(order))
    n_fronts = sort_fronts(first, second, order, fronts, work)
    by_front = order[np.argsort(fronts[order], kind="stable")]
    sizes = np.bincount(fronts, minlength=n_fronts)
    crowding, chosen = np.zeros(len(order)), np.zeros(0, np.intp)
    for end, width in zip(np.cumsum(sizes), sizes, strict=True):
        front = by_front[end - width : end]
        add_crowding(first, second, front, np.zeros_like(front), crowding)
        last = end >= min(size, len(order))
        if last:
            front = front[np.argsort(-crowding[front], kind="stable")]
        chosen = np.concatenate([chosen, front])[:size]
        if last:
            break
    return chosen, crowding[chosen]


def first_of_each(layout: GenomeLayout, genes: Genes) -> NDArray[np.bool_]:
    """Which rows of (P, G) are the same classifier, connection by connection, as no earlier row, (P,).

    That is where canonical genes are equal: what a removed connection's sign and exponent say does not count.
    """
    genes = np.ascontiguousarray(genes)
    masks, biases = np.flatnonzero(layout.kinds == MASK), np.flatnonzero(layout.kinds == BIAS)
    hashes, first = np.zeros(len(genes), np.uint64), np.zeros(len(genes), dtype=bool)
    table = np.full(2 << len(genes).bit_length(), EMPTY)
    mark_first(genes, masks, biases, _keys(layout.size), hashes, table, first)
    return first


@cache
def _keys(n: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(0, 1 << 63, n, dtype=np.uint64) * 2 + 1


def _by_errors(candidates: Population, among: NDArray[np.bool_]) -> NDArray[np.intp]:
    rows = np.flatnonzero(among)
    return rows[np.argsort(candidates.errors[rows], kind="stable")]
