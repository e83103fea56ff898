"""Crossover and mutation of chromosomes, as loops for numba; the chances are drawn outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.genome import EXPONENT, MASK, SIGN
from printedmlp.kernels.bounds import width
from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[Any]


@compiled
def swap_neurons(children: Array, neurons: Array, swapped: Array) -> None:
    """Exchange whole neurons between rows 2p and 2p + 1 of `children`, (P, G), in place.

    neurons : (G,) the neuron of each gene; swapped : (P / 2, N) bool, which neurons of each pair change places.
    """
    for pair in range(swapped.shape[0]):
        for gene in range(neurons.shape[0]):
            if swapped[pair, neurons[gene]]:
                one, other = children[2 * pair, gene], children[2 * pair + 1, gene]
                children[2 * pair, gene], children[2 * pair + 1, gene] = other, one


@compiled
def change_genes(
    genes: Array, places: Array, kinds: Array, lower: Array, upper: Array, draws: tuple[Array, Array, Array]
) -> None:
    """Change the genes at `places` of a flat population, (P * G,), in place, each by its kind.

    Parameters
    ----------
    kinds, lower, upper : (G,) of the layout.
    draws : for each place a number of 0 to 1, which bit of the gene's range; a direction, -1 or 1; and whether a
        mask is cleared; (n,) each.
    """
    bits, directions, removed = draws
    for k in range(places.shape[0]):
        gene = places[k] % kinds.shape[0]
        low: Any = np.int64(lower[gene])
        high: Any = np.int64(upper[gene])
        power: Any = 1 << np.int64(bits[k] * width(high - low))
        value = _changed(kinds[gene], genes[places[k]], low, high, power, directions[k], removed[k])
        genes[places[k]] = min(max(value, low), high)


@inlined
def _changed(kind: int, value: int, low: int, high: int, power: int, direction: int, removed: bool) -> int:
    if kind == SIGN:
        return -value
    if kind == MASK:
        return 0 if removed else value ^ power
    if kind == EXPONENT:
        return value + (direction if low <= value + direction <= high else -direction)
    return value + direction * power
