"""Verilog that is no circuit, or is more than one, and the words that `flows.measure` has to refuse it with."""

from __future__ import annotations

from dataclasses import dataclass

from hdl.tools import Limits

HEAD = "module top(input [3:0] inp, output [0:0] out);\n"
GOOD = f"{HEAD}assign out = inp[3:2] > inp[1:0];\nendmodule\n"
VECTORS = "x0,x1,class\n0,1,1\n2,1,0\n"
BOMB_LIMITS = Limits(20.0, 1 << 30)
"""What Yosys may take for the circuits that ask for all there is; a run's own limits are wider."""


@dataclass(frozen=True)
class BadCircuit:
    """Verilog and words of the line that refuses it; `bomb` if Yosys spends time or memory on it before."""

    kind: str
    verilog: str
    words: str
    bomb: bool = False


def body(text: str) -> str:
    """The module `top` around statements."""
    return f"{HEAD}{text}\nendmodule\n"


_DPI = 'import "DPI-C" function integer abs(integer x);'
_CALL = "localparam integer x = abs(-5); assign out = inp[0] ^ x[0];"
_MACROS = "`define A0 inp\n" + "".join(f"`define A{i} `A{i - 1} + `A{i - 1}\n" for i in range(1, 40))

ELSEWHERE = {
    "include": ('`include "/etc/passwd"\n' + GOOD, "`include is not allowed"),
    "include in a branch not taken": ('`ifdef NO\n`include "x"\n`endif\n' + GOOD, "`include is not allowed"),
    "include in a comment": ('// `include "x"\n' + GOOD, "`include is not allowed"),
    "include behind a comment's end": ('/* */ `include "x"\n' + GOOD, "`include is not allowed"),
    "include by a macro": ('`define I `include "x"\n`I\n' + GOOD, "`include is not allowed"),
    "include put together": ('`define X(a) `inc``a\n`X(lude) "x"\n' + GOOD, "'`inc' is not allowed"),
    "include as an argument": ('`define a\n`define X(a) `a\n`X(include) "x"\n' + GOOD, "'include' is not allowed"),
    "include over two lines": ('`inc\\\nlude "x"\n' + GOOD, "'`inc' is not allowed"),
    "include after a blank": ('` include "x"\n' + GOOD, "` include is not allowed"),
    "string over two lines": ('"\n/* " \n*/\n' + GOOD, "a quotation mark that its line does not close"),
    "quote in a name": (body('wire \\a" ; assign out = inp[0]; // "'), "is not allowed"),
    "comment never closed": (GOOD + "/* ", "a comment that is never closed"),
    "readmemh": (body('reg [3:0] m [0:3]; initial $readmemh("/etc/passwd", m);'), "$readmemh is not allowed"),
    "readmemb by a macro": ("`define R $readmemb\n" + body('reg m [0:3]; initial `R("x", m);'), "$readmemb is not"),
    "fopen": (body('integer f; initial f = $fopen("x", "w");'), "$fopen is not allowed"),
    "dumpfile": (body('initial $dumpfile("x"); assign out = inp[0];'), "$dumpfile is not allowed"),
    "writememh": (body('reg m [0:3]; initial $writememh("x", m);'), "'$writememh' is not allowed"),
    "sdf_annotate": (body('initial $sdf_annotate("x");'), "'$sdf_annotate' is not allowed"),
    "line directive": ('`line 1 "/etc/passwd" 0\n' + GOOD, "'`line' is not allowed"),
}
EXECUTED = {
    "system": (body('initial $system("touch owned");'), "$system is not allowed"),
    "DPI": (f"{_DPI}\n" + body(_CALL), "'import' is not allowed"),
    "DPI in the module": (body(f"{_DPI} {_CALL}"), "'import' is not allowed"),
    "DPI behind a comment": (f"/* */{_DPI}\n" + body(_CALL), "'import' is not allowed"),
    "DPI by a macro": (f"`define D {_DPI}\n`D\n" + body(_CALL), "'import' is not allowed"),
    "export": ('export "DPI-C" function f;\n' + GOOD, "'export' is not allowed"),
    "C code": (body('initial $c("system(0);");'), "'$c' is not allowed"),
    "finish": (body("initial $finish; assign out = inp[0];"), "'$finish' is not allowed"),
    "stop": (body("initial $stop; assign out = inp[0];"), "'$stop' is not allowed"),
    "fatal": (body("initial $fatal; assign out = inp[0];"), "'$fatal' is not allowed"),
    "plusargs": (body('assign out = $test$plusargs("x");'), "is not allowed"),
    "systemc": ("`systemc_header\n" + GOOD, "'`systemc_header' is not allowed"),
    "verilator configuration": ("`verilator_config\n" + GOOD, "'`verilator_config' is not allowed"),
    "bind": (GOOD + "bind top foo f();\n", "'bind' is not allowed"),
}
NO_CIRCUIT = {
    "nothing": ("", "not found"),
    "prose": ("Dear Sir or Madam,\n", "syntax error"),
    "NUL": (GOOD + "\0" + GOOD, "line 4: a zero byte"),
    "cut short": (GOOD[:60], "syntax error"),
    "another module": (GOOD.replace("top", "other"), "not found"),
    "the module twice": (GOOD + GOOD, "Re-definition of module"),
    "module missing": (body("foo f(inp, out);"), "foo"),
    "module in itself": (body("top t(inp, out);"), "recursive"),
    "clock": (GOOD.replace("input [3", "input clk, input [3"), "has the ports"),
    "no inputs": ("module top(output out); assign out = 1; endmodule", "has the ports output out"),
    "no outputs": ("module top(input [3:0] inp); endmodule", "is empty"),
    "other names": ("module top(input [3:0] a, output y); assign y = a[0]; endmodule", "has the ports"),
    "bidirectional": ("module top(input [3:0] inp, inout out); assign out = inp[0]; endmodule", "has the ports"),
    "inputs that do not fit": (GOOD.replace("[3:0] inp", "[4:0] inp"), "inp has 5 bits, which 2 features"),
    "output too wide": (GOOD.replace("[0:0] out", "[16:0] out"), "out has 17 bits"),
    "flip-flop": (body("reg q; always @(posedge inp[0]) q <= inp[1]; assign out = q;"), "contains a flip-flop"),
    "latch": (body("reg q; always @* if (inp[0]) q = inp[1]; assign out = q;"), "contains a latch"),
    "memory": (body("reg m [0:15]; initial m[0] = 1; assign out = m[inp];"), "contains a memory"),
    "memory of 2^30 words": (body("reg [31:0] m [0:1073741823]; assign out = m[inp];"), "contains a memory"),
    "tristate": (body("assign out = inp[0] ? inp[1] : 1'bz;"), "contains a tristate buffer"),
    "loop": (body("wire a, b; assign a = ~(b & inp[0]), b = ~(a & inp[1]); assign out = a;"), "logic loop"),
    "two inputs on one net": (body("assign out = inp[0]; assign out = inp[1];"), "multiple conflicting drivers"),
    "two drivers": (body("assign out = ~inp[0]; assign out = ~inp[1];"), "multiple conflicting drivers"),
    "an input that is driven": (body("assign inp = 3; assign out = inp[0];"), "conflicting"),
    "empty": (body(""), "is empty"),
    "no driver": (body("wire u; assign out = u;"), "no driver"),
    "defparam elsewhere": (body("assign out = inp[0]; defparam top.x.y = 3;"), "defparam"),
    "name from elsewhere": (body("assign out = other.inp;"), "has no driver"),
    "literal of 10^8 bits": (body("assign out = 100000000'h1 >> inp;"), "exceeds implementation limit"),
    "wire of 2^31 bits": (body("wire [2147483646:0] w = inp; assign out = w;"), "exceeds implementation limit"),
    "repeated 2*10^8 times": (body("assign out = |{200000000{inp}};"), "exceeds implementation limit"),
    "brackets 5,000 deep": (body(f"assign out = {'(' * 5000}inp{')' * 5000};"), "nested more than 1000 deep"),
    "100,000 inversions": (body(f"assign out = {'~' * 100_000}inp;"), "ended by SIG"),
    "escape codes in a name": (body("\\\x1b[2Jfoo f(inp, out);"), "[2Jfoo"),
}
BOMBS = {
    "macros doubled 40 times": (_MACROS + body("assign out = `A39;"), "bad_alloc"),
    "macro of itself": ("`define A `A\n" + body("assign out = `A;"), "bad_alloc"),
    "loop of 2^30 modules": (
        body("genvar i; generate for (i = 0; i < 1073741824; i = i + 1) begin : g wire w; end endgenerate"),
        "bad_alloc",
    ),
    "function without end": (
        body(
            "function integer f; input integer a; begin f = a; while (1) f = f; end endfunction "
            "localparam integer q = f(1); assign out = q;"
        ),
        "",
    ),
    "product of 20,000 bits": (body("wire [20000:0] a = inp * inp; assign out = (a * a) * (a * a) >> 9;"), ""),
}

CIRCUITS: dict[str, BadCircuit] = {
    f"{kind}: {name}": BadCircuit(kind, verilog, words, bomb=group is BOMBS)
    for kind, group in (
        ("reads files", ELSEWHERE),
        ("acts", EXECUTED),
        ("is no circuit", NO_CIRCUIT),
        ("asks for all there is", BOMBS),
    )
    for name, (verilog, words) in group.items()
}
