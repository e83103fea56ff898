"""Evolution of a gate-level circuit under an error budget: the compiled loop behind `printedmlp.circuit.refine`.

Nets are numbered as in `printedmlp.circuit.netlist`. Every gate is a slot that may read any net below its own, as
in Cartesian genetic programming (Miller, Thomson, EuroGP 2000); slots that no output depends on cost nothing and
drift.
Every net holds its values on all rows as bits of 64-bit words, in two buffers: the accepted values and those of the
proposal under trial, so that a rejected proposal is undone without computing anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.bits import below, next_word, popcount, uniform
from printedmlp.kernels.jit import compiled_lean, inlined_lean

Array = NDArray[Any]
Arrays = tuple[Array, ...]

KIND, PIN_A, PIN_B, OUTPUT = range(4)
"""Which figure of a slot, or that of an output, an entry of the undo log restores."""
WIRE, INVERTER = 0, 1
"""Kinds of gate that the loop needs to know; the others are any functions of two inputs."""
CANDIDATES = 12
"""Nets compared with the one to be replaced."""
SAMPLED_WORDS = 8
"""Words on which they are compared."""
LOG = 64
"""Most changes in one proposal."""
RETRIES = 24

REWIRE, RETYPE, SUBSTITUTE, CONSTANT, RECONNECT, N_MOVES = range(6)

Scratch = tuple[Arrays, Arrays, Array]
"""Readers, a stack, new slots as flags and as a list, area; buffer in use, changed slots as flags and list; log."""


def new_scratch(n_nets: int) -> Scratch:
    """Working memory for one call of `evolve`, all zero; lists hold their length first."""
    integers = [np.zeros(size, np.int64) for size in (n_nets, 4 * n_nets + 8, n_nets, n_nets + 1)]
    views = tuple(np.zeros(size, np.int64) for size in (n_nets, n_nets, n_nets + 1))
    return (*integers, np.zeros(1)), views, np.zeros((LOG, 3), np.int64)


@compiled_lean
def evolve(
    circuit: Arrays,
    cells: Arrays,
    rows: Arrays,
    goal: Array,
    shares: Array,
    n_moves: int,
    random: Array,
    best: Arrays,
    counts: Array,
    scratch: Scratch,
) -> None:
    """Propose `n_moves` changes; leaves the last accepted circuit in `circuit` and the best one in `best`.

    Parameters
    ----------
    circuit : kind, pin a, pin b, each (n_nets,) int64 and used from the first slot on; outputs (n_outputs,) int64.
    cells : truth table (K,) int64, bit a + 2 b; area (K,) float64; leakage by state (K, 4) float64; inputs (K,).
    rows : values (n_nets * 2 * W,) uint64, those of constants and inputs filled in; wanted outputs (n_outputs * W,)
        uint64; valid bits (W,) uint64; weight of a wrong row by word (W,) int64; number of nets that are no slots
        (1,) int64.
    goal : (8,) float64 weight of area, of power and of errors in the energy; most errors; largest area; first and
        last temperature; share of proposals made of several changes.
    shares : (N_MOVES,) float64 cumulative shares of the moves.
    random : (1,) uint64 state of the generator.
    best : arrays like those of `circuit`, overwritten with the accepted circuit of least energy.
    counts : (6,) float64, overwritten: proposals simulated, accepted; errors, area, power and energy of the best.
    scratch : from `new_scratch`.
    """
    kind, _pin_a, _pin_b, outputs = circuit
    table, area_of, leakage, arity = cells
    _values, _wanted, valid, _word_weight, sizes = rows
    first, _n_nets, _n_words = sizes[0], kind.shape[0], valid.shape[0]
    wa, wp, we, most_errors, largest_area = goal[0], goal[1], goal[2], goal[3], goal[4]
    work, views, log = scratch
    refs, area = work[0], work[4]

    for out in outputs:
        _connect(out, circuit, area_of, work, first)
    _simulate(circuit, table, rows, work, views, first)
    _keep(work, views)
    errors = _errors(outputs, rows, views, np.int64(1) << 62)
    power = _power(circuit, leakage, rows, work, views) if wp > 0 else 0.0
    energy = wa * area[0] + wp * power + we * errors
    counts[0] = counts[1] = 0
    least, least_errors = np.inf, np.inf
    if errors <= most_errors and area[0] <= largest_area + 1e-9:
        least, least_errors = energy, np.float64(errors)
        _copy(circuit, best)
        counts[2], counts[3], counts[4], counts[5] = errors, area[0], power, energy
    cooling = (goal[6] / goal[5]) ** (1.0 / max(n_moves, 1)) if goal[5] > 0 else 1.0
    temperature = goal[5]
    for _ in range(n_moves):
        temperature *= cooling
        _drift(circuit, arity, refs, first, random)
        n_log = 0
        n_log = _propose(circuit, cells, rows, work, views, shares, log, n_log, random, first)
        while uniform(random) < goal[7] and n_log < LOG - 8:
            n_log = _propose(circuit, cells, rows, work, views, shares, log, n_log, random, first)
        if n_log == 0:
            continue
        limit = energy - temperature * np.log(uniform(random)) + 1e-9
        if wa * area[0] > limit or area[0] > largest_area + 1e-9:
            _undo(circuit, area_of, work, log, n_log, first)
            continue
        counts[0] += 1
        allowed = most_errors
        if we > 0:
            allowed = min(allowed, (limit - wa * area[0]) / we)
        _simulate(circuit, table, rows, work, views, first)
        new_errors = _errors(outputs, rows, views, np.int64(allowed))
        accepted = new_errors <= allowed
        new_power = 0.0
        if accepted and wp > 0:
            new_power = _power(circuit, leakage, rows, work, views)
            accepted = wa * area[0] + wp * new_power + we * new_errors <= limit
        if not accepted:
            _forget(views)
            _undo(circuit, area_of, work, log, n_log, first)
            continue
        _keep(work, views)
        counts[1] += 1
        errors, power = new_errors, new_power
        energy = wa * area[0] + wp * power + we * errors
        if energy < least - 1e-9 or (energy < least + 1e-9 and errors < least_errors):
            least, least_errors = energy, np.float64(errors)
            _copy(circuit, best)
            counts[2], counts[3], counts[4], counts[5] = errors, area[0], power, energy


@inlined_lean
def _copy(source: Arrays, target: Arrays) -> None:
    for part in range(4):
        a, b = source[part], target[part]
        for i in range(a.shape[0]):
            b[i] = a[i]


@inlined_lean
def _connect(net: int, circuit: Arrays, area_of: Array, work: Arrays, first: int) -> None:
    """Count one more reader of a net; slots that are read for the first time join the circuit."""
    kind, pin_a, pin_b, _ = circuit
    refs, stack, fresh, fresh_list, area = work
    stack[0] = net
    top = 1
    while top > 0:
        top -= 1
        n = stack[top]
        refs[n] += 1
        if refs[n] == 1 and n >= first:
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
    refs, stack, _, _, area = work
    stack[0] = net
    top = 1
    while top > 0:
        top -= 1
        n = stack[top]
        refs[n] -= 1
        if refs[n] == 0 and n >= first:
            area[0] -= area_of[kind[n]]
            stack[top] = pin_a[n]
            stack[top + 1] = pin_b[n]
            top += 2


@inlined_lean
def _set(place: int, part: int, value: int, circuit: Arrays, area_of: Array, work: Arrays, first: int) -> Any:
    """Change one figure of a slot or an output, keep area and readers right, and return the old value."""
    kind, pin_a, pin_b, outputs = circuit
    refs, _, fresh, fresh_list, area = work
    if part == OUTPUT:
        old = outputs[place]
        _connect(value, circuit, area_of, work, first)
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
            _connect(value, circuit, area_of, work, first)
        pin_a[place] = value
        if active:
            _disconnect(old, circuit, area_of, work, first)
    else:
        old = pin_b[place]
        if active:
            _connect(value, circuit, area_of, work, first)
        pin_b[place] = value
        if active:
            _disconnect(old, circuit, area_of, work, first)
    if active and fresh[place] == 0:
        fresh[place] = 1
        fresh_list[0] += 1
        fresh_list[fresh_list[0]] = place
    return old


@inlined_lean
def _change(
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
def _undo(circuit: Arrays, area_of: Array, work: Arrays, log: Array, n_log: int, first: int) -> None:
    for entry in range(n_log - 1, -1, -1):
        _set(log[entry, 0], log[entry, 1], log[entry, 2], circuit, area_of, work, first)
    _, _, fresh, fresh_list, _ = work
    for i in range(1, fresh_list[0] + 1):
        fresh[fresh_list[i]] = 0
    fresh_list[0] = 0


@inlined_lean
def _simulate(circuit: Arrays, table: Array, rows: Arrays, work: Arrays, views: Arrays, first: int) -> None:
    """Compute every live slot that is new, was changed or reads a changed net, into its spare buffer."""
    kind, pin_a, pin_b, _ = circuit
    refs, _, fresh, fresh_list, _ = work
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
def _keep(work: Arrays, views: Arrays) -> None:
    """Make the values under trial the accepted ones."""
    _, _, fresh, fresh_list, _ = work
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
def _forget(views: Arrays) -> None:
    _, changed, touched = views
    for i in range(1, touched[0] + 1):
        changed[touched[i]] = 0
    touched[0] = 0


@inlined_lean
def _errors(outputs: Array, rows: Arrays, views: Arrays, limit: Any) -> Any:
    """Weighted number of wrong rows under trial, or some number beyond `limit` as soon as it is passed."""
    values, wanted, valid, word_weight, _ = rows
    current, changed, _ = views
    n_words = valid.shape[0]
    errors = np.int64(0)
    for begin in range(0, n_words, 32):
        end = min(begin + 32, n_words)
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
def _power(circuit: Arrays, leakage: Array, rows: Arrays, work: Arrays, views: Arrays) -> Any:
    """Mean static power of the live slots over the rows under trial, in the leakage's unit; rows count once."""
    kind, pin_a, pin_b, _ = circuit
    refs = work[0]
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
    return total / max(float(n_rows), 1.0)


@inlined_lean
def _drift(circuit: Arrays, arity: Array, refs: Array, first: int, random: Array) -> None:
    """Change a slot that no output depends on, if a random slot is one."""
    kind, pin_a, pin_b, _ = circuit
    n = first + below(random, kind.shape[0] - first)
    if refs[n] > 0:
        return
    kind[n] = 1 + below(random, arity.shape[0] - 1)
    pin_a[n] = below(random, n)
    pin_b[n] = below(random, n) if arity[kind[n]] == 2 else 0


@inlined_lean
def _live_slot(refs: Array, first: int, random: Array) -> Any:
    """A random live slot, or -1 where some tries hit none."""
    for _ in range(RETRIES):
        n = first + below(random, refs.shape[0] - first)
        if refs[n] > 0:
            return n
    return -1


@inlined_lean
def _propose(
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
    while move < N_MOVES - 2 and u > shares[move]:
        move += 1
    n = _live_slot(refs, first, random)
    if n < 0:
        move = RECONNECT
    if move == RECONNECT:
        b = below(random, outputs.shape[0])
        if next_word(random) & np.uint64(1):
            net = below(random, kind.shape[0])
        else:
            net = abs(_similar(outputs[b], kind.shape[0], rows, refs, views, random, first))
        return n_log if net == outputs[b] else _change(b, OUTPUT, net, circuit, area_of, work, first, log, n_log)
    if move == REWIRE:
        net = _source(n, first, random)
        if arity[kind[n]] == 2 and next_word(random) & np.uint64(1):
            return n_log if net == pin_b[n] else _change(n, PIN_B, net, circuit, area_of, work, first, log, n_log)
        return n_log if net == pin_a[n] else _change(n, PIN_A, net, circuit, area_of, work, first, log, n_log)
    if move == RETYPE:
        new = 1 + below(random, arity.shape[0] - 1)
        if new == kind[n]:
            return n_log
        if arity[new] == 1:
            if next_word(random) & np.uint64(1) and arity[kind[n]] == 2:
                n_log = _change(n, PIN_A, pin_b[n], circuit, area_of, work, first, log, n_log)
            n_log = _change(n, PIN_B, 0, circuit, area_of, work, first, log, n_log)
        elif arity[kind[n]] == 1:
            n_log = _change(n, PIN_B, below(random, n), circuit, area_of, work, first, log, n_log)
        return _change(n, KIND, new, circuit, area_of, work, first, log, n_log)
    if move == CONSTANT:
        return _replace(n, WIRE, below(random, 2), circuit, area_of, work, first, log, n_log)
    found = _similar(n, n, rows, refs, views, random, first)
    return _replace(n, INVERTER if found < 0 else WIRE, abs(found), circuit, area_of, work, first, log, n_log)


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
    n_log = _change(n, PIN_A, net, circuit, area_of, work, first, log, n_log)
    n_log = _change(n, PIN_B, 0, circuit, area_of, work, first, log, n_log)
    return _change(n, KIND, new, circuit, area_of, work, first, log, n_log)


@inlined_lean
def _similar(n: int, end: int, rows: Arrays, refs: Array, views: Arrays, random: Array, first: int) -> Any:
    """The live net below `end` most like net n on some rows, negative where its inverse is; of a few at random."""
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
        other = below(random, end)
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
