"""Test vectors as a file: quantised inputs and true classes, the form in which published circuits come with theirs.

CSV with the header `x0,x1,...,class`; inputs are unsigned integers (x0 is the least significant part of the
circuit's input bus), `class` is the index of the true class among the sorted labels.
"""

from __future__ import annotations

import csv
import io
import warnings
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.files import MEBIBYTE, read_text

MOST_BYTES = 512 * MEBIBYTE
MAX_CLASS = 1023
MAX_CODE = 65535
MOST_BITS = 8
_SHORT = frozenset({1, 2, 3})
"""So many digits are within all limits, so that most rows are read as a whole."""


@dataclass(frozen=True)
class Vectors:
    """Rows to measure a circuit on.

    Attributes
    ----------
    codes : (n, n_features) uint8, as the circuit sees them.
    y : (n,) int64, true class indices.
    n_classes : number of classes of the task.
    majority_class : the class that a constant answer would give.
    """

    codes: NDArray[np.uint8]
    y: NDArray[np.int64]
    n_classes: int
    majority_class: int


def bits_per_feature(bus_bits: int, n_features: int) -> int:
    """Bits of each feature on an input bus; raises DataError when 1 to 8 bits each do not fill it."""
    if bus_bits % n_features or not 1 <= bus_bits // n_features <= MOST_BITS:
        raise DataError(
            f"inp has {bus_bits} bits, which {n_features} features of 1 to {MOST_BITS} bits do not fill"
        )
    return bus_bits // n_features


def is_vector_file(path: Path) -> bool:
    """Whether a file begins with the header of a vector file."""
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(MEBIBYTE).strip().split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return len(header) > 1 and header == _header(len(header) - 1)


def read_vectors(path: Path, bus_bits: int) -> Vectors:
    """Read a vector file for a circuit whose input bus has `bus_bits` bits.

    Values that a feature's bits cannot hold are saturated, with a warning that counts them. The majority class is
    that of the file's own rows.

    Raises
    ------
    DataError : naming line, column and value of the first defect.
    """
    cells = _cells(path)
    if not cells:
        raise DataError(f"{path}: holds no vectors")
    table = np.array(cells, dtype=np.uint16)
    y = table[:, -1].astype(np.int64)
    counts = np.bincount(y)
    codes = _saturated(table[:, :-1], bits_per_feature(bus_bits, table.shape[1] - 1), path)
    return Vectors(codes, y, max(2, len(counts)), int(np.argmax(counts)))


def _cells(path: Path) -> list[array[int]]:
    rows = csv.reader(io.StringIO(read_text(path, MOST_BYTES, "vector file"), newline=""))
    try:
        names = next(rows, [])
        return [_row(path, rows.line_num, names, row) for row in rows if row]
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _saturated(codes: NDArray[np.uint16], input_bits: int, path: Path) -> NDArray[np.uint8]:
    highest = (1 << input_bits) - 1
    if changed := int((codes > highest).sum()):
        warnings.warn(f"{path}: {changed} values above {highest} saturated", PrintedMLPWarning, stacklevel=3)
    return np.minimum(codes, highest).astype(np.uint8)


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


def _row(path: Path, line: int, names: list[str], row: list[str]) -> array[int]:
    if len(row) != len(names):
        raise DataError(f"{path} line {line}: {len(row)} cells, expected {len(names)}")
    digits = "".join(row)
    if _SHORT.issuperset(map(len, row)) and digits.isascii() and digits.isdigit():
        return array("H", map(int, row))
    checked = [
        _cell(path, line, name, text, MAX_CLASS if name == "class" else MAX_CODE)
        for name, text in zip(names, row, strict=True)
    ]
    return array("H", checked)


def _cell(path: Path, line: int, name: str, text: str, highest: int) -> int:
    digits = text.strip().lstrip("0") or text.strip()[:1]
    if digits.isascii() and digits.isdigit() and len(digits) <= len(str(highest)) and int(digits) <= highest:
        return int(digits)
    raise DataError(f"{path} line {line}, column '{name}': {text!r:.40} is not an integer in 0..{highest}")
