"""What pages and files state as data agrees with the code: entries of technology files, citation, changelog."""

import re
import tomllib
from pathlib import Path

import pytest

import printedmlp.technology
from printedmlp.technology.entries import Entries
from printedmlp.technology.technology import BUILT_IN, _technology
from tests.docs.citation import read_citation
from tests.docs.snippets import ROOT

WORD = re.compile(r"`([^`]+)`")


class Asked(dict):
    """A table of a TOML file that remembers which entries were asked for, in it and in all tables inside."""

    def __init__(self, data, seen):
        super().__init__({key: self.wrapped(value, seen) for key, value in data.items()})
        self.seen = seen

    @classmethod
    def wrapped(cls, value, seen):
        if isinstance(value, dict):
            return cls(value, seen)
        return [cls.wrapped(item, seen) for item in value] if isinstance(value, list) else value

    def __contains__(self, key):
        self.seen.add(key)
        return super().__contains__(key)

    def __getitem__(self, key):
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.seen.add(key)
        return super().get(key, default)


def asked_for():
    """Names that the reader of technology files asks for, without those that a file chooses: cells, pins, volts."""
    seen: set[str] = set()
    chosen: set[str] = set()
    for name in BUILT_IN:
        file = Path(printedmlp.technology.__file__).with_name(f"{name}.toml")
        technology = _technology(Entries(Asked(tomllib.loads(file.read_text(encoding="utf-8")), seen)))
        chosen |= {*technology.cells, *technology.other_cells}
        chosen |= {pin for cell in technology.cells.values() for pin in cell.inputs}
    return {key for key in seen - chosen if not re.fullmatch(r"[\d.]+", key)}


def documented(text, columns):
    """Names in code in these columns of the table under "All entries"."""
    rows = [line for line in text.split("## All entries")[1].splitlines() if line.startswith("| ")][2:]
    cells = [part for row in rows for part in re.split(r"(?<!\\)\|", row)[1 : 1 + columns]]
    words = {word for cell in cells for code in WORD.findall(cell) for word in re.split(r"[.\[\]]+", code)}
    return {word for word in words if re.fullmatch(r"[a-z]\w*", word)}


def test_every_entry_of_a_technology_file_is_on_its_page_and_no_other():
    text = (ROOT / "docs/technology.md").read_text(encoding="utf-8")
    assert asked_for() - documented(text, 3) == set()
    assert documented(text, 1) - asked_for() == set()


def test_an_entry_that_is_missing_or_made_up_is_found():
    text = (ROOT / "docs/technology.md").read_text(encoding="utf-8")
    assert asked_for() - documented(text.replace("`input_slew_ns`", ""), 3) == {"input_slew_ns"}
    row = "| `colour` | | of the ink |\n"
    made_up = text.replace("| `[delay_axes]`", row + "| `[delay_axes]`")
    assert documented(made_up, 1) - asked_for() == {"colour"}


def test_the_citation_is_valid_and_of_this_version():
    citation = read_citation((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"] == [{"name": "printedmlp maintainers"}]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("cff-version: 1.2.0", "cff-version: 2", "cff-version"),
        ("title:", "titel:", "title"),
        ("message:", "# message:", "message"),
        ("type: software", "type: hardware", "type"),
        ("license: MIT", "license: mit licence", "license"),
        ("  - name: printedmlp maintainers", "  - nick: printedmlp", "authors"),
        ("version: 0.1.0", "version: one", "version"),
        ("license: MIT", "date-released: 26-11-24", "date-released"),
    ],
)
def test_a_citation_that_is_not_valid_is_refused(old, new, why):
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ValueError, match=why):
        read_citation(text.replace(old, new))


def changes(text):
    """Version and kinds of change of each section of a changelog."""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {s.splitlines()[0]: re.findall(r"^### (.+)$", s, flags=re.MULTILINE) for s in sections}


def test_the_changelog_has_the_form_that_it_names():
    found = changes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert next(iter(found)) == "[Unreleased]"
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    for version, named in found.items():
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version)
        assert named
        assert set(named) <= kinds
