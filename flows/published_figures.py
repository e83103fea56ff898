"""Figures of others, from a file, as rows that stand beside what is measured."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.compared_row import KEPT, PUBLISHED, Row
from printedmlp.errors import DataError
from printedmlp.names import clean_text

PUBLISHED_COLUMNS = ("label", "accuracy", "area_cm2", "power_mw")


def published_rows(path: Path, data_sets: Sequence[str]) -> list[Row]:
    """Rows of a CSV file with the columns label, accuracy (0 to 1), area_cm2, power_mw, and perhaps data_set.

    Parameters
    ----------
    data_sets : those compared; with several, every line has to name one of them.

    Raises
    ------
    DataError : naming the line and the value that is wrong.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in PUBLISHED_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: has no column '{missing[0]}'; it needs {', '.join(PUBLISHED_COLUMNS)}")
            return [_published(path, reader.line_num, row, data_sets) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _published(path: Path, line: int, row: Mapping[str, str | None], data_sets: Sequence[str]) -> Row:
    place = f"{path} line {line}"
    name = row.get("data_set") or (data_sets[0] if len(data_sets) == 1 else "")
    if name not in data_sets:
        raise DataError(f"{place}, column 'data_set': {name!r:.40} is not one of {', '.join(data_sets)}")
    accuracy, area = _number(place, row, "accuracy", 1.0), _number(place, row, "area_cm2", math.inf)
    if accuracy is None or area is None:
        raise DataError(f"{place}: accuracy and area_cm2 must be given")
    power = _number(place, row, "power_mw", math.inf)
    figures = {**dict.fromkeys((*KEPT, "total_mw")), "accuracy": accuracy, "area_cm2": area, "reported_mw": power}
    label = clean_text(row.get("label") or "", 60) or f"line {line}"
    return Row(data_set=name, series=PUBLISHED, id=label, stage=PUBLISHED, figures=figures, source=path.name)


def _number(place: str, row: Mapping[str, str | None], column: str, most: float) -> float | None:
    text = (row.get(column) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= most or math.isinf(value):
        raise DataError(f"{place}, column '{column}': {text!r:.40} is not a number in 0..{most:g}")
    return value
