"""The picture of a comparison: a panel for each data set, area against test accuracy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from flows.chosen_by import CLASSIFIER, SYSTEM, system_area
from flows.compare_text import power
from flows.compared_levels import LevelMean
from flows.compared_row import ADDERS, FOREIGN, OTHERS, PUBLISHED, Row
from flows.comparison import Comparison, series_name
from flows.mapping import TEXTBOOK
from flows.plot import OUTLINES, key_svg, score_svg
from flows.plot_axes import HEIGHT, WIDTH, Axis, Mark, ordered_axes

FONT = "system-ui, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
TITLE, KEY = 34, 24
"""Pixels above a panel for its title, and of a line of the legend."""
NAMED_SERIES = (FOREIGN, PUBLISHED)


def panel_svg(found: Comparison, name: str) -> str:
    """One data set's panel of the picture, which has nothing to link to."""
    marks = [replace(mark, target="") for mark in marks_of(found, name)]
    return score_svg(marks, axes_of(found)[0], metric="accuracy", majority=majority_of(found, name))


def axes_of(found: Comparison) -> list[Axis]:
    """Along what circuits are drawn, the figure that chose them first."""
    return ordered_axes(found.nominal, found.chosen_by)


def majority_of(found: Comparison, name: str) -> float:
    """Accuracy of always answering the most frequent class, the mean over a data set's splits."""
    tested = {
        row.split: row.figures["majority_accuracy"] for row in found.of_data_set(name) if row.split is not None
    }
    return float(sum(tested.values()) / len(tested))


def marks_of(found: Comparison, name: str) -> list[Mark]:
    """The circuits of one split; of several splits the means by level, and the circuits hollow behind them."""
    rows = found.keyed(name)
    if found.n_splits(name) == 1:
        return [_mark(found, key, row, filled=True) for key, row in rows]
    # A mean over some of the splits only would stand beside means over all of them.
    means = [_mean(level, found.chosen_by) for level in found.levels_of(name) if level.n == level.n_splits]
    return [*means, *(_mark(found, key, row, filled=row.series == PUBLISHED) for key, row in rows)]


def _mark(found: Comparison, key: str, row: Row, *, filled: bool) -> Mark:
    own = row.figures
    return Mark(
        label=f"{row.id}{f' [{row.variant}]' if row.variant else ''}",
        stage=row.series,
        area_cm2=row.area_cm2,
        power_mw=power(own, found.nominal, found.nominal),
        test=row.accuracy,
        validation=row.validation,
        interval=(own["interval"][0], own["interval"][1]) if own["interval"] else None,
        on_front=filled and row.series != ADDERS,
        # A run that another figure decided has no front along this one.
        on_stage_front=filled and row.series not in OTHERS and row.chosen_by == found.chosen_by,
        line=row.variant,
        name=row.id if row.series in NAMED_SERIES and filled else "",
        delay_ms=own["delay_ms"][found.nominal] if own["delay_ms"] else None,
        system_cm2=system_area(own["system"]),
        target=key,
    )


def _mean(level: LevelMean, decisive: str) -> Mark:
    area = level.area.mean or 0.0
    accuracy, deviation = level.accuracy.mean or 0.0, level.accuracy.deviation
    return Mark(
        label=f"{level.series}, mean of {level.n} of {level.n_splits} splits",
        stage=level.series,
        area_cm2=area if decisive == CLASSIFIER else None,
        system_cm2=area if decisive == SYSTEM else None,
        power_mw=level.power.mean,
        test=accuracy,
        validation=None,
        interval=None if deviation is None else (accuracy - deviation, min(1.0, accuracy + deviation)),
        line=level.variant,
        name="",
    )


def shown_series(found: Comparison) -> list[str]:
    """The series that are drawn, in the order of the legend."""
    return [series for series in OUTLINES if series in {row.series for row in found.rows}]


def key_of(series: str) -> str:
    """A series' mark for the legend."""
    return key_svg(series, filled=series not in (TEXTBOOK, ADDERS))


def picture_svg(found: Comparison, style: str) -> str:
    """All panels in one file that stands alone, two in a row, the legend below.

    Parameters
    ----------
    style : the style sheet that the page has too.
    """
    sets, keys = found.data_sets, shown_series(found)
    columns = min(2, len(sets))
    lines = -(-len(sets) // columns)
    width, step = columns * WIDTH, HEIGHT + TITLE
    legend = _legend(keys, lines * step, width)
    height = lines * step + KEY * (1 + legend.count('class="key-line"'))
    panels = [
        _placed(found, name, number % columns * WIDTH, number // columns * step) for number, name in enumerate(sets)
    ]
    size = f'width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} font-family="{FONT}">'
    frame = f'<rect {size} fill="#fff"/>'
    return "\n".join([head, f"<style>{style}</style>", frame, *panels, legend, "</svg>\n"])


def _placed(found: Comparison, name: str, x: int, y: int) -> str:
    title = f'<text x="{x + WIDTH / 2}" y="{y + 22}" text-anchor="middle" class="title">{escape(name)}</text>'
    inner = panel_svg(found, name).replace(
        "<svg ", f'<svg x="{x}" y="{y + TITLE}" width="{WIDTH}" height="{HEIGHT}" ', 1
    )
    return title + "\n" + inner


def _legend(keys: Sequence[str], top: int, width: int) -> str:
    """Keys and names in columns below the panels."""
    each = 170
    per_line = max(1, (width - 40) // each)
    parts = []
    for number, series in enumerate(keys):
        x, y = 40 + number % per_line * each, top + number // per_line * KEY
        mark = re.sub(r"^<svg ", f'<svg x="{x}" y="{y}" ', key_of(series))
        group = ' class="key-line"' if number % per_line == 0 else ""
        parts.append(
            f'<g{group}>{mark}<text x="{x + 24}" y="{y + 13}" class="key-name">{series_name(series)}</text></g>'
        )
    return "\n".join(parts)
