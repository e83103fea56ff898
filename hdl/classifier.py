"""The whole classifier: blocks for the neurons that matter, an argmax, and the wires between them."""

from dataclasses import dataclass

from amaranth.hdl import Const, Instance, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.argmax import Argmax, possible_winners
from hdl.neuron import Neuron
from hdl.summand import word_width
from printedmlp.model import DiscreteMLP, Interval


@dataclass(frozen=True)
class ScoreNet:
    """A net of module `top` that carries a class's score, in two's complement when `signed`."""

    name: str
    width: int
    signed: bool


def published_scores(model: DiscreteMLP) -> dict[int, ScoreNet]:
    """The score nets of the emitted classifier by class; a class that can never win has none."""
    bounds = model.intervals()[-1].outputs
    return {
        c: ScoreNet(f"score_{c}", max(1, word_width(bounds[c])), bounds[c][0] < 0) for c in possible_winners(bounds)
    }


class Classifier(wiring.Component):
    """A `DiscreteMLP` as module `top`.

    Ports: `inp`, n_features * input_bits wide with feature 0 in the least significant bits, and `out`, the class.
    The neurons and the argmax are instances of the components in `blocks`, by module name. Constant neurons, neurons
    nobody reads and classes that can never win are left out.
    """

    def __init__(self, model: DiscreteMLP) -> None:
        self.model = model
        self.scores = published_scores(model)
        self.bounds = _value_bounds(model)
        self.neurons = _live_neurons(model, self.bounds)
        self.blocks: dict[str, wiring.Component] = {f"neuron_{n}_{j}": b for (n, j), b in self.neurons.items()}
        if len(self.scores) > 1:
            self.blocks["argmax"] = Argmax(self.bounds[-1])
        n_bits = model.n_features * model.input_bits
        super().__init__({"inp": In(n_bits), "out": Out(_class_width(model))})

    def elaborate(self, platform: object) -> Module:
        """Instantiate the blocks layer by layer."""
        m = Module()
        values: dict[tuple[int, int], Value] = {}
        for i in range(self.model.n_features):
            values[0, i] = self.inp.word_select(i, self.model.input_bits)
        for (number, index), neuron in self.neurons.items():
            y = values[number + 1, index] = Signal(len(neuron.y), name=self._net(number, index))
            ports = {f"x{i}": values[number, i] for i in neuron.summands.inputs}
            self._instantiate(m, f"neuron_{number}_{index}", ports, "y", y)
        m.d.comb += self.out.eq(self._winner(m, values))
        return m

    def _net(self, number: int, index: int) -> str:
        last = number == len(self.model.layers) - 1
        return self.scores[index].name if last else f"hidden_{number}_{index}"

    def _winner(self, m: Module, values: dict[tuple[int, int], Value]) -> Value:
        """The class; constant scores get their net here."""
        ports = {}
        for c, net in self.scores.items():
            score = values.get((len(self.model.layers), c))
            if score is None:
                score = Signal(net.width, name=net.name)
                m.d.comb += score.eq(self.bounds[-1][c][0])
            else:
                ports[net.name] = score
        if "argmax" not in self.blocks:
            return Const(min(self.scores), len(self.out))
        winner = Signal(len(self.out), name="winner")
        self._instantiate(m, "argmax", ports, "out", winner)
        return winner

    @staticmethod
    def _instantiate(m: Module, name: str, inputs: dict[str, Value], port: str, output: Value) -> None:
        connections = {f"i_{key}": value for key, value in inputs.items()}
        m.submodules[name] = Instance(name, **connections, **{f"o_{port}": output})


def _class_width(model: DiscreteMLP) -> int:
    return max(1, (model.n_classes - 1).bit_length())


def _value_bounds(model: DiscreteMLP) -> list[tuple[Interval, ...]]:
    """Bounds of the features, then of every layer's activated values."""
    features = ((0, (1 << model.input_bits) - 1),) * model.n_features
    return [features, *(layer.outputs for layer in model.intervals())]


def _live_neurons(model: DiscreteMLP, bounds: list[tuple[Interval, ...]]) -> dict[tuple[int, int], Neuron]:
    """Blocks by layer and index of the neurons that vary and that the class depends on."""
    winners = possible_winners(bounds[-1])
    wanted = {c for c in winners if len(winners) > 1 and bounds[-1][c][0] < bounds[-1][c][1]}
    live: dict[tuple[int, int], Neuron] = {}
    intervals = model.intervals()
    for number, layer in reversed(list(enumerate(model.layers))):
        made = {(number, j): Neuron(layer, j, bounds[number], intervals[number]) for j in sorted(wanted)}
        wanted = {i for neuron in made.values() for i in neuron.summands.inputs}
        live = {**made, **live}
    return live
