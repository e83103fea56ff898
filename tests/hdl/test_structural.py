import random
import re

import pytest
from hypothesis import given, settings

from hdl.structural import netlist_if_mapped, netlist_verilog, read_netlist, written_netlist
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import ConfigError, ToolError
from tests.netlists import EGFET, function, random_netlists, two_gates

BY_HAND = """\
// one
// two
module top (input [1:0] inp, output [0:0] out);
    wire n4;
    wire n5;
    NAND2X1 g0 (.A1(inp[0]), .A2(inp[1]), .Y(n4));
    INVX1 g1 (.A(n4), .Y(n5));
    assign out[0] = n5;
endmodule
"""


def test_written_by_hand():
    assert netlist_verilog(two_gates(), EGFET, header=("one", "two")) == BY_HAND


def test_read_by_hand():
    assert read_netlist(BY_HAND, EGFET) == two_gates()


@settings(max_examples=15, deadline=None)
@given(random_netlists())
def test_round_trip(netlist):
    assert read_netlist(netlist_verilog(netlist, EGFET), EGFET) == netlist


def test_constants_and_wires():
    netlist = Netlist(3, (), (0, 1, 4, 2, 2))
    text = netlist_verilog(netlist, EGFET)
    assert "assign out[1] = 1'b1;" in text
    assert read_netlist(text, EGFET) == netlist


def test_no_header_line_leaves_its_comment():
    text = netlist_verilog(two_gates(), EGFET, header=("name\nmodule evil; endmodule", "\u2028x", "back\\slash*/"))
    comments = [line for line in text.splitlines() if line.startswith("//")]
    assert comments == ["// name module evil; endmodule", "// x", "// back\\x5cslash*\\x2f"]
    assert read_netlist(text, EGFET) == two_gates()


def test_instances_in_any_order_and_pins_by_position():
    text = """module top(inp, out); input [1:0] inp; output out; wire \\a$b ;
      INVX1 \\last[1] (\\a$b , out); NAND2X1 first (.Y(\\a$b ), .A2(inp[1]), .A1(inp[0])); endmodule"""
    assert read_netlist(text, EGFET) == two_gates()


def test_instances_nobody_reads_are_kept():
    netlist = Netlist(1, (Instance("INVX1", (2,)), Instance("NAND2X1", (2, 3))), (3,))
    assert read_netlist(netlist_verilog(netlist, EGFET), EGFET) == netlist


def test_shuffled_netlists_keep_their_function():
    chain = Netlist(2, tuple(Instance("NAND2X1", (2 + k % 2, 3 + k)) for k in range(12)), (15, 9))
    lines = netlist_verilog(chain, EGFET).splitlines()
    gates = [line for line in lines if re.match(r"\s+NAND", line)]
    random.Random(3).shuffle(gates)
    text = "\n".join([line for line in lines[:-1] if line not in gates] + gates + ["endmodule"])
    assert function(read_netlist(text, EGFET)) == function(chain)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("NAND3X1 g(.A1(inp[0]), .Y(out)); ", "NAND3X1"),
        ("DFFX1 g(.D(inp[0]), .CP(inp[1]), .Q(out));", "DFFX1"),
        ("assign out = inp[0] & inp[1];", r"\$and is not a cell of 'egfet'"),
        ("NAND2X1 g(.A1(inp[0]), .Y(out));", "pin 'A2' is not connected"),
        ("wire u; NAND2X1 g(.A1(inp[0]), .A2(u), .Y(out));", "has no driver"),
        ("INVX1 g(.A(inp[0]), .Y(out)); INVX1 h(.A(inp[1]), .Y(out));", "multiple conflicting drivers"),
        ("wire a; INVX1 g(.A(a), .Y(out)); INVX1 h(.A(out), .Y(a));", "combinational loop"),
        ("INVX1 g(.A(inp[0]), .Y(out)", "syntax error"),
        ("assign out = 1'bx;", "not connected"),
    ],
)
def test_text_that_is_not_a_netlist(body, message):
    text = f"module top(input [1:0] inp, output out); {body} endmodule"
    with pytest.raises(ToolError, match=message):
        read_netlist(text, EGFET)
    assert netlist_if_mapped(text, EGFET) is None


def test_a_netlist_is_recognised():
    assert netlist_if_mapped(BY_HAND, EGFET) is not None
    with pytest.raises(ToolError, match="expected are input inp"):
        read_netlist(re.sub(r"\binp\b", "data", BY_HAND), EGFET)


def test_unknown_cells_are_not_written():
    with pytest.raises(ConfigError, match="NAND9"):
        netlist_verilog(Netlist(1, (Instance("NAND9", (2,)),), (3,)), EGFET)


@settings(max_examples=30, deadline=None)
@given(random_netlists())
def test_what_is_written_is_read_back_without_a_tool(netlist):
    assert written_netlist(netlist_verilog(netlist, EGFET, header=("a", "b")), EGFET) == netlist


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("INVX1 g1 (.A(n4)", "INVX1 g1 (.A(n9)"),
        ("INVX1 g1 (.A(n4)", "INVX1 g1 (.B(n4)"),
        (".Y(n5)", ".Y(n4)"),
        ("NAND2X1", "NAND9X1"),
        ("    wire n5;", "    wire n5; // and more"),
        ("    assign out[0] = n5;\n", ""),
        ("    assign out[0] = n5;\n", "    assign out[0] = n4;\n    assign out[0] = n5;\n"),
        ("(.A(n4), .Y(n5))", "(.A(n4), and more .Y(n5))"),
        ("(.A(n4), .Y(n5))", "(.A(n4).Y(n5))"),
        ("INVX1 g1", "INVX1 g0"),
        ("endmodule", "endmodul"),
        ("module top (", "module top #("),
    ],
)
def test_other_forms_are_refused_by_the_reader_without_a_tool(old, new):
    assert written_netlist(BY_HAND, EGFET) == two_gates()
    assert old in BY_HAND
    with pytest.raises(ToolError, match="not a netlist as it is written here"):
        written_netlist(BY_HAND.replace(old, new, 1), EGFET)
