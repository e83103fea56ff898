"""Formal comparison of two combinational circuits as and-inverter graphs, by ABC."""

import re
from pathlib import Path

from hdl.blif import logic_blif
from hdl.frontend import Aig, compile_verilog
from hdl.tools import run_abc
from printedmlp.circuit import Netlist
from printedmlp.errors import ToolError
from printedmlp.technology import Technology

_CONFLICTS = 100_000


def counterexample(aig: Aig, netlist: Netlist, technology: Technology, work_dir: Path) -> tuple[int, ...] | None:
    """None when the netlist is proved to be the function of the graph, else input bits on which they differ.

    Raises ToolError when the numbers of ports differ or ABC cannot decide.
    """
    if (aig.n_inputs, aig.n_outputs) != (netlist.n_inputs, len(netlist.outputs)):
        ours = f"{netlist.n_inputs} inputs and {len(netlist.outputs)} outputs"
        raise ToolError(f"cannot compare {aig.n_inputs} inputs and {aig.n_outputs} outputs with {ours}")
    (work_dir / "netlist.blif").write_text(logic_blif(netlist, technology), encoding="utf-8")
    commands = ["read_blif netlist.blif", "strash", "write_aiger netlist.aig"]
    log = run_abc([*commands, f"&cec -C {_CONFLICTS} {aig.path.name} netlist.aig"], work_dir, name="cec")
    if "Networks are equivalent" in log:
        return None
    if "NOT EQUIVALENT" not in log:
        raise ToolError(f"ABC could not decide whether the netlist equals {aig.path.name}")
    return _find_difference(aig, work_dir)


def _find_difference(aig: Aig, work_dir: Path) -> tuple[int, ...]:
    commands = [f"miter {aig.path.name} netlist.aig", "strash", "iprove", "write_cex difference.txt"]
    run_abc(commands, work_dir, name="difference")
    bits = re.match(r"[01]*", (work_dir / "difference.txt").read_text(encoding="utf-8"))
    assert bits is not None
    assert len(bits.group()) == aig.n_inputs
    return tuple(int(bit) for bit in bits.group())


def equivalent(
    verilog: str, netlist: Netlist, technology: Technology, *, work_dir: Path, top: str = "top"
) -> tuple[int, ...] | None:
    """Compare Verilog text with a netlist: None when they are proved equal, else input bits on which they differ.

    Raises ToolError when the text is not a usable combinational circuit or the question stays open.
    """
    aig = compile_verilog(verilog, work_dir, top=top, name="reference")
    return counterexample(aig, netlist, technology, work_dir)
