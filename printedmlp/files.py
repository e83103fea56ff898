"""Files of a user's, read whole: regular ones of a bounded size and nothing else, with every failure in one line.

A pipe or a device would be read for ever, and a huge file into all the memory there is.
"""

import json
import math
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from printedmlp.errors import DataError
from printedmlp.names import shown_path

MEBIBYTE = 1 << 20
MOST_TOML = 16 * MEBIBYTE
MOST_JSON = 512 * MEBIBYTE
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_bytes(path: Path, most: int, what: str = "file") -> bytes:
    """The bytes of a regular file of at most `most` bytes; `what` it should have been is for messages.

    Raises
    ------
    DataError : the path is missing, a folder, a pipe, a device or too large, or cannot be read.
    """
    place = shown_path(path)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DataError(f"{place} is not a regular file")
            data = (file.read() or b"") if status.st_size <= most else None
    except FileNotFoundError:
        raise DataError(f"{place}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{place} is a folder, not a {what}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{place} cannot be read: {reason}") from None
    if data is None or len(data) > most:
        raise DataError(f"{place} is larger than {_size(most)}, the most that is read of a {what}")
    return data


def read_text(path: Path, most: int, what: str = "file") -> str:
    """As `read_bytes`, in UTF-8 with or without a byte order mark; DataError names the first byte that is not."""
    data = read_bytes(path, most, what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{shown_path(path)} cannot be read: byte {error.start} is not UTF-8") from None


def parse_toml(text: str) -> dict[str, Any]:
    """`tomllib.loads` whose only failure is ValueError, and whose memory grows with the text's length alone."""
    # The reader keeps every beginning of a dotted key, which takes quadratic memory in its parts.
    if deep := _DEEP_KEY.search(text):
        raise ValueError(f"the key {deep.group():.20}... has too many parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_json(text: str) -> Any:
    """`json.loads` of what can be written again: its only failure is ValueError.

    That is also raised for what is nested too deeply, for numbers that are not finite and for halves of surrogate
    pairs.
    """
    try:
        data = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _SURROGATE.search(text):
        json.dumps(data, ensure_ascii=False).encode()
    return data


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text:.20} is not a finite number")
    return value


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; to open a pipe would wait for its writer, unless it is asked not to."""
    return os.open(path, flags | os.O_NONBLOCK)


def _size(n_bytes: int) -> str:
    return f"{n_bytes // MEBIBYTE} MiB" if n_bytes >= MEBIBYTE else f"{n_bytes >> 10} KiB"
