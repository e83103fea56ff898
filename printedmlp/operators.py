"""Genetic operators on whole populations of chromosomes, for DEAP's toolbox.

Each takes and returns (P, G) int32 arrays, draws from the generator it is given, and leaves its arguments alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from printedmlp.cost import Costs
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels.variation import change_genes, swap_neurons
from printedmlp.population import Population


def tournament(population: Population, rng: np.random.Generator, *, n: int, max_errors: int) -> Genes:
    """Genes, (n, G), of the winners of n binary tournaments.

    The one that dominates under the constraint wins, else the one in the less crowded place, else the first drawn
    (Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002).

    Parameters
    ----------
    max_errors : more errors than this are a violation; less violation beats more, whatever the area.
    """
    first, second = rng.integers(0, len(population), size=(2, n))
    worse = constrained_dominance(population.objectives[first], population.objectives[second], max_errors)
    crowding = population.crowding
    second_wins = (worse > 0) | ((worse == 0) & (crowding[second] > crowding[first]))
    winners: Genes = population.genes[np.where(second_wins, second, first)]
    return winners


def constrained_dominance(a: Costs, b: Costs, max_errors: int) -> NDArray[np.int64]:
    """Row by row -1 where `a` dominates `b`, 1 where `b` dominates `a`, else 0; (n, 2) errors and costs.

    Without errors beyond `max_errors` on either side that is Pareto dominance; else fewer errors beyond it win.
    """
    violation = np.sign(np.maximum(a[:, 0], max_errors) - np.maximum(b[:, 0], max_errors))
    errors, costs = np.sign(a - b).T
    pareto = np.where(errors * costs >= 0, np.sign(errors + costs), 0)
    feasible = (a[:, 0] <= max_errors) & (b[:, 0] <= max_errors)
    return np.asarray(np.where(feasible, pareto, violation), dtype=np.int64)


def mate(parents: Genes, rng: np.random.Generator, *, layout: GenomeLayout, rate: float) -> Genes:
    """Uniform crossover of whole neurons between rows 0 and 1, 2 and 3, ...; P even.

    Each pair is crossed with probability `rate`; then every neuron, its connections and bias together, changes
    places with probability one half. A neuron's weights only mean something together.
    """
    children = parents.copy()
    n_pairs = len(parents) // 2
    crossed = rng.random((n_pairs, 1)) < rate
    swapped = crossed & (rng.random((n_pairs, int(layout.neurons[-1]) + 1)) < 0.5)
    swap_neurons(children, layout.neurons, swapped)
    return children


def mutate(
    genes: Genes, rng: np.random.Generator, *, layout: GenomeLayout, rate: float, removal_share: float
) -> Genes:
    """Change every gene with probability `rate`, by its kind.

    A sign turns, one random bit of a mask flips, an exponent steps by one, a bias moves up or down by a random
    power of two. What would leave the range goes to the bound or, for an exponent, the other way. With probability
    `removal_share` a mask that changes is cleared instead: bit by bit, a connection is hardly ever removed.
    """
    genes = genes.copy()
    # So many genes anywhere is the same as every gene by its own chance, with far fewer draws.
    n_changed = rng.binomial(genes.size, min(rate, 1.0))
    places = rng.choice(genes.size, n_changed, replace=False, shuffle=False)
    bits, directions = rng.random(n_changed), rng.integers(0, 2, n_changed) * 2 - 1
    removed = rng.random(n_changed) < removal_share
    change_genes(genes.reshape(-1), places, layout.kinds, layout.lower, layout.upper, (bits, directions, removed))
    return genes
