"""Errors of a chromosome of one hidden layer after a few of its neurons changed, from what is known of the others.

Every hidden value and every score is kept twice for each sample: as it is and as a proposal would make it. A
selector per neuron says which of the two holds, so that accepting a proposal copies nothing and rejecting it
leaves nothing behind. Scores are kept with the class in their lowest bits, highest for class 0, so that the
largest number names the winner, ties to the lower class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled_lean, inlined_lean

BLOCK = 256
"""Samples between two looks at the error budget."""
EVERY_ERROR = 1 << 62

Array = NDArray[Any]

Net = tuple[Array, Array, Array, Array]
"""Form (one row, see `FEATURES` and on), genes, and the selectors of hidden values and of scores."""

Data = tuple[Array, Array, Array, Array, Array, Array]
"""Samples (n_blocks, F, BLOCK); winning codes of the labels and weights, (n_blocks, BLOCK) each; hidden values
(n_blocks, 2H, BLOCK) and scores (n_blocks, 2C, BLOCK), row 2j + s the copy s of neuron j; room for best scores."""

Plan = tuple[Array, Array, Array, Array, Array, Array, Array, Array]
"""What a proposal recomputes: rows (targets and sources, constants, first terms), terms (rows, masks, weights), the
rows of scores, (C,), that hold with it, and the number of rows, hidden ones and those of scores, (2,)."""

FEATURES, HIDDEN, CLASSES, HIDDEN_SHIFT, OUTPUT_SHIFT, LSB, LIMIT, CLASS_BITS, FLOOR = range(9)
"""Entries of the form. LIMIT is the largest sum before the shift by LSB; FLOOR the least score with its class."""


@compiled_lean
def evaluate_all(net: Net, data: Data, plan: Plan, changed: Array) -> int:
    """Weighted errors of the genes, everything computed anew and taken over; sets all flags (H + C,)."""
    for n in range(changed.shape[0]):
        changed[n] = 1
    plan_changes(net, plan, changed)
    errors = evaluate(net, data, plan, EVERY_ERROR)
    accept(net, plan)
    return errors


@inlined_lean
def plan_changes(net: Net, plan: Plan, changed: Array) -> None:
    """List the rows to compute when the genes of the neurons with `changed` (H + C,) int64 set are new."""
    form, genes, select_hidden, select_output = net
    rows, constants, firsts = plan[0], plan[1], plan[2]
    n_hidden = item = term = 0
    for j in range(form[HIDDEN]):
        if changed[j]:
            start = j * (3 * form[FEATURES] + 1)
            rows[item, 0], rows[item, 1] = 2 * j + 1 - select_hidden[j], -1
            constants[item] = np.int64(genes[start + 3 * form[FEATURES]]) << form[HIDDEN_SHIFT]
            firsts[item] = term
            for i in range(form[FEATURES]):
                term = _add_term(plan, term, genes, start + 3 * i, i, 0)
            item += 1
    n_hidden = item
    outputs = form[HIDDEN] * (3 * form[FEATURES] + 1)
    for c in range(form[CLASSES]):
        start = outputs + c * (3 * form[HIDDEN] + 1)
        rows[item, 0] = 2 * c + 1 - select_output[c]
        firsts[item] = term
        if changed[form[HIDDEN] + c]:
            term = _plan_output(net, plan, changed, start, c, item, term)
            item += 1
        else:
            rows[item, 1] = 2 * c + select_output[c]
            constants[item] = 0
            term = _plan_difference(net, plan, changed, start, term)
            if term > firsts[item]:
                item += 1
    firsts[item] = term
    plan[7][0], plan[7][1] = n_hidden, item - n_hidden


@inlined_lean
def _add_term(plan: Plan, term: int, genes: Array, at: int, row: int, shift: int) -> int:
    sources, masks, weights = plan[3], plan[4], plan[5]
    if genes[at + 1] == 0:
        return term
    sources[term], masks[term] = row, genes[at + 1]
    weights[term] = np.int64(genes[at]) << (genes[at + 2] + shift)
    return term + 1


@inlined_lean
def _plan_output(net: Net, plan: Plan, changed: Array, start: int, c: int, item: int, term: int) -> int:
    """A score from nothing."""
    form, genes, select_hidden, _ = net
    bits = form[CLASS_BITS]
    plan[0][item, 1] = -1
    bias = np.int64(genes[start + 3 * form[HIDDEN]]) << form[OUTPUT_SHIFT]
    plan[1][item] = (bias << bits) + (np.int64(1) << bits) - 1 - c
    for j in range(form[HIDDEN]):
        row = 2 * j + (select_hidden[j] ^ changed[j])
        term = _add_term(plan, term, genes, start + 3 * j, row, bits)
    return term


@inlined_lean
def _plan_difference(net: Net, plan: Plan, changed: Array, start: int, term: int) -> int:
    """A score whose own genes stay: minus the old, plus the new hidden values it reads."""
    form, genes, select_hidden, _ = net
    bits = form[CLASS_BITS]
    for j in range(form[HIDDEN]):
        if changed[j] and genes[start + 3 * j + 1] != 0:
            term = _add_term(plan, term, genes, start + 3 * j, 2 * j + (select_hidden[j] ^ 1), bits)
            term = _add_term(plan, term, genes, start + 3 * j, 2 * j + select_hidden[j], bits)
            plan[5][term - 1] = -plan[5][term - 1]
    return term


@inlined_lean
def evaluate(net: Net, data: Data, plan: Plan, budget: int) -> int:
    """Weighted errors with the planned rows as proposed; some number above the budget once it is exceeded."""
    form, select_output, counts = net[0], net[3], plan[7]
    samples, winners, weights, hidden, scores, best = data
    _list_rows(form[CLASSES], select_output, plan[0], counts, plan[6])
    errors = 0
    for b in range(samples.shape[0]):
        _compute_hidden(b, samples, hidden, plan, counts[0], form[LIMIT], form[LSB])
        _compute_scores(b, hidden, scores, plan, counts[0], counts[0] + counts[1])
        _best_scores(b, scores, plan[6], best, form[FLOOR])
        errors += _wrong(b, best, winners, weights, (1 << form[CLASS_BITS]) - 1)
        if errors > budget:
            break
    return errors


@inlined_lean
def compute_hidden(net: Net, data: Data, plan: Plan) -> None:
    """The planned rows of every sample, where no score depends on them."""
    form, samples, hidden = net[0], data[0], data[3]
    for b in range(samples.shape[0]):
        _compute_hidden(b, samples, hidden, plan, plan[7][0], form[LIMIT], form[LSB])


@inlined_lean
def accept(net: Net, plan: Plan) -> None:
    """Let the planned rows hold from now on."""
    rows, counts = plan[0], plan[7]
    for item in range(counts[0]):
        net[2][rows[item, 0] >> 1] ^= 1
    for item in range(counts[0], counts[0] + counts[1]):
        net[3][rows[item, 0] >> 1] ^= 1


@inlined_lean
def _list_rows(n_classes: int, selectors: Array, rows: Array, counts: Array, held: Array) -> None:
    """The row of scores of every class that the proposal makes hold."""
    for c in range(n_classes):
        held[c] = 2 * c + selectors[c]
    for item in range(counts[0], counts[0] + counts[1]):
        held[rows[item, 0] >> 1] = rows[item, 0]


# Below, arrays are passed whole with a block and rows: a view of a row would cost more than the work on it.


@inlined_lean
def _compute_hidden(b: int, samples: Array, hidden: Array, plan: Plan, n: int, limit: int, lsb: int) -> None:
    rows, constants, firsts, sources, masks, weights, _, _ = plan
    for item in range(n):
        row, term, end = rows[item, 0], firsts[item], firsts[item + 1]
        if end - term >= 2:
            p, q = sources[term], sources[term + 1]
            m0, m1, w0, w1 = masks[term], masks[term + 1], weights[term], weights[term + 1]
            _start_two(b, hidden, row, constants[item], samples, p, q, m0, m1, w0, w1)
            term += 2
        else:
            _fill(b, hidden, row, constants[item])
        _add_terms(b, hidden, row, samples, sources, masks, weights, term, end)
        _activate(b, hidden, row, limit, lsb)


@inlined_lean
def _compute_scores(b: int, hidden: Array, scores: Array, plan: Plan, first: int, stop: int) -> None:
    rows, constants, firsts, sources, masks, weights, _, _ = plan
    for item in range(first, stop):
        row, term, end = rows[item, 0], firsts[item], firsts[item + 1]
        if rows[item, 1] >= 0:
            # Terms of an update come in pairs of the new value and the old one.
            p, q = sources[term], sources[term + 1]
            m0, m1, w0, w1 = masks[term], masks[term + 1], weights[term], weights[term + 1]
            _copy_two(b, scores, row, rows[item, 1], hidden, p, q, m0, m1, w0, w1)
            term += 2
        else:
            _fill(b, scores, row, constants[item])
        _add_terms(b, scores, row, hidden, sources, masks, weights, term, end)


@inlined_lean
def _add_terms(
    b: int,
    target: Array,
    row: int,
    source: Array,
    sources: Array,
    masks: Array,
    weights: Array,
    term: int,
    end: int,
) -> None:
    while term + 2 <= end:
        p, q = sources[term], sources[term + 1]
        m0, m1, w0, w1 = masks[term], masks[term + 1], weights[term], weights[term + 1]
        _add_two(b, target, row, source, p, q, m0, m1, w0, w1)
        term += 2
    if term < end:
        _add_one(b, target, row, source, sources[term], masks[term], weights[term])


@inlined_lean
def _fill(b: int, target: Array, row: int, value: int) -> None:
    for s in range(BLOCK):
        target[b, row, s] = value


@inlined_lean
def _start_two(
    b: int, target: Array, row: int, value: int, source: Array, p: int, q: int, m0: int, m1: int, w0: int, w1: int
) -> None:
    for s in range(BLOCK):
        target[b, row, s] = value + (source[b, p, s] & m0) * w0 + (source[b, q, s] & m1) * w1


@inlined_lean
def _copy_two(
    b: int, target: Array, row: int, start: int, source: Array, p: int, q: int, m0: int, m1: int, w0: int, w1: int
) -> None:
    for s in range(BLOCK):
        target[b, row, s] = target[b, start, s] + (source[b, p, s] & m0) * w0 + (source[b, q, s] & m1) * w1


@inlined_lean
def _add_two(
    b: int, target: Array, row: int, source: Array, p: int, q: int, m0: int, m1: int, w0: int, w1: int
) -> None:
    for s in range(BLOCK):
        target[b, row, s] += (source[b, p, s] & m0) * w0 + (source[b, q, s] & m1) * w1


@inlined_lean
def _add_one(b: int, target: Array, row: int, source: Array, p: int, mask: int, weight: int) -> None:
    for s in range(BLOCK):
        target[b, row, s] += (source[b, p, s] & mask) * weight


@inlined_lean
def _activate(b: int, values: Array, row: int, limit: int, lsb: int) -> None:
    zero = values.dtype.type(0)
    largest, shift = values.dtype.type(limit), values.dtype.type(lsb)
    for s in range(BLOCK):
        values[b, row, s] = min(max(values[b, row, s], zero), largest) >> shift


@inlined_lean
def _best_scores(b: int, scores: Array, held: Array, best: Array, floor: int) -> None:
    n = held.shape[0]
    least = best.dtype.type(floor)
    for s in range(BLOCK):
        best[s] = least
    for c in range(0, n - 1, 2):
        _raise_to_two(b, best, scores, held[c], held[c + 1])
    if n & 1:
        _raise_to_two(b, best, scores, held[n - 1], held[n - 1])


@inlined_lean
def _raise_to_two(b: int, best: Array, scores: Array, p: int, q: int) -> None:
    for s in range(BLOCK):
        best[s] = max(best[s], max(scores[b, p, s], scores[b, q, s]))


@inlined_lean
def _wrong(b: int, best: Array, winners: Array, weights: Array, low: int) -> int:
    errors: Any = best.dtype.type(0)
    codes = best.dtype.type(low)
    for s in range(BLOCK):
        errors += weights[b, s] if best[s] & codes != winners[b, s] else best.dtype.type(0)
    return int(errors)
