"""The full-adder count of `printedmlp.cost` in closed form, as loops for numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[Any]


@compiled
def count_full_adders(genes: Array, form: Array, out: Array) -> None:
    """Full adders of each chromosome.

    Parameters
    ----------
    genes : (P, G) int32, in the order of `GenomeLayout`.
    form : (n_layers, 3) int64 rows of (inputs, neurons, bias shift).
    out : (P,) int64, overwritten.
    """
    for p in range(genes.shape[0]):
        total = start = 0
        for layer in range(form.shape[0]):
            for _ in range(form[layer, 1]):
                stop = start + 3 * form[layer, 0]
                total += _neuron(genes[p], start, stop, form[layer, 2])
                start = stop + 1
        out[p] = total


@inlined
def _neuron(genes: Array, start: int, stop: int, bias_shift: int) -> int:
    bias: Any = np.int64(genes[stop])
    ones = _popcount(abs(bias))
    most: Any = max(bias, 0) << bias_shift
    least: Any = max(-bias, 0) << bias_shift
    subtracted = least
    for gene in range(start, stop, 3):
        mask: Any = np.int64(genes[gene + 1])
        ones += _popcount(mask)
        if genes[gene] > 0:
            most += mask << genes[gene + 2]
        else:
            least += mask << genes[gene + 2]
            subtracted |= mask << genes[gene + 2]
    adders = ones - _popcount(most) - _popcount(least)
    if subtracted != 0:
        adders += _width(max(most, least)) - _width(subtracted & -subtracted) + 1
    return adders


@inlined
def _popcount(value: int) -> int:
    count = 0
    while value != 0:
        value &= value - 1
        count += 1
    return count


@inlined
def _width(value: int) -> int:
    bits = 0
    while value != 0:
        value >>= 1
        bits += 1
    return bits
