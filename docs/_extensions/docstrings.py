"""Docstrings of this repository for Sphinx: sections as lists, code in backquotes, the rest as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Yields", "Warns")
ENTRY = re.compile(r"([*\w][\w*., \[\]\"'-]*?) : ?(.*)")
CODE = re.compile(r"(``?[^`]+``?)")
MARKUP = re.compile(r"([\\*|_])")
BULLET = re.compile(r"[*-] ")


def restructured(lines: list[str]) -> list[str]:
    """A docstring's lines as reStructuredText that says the same, whatever characters the prose holds."""
    return list(_blocks(_without_rules(lines)))


def _without_rules(lines: list[str]) -> list[tuple[str, bool]]:
    """The lines without the rules below section heads, each with whether it is such a head."""
    heads = {i for i, line in enumerate(lines[:-1]) if line in SECTIONS and set(lines[i + 1]) == {"-"}}
    return [(line, i in heads) for i, line in enumerate(lines) if i - 1 not in heads]


def _blocks(lines: list[tuple[str, bool]]) -> Iterator[str]:
    """Heads in bold, entries of sections and bullets as items, indented lines below prose as they stand."""
    inside, item, literal = False, False, False
    for line, is_head in lines:
        text, entry = line.strip(), ENTRY.fullmatch(line) if inside else None
        indented = line.startswith("    ") and not item
        if is_head:
            inside, item = True, False
            yield from ("", f"**{line}**", "")
        elif not text:
            item = item and inside
            yield ""
        elif entry or BULLET.match(line):
            if not item:
                yield ""
            item = True
            yield f"* ``{entry[1]}``: {escaped(entry[2])}" if entry else f"* {escaped(line[2:])}"
        elif item:
            yield f"  {escaped(text)}"
        elif indented:
            yield from (line,) if literal else ("", "::", "", line)
        else:
            yield from ("", escaped(text)) if literal else (escaped(text),)
        literal = (indented and bool(text)) or (literal and not text)


def escaped(text: str) -> str:
    """Prose in which only backquotes mean something: what they enclose is code."""
    parts = CODE.split(text)
    prose, code = [MARKUP.sub(r"\\\1", part).replace("`", "\\`") for part in parts[::2]], parts[1::2]
    literals = [f"``{part.strip('`')}``" for part in code]
    return "".join(piece for pair in zip(prose, [*literals, ""], strict=True) for piece in _joined(*pair))


def _joined(prose: str, literal: str) -> tuple[str, str]:
    """Code that touches a word needs an escaped blank on either side."""
    return prose, f"\\ {literal}\\ " if literal else ""


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx: rewrite every docstring before it is parsed."""

    def rewrite(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
        lines[:] = restructured(lines)

    app.connect("autodoc-process-docstring", rewrite)
    return {"parallel_read_safe": True}
