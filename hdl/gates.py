"""A circuit of two-input gates as readable Verilog, one assignment a gate."""

from collections.abc import Sequence

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.names import COMMENT_WIDTH, safe_comment

_EXPRESSIONS = (
    "1'b0",
    "~({a} | {b})",
    "{a} & ~{b}",
    "~{b}",
    "~{a} & {b}",
    "~{a}",
    "{a} ^ {b}",
    "~({a} & {b})",
    "{a} & {b}",
    "~({a} ^ {b})",
    "{a}",
    "{a} | ~{b}",
    "{b}",
    "~{a} | {b}",
    "{a} | {b}",
    "1'b1",
)
"""By truth table, bit a + 2 b; entry 2 is 1 only where a is 1 and b is 0."""


def gates_verilog(classifier: GateClassifier, *, header: Sequence[str] = ()) -> str:
    """Verilog of a circuit of gates, module `top` with the ports `inp` and `out`; same bytes for the same circuit.

    Parameters
    ----------
    header : lines of any text; each becomes one comment line of bounded length in printable ASCII.
    """
    width = classifier.n_features * classifier.input_bits
    lines = [f"// {safe_comment(line, COMMENT_WIDTH)}".rstrip() for line in header]
    lines.append(f"module top(input [{width - 1}:0] inp, output [{len(classifier.outputs) - 1}:0] out);")
    for net, gate in enumerate(classifier.gates, start=classifier.first_driven):
        lines.append(f"  wire n{net} = {_expression(classifier, gate)};")
    lines += [f"  assign out[{bit}] = {_name(classifier, net)};" for bit, net in enumerate(classifier.outputs)]
    return "\n".join([*lines, "endmodule"]) + "\n"


def _expression(classifier: GateClassifier, gate: Gate) -> str:
    a, b = (_name(classifier, net) for net in gate.inputs)
    return _EXPRESSIONS[gate.table].format(a=a, b=b)


def _name(classifier: GateClassifier, net: int) -> str:
    if net < FIRST_INPUT:
        return f"1'b{net}"
    return f"inp[{net - FIRST_INPUT}]" if net < classifier.first_driven else f"n{net}"
