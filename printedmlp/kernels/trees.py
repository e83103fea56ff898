"""Population evaluation of approximated decision trees: sets of training rows as words of 64 bits, for numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[Any]

THRESHOLD, PRECISION, KEPT, GENES = 0, 1, 2, 3
"""What the genes of an inner node are, and how many."""
FEATURE, BELOW, ABOVE, INNER = 0, 1, 2, 3
"""Columns of the form: INNER is the index among inner nodes, -1 for a leaf."""
FIRST = 3
"""Place in the units of what a feature's first test costs more; the prices of the levels follow."""

Rows = tuple[Array, Array, Array]
"""Rows with x[f] >= t, (F, 2^b, W); rows of each class, (C, W), uint64; class weights, (C,) int64."""
Scratch = tuple[Array, Array, Array, Array, Array]
"""Rows that reach a node (M, W); what it resolves to (M,); its codes (M, K); marks of tests and of links."""


def new_scratch(form: Array, rows: Rows, n_bits: int) -> Scratch:
    """Working memory for one call of `score`."""
    n_nodes, (n_features, n_codes, n_words) = len(form), rows[0].shape
    return (
        np.zeros((n_nodes, n_words), dtype=np.uint64),
        np.zeros(n_nodes, dtype=np.int64),
        np.zeros((n_nodes, n_bits), dtype=np.int64),
        np.full(n_features * n_codes, -1, dtype=np.int64),
        np.full(2 * n_features * n_codes, -1, dtype=np.int64),
    )


@compiled
def score(
    genes: Array,
    form: Array,
    rows: Rows,
    units: Array,
    scratch: Scratch,
    errors: Array,
    areas: Array,
    live: Array,
) -> None:
    """Weighted training errors and area of each individual, as `tree_search.decoded` and `tree_area` define them.

    Parameters
    ----------
    genes : (P, 3 * n_inner) int32.
    form : (M, 4) int64, nodes of the start tree in preorder.
    units : (3,) int64 of `TreeUnits`, or with the prices of tests (4 + 2^b,).
    errors, areas : (P,) int64, overwritten.
    live : (P, n_inner) uint8, overwritten: the inner nodes of the start tree that some row reaches.
    """
    for p in range(genes.shape[0]):
        errors[p] = _spread(genes[p], form, rows, scratch, live[p])
        areas[p] = _area(genes[p], form, rows, units, scratch, p)


@inlined
def effective_threshold(threshold: Any, precision: Any, input_bits: int) -> Any:
    """The threshold whose bits below the precision are cut off; 0 always holds."""
    dropped = input_bits - precision
    return threshold >> dropped << dropped


@inlined
def _input_bits(n_codes: int) -> int:
    bits = 0
    while 1 << bits < n_codes:
        bits += 1
    return bits


@inlined
def _spread(genes: Array, form: Array, rows: Rows, scratch: Scratch, live: Array) -> int:
    """Send the rows down; resolved becomes -2 for nodes nobody reaches and -3 - label for ends."""
    reach, resolved = scratch[0], scratch[1]
    holds = rows[0]
    input_bits = _input_bits(holds.shape[1])
    resolved[:] = -2
    live[:] = 0
    reach[0] = holds[0, 0]
    resolved[0] = 0
    errors = 0
    for k in range(form.shape[0]):
        if resolved[k] == -2:
            continue
        inner = form[k, INNER]
        if inner >= 0:
            live[inner] = 1
        if inner < 0 or genes[GENES * inner + KEPT] == 0:
            label, wrong = _majority(reach[k], rows)
            resolved[k] = -3 - label
            errors += wrong
            continue
        gene = GENES * inner
        t = effective_threshold(np.int64(genes[gene]), np.int64(genes[gene + 1]), input_bits)
        _divide(reach, form, k, holds[form[k, FEATURE], t], resolved)
    return errors


@inlined
def _divide(reach: Array, form: Array, k: int, holds: Array, resolved: Array) -> None:
    below, above = form[k, BELOW], form[k, ABOVE]
    some_below, some_above = np.uint64(0), np.uint64(0)
    for w in range(reach.shape[1]):
        high = reach[k, w] & holds[w]
        low = reach[k, w] & ~holds[w]
        reach[above, w], reach[below, w] = high, low
        some_above |= high
        some_below |= low
    if some_below != 0:
        resolved[below] = below
    if some_above != 0:
        resolved[above] = above


@inlined
def _majority(reach: Array, rows: Rows) -> tuple[int, int]:
    """The class of largest weight, ties to the lower index, and the weight of the others."""
    members, weights = rows[1], rows[2]
    total, most, label = 0, -1, 0
    for c in range(members.shape[0]):
        count = 0
        for w in range(reach.shape[0]):
            count += _ones(reach[w] & members[c, w])
        weight = count * weights[c]
        total += weight
        if weight > most:
            most, label = weight, c
    return label, total - most


@inlined
def _ones(word: Any) -> Any:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inlined
def _area(genes: Array, form: Array, rows: Rows, units: Array, scratch: Scratch, stamp: int) -> int:
    resolved, codes = scratch[1], scratch[2]
    n_features, n_codes, _ = rows[0].shape
    input_bits = _input_bits(n_codes)
    area = 0
    for k in range(form.shape[0] - 1, -1, -1):
        if resolved[k] <= -3:
            for bit in range(codes.shape[1]):
                codes[k, bit] = (-3 - resolved[k]) >> bit & 1
        if resolved[k] < 0:
            continue
        below, above = resolved[form[k, BELOW]], resolved[form[k, ABOVE]]
        if below == -2 or above == -2 or (below < 0 and below == above):
            side = form[k, BELOW] if above == -2 else form[k, ABOVE]
            resolved[k] = resolved[side]
            codes[k] = codes[side]
            continue
        gene = GENES * form[k, INNER]
        t = effective_threshold(np.int64(genes[gene]), np.int64(genes[gene + 1]), input_bits)
        test = form[k, FEATURE] << input_bits | t
        area += _new_test(form[k, FEATURE], t, input_bits, units, scratch, stamp)
        fresh = 2 + 2 * ((n_features << input_bits) + k * codes.shape[1])
        area += _multiplexed(2 + 2 * test, fresh, codes[form[k, BELOW]], codes[form[k, ABOVE]], codes[k], units)
    return area


@inlined
def _new_test(feature: int, t: int, input_bits: int, units: Array, scratch: Scratch, stamp: int) -> Any:
    """What a test costs that this individual does not have yet."""
    tests, links = scratch[3], scratch[4]
    if tests[feature << input_bits | t] == stamp:
        return 0
    tests[feature << input_bits | t] = stamp
    if units.shape[0] <= FIRST:
        return units[0] * _new_links(feature, t, input_bits, links, stamp)
    # No link has this place, so it tells whether the feature is tested at all.
    mark = feature << (input_bits + 1)
    price = units[FIRST + 1 + t]
    if links[mark] != stamp:
        links[mark] = stamp
        price += units[FIRST]
    return price


@inlined
def _new_links(feature: int, t: int, input_bits: int, links: Array, stamp: int) -> int:
    """Links of a comparator that no other one of this individual has."""
    lowest = 0
    while t >> lowest & 1 == 0:
        lowest += 1
    count = 0
    for bit in range(lowest + 1, input_bits):
        # The low bits of t below the next bit, all of them distinct from those of other bits by the leading one.
        link = (feature << (input_bits + 1)) + ((2 << bit) | (t & ((2 << bit) - 1)))
        if links[link] != stamp:
            links[link] = stamp
            count += 1
    return count


@inlined
def _multiplexed(test: int, fresh: int, below: Array, above: Array, codes: Array, units: Array) -> int:
    area = 0
    for bit in range(codes.shape[0]):
        low, high = below[bit], above[bit]
        known = False
        for earlier in range(bit):
            inverse = low ^ below[earlier]
            if inverse <= 1 and inverse == high ^ above[earlier]:
                codes[bit] = codes[earlier] ^ inverse
                known = True
        if known:
            continue
        if low == high:
            codes[bit] = low
        elif low < 2 and high < 2:
            codes[bit] = test ^ low
        else:
            codes[bit] = fresh + 2 * bit
            if low < 2 or high < 2:
                area += units[0]
            else:
                area += units[2] if low ^ high == 1 else units[1]
    return area
