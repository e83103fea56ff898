"""The cells of a table as text: which are numbers, which are missing, and the one way a number is written."""

import math
import re

BETWEEN = "\0"
"""Stands between cells where many are in one text; none holds it, since a table with a zero byte is refused."""

FEATURE_GAPS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none", "-"})
"""What a missing input is written as, in any case of letters."""

LABEL_GAPS = FEATURE_GAPS - {"-", "none"}
"""What a missing label is written as; `-` (beside `+`) and `none` are classes in real tables."""

# Digits behind a mark that need not be there would be tried in all splits: quadratic time for a long cell.
_NUMBER = r"[+-]?(?:[0-9]+(?:{0}[0-9]*)?|{0}[0-9]+)(?:[eE][+-]?[0-9]+)?"
_POINT, _COMMA = (re.compile(_NUMBER.format(mark)) for mark in (r"\.", ","))
_POINTS, _COMMAS = (re.compile(rf"{one.pattern}(?:\0{one.pattern})*+") for one in (_POINT, _COMMA))
_INFINITY = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)


def is_missing(cell: str, gaps: frozenset[str] = FEATURE_GAPS) -> bool:
    """Tell whether a cell stands for no value."""
    return cell.lower() in gaps


def has_decimal_comma(cell: str) -> bool:
    """Tell whether a cell is a number that is only a number when the comma is read as the decimal point."""
    return "," in cell and _COMMA.fullmatch(cell) is not None


def parse_number(cell: str, decimal_comma: bool = False) -> float | None:
    """Read a plain decimal number, None for anything else.

    Infinity by name (of either sign) or by overflow is read as infinite, so that the caller can say so. Digit
    groups, underscores, units and hexadecimal are no numbers.
    """
    if (_COMMA if decimal_comma else _POINT).fullmatch(cell):
        return float(cell.replace(",", "."))
    return math.inf if _INFINITY.fullmatch(cell) else None


def parse_numbers(cells: str, decimal_comma: bool = False) -> list[float | None]:
    """Read many cells, in one text with `BETWEEN` between them, as `parse_number` reads each."""
    if (_COMMAS if decimal_comma else _POINTS).fullmatch(cells):
        return list(map(float, cells.replace(",", ".").split(BETWEEN)))
    return [parse_number(cell, decimal_comma) for cell in cells.split(BETWEEN)]


def number_text(value: float) -> str:
    """Write the shortest decimal that reads back to the same double, whole numbers without a point."""
    return repr(float(value)).removesuffix(".0")
