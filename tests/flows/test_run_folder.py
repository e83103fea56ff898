"""The page on a run's files has every file and every entry of a run, and no other."""

import csv
import fnmatch
import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools

PAGE = Path(__file__).resolve().parents[2] / "docs/run-folder.md"


def tables(text):
    """By heading, the names in the first column of its table, and those of rows that a setting has to ask for."""
    found = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        rows = [line.split(" | ", 1) for line in section.splitlines() if line.startswith("| `")]
        found[section.splitlines()[0]] = {
            name: "only with" in rest for first, rest in rows for name in re.findall(r"`([^`]+)`", first)
        }
    return found


def entries(value, place):
    """Names of all entries of a JSON value, those of inner values with their place before them."""
    if isinstance(value, dict):
        return {name for key, inner in value.items() for name in entries(inner, (*place, key))}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {name for item in value for name in entries(item, (*place[:-1], f"{place[-1]}[]"))}
    return {place}


def explains(name, entry, *, whole=True):
    """Whether a documented name is that of an entry, or of a value that the entry is inside of.

    Not `whole`: or of something inside of the entry, which an empty list does not show.
    """
    parts = name.split(".")
    if whole and len(parts) > len(entry):
        return False
    return all(part == "*" or _name(part) == _name(own) for part, own in zip(parts, entry, strict=False))


def _name(part):
    return part.removesuffix("[]")


def differences(names, found):
    """Entries that no name explains, and names, unless a setting has to ask for them, that explain no entry."""
    new = {".".join(entry) for entry in found if not any(explains(name, entry, whole=False) for name in names)}
    old = {n for n, rare in names.items() if not rare and not any(explains(n, entry) for entry in found)}
    return new, old


def union(folder, pattern):
    files = sorted(folder.glob(pattern))
    assert files
    return {entry for file in files for entry in entries(json.loads(file.read_text()), ())}


def searched(folder):
    """Entries of the stages' records; the list of candidates is one of such records."""
    found = union(folder, "search/[!c]*.json")
    candidates = json.loads((folder / "search/candidates.json").read_text())
    return found | entries({"found": candidates}, ())


def documents(folder):
    """Entries by the page's headings."""
    with (folder / "front.csv").open() as file:
        columns = next(csv.reader(file))
    front = json.loads((folder / "front.json").read_text())
    measured = [front["exact"], front["textbook"], *front["front"], *front["others"]]
    alike = {entry for record in measured for entry in entries(record, ())}
    return {
        "dataset.json": union(folder, "dataset.json"),
        "quantiser.json": union(folder, "quantiser.json") | union(folder, "designs/*/quantiser.json"),
        "model.json": union(folder, "designs/*/model.json"),
        "measure.json": union(folder, "designs/*/measure.json") | alike,
        "front.json": entries(front, ()),
        "front.csv": {tuple(column.split(".")) for column in columns},
        "search/*.json": searched(folder),
        "synthesis/*.json": union(folder, "synthesis/*.json"),
        "manifest.json": union(folder, "manifest.json"),
    }


def test_every_entry_is_explained_and_none_is_made_up(run_folder):
    names = tables(PAGE.read_text(encoding="utf-8"))
    compared = {title: differences(names[title], found) for title, found in documents(run_folder).items()}
    assert {title: both for title, both in compared.items() if both != (set(), set())} == {}


def test_every_file_is_explained_and_none_is_made_up(run_folder):
    names = tables(PAGE.read_text(encoding="utf-8"))["The folder"]
    files = {
        p.relative_to(run_folder).as_posix() for p in run_folder.rglob("*") if p.is_file() and p.name != ".lock"
    }
    assert {file for file in files if not any(fnmatch.fnmatch(file, name) for name in names)} == set()
    assert {n for n, rare in names.items() if not rare and not fnmatch.filter(files, n)} == set()


def test_what_is_missing_or_made_up_is_found():
    found = entries({"a": {"0.6": 1, "1": 2}, "b": [{"c": 1}, {"d": [1]}], "e": None}, ())
    names = {"a.*": False, "b[].c": False, "b[].d": False, "e": False, "f": True}
    assert differences(names, found) == (set(), set())
    assert differences({**names, "g": False}, found) == (set(), {"g"})
    del names["b[].d"]
    assert differences(names, found) == ({"b[].d"}, set())
    assert tables("## here\n| `a`, `b` | | only with `--x`: it |\n| `c` | | that |\n") == {
        "here": {"a": True, "b": True, "c": False}
    }
