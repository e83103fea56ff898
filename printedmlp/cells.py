"""Many cells of text in few strings: a string a cell would take some twenty times the bytes that it holds."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.values import BETWEEN, parse_numbers

_CELLS = 1 << 18
"""So many cells, or a few more, are text of their own before they are put together."""


class Record(NamedTuple):
    """One row of a table: the line of the file it starts in (from 1) and its cells, stripped."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """The cells of a column as text, many to a string."""

    packed: tuple[str, ...]
    n_cells: int

    def __len__(self) -> int:
        """Return the number of cells."""
        return self.n_cells

    def __iter__(self) -> Iterator[str]:
        """Yield the cells as they are written."""
        return (cell for text in self.packed for cell in text.split(BETWEEN))

    def __getitem__(self, row: int) -> str:
        """Return one cell; it takes time in proportion to the cells above."""
        return next(islice(self, row, None))

    def numbers(self, decimal_comma: bool = False) -> NDArray[np.float64]:
        """Return what `parse_number` reads of each cell, NaN for None: float64 (n_cells,)."""
        parts = [np.array(parse_numbers(text, decimal_comma), dtype=np.float64) for text in self.packed]
        return np.concatenate(parts)


class Rows:
    """The rows of a table, of any number of cells each, in the order in which they are added.

    `lines` and `widths` hold the line that each starts in and how many cells it has.
    """

    def __init__(self) -> None:
        """Start without rows."""
        self.lines = array("q")
        self.widths = array("q")
        self._packed: list[str] = []
        self._open: list[str] = []

    def add(self, row: Record) -> None:
        """Add a row, which must have a cell."""
        self.lines.append(row.line)
        self.widths.append(len(row.cells))
        self._open += row.cells
        if len(self._open) >= _CELLS:
            self._packed.append(BETWEEN.join(self._open))
            self._open = []

    def __iter__(self) -> Iterator[Record]:
        """Yield the rows as they were added."""
        row = 0
        for cells in self._blocks():
            start = 0
            while start < len(cells):
                stop = start + self.widths[row]
                yield Record(self.lines[row], tuple(cells[start:stop]))
                start, row = stop, row + 1

    def columns(self, left_out: int, width: int) -> list[Column]:
        """Return the columns of all but the first `left_out` rows, which must have `width` cells each."""
        packed: list[list[str]] = [[] for _ in range(width)]
        skipped = sum(self.widths[:left_out])
        for block in self._blocks():
            cells, skipped = block[skipped:], max(skipped - len(block), 0)
            for column, texts in enumerate(packed if cells else ()):
                texts.append(BETWEEN.join(cells[column::width]))
        return [Column(tuple(texts), len(self.widths) - left_out) for texts in packed]

    def _blocks(self) -> Iterator[list[str]]:
        yield from (text.split(BETWEEN) for text in self._packed)
        if self._open:
            yield self._open
