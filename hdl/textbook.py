"""The same classifier as a designer without this flow writes it: multiply, add, clamp, compare.

It is a yardstick. Published exact bespoke networks are written with multipliers by constants and sums; the areas of
this form compare with theirs, while `hdl.classifier` gives the smallest exact circuit known here.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.classifier import published_scores
from printedmlp.model import DiscreteMLP, Interval, Layer, QReLU, input_coefficients
from printedmlp.model import Neuron as ModelNeuron
from printedmlp.summand import word_width


class TextbookClassifier(wiring.Component):
    """A `DiscreteMLP` as module `top` in plain arithmetic, with the ports and score nets of `hdl.classifier`.

    Parameters
    ----------
    named : nets `hidden_<layer>_<neuron>` carry the activated values, besides `sum_<layer>_<neuron>` for the sums.
    """

    def __init__(self, model: DiscreteMLP, *, named: bool = False) -> None:
        self.model = model
        self.named = named
        out = Out(max(1, (model.n_classes - 1).bit_length()))
        super().__init__({"inp": In(model.n_features * model.input_bits), "out": out})

    def elaborate(self, platform: object) -> Module:
        """Layer by layer, then a chain of comparisons."""
        m = Module()
        values = [self.inp.word_select(i, self.model.input_bits) for i in range(self.model.n_features)]
        for number, (layer, bounds) in enumerate(zip(self.model.layers, self.model.intervals(), strict=True)):
            sums = [
                _sum(m, f"sum_{number}_{j}", layer, neuron, values, bounds.sums[j])
                for j, neuron in enumerate(layer.neurons)
            ]
            values = [_activated(layer, total) for total in sums]
            if self.named and isinstance(layer.activation, QReLU):
                values = [_named(m, f"hidden_{number}_{j}", value) for j, value in enumerate(values)]
        self._publish(m, values)
        m.d.comb += self.out.eq(_argmax(values))
        return m

    def _publish(self, m: Module, values: list[Value]) -> None:
        for c, net in published_scores(self.model).items():
            shape = signed(net.width) if net.signed else net.width
            score = Signal(shape, name=net.name, attrs={"keep": 1})
            m.d.comb += score.eq(values[c])


def _sum(m: Module, name: str, layer: Layer, neuron: ModelNeuron, values: list[Value], bounds: Interval) -> Value:
    width = word_width((min(bounds[0], -1), bounds[1]))
    total = Signal(signed(width), name=name)
    terms = [term for i, x in enumerate(values) for term in _products(neuron, i, len(values), x)]
    m.d.comb += total.eq(sum(terms, Const(neuron.bias << layer.bias_shift, signed(width))))
    return total


def _products(neuron: ModelNeuron, index: int, n_inputs: int, x: Value) -> list[Value]:
    """The input times its weight, or its masked and shifted terms where bits are missing."""
    bits = input_coefficients(neuron, n_inputs, len(x))[index]
    if all(weight == bits[0] << j for j, weight in enumerate(bits)):
        return [x * Const(bits[0])] if bits[0] else []
    terms = [term for term in neuron.terms if term.input == index]
    shifted = [(x & term.mask) << term.shift for term in terms]
    return [value if term.sign > 0 else -value for term, value in zip(terms, shifted, strict=True)]


def _activated(layer: Layer, total: Value) -> Value:
    activation = layer.activation
    if not isinstance(activation, QReLU):
        return total if activation.signed else Mux(total < 0, 0, total)
    largest = (1 << (activation.msb + 1)) - 1
    clipped = Mux(total < 0, 0, Mux(total > largest, largest, total))
    return Cat(clipped)[activation.lsb : activation.msb + 1]


def _named(m: Module, name: str, value: Value) -> Value:
    net = Signal(len(value), name=name)
    m.d.comb += net.eq(value)
    return net


def _argmax(values: list[Value]) -> Value:
    best, winner = values[0], Const(0)
    for c, value in enumerate(values[1:], start=1):
        better = value > best
        best, winner = Mux(better, value, best), Mux(better, Const(c), winner)
    return winner
