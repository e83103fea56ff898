"""A classifier small enough to do by hand: two features of two bits, class 1 when x1 is larger than x0."""

from pathlib import Path

import numpy as np

from printedmlp.model import DiscreteMLP, Layer, Neuron, Scores, Term
from sim.runner import Candidate

CELLS = """
module NAND2X1 (input A1, input A2, output Y); assign Y = ~(A1 & A2); endmodule
module INVX1 (input A, output Y); assign Y = ~A; endmodule
"""

RTL = """
// module top in a comment stays
module top (inp, out);
    input [3:0] inp;
    output [0:0] out;
    wire [1:0] score_0 = inp[1:0];
    wire [1:0] score_1 = inp[3:2];
    larger top_larger (.a(score_1), .b(score_0), .y(out[0]));
endmodule

module larger (input [1:0] a, input [1:0] b, output y);
    assign y = a > b;
endmodule
"""

NETLIST = """
module top(input [3:0] inp, output [0:0] out);
    wire na1, na0, nb1, n1, n2, p2, either, n3;
    INVX1 g0 (.A(inp[1]), .Y(na1));
    INVX1 g1 (.A(inp[0]), .Y(na0));
    INVX1 g2 (.A(inp[3]), .Y(nb1));
    NAND2X1 g3 (.A1(inp[3]), .A2(na1), .Y(n1));
    NAND2X1 g4 (.A1(inp[2]), .A2(na0), .Y(n2));
    INVX1 g5 (.A(n2), .Y(p2));
    NAND2X1 g6 (.A1(nb1), .A2(inp[1]), .Y(either));
    NAND2X1 g7 (.A1(either), .A2(p2), .Y(n3));
    NAND2X1 g8 (.A1(n1), .A2(n3), .Y(out[0]));
endmodule
"""

X = np.array([[0, 3], [3, 0], [2, 2]], dtype=np.uint8)
"""Classes 1, 0 and 0."""


def comparator() -> DiscreteMLP:
    """Scores x0 and x1, ties to class 0."""
    neurons = tuple(Neuron((Term(input=i, sign=1, mask=3, shift=0),)) for i in range(2))
    return DiscreteMLP(2, 2, (Layer(neurons, 0, Scores()),))


def candidate(folder: Path, name: str, *, rtl: str = RTL, netlist: str = NETLIST) -> Candidate:
    """The comparator and the given texts as files."""
    paths = {kind: folder / f"{name}_{kind}.v" for kind in ("rtl", "netlist")}
    paths["rtl"].write_text(rtl, encoding="utf-8")
    paths["netlist"].write_text(netlist, encoding="utf-8")
    return Candidate(name, comparator(), paths["rtl"], paths["netlist"])


def replaced(text: str, old: str, new: str) -> str:
    """The text with its one `old` replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)
