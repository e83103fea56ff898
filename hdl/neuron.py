"""One neuron as a combinational block: summand bits, adder tree, activation, each as wide as the bounds ask for."""

from collections.abc import Sequence

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.adder_tree import add_hardware, reduce_columns
from hdl.qrelu import qrelu, relu
from hdl.summand import summands_of, word_width
from printedmlp.model import Interval, Layer, LayerIntervals, QReLU


class Neuron(wiring.Component):
    """Neuron `index` of a layer.

    Ports: `x<i>` for every input i that the sum depends on, as wide as its bounds, and `y`, the activated value,
    in two's complement only where it can be negative.

    Parameters
    ----------
    inputs : bounds of the layer's inputs.
    bounds : the layer's own bounds, from `DiscreteMLP.intervals`; the activated value must not be constant.
    """

    def __init__(self, layer: Layer, index: int, inputs: Sequence[Interval], bounds: LayerIntervals) -> None:
        self.activation = layer.activation
        self.bounds = bounds.sums[index]
        self.summands = summands_of(layer.neurons[index], layer.bias_shift, inputs, word_width(self.bounds))
        ports = {f"x{i}": In(word_width(inputs[i])) for i in self.summands.inputs}
        super().__init__({**ports, "y": Out(word_width(bounds.outputs[index]))})

    def elaborate(self, platform: object) -> Module:
        """Add the summand bits and activate the sum."""
        m = Module()
        m.d.comb += self.y.eq(self._activated(m))
        return m

    def _activated(self, m: Module) -> Value:
        if isinstance(self.activation, QReLU):
            return qrelu(self._total(m, self.activation.lsb), self.bounds, self.activation)
        total = self._total(m, 0)
        return total if self.activation.signed else relu(total, self.bounds)

    def _total(self, m: Module, first: int) -> Signal:
        """Columns of the sum from `first` upwards."""
        bits = [self._summand(bit.input, bit.bit, bit.negative) for bit in self.summands.bits]
        columns = [bit.column for bit in self.summands.bits]
        reduction = reduce_columns(columns, self.summands.constant, self.summands.width)
        value = add_hardware(m, reduction, bits, first)
        total = Signal(len(value), name="total")
        m.d.comb += total.eq(value)
        return total

    def _summand(self, i: int, bit: int, negative: bool) -> Value:
        value = getattr(self, f"x{i}")[bit]
        return ~value if negative else value
