"""Which column holds the class, and which classes there are."""

import difflib
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence

from printedmlp.errors import DataError
from printedmlp.grid import Grid
from printedmlp.names import NAME_LIMIT, clean_text, listed, quoted
from printedmlp.values import LABEL_GAPS, has_decimal_comma, is_missing, number_text, parse_number

MOST_CLASSES = 50
_MOST_FRACTIONAL_CLASSES = 10
_MOST_CHARACTERS = 10 * NAME_LIMIT
"""Of a class name with its invisible characters."""
_ANOTHER = "name another column with --label"


def label_column(grid: Grid, label: str | int | None) -> int:
    """Return the number of the class column: the last by default, else by name or by number from 0 (or -1 back).

    A name is looked up as it is, cleaned, and without regard to case; text that is no name may be a number.
    """
    if label is None:
        return len(grid.names) - 1
    if isinstance(label, str):
        found = _by_name(grid.names, label)
        if found is not None:
            return found
    if not isinstance(label, int) and not re.fullmatch(r"-?[0-9]{1,9}", label):
        near = difflib.get_close_matches(label, grid.names, n=1)
        hint = f"did you mean {quoted(near[0])}?" if near else f"columns are {listed(grid.names)}"
        raise DataError(f"{grid.place} has no column {quoted(label)}; {hint}")
    number = int(label)
    if not -len(grid.names) <= number < len(grid.names):
        raise DataError(f"{grid.place} has no column {number}; it has {len(grid.names)} columns, counted from 0")
    return number % len(grid.names)


def read_labels(grid: Grid, column: int, notes: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the class of every row as canonical text, and the classes in order.

    If all labels are finite numbers, `1`, `1.0` and `1e0` are one class and the order is numeric; else the
    order is that of the texts. A missing label, labels that look like measurements and a single class are
    `DataError`s.
    """
    labels, texts = _label_texts(grid, column)
    numeric = all(_finite(text, grid.separator) is not None for text in texts)
    if numeric:
        canonical = {text: _canonical(text, grid.separator) for text in texts}
        labels = [canonical[text] for text in labels]
        classes = tuple(sorted(set(canonical.values()), key=lambda text: (float(text), text)))
    else:
        classes = tuple(sorted(texts))
        _note_case(grid, classes, notes)
    _refuse_measurements(grid, column, len(labels), classes, numeric)
    if len(classes) == 1:
        raise DataError(f"{grid.place}: column '{grid.names[column]}' holds one class only ({quoted(classes[0])})")
    return labels, classes


def _label_texts(grid: Grid, column: int) -> tuple[list[str], Collection[str]]:
    """Return the cleaned label of every row, equal ones as one object, and the different ones."""
    labels: list[str] = []
    texts: dict[str, str] = {}
    for row, cell in enumerate(grid.columns[column]):
        text = clean_text(cell, NAME_LIMIT + 1)
        if is_missing(text, LABEL_GAPS):
            raise DataError(f"{grid.where(row, column)}: the class is missing ({quoted(text)})")
        if len(text) > NAME_LIMIT or len(cell) > _MOST_CHARACTERS:
            raise DataError(f"{grid.where(row, column)}: a class name of more than {NAME_LIMIT} characters")
        labels.append(texts.setdefault(text, text))
    return labels, texts


def _by_name(names: Sequence[str], label: str) -> int | None:
    if label in names:
        return names.index(label)
    wanted = clean_text(label).casefold()
    found = [j for j, name in enumerate(names) if name.casefold() == wanted]
    return found[0] if len(found) == 1 else None


def _finite(cell: str, separator: str) -> float | None:
    number = parse_number(cell, decimal_comma=separator != "," and has_decimal_comma(cell))
    return number if number is not None and math.isfinite(number) else None


def _canonical(cell: str, separator: str) -> str:
    """Write a numeric label in one way; whole numbers keep all digits, beyond what a double holds."""
    if re.fullmatch(r"[+-]?[0-9]+", cell):
        return str(int(cell))
    number = _finite(cell, separator)
    assert number is not None
    return number_text(number + 0.0)


def _refuse_measurements(grid: Grid, column: int, n_rows: int, classes: Sequence[str], numeric: bool) -> None:
    """Refuse too many different values for a class: above 50, above half the rows, or many with fractions."""
    name = grid.names[column]
    many = len(classes) > MOST_CLASSES or 2 * len(classes) > n_rows > 1
    fractions = numeric and len(classes) > _MOST_FRACTIONAL_CLASSES and any("." in text for text in classes)
    if not many and not fractions:
        return
    kind = "numbers" if numeric else "texts"
    found = f"{len(classes)} different {kind} in {n_rows} rows, such as {quoted(classes[len(classes) // 2])}"
    verdict = "it looks like a regression target, not a class" if numeric else "it does not look like a class"
    raise DataError(f"{grid.place}: column '{name}' holds {found}: {verdict}; {_ANOTHER}")


def _note_case(grid: Grid, classes: Sequence[str], notes: list[str]) -> None:
    spellings = Counter(text.casefold() for text in classes)
    alike = [text for text in classes if spellings[text.casefold()] > 1]
    if alike:
        notes.append(f"{grid.place}: classes {listed(alike)} differ in upper and lower case only; kept apart")
