"""Bounds of every value of one chromosome, as `DiscreteMLP.intervals` gives them, as loops for numba.

The scratch is one (s,) int64 array: rows of n values, n the number of features and neurons, in the order below,
then `N_COLUMNS` counters for one neuron. A value's number counts features first, then neurons layer by layer.
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
"""Rows of the scratch: bounds of the value and of the neuron's sum, how many of the value's bits vary, the bits
that are read and those that are read inverted."""

N_COLUMNS = 128
ENUMERATED = 1 << 12
"""Values an input may take before its range is taken as full, as in `DiscreteMLP.intervals`."""


@inlined
def find_bounds(genes: Array, form: Array, scratch: Array) -> None:
    """Fill the rows LOW to VARYING of the scratch for one chromosome."""
    n = form[0, N_VALUES]
    for feature in range(form[0, INPUTS]):
        scratch[LOW * n + feature] = 0
        scratch[HIGH * n + feature] = (1 << form[0, INPUT_BITS]) - 1
        scratch[VARYING * n + feature] = form[0, INPUT_BITS]
    gene = first = 0
    for layer in range(form.shape[0]):
        n_inputs = form[layer, INPUTS]
        for value in range(first + n_inputs, first + n_inputs + form[layer, NEURONS]):
            _bound_sum(genes, gene, form[layer, BIAS_SHIFT], first, n_inputs, value, n, scratch)
            _activate(form[layer], layer == form.shape[0] - 1, value, n, scratch)
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
        if mask != 0:
            most = masked_high(mask, scratch[LOW * n + i], scratch[HIGH * n + i]) << genes[gene + 2]
            least = masked_low(mask, scratch[LOW * n + i], scratch[HIGH * n + i]) << genes[gene + 2]
            if genes[gene] > 0:
                low += least
                high += most
            else:
                low -= most
                high -= least
        gene += 3
    scratch[SUM_LOW * n + value] = low
    scratch[SUM_HIGH * n + value] = high


@inlined
def _activate(form: Array, last: bool, value: int, n: int, scratch: Array) -> None:
    low, high = scratch[SUM_LOW * n + value], scratch[SUM_HIGH * n + value]
    if not last:
        limit: Any = (1 << (form[MSB] + 1)) - 1
        low = min(max(low, 0), limit) >> form[LSB]
        high = min(max(high, 0), limit) >> form[LSB]
    elif form[RECTIFIED] != 0:
        low, high = max(low, 0), max(high, 0)
    scratch[LOW * n + value] = low
    scratch[HIGH * n + value] = high
    scratch[VARYING * n + value] = width(low ^ high) if low >= 0 else 0


@inlined
def masked_high(mask: int, low: int, high: int) -> int:
    """Largest x & mask of low <= x <= high, all not negative; exact below `ENUMERATED` values."""
    if low == 0 and high & (high + 1) == 0:
        return mask & high
    if high - low >= ENUMERATED:
        return mask & ((1 << width(high)) - 1)
    varying = width(low ^ high)
    best = (high >> varying << varying) & mask
    for bit in range(varying - 1, -1, -1):
        one = 1 << bit
        if high & one != 0:
            if mask & one == 0:  # a zero that costs nothing, and ones below it
                return best | (mask & (one - 1))
            best |= one
    return best


@inlined
def masked_low(mask: int, low: int, high: int) -> int:
    """Smallest x & mask of low <= x <= high, all not negative; exact below `ENUMERATED` values."""
    if low == 0 or high - low >= ENUMERATED:
        return 0
    varying = width(low ^ high)
    best = (low >> varying << varying) & mask
    for bit in range(varying - 1, -1, -1):
        one = 1 << bit
        if low & one == 0:
            if mask & one == 0:  # a one that costs nothing, and zeros below it
                return best
        else:
            best |= mask & one
    return best


@inlined
def width(value: int) -> int:
    """Bits of a number that is not negative."""
    bits = 0
    while value != 0:
        value >>= 1
        bits += 1
    return bits


@inlined
def word_width(low: int, high: int) -> int:
    """Bits of a word that holds every value of low .. high, two's complement only when `low` is negative."""
    if low >= 0:
        return width(high)
    return max(width(-low - 1), width(max(high, 0))) + 1
