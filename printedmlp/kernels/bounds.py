"""Bounds of every value of one chromosome, as `DiscreteMLP.intervals` gives them, as loops for numba.

The scratch is one (s,) int64 array: rows of n values, n the number of features and neurons, in the order below,
then `N_COUNTERS` words for one neuron. A value's number counts features first, then neurons layer by layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import inlined

Array = NDArray[Any]

INPUTS, NEURONS, BIAS_SHIFT, INPUT_BITS, LSB, MSB, RECTIFIED, N_VALUES = range(8)
"""Columns of the form, (n_layers, 8) int64. RECTIFIED is 1 where the scores of the last layer are max(S, 0);
N_VALUES, features and neurons in all, repeats in every row."""

LOW, HIGH, SUM_LOW, SUM_HIGH, VARYING, USED, INVERTED, ROWS = range(8)
"""Rows of the scratch: bounds of the value and of the neuron's sum, the bits of a value that vary, that
are read, and that are read inverted."""

N_COUNTERS = 64


@inlined
def find_bounds(genes: Array, form: Array, scratch: Array) -> None:
    """Fill the rows LOW to VARYING of the scratch for one chromosome."""
    n = form[0, N_VALUES]
    for feature in range(form[0, INPUTS]):
        scratch[LOW * n + feature] = 0
        scratch[HIGH * n + feature] = (1 << form[0, INPUT_BITS]) - 1
        scratch[VARYING * n + feature] = scratch[HIGH * n + feature]
    gene = first = 0
    for layer in range(form.shape[0]):
        n_inputs = form[layer, INPUTS]
        for value in range(first + n_inputs, first + n_inputs + form[layer, NEURONS]):
            _bound_sum(genes, gene, form[layer, BIAS_SHIFT], first, n_inputs, value, n, scratch)
            _activate(form, layer, value, n, scratch)
            gene += 3 * n_inputs + 1
        first += n_inputs


@inlined
def _bound_sum(
    genes: Array, gene: int, bias_shift: int, first: int, n_inputs: int, value: int, n: int, scratch: Array
) -> None:
    low: Any = np.int64(genes[gene + 3 * n_inputs]) << bias_shift
    high = low
    for i in range(first, first + n_inputs):
        mask: Any = np.int64(genes[gene + 1])
        most = masked_high(mask, scratch[HIGH * n + i], scratch[VARYING * n + i])
        least = masked_low(mask, scratch[LOW * n + i], scratch[VARYING * n + i])
        # Without a branch on the sign, which nobody can predict.
        weight: Any = np.int64(genes[gene]) << genes[gene + 2]
        low += min(most * weight, least * weight)
        high += max(most * weight, least * weight)
        gene += 3
    scratch[SUM_LOW * n + value] = low
    scratch[SUM_HIGH * n + value] = high


@inlined
def _activate(form: Array, layer: int, value: int, n: int, scratch: Array) -> None:
    low, high = scratch[SUM_LOW * n + value], scratch[SUM_HIGH * n + value]
    if layer < form.shape[0] - 1:
        limit: Any = (1 << (form[layer, MSB] + 1)) - 1
        low = min(max(low, 0), limit) >> form[layer, LSB]
        high = min(max(high, 0), limit) >> form[layer, LSB]
    elif form[layer, RECTIFIED] != 0:
        low, high = max(low, 0), max(high, 0)
    scratch[LOW * n + value] = low
    scratch[HIGH * n + value] = high
    scratch[VARYING * n + value] = filled(low ^ high)


@inlined
def masked_high(mask: int, high: int, varying: int) -> int:
    """Largest x & mask of the interval that ends at `high` and has these bits varying; none is negative.

    At the highest one of `high` that the mask drops a zero costs nothing and lets all bits below be ones.
    """
    free = filled(high & varying & ~mask)
    return (high & mask & ~free) | (mask & (free >> 1))


@inlined
def masked_low(mask: int, low: int, varying: int) -> int:
    """Smallest x & mask of the interval that starts at `low` and has these bits varying; none is negative.

    At the highest zero of `low` that the mask drops a one costs nothing and lets all bits below be zeros.
    """
    return low & mask & ~filled(varying & ~low & ~mask)


@inlined
def filled(value: int) -> int:
    """The number of as many bits, all ones; 0 for 0 and for negative numbers -1."""
    value |= value >> 1
    value |= value >> 2
    value |= value >> 4
    value |= value >> 8
    value |= value >> 16
    value |= value >> 32
    return value


@inlined
def popcount(value: int) -> int:
    """Ones of a number, in two's complement of 64 bits."""
    count = 0
    while value != 0:
        value &= value - 1
        count += 1
    return count


@inlined
def width(value: int) -> int:
    """Bits of a number that is not negative."""
    return popcount(filled(value))


@inlined
def word_width(low: int, high: int) -> int:
    """Bits of a word that holds every value of low .. high, two's complement only when `low` is negative."""
    if low >= 0:
        return width(high)
    return max(width(-low - 1), width(max(high, 0))) + 1
