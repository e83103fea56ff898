"""Test vectors as a file: quantised inputs and true classes, the form in which published circuits come with theirs.

CSV with the header `x0,x1,...,class`; inputs are unsigned integers (x0 is the least significant part of the
circuit's input bus), `class` is the index of the true class among the sorted labels.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import DataError

MAX_CLASS = 1023
MAX_CODE = 65535


@dataclass(frozen=True)
class Vectors:
    """Rows to measure a circuit on.

    Attributes
    ----------
    codes : (n, n_features) integers, uint8 or wider, as the circuit sees them.
    y : (n,) int64, true class indices.
    n_classes : number of classes of the task.
    majority_class : the class that a constant answer would give.
    """

    codes: NDArray[np.integer]
    y: NDArray[np.int64]
    n_classes: int
    majority_class: int

    def saturated(self, input_bits: int) -> tuple[Vectors, int]:
        """The same vectors with codes limited to 2^input_bits - 1, and how many cells that changed."""
        highest = (1 << input_bits) - 1
        changed = int((self.codes > highest).sum())
        codes = np.minimum(self.codes, highest).astype(np.uint8 if input_bits <= 8 else np.uint16)
        return Vectors(codes, self.y, self.n_classes, self.majority_class), changed


def is_vector_file(path: Path) -> bool:
    """Whether a file begins with the header of a vector file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(1 << 20).strip().split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return len(header) > 1 and header == _header(len(header) - 1)


def read_vectors(path: Path) -> Vectors:
    """Read a vector file; the majority class is that of its own rows.

    Raises
    ------
    DataError : naming line, column and value of the first defect.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        cells = [_row(path, rows.line_num, names, row) for row in rows if row]
    if not cells:
        raise DataError(f"{path}: holds no vectors")
    table = np.array(cells, dtype=np.int64)
    y = table[:, -1]
    counts = np.bincount(y)
    return Vectors(table[:, :-1].astype(np.uint16), y, max(2, len(counts)), int(np.argmax(counts)))


def vectors_csv(vectors: Vectors) -> str:
    """The vector file's text; `read_vectors` reads it back."""
    lines = [",".join(_header(vectors.codes.shape[1]))]
    lines += [
        ",".join(map(str, [*row, label]))
        for row, label in zip(vectors.codes.tolist(), vectors.y.tolist(), strict=True)
    ]
    return "\n".join(lines) + "\n"


def _header(n_features: int) -> list[str]:
    return [*(f"x{i}" for i in range(n_features)), "class"]


def _row(path: Path, line: int, names: list[str], row: list[str]) -> list[int]:
    if len(row) != len(names):
        raise DataError(f"{path} line {line}: {len(row)} cells, expected {len(names)}")
    return [
        _cell(path, line, name, text, MAX_CLASS if name == "class" else MAX_CODE)
        for name, text in zip(names, row, strict=True)
    ]


def _cell(path: Path, line: int, name: str, text: str, highest: int) -> int:
    if text.strip().isascii() and text.strip().isdigit() and int(text[:12]) <= highest:
        return int(text)
    raise DataError(f"{path} line {line}, column '{name}': {text!r:.40} is not an integer in 0..{highest}")
