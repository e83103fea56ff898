"""Docstrings come out as they were meant: sections as lists, code as code, other characters as themselves."""

import sys

import pytest

from tests.docs.snippets import ROOT

sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
docstrings = __import__("docstrings")
modules = __import__("modules")


def test_sections_become_lists():
    lines = ["What it does.", "", "Parameters", "----------", "X : (n, 2) codes", "    of rows.", "y, z : more"]
    assert docstrings.restructured(lines) == [
        *("What it does.", "", "", "**Parameters**", ""),
        *("", "* ``X``: (n, 2) codes", "  of rows.", "* ``y, z``: more"),
    ]


def test_an_indented_line_below_prose_stands_as_it_is():
    assert docstrings.restructured(["So:", "", "    S = a * b", "    T", "then"]) == [
        *("So:", "", "", "::", "", "    S = a * b", "    T", "", "then"),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("`x` and ``y``", "\\ ``x``\\  and \\ ``y``\\ "),
        ("a * b | c_", "a \\* b \\| c\\_"),
        ("a ` alone", "a \\` alone"),
    ],
)
def test_only_backquotes_mean_something(text, wanted):
    assert docstrings.escaped(text) == wanted


def test_a_room_becomes_a_table_of_its_modules():
    page = modules.with_tables("# Sim\n\n[modules: sim]\n\nafter\n")
    assert "| `sim.runner` | Proof by simulation:" in page
    assert "[modules" not in page
    assert page.endswith("|\n\nafter\n")
