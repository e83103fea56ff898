"""Circuits of gates in Verilog, through synthesis, against `GateClassifier`."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from hdl.equivalence import equivalent
from hdl.gates import gates_verilog
from hdl.synthesis import map_verilog
from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.gates import Gate, GateClassifier
from tests.hdl.circuits import verilog_outputs
from tests.netlists import EGFET
from tests.random_gates import gate_classifiers
from tests.random_models import all_inputs

AND, XOR = 0b1000, 0b0110
ADDER = GateClassifier(1, 2, 4, (Gate(XOR, (2, 3)), Gate(AND, (2, 3))), (4, 5))
ALL_TABLES = GateClassifier(1, 2, 1 << 16, tuple(Gate(table, (2, 3)) for table in range(16)), tuple(range(4, 20)))
"""One gate of every table on the same two nets, each an output bit."""


def answers(classifier, verilog):
    """Classes of a circuit's Verilog for every input."""
    with tempfile.TemporaryDirectory() as folder:
        return verilog_outputs(verilog, all_inputs(classifier), classifier.input_bits, Path(folder)).tolist()


def test_a_half_adder_is_two_readable_nets():
    assert gates_verilog(ADDER) == (
        "module top(input [1:0] inp, output [1:0] out);\n"
        "  wire n4 = inp[0] ^ inp[1];\n"
        "  wire n5 = inp[0] & inp[1];\n"
        "  assign out[0] = n4;\n"
        "  assign out[1] = n5;\n"
        "endmodule\n"
    )


def test_every_table_by_definition():
    text = gates_verilog(ALL_TABLES)
    by_state = [sum((table >> state & 1) << table for table in range(16)) for state in range(4)]
    assert ALL_TABLES.predict(all_inputs(ALL_TABLES)).tolist() == by_state
    assert answers(ALL_TABLES, text) == by_state


@pytest.mark.parametrize(("right", "wrong"), [(" & ~", " | ~"), ("~(", "(~"), (" ^ ", " | "), ("1'b1", "1'b0")])
def test_a_wrong_expression_is_found(right, wrong):
    text = gates_verilog(ALL_TABLES)
    assert right in text
    assert answers(ALL_TABLES, text.replace(right, wrong, 1)) != ALL_TABLES.predict(all_inputs(ALL_TABLES)).tolist()


@given(classifier=gate_classifiers())
@settings(max_examples=5, deadline=None)
def test_any_circuit(classifier):
    assert answers(classifier, gates_verilog(classifier)) == classifier.predict(all_inputs(classifier)).tolist()


@given(classifier=gate_classifiers())
@settings(max_examples=2, deadline=None)
def test_the_netlist_of_the_flow_is_the_circuit(classifier):
    X = all_inputs(classifier)
    with tempfile.TemporaryDirectory() as folder:
        netlist = map_verilog(gates_verilog(classifier), EGFET, effort="quick", work_dir=Path(folder)).netlist
    values = simulate(netlist, EGFET, input_bits_of(X, classifier.input_bits), len(X))
    assert classes(netlist, values, len(X)).tolist() == classifier.predict(X).tolist()


def test_the_proof_tells_a_netlist_from_another(tmp_path):
    netlist = Netlist(2, (Instance("XOR2X1", (2, 3)), Instance("AND2X1", (2, 3))), (4, 5))
    wrong = Netlist(2, (Instance("OR2X1", (2, 3)), Instance("AND2X1", (2, 3))), (4, 5))
    text = gates_verilog(GateClassifier.of_netlist(netlist, EGFET, input_bits=2, n_classes=4))
    assert text == gates_verilog(ADDER)
    assert equivalent(text, netlist, EGFET, work_dir=tmp_path) is None
    assert tuple(np.array(equivalent(text, wrong, EGFET, work_dir=tmp_path)).tolist()) == (1, 1)


def test_constants_and_bare_inputs_have_the_fixed_ports():
    constant = GateClassifier(3, 4, 5, (), (1, 0, 13))
    text = gates_verilog(constant)
    assert text.startswith("module top(input [11:0] inp, output [2:0] out);\n  assign out[0] = 1'b1;\n")
    assert "assign out[2] = inp[11];" in text
    assert answers(constant, text) == constant.predict(all_inputs(constant)).tolist()


def test_same_circuit_same_bytes_after_the_header():
    text = gates_verilog(ADDER, header=["redwine */ endmodule", ""])
    assert text == "// redwine *\\x2f endmodule\n//\n" + gates_verilog(ADDER)
