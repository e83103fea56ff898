"""The search of the DATE 2024 method: NSGA-II over masks, signs, exponents and biases, with DEAP.

Afentaki, Hefenbrock, Zervakis, Tahoori, "Embedding Hardware Approximations in Discrete Genetic-based Training for
Printed MLPs", DATE 2024: minimise training error and full-adder count; start from random individuals and a share of
nearly exact ones; individuals that lose more accuracy than allowed are infeasible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from deap import base
from numpy.typing import NDArray

from printedmlp import checkpoint as checkpoints
from printedmlp import operators
from printedmlp.checkpoint import SearchState
from printedmlp.cost import Cost, Costs
from printedmlp.errors import ConfigError
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import Genes, GenomeLayout, as_genes
from printedmlp.pareto import hypervolume
from printedmlp.population import Population, first_of_each, select


@dataclass(frozen=True)
class SearchSettings:
    """What the search may spend and how bold it is.

    Parameters
    ----------
    population : individuals, 4 or more.
    generations : rounds of variation, evaluation and selection after the initial population.
    crossover_rate : probability that a pair of parents is crossed.
    mutations_per_child : expected number of genes that change; with G genes each changes with this over G.
    removal_share : share of the mutated masks that are cleared, which removes the connection.
    max_accuracy_loss : accuracy below the reference, on the training rows, beyond which an individual is
        infeasible; 0.1 is ten points.
    nearly_exact_share : share of the initial population taken from the given start points.

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    population: int = 200
    generations: int = 1000
    crossover_rate: float = 0.7
    mutations_per_child: float = 2.5
    removal_share: float = 0.25
    max_accuracy_loss: float = 0.1
    nearly_exact_share: float = 0.1

    def __post_init__(self) -> None:
        for name, least in (("population", 4), ("generations", 0), ("mutations_per_child", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")
        for name in ("crossover_rate", "removal_share", "max_accuracy_loss", "nearly_exact_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be in 0..1, not {getattr(self, name)}")


@dataclass(frozen=True)
class Generation:
    """What there is to say about one generation; number 0 is the initial population.

    best_error (wrong training rows) and smallest_cost are the extremes of the feasible individuals found so
    far, or of the population while there are none. hypervolume is the share, 0 to 1, of the rectangle between no
    error and no cost on one side and, on the other, the most errors allowed and the largest start point.
    """

    number: int
    of: int
    best_error: int
    smallest_cost: float
    hypervolume: float
    evaluations: int


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    genes (n, G), errors (n,) wrong training rows, costs (n,): first the `n_front` individuals that no other
    feasible one ever evaluated dominates, fewest errors first; then the other feasible individuals of the last
    population. No two rows are the same classifier. Empty if nothing feasible was found.
    history : one dictionary of `Generation`'s fields per generation.
    """

    genes: Genes
    errors: NDArray[np.int64]
    costs: Costs
    n_front: int
    generations: int
    history: list[dict[str, Any]]


def evolve(
    settings: SearchSettings,
    layout: GenomeLayout,
    evaluator: PopulationEvaluator,
    cost: Cost,
    *,
    reference_accuracy: float,
    rng: np.random.Generator,
    initial: Sequence[Genes] | Genes = (),
    on_generation: Callable[[Generation], object] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 50,
    resume: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
) -> SearchResult:
    """Search for classifiers with few training errors and a small circuit.

    Parameters
    ----------
    evaluator, cost : of `layout`; the evaluator holds the training rows, the cost is that of DATE 2024
        (`PopulationCost`) or the closed-form area (`AreaModel`).
    reference_accuracy : of the exact baseline on the training rows, 0 to 1.
    rng : the only source of chance; the same state gives the same result, bit for bit.
    initial : genes (K, G) of nearly exact classifiers, best first.
    on_generation : called after every generation; an exception it raises ends the search.
    checkpoint : file that keeps the state, written every `checkpoint_every` generations.
    should_stop : asked before every generation; once it says yes, what is found so far is the result.
    resume : go on from `checkpoint` if it is of this very search; the result is the same as without the break.

    Raises
    ------
    ModelError : for start points out of range.
    """
    work = Evolution(settings, layout, evaluator, cost, reference_accuracy=reference_accuracy, initial=initial)
    return work.run(
        rng,
        on_generation=on_generation,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        should_stop=should_stop,
    )


class Evolution:
    """A search's generations, one at a time; parameters and errors as of `evolve`."""

    def __init__(
        self,
        settings: SearchSettings,
        layout: GenomeLayout,
        evaluator: PopulationEvaluator,
        cost: Cost,
        *,
        reference_accuracy: float,
        initial: Sequence[Genes] | Genes = (),
    ) -> None:
        allowed = 1 - reference_accuracy + settings.max_accuracy_loss
        self.settings, self.layout = settings, layout
        self.max_errors = int(np.floor(allowed * evaluator.total_weight + 1e-9))
        self._starts = as_genes(np.array(initial)).reshape(-1, layout.size)
        self._corner = (self.max_errors + 1, _largest_cost(cost, layout, self._starts) + 1)
        self._named = (evaluator.digest, cost.name)
        self._box = toolbox(settings, layout, evaluator, cost, self.max_errors)

    def run(
        self,
        rng: np.random.Generator,
        *,
        on_generation: Callable[[Generation], object] | None = None,
        checkpoint: Path | None = None,
        checkpoint_every: int = 50,
        resume: bool = True,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> SearchResult:
        """All generations of one population; parameters as of `evolve`."""
        digest = self.digest(rng)

        def report(state: SearchState) -> SearchState:
            generation = self.describe(state)
            state.history.append(asdict(generation))
            if checkpoint and state.number and state.number % checkpoint_every == 0:
                checkpoints.save(checkpoint, digest, [state], [rng])
            if on_generation:
                on_generation(generation)
            return state

        kept = checkpoints.load(checkpoint, digest, [rng]) if checkpoint and resume else None
        state = kept[0] if kept else report(self.first(rng))
        while state.number < self.settings.generations and not should_stop():
            state = report(self.step(state, rng))
        if checkpoint and state.number < self.settings.generations:
            checkpoints.save(checkpoint, digest, [state], [rng])
        return self.result(state)

    def first(self, rng: np.random.Generator) -> SearchState:
        """The state before the first generation."""
        genes = first_genes(self.settings, self.layout, self._starts, rng)
        population = self._box.select(self._box.evaluate(genes))
        return SearchState(0, population, population.feasible(self.max_errors).front(), [])

    def step(self, state: SearchState, rng: np.random.Generator) -> SearchState:
        """The state one generation later."""
        box = self._box
        parents = box.choose_parents(state.population, rng)
        children = box.mutate(box.mate(parents, rng), rng)[: self.settings.population]
        offspring = box.evaluate(children)
        population = box.select(state.population + offspring)
        archive = (state.archive + offspring.feasible(self.max_errors)).front()
        return SearchState(state.number + 1, population, archive, state.history)

    def joined(self, state: SearchState, guests: Population) -> SearchState:
        """The state with individuals of elsewhere among those that the population is selected from."""
        population = self._box.select(state.population + guests)
        return SearchState(state.number, population, (state.archive + guests).front(), state.history)

    def describe(self, state: SearchState, islands: int = 1) -> Generation:
        """What there is to say of a state, of which there are so many side by side."""
        return _describe(state, self.settings, self._corner, islands)

    def result(self, state: SearchState) -> SearchResult:
        """What a search that ends with this state has found."""
        return _result(state, self.layout, self.max_errors)

    def digest(self, rng: np.random.Generator, *more: int) -> str:
        """Names the search that starts with this generator: everything its result depends on."""
        parts = [asdict(self.settings), asdict(self.layout), *self._named, self.max_errors]
        text = json.dumps([*parts, rng.bit_generator.state, *more])
        return hashlib.sha256(text.encode() + self._starts.tobytes()).hexdigest()


def toolbox(
    settings: SearchSettings,
    layout: GenomeLayout,
    evaluator: PopulationEvaluator,
    cost: Cost,
    max_errors: int,
) -> base.Toolbox:
    """DEAP's toolbox with the operators of the search, each on a whole population at once."""
    box = base.Toolbox()
    n_parents = settings.population + settings.population % 2
    box.register("evaluate", Population.evaluated, evaluator=evaluator, cost=cost)
    box.register("choose_parents", operators.tournament, n=n_parents, max_errors=max_errors)
    box.register("mate", operators.mate, layout=layout, rate=settings.crossover_rate)
    box.register("mutate", operators.mutate, layout=layout, **_mutation(settings, layout))
    box.register("select", select, size=settings.population, layout=layout, max_errors=max_errors)
    return box


def first_genes(settings: SearchSettings, layout: GenomeLayout, starts: Genes, rng: np.random.Generator) -> Genes:
    """The initial population, (P, G): a share of start points, repeated with mutations to fill it; else random."""
    share = round(settings.population * settings.nearly_exact_share) if len(starts) else 0
    nearly_exact = np.resize(starts, (share, layout.size))
    copies = nearly_exact[len(starts) :]
    nearly_exact[len(starts) :] = operators.mutate(copies, rng, layout=layout, **_mutation(settings, layout))
    return np.concatenate([nearly_exact, layout.random(settings.population - share, rng)])


def _mutation(settings: SearchSettings, layout: GenomeLayout) -> dict[str, float]:
    return {"rate": settings.mutations_per_child / layout.size, "removal_share": settings.removal_share}


def _largest_cost(cost: Cost, layout: GenomeLayout, starts: Genes) -> float:
    genes = starts if len(starts) else layout.upper[None, :]
    return float(cost.costs(genes).max())


def _describe(
    state: SearchState, settings: SearchSettings, corner: tuple[float, float], islands: int
) -> Generation:
    known = state.archive if len(state.archive) else state.population
    return Generation(
        number=state.number,
        of=settings.generations,
        best_error=int(known.errors.min()),
        smallest_cost=known.costs.min().item(),
        hypervolume=hypervolume(state.archive.objectives, corner) / (corner[0] * corner[1]),
        evaluations=(state.number + 1) * settings.population * islands,
    )


def _result(state: SearchState, layout: GenomeLayout, max_errors: int) -> SearchResult:
    found = state.archive + state.population.feasible(max_errors)
    found = found[first_of_each(layout, found.genes)]
    n_front = len(state.archive)
    return SearchResult(found.genes, found.errors, found.costs, n_front, state.number, state.history)
