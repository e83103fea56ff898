"""Decision trees in Verilog, through synthesis, against `DecisionTree`."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings

from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.circuit import classes, input_bits_of, simulate
from printedmlp.technology import load_technology
from printedmlp.trees import grown
from tests.hdl.circuits import verilog_outputs
from tests.random_models import all_inputs
from tests.random_trees import trees

EGFET = load_technology("egfet")
STUB = grown(2, 4, 3, (0, 5, 0, (1, 8, 1, (0, 5, 0, 2))))


def answers(tree, verilog):
    """Classes of a tree's Verilog for every input."""
    with tempfile.TemporaryDirectory() as folder:
        return verilog_outputs(verilog, all_inputs(tree), tree.input_bits, Path(folder)).tolist()


def test_a_test_is_one_readable_net_and_a_needless_one_is_none():
    text = tree_verilog(STUB)
    assert text.startswith("module top(inp, out);\n  input [7:0] inp;\n")
    assert "output [1:0] out;" in text
    assert sorted(set(re.findall(r"\bx\d+_ge_\d+\b", text))) == ["x0_ge_5", "x1_ge_8"]
    assert re.search(r"x1_ge_8 = inp\[7\];", text)


@given(tree=trees())
@settings(max_examples=1, deadline=None)
@example(STUB)
def test_the_netlist_of_the_flow_is_the_tree(tree):
    X = all_inputs(tree)
    with tempfile.TemporaryDirectory() as folder:
        netlist = map_verilog(tree_verilog(tree), EGFET, effort="standard", work_dir=Path(folder)).netlist
    values = simulate(netlist, EGFET, input_bits_of(X, tree.input_bits), len(X))
    assert classes(netlist, values, len(X)).tolist() == tree.predict(X).tolist()


@pytest.mark.parametrize("threshold", range(1, 16))
def test_every_comparator(threshold):
    tree = grown(1, 4, 2, (0, threshold, 0, 1))
    assert answers(tree, tree_verilog(tree)) == [0] * threshold + [1] * (16 - threshold)


@given(tree=trees())
@settings(max_examples=6, deadline=None)
def test_any_tree(tree):
    assert answers(tree, tree_verilog(tree)) == tree.predict(all_inputs(tree)).tolist()


def test_a_broken_comparator_is_found():
    text = tree_verilog(STUB)
    broken = text.replace("inp[1] | inp[0]", "inp[1] & inp[0]")
    assert broken != text
    wrong = np.array(answers(STUB, broken)) != STUB.predict(all_inputs(STUB))
    assert set(all_inputs(STUB)[wrong][:, 0]) == {5, 6}


def test_a_constant_tree_has_the_fixed_ports():
    tree = grown(3, 4, 5, 4)
    text = tree_verilog(tree)
    assert "input [11:0] inp;" in text
    assert "output [2:0] out;" in text
    assert set(answers(tree, text)) == {4}


def test_same_tree_same_bytes_after_the_header():
    text = tree_verilog(STUB, header=["redwine */ endmodule", "0.1 cm2"])
    assert text == "// redwine *\\x2f endmodule\n// 0.1 cm2\n" + tree_verilog(STUB)
