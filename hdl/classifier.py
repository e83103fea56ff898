"""The whole classifier: blocks for the neurons that matter, an argmax, and the wires between them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from amaranth.hdl import Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.argmax import Argmax
from hdl.neuron import Neuron
from hdl.qrelu import relu
from printedmlp.model import DiscreteMLP, Interval, LayerIntervals
from printedmlp.summand import summands_of, word_width
from printedmlp.winners import compared_bounds, possible_winners


@dataclass(frozen=True)
class ScoreNet:
    """A net of module `top` that carries a class's score, in two's complement when `signed`."""

    name: str
    width: int
    signed: bool


def published_scores(model: DiscreteMLP) -> dict[int, ScoreNet]:
    """The score nets of the emitted classifier by class.

    A class that can never win has none, and there are none at all when only one class can win.
    """
    return _score_nets(model.intervals()[-1])


def _score_nets(layer: LayerIntervals) -> dict[int, ScoreNet]:
    bounds = layer.outputs
    winners = possible_winners(bounds)
    if len(winners) == 1:
        return {}
    return {c: ScoreNet(f"score_{c}", max(1, word_width(bounds[c])), bounds[c][0] < 0) for c in winners}


class Classifier(wiring.Component):
    """A `DiscreteMLP` as module `top`.

    Ports: `inp`, n_features * input_bits wide with feature 0 in the least significant bits, and `out`, the class.
    The neurons and the argmax are instances of the components in `blocks`, by module name. Constant neurons,
    neurons nobody reads and classes that can never win are left out.

    Only the first class that can win is rectified before the argmax: its max(S, 0) is never negative, so a later
    class whose sum is negative loses to it as it would with 0. The other rectified scores are there to be observed
    and cost nothing in synthesis.
    """

    def __init__(self, model: DiscreteMLP) -> None:
        self.model = model
        self.intervals = model.intervals()
        self.scores = _score_nets(self.intervals[-1])
        self.bounds = _value_bounds(model, self.intervals)
        self.live = _live_neurons(model, self.scores, self.bounds, self.intervals)
        self.blocks = self._neuron_blocks()
        self.argmax = Argmax(self.bounds[-1]) if self.scores else None
        if self.argmax:
            self.blocks["argmax"] = self.argmax
        out = Out(max(1, (model.n_classes - 1).bit_length()))
        super().__init__({"inp": In(model.n_features * model.input_bits), "out": out})

    def elaborate(self, platform: object) -> Module:
        """Instantiate the blocks layer by layer."""
        m = Module()
        values: dict[tuple[int, int], Value] = {}
        for i in range(self.model.n_features):
            values[0, i] = self.inp.word_select(i, self.model.input_bits)
        self._add_neurons(m, values)
        sums = {c: value for (level, c), value in values.items() if level == len(self.model.layers)}
        compared = {c: self._compared(m, c, sums.get(c)) for c in self.scores}
        if self.argmax:
            ports = {f"value_{c}": compared[c] for c in self.argmax.varying}
            instantiate(m, "argmax", ports, {"out": self.out})
        else:
            m.d.comb += self.out.eq(possible_winners(self.bounds[-1])[0])
        return m

    def _neuron_blocks(self) -> dict[str, wiring.Component]:
        """Blocks that compute the live neurons, by module name."""
        self.neurons = {
            (n, j): Neuron(self.model.layers[n], j, self.bounds[n], self.intervals[n]) for n, j in self.live
        }
        return {f"neuron_{n}_{j}": block for (n, j), block in self.neurons.items()}

    def _add_neurons(self, m: Module, values: dict[tuple[int, int], Value]) -> None:
        """Instantiate the neurons; `values` has the features at level 0 and receives every neuron's output."""
        for (number, index), neuron in self.neurons.items():
            y = values[number + 1, index] = Signal(len(neuron.y), name=self._net(number, index))
            ports = {f"x{i}": values[number, i] for i in neuron.summands.inputs}
            instantiate(m, f"neuron_{number}_{index}", ports, {"y": y})

    def _net(self, number: int, index: int) -> str:
        """Name of a neuron's net: an output neuron's is the score itself unless it is still to be rectified."""
        if number < len(self.model.layers) - 1:
            return f"hidden_{number}_{index}"
        rectified = self.intervals[-1]
        return f"score_{index}" if rectified.outputs[index] == rectified.sums[index] else f"sum_{index}"

    def _compared(self, m: Module, c: int, total: Value | None) -> Value:
        """The value of class c that the argmax reads; drives the score's net where it is another one."""
        layer, net = self.intervals[-1], self.scores[c]
        if total is not None and layer.outputs[c] == layer.sums[c]:
            return total
        score = Signal(net.width, name=net.name, attrs={"keep": 1})
        m.d.comb += score.eq(layer.outputs[c][0] if total is None else relu(total, layer.sums[c]))
        return score if total is None or c == min(self.scores) else total


def instantiate(m: Module, name: str, inputs: dict[str, Value], outputs: dict[str, Value]) -> None:
    """Add an instance of the module `name`, with the values at its input and output ports."""
    connections = {f"i_{key}": value for key, value in inputs.items()}
    m.submodules[name] = Instance(name, **connections, **{f"o_{key}": value for key, value in outputs.items()})


def _value_bounds(model: DiscreteMLP, intervals: Sequence[LayerIntervals]) -> list[tuple[Interval, ...]]:
    """Bounds of the features, of every hidden layer's activated values, and of what the argmax compares."""
    features = ((0, (1 << model.input_bits) - 1),) * model.n_features
    return [features, *(layer.outputs for layer in intervals[:-1]), compared_bounds(intervals[-1])]


def _live_neurons(
    model: DiscreteMLP,
    classes: Collection[int],
    bounds: list[tuple[Interval, ...]],
    intervals: Sequence[LayerIntervals],
) -> list[tuple[int, int]]:
    """Layer and index of the neurons that vary and that the class depends on, in order."""
    wanted = {c for c in classes if bounds[-1][c][0] < bounds[-1][c][1]}
    live: list[tuple[int, int]] = []
    for number, layer in reversed(list(enumerate(model.layers))):
        live = [*((number, j) for j in sorted(wanted)), *live]
        widths = {j: word_width(intervals[number].sums[j]) for j in wanted}
        summands = [summands_of(layer.neurons[j], layer.bias_shift, bounds[number], widths[j]) for j in wanted]
        wanted = {i for own in summands for i in own.inputs}
    return live
