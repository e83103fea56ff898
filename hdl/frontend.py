"""From the Verilog text of a combinational circuit to an and-inverter graph that ABC reads."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hdl.harmless import harmless_tokens
from hdl.tools import READING, run_yosys
from printedmlp.errors import ToolError

_RIPPLE_CARRY = Path(__file__).with_name("verilog") / "ripple_carry.v"
_SATURATOR = Path(__file__).with_name("verilog") / "DW01_satrnd.v"
READ_VERILOG = "read_verilog -nodpi"
"""Without DPI, through which Verilog calls any function of the C library."""
CONFLICT = "onflicting"
"""In the warnings of a net with several drivers."""
_REACHES_FILES = re.compile(r"`\s*include\b|\$(?:readmem[bh]|fopen|fread|fscanf|system|dumpfile)\b")
_SEQUENTIAL = (
    (re.compile(r"mem"), "a memory"),
    (re.compile(r"latch|_SR_|\$sr"), "a latch"),
    (re.compile(r"ff", re.IGNORECASE), "a flip-flop"),
    (re.compile(r"tribuf", re.IGNORECASE), "a tristate buffer"),
)


@dataclass(frozen=True)
class Aig:
    """An AIGER file of a circuit: bit i of ``inp`` is input i, bit i of ``out`` is output i."""

    path: Path
    n_inputs: int
    n_outputs: int
    n_ands: int


def compile_verilog(verilog: str, work_dir: Path, *, top: str = "top", name: str = "rtl") -> Aig:
    """Compile the module ``top`` with ports ``inp`` and ``out`` into ``work_dir/<name>.aig``.

    The text may be hostile: it is refused when it could act beyond its circuit, and Yosys reads it within bounds of
    time and memory. Raises ToolError with one line for a syntax error, another set of ports, an undriven signal, a
    combinational loop, or anything that stores a value.
    """
    check_stands_alone(verilog, top)
    (work_dir / f"{name}.v").write_text(verilog, encoding="utf-8")
    (work_dir / "ripple_carry.v").write_text(_RIPPLE_CARRY.read_text(encoding="utf-8"), encoding="utf-8")
    libraries = []
    if model := vendor_model(verilog):
        (work_dir / model.name).write_text(model.read_text(encoding="utf-8"), encoding="utf-8")
        libraries.append(model.name)
    failure = _run(_commands(name, top, libraries), work_dir, name)
    _refuse_unusable(work_dir, name, top)
    if failure:
        raise failure
    ports = (work_dir / f"{name}.ports.txt").read_text(encoding="utf-8")
    widths = check_port_widths(_port_widths(ports), top)
    path = work_dir / f"{name}.aig"
    return Aig(path, *widths, n_ands=_and_count(path))


def check_stands_alone(verilog: str, top: str) -> None:
    """Refuse, with a ToolError, text that could act beyond its circuit, and a top module's name that is none."""
    if not re.fullmatch(r"[A-Za-z_]\w*", top):
        raise ToolError(f"'{top}' is not the name of a module")
    # Also in comments and strings, in case a tool sees their ends elsewhere than `harmless_tokens` does.
    if found := _REACHES_FILES.search(verilog):
        raise ToolError(f"Verilog of '{top}': {found.group()} is not allowed, the text has to stand alone")
    harmless_tokens(verilog, messages=True)


def check_port_widths(widths: Mapping[tuple[str, str], int], top: str) -> tuple[int, int]:
    """Widths of ``inp`` and ``out`` from those by (direction, name); ToolError unless these are all the ports."""
    if set(widths) != {("input", "inp"), ("output", "out")}:
        ports = ", ".join(f"{direction} {name}" for direction, name in widths) or "none"
        raise ToolError(f"module '{top}' has the ports {ports}; expected are input inp and output out")
    return widths["input", "inp"], widths["output", "out"]


def _run(commands: list[str], work_dir: Path, name: str) -> ToolError | None:
    """The failure comes back as a value, since the reports written before it may explain it better."""
    try:
        run_yosys(commands, work_dir, name=name, limits=READING)
    except ToolError as error:
        return error
    return None


def _and_count(path: Path) -> int:
    """Number of and-gates, the last figure of the AIGER header ``aig M I L O A``."""
    with path.open("rb") as file:
        return int(file.readline().split()[5])


def vendor_model(verilog: str) -> Path | None:
    """The model of the vendor cell DW01_satrnd when the text uses that cell and does not define it."""
    cell = _SATURATOR.stem
    used, defined = (re.search(rf"\b{before}{cell}\b", verilog) for before in ("", r"module\s+"))
    return _SATURATOR if used and not defined else None


def _commands(name: str, top: str, libraries: list[str]) -> list[str]:
    """The Yosys script: everything up to and-gates and inverters, adders as plain ripples."""
    return [
        *word_commands(name, top, libraries),
        "techmap -map +/techmap.v -map ripple_carry.v",
        "opt -fast",
        "setundef -zero",
        "aigmap",
        "opt_clean",
        f"tee -q -o {name}.mapped.json stat -json",
        f"write_aiger {name}.aig",
    ]


def word_commands(name: str, top: str, libraries: Sequence[str] = ()) -> list[str]:
    """The script's first part, after which sums are Yosys's cells for words: $alu and $macc_v2."""
    return [
        *(f"read_verilog {file}" for file in libraries),
        f"{READ_VERILOG} {name}.v",
        f"hierarchy -check -top {top}",
        "proc -norom",
        "flatten",
        # Two drivers that are both inputs are one net after the next steps.
        f"tee -q -o {name}.drivers.txt check",
        "tribuf",
        "delete t:$print t:$check t:$assert t:$assume t:$cover",
        "opt_expr",
        "opt_clean",
        f"tee -q -o {name}.check.txt check",
        f"tee -q -o {name}.ports.txt portlist {top}",
        f"tee -q -o {name}.cells.json stat -json",
        "opt -full",
        "wreduce",
        "peepopt",
        "alumacc",
        "share",
        "opt",
    ]


def _refuse_unusable(work_dir: Path, name: str, top: str) -> None:
    """Raise ToolError for whatever Yosys accepts or stumbles over and a combinational circuit cannot have."""
    for file in (work_dir / f"{name}.cells.json", work_dir / f"{name}.mapped.json"):
        if file.exists():
            _refuse_storage(json.loads(file.read_text(encoding="utf-8")), top)
    for file, kind in ((work_dir / f"{name}.drivers.txt", CONFLICT), (work_dir / f"{name}.check.txt", "")):
        if file.exists():
            refuse_warnings(file.read_text(encoding="utf-8"), top, kind)


def _refuse_storage(stat: dict[str, Any], top: str) -> None:
    if "design" not in stat:
        raise ToolError(f"module '{top}' is empty; Yosys takes it for one that is defined elsewhere")
    for cell in stat["design"].get("num_cells_by_type", {}):
        for pattern, kind in _SEQUENTIAL:
            if pattern.search(cell):
                raise ToolError(f"module '{top}' contains {kind} (Yosys cell {cell}); it has to be combinational")
    if stat["design"].get("num_memories"):
        raise ToolError(f"module '{top}' contains a memory; it has to be combinational")


def refuse_warnings(check: str, top: str, kind: str) -> None:
    """Raise ToolError for the first warning of Yosys's `check` that has the word, with the place it names."""
    lines = check.splitlines()
    warnings = [line for line in lines if line.startswith("Warning:") and kind in line]
    if warnings:
        after = lines[lines.index(warnings[0]) + 1 :]
        where = next((line for line in after if line.startswith("    ")), "").strip()
        raise ToolError(f"module '{top}': {warnings[0].removeprefix('Warning:').rstrip(':')} {where}".rstrip())


def _port_widths(portlist: str) -> dict[tuple[str, str], int]:
    found = re.findall(r"^(input|output|inout) \[(-?\d+):(-?\d+)\] (\S+)$", portlist, re.MULTILINE)
    return {(direction, name): abs(int(a) - int(b)) + 1 for direction, a, b, name in found}
