"""Proofs: circuits by hand, every kind of classifier, and damage that has to be found with a counterexample."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl import proof
from hdl.emit import classifier_verilog
from hdl.equivalence import UndecidedError
from hdl.gates import gates_verilog
from hdl.neuron_proof import sum_is_right, unproved_piece
from hdl.proof import answers, prove
from hdl.reference import GENERIC, Reference, reference_circuit
from hdl.solver import Formulas
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.errors import ConfigError, ToolBrokenOffError, ToolError, VerificationError
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.trees import grown
from tests.netlists import EGFET
from tests.random_gates import gate_classifiers
from tests.random_models import all_inputs, classifiers
from tests.random_trees import trees


def forever():
    return 60.0


def small_network():
    """h = (x0 + 2 x1 - 3) clipped to 0..3; classes: 2 - h against h, so class 1 exactly when h >= 2."""
    hidden = Layer((Neuron((Term(0, 1, 3, 0), Term(1, 1, 3, 1)), -3),), 0, QReLU(0, 1))
    scores = Layer((Neuron((Term(0, -1, 3, 0),), 2), Neuron((Term(0, 1, 3, 0),), 0)), 0, Scores())
    return DiscreteMLP(2, 2, (hidden, scores))


TREE = grown(2, 2, 3, (0, 2, (1, 1, 0, 2), (1, 3, 1, 2)))
GATES = GateClassifier(2, 2, 2, (Gate(0b0111, (2, 4)), Gate(0b0110, (6, 3))), (7,))


def mapped(classifier, folder):
    if isinstance(classifier, GateClassifier):
        verilog = gates_verilog(classifier)
    else:
        verilog = (classifier_verilog if isinstance(classifier, DiscreteMLP) else tree_verilog)(classifier)
    return map_verilog(verilog, EGFET, effort="quick", work_dir=folder).netlist


def function(classifier, netlist, technology=EGFET):
    X = all_inputs(classifier)
    values = simulate(netlist, technology, input_bits_of(X, classifier.input_bits), len(X))
    return classes(netlist, values, len(X))


def test_an_and_gate_by_hand(tmp_path):
    both = GateClassifier(2, 1, 2, (Gate(0b1000, (2, 3)),), (4,))
    gate = Netlist(2, (Instance("AND2X1", (2, 3)),), (4,))
    found = prove(both, gate, EGFET, work_dir=tmp_path)
    assert (found.verdict, found.route, found.counterexample) == ("proved", proof.WHOLE, None)
    other = Netlist(2, (Instance("NAND2X1", (2, 3)),), (4,))
    assert prove(both, other, EGFET, work_dir=tmp_path).verdict == "refuted"
    # Exactly one row tells an AND from a wire.
    wire = prove(both, Netlist(2, (), (2,)), EGFET, work_dir=tmp_path)
    assert wire.counterexample == (1, 0)
    assert answers(both, Netlist(2, (), (2,)), EGFET, (1, 0)) == (0, 1)


def test_a_network_by_hand(tmp_path):
    model = small_network()
    netlist = mapped(model, tmp_path / "map")
    found = prove(model, netlist, EGFET, work_dir=tmp_path / "proof")
    assert (found.verdict, found.reason) == ("proved", "")
    assert found.route == proof.BY_NEURONS
    assert found.solver.startswith("bitwuzla ")
    assert "seconds" not in found.to_json()
    # x0 + 2 x1 >= 5 is the class; a circuit for >= 6 differs exactly on (1, 2) and (3, 1).
    hidden = replace(model.layers[0], neurons=(replace(model.layers[0].neurons[0], bias=-4),))
    other = prove(replace(model, layers=(hidden, model.layers[1])), netlist, EGFET, work_dir=tmp_path / "other")
    assert other.verdict == "refuted"
    assert other.counterexample in {(1, 2), (3, 1)}


@pytest.mark.parametrize("classifier", [small_network(), TREE, GATES], ids=["network", "tree", "gates"])
def test_every_changed_gate_is_found_or_changes_nothing(classifier, tmp_path):
    netlist = mapped(classifier, tmp_path / "map")
    twins = {"NAND2X1": "NOR2X1", "NOR2X1": "NAND2X1", "AND2X1": "OR2X1", "OR2X1": "AND2X1", "XOR2X1": "XNOR2X1"}
    caught = 0
    for k, instance in enumerate(netlist.instances):
        if instance.cell not in twins:
            continue
        changed = Instance(twins[instance.cell], instance.inputs)
        damaged = replace(netlist, instances=(*netlist.instances[:k], changed, *netlist.instances[k + 1 :]))
        found = prove(classifier, damaged, EGFET, work_dir=tmp_path / "proof")
        differs = function(classifier, damaged) != classifier.predict(all_inputs(classifier))
        assert found.verdict == ("refuted" if differs.any() else "proved")
        if found.counterexample is not None:
            expected, answered = answers(classifier, damaged, EGFET, found.counterexample)
            assert expected != answered
            caught += 1
    assert caught


def test_a_flipped_mask_bit_is_found(tmp_path):
    model = small_network()
    netlist = mapped(model, tmp_path / "map")
    neuron = model.layers[0].neurons[0]
    for bit in (1, 2):
        terms = (replace(neuron.terms[0], mask=neuron.terms[0].mask ^ bit), neuron.terms[1])
        hidden = replace(model.layers[0], neurons=(replace(neuron, terms=terms),))
        changed = replace(model, layers=(hidden, model.layers[1]))
        found = prove(changed, netlist, EGFET, work_dir=tmp_path / "proof")
        assert found.verdict == "refuted"
        assert changed.predict([found.counterexample])[0] != model.predict([found.counterexample])[0]


@settings(max_examples=40, deadline=None)
@given(classifiers())
def test_reference_circuits_are_their_networks_and_proved_so(model):
    reference = reference_circuit(model)
    assert np.array_equal(function(model, reference.netlist, GENERIC), model.predict(all_inputs(model)))
    assert unproved_piece(model, reference, forever) is None


@settings(max_examples=30, deadline=None)
@given(classifiers(), st.data())
def test_a_damaged_reference_is_not_proved(model, data):
    reference = reference_circuit(model)
    twins = {"XOR": "XNOR", "XNOR": "XOR", "AND": "OR", "OR": "AND", "NOT": "BUF", "BUF": "NOT"}
    places = [k for k, i in enumerate(reference.netlist.instances) if i.cell in twins]
    if not places:
        return
    k = data.draw(st.sampled_from(places))
    instances = list(reference.netlist.instances)
    instances[k] = Instance(twins[instances[k].cell], instances[k].inputs)
    netlist = replace(reference.netlist, instances=tuple(instances))
    wrong = (function(model, netlist, GENERIC) != model.predict(all_inputs(model))).any()
    if wrong:
        assert unproved_piece(model, replace(reference, netlist=netlist), forever) is not None


def test_damages_of_a_sum_do_not_make_up_for_each_other():
    # An inverted top bit of a word, and a carry that is left over for it, weigh the same modulo the width.
    scores = (
        Neuron((Term(0, -1, 1, 0), Term(0, -1, 1, 3)), 0),
        Neuron((Term(0, -1, 1, 0), Term(0, -1, 1, 4)), 0),
        Neuron((Term(0, -1, 1, 0), Term(0, -1, 1, 0), Term(0, -1, 3, 0)), -1),
    )
    layer = Layer(scores, 0, Scores())
    reference = reference_circuit(DiscreteMLP(2, 2, (layer,)))
    for note in reference.sums:
        for net in note.word:
            instances = list(reference.netlist.instances)
            k = net - reference.netlist.first_driven
            instances[k] = Instance("NOT", instances[k].inputs)
            assert sum_is_right(layer, note, reference.netlist)
            assert not sum_is_right(layer, note, replace(reference.netlist, instances=tuple(instances)))


def test_a_piece_that_reads_what_is_not_its_own_is_not_proved():
    model = small_network()
    reference = reference_circuit(model)
    note, places = reference.sums[0], reference.netlist.first_driven
    read = {note.adders[0].total: 2 + 3, reference.netlist.outputs[0]: note.inputs[0][0]}
    for driven, stray in read.items():
        instances = list(reference.netlist.instances)
        instances[driven - places] = Instance("BUF", (stray,))
        netlist = replace(reference.netlist, instances=tuple(instances))
        assert unproved_piece(model, replace(reference, netlist=netlist), forever) is not None


def test_bounds_that_no_sum_keeps_to_prove_nothing():
    # Bounds beyond a word's range wrap, and what is assumed of them would hold for no sum.
    model = small_network()
    reference = reference_circuit(model)
    activated = reference.activations[0]
    instances = list(reference.netlist.instances)
    instances[activated.gates.start] = Instance("XOR", (0, 0))
    netlist = replace(reference.netlist, instances=tuple(instances))
    low, width = activated.sum.bounds[0], len(activated.sum.word)
    for high in (activated.sum.bounds[1], 1 << width - 1, 1 << width, 1 << width + 2, (1 << width + 2) + low):
        note = replace(activated.sum, bounds=(low, high))
        broken = Reference(
            netlist, (note, *reference.sums[1:]), (replace(activated, sum=note),), reference.winner_gates
        )
        assert unproved_piece(model, broken, forever) is not None


def test_wide_hidden_values_with_several_terms_are_proved():
    hidden = Layer((Neuron((Term(0, 1, 15, 14), Term(1, 1, 15, 10)), -3),), 0, QReLU(0, 17))
    wide = (1 << 18) - 1
    scores = Layer((Neuron((Term(0, 1, wide, 3), Term(0, -1, wide, 0))), Neuron((), 5)), 0, Scores())
    model = DiscreteMLP(2, 4, (hidden, scores))
    assert unproved_piece(model, reference_circuit(model), forever) is None


def test_a_solver_that_thinks_lets_others_have_a_turn_and_ends_in_time():
    f, width = Formulas(), 14
    a, b = f.variable("a", width), f.variable("b", width)
    one, other = (product_of(f, *pair, width) for pair in ((a, b), (b, a)))
    answers_, turns = [], 0
    thread = threading.Thread(target=lambda: answers_.append(f.equal(one, other, 1.5)))
    start = time.monotonic()
    thread.start()
    while thread.is_alive():
        time.sleep(0.05)
        turns += 1
    assert answers_[0].verdict == "not proved"
    assert time.monotonic() - start < 10
    assert turns > 5


def product_of(f, x, y, width):
    """Rows of and-gates added up one by one, which no solver sees through."""
    total = f.constant(0, 2 * width)
    for i, bit in enumerate(f.bits(y)):
        row = f.word([f.apply("BV_AND", bit, other) for other in f.bits(x)])
        wide = f.extended(row, 2 * width, signed=False)
        total = f.apply("BV_ADD", total, f.apply("BV_SHL", wide, f.constant(i, 2 * width)))
    return total


@settings(max_examples=30, deadline=None)
@given(classifiers(), st.data())
def test_a_sum_with_another_mask_is_not_right(model, data):
    reference = reference_circuit(model)
    note = data.draw(st.sampled_from(reference.sums))
    layer = model.layers[note.layer]
    assert sum_is_right(layer, note, reference.netlist)
    neurons = list(layer.neurons)
    extra = Term(0, 1, 1, 0)
    neurons[note.index] = replace(neurons[note.index], terms=(*neurons[note.index].terms, extra))
    right = sum_is_right(replace(layer, neurons=tuple(neurons)), note, reference.netlist)
    low, high = note.input_bounds[0]
    assert right == (low == high and low & 1 == 0)


@settings(max_examples=5, deadline=None)
@given(st.one_of(trees(), gate_classifiers()))
def test_trees_and_gates_are_proved(tmp_path_factory, classifier):
    folder = tmp_path_factory.mktemp("proof")
    if isinstance(classifier, GateClassifier) and not classifier.gates:
        return
    netlist = mapped(classifier, folder / "map")
    assert prove(classifier, netlist, EGFET, work_dir=folder).verdict == "proved"


@pytest.mark.parametrize("classifier", [small_network(), TREE], ids=["network", "tree"])
def test_no_time_proves_nothing(classifier, tmp_path):
    found = prove(classifier, mapped(classifier, tmp_path / "map"), EGFET, time_limit_s=0, work_dir=tmp_path)
    assert found.verdict == "not proved"
    assert found.reason
    assert found.counterexample is None


def abc_fails(monkeypatch, error):
    """From now on the comparison with the netlist ends so, after all the time it was given if there is little."""

    def failing(*arguments, timeout_s, **options):
        time.sleep(timeout_s if timeout_s < 60 else 0)
        raise error

    monkeypatch.setattr(proof, "counterexample", failing)


def test_abc_that_takes_too_long_or_gives_up_proves_nothing(tmp_path, monkeypatch):
    model = small_network()
    netlist = mapped(model, tmp_path / "map")
    abc_fails(monkeypatch, ToolBrokenOffError("yosys-abc: no result"))
    found = prove(model, netlist, EGFET, time_limit_s=5, work_dir=tmp_path)
    assert (found.verdict, found.reason) == ("not proved", "ABC's time was up")
    abc_fails(monkeypatch, UndecidedError("ABC could not decide whether they are equal"))
    found = prove(model, netlist, EGFET, work_dir=tmp_path)
    assert (found.verdict, found.reason) == ("not proved", "ABC could not decide")


def test_abc_that_is_killed_ends_the_proof(tmp_path, monkeypatch):
    model = small_network()
    netlist = mapped(model, tmp_path / "map")
    abc_fails(monkeypatch, ToolBrokenOffError("yosys-abc was killed"))
    with pytest.raises(ToolBrokenOffError, match="was killed"):
        prove(model, netlist, EGFET, work_dir=tmp_path)


def test_a_difference_that_simulation_does_not_see_counts_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "_whole", lambda *arguments: ("refuted", "", (0, 0)))
    found = prove(TREE, mapped(TREE, tmp_path / "map"), EGFET, work_dir=tmp_path)
    assert (found.verdict, found.counterexample) == ("not proved", None)
    assert "were said to differ" in found.reason


def test_other_ports_are_refused(tmp_path):
    with pytest.raises(VerificationError, match="2 input and 1 output bits, its classifier 4 and 2"):
        prove(TREE, Netlist(2, (), (2,)), EGFET, work_dir=tmp_path)
    for unknown in (Instance("AND9", (2, 3)), Instance("AND2X1", (2,))):
        with pytest.raises(ConfigError):
            prove(TREE, Netlist(4, (unknown,), (6, 2)), EGFET, work_dir=tmp_path)


def test_a_missing_solver_is_named(monkeypatch):
    def absent(name):
        raise proof.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("hdl.solver.metadata.version", absent)
    with pytest.raises(ToolError, match="bitwuzla is missing"):
        Formulas()
