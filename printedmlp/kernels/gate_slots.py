"""Slots of gates, their readers and their values: what the evolution of a circuit changes, computes and undoes.

Nets are numbered as in `printedmlp.circuit.netlist`. Every net holds its values on all rows as bits of 64-bit
words, in two buffers: the accepted values and those of the proposal under trial, so that a rejected proposal is
undone without computing anything.

A circuit is four int64 arrays: kind, pin a and pin b of every net, (n_nets,) each and used from the first slot on,
and the outputs' nets. Working memory (`new_scratch`) holds readers, a stack, new slots as flags and as a list, and
the area, prices of inputs and how many inputs of each feature are read; then the buffer in use, changed slots as
flags and as a list; then the undo log. Lists hold their length first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.bits import popcount
from printedmlp.kernels.gate_prices import FREE, price_of
from printedmlp.kernels.jit import inlined_lean

Array = NDArray[Any]
Arrays = tuple[Array, ...]
Scratch = tuple[Arrays, Arrays, Array]

KIND, PIN_A, PIN_B, OUTPUT = range(4)
"""Which figure of a slot, or that of an output, an entry of the undo log restores."""
WIRE, INVERTER = 0, 1
"""Kinds of gate that the loop needs to know; the others are any functions of two inputs."""
LOG = 64
"""Most changes in one proposal."""
ERROR_TILE = 32
"""Words after which the error budget is looked at."""


def new_scratch(n_nets: int, prices: Arrays = FREE) -> Scratch:
    """Working memory for one evolution of a circuit of so many nets, all zero but for the prices of inputs."""
    integers = [np.zeros(size, np.int64) for size in (n_nets, 4 * n_nets + 8, n_nets, n_nets + 1)]
    views = tuple(np.zeros(size, np.int64) for size in (n_nets, n_nets, n_nets + 1))
    features_read = np.zeros(int(prices[1].max(initial=-1)) + 1, np.int64)
    return (*integers, np.zeros(1), *prices, features_read), views, np.zeros((LOG, 3), np.int64)


@inlined_lean
def copy_circuit(source: Arrays, target: Arrays) -> None:
    """Overwrite one circuit with another of as many nets."""
    for part in range(4):
        a, b = source[part], target[part]
        for i in range(a.shape[0]):
            b[i] = a[i]


@inlined_lean
def connect(net: int, circuit: Arrays, area_of: Array, work: Arrays, first: int) -> None:
    """Count one more reader of a net; slots that are read for the first time join the circuit."""
    kind, pin_a, pin_b, _ = circuit
    refs, stack, fresh, fresh_list, area = work[:5]
    stack[0] = net
    top = 1
    while top > 0:
        top -= 1
        n = stack[top]
        refs[n] += 1
        if refs[n] == 1 and n < first:
            area[0] += price_of(n, 1, work)
        elif refs[n] == 1:
            area[0] += area_of[kind[n]]
            if fresh[n] == 0:
                fresh[n] = 1
                fresh_list[0] += 1
                fresh_list[fresh_list[0]] = n
            stack[top] = pin_a[n]
            stack[top + 1] = pin_b[n]
            top += 2


@inlined_lean
def _disconnect(net: int, circuit: Arrays, area_of: Array, work: Arrays, first: int) -> None:
    kind, pin_a, pin_b, _ = circuit
    refs, stack, _, _, area = work[:5]
    stack[0] = net
    top = 1
    while top > 0:
        top -= 1
        n = stack[top]
        refs[n] -= 1
        if refs[n] == 0 and n < first:
            area[0] += price_of(n, -1, work)
        elif refs[n] == 0:
            area[0] -= area_of[kind[n]]
            stack[top] = pin_a[n]
            stack[top + 1] = pin_b[n]
            top += 2


@inlined_lean
def _set(place: int, part: int, value: int, circuit: Arrays, area_of: Array, work: Arrays, first: int) -> Any:
    """Change one figure of a slot or an output, keep area and readers right, and return the old value."""
    kind, pin_a, pin_b, outputs = circuit
    refs, _, fresh, fresh_list, area = work[:5]
    if part == OUTPUT:
        old = outputs[place]
        connect(value, circuit, area_of, work, first)
        outputs[place] = value
        _disconnect(old, circuit, area_of, work, first)
        return old
    active = refs[place] > 0
    if part == KIND:
        old = kind[place]
        if active:
            area[0] += area_of[value] - area_of[old]
        kind[place] = value
    elif part == PIN_A:
        old = pin_a[place]
        if active:
            connect(value, circuit, area_of, work, first)
        pin_a[place] = value
        if active:
            _disconnect(old, circuit, area_of, work, first)
    else:
        old = pin_b[place]
        if active:
            connect(value, circuit, area_of, work, first)
        pin_b[place] = value
        if active:
            _disconnect(old, circuit, area_of, work, first)
    if active and fresh[place] == 0:
        fresh[place] = 1
        fresh_list[0] += 1
        fresh_list[fresh_list[0]] = place
    return old


@inlined_lean
def change(
    place: int,
    part: int,
    value: int,
    circuit: Arrays,
    area_of: Array,
    work: Arrays,
    first: int,
    log: Array,
    n_log: int,
) -> Any:
    """`_set` with an entry in the undo log; the log's new length."""
    log[n_log, 0], log[n_log, 1] = place, part
    log[n_log, 2] = _set(place, part, value, circuit, area_of, work, first)
    return n_log + 1


@inlined_lean
def undo(circuit: Arrays, area_of: Array, work: Arrays, log: Array, n_log: int, first: int) -> None:
    """Take back the first `n_log` changes of the log, last first."""
    for entry in range(n_log - 1, -1, -1):
        _set(log[entry, 0], log[entry, 1], log[entry, 2], circuit, area_of, work, first)
    _, _, fresh, fresh_list = work[:4]
    for i in range(1, fresh_list[0] + 1):
        fresh[fresh_list[i]] = 0
    fresh_list[0] = 0


@inlined_lean
def simulate_trial(circuit: Arrays, table: Array, rows: Arrays, work: Arrays, views: Arrays, first: int) -> None:
    """Compute every live slot that is new, was changed or reads a changed net, into its spare buffer."""
    kind, pin_a, pin_b, _ = circuit
    refs, _, fresh, fresh_list = work[:4]
    current, changed, touched = views
    values, _, valid, _, _ = rows
    n_nets, n_words = kind.shape[0], valid.shape[0]
    start = n_nets
    for i in range(1, fresh_list[0] + 1):
        start = min(start, fresh_list[i])
    touched[0] = 0
    for n in range(start, n_nets):
        if refs[n] == 0:
            continue
        a, b = pin_a[n], pin_b[n]
        if not (fresh[n] or changed[a] or changed[b]):
            continue
        old = (2 * n + current[n]) * n_words
        new = (2 * n + 1 - current[n]) * n_words
        from_a = (2 * a + (current[a] ^ changed[a])) * n_words
        from_b = (2 * b + (current[b] ^ changed[b])) * n_words
        if _apply(table[kind[n]], values, from_a, from_b, old, new, n_words):
            changed[n] = 1
            touched[0] += 1
            touched[touched[0]] = n


@inlined_lean
def _apply(function: int, values: Array, a: int, b: int, old: int, new: int, n_words: int) -> Any:
    """values[new] = function(values[a], values[b]); whether that differs from values[old]."""
    zero = np.uint64(0)
    m0 = zero - np.uint64(function & 1)
    m1 = zero - np.uint64(function >> 1 & 1)
    m2 = zero - np.uint64(function >> 2 & 1)
    m3 = zero - np.uint64(function >> 3 & 1)
    difference = zero
    for w in range(n_words):
        x, y = values[a + w], values[b + w]
        z = (y & ((x & m3) | (~x & m2))) | (~y & ((x & m1) | (~x & m0)))
        difference |= z ^ values[old + w]
        values[new + w] = z
    return difference != zero


@inlined_lean
def keep_trial(work: Arrays, views: Arrays) -> None:
    """Make the values under trial the accepted ones."""
    _, _, fresh, fresh_list = work[:4]
    current, changed, touched = views
    for i in range(1, touched[0] + 1):
        n = touched[i]
        current[n] = 1 - current[n]
        changed[n] = 0
    touched[0] = 0
    for i in range(1, fresh_list[0] + 1):
        fresh[fresh_list[i]] = 0
    fresh_list[0] = 0


@inlined_lean
def forget_trial(views: Arrays) -> None:
    """Go back to the accepted values."""
    _, changed, touched = views
    for i in range(1, touched[0] + 1):
        changed[touched[i]] = 0
    touched[0] = 0


@inlined_lean
def count_errors(outputs: Array, rows: Arrays, views: Arrays, limit: Any) -> Any:
    """Weighted number of wrong rows under trial, or some number beyond `limit` as soon as it is passed."""
    values, wanted, valid, word_weight, _ = rows
    current, changed, _ = views
    n_words = valid.shape[0]
    errors = np.int64(0)
    for begin in range(0, n_words, ERROR_TILE):
        end = min(begin + ERROR_TILE, n_words)
        for w in range(begin, end):
            wrong = np.uint64(0)
            for b in range(outputs.shape[0]):
                net = outputs[b]
                from_net = (2 * net + (current[net] ^ changed[net])) * n_words
                wrong |= values[from_net + w] ^ wanted[b * n_words + w]
            errors += np.int64(popcount(wrong & valid[w])) * word_weight[w]
        if errors > limit:
            return errors
    return errors


@inlined_lean
def mean_power(circuit: Arrays, leakage: Array, rows: Arrays, work: Arrays, views: Arrays) -> Any:
    """Mean static power of the live slots over the rows under trial, in the leakage's unit; rows count once.

    That of the inputs that are read comes on top where they have prices.
    """
    kind, pin_a, pin_b, _ = circuit
    refs, prices = work[0], work[5]
    values, _, valid, _, sizes = rows
    current, changed, _ = views
    n_words = valid.shape[0]
    total, n_rows = 0.0, np.int64(0)
    for w in range(n_words):
        n_rows += np.int64(popcount(valid[w]))
    for n in range(sizes[0], kind.shape[0]):
        if refs[n] == 0 or kind[n] == WIRE:
            continue
        a, b = pin_a[n], pin_b[n]
        from_a = (2 * a + (current[a] ^ changed[a])) * n_words
        from_b = (2 * b + (current[b] ^ changed[b])) * n_words
        ones_a = ones_b = both = np.int64(0)
        for w in range(n_words):
            x, y = values[from_a + w] & valid[w], values[from_b + w]
            ones_a += np.int64(popcount(x))
            ones_b += np.int64(popcount(y & valid[w]))
            both += np.int64(popcount(x & y))
        leak = leakage[kind[n]]
        total += leak[3] * both + leak[1] * (ones_a - both) + leak[2] * (ones_b - both)
        total += leak[0] * (n_rows - ones_a - ones_b + both)
    of_inputs = 0.0
    for n in range(prices.shape[0]):
        if refs[n] > 0:
            of_inputs += prices[n, 1]
    return total / max(float(n_rows), 1.0) + of_inputs
