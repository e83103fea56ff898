"""From records to a rectangular grid of text: header row or none, equal widths, one usable name a column."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.cells import Column, Record, Rows
from printedmlp.errors import DataError
from printedmlp.names import clean_text, listed, unique_names
from printedmlp.records import Records, decode, separator_name, split_records
from printedmlp.values import has_decimal_comma, is_missing, parse_number

_SAMPLE_ROWS = 200
_FEWEST_NUMBERED_NAMES = 4


class Grid(NamedTuple):
    """A table as text, by columns: row i starts in `lines[i]` of the file.

    `unnamed` are the columns whose header cell is empty; `separator` decides whether a comma may be a decimal
    comma.
    """

    place: str
    names: tuple[str, ...]
    lines: NDArray[np.int64]
    columns: tuple[Column, ...]
    unnamed: frozenset[int]
    separator: str

    def where(self, row: int, column: int) -> str:
        """Name a cell the way messages do: file, line and column."""
        return f"{self.place} line {self.lines[row]}, column '{self.names[column]}'"


def read_grid(data: bytes, place: str, notes: list[str]) -> Grid:
    """Read the bytes of a text table; what was repaired is added to `notes`, what cannot be is a `DataError`."""
    records = split_records(decode(data, place, notes), place, notes)
    header, above = _header(records, place, notes)
    lines = np.array(records.rows.lines)[above:]
    if not len(lines):
        raise DataError(f"{place} has a header row but no data rows")
    names, columns = _equal_widths(header, records.rows, above, place, notes)
    while names and not names[-1] and all(is_missing(cell) for cell in columns[-1]):
        names, columns = names[:-1], columns[:-1]
    if len(names) < 2:
        found = separator_name(records.separator)
        raise DataError(f"{place} has one column; inputs and a class are needed (separator taken: {found})")
    unnamed = frozenset(j for j, name in enumerate(names) if not clean_text(name))
    return Grid(place, _usable(names, header, place, notes), lines, tuple(columns), unnamed, records.separator)


def _header(records: Records, place: str, notes: list[str]) -> tuple[Record, int]:
    """Return the header and how many rows it takes, 0 or 1; without one, names are x0, x1, ... and noted."""
    if records.comment_header is not None:
        return records.comment_header, 0
    rows = list(islice(records.rows, 1 + _SAMPLE_ROWS))
    if not rows:
        raise DataError(f"{place} has no rows, only comments")
    if _counts(rows[0].cells):
        notes.append(f"{place} line {rows[0].line}: a row that counts its columns is taken as the header")
        return rows[0], 1
    if _is_header(rows[0].cells, rows[1:], records.separator):
        return rows[0], 1
    names = tuple(f"x{j}" for j in range(len(rows[0].cells)))
    notes.append(f"{place} has no header row; the columns are called {names[0]} to {names[-1]}")
    return Record(rows[0].line, names), 0


def _is_header(first: Sequence[str], body: list[Record], separator: str) -> bool:
    """Decide by the columns of numbers: a header has text above one of them, or only text."""
    numeric = [_is_number(cell, separator) for cell in first]
    if not any(numeric):
        return True
    return any(
        not numeric[j] and not is_missing(cell) and _mostly_numbers(body, j, separator)
        for j, cell in enumerate(first)
    )


def _counts(cells: Sequence[str]) -> bool:
    """Tell whether a row counts its cells from 0 or 1 (the last may be text): a header made for want of one."""
    numbers = [str(n) for n in range(len(cells) + 1)]
    leading = list(cells) if cells[-1].isdecimal() else list(cells[:-1])
    return len(leading) >= _FEWEST_NUMBERED_NAMES and (
        leading == numbers[: len(leading)] or leading == numbers[1 : len(leading) + 1]
    )


def _is_number(cell: str, separator: str) -> bool:
    return parse_number(cell) is not None or (separator != "," and has_decimal_comma(cell))


def _mostly_numbers(body: list[Record], column: int, separator: str) -> bool:
    cells = [row.cells[column] for row in body if column < len(row.cells)]
    known = [cell for cell in cells if not is_missing(cell)]
    return 2 * sum(_is_number(cell, separator) for cell in known) > len(known)


def _equal_widths(
    header: Record, rows: Rows, above: int, place: str, notes: list[str]
) -> tuple[tuple[str, ...], list[Column]]:
    """Demand as many cells in every row as in the header, but for two habits of writers; cut into columns.

    A separator after every row makes an empty cell more; R leaves out the name of the column of row names.
    """
    names, width = header.cells, len(header.cells)
    widths = np.array(rows.widths)[above:]
    if (widths == width + 1).all():
        columns = rows.columns(above, width + 1)
        if any(columns[-1]):
            notes.append(f"{place}: one name less than columns; the first column is taken as unnamed row names")
            return ("", *names), columns
        return names, columns[:-1]
    wrong = np.flatnonzero(widths != width)
    if wrong.size:
        row = above + int(wrong[0])
        found = f"{rows.widths[row]} cell{'s' * (rows.widths[row] != 1)}"
        raise DataError(f"{place} line {rows.lines[row]}: {found}, expected {width}")
    return names, rows.columns(above, width)


def _usable(raw: Sequence[str], header: Record, place: str, notes: list[str]) -> tuple[str, ...]:
    """Make the header's names printable, not empty and different from each other; a note lists the changed ones."""
    cleaned = [clean_text(name) or f"column_{j + 1}" for j, name in enumerate(raw)]
    names = unique_names(cleaned)
    changed = [new for new, old in zip(names, raw, strict=True) if new != old]
    if changed:
        why = "were empty, repeated, too long or had unprintable characters"
        notes.append(f"{place} line {header.line}: column names that {why} are now {listed(changed)}")
    return names
