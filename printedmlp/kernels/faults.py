"""Stuck-at faults of a circuit on many rows at once: the compiled loops behind `circuit.fault_simulation`.

Nets are numbered as in `printedmlp.circuit.netlist`. `values` holds every net's values as bits of 64-bit words,
(2 * n_nets, W): first those of the circuit without faults, then those with faults, which count only for nets that
are marked as touched. A circuit is `(tables, arities, pins, outputs, readers, only, last)`: truth table (G,)
uint64, inputs (G,) int64 and their nets (G, P) int64 of every gate; nets of the outputs (B,); for every net how
many pins and outputs read it, the pin that does where there is just one, as gate * P + place, and the last gate
that reads it, (n_nets,) int64 each. `rows` is `(wanted, masks, base)`: bits of the right class (B, W), the groups
of rows that errors are counted in (M, W), of which the first holds all rows, and the rows that are answered wrong
without faults (W,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.bits import popcount
from printedmlp.kernels.jit import compiled_lean, inlined_lean

Array = NDArray[Any]
Arrays = tuple[Array, ...]
CONSTANTS = 2
"""Nets before those of the inputs."""
FREE, FAULTY, HELD = range(3)
"""Marks of a net: of no fault of its own, of a gate with faulty pins, stuck."""


@inlined_lean
def _state_word(table: Any, arity: int, values: Array, sources: Array, flipped: int, w: int) -> Any:
    """One word of a gate's output; input `flipped` is read inverted, none where that is -1."""
    zero = np.uint64(0)
    one = np.uint64(1)
    if arity > 2:
        result = zero
        for state in range(1 << arity):
            if table >> np.uint64(state) & one:
                term = ~zero
                for i in range(arity):
                    x = values[sources[i], w]
                    term &= x if (state >> i & 1) == (i != flipped) else ~x
                result |= term
        return result
    x = values[sources[0], w] if arity > 0 else zero
    y = values[sources[1], w] if arity > 1 else zero
    x = ~x if flipped == 0 else x
    y = ~y if flipped == 1 else y
    m0, m1 = zero - (table & one), zero - (table >> one & one)
    m2, m3 = zero - (table >> np.uint64(2) & one), zero - (table >> np.uint64(3) & one)
    return (y & ((x & m3) | (~x & m2))) | (~y & ((x & m1) | (~x & m0)))


@inlined_lean
def _set_sources(pins: Array, gate: int, arity: int, touched: Array, sources: Array) -> None:
    n_nets = touched.shape[0]
    for i in range(arity):
        net = pins[gate, i]
        sources[i] = net + n_nets if touched[net] else net


@inlined_lean
def _evaluate(table: Any, arity: int, values: Array, sources: Array, net: int, n_nets: int) -> Any:
    """Compute a gate's output beside that without faults; whether they differ."""
    difference = np.uint64(0)
    for w in range(values.shape[1]):
        word = _state_word(table, arity, values, sources, -1, w)
        difference |= word ^ values[net, w]
        values[net + n_nets, w] = word
    return difference != np.uint64(0)


@compiled_lean
def settle(circuit: Arrays, values: Array, first: int, sources: Array) -> None:
    """Fill in the values of every gate without faults; those of constants and inputs are there."""
    tables, arities, pins = circuit[:3]
    for g in range(tables.shape[0]):
        for i in range(arities[g]):
            sources[i] = pins[g, i]
        for w in range(values.shape[1]):
            values[first + g, w] = _state_word(tables[g], arities[g], values, sources, -1, w)


@inlined_lean
def _spread(
    circuit: Arrays, values: Array, start: int, last: int, first: int, marks: Array, touched: Array, sources: Array
) -> Any:
    """Recompute every gate from `start` on that reads a touched net; the last gate that could have been one.

    Gates marked as held keep what they have, those marked as faulty are computed whatever they read.
    """
    tables, arities, pins, last_reader = circuit[0], circuit[1], circuit[2], circuit[6]
    n_nets = touched.shape[0]
    g = start
    while g <= last:
        net = first + g
        read = marks[net] == FAULTY
        if marks[net] == FREE:
            for i in range(arities[g]):
                read = read or touched[pins[g, i]] != 0
        if read:
            _set_sources(pins, g, arities[g], touched, sources)
            if _evaluate(tables[g], arities[g], values, sources, net, n_nets):
                touched[net] = 1
                last = max(last, last_reader[net])
        g += 1
    return last


@inlined_lean
def _answers(outputs: Array, values: Array, touched: Array, wanted: Array, wrong: Array, changed: Array) -> None:
    """Rows whose answer is not the wanted one, and rows whose answer is not that without faults."""
    n_nets = touched.shape[0]
    for w in range(values.shape[1]):
        bad = np.uint64(0)
        other = np.uint64(0)
        for b in range(outputs.shape[0]):
            net = outputs[b]
            word = values[net + n_nets, w] if touched[net] else values[net, w]
            bad |= word ^ wanted[b, w]
            other |= word ^ values[net, w]
        wrong[w] = bad
        changed[w] = other


@inlined_lean
def toggled(circuit: Arrays, values: Array, gate: int, pin: int, net: int, sources: Array, w: int) -> Any:
    """Rows of a word in which the gate's output changes with one of its pins."""
    return _state_word(circuit[0][gate], circuit[1][gate], values, sources, pin, w) ^ values[net, w]


@inlined_lean
def flips(
    circuit: Arrays,
    values: Array,
    rows: Arrays,
    lowest: int,
    first: int,
    wrong: Array,
    changed: Array,
    scratch: Arrays,
) -> None:
    """For every net the rows that are answered wrong, and those answered otherwise, when the net is inverted.

    A row knows nothing of the others. So what an inverted net does follows, where one pin alone reads it, from
    what the reading gate's output does when it is inverted, on the rows in which the gate lets it through; only
    nets that several pins read are simulated, each through its own cone (critical path tracing with exact stems).

    Parameters
    ----------
    lowest : nets below are not looked at.
    wrong, changed : (n_nets, W) uint64, overwritten from there on.
    scratch : marks and touched nets, (n_nets,) int64, all zero before and after, and sources (P,) int64.
    """
    _, arities, pins, outputs, readers, only, last_reader = circuit
    wanted, _, base = rows
    marks, touched, sources = scratch
    n_nets, n_pins, n_words = touched.shape[0], pins.shape[1], values.shape[1]
    for net in range(n_nets - 1, lowest - 1, -1):
        if readers[net] == 0:
            for w in range(n_words):
                wrong[net, w], changed[net, w] = base[w], np.uint64(0)
        elif readers[net] == 1 and only[net] >= 0:
            gate, pin = only[net] // n_pins, only[net] % n_pins
            for i in range(arities[gate]):
                sources[i] = pins[gate, i]
            for w in range(n_words):
                through = toggled(circuit, values, gate, pin, first + gate, sources, w)
                wrong[net, w] = (through & wrong[first + gate, w]) | (~through & base[w])
                changed[net, w] = through & changed[first + gate, w]
        else:
            for w in range(n_words):
                values[net + n_nets, w] = ~values[net, w]
            touched[net] = 1
            start = max(net - first + 1, 0)
            last = _spread(circuit, values, start, last_reader[net], first, marks, touched, sources)
            _answers(outputs, values, touched, wanted, wrong[net], changed[net])
            for other in range(net, first + last + 1):
                touched[other] = 0
            touched[net] = 0


@inlined_lean
def _count(stuck: int, good: Array, wrong: Array, changed: Array, rows: Arrays, counts: Array) -> None:
    """Errors by group of rows, then rows answered otherwise, when the rows of other values are inverted."""
    masks, base = rows[1], rows[2]
    invert = np.uint64(0) - np.uint64(stuck)
    for m in range(masks.shape[0]):
        total = np.uint64(0)
        for w in range(masks.shape[1]):
            moved = good[w] ^ invert
            total += popcount(((moved & wrong[w]) | (~moved & base[w])) & masks[m, w])
        counts[m] = np.int64(total)
    total = np.uint64(0)
    for w in range(masks.shape[1]):
        total += popcount((good[w] ^ invert) & changed[w] & masks[0, w])
    counts[masks.shape[0]] = np.int64(total)


@compiled_lean
def count_singles(
    circuit: Arrays,
    values: Array,
    rows: Arrays,
    first: int,
    of_nets: Array,
    of_pins: Array,
    flags: Arrays,
    words: Arrays,
) -> None:
    """Figures of every single stuck-at fault.

    Parameters
    ----------
    of_nets : (n_nets, 2, M + 1) int64, overwritten but for constants: by net and stuck value errors in each group
    and
        rows changed.
    of_pins : (G, P, 2, M + 1) int64, likewise by gate and pin.
    flags : scratch of `flips`.
    words : (n_nets, W) uint64 for what that finds, twice, and two rows of words (W,) uint64.
    """
    wrong, changed, pin_wrong, pin_changed = words
    flips(circuit, values, rows, CONSTANTS, first, wrong, changed, flags)
    _, arities, pins = circuit[:3]
    base, sources = rows[2], flags[2]
    for net in range(CONSTANTS, of_nets.shape[0]):
        for stuck in range(2):
            _count(stuck, values[net], wrong[net], changed[net], rows, of_nets[net, stuck])
    for g in range(pins.shape[0]):
        for i in range(arities[g]):
            sources[i] = pins[g, i]
        for i in range(arities[g]):
            for w in range(values.shape[1]):
                through = toggled(circuit, values, g, i, first + g, sources, w)
                pin_wrong[w] = (through & wrong[first + g, w]) | (~through & base[w])
                pin_changed[w] = through & changed[first + g, w]
            for stuck in range(2):
                _count(stuck, values[pins[g, i]], pin_wrong, pin_changed, rows, of_pins[g, i, stuck])


@inlined_lean
def _begin_set(
    circuit: Arrays, values: Array, first: int, faults: Array, own_pins: Array, marks: Array, touched: Array
) -> Any:
    """Place the faults of a set; first and last gate that may have to be recomputed."""
    last_reader, n_nets = circuit[6], touched.shape[0]
    start, last = circuit[0].shape[0], -1
    for f in range(faults.shape[0]):
        place, pin, stuck = faults[f]
        if pin >= 0:
            own_pins[place, pin] = stuck
            marks[first + place] = max(marks[first + place], FAULTY)
            start, last = min(start, place), max(last, place)
            continue
        marks[place], touched[place] = HELD, 0
        for w in range(values.shape[1]):
            values[place + n_nets, w] = values[stuck, w]
            if values[stuck, w] != values[place, w]:
                touched[place] = 1
        start, last = min(start, max(place - first + 1, 0)), max(last, last_reader[place])
    return start, last


@inlined_lean
def _end_set(circuit: Arrays, first: int, faults: Array, own_pins: Array, marks: Array, touched: Array) -> None:
    """Take the faults of a set away again."""
    pins = circuit[2]
    for f in range(faults.shape[0]):
        place, pin, _ = faults[f]
        if pin >= 0:
            own_pins[place, pin] = pins[place, pin]
            marks[first + place] = FREE
        else:
            marks[place], touched[place] = FREE, 0


@compiled_lean
def count_sets(
    circuit: Arrays,
    values: Array,
    rows: Arrays,
    first: int,
    faults: Array,
    ends: Array,
    counts: Array,
    scratch: Arrays,
) -> None:
    """Figures of sets of faults that are there together, each simulated through the cones of its faults alone.

    Parameters
    ----------
    faults : (F, 3) int64: a net, -1 and its stuck value, or a gate, its pin and that pin's; of one place the last
        counts, and a stuck net hides the faults of its gate's pins.
    ends : (S,) int64, where the faults of each set end.
    counts : (S, M + 1) int64, overwritten: errors in each group of rows, then rows answered otherwise.
    scratch : marks and touched nets, (n_nets,) int64 and all zero before and after, sources (P,) int64, a copy of
    the
        gates' pins (G, P) int64, two rows of words (W,) uint64.
    """
    tables, arities, _, outputs, readers, only, last_reader = circuit
    wanted, masks, _ = rows
    marks, touched, sources, own_pins, wrong, changed = scratch
    faulty = (tables, arities, own_pins, outputs, readers, only, last_reader)
    begin = 0
    for s in range(ends.shape[0]):
        own = faults[begin : ends[s]]
        start, last = _begin_set(circuit, values, first, own, own_pins, marks, touched)
        last = _spread(faulty, values, start, last, first, marks, touched, sources)
        _answers(outputs, values, touched, wanted, wrong, changed)
        for m in range(masks.shape[0]):
            counts[s, m] = _ones(wrong, masks[m])
        counts[s, masks.shape[0]] = _ones(changed, masks[0])
        for net in range(first + start, first + last + 1):
            touched[net] = 0
        _end_set(circuit, first, own, own_pins, marks, touched)
        begin = ends[s]


@inlined_lean
def _ones(words: Array, mask: Array) -> Any:
    total = np.uint64(0)
    for w in range(words.shape[0]):
        total += popcount(words[w] & mask[w])
    return np.int64(total)
