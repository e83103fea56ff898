import pytest

from printedmlp.errors import ToolError
from sim.verilog import isolate, with_vendor_models
from tests.sim.circuits import NETLIST, RTL


def body(text):
    return text.removeprefix("`resetall\n")


def test_modules_and_their_instances_are_renamed_and_nothing_else():
    expected = RTL.replace("module top (", "module d0_top (").replace("module larger", "module d0_larger")
    assert body(isolate(RTL, "d0_")) == expected.replace("    larger top_larger", "    d0_larger top_larger")


def test_cells_keep_their_names():
    assert body(isolate(NETLIST, "n_")) == NETLIST.replace("module top", "module n_top")


def test_literals_strings_and_escaped_names():
    text = "module \\top (inp); wire b1 = 1'b1; \\b1  u (); endmodule module b1; endmodule"
    found = body(isolate(text, "p_"))
    assert found == "module \\p_top (inp); wire p_b1 = 1'b1; \\p_b1  u (); endmodule module p_b1; endmodule"


def test_own_macros_are_allowed():
    text = "`define WIDTH 4\n`timescale 1ns/1ps\nmodule top (input [`WIDTH-1:0] inp, output out); endmodule"
    assert "`WIDTH" in isolate(text, "p_")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module other; endmodule", "'top' is defined 0 times"),
        ("module top; endmodule module top; endmodule", "'top' is defined 2 times"),
        ("// module top", "'top' is defined 0 times"),
        ("module top; inp u(); endmodule module inp; endmodule", "a module is named 'inp'"),
        ('module top;\ninitial $c("system(0);"); endmodule', r"line 2: '\$c'"),
        ("module top; initial $finish; endmodule", r"\$finish"),
        ('`include "/etc/passwd"\nmodule top; endmodule', "line 1: '`include'"),
        ('`define include\n`include "x"\nmodule top; endmodule', "line 1: 'include'"),
        ("`systemc_imp_header\nmodule top; endmodule", "systemc"),
        ("`define X(a) $``a\nmodule top; endmodule", "not allowed"),
    ],
)
def test_texts_that_are_no_circuit_are_refused(text, message):
    with pytest.raises(ToolError, match=message):
        isolate(text, "p_")


def test_the_vendor_model_is_added_once_and_only_where_needed():
    used = "module top; DW01_satrnd #(8, 3, 0) u (); endmodule"
    assert with_vendor_models(used).count("module DW01_satrnd") == 1
    assert with_vendor_models(with_vendor_models(used)) == with_vendor_models(used)
    assert with_vendor_models(RTL) == RTL
