"""Simulated annealing of one chromosome's area under a bound on its errors, as one compiled loop.

Most proposals fail at their area, which is cheap to know; errors are counted only for those that pass it, and only
until the bound is exceeded.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from printedmlp.kernels.area import chromosome_area
from printedmlp.kernels.bits import uniform
from printedmlp.kernels.incremental import (
    Data,
    Net,
    Plan,
    accept,
    compute_hidden,
    evaluate,
    plan_changes,
)
from printedmlp.kernels.jit import compiled, inlined
from printedmlp.kernels.moves import propose, undo

Array = NDArray[Any]

Moves = tuple[Array, Array, Array, Array, Array]
"""Form and thresholds of `kernels.moves`, random state (1,) uint64, log (2, capacity), owner (G,) of each gene."""

Cost = tuple[Array, Array, Array]
"""Form, units and scratch of `chromosome_area`."""

Archive = tuple[Array, Array, Array]
"""Least area (B,) float64, its errors (B,) int64 and genes (B, G), by errors // `BIN`."""

State = tuple[Array, Array, Array]
"""Area (1,) float64; integers (6,), see below; flags of changed neurons (H + C,) int64."""

ERRORS, PROPOSALS, TOO_LARGE, TOO_WRONG, ACCEPTED, BIN = range(6)

Rule = tuple[int, float, float, float, float]
"""Bound on the errors; first and last temperature in units of area; area that each error beyond the bound costs,
negative where there may be none; probability that a proposal has one more move."""

TEMPERATURE_STEPS = 64
MOST_MOVES = 4
MOST_ERRORS = 1e15


@compiled
def anneal(
    net: Net,
    data: Data,
    plan: Plan,
    moves: Moves,
    cost: Cost,
    archive: Archive,
    state: State,
    rule: Rule,
    first: int,
    stop: int,
    total: int,
) -> None:
    """Proposals `first` to `stop` of a schedule of `total`, the temperature falling geometrically over all.

    A chromosome that starts above the bound may never get worse. Everything is changed in place.
    """
    temperature = rule[1]
    for k in range(first, stop):
        if k == first or k % TEMPERATURE_STEPS == 0:
            temperature = rule[1] * (rule[2] / rule[1]) ** (k / total)
        changes = _propose(net[1], moves, rule[4])
        if changes > 0:
            state[1][PROPOSALS] += 1
            if not _try_changes(net, data, plan, moves, cost, archive, state, rule, temperature, changes):
                undo(net[1], moves[3], changes)


@inlined
def _propose(genes: Array, moves: Moves, again: float) -> int:
    form, thresholds, chance, log, _ = moves
    changes = propose(genes, form, thresholds, chance, log, 0)
    for _ in range(MOST_MOVES - 1):
        if uniform(chance) > again:
            break
        changes = propose(genes, form, thresholds, chance, log, changes)
    return changes


@inlined
def _try_changes(
    net: Net,
    data: Data,
    plan: Plan,
    moves: Moves,
    cost: Cost,
    archive: Archive,
    state: State,
    rule: Rule,
    temperature: float,
    changes: int,
) -> bool:
    area = chromosome_area(net[1], cost[0], cost[1], cost[2])
    spare = state[0][0] - temperature * math.log(uniform(moves[2])) - area
    limit = _allowed_errors(rule, spare, state[1][ERRORS])
    if limit < 0:
        state[1][TOO_LARGE] += 1
        return False
    _mark_changed(moves, changes, state[2])
    plan_changes(net, plan, state[2])
    errors = state[1][ERRORS]
    if plan[7][1] > 0:
        errors = evaluate(net, data, plan, limit)
    elif plan[7][0] > 0:
        compute_hidden(net, data, plan)
    if errors > limit:
        state[1][TOO_WRONG] += 1
        return False
    accept(net, plan)
    state[0][0] = area
    state[1][ERRORS] = errors
    state[1][ACCEPTED] += 1
    remember(net[1], archive, errors, area, state[1][BIN])
    return True


@inlined
def _allowed_errors(rule: Rule, spare: float, errors: int) -> int:
    """Most errors with which a proposal is accepted that leaves `spare` area; -1 where none is."""
    bound, price = rule[0], rule[3]
    if price < 0.0:
        return max(bound, errors) if spare >= 0.0 else -1
    spare += price * max(errors - bound, 0)
    return bound + int(min(spare / price, MOST_ERRORS)) if spare >= 0.0 else -1


@inlined
def _mark_changed(moves: Moves, changes: int, flags: Array) -> None:
    log, owners = moves[3], moves[4]
    for n in range(flags.shape[0]):
        flags[n] = 0
    for k in range(changes):
        flags[owners[log[0, k]]] = 1


@compiled
def remember(genes: Array, archive: Archive, errors: int, area: float, step: int) -> None:
    """Keep the genes if no smaller ones with about so many errors are known."""
    areas, wrong, best = archive
    place = min(errors // step, areas.shape[0] - 1)
    if area < areas[place]:
        areas[place] = area
        wrong[place] = errors
        for g in range(genes.shape[0]):
            best[place, g] = genes[g]
