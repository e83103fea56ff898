import pytest

from hdl.blif import parse_mapped_blif
from hdl.composites import composites, four_gates
from hdl.synthesis import map_verilog
from printedmlp.circuit import share_gates
from printedmlp.technology import Technology
from tests.netlists import EGFET, function

FULL_ADDER = "module top(input [2:0] inp, output [1:0] out); assign out = inp[0] + inp[1] + inp[2]; endmodule"


@pytest.mark.parametrize("name", ["_XOR_", "_XNOR_"])
def test_composites_are_what_they_stand_for(name):
    composite = composites(EGFET)[name]
    assert function(composite.body) == [composite.cell.evaluate(state) for state in range(4)]
    assert composite.cell.area_mm2 == pytest.approx(composite.body.area_cm2(EGFET) * 100)


def test_four_nand_are_smaller_than_the_cell():
    assert composites(EGFET)["_XOR_"].cell.area_mm2 == pytest.approx(4 * 0.24786)
    assert composites(EGFET)["_XOR_"].cell.area_mm2 < EGFET.cells["XOR2X1"].area_mm2


def test_a_technology_without_the_gates_has_none():
    assert composites(Technology("inv", {"INVX1": EGFET.cells["INVX1"]}, (1.0,), 1.0)) == {}


def test_a_composite_is_replaced_by_its_gates():
    text = ".model m\n.inputs a b\n.outputs y\n.gate _XOR_ A=a B=b Y=y\n.end\n"
    assert parse_mapped_blif(text, EGFET, composites(EGFET)) == four_gates("NAND2X1")


def test_carry_and_sum_share_a_gate():
    text = ".model m\n.inputs a b\n.outputs y z\n.gate _XOR_ A=a B=b Y=y\n.gate NAND2X1 A1=b A2=a Y=z\n.end\n"
    netlist = share_gates(parse_mapped_blif(text, EGFET, composites(EGFET)), EGFET)
    assert netlist.cell_counts() == {"NAND2X1": 4}


def test_a_full_adder_is_no_larger_than_nine_nand(tmp_path):
    mapped = map_verilog(FULL_ADDER, EGFET, effort="quick", work_dir=tmp_path)
    assert mapped.netlist.area_cm2(EGFET) <= 9 * 0.24786 / 100 + 1e-12
