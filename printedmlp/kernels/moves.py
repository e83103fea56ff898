"""Structured changes of one chromosome, written to a log so that they can be taken back.

`form` is `printedmlp.moves.move_form`'s table, one row a layer; `log` is (2, capacity) int64, rows of gene numbers
and old values. Every function takes the number of entries in the log and returns the new one. Genes stay in range
and canonical: a connection whose mask becomes 0 reads sign +1, exponent 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.bits import below, next_word, uniform
from printedmlp.kernels.jit import compiled_lean, inlined_lean

Array = NDArray[Any]

FIRST_GENE, NEURONS, INPUTS, WIDTH, LOWEST, HIGHEST, EXPONENTS, FIRST_NEURON = range(8)
"""Columns of `form`: first gene, neurons, their inputs, mask bits, bias range, most exponent, neurons before."""

(
    FLIP_BIT,
    SLIDE_MASK,
    SLIDE_EXPONENT,
    SLIDE_BOTH,
    FLIP_SIGN,
    DROP_CONNECTION,
    ADD_CONNECTION,
    DROP_INPUT_BIT,
    DROP_HIDDEN_BIT,
    DROP_NEURON,
    STEP_BIAS,
    SNAP_BIAS,
    SWAP_NEURONS,
    CLONE_NEURON,
    REWIRE,
    RESCALE_NEURON,
    TRADE_BIT,
    DROP_COLUMN,
) = range(18)
"""Kinds of moves, in the order of the fields of `printedmlp.moves.MoveShares`."""
N_KINDS = 18
TRIES = 4
"""Neurons looked at for a live connection before a move gives up."""


@compiled_lean
def mutate_rows(genes: Array, form: Array, thresholds: Array, moves: Array, states: Array, log: Array) -> None:
    """Make `moves[p]` moves on row p of genes (P, G), each row with its own random state (P, 1) uint64."""
    for p in range(genes.shape[0]):
        for _ in range(moves[p]):
            propose(genes[p], form, thresholds, states[p], log, 0)


@inlined_lean
def propose(genes: Array, form: Array, thresholds: Array, state: Array, log: Array, n: int) -> int:
    """One move of a kind drawn by the cumulated shares `thresholds`; nothing is logged where none was possible."""
    pick, kind = uniform(state), 0
    while kind < N_KINDS - 1 and pick >= thresholds[kind]:
        kind += 1
    return make_move(kind, genes, form, state, log, n)


@inlined_lean
def make_move(kind: int, genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """One move of the given kind at a random place."""
    if kind == ADD_CONNECTION:
        return _add_connection(genes, form, state, log, n)
    if kind in (STEP_BIAS, SNAP_BIAS):
        return _change_bias(kind, genes, form, state, log, n)
    if kind in (DROP_INPUT_BIT, DROP_HIDDEN_BIT):
        return _drop_bit(kind, genes, form, state, log, n)
    if kind == DROP_NEURON:
        return _drop_neuron(genes, form, state, log, n)
    if kind == SWAP_NEURONS:
        return _swap_neurons(genes, form, state, log, n)
    if kind == CLONE_NEURON:
        return _clone_neuron(genes, form, state, log, n)
    if kind == DROP_COLUMN:
        return _drop_column(genes, form, state, log, n)
    if kind == RESCALE_NEURON:
        return _rescale_neuron(genes, form, state, log, n)
    return _change_connection(kind, genes, form, state, log, n)


@inlined_lean
def undo(genes: Array, log: Array, n: int) -> None:
    """Take back the n changes of the log, the last one first."""
    for k in range(n - 1, -1, -1):
        genes[log[0, k]] = log[1, k]


@inlined_lean
def _put(genes: Array, at: int, value: int, log: Array, n: int) -> int:
    if genes[at] == value:
        return n
    log[0, n], log[1, n] = at, genes[at]
    genes[at] = value
    return n + 1


@inlined_lean
def _put_connection(genes: Array, at: int, sign: int, mask: int, exponent: int, log: Array, n: int) -> int:
    if mask == 0:
        sign, exponent = 1, 0
    n = _put(genes, at, sign, log, n)
    n = _put(genes, at + 1, mask, log, n)
    return _put(genes, at + 2, exponent, log, n)


@inlined_lean
def _some_neuron(form: Array, state: Array) -> tuple[int, int]:
    """Layer and first gene of a neuron; every neuron is as likely."""
    last = form.shape[0] - 1
    number = below(state, form[last, FIRST_NEURON] + form[last, NEURONS])
    layer = last
    while number < form[layer, FIRST_NEURON]:
        layer -= 1
    return layer, _start(form, layer, number - form[layer, FIRST_NEURON])


@inlined_lean
def _start(form: Array, layer: int, neuron: int) -> Any:
    return form[layer, FIRST_GENE] + neuron * (3 * form[layer, INPUTS] + 1)


@inlined_lean
def _some_connection(genes: Array, start: int, n_inputs: int, live: bool, state: Array) -> Any:
    """A connection of the neuron with (or without) a mask, by its first gene; -1 where there is none."""
    first = below(state, n_inputs)
    for k in range(n_inputs):
        i = first + k
        if i >= n_inputs:
            i -= n_inputs
        if (genes[start + 3 * i + 1] != 0) == live:
            return start + 3 * i
    return -1


@inlined_lean
def _change_connection(kind: int, genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    layer, start, at = 0, 0, -1
    for _ in range(TRIES):
        layer, start = _some_neuron(form, state)
        at = _some_connection(genes, start, form[layer, INPUTS], True, state)
        if at >= 0:
            break
    if at < 0:
        return n
    width, highest = form[layer, WIDTH], form[layer, EXPONENTS]
    sign, mask, exponent = genes[at], genes[at + 1], genes[at + 2]
    step = 1 if next_word(state) & np.uint64(1) else -1
    if kind == FLIP_BIT:
        mask ^= 1 << below(state, width)
    elif kind == DROP_CONNECTION:
        mask = 0
    elif kind == FLIP_SIGN:
        sign = -sign
    elif kind == SLIDE_MASK:
        mask = _slid(mask, step, width)
    elif kind == SLIDE_EXPONENT:
        exponent += step
    elif kind == SLIDE_BOTH:
        mask = _slid(mask, step, width)
        exponent -= step
    elif kind == TRADE_BIT:
        mask = _traded(mask, width, state)
    elif kind == REWIRE:
        free = _some_connection(genes, start, form[layer, INPUTS], False, state)
        if free < 0:
            return n
        n = _put_connection(genes, free, sign, mask, exponent, log, n)
        mask = 0
    if exponent < 0 or exponent > highest:
        return n
    return _put_connection(genes, at, sign, mask, exponent, log, n)


@inlined_lean
def _slid(mask: int, step: int, width: int) -> int:
    return (mask << 1) & ((1 << width) - 1) if step > 0 else mask >> 1


@inlined_lean
def _traded(mask: int, width: int, state: Array) -> int:
    """One kept bit for one that is not: the number of summands stays."""
    kept = mask & (1 << below(state, width))
    other = 1 << below(state, width)
    return mask if kept == 0 or mask & other else mask ^ kept ^ other


@inlined_lean
def _add_connection(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    layer, start = _some_neuron(form, state)
    at = _some_connection(genes, start, form[layer, INPUTS], False, state)
    if at < 0:
        at = start + 3 * below(state, form[layer, INPUTS])
    width = form[layer, WIDTH]
    # A run of high bits: the low ones hardly matter and cost as much.
    low = below(state, width)
    high = low + 1 + below(state, width - low)
    mask = (1 << high) - (1 << low)
    sign = 1 if next_word(state) & np.uint64(1) else -1
    return _put_connection(genes, at, sign, mask, below(state, form[layer, EXPONENTS] + 1), log, n)


@inlined_lean
def _change_bias(kind: int, genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    layer, start = _some_neuron(form, state)
    at = start + 3 * form[layer, INPUTS]
    bias, low, high = np.int64(genes[at]), form[layer, LOWEST], form[layer, HIGHEST]
    bits = _width(high - low)
    unit = np.int64(1) << below(state, bits)
    up = next_word(state) & np.uint64(1)
    if kind == STEP_BIAS:
        bias += unit if up else -unit
    else:
        # Down or up to a multiple of a power of two: fewer constant bits, or trailing zeros.
        bias = bias & -unit if up else (bias + unit) & -unit
    if bias < low or bias > high:
        return n
    return _put(genes, at, bias, log, n)


@inlined_lean
def _width(value: int) -> int:
    bits = 0
    while value > 0:
        value >>= 1
        bits += 1
    return max(bits, 1)


@inlined_lean
def _drop_bit(kind: int, genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Clear one bit of an input, or of a hidden neuron, in all masks that read it."""
    layer = 0 if kind == DROP_INPUT_BIT else form.shape[0] - 1
    if kind == DROP_HIDDEN_BIT and layer > 1:
        layer = 1 + below(state, layer)
    i, bit = below(state, form[layer, INPUTS]), 1 << below(state, form[layer, WIDTH])
    for neuron in range(form[layer, NEURONS]):
        at = _start(form, layer, neuron) + 3 * i
        if genes[at + 1] & bit:
            n = _put_connection(genes, at, genes[at], genes[at + 1] ^ bit, genes[at + 2], log, n)
    return n


@inlined_lean
def _drop_neuron(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Clear all masks of a neuron; a hidden one's bias and readers too."""
    layer, start = _some_neuron(form, state)
    for at in range(start, start + 3 * form[layer, INPUTS], 3):
        n = _put_connection(genes, at, 1, 0, 0, log, n)
    if layer == form.shape[0] - 1:
        return n
    n = _put(genes, start + 3 * form[layer, INPUTS], min(max(0, form[layer, LOWEST]), form[layer, HIGHEST]), log, n)
    number = (start - form[layer, FIRST_GENE]) // (3 * form[layer, INPUTS] + 1)
    for reader in range(form[layer + 1, NEURONS]):
        n = _put_connection(genes, _start(form, layer + 1, reader) + 3 * number, 1, 0, 0, log, n)
    return n


@inlined_lean
def _drop_column(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Clear the lowest column that a neuron sums, or, half the time for an output, that any output sums."""
    layer, start = _some_neuron(form, state)
    step = 3 * form[layer, INPUTS] + 1
    first, stop = start, start + step
    if layer == form.shape[0] - 1 and next_word(state) & np.uint64(1):
        first = form[layer, FIRST_GENE]
        stop = first + form[layer, NEURONS] * step
    lowest = 63
    for neuron in range(first, stop, step):
        for at in range(neuron, neuron + step - 1, 3):
            if genes[at + 1] != 0:
                lowest = min(lowest, _low_bit(genes[at + 1]) + genes[at + 2])
    for neuron in range(first, stop, step):
        for at in range(neuron, neuron + step - 1, 3):
            if genes[at + 1] != 0 and _low_bit(genes[at + 1]) + genes[at + 2] == lowest:
                mask = genes[at + 1] & (genes[at + 1] - 1)
                n = _put_connection(genes, at, genes[at], mask, genes[at + 2], log, n)
    return n


@inlined_lean
def _low_bit(mask: int) -> int:
    bit = 0
    while mask >> bit & 1 == 0:
        bit += 1
    return bit


@inlined_lean
def _some_hidden_layer(form: Array, state: Array) -> int:
    return below(state, form.shape[0] - 1) if form.shape[0] > 2 else 0


@inlined_lean
def _swap_neurons(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Two hidden neurons change places in one reader, or in all."""
    if form.shape[0] < 2:
        return n
    layer = _some_hidden_layer(form, state)
    a, b = below(state, form[layer, NEURONS]), below(state, form[layer, NEURONS])
    only = below(state, 2 * form[layer + 1, NEURONS])
    for reader in range(form[layer + 1, NEURONS]):
        if only < form[layer + 1, NEURONS] and reader != only:
            continue
        start = _start(form, layer + 1, reader)
        first, second = start + 3 * a, start + 3 * b
        for k in range(3):
            old = genes[first + k]
            n = _put(genes, first + k, genes[second + k], log, n)
            n = _put(genes, second + k, old, log, n)
    return n


@inlined_lean
def _clone_neuron(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Copy a hidden neuron into one that nobody reads, change a bit, and hand it one of the readers."""
    if form.shape[0] < 2:
        return n
    layer = _some_hidden_layer(form, state)
    free = _unread_neuron(genes, form, layer, state)
    source = below(state, form[layer, NEURONS])
    if free < 0 or free == source:
        return n
    n_inputs = form[layer, INPUTS]
    a, b = _start(form, layer, source), _start(form, layer, free)
    changed, bit = below(state, n_inputs), 1 << below(state, form[layer, WIDTH])
    for i in range(n_inputs):
        mask = genes[a + 3 * i + 1] ^ (bit if i == changed else 0)
        n = _put_connection(genes, b + 3 * i, genes[a + 3 * i], mask, genes[a + 3 * i + 2], log, n)
    n = _put(genes, b + 3 * n_inputs, genes[a + 3 * n_inputs], log, n)
    reader = _start(form, layer + 1, below(state, form[layer + 1, NEURONS]))
    old = reader + 3 * source
    n = _put_connection(genes, reader + 3 * free, genes[old], genes[old + 1], genes[old + 2], log, n)
    return _put_connection(genes, old, 1, 0, 0, log, n)


@inlined_lean
def _unread_neuron(genes: Array, form: Array, layer: int, state: Array) -> Any:
    width = form[layer, NEURONS]
    first = below(state, width)
    for k in range(width):
        number = (first + k) % width
        read = 0
        for reader in range(form[layer + 1, NEURONS]):
            read |= genes[_start(form, layer + 1, reader) + 3 * number + 1]
        if read == 0:
            return number
    return -1


@inlined_lean
def _rescale_neuron(genes: Array, form: Array, state: Array, log: Array, n: int) -> int:
    """Halve or double a neuron's sum: all exponents and the bias; what reads it is scaled the other way."""
    layer, start = _some_neuron(form, state)
    step = 1 if next_word(state) & np.uint64(1) else -1
    n_inputs, highest = form[layer, INPUTS], form[layer, EXPONENTS]
    for at in range(start, start + 3 * n_inputs, 3):
        if genes[at + 1] != 0:
            # At the end of its range a term loses its scale, which the search may like or not.
            n = _put(genes, at + 2, min(max(genes[at + 2] + step, 0), highest), log, n)
    at = start + 3 * n_inputs
    bias = genes[at] << 1 if step > 0 else genes[at] >> 1
    n = _put(genes, at, min(max(bias, form[layer, LOWEST]), form[layer, HIGHEST]), log, n)
    if layer == form.shape[0] - 1:
        return n
    number = (start - form[layer, FIRST_GENE]) // (3 * n_inputs + 1)
    for reader in range(form[layer + 1, NEURONS]):
        at = _start(form, layer + 1, reader) + 3 * number
        if genes[at + 1] != 0:
            n = _put(genes, at + 2, min(max(genes[at + 2] - step, 0), form[layer + 1, EXPONENTS]), log, n)
    return n
