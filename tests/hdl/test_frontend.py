import signal

import pytest

from hdl.frontend import compile_verilog
from hdl.tools import run_abc, run_child, run_yosys
from printedmlp.errors import ToolBrokenOffError, ToolError

HEAD = "module top(input [7:0] inp, output [4:0] out);"


def test_sizes_of_a_small_adder(tmp_path):
    aig = compile_verilog(HEAD + "assign out = inp[3:0] + inp[7:4]; endmodule", tmp_path)
    assert (aig.n_inputs, aig.n_outputs) == (8, 5)
    assert 20 < aig.n_ands < 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reg [3:0] q; always @* if (inp[0]) q = inp[3:0]; assign out = q; endmodule", "contains a latch"),
        ("reg [4:0] q; always @(posedge inp[0]) q <= inp[5:1]; assign out = q; endmodule", "contains a flip-flop"),
        ("reg [4:0] m [0:15]; initial m[0] = 3; assign out = m[inp[3:0]]; endmodule", "contains a memory"),
        ("assign out = inp[5] ? inp[4:0] : 5'bz; endmodule", "contains a tristate buffer"),
        ("wire a, b; assign a = ~(b & inp[0]), b = ~(a & inp[1]); assign out = a; endmodule", "found logic loop"),
        ("wire u; assign out = inp[4:0] ^ {5{u}}; endmodule", "no driver"),
        ("assign out[3:0] = inp[3:0]; endmodule", "no driver"),
        ("foo f(inp, out); endmodule", "foo"),
        ("assign out = in p; endmodule", "syntax error"),
        ('initial $readmemh("/etc/passwd", out); endmodule', "is not allowed"),
    ],
)
def test_unusable_circuits_are_refused_in_one_line(text, message, tmp_path):
    with pytest.raises(ToolError, match=message) as error:
        compile_verilog(HEAD + text, tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not found"),
        ("module bottom(input inp, output out); assign out = inp; endmodule", "`top' not found"),
        ("module top(input clk, input inp, output out); assign out = inp; endmodule", "input clk"),
        ("module top(input inp, output y); assign y = inp; endmodule", "expected are input inp and output out"),
        ('`include "/etc/passwd"\nmodule top(input inp, output out); endmodule', "`include is not allowed"),
    ],
)
def test_text_that_is_not_the_expected_module(text, message, tmp_path):
    with pytest.raises(ToolError, match=message):
        compile_verilog(text, tmp_path)


def test_the_name_of_the_module_cannot_carry_commands(tmp_path):
    with pytest.raises(ToolError, match="is not the name of a module"):
        compile_verilog("", tmp_path, top="top; exec rm")


@pytest.mark.parametrize(
    "text",
    [
        "module top(input inp, output out); assign out = inp; endmodule",
        "module top(input [0:7] inp, output [8:12] out); assign out = inp; endmodule",
        HEAD + "assign out = {inp[0], 4'b01x0}; initial $display(0); endmodule",
        "module half(input a, output y); assign y = !a; endmodule "
        "module top(input [1:0] inp, output [1:0] out); half h[1:0] (inp, out); endmodule",
        "module top(input [4:0] inp, output reg [3:0] out); always @* case (inp) 0: out = 3; 1: out = 7; "
        "9: out = 11; 20: out = 1; default: out = 0; endcase endmodule",
    ],
)
def test_combinational_verilog_of_any_style(text, tmp_path):
    assert compile_verilog(text, tmp_path).path.exists()


def test_failing_tools_are_quoted(tmp_path):
    with pytest.raises(ToolError, match="No such command: nonsense"):
        run_yosys(["nonsense"], tmp_path)
    with pytest.raises(ToolError, match="unknown command 'nonsense'"):
        run_abc(["nonsense"], tmp_path)
    assert "nonsense" in (tmp_path / "abc.log").read_text()


def test_a_tool_that_hangs_is_stopped(tmp_path):
    with pytest.raises(ToolBrokenOffError, match=r"no result after 0\.3 s"):
        run_abc(["sleep 60"], tmp_path, timeout_s=0.3)


def test_a_tool_that_is_killed_is_told_from_one_that_fails(tmp_path):
    with pytest.raises(ToolBrokenOffError, match="sh was killed"):
        run_child(["/bin/sh", "-c", "kill -KILL $$"], tmp_path, {}, 10)
    assert run_child(["/bin/sh", "-c", "kill -SEGV $$"], tmp_path, {}, 10)[0] == -signal.SIGSEGV
