"""Evaluated individuals, and the selection of NSGA-II under a constraint, with DEAP."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from deap import base, tools
from numpy.typing import NDArray

from printedmlp.cost import Cost, Costs
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.pareto import non_dominated

Rows = NDArray[np.intp] | NDArray[np.bool_]


class Fitness(base.Fitness):
    """Wrong training rows and cost, both minimised."""

    weights = (-1.0, -1.0)


class Individual:
    """A row of a population as DEAP sees it; DEAP's selection adds the crowding distance to the fitness."""

    __slots__ = ("fitness", "row")

    def __init__(self, row: int, objectives: tuple[float, float]) -> None:
        self.row = row
        self.fitness = Fitness(objectives)


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
    """The best `size` individuals: DEAP's NSGA-II among the feasible, then the infeasible with fewest errors.

    Copies of an individual (equal canonical genes) come last, whatever their worth: on discrete genes they would
    otherwise take over the population.
    """
    first = first_of_each(layout.canonical(candidates.genes))
    feasible = candidates.errors <= max_errors
    crowding = np.zeros(len(candidates))
    chosen = [
        *_nsga2(candidates, np.flatnonzero(first & feasible), size, crowding),
        *_by_errors(candidates, first & ~feasible),
        *_by_errors(candidates, ~first),
    ]
    return replace(candidates, crowding=crowding)[np.array(chosen[:size], dtype=np.intp)]


def first_of_each(genes: Genes) -> NDArray[np.bool_]:
    """Which rows of (P, G) equal no earlier row."""
    seen: set[bytes] = set()
    first = np.zeros(len(genes), dtype=bool)
    for row, values in enumerate(genes):
        key = values.tobytes()
        first[row] = key not in seen
        seen.add(key)
    return first


def _nsga2(candidates: Population, rows: NDArray[np.intp], size: int, crowding: NDArray[np.float64]) -> list[int]:
    if not len(rows):
        return []
    objectives = candidates.objectives[rows].tolist()
    individuals = [Individual(row, values) for row, values in zip(rows.tolist(), objectives, strict=True)]
    chosen = tools.selNSGA2(individuals, min(size, len(individuals)), nd="log")
    for individual in chosen:
        crowding[individual.row] = individual.fitness.crowding_dist
    return [individual.row for individual in chosen]


def _by_errors(candidates: Population, among: NDArray[np.bool_]) -> list[int]:
    rows = np.flatnonzero(among)
    order: list[int] = rows[np.argsort(candidates.errors[rows], kind="stable")].tolist()
    return order
