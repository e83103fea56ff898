"""Area of one chromosome's circuit in closed form, as loops for numba; `printedmlp.area` says what is counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from printedmlp.kernels.bounds import (
    BIAS_SHIFT,
    HIGH,
    INPUTS,
    INVERTED,
    LOW,
    LSB,
    MSB,
    N_VALUES,
    NEURONS,
    ROWS,
    SUM_HIGH,
    SUM_LOW,
    USED,
    VARYING,
    Array,
    find_bounds,
    popcount,
    width,
    word_width,
)
from printedmlp.kernels.jit import compiled, inlined

INVERTER, AND, OR, MUX, COMPARE, COMPARE_ONE = 0, 1, 2, 3, 4, 5
HALF, HALF_SUM, HALF_CARRY, FULL, FULL_SUM, FULL_CARRY = 6, 7, 8, 9, 10, 11
N_UNITS = 12
"""Places of the pieces' areas in the units, (N_UNITS,) float64, in the order of `AreaUnits`' fields."""


@compiled
def count_areas(genes: Array, form: Array, units: Array, scratch: Array, out: Array) -> None:
    """Area of each chromosome of (P, G) into `out`, (P,) float64; else as `chromosome_area`."""
    for p in range(genes.shape[0]):
        out[p] = chromosome_area(genes[p], form, units, scratch)


@inlined
def chromosome_area(genes: Array, form: Array, units: Array, scratch: Array) -> float:
    """Area of the circuit of one chromosome, in the unit of `units`.

    Parameters
    ----------
    genes : (G,) int32, in the order of `GenomeLayout` and within its ranges.
    form : of the layout, from `area_form`.
    units : (N_UNITS,) float64 areas of the pieces, from `AreaUnits.array`.
    scratch : (scratch_size(layout),) int64 working memory; its content on entry does not matter.
    """
    find_bounds(genes, form, scratch)
    n = form[0, N_VALUES]
    scratch[USED * n : ROWS * n] = 0
    area = _argmax(genes, form, n, units, scratch)
    stop = genes.shape[0]
    first = n
    for layer in range(form.shape[0] - 1, -1, -1):
        first -= form[layer, NEURONS]
        step = 3 * form[layer, INPUTS] + 1
        for j in range(form[layer, NEURONS] - 1, -1, -1):
            stop -= step
            if scratch[USED * n + first + j] != 0:
                area += _neuron(genes, stop, form, layer, first, first + j, units, scratch)
    for value in range(n):
        area += units[INVERTER] * popcount(scratch[INVERTED * n + value])
    return area


@inlined
def _argmax(genes: Array, form: Array, n: int, units: Array, scratch: Array) -> float:
    """Area of the comparisons of the classes that can win; marks their neurons as used."""
    last = form.shape[0] - 1
    n_inputs = form[last, INPUTS]
    first, step = n - form[last, NEURONS], 3 * n_inputs + 1
    leader = first
    for c in range(first + 1, n):
        if scratch[LOW * n + c] > scratch[LOW * n + leader]:
            leader = c
    area = choice = rectifier = 0.0
    winner, varying = -1, 0
    low: Any = 0
    high: Any = 0
    bits: Any = 0
    for c in range(first, n):
        if not _can_win(c, leader, n, scratch):
            continue
        if winner < 0:
            winner, low, high = c - first, scratch[LOW * n + c], scratch[HIGH * n + c]
            scratch[USED * n + c] = low < high
            bits = _varying(genes, genes.shape[0] + (c - n) * step, n_inputs, first, low, high, n, scratch)
            rectifier = units[AND] * width(high) if scratch[SUM_LOW * n + c] < low < high else 0.0
            continue
        new_low, new_high = scratch[SUM_LOW * n + c], scratch[SUM_HIGH * n + c]
        scratch[USED * n + c] = new_low < new_high
        gene = genes.shape[0] + (c - n) * step
        new_bits = _varying(genes, gene, n_inputs, first, new_low, new_high, n, scratch)
        low_both, high_both = min(low, new_low), max(high, new_high)
        # The best value so far is chosen only where another comparison needs it: one choice late.
        area += choice + _paired(bits, new_bits, low_both, high_both, units[COMPARE], units[COMPARE_ONE])
        area += units[AND] * popcount(varying & ~(c - first)) + units[OR] * popcount(varying & (c - first))
        varying |= winner ^ (c - first)
        low, high = max(low, new_low), high_both
        choice = _paired(bits, new_bits, low, high, units[MUX], units[AND])
        bits |= new_bits
    if varying == 0:
        scratch[USED * n + first : USED * n + n] = 0
        return 0.0
    return area + rectifier


@inlined
def _can_win(c: int, leader: int, n: int, scratch: Array) -> bool:
    """Whether class c wins for some values in bounds; the leader is the first with the highest low bound."""
    sure, possible = scratch[LOW * n + leader], scratch[HIGH * n + c]
    return sure < possible or (sure == possible and c <= leader)


@inlined
def _varying(
    genes: Array, gene: int, n_inputs: int, first: int, low: int, high: int, n: int, scratch: Array
) -> Any:
    """The bits of a score of these bounds that vary: none below its lowest summand bit."""
    read: Any = np.int64(0)
    for i in range(first - n_inputs, first):
        read |= (np.int64(genes[gene + 1]) & scratch[VARYING * n + i]) << genes[gene + 2]
        gene += 3
    return ((1 << word_width(low, high)) - 1) & -(read & -read) if low < high else read & 0


@inlined
def _paired(old: int, new: int, low: int, high: int, both: float, one: float) -> float:
    """Area of a row of pieces over two words of bits that vary, as wide as the bounds of both ask for.

    `both` where both words have a bit of their own, `one` where one has, or extends its own.
    """
    width = (1 << word_width(low, high)) - 1
    common, either = old & new & width, (old | new) & width
    everything = width & -(either & -either)
    return popcount(common) * both + (popcount(everything) - popcount(common)) * one


@inlined
def _neuron(
    genes: Array, gene: int, form: Array, layer: int, first: int, value: int, units: Array, scratch: Array
) -> float:
    """Area of a neuron some of whose bits are used, without inverters; marks what it reads as used.

    `gene` is the neuron's first gene, `first` the first value of its layer, `value` its own number.
    """
    n, n_inputs = form[0, N_VALUES], form[layer, INPUTS]
    low, high = scratch[SUM_LOW * n + value], scratch[SUM_HIGH * n + value]
    bits = word_width(low, high)
    area = 0.0
    needed: Any = (1 << bits) - 1
    if layer < form.shape[0] - 1:
        used = scratch[USED * n + value]
        needed = used << form[layer, LSB]
        if high >> (form[layer, MSB] + 1) != 0:
            above: Any = ((1 << width(high)) - 1) >> (form[layer, MSB] + 1) << (form[layer, MSB] + 1)
            needed |= above
            area += units[OR] * (popcount(above) - 1 + popcount(used))
        if low < 0:
            needed |= 1 << (bits - 1)
            area += units[AND] * popcount(used)
    # Of the columns that are needed, all but the sign's take a subtracted bit inverted, with -1 in the constant.
    top = width(needed)
    columns: Any = (1 << top) - 1
    signed = columns & ((1 << (bits - 1)) - 1)
    inputs = first - n_inputs
    constant = _count_bits(genes, gene, n_inputs, inputs, form[layer, BIAS_SHIFT], columns, signed, n, scratch)
    sums, dead = _sweep(constant, needed, top, width(n_inputs), units, ROWS * n, scratch)
    _mark_used(genes, gene, n_inputs, inputs, columns & ~dead, signed & ~dead, n, scratch)
    return area + sums


@inlined
def _count_bits(
    genes: Array,
    gene: int,
    n_inputs: int,
    inputs: int,
    shift: int,
    columns: int,
    signed: int,
    n: int,
    scratch: Array,
) -> Any:
    """Count the summand bits by column, behind the scratch's rows; the constant that joins them.

    The counters are vertical: bit c of word k is bit k of the count of column c. Nothing here branches on a gene,
    which the processor could not predict.
    """
    counters, end = ROWS * n, ROWS * n + width(n_inputs)
    for k in range(counters, end):
        scratch[k] = 0
    constant: Any = np.int64(genes[gene + 3 * n_inputs]) << shift
    for i in range(inputs, inputs + n_inputs):
        mask: Any = np.int64(genes[gene + 1])
        exponent: Any = np.int64(genes[gene + 2])
        varying = scratch[VARYING * n + i]
        bits = ((mask & varying) << exponent) & columns
        constant += ((scratch[LOW * n + i] & mask & ~varying) << exponent) * genes[gene]
        constant -= bits & signed & (np.int64(genes[gene]) >> 1)
        for k in range(counters, end):
            carry = scratch[k] & bits
            scratch[k] ^= bits
            bits = carry
        gene += 3
    return constant


@inlined
def _sweep(
    constant: int, needed: int, top: int, n_words: int, units: Array, counters: int, scratch: Array
) -> tuple[float, int]:
    """Area of the adders up to column `top` and the columns whose single bit nobody reads.

    The order of the additions is that of the adder tree: an even column starts with its one half adder, and a
    constant one joins it, or else inverts the odd column's sum and passes it on as the carry.
    """
    area, dead, carries = 0.0, 0, 0
    for column in range(top):
        count = carries
        for k in range(n_words):
            count += (scratch[counters + k] >> column & 1) << k
        one, read = constant >> column & 1, needed >> column & 1
        if count == 0 or count + one == 1:
            dead |= (1 - read) << column
            carries = 0
            continue
        full, half = (count - 1) >> 1, 1 - (count & 1)
        if one > half:
            area += units[INVERTER] * read
        elif read == 0:
            area += _carries_only(full, half, units)
            full, half = 0, 0
        if column == top - 1:
            area += units[FULL_SUM] * full + units[HALF_SUM] * half
        else:
            area += units[FULL] * full + units[HALF] * half
        carries = (count + one) >> 1
    return area, dead


@inlined
def _carries_only(full: int, half: int, units: Array) -> Any:
    """Area of a column of adders of which nobody reads the last one's sum."""
    if full > 0:
        return units[FULL] * (full - 1) + units[FULL_CARRY] + units[HALF] * half
    return units[HALF_CARRY] * half


@inlined
def _mark_used(
    genes: Array, gene: int, n_inputs: int, inputs: int, columns: int, signed: int, n: int, scratch: Array
) -> None:
    """Add the input bits that fall in `columns` to those used, subtracted ones in `signed` to those inverted."""
    for i in range(inputs, inputs + n_inputs):
        exponent: Any = np.int64(genes[gene + 2])
        bits: Any = (np.int64(genes[gene + 1]) & scratch[VARYING * n + i]) << exponent
        scratch[USED * n + i] |= (bits & columns) >> exponent
        scratch[INVERTED * n + i] |= (bits & signed & (np.int64(genes[gene]) >> 1)) >> exponent
        gene += 3
