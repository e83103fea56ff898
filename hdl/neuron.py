"""One neuron as a combinational block: summand bits, adder tree, activation, each as wide as the bounds ask for."""

from collections.abc import Sequence
from typing import cast

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.adder_tree import add_hardware, named
from hdl.qrelu import qrelu
from printedmlp.model import Interval, Layer, LayerIntervals, QReLU
from printedmlp.reduction import reduce_columns
from printedmlp.summand import SummandBit, summands_of, word_width


class Neuron(wiring.Component):
    """Neuron `index` of a layer.

    Ports: `x<i>` for every input i that the sum depends on, as wide as its bounds, and `y`: the activated value of
    a hidden neuron, the sum S itself of an output neuron, in two's complement where it can be negative.

    Parameters
    ----------
    inputs : bounds of the layer's inputs.
    bounds : the layer's own bounds, from `DiscreteMLP.intervals`; the value of `y` must not be constant.
    """

    def __init__(self, layer: Layer, index: int, inputs: Sequence[Interval], bounds: LayerIntervals) -> None:
        self.activation = layer.activation
        self.bounds = bounds.sums[index]
        self.summands = summands_of(layer.neurons[index], layer.bias_shift, inputs, word_width(self.bounds))
        ports = {f"x{i}": In(word_width(inputs[i])) for i in self.summands.inputs}
        y = bounds.outputs[index] if isinstance(layer.activation, QReLU) else self.bounds
        super().__init__({**ports, "y": Out(word_width(y))})

    def elaborate(self, platform: object) -> Module:
        """Add the summand bits; a hidden neuron activates the sum."""
        m = Module()
        if isinstance(self.activation, QReLU):
            m.d.comb += self.y.eq(qrelu(self._total(m, self.activation.lsb), self.bounds, self.activation))
        else:
            m.d.comb += self.y.eq(self._total(m, 0))
        return m

    def _total(self, m: Module, first: int) -> Value:
        """Columns of the sum from `first` upwards."""
        negative = {(bit.input, bit.bit): ~self._input(bit) for bit in self.summands.bits if bit.negative}
        inverted = {(i, j): named(m, f"not_x{i}_{j}", value) for (i, j), value in negative.items()}
        bits = [inverted[bit.input, bit.bit] if bit.negative else self._input(bit) for bit in self.summands.bits]
        columns = [bit.column for bit in self.summands.bits]
        reduction = reduce_columns(columns, self.summands.constant, self.summands.width)
        return add_hardware(m, reduction, bits, first)

    def _input(self, bit: SummandBit) -> Value:
        return cast(Value, getattr(self, f"x{bit.input}")[bit.bit])
