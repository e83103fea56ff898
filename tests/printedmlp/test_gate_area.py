from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from printedmlp.area import AreaUnits, hashed_area
from printedmlp.circuit.simulate import input_bits_of, unpack_bits
from printedmlp.errors import ConfigError
from printedmlp.gate_area import GateAreas, cover_area
from printedmlp.gate_builder import classifier_gates
from printedmlp.gate_graph import GateGraph
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.stimuli import stimuli
from printedmlp.technology import load_technology
from tests.random_models import all_inputs, classifiers

EGFET = load_technology("egfet")
AREAS = GateAreas.of(EGFET)


def simulated(model, X):
    graph, outputs = classifier_gates(model)
    ones = (1 << len(X)) - 1
    values = graph.simulate(input_bits_of(X, model.input_bits), ones)
    signals = [values[literal >> 1] ^ (ones if literal & 1 else 0) for literal in outputs]
    return sum(unpack_bits(signal, len(X)).astype(np.int64) << k for k, signal in enumerate(signals))


@given(classifiers())
@settings(max_examples=150, deadline=None)
def test_the_gates_are_the_classifier(model):
    X = all_inputs(model)[::7]
    assert np.array_equal(simulated(model, X), model.predict(X))


@given(classifiers())
@settings(max_examples=100, deadline=None)
def test_merging_keeps_the_function_on_the_vectors(model):
    n = 200
    graph, outputs = classifier_gates(model)
    inputs, ones = stimuli(model, n), (1 << n) - 1
    merged, found = graph.merged(outputs, inputs, ones)
    before, after = graph.simulate(inputs, ones), merged.simulate(inputs, ones)
    for a, b in zip(outputs, found, strict=True):
        assert before[a >> 1] ^ (ones if a & 1 else 0) == after[b >> 1] ^ (ones if b & 1 else 0)
    assert sum(merged.live(found)) <= sum(graph.live(outputs))


def test_merging_sees_what_folding_does_not():
    layout = GenomeLayout.uniform((4, 3, 3))
    rng = np.random.default_rng(1)
    models = [layout.decode(genes) for genes in layout.random(20, rng)]
    folded, merged = (sum(hashed_area(m, EGFET, n_vectors=n) for m in models) for n in (0, 2048))
    assert merged < 0.97 * folded


def test_a_wrong_gate_is_seen():
    model = DiscreteMLP(1, 4, (Layer((Neuron((Term(0, 1, 15, 0),)), Neuron((), 7)), 0, Scores()),))
    X = all_inputs(model)
    assert np.array_equal(simulated(model, X), model.predict(X))
    wrong = DiscreteMLP(1, 4, (Layer((Neuron((Term(0, 1, 15, 0),)), Neuron((), 8)), 0, Scores()),))
    assert not np.array_equal(simulated(wrong, X), model.predict(X))


def area(build, n_inputs=3):
    graph = GateGraph(n_inputs)
    return cover_area(graph, build(graph, *map(graph.input, range(n_inputs))), AREAS)


def test_single_gates_cost_their_cells():
    assert area(lambda g, a, b, c: [a]) == 0
    assert area(lambda g, a, b, c: [a ^ 1, a ^ 1]) == pytest.approx(AREAS.inverter)
    assert area(lambda g, a, b, c: [g.conjunction(a, b) ^ 1]) == pytest.approx(AREAS.nand)
    assert area(lambda g, a, b, c: [g.conjunction(a, b)]) == pytest.approx(AREAS.and_gate)
    assert area(lambda g, a, b, c: [g.conjunction(a ^ 1, b ^ 1)]) == pytest.approx(AREAS.nor)
    assert area(lambda g, a, b, c: [g.difference(a, b)]) == pytest.approx(4 * AREAS.nand)


def full_adder(graph, a, b, c):
    half = graph.difference(a, b)
    carry = graph.disjunction(graph.conjunction(half, c), graph.conjunction(a, b))
    return [graph.difference(half, c), carry]


def test_a_full_adder_is_nine_nands_and_a_half_adder_four_and_an_inverter():
    assert area(full_adder) == pytest.approx(9 * AREAS.nand) == pytest.approx(AreaUnits.of(EGFET).full)
    half = area(lambda g, a, b, c: [g.difference(a, b), g.conjunction(a, b)])
    assert half == pytest.approx(4 * AREAS.nand + AREAS.inverter) == pytest.approx(AreaUnits.of(EGFET).half)


def test_what_two_neurons_share_costs_once():
    add = (Term(0, 1, 15, 0), Term(1, 1, 15, 0))
    one = Layer((Neuron(add), Neuron(())), 0, QReLU(0, 5))
    two = Layer((Neuron(add), Neuron(add)), 0, QReLU(0, 5))
    outputs = Layer((Neuron((Term(0, 1, 63, 0),)), Neuron((Term(1, 1, 32, 0),), 9)), 0, Scores())
    shared = Layer((Neuron((Term(0, 1, 63, 0),)), Neuron((Term(0, 1, 32, 0),), 9)), 0, Scores())
    repeated, single = DiscreteMLP(2, 4, (two, outputs)), DiscreteMLP(2, 4, (one, shared))
    assert hashed_area(repeated, EGFET) == hashed_area(single, EGFET) > 0


def test_a_constant_classifier_costs_nothing():
    model = DiscreteMLP(2, 4, (Layer((Neuron((), 1), Neuron((Term(0, -1, 15, 0),))), 0, Scores()),))
    assert hashed_area(model, EGFET) == 0


def test_a_technology_of_inverters_and_nands_is_enough():
    cells = {name: EGFET.cells[name] for name in ("INVX1", "NAND2X1") if name in EGFET.cells}
    model = DiscreteMLP(1, 4, (Layer((Neuron((Term(0, 1, 15, 0),)), Neuron((), 7)), 0, Scores()),))
    assert hashed_area(model, replace(EGFET, cells=cells)) >= hashed_area(model, EGFET)
    with pytest.raises(ConfigError, match="NAND"):
        GateAreas.of(replace(EGFET, cells={"INVX1": EGFET.cells["INVX1"]}))
