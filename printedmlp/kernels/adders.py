"""The full-adder count of `printedmlp.cost` in closed form, as loops for numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.bounds import popcount, width
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
    ones = popcount(abs(bias))
    most: Any = max(bias, 0) << bias_shift
    least: Any = max(-bias, 0) << bias_shift
    subtracted = least
    for gene in range(start, stop, 3):
        mask: Any = np.int64(genes[gene + 1])
        ones += popcount(mask)
        if genes[gene] > 0:
            most += mask << genes[gene + 2]
        else:
            least += mask << genes[gene + 2]
            subtracted |= mask << genes[gene + 2]
    adders = ones - popcount(most) - popcount(least)
    if subtracted != 0:
        adders += width(max(most, least)) - width(subtracted & -subtracted) + 1
    return adders
