"""A comparison in a terminal: a table of circuits for each data set, the levels, and the adder graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.chosen_by import SYSTEM
from flows.compared_levels import BEST, LevelMean, Spread
from flows.compared_row import ADDERS, Row
from flows.comparison import Comparison, short_name
from flows.wording import NOTHING, significant


def comparison_text(found: Comparison) -> str:
    """All tables, one data set after the other."""
    return "\n".join(line for name in found.data_sets for line in _data_set(found, name)) + "\n"


def _data_set(found: Comparison, name: str) -> list[str]:
    rows = found.of_data_set(name)
    parts = [f"{name}: {counts(found, name)}; {majority(rows)}", table(*circuit_cells(found, name))]
    parts += ["", levels_head(found, name), table(*level_cells(found, name))]
    if adders := adder_cells(rows):
        parts += ["", f"the same weights as shared adder graphs (da4ml {found.library})", table(*adders)]
    return [*parts, ""]


def counts(found: Comparison, name: str) -> str:
    """Runs, splits and test rows of a data set in words."""
    runs = found.runs_of(name)
    n = sorted({run["rows"]["test"] for run in runs})
    splits = found.n_splits(name)
    tested = f"{n[0]} test rows" if len(n) == 1 else f"{n[0]} to {n[-1]} test rows"
    return f"{tested}, the same for all" if splits == 1 else f"{splits} different splits of {tested} each"


def majority(rows: Sequence[Row]) -> str:
    """Accuracy of always answering the most frequent class, over the splits."""
    values = {row.split: row.figures["majority_accuracy"] for row in rows if row.split is not None}
    return f"always the majority class: {share(Spread.of(list(values.values())))}"


def circuit_cells(found: Comparison, name: str) -> tuple[list[str], list[list[str]]]:
    """Head and cells of the table of circuits, one line each."""
    seeds, volts = found.n_splits(name) > 1, found.ends
    head = ["series", "circuit", *(["seed"] if seeds else []), "test", "95 %", "balanced", "valid.", "cm2"]
    head += [
        *(f"mW {v} V" for v in volts),
        f"ms {found.nominal} V",
        "cells",
        *(f"+{kind}" for kind in found.front_ends),
        "checked",
    ]
    return head, [_cells(found, row, seeds) for row in found.of_data_set(name)]


def _cells(found: Comparison, row: Row, seeds: bool) -> list[str]:
    own, nominal = row.figures, found.nominal
    series = f"{short_name(row.series)}{f' [{row.variant}]' if row.variant else ''}"
    return [
        *(series, row.id, *([NOTHING if row.seed is None else str(row.seed)] if seeds else [])),
        *(percent(own["accuracy"]), interval(own), percent(own["balanced_accuracy"]), percent(row.validation)),
        significant(own["area_cm2"]),
        *(significant(power(own, voltage, nominal)) for voltage in found.ends),
        significant(own["delay_ms"][nominal] if own["delay_ms"] else None),
        NOTHING if own["cells"] is None else str(own["cells"]),
        *(significant(system_area(own, kind)) for kind in found.front_ends),
        row.proof["verdict"] if row.proof else NOTHING,
    ]


def power(figures: Mapping[str, Any], voltage: str, nominal: str) -> float | None:
    """Static power in mW; of reported figures the one there is, told for the nominal voltage."""
    if figures["power_mw"] is None:
        return figures.get("reported_mw") if voltage == nominal else None
    return figures["power_mw"][voltage]  # type: ignore[no-any-return]


def system_area(figures: Mapping[str, Any], kind: str) -> float | None:
    """Area in cm2 with a kind of front end, None where it is not known."""
    found = (figures["system"] or {}).get(kind)
    return found["area_cm2"] if found else None


def levels_head(found: Comparison, name: str) -> str:
    """What the table of levels tells."""
    n = found.n_splits(name)
    over = f", mean ± standard deviation over {n} splits" if n > 1 else ""
    return f"smallest circuit of each series by loss of validation score{over}"


def level_cells(found: Comparison, name: str) -> tuple[list[str], list[list[str]]]:
    """Head and cells of the table of levels."""
    area = "system cm2" if found.chosen_by == SYSTEM else "cm2"
    head = ["level", "series", "splits", "test", "balanced", area, f"mW {found.nominal} V"]
    return head, [_level(level) for level in found.levels_of(name)]


def _level(level: LevelMean) -> list[str]:
    series = f"{short_name(level.series)}{f' [{level.variant}]' if level.variant else ''}"
    return [
        *(level_name(level.loss), series, f"{level.n} of {level.n_splits}"),
        *(share(level.accuracy), share(level.balanced), spread_text(level.area), spread_text(level.power)),
    ]


def level_name(loss: float) -> str:
    """A level in words."""
    if loss == BEST:
        return "best score"
    return "no loss" if loss == 0 else f"−{loss:g} point{'' if loss == 1 else 's'}"


def adder_cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]] | None:
    """Head and cells of the table of adder graphs; None without any."""
    own = [row for row in rows if row.series == ADDERS and row.beside]
    head = ["network", "seed", "form", "our adders, cm2", "adder graph, cm2", "graph / ours", "its adders"]
    cells = []
    for row in own:
        beside = row.beside or {}
        ours, graph = beside["area_cm2"], row.area_cm2
        ratio = f"{graph / ours:.2f}" if ours else NOTHING
        figures = [significant(ours), significant(graph), ratio, str(beside["adders"])]
        cells.append([beside["id"], str(row.seed), row.form, *figures])
    return (head, cells) if cells else None


def percent(value: float | None) -> str:
    """A share with one digit."""
    return NOTHING if value is None else f"{value:.1%}"


def interval(figures: Mapping[str, Any]) -> str:
    """The 95 % interval of the accuracy."""
    ends = figures["interval"]
    return NOTHING if ends is None else f"{100 * ends[0]:.1f}-{ends[1]:.1%}"


def share(value: Spread) -> str:
    """Mean and deviation of a share."""
    if value.mean is None:
        return NOTHING
    return f"{value.mean:.1%}" + (f" ± {value.deviation:.1%}" if value.deviation is not None else "")


def spread_text(value: Spread) -> str:
    """Mean and deviation of a figure."""
    if value.mean is None:
        return NOTHING
    return significant(value.mean) + (f" ± {significant(value.deviation)}" if value.deviation is not None else "")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, the first two to the left, the others to the right."""
    widths = [max(len(line[k]) for line in (head, *rows)) for k in range(len(head))]
    return "\n".join(_line(line, widths) for line in (head, *rows))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    placed = [f"{c:<{w}}" if k < 2 else f"{c:>{w}}" for k, (c, w) in enumerate(zip(cells, widths, strict=True))]
    return "  ".join(placed).rstrip()
