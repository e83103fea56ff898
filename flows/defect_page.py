"""The page of a run's defects: accuracy against failed devices and yield against device yield, self-contained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from flows.defect_text import assumption_words, cells_of, critical_words, head_of
from flows.explorer import render
from flows.plot import OUTLINES, key_svg
from flows.plot_axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

Record = Mapping[str, Any]
Point = tuple[float, float]
"""Value on x, and a share."""


def defects_page(found: Mapping[str, Record], stages: Mapping[str, str], source: str) -> str:
    """Fill the page.

    Parameters
    ----------
    found : records of `flows.defect_figures` by circuit.
    stages : the stage of each circuit, one of `flows.plot.OUTLINES`, which decides mark and colour.
    source : what the rows are.
    """
    first = next(iter(found.values()))
    shown = [stage for stage in OUTLINES if stage in {stages[name] for name in found}]
    return render(
        "defects.html.j2",
        [],
        ("compare.css", "defects.css"),
        source=source,
        n_rows=first["rows"],
        loss=f"{first['settings']['loss']:.1%}",
        plots=[Markup(plot) for plot in plots_of(found, stages)],
        keys={stage: Markup(key_svg(stage)) for stage in shown},
        head=head_of(first),
        rows=[cells_of(name, record) for name, record in found.items()],
        critical={name: critical_words(record) for name, record in found.items() if record["critical"]},
        assumptions=assumption_words(first),
    )


def plots_of(found: Mapping[str, Record], stages: Mapping[str, str]) -> list[str]:
    """The two pictures: accuracy against failed devices, and share of working prints against device yield."""
    failed = {
        name: [(0, record["accuracy"]), *map(_failed, record["failed_devices"])] for name, record in found.items()
    }
    yields = {name: [(y["device_yield"], y["working"]) for y in record["yields"]] for name, record in found.items()}
    return [
        plot_svg(failed, stages, "failed devices, drawn at random", "mean accuracy"),
        plot_svg(yields, stages, "device yield", "working prints"),
    ]


def _failed(record: Record) -> Point:
    return record["failed"], record["accuracy"]["mean"]


def plot_svg(lines: Mapping[str, Sequence[Point]], stages: Mapping[str, str], x_name: str, y_name: str) -> str:
    """Lines of circuits over evenly spaced values of x, shares from 0 to 1 on y."""
    values = sorted({x for points in lines.values() for x, _ in points})
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    places = {x: LEFT + step * (k + 0.5) for k, x in enumerate(values)}
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{y_name} against {x_name}" xmlns="http://www.w3.org/2000/svg">',
        *_frame(places, x_name, y_name),
        *(_line(name, points, stages[name], places) for name, points in lines.items()),
        "</svg>",
    ]
    return "\n".join(parts)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _frame(places: Mapping[float, float], x_name: str, y_name: str) -> list[str]:
    """Grid, ticks and names of the axes."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tenth * 10} %</text>')
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    for value, x in places.items():
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>')
    middle, up = (LEFT + right) / 2, (TOP + bottom) / 2
    return [
        *parts,
        f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{x_name}</text>',
        f'<text class="label" transform="translate(15 {up:.0f}) rotate(-90)" text-anchor="middle">{y_name}</text>',
    ]


def _line(name: str, points: Sequence[Point], stage: str, places: Mapping[float, float]) -> str:
    """One circuit's line, with a mark and a title at every value."""
    ends = [(places[x], _y(share), x, share) for x, share in points]
    path = " L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in ends)
    marks = [
        f'<g class="mark stage-{stage}"><title>{escape(name)}: {share:.1%} at {value:g}</title>'
        f'<path transform="translate({x:.1f} {y:.1f})" d="{OUTLINES[stage]}"/></g>'
        for x, y, value, share in ends
    ]
    return "\n".join([f'<path class="stage-line stage-{stage}" d="M{path}"/>', *marks])
