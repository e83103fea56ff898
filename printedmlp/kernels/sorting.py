"""The selection of NSGA-II for two objectives, and the copies in a population, as loops for numba.

Deb, Pratap, Agarwal, Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002. The order of
every step is that of DEAP's `selNSGA2` with `nd="log"`, down to equal individuals and the sums' rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[Any]

EMPTY = -1


@compiled
def sort_fronts(first: Array, second: Array, order: Array, fronts: Array, tails: Array) -> int:
    """Number the fronts, from 0, of individuals with two objectives, both minimised.

    Parameters
    ----------
    first, second : (n,) float64 objectives.
    order : (n,) int64, the individuals by the first objective, equal ones by the second.
    fronts : (n,) int64, overwritten: each individual's front.
    tails : (n,) float64 working memory.

    Returns
    -------
    Number of fronts.
    """
    n_fronts = 0
    for k in range(order.shape[0]):
        i = order[k]
        if k > 0 and first[order[k - 1]] == first[i] and second[order[k - 1]] == second[i]:
            fronts[i] = fronts[order[k - 1]]
            continue
        # Whoever came before is no worse in the first objective: a front dominates i unless its least second
        # objective, the last one added, is larger. Those grow from front to front.
        low, high = 0, n_fronts
        while low < high:
            middle = (low + high) // 2
            if tails[middle] > second[i]:
                high = middle
            else:
                low = middle + 1
        fronts[i] = low
        tails[low] = second[i]
        n_fronts = max(n_fronts, low + 1)
    return n_fronts


@compiled
def add_crowding(first: Array, second: Array, front: Array, reverse: Array, crowding: Array) -> None:
    """Crowding distances of one front's individuals.

    Parameters
    ----------
    front : (m,) int64, individuals by the first objective, equal ones in any order.
    reverse : (m,) int64 working memory.
    crowding : (n,) float64, 0 for the front's individuals on entry; their distances on return.
    """
    _add_along(first, front, crowding)
    # By the second objective the front runs backwards, but equal individuals keep their order.
    end = front.shape[0]
    place = 0
    while end > 0:
        start = end - 1
        while start > 0 and second[front[start - 1]] == second[front[end - 1]]:
            start -= 1
        for k in range(start, end):
            reverse[place] = front[k]
            place += 1
        end = start
    _add_along(second, reverse, crowding)


@inlined
def _add_along(values: Array, order: Array, crowding: Array) -> None:
    m = order.shape[0]
    lowest, highest = values[order[0]], values[order[m - 1]]
    crowding[order[0]] = crowding[order[m - 1]] = np.inf
    if lowest != highest:
        norm = 2 * (highest - lowest)
        for k in range(1, m - 1):
            crowding[order[k]] += (values[order[k + 1]] - values[order[k - 1]]) / norm


@compiled
def mark_first(
    genes: Array, masks: Array, biases: Array, keys: Array, hashes: Array, table: Array, first: Array
) -> None:
    """Mark the rows that are the same classifier, connection by connection, as no earlier row.

    Parameters
    ----------
    genes : (P, G) int32.
    masks, biases : places of those genes in a row; a sign comes before its mask, an exponent after it.
    keys : (G,) uint64 odd random numbers; equal classifiers have equal sums of their connections times keys.
    hashes : (P,) uint64, table : (a power of two above P,) int64 filled with EMPTY; working memory.
    first : (P,) bool, overwritten.
    """
    last = np.uint64(table.shape[0] - 1)
    for p in range(genes.shape[0]):
        code = _hash(genes[p], masks, biases, keys)
        hashes[p] = code
        place = (code >> np.uint64(32)) & last
        while table[place] != EMPTY:
            other = table[place]
            if hashes[other] == code and _same(genes[p], genes[other], masks, biases):
                break
            place = (place + np.uint64(1)) & last
        first[p] = table[place] == EMPTY
        if first[p]:
            table[place] = p


@inlined
def _hash(row: Array, masks: Array, biases: Array, keys: Array) -> Any:
    code = np.uint64(0)
    for place in masks:
        mask: Any = np.int64(row[place])
        connection: Any = mask << 6 | np.int64(row[place + 1]) << 1 | np.int64(row[place - 1] > 0)
        code += np.uint64(connection if mask != 0 else 0) * keys[place]
    for place in biases:
        code += np.uint64(row[place]) * keys[place]
    return code


@inlined
def _same(a: Array, b: Array, masks: Array, biases: Array) -> bool:
    for place in masks:
        if a[place] != b[place]:
            return False
        if a[place] != 0 and (a[place - 1] != b[place - 1] or a[place + 1] != b[place + 1]):
            return False
    same = True
    for place in biases:
        same &= a[place] == b[place]
    return same
