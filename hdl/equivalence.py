"""Formal comparison of two combinational circuits as and-inverter graphs, by ABC."""

import re
from pathlib import Path

from hdl.blif import logic_blif
from hdl.frontend import Aig, compile_verilog
from hdl.tools import TIME_LIMIT_S, run_abc
from printedmlp.circuit import Netlist
from printedmlp.errors import ToolError
from printedmlp.technology import Technology

_LIMITS = "-C 1000000 -T 500"
_VALUE = re.compile(r"\S+ = (\d+)'h([0-9A-Fa-f]+)")


class UndecidedError(ToolError):
    """Whether two circuits are equal stays open: the search for a difference came to its own limits."""


def counterexample(
    aig: Aig, netlist: Netlist, technology: Technology, work_dir: Path, *, timeout_s: float = TIME_LIMIT_S
) -> tuple[int, ...] | None:
    """None when the netlist is proved to be the function of the graph, else input bits on which they differ.

    Raises ToolError when the numbers of ports differ, UndecidedError when ABC gives up.
    """
    if (aig.n_inputs, aig.n_outputs) != (netlist.n_inputs, len(netlist.outputs)):
        ours = f"{netlist.n_inputs} inputs and {len(netlist.outputs)} outputs"
        raise ToolError(f"cannot compare {aig.n_inputs} inputs and {aig.n_outputs} outputs with {ours}")
    (work_dir / "netlist.blif").write_text(logic_blif(netlist, technology), encoding="utf-8")
    convert = ["read_blif netlist.blif", "strash", "write_aiger netlist.aig"]
    commands = [*convert, f"cec -n {_LIMITS} {aig.path.name} netlist.aig"]
    log = run_abc(commands, work_dir, name="cec", timeout_s=timeout_s)
    if "Networks are equivalent" in log:
        return None
    difference = re.search(r"INPUT: (.*?)\.  OUTPUT:", log)
    if "NOT EQUIVALENT" not in log or difference is None:
        raise UndecidedError(f"ABC could not decide whether the netlist equals {aig.path.name}")
    bits = [int(digits, 16) >> k & 1 for width, digits in _VALUE.findall(difference[1]) for k in range(int(width))]
    assert len(bits) == aig.n_inputs
    return tuple(bits)


def equivalent(
    verilog: str, netlist: Netlist, technology: Technology, *, work_dir: Path, top: str = "top"
) -> tuple[int, ...] | None:
    """Compare Verilog text with a netlist: None when they are proved equal, else input bits on which they differ.

    Raises ToolError when the text is not a usable combinational circuit or the question stays open.
    """
    aig = compile_verilog(verilog, work_dir, top=top, name="reference")
    return counterexample(aig, netlist, technology, work_dir)
