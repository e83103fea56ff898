"""Text from outside: cleaned for display, reduced for paths, escaped for comments, quoted in messages.

A header cell, a label or a file name may hold anything. Inside the program it is kept as `clean_text`; what
reaches a path is a `slug`, what reaches a Verilog comment is `safe_comment`, what reaches an error message is
`quoted`.
"""

import os
import re
import unicodedata
from collections.abc import Sequence

NAME_LIMIT = 80
"""Most characters kept of a column name, class name or file name."""

COMMENT_WIDTH = 124
"""Most characters of a comment line in Verilog; the longest slug and its SHA-256 fit."""

_SLUG_LIMIT = 40
_MESSAGE_LIMIT = 40
_PATH_LIMIT = 4096
_FEWEST_READ = 1024


def clean_text(text: str, limit: int = NAME_LIMIT) -> str:
    """One line without invisible characters: white space runs become one space, the rest of Unicode stays.

    Control and format characters (escape codes, zero-width and direction marks) are removed; text longer than
    `limit` characters is cut and ends in an ellipsis.
    """
    # Composing takes quadratic time in combining marks, so what will not be shown is cut off before.
    read = text[: max(_FEWEST_READ, 2 * limit)]
    composed = unicodedata.normalize("NFC", read)
    visible = "".join(c for c in composed if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split())
    whole = len(read) == len(text) and len(line) <= limit
    return line if whole else line[: limit - 1] + "…"


def shown_path(path: str | os.PathLike[str]) -> str:
    """Return a path as a message shows it: cleaned, but whole, since its end is the file's name."""
    return clean_text(os.fspath(path), _PATH_LIMIT)


def quoted(text: str) -> str:
    """Return the text as an error message shows it: cleaned, shortened and between single quotes."""
    return f"'{clean_text(text, _MESSAGE_LIMIT)}'"


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Quote the first names of a list for a message and count the rest."""
    shown = ", ".join(quoted(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def slug(text: str) -> str:
    """Return a name of at most 40 characters [a-z0-9_] starting with a letter, for paths and identifiers.

    >>> slug("Wine (red), 2024.v2"), slug("2024"), slug("../;")
    ('wine_red_2024_v2', 'data_2024', 'data')
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_text.lower())
    if not words or words[0][0].isdigit():
        words.insert(0, "data")
    return "_".join(words)[:_SLUG_LIMIT].rstrip("_")


def safe_comment(text: str, limit: int = COMMENT_WIDTH) -> str:
    """Return at most `limit` characters of printable ASCII on one line that cannot end or nest a comment.

    Backslash, backtick and everything outside printable ASCII become backslash escapes, so does the second
    character of `*/` and `/*`; white space runs become one space. Write a word of your own before it: tools take
    a comment that begins with their name for an order.

    >>> safe_comment("µm */ `define")
    '\\\\xb5m *\\\\x2f \\\\x60define'
    """
    text = clean_text(text, limit).replace("\\", "\\x5c").replace("`", "\\x60")
    text = text.replace("*/", "*\\x2f").replace("/*", "/\\x2a")
    escaped = text.encode("ascii", "backslashreplace").decode("ascii")
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."


def sheet_text(text: str) -> str:
    """Return a text as a cell of a CSV file that spreadsheets open: never a formula, which could start programs.

    >>> sheet_text("=cmd|' /C calc'!A0"), sheet_text("a = b")
    ("'=cmd|' /C calc'!A0", 'a = b')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Number the repetitions of a name: a, a, b becomes a, a_2, b; a number never meets a name already there."""
    taken = set(names)
    count: dict[str, int] = {}
    result = []
    for name in names:
        candidate = name
        count[name] = count.get(name, 0) + 1
        while count[name] > 1 and candidate in taken:
            candidate = f"{name}_{count[name]}"
            count[name] += candidate in taken
        taken.add(candidate)
        result.append(candidate)
    return tuple(result)
