"""Fenced blocks of Markdown pages as commands that can be run.

Every ```sh, ```python and ```pycon block is run, in the order of its page and in one folder a page, unless a
comment on the line above the fence says otherwise:

    <!-- run: no, REASON -->        never
    <!-- run: slow -->              with the slow tests only
    <!-- run: with OPTIONS -->      these options are added, to make a search short
    <!-- run: dry -->               make prints what it would do
    <!-- run: exit 2 -->            the command must end with this code
    <!-- file: NAME -->             not run; the block is the file of that name

Several are separated by semicolons. The ```pycon blocks of a page are one session; its results must be right.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUN = ("sh", "python", "pycon")
SHOWN = ("", "text", "toml", "json", "verilog", "yaml", "{toctree}", "{eval-rst}")
"""Languages of blocks that are only looked at."""
FENCE = re.compile(r"^ *(```+)([^\n`]*)\n(.*?)^ *\1 *$", re.MULTILINE | re.DOTALL)
NOTE = re.compile(r"<!-- (run|file): (.+?) -->")
PLAIN_COMMAND = re.compile(r"(?:\.venv/bin/)?(?:python|printedmlp)\b[^#|&;]*")
LIMIT_S = 300


@dataclass(frozen=True)
class Snippet:
    """One block: where it stands, what it is, and how it is to be run."""

    page: str
    line: int
    language: str
    text: str
    file: str | None = None
    skipped: str | None = None
    slow: bool = False
    dry: bool = False
    options: str = ""
    code: int = 0

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"


def snippets_of(page: str, text: str) -> list[Snippet]:
    """All blocks of a page; ValueError with the place of a block or a comment that means nothing."""
    fences = list(FENCE.finditer(text))
    inside = {place for fence in fences for place in range(*fence.span())}
    notes = {note.end(): note for note in NOTE.finditer(text) if note.start() not in inside}
    found = []
    for fence in fences:
        line = text.count("\n", 0, fence.start()) + 1
        note = notes.pop(len(text[: fence.start()].rstrip("\n")), None)
        if note is not None and text[note.end() : fence.start()] != "\n":
            raise ValueError(f"{page}:{line}: a blank line between comment and block")
        found.append(_snippet(page, line, fence[2].strip(), fence[3], note))
    if notes:
        lost = next(iter(notes.values()))
        raise ValueError(f"{page}: no block right below '{lost[0]}'")
    return found


def _snippet(page: str, line: int, language: str, text: str, note: re.Match[str] | None) -> Snippet:
    if language not in RUN + SHOWN:
        raise ValueError(
            f"{page}:{line}: a block in '{language}'; known are {', '.join(filter(None, RUN + SHOWN))}"
        )
    if note is None:
        return Snippet(page, line, language, text)
    if note[1] == "file":
        return Snippet(page, line, language, text, file=note[2])
    if language not in RUN:
        raise ValueError(f"{page}:{line}: a block in '{language}' is never run")
    return Snippet(page, line, language, text, **_how(f"{page}:{line}", note[2]))


def _how(place: str, words: str) -> dict[str, Any]:
    if words.startswith("no, "):
        return {"skipped": words.removeprefix("no, ")}
    how: dict[str, Any] = {}
    for part in words.split("; "):
        match part.split(maxsplit=1):
            case ["slow" | "dry" as word]:
                how[word] = True
            case ["with", options]:
                how["options"] = options
            case ["exit", code] if code.isdecimal():
                how["code"] = int(code)
            case _:
                raise ValueError(f"{place}: '{part}' says nothing of how to run a block")
    return how


class SnippetError(AssertionError):
    """A block does not do what its page says."""


@dataclass(frozen=True)
class Workspace:
    """A folder in which a person tries what a page says: `python` and `printedmlp` are there."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, files: Mapping[str, str]) -> Workspace:
        """Make the folder; `files` by name lie in it, and what `make` reads."""
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            folder.joinpath(name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
        for name, text in files.items():
            folder.joinpath(name).write_text(text, encoding="utf-8")
        for place in ("bin", ".venv/bin"):
            folder.joinpath(place).mkdir(parents=True)
            _program(folder / place / "python", f'exec "{sys.executable}" "$@"')
            _program(folder / place / "printedmlp", f'exec "{sys.executable}" -m flows "$@"')
        return cls(folder)

    def run(self, snippets: list[Snippet]) -> None:
        """Write and run blocks in their order; SnippetError with place and output of the first that fails."""
        for snippet in _with_sessions(snippets):
            if snippet.file is not None:
                self.folder.joinpath(snippet.file).write_text(snippet.text, encoding="utf-8")
            elif snippet.language in RUN and snippet.skipped is None:
                self._run(snippet)

    def _run(self, snippet: Snippet) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        environment |= {"MAKEFLAGS": "n"} if snippet.dry else {}
        done = subprocess.run(
            self._command(snippet),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if done.returncode != snippet.code:
            said = f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
            raise SnippetError(f"{snippet.place}: exit code {done.returncode}, not {snippet.code}\n{said}")

    def _command(self, snippet: Snippet) -> list[str]:
        if snippet.language == "sh":
            return ["bash", "-euo", "pipefail", "-c", script_of(snippet)]
        file = self.folder / ".snippet"
        file.write_text(snippet.text, encoding="utf-8")
        return [sys.executable, *(["-m", "doctest"] if snippet.language == "pycon" else []), str(file)]


def script_of(snippet: Snippet) -> str:
    """The shell script of a block, its single command with the options that the page asks to be added."""
    if not snippet.options:
        return snippet.text
    command = snippet.text.replace("\\\n", " ").strip()
    if not PLAIN_COMMAND.fullmatch(command) or "\n" in command:
        raise ValueError(f"{snippet.place}: options can be added to a single plain command only")
    return f"{command} {snippet.options}"


def _with_sessions(snippets: list[Snippet]) -> Iterator[Snippet]:
    """The blocks, those of a session as one, where its first stands."""
    session = [snippet for snippet in snippets if snippet.language == "pycon"]
    for snippet in snippets:
        if snippet.language != "pycon":
            yield snippet
        elif snippet is session[0]:
            yield Snippet(snippet.page, snippet.line, "pycon", "\n".join(part.text for part in session))


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
