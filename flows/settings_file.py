"""Settings from a TOML file: what is wrong in one is named with its line and the nearest right name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
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
    return {key: checked_setting(file, key, value, types) for key, value in read_table(file, command).items()}


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


def line_of(text: str, key: str) -> int | None:
    """Number of the first line of a TOML text that sets a key, from 1; None where it cannot be told."""
    lines = text.split("\n")
    sets = re.compile(rf"""\s*(["']?){re.escape(key)}\1\s*[=.]""")
    for number, line in enumerate(lines, start=1):
        # What stands above a line inside of a string of several lines is no TOML by itself.
        if sets.match(line) and _is_toml("\n".join(lines[: number - 1])):
            return number
    return None


def nearest(word: str, words: Mapping[str, Any] | tuple[str, ...]) -> str:
    """ "; did you mean 'x'?" with the word that looks most like it; empty where none does."""
    near = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _text(file: Path) -> str:
    try:
        return read_text(file, MOST_TOML, "TOML file")
    except DataError as error:
        raise ConfigError(str(error)) from None


def _is_toml(text: str) -> bool:
    try:
        parse_toml(text)
    except ValueError:
        return False
    return True


def place_of(file: Path, key: str) -> str:
    """The file, and the line that sets a key where that can be told."""
    return _place(file, _text(file), key)


def _place(file: Path, text: str, key: str) -> str:
    line = line_of(text, key)
    return f"{file} line {line}" if line else str(file)


def checked_setting(file: Path, key: str, value: Any, types: Mapping[str, str]) -> Any:
    """A value of a file as the setting takes it; ConfigError with its line if it is unknown or of another kind."""
    if key not in types:
        raise ConfigError(f"{place_of(file, key)}: unknown setting '{key}'{nearest(key, types)}")
    kinds = [kind for kind in types[key].split(" | ") if kind != "None"]
    for kind in kinds:
        if isinstance(value, list) and kind in LISTS and all(type(v) in LISTS[kind] for v in value):
            return tuple(value)
        if type(value) in PLAIN.get(kind, ()):
            return value
    wanted = " or ".join(NAMES.get(kind, kind) for kind in kinds)
    raise ConfigError(f"{place_of(file, key)}: {key} must be {wanted}, not {value!r}")
