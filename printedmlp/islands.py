"""NSGA-II on islands: populations of their own that exchange members of their fronts.

The islands work in epochs of so many generations, each from its own generator. Between two epochs all fronts are
merged, and members spread evenly over the merged front join every population before its next selection. An epoch
depends on nothing but the one before, so that threads and timing change nothing in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from printedmlp import checkpoint as checkpoints
from printedmlp.checkpoint import SearchState
from printedmlp.cores import available_cores
from printedmlp.errors import ConfigError
from printedmlp.population import Population
from printedmlp.search import Evolution, Generation, SearchResult


@dataclass(frozen=True)
class IslandSettings:
    """How many islands there are and what they exchange.

    Parameters
    ----------
    islands : populations, each as large as the search's settings say.
    epoch : generations between two exchanges.
    migrants : most members of the merged front that join each population; 0 lets every island work alone.

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    islands: int = 4
    epoch: int = 50
    migrants: int = 10

    def __post_init__(self) -> None:
        for name, least in (("islands", 1), ("epoch", 1), ("migrants", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"{name} must be at least {least}, not {getattr(self, name)}")


def evolve_islands(
    islands: IslandSettings,
    work: Evolution,
    *,
    rng: np.random.Generator,
    on_epoch: Callable[[Generation], object] | None = None,
    checkpoint: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    threads: int | None = None,
) -> SearchResult:
    """Search on islands; the result is as of `printedmlp.search.evolve`, its history has a record for each epoch.

    Parameters
    ----------
    work : the search; each island does all of its settings' generations with a population of its settings' size.
    rng : the only source of chance; the same state gives the same result, bit for bit.
    on_epoch : told after each exchange what the islands have together.
    checkpoint : file that keeps the state after each exchange; a call that finds it goes on to the same result.
    should_stop : asked before every generation; once it says yes, what is found so far is the result.
    threads : islands at a time; by default one per available core.
    """
    generations = work.settings.generations
    digest = work.digest(rng, islands.islands, islands.epoch, islands.migrants)
    rngs = rng.spawn(islands.islands)
    states = checkpoints.load(checkpoint, digest, rngs) if checkpoint else None
    states = states or [work.first(own) for own in rngs]
    history = states[0].history
    with ThreadPoolExecutor(min(threads or available_cores(), islands.islands)) as pool:
        while states[0].number < generations and not should_stop():
            stop = min(states[0].number + islands.epoch, generations)
            jobs = [pool.submit(_epoch, work, *pair, stop, should_stop) for pair in zip(states, rngs, strict=True)]
            states = _exchanged(work, [job.result() for job in jobs], islands.migrants)
            told = work.describe(_together(states), islands.islands)
            history.append(asdict(told))
            # An epoch that was cut short would go on with other exchanges than one that was not.
            if checkpoint and not should_stop():
                checkpoints.save(checkpoint, digest, states, rngs)
            if on_epoch:
                on_epoch(told)
    return work.result(_together(states))


def _epoch(
    work: Evolution, state: SearchState, rng: np.random.Generator, stop: int, should_stop: Callable[[], bool]
) -> SearchState:
    while state.number < stop and not should_stop():
        state = work.step(state, rng)
    return state


def _exchanged(work: Evolution, states: Sequence[SearchState], migrants: int) -> list[SearchState]:
    guests = _spread(_merged(states), migrants)
    return [work.joined(state, guests) if len(guests) else state for state in states]


def _merged(states: Sequence[SearchState]) -> Population:
    return reduce(add, (state.archive for state in states)).front()


def _together(states: Sequence[SearchState]) -> SearchState:
    """All islands as one: the merged front and everybody."""
    everybody = reduce(add, (state.population for state in states))
    return SearchState(states[0].number, everybody, _merged(states), states[0].history)


def _spread(front: Population, n: int) -> Population:
    """At most `n` of a front, evenly spaced by errors, both ends among them."""
    rows = np.linspace(0, len(front) - 1, min(n, len(front))).round().astype(np.intp)
    return front[np.unique(rows)]
