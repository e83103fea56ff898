import pytest

from hdl.cells import genlib_text, verilog_text
from hdl.equivalence import equivalent
from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import Cell, Technology
from tests.netlists import EGFET

AOI = Cell("AOI21", 2.0, ("A", "B", "C"), "ZN", "!((A B) + C)")
ODD = Technology("odd", {"AOI21": AOI, "TIE": Cell("TIE", 0.1, (), "Y", "1")}, (1.0,), 1.0)


def test_nand_as_genlib_by_hand():
    lines = genlib_text(EGFET).splitlines()
    assert "GATE NAND2X1 0.247860000 Y=!(A1*A2); PIN * UNKNOWN 1 999 1 0 1 0" in lines
    assert "GATE _CONST0_ 0 Y=CONST0;" in lines
    assert any(line.startswith("GATE _BUFFER_") for line in lines)


def test_constant_cells_are_left_to_the_mappers_own_constants():
    assert "TIE" not in genlib_text(ODD)


def test_nand_as_verilog_by_hand():
    assert (
        "module NAND2X1 (input A1, input A2, output Y);\n    assign Y = ~(A1 & A2);\nendmodule\n"
        in verilog_text(EGFET)
    )
    assert "assign Y = 1'b1;" in verilog_text(ODD)


@pytest.mark.parametrize("cell", [*EGFET.cells.values(), AOI], ids=lambda cell: cell.name)
def test_verilog_models_have_the_cells_functions(cell, tmp_path):
    technology = Technology("one", {cell.name: cell}, (1.0,), 1.0)
    pins = ", ".join(f".{pin}(inp[{i}])" for i, pin in enumerate(cell.inputs))
    ports = f"input [{len(cell.inputs) - 1}:0] inp, output [0:0] out"
    top = f"module top({ports}); {cell.name} g({pins}, .{cell.output}(out)); endmodule\n"
    gate = Netlist(
        len(cell.inputs), (Instance(cell.name, tuple(range(2, 2 + len(cell.inputs)))),), (2 + len(cell.inputs),)
    )
    assert equivalent(top + verilog_text(technology), gate, technology, work_dir=tmp_path) is None
