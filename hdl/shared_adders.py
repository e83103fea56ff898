"""A network whose sums are shared adder graphs instead of bit heaps: what a library's structure costs in cells.

All else is that of `hdl.classifier`: the same live neurons, widths, activations and argmax. Every adder of a graph
adds two words as `printedmlp.reduction` adds bits, so the two forms differ in structure alone: which sums there are
and who shares them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.adder_graph import AdderGraph, Ref, adder_graph
from hdl.adder_tree import add_hardware
from hdl.classifier import Classifier, instantiate
from hdl.emit import components_verilog
from hdl.qrelu import qrelu
from printedmlp.model import DiscreteMLP, Interval, Layer, LayerIntervals, QReLU, input_coefficients
from printedmlp.reduction import reduce_columns
from printedmlp.summand import word_width

Solver = Callable[[Sequence[Sequence[int]], Sequence[int]], AdderGraph]


@dataclass(frozen=True)
class Operand:
    """Bits of an input, those of `mask`, that enter every neuron's sum alike: the word (x & mask) >> lowest bit."""

    input: int
    mask: int

    @property
    def lowest(self) -> int:
        """The lowest bit of the mask."""
        return (self.mask & -self.mask).bit_length() - 1

    @property
    def highest(self) -> int:
        """The largest value of the word; the smallest is 0."""
        return self.mask >> self.lowest


@dataclass(frozen=True)
class LayerMatrix:
    """Sums of live neurons as a matrix: S[j] = constants[j] + sum of factors[k][j] * operand k.

    operands : words of input bits. factors : (n_operands, n_live). constants : (n_live,). live : the neurons'
    indices.
    """

    operands: tuple[Operand, ...]
    factors: tuple[tuple[int, ...], ...]
    constants: tuple[int, ...]
    live: tuple[int, ...]


def layer_matrix(layer: Layer, inputs: Sequence[Interval], live: Sequence[int]) -> LayerMatrix:
    """The matrix of a layer's live neurons.

    A mask gives the bits of an input different weights in different neurons. Bits whose weights are 2^bit times the
    same factors in all neurons form one operand: an unmasked input is one, a masked one as few as can be.

    Parameters
    ----------
    inputs : bounds of each input; bits that never vary go into the constants.
    live : indices of the neurons that are wanted.
    """
    n_bits = max((high.bit_length() for _, high in inputs), default=0)
    weights = [input_coefficients(layer.neurons[j], len(inputs), n_bits) for j in live]
    constants = [layer.neurons[j].bias << layer.bias_shift for j in live]
    masks: dict[tuple[int, tuple[int, ...]], int] = {}
    for i, (low, high) in enumerate(inputs):
        varying = (low ^ high).bit_length()
        for bit in range(n_bits):
            column = tuple(own[i][bit] for own in weights)
            if bit < varying and any(column):
                key = i, tuple(weight >> bit for weight in column)
                masks[key] = masks.get(key, 0) | 1 << bit
            elif low >> bit & 1:
                constants = [constant + weight for constant, weight in zip(constants, column, strict=True)]
    operands = tuple(Operand(i, mask) for (i, _), mask in masks.items())
    factors = tuple(
        tuple(factor << operand.lowest for factor in own) for operand, (_, own) in zip(operands, masks, strict=True)
    )
    return LayerMatrix(operands, factors, tuple(constants), tuple(live))


@dataclass(frozen=True)
class _Bit:
    """A bit of a word: its column, and whether it counts as minus 2^column, as a sign bit does."""

    column: int
    value: Value
    negative: bool


class SharedLayer(wiring.Component):
    """The live neurons of a layer with shared adders.

    Ports: `x<i>` for every input i that is read, as wide as its bounds, and `y<j>` for every live neuron j: the
    activated value of a hidden neuron, the sum S of an output neuron.

    Parameters
    ----------
    matrix, graph : the sums, and the adder graph of their factors.
    inputs : bounds of the layer's inputs.
    bounds : the layer's own, from `DiscreteMLP.intervals`.
    """

    def __init__(
        self,
        layer: Layer,
        matrix: LayerMatrix,
        graph: AdderGraph,
        inputs: Sequence[Interval],
        bounds: LayerIntervals,
    ) -> None:
        self.activation, self.matrix, self.graph, self.bounds = layer.activation, matrix, graph, bounds
        y = bounds.outputs if isinstance(layer.activation, QReLU) else bounds.sums
        self.read = tuple(sorted({operand.input for operand in matrix.operands}))
        ports = {f"x{i}": In(word_width(inputs[i])) for i in self.read}
        super().__init__({**ports, **{f"y{j}": Out(word_width(y[j])) for j in matrix.live}})

    def elaborate(self, platform: object) -> Module:
        """Add every shared sum, then every neuron's last adder with its constant, and activate."""
        m = Module()
        words = [self._operand(operand) for operand in self.matrix.operands]
        places = _places(self.graph, self.matrix.operands)
        readers = self.graph.readers()
        ends = {ref.net for ref in self.graph.outputs if ref is not None and readers[ref.net] == 1}
        for net, pair in enumerate(self.graph.sums, start=self.graph.n_operands):
            # A sum that is one neuron's alone is made below, where the bias joins it.
            words.append([] if net in ends else _sum(m, words, pair, places[net]))
        for j, constant, ref in zip(self.matrix.live, self.matrix.constants, self.graph.outputs, strict=True):
            self._add_neuron(m, words, j, constant, self._summands(ref, ends))
        return m

    def _operand(self, operand: Operand) -> list[_Bit]:
        x, lowest = getattr(self, f"x{operand.input}"), operand.lowest
        return [_Bit(k - lowest, x[k], False) for k in range(lowest, len(x)) if operand.mask >> k & 1]

    def _summands(self, ref: Ref | None, ends: set[int]) -> list[Ref]:
        if ref is None:
            return []
        if ref.net < self.graph.n_operands or ref.net not in ends:
            return [ref]
        return [part.of(ref) for part in self.graph.sums[ref.net - self.graph.n_operands]]

    def _add_neuron(
        self, m: Module, words: Sequence[list[_Bit]], j: int, constant: int, refs: Sequence[Ref]
    ) -> None:
        bounds, y, activation = self.bounds.sums[j], getattr(self, f"y{j}"), self.activation
        width = word_width(bounds)
        if isinstance(activation, QReLU):
            m.d.comb += y.eq(qrelu(_total(m, words, refs, constant, 0, width, activation.lsb), bounds, activation))
        else:
            m.d.comb += y.eq(_total(m, words, refs, constant, 0, width, 0))


@dataclass(frozen=True)
class _Place:
    """Where a net's word lies: the column of its lowest bit, its width, and whether its top bit is a sign."""

    column: int
    width: int
    signed: bool


def _places(graph: AdderGraph, operands: Sequence[Operand]) -> list[_Place]:
    """Words just wide enough for the values that each net takes."""
    places = [_Place(0, operand.highest.bit_length(), False) for operand in operands]
    coefficients = graph.coefficients()
    for net, pair in enumerate(graph.sums, start=graph.n_operands):
        column = min(places[ref.net].column + ref.shift for ref in pair)
        reach = [factor * operand.highest for factor, operand in zip(coefficients[net], operands, strict=True)]
        unit = 2**column if column >= 0 else 1 / 2**-column
        low, high = (int(sum(v for v in reach if (v < 0) == negative) / unit) for negative in (True, False))
        places.append(_Place(column, word_width((low, high)), low < 0))
    return places


def _sum(m: Module, words: Sequence[list[_Bit]], pair: Sequence[Ref], place: _Place) -> list[_Bit]:
    total = _total(m, words, pair, 0, place.column, place.width, 0)
    top = place.width - 1
    return [_Bit(place.column + k, total[k], place.signed and k == top) for k in range(place.width)]


def _total(
    m: Module,
    words: Sequence[list[_Bit]],
    refs: Sequence[Ref],
    constant: int,
    column: int,
    width: int,
    first: int,
) -> Value:
    """Columns from `first` upwards of the references' sum plus a constant, modulo 2^width, in units of 2^column."""
    columns, bits = [], []
    for ref in refs:
        for bit in words[ref.net]:
            place = bit.column + ref.shift - column
            if not 0 <= place < width:
                continue
            # The sign of the top column is free.
            negative = bit.negative != ref.negative and place < width - 1
            constant -= negative << place
            columns.append(place)
            bits.append(~bit.value if negative else bit.value)
    return add_hardware(m, reduce_columns(columns, constant % (1 << width), width), bits, first)


class SharedClassifier(Classifier):
    """`hdl.classifier.Classifier` with a block of shared adders for each layer instead of one for each neuron.

    `solve` gives the adder graph of a matrix; see `hdl.adder_graph.adder_graph`.
    """

    def __init__(self, model: DiscreteMLP, solve: Solver = adder_graph) -> None:
        self.solve = solve
        super().__init__(model)

    @property
    def n_adders(self) -> int:
        """Adders of two words in all graphs; those that add a bias alone are not counted."""
        return sum(len(layer.graph.sums) for layer in self.layers.values())

    def _neuron_blocks(self) -> dict[str, wiring.Component]:
        self.layers = {number: self._layer(number) for number in sorted({n for n, _ in self.live})}
        return {_name(number): layer for number, layer in self.layers.items()}

    def _layer(self, number: int) -> SharedLayer:
        layer, inputs = self.model.layers[number], self.bounds[number]
        matrix = layer_matrix(layer, inputs, [j for n, j in self.live if n == number])
        graph = self.solve(matrix.factors, [operand.highest for operand in matrix.operands])
        return SharedLayer(layer, matrix, graph, inputs, self.intervals[number])

    def _add_neurons(self, m: Module, values: dict[tuple[int, int], Value]) -> None:
        for number, layer in self.layers.items():
            outputs: Mapping[int, Signal] = {
                j: Signal(len(getattr(layer, f"y{j}")), name=self._net(number, j)) for j in layer.matrix.live
            }
            values |= {(number + 1, j): y for j, y in outputs.items()}
            ports = {f"x{i}": values[number, i] for i in layer.read}
            instantiate(m, _name(number), ports, {f"y{j}": y for j, y in outputs.items()})


def _name(number: int) -> str:
    return f"layer_{number}"


@dataclass(frozen=True)
class SharedCircuit:
    """Verilog of a classifier with shared adders, and how many adders of two words its graphs have."""

    verilog: str
    n_adders: int


def shared_circuit(model: DiscreteMLP, *, header: Sequence[str] = (), solve: Solver = adder_graph) -> SharedCircuit:
    """A classifier with shared adders; the Verilog is as `hdl.emit.classifier_verilog` writes it otherwise.

    Raises
    ------
    ToolError : the library is missing or fails. VerificationError : its graph is not the layer's matrix.
    """
    classifier = SharedClassifier(model, solve)
    verilog = components_verilog({"top": classifier, **classifier.blocks}, header)
    return SharedCircuit(verilog, classifier.n_adders)
