"""A good table whose names would like to be formulas, scripts, paths, directives and orders to the terminal."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from hdl.harmless import harmless_tokens
from printedmlp.dataset import load_dataset
from printedmlp.errors import ToolError
from printedmlp.values import parse_number

FEATURES = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    '\x1b[2J\x1b]0;x\x07 */ `include "/etc/passwd"',
    "../../../{{ 7*7 }}",
)
CLASSES = ("../../x", "=1+1", '"><img src=x onerror=alert(1)>')
MARKUP = ("<script>alert", "<img src=x", "\x1b", "\x07")
"""What must stand in no file that a browser or a terminal shows."""
SHOWN = (".html", ".svg", ".csv", ".json", ".v", ".toml")


def table_with_names(folder: Path) -> Path:
    """The iris data as a CSV file with hostile names of features and classes."""
    dataset, path = load_dataset("iris"), folder / "names.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*FEATURES, "class"])
        writer.writerows([*row, CLASSES[y]] for row, y in zip(dataset.X.tolist(), dataset.y.tolist(), strict=True))
    return path


def names_that_got_out(folder: Path, told: str) -> list[str]:
    """Files of a run, and lines of its output, in which a name is more than text; none for a sound run."""
    found = ["terminal"] if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", told) else []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if not re.fullmatch(r"[\w./-]+", name) or not path.resolve().is_relative_to(folder.resolve()):
            found.append(name)
        if path.suffix in SHOWN and _got_out(path):
            found.append(name)
    return found


def _got_out(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    markup = MARKUP if path.suffix in (".html", ".svg") else MARKUP[2:]
    if any(mark in text for mark in markup):
        return True
    if path.suffix == ".csv":
        return any(_is_formula(cell) for row in csv.reader(text.splitlines()) for cell in row)
    return path.suffix == ".v" and not _stands_alone(text)


def _is_formula(cell: str) -> bool:
    return cell.startswith(("=", "+", "-", "@")) and parse_number(cell) is None


def _stands_alone(verilog: str) -> bool:
    try:
        harmless_tokens(verilog)
    except ToolError:
        return False
    return True
