"""Fills `[modules: ROOM]` lines of a page with a table of that room's modules and what their docstrings say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"^\[modules: (\w+)\]$", re.MULTILINE)


def with_tables(text: str) -> str:
    """A page's Markdown with its places filled."""
    return PLACE.sub(lambda place: module_table(place[1]), text)


def module_table(room: str) -> str:
    """A Markdown table of the modules below a package of the repository, by dotted name."""
    rows = [f"| `{name}` | {summary} |" for name, summary in summaries(ROOT / room).items()]
    return "\n".join(["| module | what it is |", "| --- | --- |", *rows])


def summaries(folder: Path) -> dict[str, str]:
    """First sentence of the docstring of every module below a package's folder, by dotted name."""
    files = {_dotted(path): path for path in sorted(folder.rglob("*.py"))}
    texts = {name: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for name, path in files.items()}
    return {name: _first_sentence(text) for name, text in texts.items() if text}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _first_sentence(text: str) -> str:
    """The first paragraph up to a full stop, safe in a cell of a table."""
    sentence = re.split(r"(?<=\.)\s", " ".join(text.split("\n\n")[0].split()))[0]
    return sentence.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").rstrip(".")


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx: fill the places of every page that it reads."""

    def fill(app: Any, page: str, source: list[str]) -> None:
        source[0] = with_tables(source[0])

    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
