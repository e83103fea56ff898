"""From one mapped circuit to a whole family: evolution under budgets that grow level by level, then for power."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from printedmlp.circuit.netlist import Netlist
from printedmlp.circuit.refine import Evolution, Goal, Refined
from printedmlp.errors import ConfigError

LOSSES = (0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.055, 0.07, 0.09, 0.12)
"""Error budgets beyond the start's own errors, as shares of all rows."""
REORDERINGS, MOST_MOVES = 2, 500_000
"""Fewest rounds of each level, each with another order of the gates, and most moves of a round."""
COMPOSITE = 0.1
FEWEST_CELLS, MOST_CELLS, AREA_STEP = 2.2, 1300, 1.45
"""Smallest and largest area searched for fewest errors, in smallest cells, and the ratio between neighbours."""
HOT_ROWS = 2.0
"""First temperature of that search, in rows."""
ERROR_SHARE = 0.25
"""Part of a level's moves that lower the errors at the area reached."""
LARGE_CELLS = 500
"""Circuits of more cells are brought down by prices."""
CELLS_A_SHARE = 1000
"""A price makes so many times the moves of a level as there are so many cells, and never fewer."""
PRICES = tuple(3e-5 * 2**step for step in range(11))
"""Of the smallest cell's area, as shares of all weighted rows: what each level may err for that much less area."""


@dataclass(frozen=True)
class SweepSettings:
    """How hard to refine one circuit.

    Parameters
    ----------
    moves : proposals at each level.
    hot, cold : first and last temperature of a level, as shares of the smallest cell's area.
    losses : budgets of the levels, as shares of all weighted rows beyond the start's own errors, in order.

    Raises
    ------
    ConfigError : naming the field and the value out of range.
    """

    moves: int = 300_000
    hot: float = 1.3
    cold: float = 0.09
    losses: tuple[float, ...] = LOSSES

    def __post_init__(self) -> None:
        if self.moves < 0:
            raise ConfigError(f"refine_moves must be at least 0, not {self.moves}")
        if not 0 < self.cold <= self.hot:
            raise ConfigError(f"temperatures must fall and stay above 0, not {self.hot} to {self.cold}")
        if not self.losses or self.losses[0] < 0 or list(self.losses) != sorted(self.losses):
            raise ConfigError(f"losses must grow from 0 or more, not {self.losses}")


def sweep(
    evolution: Evolution, start: Netlist, settings: SweepSettings, rng: np.random.Generator
) -> Iterator[Refined]:
    """Circuits of less and less area and more and more errors; every level goes on from the last.

    A large circuit is brought down by growing prices, any other under growing budgets of errors. A budget settles
    to a row how much a small circuit errs. A large one errs on hardly any row that it was made from, and under a
    budget of so few errors it gives up its many gates too slowly.
    """
    family = under_prices if len(start.instances) > LARGE_CELLS else under_budgets
    return family(evolution, start, settings, rng)


def under_prices(
    evolution: Evolution, start: Netlist, settings: SweepSettings, rng: np.random.Generator
) -> Iterator[Refined]:
    """The circuits of least errors plus priced area, a price of `PRICES` after the other."""
    current, row = start, evolution.care.total_weight / evolution.care.n_rows
    for share in PRICES:
        if evolution.should_stop():
            return
        price = share * evolution.care.total_weight
        goal = Goal(
            area=price / evolution.smallest_area,
            errors=1.0,
            hot=max(row, price),
            cold=0.1 * max(row, price),
            composite=COMPOSITE,
        )
        more = max(1.0, len(current.instances) / CELLS_A_SHARE)
        found = anneal(evolution, current, goal, round(settings.moves * more), rng)
        yield found
        current = found.netlist


def under_budgets(
    evolution: Evolution, start: Netlist, settings: SweepSettings, rng: np.random.Generator
) -> Iterator[Refined]:
    """Two circuits for each of the budgets `settings.losses`, which count from the start's own errors.

    They are the smallest circuit within the budget, and what it becomes when, at no more area, the errors are made
    as few as possible.
    """
    total = evolution.care.total_weight
    own = evolution.measure(start).errors
    unit = evolution.smallest_area
    current = start
    for loss in settings.losses:
        if evolution.should_stop():
            return
        goal = Goal(max_errors=own + int(loss * total), composite=COMPOSITE)
        shrink = replace(goal, hot=settings.hot * unit, cold=settings.cold * unit)
        small = anneal(evolution, current, shrink, round(settings.moves * (1 - ERROR_SHARE)), rng)
        yield small
        row = total / evolution.care.n_rows
        correct = Goal(
            area=0.02 * row / unit,
            errors=1.0,
            max_errors=goal.max_errors,
            max_area_mm2=small.area_mm2,
            hot=row,
            cold=0.1 * row,
            composite=COMPOSITE,
        )
        yield anneal(evolution, small.netlist, correct, round(settings.moves * ERROR_SHARE), rng)
        current = small.netlist


def within_areas(
    evolution: Evolution, known: Sequence[Refined], settings: SweepSettings, rng: np.random.Generator
) -> Iterator[Refined]:
    """For areas from a few cells up to some hundreds, the circuit with the fewest errors that is found.

    Each search begins with the best circuit so far of at most that area. In larger ones few errors are left, and
    fewer of them say little about other rows unless the care set holds noisy copies.

    Parameters
    ----------
    known : circuits with their errors on the evolution's own care set.
    """
    pool = list(known)
    area = FEWEST_CELLS * evolution.smallest_area
    largest = min(MOST_CELLS * evolution.smallest_area, max((circuit.area_mm2 for circuit in pool), default=0.0))
    row = evolution.care.total_weight / evolution.care.n_rows
    while area < largest and not evolution.should_stop():
        able = [circuit for circuit in pool if circuit.area_mm2 <= area]
        if able:
            start = min(able, key=lambda circuit: (circuit.errors, circuit.area_mm2))
            goal = Goal(
                area=0.02 * row / evolution.smallest_area,
                errors=1.0,
                max_area_mm2=area,
                hot=HOT_ROWS * row,
                cold=0.1 * row,
                composite=COMPOSITE,
            )
            pool.append(anneal(evolution, start.netlist, goal, settings.moves, rng))
            yield pool[-1]
        area *= AREA_STEP


def anneal(evolution: Evolution, start: Netlist, goal: Goal, moves: int, rng: np.random.Generator) -> Refined:
    """Evolve while the temperature falls geometrically, in rounds that each begin with the best circuit so far."""
    rounds = max(REORDERINGS, -(-moves // MOST_MOVES))
    found = None
    for hot, cold in itertools.pairwise(np.geomspace(goal.hot, goal.cold, rounds + 1)):
        if evolution.should_stop():
            break
        round_goal = replace(goal, hot=float(hot), cold=float(cold))
        found = evolution.run(start, round_goal, moves // rounds, rng)
        start = found.netlist
    return found or evolution.measure(start)


def save_power(
    evolution: Evolution,
    start: Netlist,
    moves: int,
    rng: np.random.Generator,
    *,
    area_slack: float = 0.0,
) -> Refined:
    """The circuit of least mean power with no more errors than `start` has and hardly more area.

    A printed gate conducts while its output is low. So the choice of polarities and cells decides how many stages
    conduct on average; evolution is free to change the logic too, as long as the rows are answered as well.

    Parameters
    ----------
    area_slack : share by which the area may grow.
    """
    own = evolution.measure(start)
    goal = Goal(
        area=0.02 * own.power_uw / max(own.area_mm2, evolution.smallest_area),
        power=1.0,
        max_errors=own.errors,
        max_area_mm2=own.area_mm2 * (1 + area_slack),
        hot=2.0,
        cold=0.05,
        composite=2 * COMPOSITE,
    )
    return anneal(evolution, start, goal, moves, rng)
