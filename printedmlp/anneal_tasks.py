"""What one worker of the annealing search does: a chain of one round, from its start to its last error budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from printedmlp.anneal_settings import AnnealSettings
from printedmlp.area import AreaUnits
from printedmlp.chain import Chain
from printedmlp.found import Candidates, Pool
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.moves import random_states
from printedmlp.starts import start_point

SLICE = 20_000
"""Proposals between two looks at whether to stop and two orderings of the rows."""
LEARNING_PRICE = 5.0
"""How much dearer errors are while a chain learns than while it shrinks."""
TENTH = 0.1

Progress = Callable[[int, int, int, float], object]
"""Levels done, levels in all, fewest errors and smallest area in mm2 so far."""


@dataclass(frozen=True)
class Problem:
    """Rows, what each counts, and what area is made of; `lsb` and `msb` are of the hidden activations.

    X (n, F) codes, y (n,) class indices, weights (n,) int64.
    """

    X: NDArray[np.integer]
    y: NDArray[np.integer]
    weights: NDArray[np.int64]
    n_classes: int
    input_bits: int
    units: AreaUnits
    lsb: int
    msb: int

    def layout(self, width: int, top: int) -> GenomeLayout:
        """The genome with so many hidden neurons whose activations end at bit `top`, at most `msb`."""
        sizes = (self.X.shape[1], width, self.n_classes)
        msb = max(min(top, self.msb), self.lsb)
        return GenomeLayout.uniform(sizes, input_bits=self.input_bits, lsb=self.lsb, msb=msb)


@dataclass(frozen=True)
class Task:
    """One chain of one round: its number in all, its place in the round, layout, kind of start or genes, seed."""

    number: int
    place: int
    layout: GenomeLayout
    start: str | Genes
    seed: int


class Watch:
    """Counts levels for whoever waits and tells the chains when to end; shared by all threads."""

    def __init__(self, total: int, report: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        self._total, self._report, self._should_stop = total, report, should_stop
        self._lock = threading.Lock()
        self._done, self._errors, self._area = 0, -1, np.inf
        self._ended = False

    def end(self) -> None:
        """Let every chain stop at its next look."""
        self._ended = True

    @property
    def ended(self) -> bool:
        """Whether to stop: someone said so, or `should_stop` does."""
        if not self._ended and self._should_stop is not None:
            with self._lock:
                self._ended = self._ended or bool(self._should_stop())
        return self._ended

    def tick(self, levels: int, found: Sequence[Candidates]) -> None:
        """Report levels as done, with the best of what they found."""
        with self._lock:
            self._done += levels
            errors = min(int(candidates.errors.min()) for candidates in found)
            self._errors = errors if self._errors < 0 else min(self._errors, errors)
            self._area = min(self._area, *(float(candidates.areas.min()) for candidates in found))
            if self._report is not None and not self._ended:
                self._report(self._done, self._total, self._errors, self._area)


def error_budgets(fewest: int, weight: int, max_loss: float, n: int) -> list[int]:
    """`n` budgets from `fewest` to `max_loss` of the rows' weight more, closer together near the fewest."""
    steps = np.linspace(0.0, 1.0, n) ** 2 if n > 1 else np.ones(1)
    return [fewest + int(step) for step in np.floor(steps * max_loss * weight)]


class Worker:
    """One chain of one round at work."""

    def __init__(self, settings: AnnealSettings, problem: Problem, task: Task, watch: Watch) -> None:
        self._settings, self._problem, self._task, self._watch = settings, problem, task, watch
        self._rng = np.random.default_rng(task.seed)
        self._weight = int(problem.weights.sum())
        self._chains: list[Chain] = []

    def run(self, pool: Pool | None) -> list[Candidates]:
        """All that was worth keeping, by chain.

        Without a pool, learn from the task's start and shrink under budgets from the fewest errors reached; else
        shrink the pool's best under the task's share of budgets from its fewest errors.
        """
        settings = self._settings
        if pool is None:
            self._start(self._task.layout, self._first_genes())
            self._learn()
            fewest = int(self._chains[0].best().errors.min())
            budgets = error_budgets(fewest, self._weight, settings.max_loss, settings.levels)
        else:
            n = settings.chains * settings.levels
            first = self._task.place * settings.levels
            fewest = int(pool.errors.min())
            budgets = error_budgets(fewest, self._weight, settings.max_loss, n)[first : first + settings.levels]
        for budget in budgets:
            self._go_on(budget, pool)
            self._shrink(budget)
            self._watch.tick(1, [self._chains[-1].best()])
        return [chain.best().thinned(settings.keep) for chain in self._chains]

    def _first_genes(self) -> Genes:
        task, problem = self._task, self._problem
        if isinstance(task.start, str):
            return start_point(task.start, task.layout, problem.X, problem.y, rng=self._rng)
        return task.start

    def _start(self, layout: GenomeLayout, genes: Genes) -> None:
        problem = self._problem
        chain = Chain(
            layout,
            problem.X,
            problem.y,
            problem.weights,
            units=problem.units,
            shares=self._settings.moves,
            another_move=self._settings.another_move,
            genes=genes,
            seed=int(random_states(1, self._rng)[0, 0]),
        )
        self._chains.append(chain)

    def _go_on(self, budget: int, pool: Pool | None) -> None:
        """Take the smallest circuit within the budget: of this task so far, or of the rounds before."""
        own = Pool([chain.best() for chain in self._chains]) if self._chains else None
        source = min((p for p in (own, pool) if p is not None), key=lambda p: p.smallest_within(budget).area)
        best = source.smallest_within(budget)
        if self._chains and self._chains[-1].layout == best.layout:
            self._chains[-1].restart(best.genes)
        else:
            self._start(best.layout, best.genes)

    def _learn(self) -> None:
        proposals = int(self._settings.proposals * self._settings.learning)
        self._anneal(0, LEARNING_PRICE * self._price(), proposals, proposals)

    def _shrink(self, budget: int) -> None:
        proposals = self._settings.proposals
        soft = int(proposals * (1 - self._settings.hard_share))
        self._anneal(budget, self._price(), proposals, soft)

    def _price(self) -> float:
        return self._settings.price * self._area() / (self._weight * TENTH)

    def _area(self) -> float:
        # A circuit of no gates at all still needs a temperature.
        return max(self._chains[-1].area, self._problem.units.full)

    def _anneal(self, budget: int, price: float, proposals: int, soft: int) -> None:
        """So many proposals, the first `soft` with a price on errors beyond the budget, the others without any."""
        chain = self._chains[-1]
        hot = self._settings.heat * self._area()
        stops = sorted({*range(SLICE, proposals, SLICE), soft, proposals})
        for first, stop in pairwise([0, *(stop for stop in stops if stop > 0)]):
            if self._watch.ended:
                break
            rule = (budget, hot, self._settings.cooling * hot, price if first < soft else -1.0)
            chain.run(rule, first, stop, proposals)
            chain.restart(chain.genes)
