"""What a run's report says of printing defects: the merit of prints, and what `flows.defects` left of a circuit."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from flows.defects_options import RECORD
from flows.panel import Share
from flows.run import Run
from flows.wording import interval_words
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.files import MOST_JSON, parse_json, read_text
from printedmlp.front import FrontPoint

Figures = Mapping[str, Any]
Records = Mapping[str, Figures]


def defect_files(run: Run) -> tuple[str, ...]:
    """The records that `flows.defects` put into the folders of designs, relative to the run's."""
    found = sorted(run.path("designs").glob(f"*/{RECORD}"))
    return tuple(path.relative_to(run.folder).as_posix() for path in found)


def defect_records(run: Run) -> Records:
    """What the report tells of them by circuit; a record that is none is left out with a warning."""
    found = {}
    for file in defect_files(run):
        path = run.path(file)
        try:
            found[path.parent.name] = told_of(parse_json(read_text(path, MOST_JSON)))
        except (KeyError, TypeError, ValueError, ArithmeticError, DataError) as error:
            words = f"{path}: is damaged ({type(error).__name__}: {error}); the report does without it"
            warnings.warn(words, PrintedMLPWarning, stacklevel=2)
    return found


def told_of(record: Figures) -> dict[str, Any]:
    """Of a record of `flows.defect_figures` what a report tells; an error of any kind where it is none."""
    settings = record["settings"]
    return {
        "rows": int(record["rows"]),
        "draws": int(settings["draws"]),
        "loss": _share(settings["loss"]),
        "yields": [
            (_share(found["device_yield"]), _share(found["working"]), _ends(found["interval"]))
            for found in record["yields"]
        ],
    }


def _share(value: Any) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{value} is no share")
    return float(value)


def _ends(interval: Any) -> tuple[float, float]:
    low, high = map(_share, interval)
    return low, high


def prints_words(point: FrontPoint, device_yield: float | None, record: Figures | None) -> str:
    """Sentences on the prints of a circuit; empty where nothing is known of them.

    Parameters
    ----------
    device_yield : of the run's `fault_tolerance`; None without.
    record : of `defect_records`; None without.
    """
    told = []
    if device_yield is not None and point.printed_merit is not None:
        metric = ", told in balanced accuracy" if point.metric == "macro_f1" else ""
        told.append(
            f"At device yield {device_yield:g} prints are expected to have a merit of {point.printed_merit:.1%} on "
            f"average{metric}, by what each single fault costs on training and validation rows."
        )
    if record:
        told.append(
            f"Of {record['draws']} prints drawn at each device yield these shares lose at most "
            f"{record['loss']:.1%} of accuracy on the {record['rows']} test rows."
        )
    return " ".join(told)


def working_prints(record: Figures | None) -> tuple[Share, ...]:
    """Share of working prints by device yield."""
    if not record:
        return ()
    return tuple(
        Share(f"{device_yield:g}", working, (interval_words(interval),))
        for device_yield, working, interval in record["yields"]
    )
