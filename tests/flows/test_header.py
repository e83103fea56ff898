"""The head of the Verilog files: every name readable and harmless, escaped once."""

from flows.header import header_lines, thermometer_header_lines
from hdl.emit import classifier_verilog
from hdl.structural import netlist_verilog
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.model import DiscreteMLP, Layer, Neuron, Scores, Term
from printedmlp.trees import grown
from tests.netlists import EGFET, two_gates

MODEL = DiscreteMLP(1, 2, (Layer((Neuron((Term(0, 1, 3, 0),)), Neuron((), 1)), 0, Scores()),))
DATASET = {"name": "a" * 40, "sha256": "f" * 64, "classes": ["fine", "*/ `end"]}
QUANTISER = {"features": [{"name": "size / µm", "thresholds": [0.25, 0.5, 1e6]}]}


def comments(text):
    return [line for line in text.splitlines() if line.startswith("//")]


def test_the_head_worked_out_by_hand():
    head = header_lines("printedmlp circuit a", DATASET, QUANTISER, MODEL)
    written = comments(netlist_verilog(two_gates(), EGFET, header=head))
    assert written == [
        "// printedmlp circuit a",
        f"// Data set {'a' * 40}, sha256 {'f' * 64}",
        "// Topology 1-2, inputs of 2 bits, combinational",
        "// A feature's code is the number of thresholds that its value reaches:",
        '// inp[1:0] feature 0 "size / \\xb5m":',
        "//   0.25 0.5 1000000",
        "// The output is the index of the class:",
        '// out = 0: "fine"',
        '// out = 1: "*\\x2f \\x60end"',
    ]


def test_both_files_say_the_same():
    head = header_lines("printedmlp circuit a", DATASET, QUANTISER, MODEL)
    rtl, netlist = classifier_verilog(MODEL, header=head), netlist_verilog(two_gates(), EGFET, header=head)
    assert [line.split() for line in comments(rtl)] == [line.split() for line in comments(netlist)]


def test_a_feature_constant_in_training_has_no_thresholds():
    head = header_lines("a", DATASET, {"features": [{"name": "x", "thresholds": []}]}, MODEL)
    assert "  constant in training, code 0" in head


def test_what_is_no_network_is_said_in_words():
    tree, gates = grown(1, 2, 2, (0, 2, 0, 1)), GateClassifier(1, 2, 2, (Gate(8, (2, 3)),), (4,))
    forms = [header_lines("a", DATASET, QUANTISER, model)[2] for model in (tree, gates)]
    assert forms == [
        "Tree, 2 leaves, inputs of 2 bits, combinational",
        "1 gate, inputs of 2 bits, combinational",
    ]


def test_inputs_that_are_comparators_say_what_they_compare():
    places = [
        {"name": "size / µm", "level": 2, "at_least": 0.5},
        {"name": "x", "level": 1, "at_least": None},
    ]
    assert thermometer_header_lines("a", DATASET, MODEL, places) == [
        "a",
        f"Data set {'a' * 40}, sha256 {'f' * 64}",
        "Topology 1-2, inputs are outputs of comparators, combinational",
        "Of one feature's inputs a higher one is never 1 without the lower ones; other patterns do not occur.",
        'inp[0] = 1: "size / µm" >= 0.5 (code 2 or more)',
        'inp[1] = 1: "x" of code 1 or more',
        "The output is the index of the class:",
        'out = 0: "fine"',
        'out = 1: "*/ `end"',
    ]
