"""Netlists as plain structural Verilog: written with stable bytes, and read back whoever wrote them."""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hdl.blif import GateList
from hdl.cells import verilog_text
from hdl.frontend import CONFLICT, READ_VERILOG, check_port_widths, check_stands_alone, refuse_warnings
from hdl.tools import READING, run_yosys
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.errors import ConfigError, ToolError
from printedmlp.names import COMMENT_WIDTH, safe_comment
from printedmlp.technology import Technology


def netlist_verilog(
    netlist: Netlist, technology: Technology, *, header: Sequence[str] = (), module: str = "top"
) -> str:
    """The netlist as Verilog that instantiates the technology's cells; the same netlist gives the same bytes.

    ``header`` becomes comment lines of bounded length in printable ASCII, so no text can leave its comment.
    """
    netlist.check(technology)
    ports = f"input [{netlist.n_inputs - 1}:0] inp, output [{len(netlist.outputs) - 1}:0] out"
    lines = [_comment(line) for line in header]
    lines += [f"module {module} ({ports});"]
    lines += [f"    wire n{net};" for net, _ in netlist.driven()]
    for net, instance in netlist.driven():
        lines.append(_instance_line(netlist, net, instance, technology))
    lines += [f"    assign out[{bit}] = {_net(netlist, net)};" for bit, net in enumerate(netlist.outputs)]
    return "\n".join([*lines, "endmodule"]) + "\n"


def _comment(line: str) -> str:
    blanks = " " * (len(line) - len(line.lstrip(" ")))
    return f"// {blanks}{safe_comment(line, COMMENT_WIDTH)}".rstrip()


def _net(netlist: Netlist, net: int) -> str:
    if net < FIRST_INPUT:
        return f"1'b{net}"
    return f"inp[{net - FIRST_INPUT}]" if net < netlist.first_driven else f"n{net}"


def _instance_line(netlist: Netlist, net: int, instance: Instance, technology: Technology) -> str:
    cell = technology.cell(instance.cell)
    pins = [f".{pin}({_net(netlist, n)})" for pin, n in zip(cell.inputs, instance.inputs, strict=True)]
    pins.append(f".{cell.output}(n{net})")
    return f"    {cell.name} g{net - netlist.first_driven} ({', '.join(pins)});"


def written_netlist(verilog: str, technology: Technology) -> Netlist:
    """The netlist in text that `netlist_verilog` wrote, read line by line without any tool.

    Raises ToolError quoting the first line that has another form, or that names a net before its driver.
    """
    lines = [line.strip() for line in verilog.splitlines() if not line.startswith("//")]
    head = re.fullmatch(r"module \w+ \(input \[(\d+):0\] inp, output \[(\d+):0\] out\);", lines[0] if lines else "")
    if head is None or lines[-1] != "endmodule":
        raise ToolError("not a netlist as it is written here: its first or last line differs")
    nets = {"1'b0": 0, "1'b1": 1, **{f"inp[{i}]": FIRST_INPUT + i for i in range(int(head[1]) + 1)}}
    instances: list[Instance] = []
    outputs: dict[str, int] = {}
    for line in lines[1:-1]:
        try:
            _read_line(line, technology, nets, instances, outputs)
        except (KeyError, ValueError):
            raise ToolError(f"not a netlist as it is written here: {line:.80}") from None
    if list(outputs) != [f"out[{bit}]" for bit in range(int(head[2]) + 1)]:
        raise ToolError("not a netlist as it is written here: its output bits are not assigned in order")
    return Netlist(int(head[1]) + 1, tuple(instances), tuple(outputs.values()))


def _read_line(
    line: str, technology: Technology, nets: dict[str, int], instances: list[Instance], outputs: dict[str, int]
) -> None:
    """Take in a declaration, an instance or an assignment; KeyError or ValueError where it is none of them."""
    if re.fullmatch(r"wire n\d+;", line):
        return
    if found := re.fullmatch(r"assign (out\[\d+\]) = (\S+);", line):
        if found[1] in outputs:
            raise ValueError
        outputs[found[1]] = nets[found[2]]
        return
    found = re.fullmatch(rf"(\w+) g{len(instances)} \((.*)\);", line)
    if found is None:
        raise ValueError
    cell = technology.cells[found[1]]
    pins = re.findall(r"\.(\w+)\(([^()]+)\)", found[2])
    if [pin for pin, _ in pins] != [*cell.inputs, cell.output] or pins[-1][1] in nets:
        raise ValueError
    if ", ".join(f".{pin}({net})" for pin, net in pins) != found[2]:
        raise ValueError
    instances.append(Instance(cell.name, tuple(nets[net] for _, net in pins[:-1])))
    nets[pins[-1][1]] = len(nets)


def netlist_if_mapped(verilog: str, technology: Technology) -> Netlist | None:
    """The netlist of one flat module that instantiates only the technology's cells; None for any other text."""
    try:
        return read_netlist(verilog, technology)
    except (ConfigError, ToolError):
        return None


def read_netlist(verilog: str, technology: Technology, *, top: str = "top") -> Netlist:
    """The netlist in Verilog text that instantiates only cells of the technology between ``inp`` and ``out``.

    Instances keep the text's order when that is topological. Raises ToolError naming the first thing that is
    not a cell, and for syntax errors, loops, undriven signals or other ports.
    """
    check_stands_alone(verilog, top)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        design = _elaborate(verilog, technology, Path(folder), top)
    module = design["modules"][top]
    check_port_widths({(p["direction"], n): len(p["bits"]) for n, p in module["ports"].items()}, top)
    return _from_json(module, technology, top)


def _elaborate(verilog: str, technology: Technology, folder: Path, top: str) -> dict[str, Any]:
    (folder / "netlist.v").write_text(verilog, encoding="utf-8")
    (folder / "cells.v").write_text(verilog_text(technology), encoding="utf-8")
    commands = [
        "read_verilog -lib cells.v",
        f"{READ_VERILOG} -nooverwrite netlist.v",
        f"hierarchy -check -top {top}",
        "proc -norom",
        "tee -q -o drivers.txt check",
        "write_json netlist.json",
    ]
    run_yosys(commands, folder, name="netlist", limits=READING)
    refuse_warnings((folder / "drivers.txt").read_text(encoding="utf-8"), top, CONFLICT)
    design: dict[str, Any] = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
    return design


def _from_json(module: dict[str, Any], technology: Technology, top: str) -> Netlist:
    ports = module["ports"]
    circuit = GateList([str(b) for b in ports["inp"]["bits"]], [str(b) for b in ports["out"]["bits"]])
    for name, cell in sorted(module["cells"].items(), key=_place_in_text):
        if cell["type"] not in technology.cells:
            raise ToolError(
                f"module '{top}', instance '{name}': {cell['type']} is not a cell of '{technology.name}'"
            )
        _add_instance(circuit, name, cell, technology)
    for signal in circuit.outputs + [pin for _, pins in circuit.gates.values() for pin in pins]:
        if signal in ("x", "z"):
            raise ToolError(f"module '{top}': a pin or output is not connected")
    return circuit.to_netlist(keep_unused=True)


def _place_in_text(named: tuple[str, dict[str, Any]]) -> tuple[int, ...]:
    """Line and column of an instance, as Yosys notes them in its ``src``: ``netlist.v:12.5-12.60``."""
    return tuple(int(number) for number in re.findall(r"\d+", named[1]["attributes"].get("src", "")))


def _add_instance(circuit: GateList, name: str, data: dict[str, Any], technology: Technology) -> None:
    cell = technology.cells[data["type"]]
    connections = data["connections"]
    missing = [pin for pin in (*cell.inputs, cell.output) if len(connections.get(pin, ())) != 1]
    if missing:
        raise ToolError(f"instance '{name}' of {cell.name}: pin '{missing[0]}' is not connected to one bit")
    signal = str(connections[cell.output][0])
    if signal in circuit.gates or signal in circuit.inputs:
        raise ToolError(f"instance '{name}' of {cell.name}: its output is driven twice")
    circuit.gates[signal] = (cell.name, tuple(str(connections[pin][0]) for pin in cell.inputs))
