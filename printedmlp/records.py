"""From the bytes of a text table to records of cells: encoding, separator, quotes, comments, line numbers.

Nothing is interpreted here: a record is the line it starts in and its cells as text.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from printedmlp.cells import Record, Rows
from printedmlp.errors import DataError
from printedmlp.values import parse_number

MOST_BYTES = 512 << 20
"""Largest file that is read as a table."""
MOST_COLUMNS = 4096
"""Beyond it no classifier is searched for in any time that a person waits."""
MOST_CELL = 4096
"""Longest cell in characters; what comes after a quotation mark that is never closed is longer."""

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"@relation", "an ARFF file"),
)
_LONG_CELL = f"a cell of more than {MOST_CELL} characters (a quotation mark never closed?)"
_SAMPLE_LINES = 200
_PIECE = 1 << 20
"""So many characters, or a line more, are cut into lines at a time."""
_SEPARATOR_GIVEN = re.compile(r"sep=(\S)\s*")
_WHITE_SPACE = " "
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", _WHITE_SPACE: "white space"}


class Records(NamedTuple):
    """The rows of a text table and what separates their cells; `comment_header` is a `#` line right above them."""

    rows: Rows
    separator: str
    comment_header: Record | None


def decode(data: bytes, place: str, notes: list[str]) -> str:
    """Decode UTF-8, anything with a byte order mark, or (with a note) latin-1; binary files are a `DataError`."""
    for start, what in _OTHER_FORMATS:
        if data[: len(start)].lower() == start.lower():
            raise DataError(f"{place} is {what}: save it as CSV text first")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(f"{place} starts as {encoding} but byte {error.start} does not fit") from None
        text = data.decode("latin-1")
        line = data[: error.start].count(b"\n") + 1
        notes.append(f"{place} line {line} is not UTF-8; the file is read as latin-1")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{place} line {line}: a zero byte; this is a binary file, not a text table")
    return text


def split_records(text: str, place: str, notes: list[str]) -> Records:
    """Find the separator and cut the text into records without blank lines, `#` lines and empty rows.

    Raises `DataError` for an empty file, a stray quotation mark and a cell beyond the csv module's size
    limit.
    """
    given = _SEPARATOR_GIVEN.fullmatch(next(_lines(text), ""))
    separator = given[1] if given else _separator(_plain(text))
    comments, empty = array("q"), array("q")
    first, rows = None, Rows()
    for row in _records(_plain(text, comments), separator, place):
        first = first or row
        if any(row.cells):
            rows.add(row)
        else:
            empty.append(row.line)
    if not first and not comments:
        raise DataError(f"{place} is empty")
    header = _comment_header(text, comments, first, separator)
    _note_comments(len(comments) - (header is not None), place, notes)
    if empty:
        notes.append(f"{place}: {len(empty)} rows without any value left out, the first in line {empty[0]}")
    return Records(rows, separator, header)


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends, which are those that the csv module knows: LF, CR, and CR LF."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start + _PIECE) + 1 or len(text)
        yield from io.StringIO(text[start:stop], newline="")
        start = stop


def _plain(text: str, comments: array[int] | None = None) -> Iterator[str]:
    """The lines, blank where they name the separator or begin with `#`; numbers of the latter go to `comments`."""
    for number, line in enumerate(_lines(text), start=1):
        comment = line.lstrip().startswith("#")
        if comment and comments is not None:
            comments.append(number)
        yield "\n" if comment or (number == 1 and _SEPARATOR_GIVEN.fullmatch(line)) else line


def separator_name(separator: str) -> str:
    """Return the English name of a separator for messages."""
    return _NAMES.get(separator, f"'{separator}'")


def _separator(lines: Iterable[str]) -> str:
    """Choose what cuts most lines of the sample into the same number of cells, two or more.

    Equal candidates go in the order tab, semicolon, bar, comma, because a decimal comma cuts lines evenly
    too. White space is for files that none of these cuts, or tab-separated ones with runs of tabs.
    """
    sample = list(islice((line for line in lines if line.strip()), _SAMPLE_LINES))
    scores = {mark: _evenness(sample, mark) for mark in ("\t", ";", "|", ",")}
    best = max(scores, key=lambda mark: scores[mark])
    spaced = _evenness(sample, _WHITE_SPACE)
    if scores[best] == 0 or (best == "\t" and spaced > scores[best]):
        return _WHITE_SPACE if spaced > 0 else ","
    return best


def _evenness(sample: list[str], separator: str) -> float:
    """Return the share of records with the most frequent number of cells, 0 if that number is 1."""
    try:
        widths = Counter(len(cells) for cells in _reader(sample, separator, strict=False) if cells)
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width = max(widths, key=lambda w: (widths[w], w))
    return widths[width] / widths.total() if width > 1 else 0.0


def _reader(lines: Iterable[str], separator: str, strict: bool = True) -> Iterator[list[str]]:
    if separator == _WHITE_SPACE:
        lines = (" ".join(line.split()) + "\n" for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _records(lines: Iterable[str], separator: str, place: str) -> Iterator[Record]:
    consumed = 0

    def counted() -> Iterator[str]:
        nonlocal consumed
        for consumed, line in enumerate(lines, start=1):  # noqa: B007
            yield line

    reader = _reader(counted(), separator)
    while True:
        first = consumed + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{place} line {first}: {_explained(error)}") from None
        _refuse_huge(cells, f"{place} line {first}")
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield Record(first, tuple([cell.strip() for cell in cells]))


def _refuse_huge(cells: list[str], where: str) -> None:
    if len(cells) > MOST_COLUMNS:
        raise DataError(f"{where}: {len(cells)} cells, more than the {MOST_COLUMNS} columns that a table may have")
    if max(map(len, cells), default=0) > MOST_CELL:
        raise DataError(f"{where}: {_LONG_CELL}")


def _explained(error: csv.Error) -> str:
    if "limit" in str(error):
        return _LONG_CELL
    if "end of data" in str(error):
        return "a quotation mark is opened and never closed"
    return f"stray quotation mark ({error})"


def _comment_header(text: str, comments: Iterable[int], first: Record | None, separator: str) -> Record | None:
    """Return the last comment above a first row with numbers if it has as many cells: NumPy's way of a header."""
    above = [number for number in comments if first and number < first.line]
    if not first or not above:
        return None
    line = next(islice(_lines(text), above[-1] - 1, None))
    try:
        cells = next(_reader([line.lstrip().lstrip("#")], separator, strict=False), [])
    except csv.Error:
        return None
    numeric = any(parse_number(cell) is not None for cell in first.cells)
    fits = numeric and len(cells) == len(first.cells) > 1
    return Record(above[-1], tuple(cell.strip() for cell in cells)) if fits else None


def _note_comments(count: int, place: str, notes: list[str]) -> None:
    if count:
        notes.append(f"{place}: {count} comment line{'s' * (count > 1)} starting with # left out")
