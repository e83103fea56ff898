"""A circuit of gates as a classifier: what it answers, its JSON, and what is none."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.gates import Gate, GateClassifier, two_input_table
from printedmlp.errors import ModelError
from printedmlp.technology import Technology
from printedmlp.technology.cell import Cell
from tests.netlists import EGFET, random_netlists
from tests.random_gates import gate_classifiers
from tests.random_models import all_inputs

AND, XOR = 0b1000, 0b0110
ADDER = GateClassifier(2, 1, 4, (Gate(XOR, (2, 3)), Gate(AND, (2, 3))), (4, 5))
"""A half adder: two features of one bit, the class is how many of them are 1."""


def walked(classifier, row):
    """The answer for one row, gate by gate, every gate looked up in its table."""
    bits = [int(code) >> b & 1 for code in row for b in range(classifier.input_bits)]
    values = [0, 1, *bits]
    for gate in classifier.gates:
        a, b = (values[net] for net in gate.inputs)
        values.append(gate.table >> (a + 2 * b) & 1)
    return sum(values[net] << bit for bit, net in enumerate(classifier.outputs))


def test_a_half_adder_by_hand():
    assert ADDER.predict([[0, 0], [1, 0], [0, 1], [1, 1]]).tolist() == [0, 1, 1, 2]
    assert (ADDER.first_driven, ADDER.topology) == (4, ())


def test_a_wrong_table_answers_otherwise():
    broken = GateClassifier(2, 1, 4, (Gate(0b1110, (2, 3)), ADDER.gates[1]), (4, 5))
    assert broken.predict([[0, 0], [1, 0], [0, 1], [1, 1]]).tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize("table", range(16))
def test_every_table(table):
    one = GateClassifier(2, 1, 2, (Gate(table, (2, 3)),), (4,))
    assert one.predict([[0, 0], [1, 0], [0, 1], [1, 1]]).tolist() == [table >> state & 1 for state in range(4)]


def test_no_gate_and_no_row():
    constant = GateClassifier(1, 4, 2, (), (1,))
    assert constant.predict([[0], [15]]).tolist() == [1, 1]
    assert constant.predict(np.zeros((0, 1), dtype=np.uint8)).shape == (0,)


@given(classifier=gate_classifiers())
@settings(max_examples=60, deadline=None)
def test_every_row_is_what_the_tables_say(classifier):
    X = all_inputs(classifier)
    assert classifier.predict(X).tolist() == [walked(classifier, row) for row in X]


@given(classifier=gate_classifiers())
@settings(max_examples=30, deadline=None)
def test_json_round_trip(classifier):
    again = GateClassifier.from_json(json.loads(classifier.dumps()))
    assert again == classifier
    assert again.dumps() == classifier.dumps()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "printedmlp.DecisionTree"}, "expected printedmlp.GateClassifier version 1, not"),
        ({"version": 2}, "not printedmlp.GateClassifier version 2"),
        ({"n_features": None}, "n_features must be an integer, not None"),
        ({"n_features": 0}, "0 features of 1 bits"),
        ({"input_bits": True}, "input_bits must be an integer, not True"),
        ({"input_bits": 17}, "2 features of 17 bits"),
        ({"n_classes": 5}, "2 output bits do not fit 5 classes"),
        ({"n_classes": 0}, "do not fit 0 classes"),
        ({"gates": 5}, "gates must be a list, not 5"),
        ({"gates": [7]}, "gate 0: 7 is not a table and two nets"),
        ({"gates": [[6, 2]]}, r"gate 0: \[6, 2\] is not a table and two nets"),
        ({"gates": [[6, 2, 3.0]]}, r"gate 0 must be an integer, not 3\.0"),
        ({"gates": [[16, 2, 3], [8, 2, 3]]}, r"gate 0: truth table 16 is not in 0\.\.15"),
        ({"gates": [[6, 2, 3], [8, 5, 3]]}, "gate 1 reads net 5, which is not driven before it"),
        ({"gates": [[6, 2, -1], [8, 2, 3]]}, "gate 0 reads net -1"),
        ({"outputs": None}, "outputs must be a list"),
        ({"outputs": [4, "5"]}, "output bit 1 must be an integer, not '5'"),
        ({"outputs": [4, 6]}, "output bit 1 is net 6, which nothing drives"),
        ({"outputs": [4]}, "1 output bits do not fit 4 classes"),
    ],
)
def test_what_is_no_circuit_is_refused_by_place(change, message):
    with pytest.raises(ModelError, match=message):
        GateClassifier.from_json({**ADDER.to_json(), **change})


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[0]], r"shape \(1, 1\), expected \(n_samples, 2\)"),
        ([0, 1], r"shape \(2,\)"),
        ([[0, 0], [1, 2]], r"row 1, column 1: 2 is not in 0\.\.1"),
        ([[0, -1]], "-1 is not in"),
        ([[0.0, 1.0]], "must be integers, not float64"),
    ],
)
def test_rows_that_are_no_codes_are_refused(X, message):
    with pytest.raises(ModelError, match=message):
        ADDER.predict(X)


@given(netlist=random_netlists())
@settings(max_examples=40, deadline=None)
def test_a_netlist_and_its_gates_answer_alike(netlist):
    n_classes = 1 << len(netlist.outputs)
    classifier = GateClassifier.of_netlist(netlist, EGFET, input_bits=1, n_classes=n_classes)
    X = all_inputs(classifier)
    values = simulate(netlist, EGFET, input_bits_of(X, 1), len(X))
    assert classifier.predict(X).tolist() == classes(netlist, values, len(X)).tolist()


def test_bits_of_a_feature_stay_together():
    netlist = Netlist(4, (Instance("NAND2X1", (2, 5)),), (6,))
    classifier = GateClassifier.of_netlist(netlist, EGFET, input_bits=2, n_classes=2)
    assert (classifier.n_features, classifier.input_bits) == (2, 2)
    assert classifier.predict([[1, 2], [1, 1], [2, 2]]).tolist() == [0, 1, 1]


def test_cells_without_inputs_and_with_one_become_gates():
    cells = [Cell("TIE", 0.0, (), "Y", "1"), Cell("INV", 1.0, ("A",), "Y", "!A")]
    tied = Technology("tied", {cell.name: cell for cell in cells}, (1.0,), 1.0)
    netlist = Netlist(1, (Instance("TIE", ()), Instance("INV", (3,)), Instance("INV", (2,))), (3, 5))
    classifier = GateClassifier.of_netlist(netlist, tied, input_bits=1, n_classes=4)
    assert classifier.predict([[0], [1]]).tolist() == [3, 1]
    assert [two_input_table(table, 0) for table in (0, 1)] == [0, 15]


def test_larger_cells_and_inputs_that_are_no_features_are_refused():
    cell = Cell("NAND3X1", 1.0, ("A", "B", "C"), "Y", "!(A & B & C)")
    wide = Technology("wide", {cell.name: cell}, (1.0,), 1.0)
    netlist = Netlist(3, (Instance("NAND3X1", (2, 3, 4)),), (5,))
    with pytest.raises(ModelError, match="instance 0: NAND3X1 has 3 inputs; at most 2 fit a gate"):
        GateClassifier.of_netlist(netlist, wide, input_bits=1, n_classes=2)
    with pytest.raises(ModelError, match="3 input bits are no features of 2 bits"):
        GateClassifier.of_netlist(Netlist(3, (), (2,)), EGFET, input_bits=2, n_classes=2)
