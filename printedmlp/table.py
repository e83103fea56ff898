"""From the bytes of a CSV file to numbers and classes, with every defect named or repaired aloud.

The stages are files of their own: records (encoding, separator, quotes), grid (header, names, widths), labels
(the class column) and here the inputs: missing cells, text, infinities, index and constant columns, classes
too small.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.cells import Column
from printedmlp.errors import ConfigError, DataError
from printedmlp.grid import Grid, read_grid
from printedmlp.labels import label_column, read_labels
from printedmlp.names import listed, quoted
from printedmlp.values import has_decimal_comma, is_missing, parse_number

FEWEST_ROWS_PER_CLASS = 3
"""One row each for training, validation and test."""

_INDEX_NAME = re.compile(r"(?:.*[ _])?id|index|idx|row|rownames|nr|unnamed: ?\d+", re.IGNORECASE)


class Table(NamedTuple):
    """What a table holds: X (n_samples, n_features) float64, all finite, and y int64 into class_names."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]


def read_table(
    data: bytes,
    place: str,
    notes: list[str],
    *,
    label: str | int | None = None,
    missing: str = "drop",
    drop_index: bool = True,
) -> Table:
    """Read a text table of numbers with one class column.

    `place` is the file name in messages. `label` is the class column (name, or number from 0; last by
    default). `missing` says what to do with rows that miss an input: "drop" them or raise an "error".
    `drop_index` leaves out columns that only number the rows. What was repaired or left out is added to
    `notes`, one line each. Raises `DataError` with file, line, column and value for everything that cannot be
    used.
    """
    if missing not in ("drop", "error"):
        raise ConfigError(f"missing={missing!r}: expected 'drop' or 'error'")
    grid = read_grid(data, place, notes)
    target = label_column(grid, label)
    labels, classes = read_labels(grid, target, notes)
    inputs = _input_columns(grid, target, drop_index, notes)
    X = _numbers(grid, inputs)
    complete = _complete_rows(grid, inputs, X, missing, notes)
    _refuse_small_classes(grid, [text for text, keep in zip(labels, complete, strict=True) if keep], classes)
    X = X if complete.all() else X[complete]
    varying = _varying(grid, inputs, X, notes)
    X = X if len(varying) == len(inputs) else np.ascontiguousarray(X[:, varying])
    index_of = {text: index for index, text in enumerate(classes)}
    y = np.array([index_of[text] for text in labels], dtype=np.int64)[complete]
    return Table(X, y, tuple(grid.names[inputs[f]] for f in varying), classes)


def _input_columns(grid: Grid, target: int, drop_index: bool, notes: list[str]) -> list[int]:
    candidates = [j for j in range(len(grid.names)) if j != target]
    empty = [j for j in candidates if all(is_missing(cell) for cell in grid.columns[j])]
    index = [j for j in candidates if drop_index and j not in empty and _is_index(grid, j)]
    for columns, what in ((empty, "without any value"), (index, "that only number the rows")):
        if columns:
            notes.append(f"{grid.place}: columns {what} left out: {listed([grid.names[j] for j in columns])}")
    inputs = [j for j in candidates if j not in empty and j not in index]
    if not inputs:
        raise DataError(f"{grid.place}: no input column is left beside the class '{grid.names[target]}'")
    return inputs


def _is_index(grid: Grid, column: int) -> bool:
    """Tell whether a column is a row number or an identifier and no measurement.

    That is the first column if it counts by one from 0 or 1, and a column without a name or named like an id
    if its values are whole numbers or texts, all different.
    """
    cells = grid.columns[column]
    if column == 0 and _counts_rows(cells):
        return True
    if column not in grid.unnamed and not _INDEX_NAME.fullmatch(grid.names[column]):
        return False
    countable = all(number is None or number == number // 1 for number in map(parse_number, cells))
    return countable and len(set(cells)) == len(cells) and not any(is_missing(cell) for cell in cells)


def _counts_rows(cells: Column) -> bool:
    numbers = cells.numbers()
    return bool(numbers[0] in (0, 1) and (numbers == numbers[0] + np.arange(len(cells))).all())


def _numbers(grid: Grid, inputs: Sequence[int]) -> NDArray[np.float64]:
    """Return the input cells as (n_rows, n_inputs) float64, NaN where a cell is missing."""
    comma = grid.separator != "," and any(has_decimal_comma(cell) for j in inputs for cell in grid.columns[j])
    X = np.empty((len(grid.lines), len(inputs)))
    for f, j in enumerate(inputs):
        X[:, f] = _column(grid, j, comma)
    return X


def _column(grid: Grid, column: int, decimal_comma: bool) -> NDArray[np.float64]:
    cells = grid.columns[column]
    values = cells.numbers(decimal_comma)
    gaps = np.isnan(values)
    strange = [row for row, cell in enumerate(cells) if gaps[row] and not is_missing(cell)] if gaps.any() else []
    if strange:
        raise DataError(_not_a_number(grid, column, strange, int(np.isfinite(values).sum()), decimal_comma))
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        row = int(infinite[0])
        raise DataError(f"{grid.where(row, column)}: {quoted(cells[row])} is not a finite number")
    return values


def _not_a_number(grid: Grid, column: int, strange: list[int], n_numbers: int, decimal_comma: bool) -> str:
    row = strange[0]
    cell = quoted(grid.columns[column][row])
    if len(strange) > n_numbers:
        advice = "inputs must be numbers: encode it, leave it out, or name it with --label if it is the class"
        return f"{grid.where(row, column)} holds text ({cell}); {advice}"
    why = " (the table writes decimals with a comma)" if decimal_comma else ""
    return f"{grid.where(row, column)}: {cell} is not a number{why}"


def _complete_rows(
    grid: Grid, inputs: Sequence[int], X: NDArray[np.float64], missing: str, notes: list[str]
) -> NDArray[np.bool_]:
    """Return which rows have all inputs; the others are noted with counts by column, or refused."""
    gaps = np.isnan(X)
    complete: NDArray[np.bool_] = np.asarray(~gaps.any(axis=1))
    if complete.all():
        return complete
    if missing == "error":
        row, f = (int(i) for i in np.argwhere(gaps)[0])
        cell = quoted(grid.columns[inputs[f]][row])
        raise DataError(f"{grid.where(row, inputs[f])}: the value is missing ({cell})")
    counts = {grid.names[j]: int(gaps[:, f].sum()) for f, j in enumerate(inputs) if gaps[:, f].any()}
    by_column = ", ".join(f"{quoted(name)} {count}" for name, count in counts.items())
    dropped = f"{int((~complete).sum())} of {len(complete)} rows with missing cells"
    if not complete.any():
        raise DataError(f"{grid.place}: no row is complete; missing cells: {by_column}")
    notes.append(f"{grid.place}: {dropped} left out; missing cells: {by_column}")
    return complete


def _refuse_small_classes(grid: Grid, labels: Sequence[str], classes: Sequence[str]) -> None:
    counts = Counter(labels)
    for name in classes:
        if counts[name] < FEWEST_ROWS_PER_CLASS:
            found = f"{counts[name]} complete row{'s' * (counts[name] != 1)}"
            needed = f"at least {FEWEST_ROWS_PER_CLASS} are needed, one each for training, validation and test"
            raise DataError(f"{grid.place}: class {quoted(name)} has {found}; {needed}")


def _varying(grid: Grid, inputs: Sequence[int], X: NDArray[np.float64], notes: list[str]) -> list[int]:
    constant = X.min(axis=0) == X.max(axis=0)
    if constant.all():
        raise DataError(f"{grid.place}: no input column is left; every one holds a single value in all rows")
    if constant.any():
        names = [grid.names[j] for j, same in zip(inputs, constant, strict=True) if same]
        notes.append(f"{grid.place}: columns with a single value in all rows left out: {listed(names)}")
    return [f for f in range(len(inputs)) if not constant[f]]
