"""Classifiers on comparators' outputs: by hand, proved equal behind their comparators; a fault is found."""

import numpy as np
import pytest

from hdl.gates import gates_verilog
from hdl.synthesis import equivalent, map_verilog, netlist_verilog
from hdl.thermometer import (
    ThermometerInputs,
    netlist_of_codes,
    of_codes,
    thermometer_tree_verilog,
    thermometer_verilog,
)
from hdl.thresholds import Thresholds, needed_thresholds
from hdl.tree import tree_verilog
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.trees import grown
from tests.netlists import EGFET

# Two features of three bits: class 1 where x0 >= 3 and x1 < 6, class 2 where x0 >= 3 and x1 >= 6, else 0.
TREE = grown(2, 3, 3, (0, 3, 0, (1, 6, 1, 2)))
ROWS = np.array([[0, 0], [3, 5], [7, 7]], dtype=np.uint8)


def inputs_of(verilog, tmp_path):
    netlist = map_verilog(verilog, EGFET, effort="quick", work_dir=tmp_path / "binary").netlist
    return netlist, ThermometerInputs(needed_thresholds(netlist, EGFET, ROWS, 3), 3)


def test_inputs_by_hand():
    inputs = ThermometerInputs(Thresholds(((1, 3), (), (6,)), 0, ((0,), (), (2,))), 3)
    assert inputs.places == ((0, 1), (0, 3), (2, 6))
    rows = np.array([[0, 7, 5], [2, 0, 6], [3, 1, 7]], dtype=np.uint8)
    assert inputs.of(rows).tolist() == [[0, 0, 0], [1, 0, 1], [1, 1, 1]]
    values = [[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5], [], [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]]
    assert inputs.to_json(["a", "b", "c"], values)[2] == {
        "bit": 2,
        "feature": 2,
        "name": "c",
        "level": 6,
        "at_least": 60.0,
    }


def test_a_tree_keeps_no_comparator(tmp_path):
    netlist, inputs = inputs_of(tree_verilog(TREE), tmp_path)
    assert inputs.places == ((0, 3), (1, 6))
    rtl = thermometer_tree_verilog(TREE, inputs, ["title"])
    assert rtl.startswith("// title\n")
    mapped = map_verilog(rtl, EGFET, effort="quick", work_dir=tmp_path / "unary").netlist
    assert mapped.n_inputs == 2
    assert mapped.area_cm2(EGFET) < netlist.area_cm2(EGFET)
    text = netlist_verilog(mapped, EGFET)
    (tmp_path / "proof").mkdir()
    standing = netlist_of_codes(text, inputs, 2, EGFET)
    assert equivalent(standing, netlist, EGFET, work_dir=tmp_path / "proof") is None


def test_a_wrong_level_is_found(tmp_path):
    netlist, inputs = inputs_of(tree_verilog(TREE), tmp_path)
    text = of_codes(thermometer_tree_verilog(TREE, inputs), inputs, 2)
    wrong = text.replace("3'd6", "3'd5")
    assert wrong != text
    (tmp_path / "proof").mkdir()
    word = equivalent(wrong, netlist, EGFET, work_dir=tmp_path / "proof")
    assert word is not None
    x0, x1 = (sum(bit << i for i, bit in enumerate(word[f : f + 3])) for f in (0, 3))
    assert (x0 >= 3, x1) == (True, 5)


@pytest.mark.parametrize("table", [0b0110, 0b1000, 0b0001])
def test_a_circuit_of_gates_behind_its_comparators_is_the_same(tmp_path, table):
    # A function of bits 0 and 1 of one feature and bit 2 of the other.
    gates = (Gate(table, (2, 3)), Gate(0b1110, (8, 7)))
    rtl = gates_verilog(GateClassifier(2, 3, 2, gates, (9,)))
    netlist, inputs = inputs_of(rtl, tmp_path)
    unary = thermometer_verilog(rtl, inputs, 1)
    mapped = map_verilog(unary, EGFET, effort="quick", work_dir=tmp_path / "unary").netlist
    assert mapped.n_inputs == len(inputs.places)
    (tmp_path / "proof").mkdir()
    standing = netlist_of_codes(netlist_verilog(mapped, EGFET), inputs, 1, EGFET)
    assert equivalent(standing, netlist, EGFET, work_dir=tmp_path / "proof") is None
