"""The population kernel as plain loops, which numba and LLVM turn into vector code, for layouts of any width.

Samples lie in the innermost, contiguous dimension, in blocks of `BLOCK` that stay in the first-level cache; the
accumulator has the sample array's type (int32, or int64 where a sum could need it). A chromosome is first compiled
to the list of its live terms, so a removed connection costs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

BLOCK = 512
"""Samples per block: 16 inputs of 4 bytes fill 32 KiB."""

Array = NDArray[Any]


Program = tuple[Array, Array, Array, Array, Array]
"""One chromosome's live terms: inputs, masks, signed powers of two; where each neuron's start; shifted biases."""

Buffers = tuple[Array, Array, Array]
"""Values of two successive layers, (2, width, BLOCK); best score and its class, each (BLOCK,)."""


def new_scratch(genes: Array, samples: Array, form: Array) -> tuple[Program, Buffers]:
    """Working memory for one call of a kernel, made here because numba compiles `np.empty` slowly."""
    size, width, dtype = genes.shape[1], int(form[:, 1].max()), samples.dtype
    terms = (np.empty(size, np.int64), np.empty(size, dtype), np.empty(size, dtype))
    program = (*terms, np.zeros(size + 1, np.int64), np.empty(size, dtype))
    return program, (np.empty((2, width, BLOCK), dtype), np.empty(BLOCK, dtype), np.empty(BLOCK, dtype))


@compiled
def count_errors(
    genes: Array,
    samples: Array,
    labels: Array,
    costs: Array,
    budget: int,
    form: Array,
    scratch: tuple[Program, Buffers],
    out: Array,
) -> None:
    """Weighted errors of each chromosome; past the budget, those of the first blocks.

    Parameters
    ----------
    genes : (P, G) int32, in the order of `GenomeLayout`.
    samples : (n_blocks, n_features, BLOCK) int32 or int64 input codes; the last block is padded.
    labels : (n_blocks, BLOCK) of the same type.
    costs : (n_blocks, BLOCK) int64, what an error costs; 0 on padding.
    form : (n_layers, 5) of the samples' type, rows of (inputs, neurons, bias shift, lsb, limit); the limit is the
        largest value before the right shift by lsb, and in the last layer the least score.
    scratch : from `new_scratch`.
    out : (P,) int64, overwritten.
    """
    program, buffers = scratch
    classes = buffers[2]
    for p in range(genes.shape[0]):
        _compile(genes[p], form, program)
        errors = 0
        for b in range(samples.shape[0]):
            _classify_block(samples[b], form, program, buffers)
            for s in range(BLOCK):
                errors += costs[b, s] * (classes[s] != labels[b, s])
            if errors > budget:
                break
        out[p] = errors


@compiled
def classify(genes: Array, samples: Array, form: Array, scratch: tuple[Program, Buffers], out: Array) -> None:
    """Class of every sample for every chromosome into `out`, (P, n_blocks, BLOCK); else as `count_errors`."""
    program, buffers = scratch
    for p in range(genes.shape[0]):
        _compile(genes[p], form, program)
        for b in range(samples.shape[0]):
            _classify_block(samples[b], form, program, buffers)
            for s in range(BLOCK):
                out[p, b, s] = buffers[2][s]


@inlined
def _compile(genes: Array, form: Array, program: Program) -> None:
    inputs, masks, weights, starts, biases = program
    gene = term = neuron = 0
    for layer in range(form.shape[0]):
        for _ in range(form[layer, 1]):
            for i in range(form[layer, 0]):
                if genes[gene + 1] != 0:
                    inputs[term] = i
                    masks[term] = genes[gene + 1]
                    weights[term] = genes[gene] << genes[gene + 2]
                    term += 1
                gene += 3
            biases[neuron] = genes[gene] << form[layer, 2]
            gene += 1
            neuron += 1
            starts[neuron] = term


@inlined
def _classify_block(samples: Array, form: Array, program: Program, buffers: Buffers) -> None:
    values, best, classes = buffers
    _, _, _, starts, biases = program
    source = samples
    neuron = 0
    last = form.shape[0] - 1
    for layer in range(last + 1):
        target = values[layer & 1]
        for j in range(form[layer, 1]):
            _sum_terms(target[j], source, program, starts[neuron], starts[neuron + 1], biases[neuron])
            neuron += 1
            if layer < last:
                _activate(target[j], form[layer, 3], form[layer, 4])
        source = target
    _argmax(source, form[last, 1], form[last, 4], best, classes)


@inlined
def _sum_terms(total: Array, source: Array, program: Program, term: int, end: int, bias: int) -> None:
    inputs, masks, weights, _, _ = program
    for s in range(BLOCK):
        total[s] = bias
    # Four terms a pass: the accumulator is loaded and stored a quarter as often.
    while term + 4 <= end:
        x0, x1 = source[inputs[term]], source[inputs[term + 1]]
        x2, x3 = source[inputs[term + 2]], source[inputs[term + 3]]
        m0, m1, m2, m3 = masks[term], masks[term + 1], masks[term + 2], masks[term + 3]
        w0, w1, w2, w3 = weights[term], weights[term + 1], weights[term + 2], weights[term + 3]
        for s in range(BLOCK):
            total[s] += (x0[s] & m0) * w0 + (x1[s] & m1) * w1 + (x2[s] & m2) * w2 + (x3[s] & m3) * w3
        term += 4
    while term < end:
        x, mask, weight = source[inputs[term]], masks[term], weights[term]
        for s in range(BLOCK):
            total[s] += (x[s] & mask) * weight
        term += 1


@inlined
def _activate(values: Array, lsb: int, largest: int) -> None:
    zero = values.dtype.type(0)
    for s in range(BLOCK):
        values[s] = min(max(values[s], zero), largest) >> (lsb & 63)


@inlined
def _argmax(scores: Array, n_classes: int, floor: int, best: Array, classes: Array) -> None:
    for s in range(BLOCK):
        best[s] = max(scores[0, s], floor)
        classes[s] = 0
    for c in range(1, n_classes):
        for s in range(BLOCK):
            if scores[c, s] > best[s]:
                best[s] = scores[c, s]
                classes[s] = c
