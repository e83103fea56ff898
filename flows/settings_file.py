"""Settings from a TOML file: what is wrong in one is named with its line and the nearest right name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from printedmlp.errors import ConfigError, DataError
from printedmlp.files import MOST_TOML, parse_toml, read_text

PLAIN: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}
"""Types that a value of a file may have by the type that a setting is declared as."""
LISTS: dict[str, tuple[type, ...]] = {
    "tuple[int, ...]": (int,),
    "tuple[float, ...]": (int, float),
    "tuple[str, ...]": (str,),
}
_PIECES = re.compile(
    r"""#[^\n]*|\"{3}(?:\\.|[^\\])*?\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
    r"""|[][{}\n]|[ \t\r]+|[^][{}\s#"']+""",
    re.DOTALL,
)
"""Comments, texts, brackets, ends of lines, blanks and all else of a TOML text."""
_KEY = re.compile(r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[\w-]+)(?=[ \t]*[=.])""")
NAMES = {
    "tuple[int, ...]": "a list of integers",
    "tuple[float, ...]": "a list of numbers",
    "tuple[str, ...]": "a list of strings",
}


def read_settings(file: Path, command: str, types: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a file holds for a command, each of the type that it is declared as.

    Parameters
    ----------
    file, command : as of `read_table`.
    types : by setting the type it is declared as, such as "int", "float | None" or "tuple[int, ...]".

    Raises
    ------
    ConfigError : naming file, line and value.
    """
    held = read_table(file, command)
    return {key: checked_setting(file, command, key, value, types) for key, value in held.items()}


def read_table(file: Path, command: str) -> dict[str, Any]:
    """What a file holds for a command: its table `[command]`, or all of a file without tables; nothing is checked.

    Parameters
    ----------
    file : the TOML file; it may hold tables of other commands, too.
    command : such as "design".

    Raises
    ------
    ConfigError : the file cannot be read, or has no such table.
    """
    text = _text(file)
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from None
    tables = [key for key, value in values.items() if isinstance(value, dict)]
    if command in tables:
        outside = [key for key in values if key not in tables]
        if outside:
            raise ConfigError(f"{_place(file, text, outside[0])}: '{outside[0]}' stands outside [{command}]")
        return dict(values[command])
    if tables:
        raise ConfigError(f"{file}: has no table [{command}], only [{'], ['.join(tables)}]")
    return values


def line_of(text: str, key: str, command: str | None = None) -> int | None:
    """Number of the first line of a TOML text that sets a key, from 1; None where it cannot be told.

    Parameters
    ----------
    command : only its table is looked at, and what stands in no table; None looks everywhere.
    """
    table = None
    for number, line in _statements(text):
        if line.startswith("["):
            table, *inside = _header(line)
            named = {table, *inside[:1]} if command in (None, table) else {table}
        else:
            named = _first_key(line) if command is None or table in (None, command) else set()
        if key in named:
            return number
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Number and first line of every setting and header of a TOML text; time grows with its length alone."""
    number, depth, fresh = 1, 0, True
    for found in _PIECES.finditer(text):
        piece = found.group()
        if fresh and piece[0] not in "# \t\r\n":
            fresh = False
            yield number, _line_at(text, found.start())
        depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        number += piece.count("\n")
        fresh = fresh or (piece == "\n" and depth == 0)


def _line_at(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]


def _header(line: str) -> list[str]:
    """The names of a header such as [design] or [design.more], from the outermost."""
    names: list[str] = []
    held: Any = parse_toml(line)
    while held:
        ((name, inner),) = held.items()
        names.append(name)
        held = inner[0] if isinstance(inner, list) else inner
    return names


def _first_key(line: str) -> set[str]:
    name = _KEY.match(line)
    return set(parse_toml(f"{name.group()} = 0")) if name else set()


def nearest(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    """ "; did you mean 'x'?" with the word that looks most like it; empty where none does."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _text(file: Path) -> str:
    try:
        return read_text(file, MOST_TOML, "TOML file")
    except DataError as error:
        raise ConfigError(str(error)) from None


def place_of(file: Path, key: str, command: str) -> str:
    """The file, and the line that sets a key of a command where that can be told."""
    return _place(file, _text(file), key, command)


def _place(file: Path, text: str, key: str, command: str | None = None) -> str:
    line = line_of(text, key, command)
    return f"{file} line {line}" if line else str(file)


def checked_setting(file: Path, command: str, key: str, value: Any, types: Mapping[str, str]) -> Any:
    """A value of a file as the setting takes it; ConfigError with its line if it is unknown or of another kind."""
    if key not in types:
        raise ConfigError(f"{place_of(file, key, command)}: unknown setting '{key}'{nearest(key, types)}")
    kinds = [kind for kind in types[key].split(" | ") if kind != "None"]
    for kind in kinds:
        if isinstance(value, list) and kind in LISTS and all(type(v) in LISTS[kind] for v in value):
            return tuple(value)
        if type(value) in PLAIN.get(kind, ()):
            return value
    wanted = " or ".join(NAMES.get(kind, kind) for kind in kinds)
    raise ConfigError(f"{place_of(file, key, command)}: {key} must be {wanted}, not {value!r}")
