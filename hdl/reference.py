"""A second circuit of a network, for proofs: gates from the integer definition, and notes that let them be checked.

The gates are written down here without Amaranth and Yosys. How the summand bits are reduced is taken from
`printedmlp.reduction`, as a hint that needs no trust: `hdl.neuron_proof` proves every piece of this circuit equal
to the definition, from the notes about where the pieces begin and end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import CONSTANT_0, CONSTANT_1, FIRST_INPUT
from printedmlp.model import DiscreteMLP, Interval, Layer, QReLU
from printedmlp.reduction import ONE, ZERO, reduce_columns
from printedmlp.summand import summands_of, word_width
from printedmlp.technology import Cell, Technology

_FUNCTIONS = {
    "BUF": "A",
    "NOT": "!A",
    "AND": "A & B",
    "OR": "A | B",
    "XOR": "A ^ B",
    "XNOR": "!(A ^ B)",
    "MUX": "(C & B) | (!C & A)",
}
_PINS = {1: ("A",), 2: ("A", "B"), 3: ("A", "B", "C")}
_SIZES = {"BUF": 1, "NOT": 1, "MUX": 3}
GENERIC = Technology(
    "generic gates",
    {name: Cell(name, 0.0, _PINS[_SIZES.get(name, 2)], "Y", text) for name, text in _FUNCTIONS.items()},
    (1.0,),
    1.0,
)
"""The gates of reference circuits; MUX is B where C is 1, else A."""


Values = tuple[tuple[int, ...], ...]
"""The nets of a layer's inputs, least significant first."""


@dataclass(frozen=True)
class AdderNote:
    """One to three operand nets, plus 1 when `one`, are added to the nets `total` and `carry`."""

    operands: tuple[int, ...]
    one: bool
    total: int
    carry: int


@dataclass(frozen=True)
class WordNote:
    """Buffers `copies` of the nets `bits`, a word whose top bit is read again above it, or that zeros follow."""

    bits: tuple[int, ...]
    copies: tuple[int, ...]


@dataclass(frozen=True)
class SumNote:
    """A neuron's sum S as a word of nets, in two's complement when it can be negative, and how it is added up.

    Attributes
    ----------
    layer, index : the neuron.
    bounds : of S.
    inputs : nets of every input of the layer, least significant first; further bits are 0.
    input_bounds : of the inputs.
    adders : in the order in which they were added.
    word : nets of S, least significant first, each a buffer of its own.
    words : words on the way to S that are read in more bits than they have.
    """

    layer: int
    index: int
    bounds: Interval
    inputs: tuple[tuple[int, ...], ...]
    input_bounds: tuple[Interval, ...]
    adders: tuple[AdderNote, ...]
    word: tuple[int, ...]
    words: tuple[WordNote, ...] = ()


@dataclass(frozen=True)
class ActivationNote:
    """The nets of a hidden neuron's activated value, made by the gates `gates` from the word of its sum."""

    sum: SumNote
    outputs: tuple[int, ...]
    gates: range


@dataclass(frozen=True)
class Reference:
    """The circuit and all that its proof goes by; `winner_gates` make the class from the last layer's sums."""

    netlist: Netlist
    sums: tuple[SumNote, ...]
    activations: tuple[ActivationNote, ...]
    winner_gates: range


class Gates:
    """Gates of a reference circuit as they are added; nets are numbered as in a netlist."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.instances: list[Instance] = []

    def add(self, cell: str, *inputs: int) -> int:
        """The net that a new gate drives."""
        self.instances.append(Instance(cell, inputs))
        return FIRST_INPUT + self.n_inputs + len(self.instances) - 1


SumWriter = Callable[[Gates, Layer, tuple[int, int], Values, tuple[Interval, ...], Interval], SumNote]
"""Adds the gates of a neuron's sum: of a layer, (its number, the neuron's index), the inputs, their bounds, S's."""


def reference_circuit(model: DiscreteMLP, write_sum: SumWriter | None = None) -> Reference:
    """Write a network down as gates, layer by layer; see the module's docstring.

    Parameters
    ----------
    write_sum : adds up in another way, which needs no trust either; None is `sum_of_columns`.
    """
    write_sum = write_sum or sum_of_columns
    gates = Gates(model.n_features * model.input_bits)
    values = [
        tuple(FIRST_INPUT + i * model.input_bits + bit for bit in range(model.input_bits))
        for i in range(model.n_features)
    ]
    bounds: tuple[Interval, ...] = ((0, (1 << model.input_bits) - 1),) * model.n_features
    sums: list[SumNote] = []
    activations: list[ActivationNote] = []
    for number, (layer, found) in enumerate(zip(model.layers, model.intervals(), strict=True)):
        indices = range(len(layer.neurons))
        own = [write_sum(gates, layer, (number, j), tuple(values), bounds, found.sums[j]) for j in indices]
        if isinstance(layer.activation, QReLU):
            hidden = [_activation(gates, note, layer.activation) for note in own]
            values, bounds = [note.outputs for note in hidden], found.outputs
            activations += hidden
        sums += own
    start = len(gates.instances)
    outputs = _winner(gates, own, rectified=not getattr(model.layers[-1].activation, "signed", False))
    netlist = Netlist(gates.n_inputs, tuple(gates.instances), outputs)
    return Reference(netlist, tuple(sums), tuple(activations), range(start, len(gates.instances)))


def sum_of_columns(
    gates: Gates,
    layer: Layer,
    place: tuple[int, int],
    values: Values,
    input_bounds: tuple[Interval, ...],
    bounds: Interval,
) -> SumNote:
    """A neuron's sum as `printedmlp.reduction` adds it up."""
    number, index = place
    summands = summands_of(layer.neurons[index], layer.bias_shift, input_bounds, word_width(bounds))
    reduction = reduce_columns([bit.column for bit in summands.bits], summands.constant, summands.width)
    nets = {ZERO: CONSTANT_0, ONE: CONSTANT_1}
    for k, bit in enumerate(summands.bits):
        net = values[bit.input][bit.bit]
        nets[k] = gates.add("NOT", net) if bit.negative else net
    notes = []
    for k, adder in enumerate(reduction.adders):
        note = add_bits(gates, tuple(nets[operand] for operand in adder.operands), adder.one)
        nets[reduction.n_bits + 2 * k], nets[reduction.n_bits + 2 * k + 1] = note.total, note.carry
        notes.append(note)
    word = tuple(gates.add("BUF", nets[net]) for net in reduction.total)
    return SumNote(number, index, bounds, values, input_bounds, tuple(notes), word)


def add_bits(gates: Gates, operands: tuple[int, ...], one: bool) -> AdderNote:
    """Add the gates that add one to three bits, plus 1 when `one`; a single bit needs the 1."""
    if len(operands) == 1:
        return AdderNote(operands, one, gates.add("NOT", *operands), gates.add("BUF", *operands))
    if len(operands) == 2:
        total, carry = ("XNOR", "OR") if one else ("XOR", "AND")
        return AdderNote(operands, one, gates.add(total, *operands), gates.add(carry, *operands))
    a, b, c = operands
    half = gates.add("XOR", a, b)
    return AdderNote(operands, one, gates.add("XOR", half, c), gates.add("MUX", a, c, half))


def _activation(gates: Gates, note: SumNote, activation: QReLU) -> ActivationNote:
    """0 where the sign is set, all ones where a bit above the clamp is set, else the kept bits."""
    start = len(gates.instances)
    low, high = note.bounds
    magnitude = list(note.word[:-1] if low < 0 else note.word)
    kept = magnitude[activation.lsb : activation.msb + 1]
    if high > 0 and high >> activation.msb + 1:
        above = magnitude[activation.msb + 1]
        for net in magnitude[activation.msb + 2 :]:
            above = gates.add("OR", above, net)
        kept = [gates.add("OR", above, net) for net in kept]
    if low < 0:
        positive = gates.add("NOT", note.word[-1])
        kept = [gates.add("AND", positive, net) for net in kept]
    return ActivationNote(note, tuple(kept), range(start, len(gates.instances)))


def _winner(gates: Gates, sums: Sequence[SumNote], *, rectified: bool) -> tuple[int, ...]:
    """Bits of the first class with the largest score: one pass that keeps the best score so far and its class."""
    width = max(len(note.word) + (note.bounds[0] >= 0) for note in sums)
    first, *others = (_score(gates, note, width, rectified=rectified) for note in sums)
    n_bits = max(1, (len(sums) - 1).bit_length())
    best, winner = first, [CONSTANT_0] * n_bits
    for c, score in enumerate(others, start=1):
        exceeds = CONSTANT_0
        for new, old in zip(score, best, strict=True):
            exceeds = gates.add("MUX", exceeds, new, gates.add("XOR", new, old))
        best = [gates.add("MUX", old, new, exceeds) for new, old in zip(score, best, strict=True)]
        winner = [gates.add("MUX", net, c >> bit & 1, exceeds) for bit, net in enumerate(winner)]
    return tuple(winner)


def _score(gates: Gates, note: SumNote, width: int, *, rectified: bool) -> list[int]:
    """A score as a word whose unsigned order is that of the scores: two's complement with its sign inverted."""
    if note.bounds[0] >= 0:
        return [*note.word, *[CONSTANT_0] * (width - 1 - len(note.word)), CONSTANT_1]
    sign = note.word[-1]
    positive = gates.add("NOT", sign)
    if rectified:
        kept = [gates.add("AND", positive, net) for net in note.word[:-1]]
        return [*kept, *[CONSTANT_0] * (width - 1 - len(kept)), CONSTANT_1]
    return [*note.word[:-1], *[sign] * (width - len(note.word)), positive]
