"""A reference circuit is proved to be its network: neuron by neuron, then the choice of the class.

Three kinds of pieces, each cut off at the nets of the piece before it:

* the sum. Every adder is tried on all of its 2 to 8 inputs: operands (+ 1) = total + 2 carry. Multiples of these
  equations, added to the number that the word of the sum stands for, have to leave exactly the definition's weights
  of the input bits, modulo 2^width, and the bounds of S, worked out again here, have to fit that width. No search
  (`hdl.linear_forms`).
* the activation. The solver compares the gates with `0 if S < 0 else min(S, 2^(msb+1) - 1) >> lsb` for every S
  within its bounds.
* the class. The solver compares the gates with `argmax` for all sums within their bounds.

That `(x AND mask) << shift` is the sum of the bits' weights is the solver's too. Pieces of one layer follow from
those of the layer before, so together they say that the circuit is the network, on every input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from hdl.linear_forms import LinearForms, Weights, add, modulo
from hdl.reference import GENERIC, ActivationNote, Reference, SumNote
from hdl.solver import PROVED, Formulas, Word
from printedmlp.circuit.netlist import CONSTANT_1, Netlist
from printedmlp.model import DiscreteMLP, Interval, Layer, Neuron, QReLU, Term

Clock = Callable[[], float]
"""Seconds that are left."""
_ENUMERATED = 1 << 16


def unproved_piece(model: DiscreteMLP, reference: Reference, seconds_left: Clock) -> str | None:
    """The first piece of the circuit that is not proved to be the network's, in words; None when all are.

    Parameters
    ----------
    seconds_left : tells how long the solver may still take.
    """
    for what, proved in _pieces(model, reference, seconds_left):
        try:
            if not proved():
                return what
        except KeyError:  # It reads a net that is neither its own nor of the piece before it.
            return what
    return None


def _pieces(model: DiscreteMLP, reference: Reference, left: Clock) -> Iterator[tuple[str, Callable[[], bool]]]:
    yield "layout of the neurons", partial(_notes_fit, model, reference)
    for mask, shift, width in sorted(_shapes(model)):
        yield f"weight {mask} << {shift}", partial(_term_is_linear, mask, shift, width, left)
    for note in reference.sums:
        name = f"layer {note.layer}, neuron {note.index}"
        yield f"sum of {name}", partial(sum_is_right, model.layers[note.layer], note, reference.netlist)
    for activated in reference.activations:
        name = f"layer {activated.sum.layer}, neuron {activated.sum.index}"
        yield f"activation of {name}", partial(_activation_is_right, model, reference, activated, left)
    yield "choice of the class", partial(_winner_is_right, model, reference, left)


def _shapes(model: DiscreteMLP) -> set[tuple[int, int, int]]:
    """Masks, shifts and input widths of all terms."""
    layers = zip(model.layers, model.input_widths, strict=True)
    return {(t.mask, t.shift, width) for layer, width in layers for n in layer.neurons for t in n.terms}


def _term_is_linear(mask: int, shift: int, width: int, left: Clock) -> bool:
    f = Formulas()
    x, wide = f.variable("x", width), width + shift
    masked = f.extended(f.apply("BV_AND", x, f.constant(mask, width)), wide, signed=False)
    shifted = f.apply("BV_SHL", masked, f.constant(shift, wide))
    total = f.constant(0, wide)
    for j, bit in enumerate(f.bits(x)):
        if mask >> j & 1:
            weight = f.constant(1 << j + shift, wide)
            total = f.apply("BV_ADD", total, f.apply("BV_MUL", weight, f.extended(bit, wide, signed=False)))
    return f.equal(shifted, total, left()).verdict == PROVED


def _notes_fit(model: DiscreteMLP, reference: Reference) -> bool:
    """Every neuron has its note, and reads what the layer before it makes."""
    wanted = [(number, j) for number, layer in enumerate(model.layers) for j in range(len(layer.neurons))]
    if [(note.layer, note.index) for note in reference.sums] != wanted:
        return False
    bits = model.input_bits
    values = [tuple(2 + i * bits + b for b in range(bits)) for i in range(model.n_features)]
    bounds: list[Interval] = [(0, (1 << bits) - 1)] * model.n_features
    for number, layer in enumerate(model.layers):
        notes = [note for note in reference.sums if note.layer == number]
        if any((list(n.inputs), list(n.input_bounds)) != (values, bounds) for n in notes):
            return False
        activation = layer.activation
        if isinstance(activation, QReLU):
            hidden = [note for note in reference.activations if note.sum.layer == number]
            if [note.sum for note in hidden] != notes:
                return False
            values = [note.outputs for note in hidden]
            bounds = [(_activated(activation, n.bounds[0]), _activated(activation, n.bounds[1])) for n in notes]
    return True


def _activated(activation: QReLU, total: int) -> int:
    return 0 if total < 0 else min(total, (1 << activation.msb + 1) - 1) >> activation.lsb


def sum_is_right(layer: Layer, note: SumNote, netlist: Netlist) -> bool:
    """Whether a neuron's word of nets is its sum S, given that the inputs keep to their bounds."""
    neuron = layer.neurons[note.index]
    low, high = _range_of(neuron, neuron.bias << layer.bias_shift, note.input_bounds)
    if not (note.bounds[0] <= low and high <= note.bounds[1] and _fits(note.bounds, len(note.word))):
        return False
    found = _as_weights(note, netlist)
    return found == _defined_weights(neuron, neuron.bias << layer.bias_shift, note)


def _fits(bounds: Interval, width: int) -> bool:
    """Whether a word of so many bits holds both bounds; those that wrap would rule out every value later on."""
    low, high = bounds
    if low >= 0:
        return high < 1 << width
    return width > 0 and -(1 << width - 1) <= low and high < 1 << width - 1


def _as_weights(note: SumNote, netlist: Netlist) -> Weights:
    """The number that the word stands for, by the inputs' bits that their bounds leave open, modulo 2^width."""
    inputs = {net for nets in note.inputs for net in nets}
    weights = LinearForms(netlist, note.adders, note.words, inputs).form(note.word)
    for nets, (low, high) in zip(note.inputs, note.input_bounds, strict=True):
        for j, net in enumerate(nets):
            if low >> j == high >> j and net in weights:
                add(weights, CONSTANT_1, weights.pop(net) * (low >> j & 1))
    return modulo(weights, len(note.word))


def _defined_weights(neuron: Neuron, bias: int, note: SumNote) -> Weights:
    """The definition's weights; bits that the bounds of their input hold constant are part of the constant."""
    weights: Weights = {CONSTANT_1: bias}
    for term in neuron.terms:
        low, high = note.input_bounds[term.input]
        for j in range(term.mask.bit_length()):
            if not term.mask >> j & 1:
                continue
            factor = term.sign << term.shift + j
            if low >> j == high >> j:
                add(weights, CONSTANT_1, factor * (low >> j & 1))
            else:
                add(weights, note.inputs[term.input][j], factor)
    return modulo(weights, len(note.word))


def _range_of(neuron: Neuron, bias: int, input_bounds: Sequence[Interval]) -> Interval:
    """Least and largest S when every input takes any value within its bounds."""
    low = high = bias
    for i, (least, largest) in enumerate(input_bounds):
        terms = [term for term in neuron.terms if term.input == i]
        if largest - least < _ENUMERATED:
            x = np.arange(least, largest + 1, dtype=object)
            parts = sum((t.sign * ((x & t.mask) << t.shift) for t in terms), 0 * x)
            low, high = low + int(min(parts)), high + int(max(parts))
        else:
            weights = [_weight(terms, j) for j in range(largest.bit_length())]
            low, high = low + sum(min(0, w) for w in weights), high + sum(max(0, w) for w in weights)
    return low, high


def _weight(terms: Sequence[Term], bit: int) -> int:
    """What a bit of the terms' input adds to their sum."""
    return sum(t.sign << t.shift + bit for t in terms if t.mask >> bit & 1)


def _sum_word(f: Formulas, note: SumNote, width: int) -> Word:
    """A variable for a neuron's sum within its bounds, in two's complement of `width` bits."""
    total = f.variable(f"S{note.index}", width)
    f.assume("BV_SGE", total, f.constant(note.bounds[0], width))
    f.assume("BV_SLE", total, f.constant(note.bounds[1], width))
    return total


def _activation_is_right(model: DiscreteMLP, reference: Reference, note: ActivationNote, left: Clock) -> bool:
    activation = model.layers[note.sum.layer].activation
    assert isinstance(activation, QReLU)
    f, width = Formulas(), max(len(note.sum.word), activation.msb + 1) + 2
    total = _sum_word(f, note.sum, width)
    known = dict(zip(note.sum.word, f.bits(total), strict=False))
    values = f.nets(reference.netlist, GENERIC, known, note.gates)
    outputs = [values[net] for net in note.outputs] or [f.constant(0, 1)]
    zero, largest = f.constant(0, width), f.constant((1 << activation.msb + 1) - 1, width)
    clipped = f.choice(f.apply("BV_SGT", total, largest), largest, total)
    shifted = f.apply("BV_ASHR", clipped, f.constant(activation.lsb, width))
    defined = f.choice(f.apply("BV_SLT", total, zero), zero, shifted)
    return f.equal(f.extended(f.word(outputs), width, signed=False), defined, left()).verdict == PROVED


def _winner_is_right(model: DiscreteMLP, reference: Reference, left: Clock) -> bool:
    last = [note for note in reference.sums if note.layer == len(model.layers) - 1]
    f, width = Formulas(), max(len(note.word) for note in last) + 2
    sums = [_sum_word(f, note, width) for note in last]
    known: dict[int, Word] = {}
    for note, total in zip(last, sums, strict=True):
        known.update(zip(note.word, f.bits(total), strict=False))
    values = f.nets(reference.netlist, GENERIC, known, reference.winner_gates)
    found = f.word([values[net] for net in reference.netlist.outputs])
    if not getattr(model.layers[-1].activation, "signed", False):
        zero = f.constant(0, width)
        sums = [f.choice(f.apply("BV_SLT", total, zero), zero, total) for total in sums]
    best, winner = sums[0], f.constant(0, len(reference.netlist.outputs))
    for c, score in enumerate(sums[1:], start=1):
        exceeds = f.apply("BV_SGT", score, best)
        best = f.choice(exceeds, score, best)
        winner = f.choice(exceeds, f.constant(c, len(reference.netlist.outputs)), winner)
    return f.equal(found, winner, left()).verdict == PROVED
