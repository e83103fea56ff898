"""Netlists damaged at random: what the proof says of each is what simulation on all inputs says."""

from dataclasses import replace

import numpy as np
import pytest

from hdl.emit import classifier_verilog
from hdl.gates import gates_verilog
from hdl.proof import answers, prove
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.trees import grown
from tests.netlists import EGFET
from tests.random_models import all_inputs

SEEDS = range(3)


def network(rng, n_features, input_bits, sizes, n_classes):
    """Any masks, signs, shifts and biases; several terms an input, windows and kinds of scores by chance."""
    layers, n_inputs, width = [], n_features, input_bits
    for size in sizes:
        lsb = int(rng.integers(3))
        activation = QReLU(lsb, lsb + int(rng.integers(1, 4)))
        layers.append(Layer(neurons(rng, n_inputs, width, size), int(rng.integers(3)), activation))
        n_inputs, width = size, activation.width
    scores = Scores(signed=bool(rng.integers(2)))
    layers.append(Layer(neurons(rng, n_inputs, width, n_classes), int(rng.integers(3)), scores))
    return DiscreteMLP(n_features, input_bits, tuple(layers))


def neurons(rng, n_inputs, width, size):
    def term(i):
        return Term(i, int(rng.choice([-1, 1])), int(rng.integers(1, 1 << width)), int(rng.integers(4)))

    inputs = [i for i in range(n_inputs) for _ in range(2)]
    return tuple(
        Neuron(tuple(term(i) for i in inputs if rng.random() < 0.6), int(rng.integers(-5, 6))) for _ in range(size)
    )


def tree(rng, n_features, input_bits, n_classes, depth):
    def branch(depth):
        if not depth:
            return int(rng.integers(n_classes))
        feature, threshold = int(rng.integers(n_features)), int(rng.integers(1, 1 << input_bits))
        return feature, threshold, branch(depth - 1), branch(depth - 1)

    return grown(n_features, input_bits, n_classes, branch(depth))


def refined(rng, n_features, input_bits, n_classes, n_gates):
    first = 2 + n_features * input_bits
    gates = tuple(Gate(int(rng.integers(16)), nets(rng, first + k, 2)) for k in range(n_gates))
    return GateClassifier(n_features, input_bits, n_classes, gates, nets(rng, first + n_gates, 2))


def nets(rng, below, n):
    return tuple(int(net) for net in rng.integers(below // 2, below, size=n))


KINDS = {
    "two layers": lambda rng: network(rng, 2, 4, (2,), 3),
    "three layers": lambda rng: network(rng, 3, 3, (2, 3), 2),
    "scores alone": lambda rng: network(rng, 3, 3, (), 5),
    "tree": lambda rng: tree(rng, 3, 3, 4, 4),
    "refined circuit": lambda rng: refined(rng, 3, 3, 3, 30),
}


def retyped(rng, netlist, k):
    instance = netlist.instances[k]
    n = len(instance.inputs)
    others = [c.name for c in EGFET.cells.values() if len(c.inputs) == n and c.name != instance.cell]
    return with_instance(netlist, k, Instance(str(rng.choice(others)), instance.inputs)) if others else netlist


def rewired(rng, netlist, k):
    instance = netlist.instances[k]
    pins = list(instance.inputs)
    pins[int(rng.integers(len(pins)))] = int(rng.integers(netlist.first_driven + k))
    return with_instance(netlist, k, Instance(instance.cell, tuple(pins)))


def bypassed(rng, netlist, k):
    """Whoever reads the gate reads another net instead."""
    old = netlist.first_driven + k
    new = int(rng.integers(old))

    def moved(found):
        return tuple(new if net == old else net for net in found)

    instances = tuple(Instance(i.cell, moved(i.inputs)) for i in netlist.instances)
    return Netlist(netlist.n_inputs, instances, moved(netlist.outputs))


def turned(rng, netlist, k):
    """Pins of a gate, and output bits, in another order."""
    instance = netlist.instances[k]
    changed = with_instance(netlist, k, Instance(instance.cell, instance.inputs[::-1]))
    return replace(changed, outputs=netlist.outputs[::-1])


def with_instance(netlist, k, instance):
    return replace(netlist, instances=(*netlist.instances[:k], instance, *netlist.instances[k + 1 :]))


def mapped(classifier, folder):
    if isinstance(classifier, GateClassifier):
        verilog = gates_verilog(classifier)
    else:
        verilog = (classifier_verilog if isinstance(classifier, DiscreteMLP) else tree_verilog)(classifier)
    return map_verilog(verilog, EGFET, effort="quick", work_dir=folder, prove=False).netlist


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_damage_is_found_or_changes_nothing(kind, seed, tmp_path):
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    netlist = None
    # Some answer the same class always, and have no gate to damage.
    while netlist is None or not netlist.instances:
        classifier = KINDS[kind](rng)
        netlist = mapped(classifier, tmp_path / "map")
    X = all_inputs(classifier)
    for damage in (retyped, rewired, bypassed, turned):
        damaged = damage(rng, netlist, int(rng.integers(len(netlist.instances))))
        values = simulate(damaged, EGFET, input_bits_of(X, classifier.input_bits), len(X))
        differs = (classes(damaged, values, len(X)) != classifier.predict(X)).any()
        found = prove(classifier, damaged, EGFET, work_dir=tmp_path / "proof")
        assert found.verdict == ("refuted" if differs else "proved"), damage.__name__
        if found.counterexample is not None:
            expected, answered = answers(classifier, damaged, EGFET, found.counterexample)
            assert expected != answered
