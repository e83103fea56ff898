"""The emitted circuit of a classifier as a graph of gates, for estimates: same heaps, bounds and comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.gate_graph import FALSE, TRUE, GateGraph
from printedmlp.model import DiscreteMLP, Interval, Layer, Neuron, QReLU
from printedmlp.reduction import ONE, ZERO, reduce_columns
from printedmlp.summand import summands_of, word_width
from printedmlp.winners import compared_bounds, possible_winners

Word = list[int]
"""Literals, least significant first."""
ARGMAX = "argmax"


def hidden_block(model: DiscreteMLP, layer: int, index: int) -> str:
    """Name of a hidden neuron's block, with its layer where there are several hidden ones."""
    return f"hidden {index}" if len(model.layers) == 2 else f"hidden {layer}.{index}"


def output_block(c: int) -> str:
    """Name of the block that computes the score of class c."""
    return f"output {c}"


def block_levels(model: DiscreteMLP) -> dict[str, int]:
    """The blocks of a classifier and their layers: hidden neurons, output neurons, and one layer on the argmax."""
    *hidden, last = model.layers
    levels = {hidden_block(model, n, j): n for n, layer in enumerate(hidden) for j in range(len(layer.neurons))}
    levels |= {output_block(c): len(hidden) for c in range(len(last.neurons))}
    return {**levels, ARGMAX: len(hidden) + 1}


def classifier_gates(model: DiscreteMLP, graph: GateGraph | None = None) -> tuple[GateGraph, Word]:
    """The gates of a classifier and the literals of its class code, ceil(log2 C) but at least one.

    Inputs are numbered as the ports' bits: feature 0 first, its least significant bit first. The blocks that the
    graph is told of are those of `block_levels`; an empty graph may be given to take notice of them.
    """
    bits = model.input_bits
    graph = GateGraph(model.n_features * bits) if graph is None else graph
    words = [[graph.input(i * bits + j) for j in range(bits)] for i in range(model.n_features)]
    inputs: Sequence[Interval] = ((0, (1 << bits) - 1),) * model.n_features
    *hidden, scores = zip(model.layers, model.intervals(), strict=True)
    for number, (layer, bounds) in enumerate(hidden):
        before, words = words, []
        for j, (neuron, sums, outputs) in enumerate(zip(layer.neurons, bounds.sums, bounds.outputs, strict=True)):
            graph.begin(hidden_block(model, number, j))
            words.append(_hidden(graph, layer, neuron, sums, outputs, before, inputs))
        inputs = bounds.outputs
    layer, bounds = scores
    winners = possible_winners(bounds.outputs)
    compared = compared_bounds(bounds)
    values = {}
    for c in winners:
        graph.begin(output_block(c))
        word = _sum(graph, layer.neurons[c], layer.bias_shift, bounds.sums[c], words, inputs)
        values[c] = _rectified(graph, word, bounds.sums[c]) if compared[c] != bounds.sums[c] else word
    graph.begin(ARGMAX)
    return graph, _argmax(graph, values, compared, max(1, (model.n_classes - 1).bit_length()))


def _hidden(
    graph: GateGraph,
    layer: Layer,
    neuron: Neuron,
    bounds: Interval,
    outputs: Interval,
    words: Sequence[Word],
    inputs: Sequence[Interval],
) -> Word:
    assert isinstance(layer.activation, QReLU)
    if outputs[0] == outputs[1]:
        return _constant(outputs[0], outputs[0].bit_length())
    word = _sum(graph, neuron, layer.bias_shift, bounds, words, inputs)
    return _qrelu(graph, word, bounds, layer.activation)


def _sum(
    graph: GateGraph,
    neuron: Neuron,
    bias_shift: int,
    bounds: Interval,
    words: Sequence[Word],
    inputs: Sequence[Interval],
) -> Word:
    """The neuron's sum in as many bits as its bounds need."""
    summands = summands_of(neuron, bias_shift, inputs, word_width(bounds))
    nets = {ZERO: FALSE, ONE: TRUE}
    nets.update((k, words[bit.input][bit.bit] ^ bit.negative) for k, bit in enumerate(summands.bits))
    heap = reduce_columns([bit.column for bit in summands.bits], summands.constant, summands.width)
    for k, adder in enumerate(heap.adders):
        total, carry = _adder(graph, [nets[operand] for operand in adder.operands], adder.one)
        nets[heap.n_bits + 2 * k], nets[heap.n_bits + 2 * k + 1] = total, carry
    return [nets[net] for net in heap.total]


def _adder(graph: GateGraph, operands: Sequence[int], one: bool) -> tuple[int, int]:
    """Sum and carry of one to three bits of a column, plus 1 when `one`."""
    if len(operands) == 1:
        return operands[0] ^ 1, operands[0]
    a, b, *rest = operands
    half = graph.difference(a, b)
    if rest:
        # The conjunctions are those of the two exclusive ors in NAND form, so that they are shared.
        carries = graph.conjunction(half, rest[0]), graph.conjunction(a, b)
        return graph.difference(half, rest[0]), graph.disjunction(*carries)
    return (half ^ 1, graph.disjunction(a, b)) if one else (half, graph.conjunction(a, b))


def _qrelu(graph: GateGraph, word: Word, bounds: Interval, activation: QReLU) -> Word:
    low, high = bounds
    magnitude = (word[:-1] if low < 0 else word)[activation.lsb :]
    kept, above = magnitude[: activation.width], magnitude[activation.width :]
    if high >> activation.msb + 1:
        exceeds = _any(graph, above)
        kept = [graph.disjunction(exceeds, bit) for bit in [*kept, *[FALSE] * (activation.width - len(kept))]]
    return [graph.conjunction(word[-1] ^ 1, bit) for bit in kept] if low < 0 else kept


def _rectified(graph: GateGraph, word: Word, bounds: Interval) -> Word:
    kept = word[: max(bounds[1], 0).bit_length()]
    return [graph.conjunction(word[-1] ^ 1, bit) for bit in kept]


def _any(graph: GateGraph, bits: Sequence[int]) -> int:
    result = FALSE
    for bit in bits:
        result = graph.disjunction(result, bit)
    return result


def _argmax(graph: GateGraph, values: dict[int, Word], bounds: Sequence[Interval], code_bits: int) -> Word:
    """The code of the first class with the largest value, one pass of ripple comparators."""
    (first, best), *others = values.items()
    winner, known = _constant(first, code_bits), bounds[first]
    for c, value in others:
        low, high = min(known[0], bounds[c][0]), max(known[1], bounds[c][1])
        width = word_width((low, high))
        old, new = _extended(best, known, width), _extended(value, bounds[c], width)
        beats = _exceeds(graph, new, old, low < 0)
        code = _constant(c, code_bits)
        winner = [graph.choice(beats, new_bit, bit) for new_bit, bit in zip(code, winner, strict=True)]
        known = (max(known[0], bounds[c][0]), high)
        best = [graph.choice(beats, *pair) for pair in zip(new, old, strict=True)][: word_width(known)]
    return winner


def _extended(word: Word, bounds: Interval, width: int) -> Word:
    return [*word, *[word[-1] if bounds[0] < 0 else FALSE] * (width - len(word))]


def _exceeds(graph: GateGraph, a: Word, b: Word, signed: bool) -> int:
    """Whether a > b, words of equal width."""
    if signed:
        a, b = [*a[:-1], b[-1]], [*b[:-1], a[-1]]
    greater = FALSE
    for x, y in zip(a, b, strict=True):
        both, either = graph.conjunction(x, y ^ 1), graph.disjunction(x, y ^ 1)
        greater = graph.disjunction(both, graph.conjunction(either, greater))
    return greater


def _constant(value: int, width: int) -> Word:
    return [value >> bit & 1 for bit in range(width)]
