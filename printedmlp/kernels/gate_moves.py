"""Random changes of a circuit of slots: rewire, retype, substitute, constant, reconnect an output."""

from __future__ import annotations

from typing import Any

import numpy as np

from printedmlp.kernels.bits import below, next_word, popcount, uniform
from printedmlp.kernels.gate_slots import INVERTER, KIND, OUTPUT, PIN_A, PIN_B, WIRE, Array, Arrays, change
from printedmlp.kernels.jit import inlined_lean

CANDIDATES = 12
"""Nets compared with the one to be replaced."""
SAMPLED_WORDS = 8
"""Words on which they are compared."""
NEAREST = 3
"""Steps between a priced input and a neighbour that takes its place, at most."""
RETRIES = 24
"""Random slots looked at for a live one."""

MOST_ENTRIES = 8
"""Room in the undo log that one change may need."""
REWIRE, RETYPE, SUBSTITUTE, CONSTANT, RECONNECT, N_MOVES = range(6)


@inlined_lean
def drift(circuit: Arrays, arity: Array, refs: Array, first: int, random: Array) -> None:
    """Change a slot that no output depends on, if a random slot is one."""
    kind, pin_a, pin_b, _ = circuit
    n = first + below(random, kind.shape[0] - first)
    if refs[n] > 0:
        return
    kind[n] = 1 + below(random, arity.shape[0] - 1)
    pin_a[n] = below(random, n)
    pin_b[n] = below(random, n) if arity[kind[n]] == 2 else 0


@inlined_lean
def propose(
    circuit: Arrays,
    cells: Arrays,
    rows: Arrays,
    work: Arrays,
    views: Arrays,
    shares: Array,
    log: Array,
    n_log: int,
    random: Array,
    first: int,
) -> Any:
    """Make one random change; the undo log's new length."""
    kind, pin_a, pin_b, outputs = circuit
    _, area_of, _, arity = cells
    refs = work[0]
    u, move = uniform(random), 0
    while move < N_MOVES - 1 and u > shares[move]:
        move += 1
    n = _live_slot(refs, first, random)
    if n < 0:
        move = RECONNECT
    if move == RECONNECT:
        b = below(random, outputs.shape[0])
        if next_word(random) & np.uint64(1):
            net = below(random, kind.shape[0])
        else:
            net = abs(_similar(outputs[b], kind.shape[0], rows, work, views, random, first))
        return n_log if net == outputs[b] else change(b, OUTPUT, net, circuit, area_of, work, first, log, n_log)
    if move == REWIRE:
        net = _level(pin_a[n], work, random)
        if net < 0:
            net = _source(n, first, random)
        if arity[kind[n]] == 2 and next_word(random) & np.uint64(1):
            return n_log if net == pin_b[n] else change(n, PIN_B, net, circuit, area_of, work, first, log, n_log)
        return n_log if net == pin_a[n] else change(n, PIN_A, net, circuit, area_of, work, first, log, n_log)
    if move == RETYPE:
        new = 1 + below(random, arity.shape[0] - 1)
        if new == kind[n]:
            return n_log
        if arity[new] == 1:
            if next_word(random) & np.uint64(1) and arity[kind[n]] == 2:
                n_log = change(n, PIN_A, pin_b[n], circuit, area_of, work, first, log, n_log)
            n_log = change(n, PIN_B, 0, circuit, area_of, work, first, log, n_log)
        elif arity[kind[n]] == 1:
            n_log = change(n, PIN_B, below(random, n), circuit, area_of, work, first, log, n_log)
        return change(n, KIND, new, circuit, area_of, work, first, log, n_log)
    if move == CONSTANT:
        return _replace(n, WIRE, below(random, 2), circuit, area_of, work, first, log, n_log)
    found = _similar(n, n, rows, work, views, random, first)
    return _replace(n, INVERTER if found < 0 else WIRE, abs(found), circuit, area_of, work, first, log, n_log)


@inlined_lean
def _level(net: int, work: Arrays, random: Array) -> Any:
    """Half the time a neighbour of a priced input among its feature's levels, else -1; always for other nets."""
    features = work[6]
    if net >= features.shape[0] or features[net] < 0 or next_word(random) & np.uint64(1):
        return -1
    step = 1 + below(random, NEAREST)
    other = net + step if next_word(random) & np.uint64(1) else net - step
    return other if 0 <= other < features.shape[0] and features[other] == features[net] else -1


@inlined_lean
def _source(n: int, first: int, random: Array) -> Any:
    """A random net for a slot's pin: near, any, or an input."""
    choice = next_word(random) & np.uint64(3)
    if choice == 0 and first > 2:
        return 2 + below(random, first - 2)
    if choice == 1:
        return max(n - 1 - below(random, 32), 0)
    return below(random, n)


@inlined_lean
def _replace(
    n: int,
    new: int,
    net: int,
    circuit: Arrays,
    area_of: Array,
    work: Arrays,
    first: int,
    log: Array,
    n_log: int,
) -> Any:
    n_log = change(n, PIN_A, net, circuit, area_of, work, first, log, n_log)
    n_log = change(n, PIN_B, 0, circuit, area_of, work, first, log, n_log)
    return change(n, KIND, new, circuit, area_of, work, first, log, n_log)


@inlined_lean
def _similar(n: int, end: int, rows: Arrays, work: Arrays, views: Arrays, random: Array, first: int) -> Any:
    """The live net below `end` most like net n on some rows, negative where its inverse is; of a few at random."""
    refs = work[0]
    values, _, valid, _, _ = rows
    current, changed, _ = views
    n_words = valid.shape[0]
    n_sampled = min(SAMPLED_WORDS, n_words)
    begin = below(random, n_words - n_sampled + 1)
    of_n = (2 * n + (current[n] ^ changed[n])) * n_words
    n_bits = np.int64(0)
    for w in range(begin, begin + n_sampled):
        n_bits += np.int64(popcount(valid[w]))
    best, closest = 0, np.int64(1) << 60
    for _ in range(CANDIDATES):
        other = _candidate(end, first, work, random)
        if other == n or (other >= first and refs[other] == 0):
            continue
        from_other = (2 * other + (current[other] ^ changed[other])) * n_words
        distance = np.int64(0)
        for w in range(begin, begin + n_sampled):
            distance += np.int64(popcount((values[of_n + w] ^ values[from_other + w]) & valid[w]))
        if distance < closest:
            best, closest = other, distance
        if n_bits - distance < closest:
            best, closest = -other, n_bits - distance
    return best


@inlined_lean
def _candidate(end: int, first: int, work: Arrays, random: Array) -> Any:
    """A random net below `end`; half the time a slot where inputs have prices, of which there are many."""
    if work[6].shape[0] > 0 and end > first and next_word(random) & np.uint64(1):
        return first + below(random, end - first)
    return below(random, end)


@inlined_lean
def _live_slot(refs: Array, first: int, random: Array) -> Any:
    """A random live slot, or -1 where some tries hit none."""
    for _ in range(RETRIES):
        n = first + below(random, refs.shape[0] - first)
        if refs[n] > 0:
            return n
    return -1
