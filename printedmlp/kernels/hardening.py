"""Evolution of a circuit for what its prints answer: the compiled loop behind `printedmlp.circuit.hardening`.

The changes are those of `kernels.gates`. A circuit is priced by the errors that a print with failed devices is
expected to make, which its single faults tell (`circuit.yields.printed_merit` is the definition); they are found as
in `kernels.faults`, on a compact copy of the live gates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from printedmlp.kernels.bits import popcount, uniform
from printedmlp.kernels.faults import flips, toggled
from printedmlp.kernels.gate_moves import MOST_ENTRIES, drift, propose
from printedmlp.kernels.gate_slots import (
    LOG,
    WIRE,
    Array,
    Arrays,
    Scratch,
    connect,
    copy_circuit,
    count_errors,
    forget_trial,
    keep_trial,
    simulate_trial,
    undo,
)
from printedmlp.kernels.jit import compiled_lean, inlined_lean

AREA, LARGEST_AREA, HOT, COLD, COMPOSITE, RANDOM_CODE, TOTAL = range(7)
"""Places in a goal: price of area in errors, limit of it, first and last temperature, share of several changes at
once, merit of a random code, and the weight of all rows."""
OF_PIN, OF_OUTPUT = range(2)
EXPECTED, ERRORS, FOUND_AREA, ACCEPTED, N_COUNTS = range(5)
"""Places in the counts: expected errors of prints, errors without faults and area of the best; changes accepted."""
ROUNDING = 1e-9
NO_BOUND = np.int64(1) << 62


@compiled_lean
def harden(
    circuit: Arrays,
    cells: Arrays,
    failures: Array,
    rows: Arrays,
    goal: Array,
    shares: Array,
    n_moves: int,
    random: Array,
    best: Arrays,
    counts: Array,
    scratch: Scratch,
    copy: Arrays,
) -> None:
    """Propose `n_moves` changes; leaves the circuit of least expected errors plus priced area in `best`.

    Parameters
    ----------
    circuit, cells, rows, shares, random, best, scratch : as `kernels.gates.evolve` takes them.
    failures : (K, 2) float64, probability that a pin, and that the output, of each kind of gate fails.
    goal : (7,) float64, see the places above.
    counts : (N_COUNTS,) float64, overwritten.
    copy : from `new_copy`.
    """
    work, views, log = scratch
    first, refs = rows[4][0], work[0]
    for out in circuit[3]:
        connect(out, circuit, cells[1], work, first)
    simulate_trial(circuit, cells[0], rows, work, views, first)
    errors = count_errors(circuit[3], rows, views, NO_BOUND)
    expected = _expected_errors(circuit, cells, failures, rows, errors, goal, work, views, copy)
    keep_trial(work, views)
    energy = expected + goal[AREA] * work[4][0]
    best_energy = energy
    copy_circuit(circuit, best)
    counts[EXPECTED], counts[ERRORS], counts[FOUND_AREA], counts[ACCEPTED] = expected, errors, work[4][0], 0
    cooling = (goal[COLD] / goal[HOT]) ** (1.0 / max(n_moves, 1)) if goal[HOT] > 0 else 1.0
    temperature = goal[HOT]
    for _ in range(n_moves):
        temperature *= cooling
        drift(circuit, cells[3], refs, first, random)
        n_log = propose(circuit, cells, rows, work, views, shares, log, 0, random, first)
        while uniform(random) < goal[COMPOSITE] and n_log < LOG - MOST_ENTRIES:
            n_log = propose(circuit, cells, rows, work, views, shares, log, n_log, random, first)
        if n_log == 0:
            continue
        limit = energy - temperature * np.log(uniform(random)) + ROUNDING
        area = work[4][0]
        if goal[AREA] * area > limit or area > goal[LARGEST_AREA] + ROUNDING:
            undo(circuit, cells[1], work, log, n_log, first)
            continue
        simulate_trial(circuit, cells[0], rows, work, views, first)
        errors = count_errors(circuit[3], rows, views, NO_BOUND)
        expected = NO_BOUND
        # Prints err more than the circuit without faults, which is far quicker to look at.
        if errors + goal[AREA] * area <= limit:
            expected = _expected_errors(circuit, cells, failures, rows, errors, goal, work, views, copy)
        if expected + goal[AREA] * area > limit:
            forget_trial(views)
            undo(circuit, cells[1], work, log, n_log, first)
            continue
        keep_trial(work, views)
        energy = expected + goal[AREA] * area
        counts[ACCEPTED] += 1
        if energy < best_energy - ROUNDING:
            best_energy = energy
            copy_circuit(circuit, best)
            counts[EXPECTED], counts[ERRORS], counts[FOUND_AREA] = expected, errors, area


def new_copy(values: Array, wanted: Array, valid: Array, n_nets: int) -> Arrays:
    """Room for a compact copy of the live gates and for its faults; see `_expected_errors`.

    Parameters
    ----------
    values : (first, W) uint64, of constants and inputs. wanted : (B, W) uint64. valid : (W,) uint64.
    n_nets : of the circuit with its spare slots.
    """
    room = np.zeros((2 * n_nets, len(valid)), np.uint64)
    room[: len(values)] = values
    integers = [np.zeros(n_nets, np.int64) for _ in range(6)]
    return (
        np.zeros(n_nets, np.uint64),
        np.zeros(n_nets, np.int64),
        np.zeros((n_nets, 2), np.int64),
        np.zeros(len(wanted), np.int64),
        *integers,
        np.zeros(2, np.int64),
        room,
        np.zeros((n_nets, len(valid)), np.uint64),
        np.zeros((n_nets, len(valid)), np.uint64),
        wanted,
        valid.reshape(1, -1),
        np.zeros(len(valid), np.uint64),
        np.zeros(n_nets, np.int64),
    )


@inlined_lean
def _expected_errors(
    circuit: Arrays,
    cells: Arrays,
    failures: Array,
    rows: Arrays,
    errors: int,
    goal: Array,
    work: Arrays,
    views: Arrays,
    copy: Arrays,
) -> Any:
    """Weighted errors of a print under trial, as `circuit.yields.printed_merit` estimates them.

    Both polarities of a fault together concern every row once, so what they cost on average is half of what it
    costs to invert their place on all rows.
    """
    tables, arities, pins, outputs, readers, only, last, _, marks, touched, sources, values = copy[:12]
    wrong, changed, wanted, valid, base, kinds = copy[12:]
    first, weights, total = rows[4][0], rows[3], goal[TOTAL]
    n_gates = _copied(circuit, cells, rows, work, views, copy)
    n_nets = first + n_gates
    for w in range(base.shape[0]):
        base[w] = np.uint64(0)
        for b in range(outputs.shape[0]):
            base[w] |= values[outputs[b], w] ^ wanted[b, w]
    margin = total * (1.0 - goal[RANDOM_CODE]) - errors
    if margin <= 0:
        return float(errors)
    compact = (tables[:n_gates], arities, pins, outputs, readers, only, last)
    flags = (marks[:n_nets], touched[:n_nets], sources)
    flips(compact, values[: 2 * n_nets], (wanted, valid, base), first, first, wrong, changed, flags)
    survival = 1.0
    for g in range(n_gates):
        cost = 0.5 * (_weighted(wrong[first + g], valid[0], weights) - errors)
        survival *= 1.0 - failures[kinds[g], OF_OUTPUT] * min(cost / margin, 1.0)
        if failures[kinds[g], OF_PIN] == 0.0:
            continue
        for i in range(arities[g]):
            sources[i] = pins[g, i]
        for i in range(arities[g]):
            for w in range(base.shape[0]):
                through = toggled(compact, values, g, i, first + g, sources, w)
                changed[0, w] = (through & wrong[first + g, w]) | (~through & base[w])
            cost = 0.5 * (_weighted(changed[0], valid[0], weights) - errors)
            survival *= 1.0 - failures[kinds[g], OF_PIN] * min(cost / margin, 1.0)
    return total - (total * goal[RANDOM_CODE] + margin * survival)


@inlined_lean
def _weighted(wrong: Array, valid: Array, weights: Array) -> Any:
    total = np.int64(0)
    for w in range(wrong.shape[0]):
        total += np.int64(popcount(wrong[w] & valid[w])) * weights[w]
    return total


@inlined_lean
def _copied(circuit: Arrays, cells: Arrays, rows: Arrays, work: Arrays, views: Arrays, copy: Arrays) -> Any:
    """Copy the live gates under trial and their values, without wires; their number."""
    kind, pin_a, pin_b, out = circuit
    refs, slot_values, first = work[0], rows[0], rows[4][0]
    current, changed = views[:2]
    tables, arities, pins, outputs, readers, only, last, new = copy[:8]
    values, kinds = copy[11], copy[17]
    n_gates, n_words = 0, values.shape[1]
    for net in range(first):
        new[net], readers[net], last[net] = net, 0, -1
    for n in range(first, kind.shape[0]):
        if refs[n] == 0:
            continue
        if kind[n] == WIRE:
            new[n] = new[pin_a[n]]
            continue
        net, g = first + n_gates, n_gates
        new[n], readers[net], last[net], n_gates = net, 0, -1, n_gates + 1
        kinds[g], tables[g], arities[g] = kind[n], np.uint64(cells[0][kind[n]]), cells[3][kind[n]]
        begin = (2 * n + (current[n] ^ changed[n])) * n_words
        for w in range(n_words):
            values[net, w] = slot_values[begin + w]
        for i in range(arities[g]):
            read = new[pin_a[n] if i == 0 else pin_b[n]]
            pins[g, i], only[read], last[read] = read, 2 * g + i, g
            readers[read] += 1
    for b in range(out.shape[0]):
        outputs[b] = new[out[b]]
        readers[outputs[b]] += 1
        only[outputs[b]] = -1
    return n_gates
