"""The report's pictures: score against area and against power, as self-contained SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from printedmlp.power_sources import POWER_SOURCES

WIDTH, HEIGHT = 560, 430
LEFT, RIGHT, TOP, BOTTOM = 68, 16, 28, 54
PROHIBITIVE_CM2 = 20.0
"""Above about 20 cm2 the literature calls a printed circuit prohibitive."""
FAR_BELOW = 0.15
"""A majority line further below the circuits than this is named at the foot of the picture instead of drawn."""
SMALLEST_DECADE = -5
FOOT = 24
"""Pixels above the axis that are kept for the note on the majority class."""
SHAPES = {
    "textbook": "M0 -7.5 L6.5 0 L0 7.5 L-6.5 0 Z",
    "exact": "M0 -7.5 L6.5 0 L0 7.5 L-6.5 0 Z",
    "paper": "M-4.6 -4.6 H4.6 V4.6 H-4.6 Z",
    "tree": "M0 -6.2 L5.8 4.4 H-5.8 Z",
    "search": "M-5.2 0 A5.2 5.2 0 1 1 5.2 0 A5.2 5.2 0 1 1 -5.2 0 Z",
    "refine": "M0 -7.6 L1.9 -2.6 L7.2 -2.3 L3.1 1 L4.5 6.1 L0 3.2 L-4.5 6.1 L-3.1 1 L-7.2 -2.3 L-1.9 -2.6 Z",
}
"""Outline of each stage's mark about its centre, in pixels: the stages are told apart without their colours too."""
OUTLINES = {
    **SHAPES,
    "ours": "M-5.2 0 A5.2 5.2 0 1 1 5.2 0 A5.2 5.2 0 1 1 -5.2 0 Z",
    "adders": "M-2 -6 H2 V-2 H6 V2 H2 V6 H-2 V2 H-6 V-2 H-2 Z",
    "verilog": "M0 -6.4 L6.1 -2 L3.8 5.2 H-3.8 L-6.1 -2 Z",
    "published": "M0 6.2 L5.8 -4.4 H-5.8 Z",
}
"""The same of all that a comparison draws."""
NAMED = ("textbook", "exact")
"""Stages of one circuit, which is named in the picture."""


@dataclass(frozen=True)
class Mark:
    """One circuit in the pictures.

    Attributes
    ----------
    label : its id.
    stage : one of `SHAPES`, which decides shape and colour.
    area_cm2, power_mw : where it stands on the axes.
    test, validation : values of the chosen metric, as fractions.
        None where nothing was validated.
    interval : 95 % interval of `test`; None where there is none for the metric.
    on_front : whether it is on the front of all stages; the others are drawn hollow.
    on_stage_front : whether its stage's line goes through it.
    line : tells apart the lines of one stage.
    name : written beside the mark; the baselines' stands there without.
    """

    label: str
    stage: str
    area_cm2: float
    power_mw: float
    test: float
    validation: float | None
    interval: tuple[float, float] | None = None
    on_front: bool = True
    on_stage_front: bool = True
    line: str = ""
    name: str = ""


@dataclass(frozen=True)
class Axis:
    """What a picture shows along x, always on a log scale.

    Attributes
    ----------
    label : with the unit.
    unit : of the values.
    value : a mark's place.
    bounds : places of upright lines and what is written along them, on the side that it holds for.
    beyond : whether that is the right side, where values are larger.
    lines : whether each stage's front is joined; fronts are chosen by area, so only there.
    """

    label: str
    unit: str
    value: Callable[[Mark], float]
    bounds: tuple[tuple[float, str], ...]
    beyond: bool
    lines: bool


def area_axis() -> Axis:
    """Cell area in cm2."""
    bounds = ((PROHIBITIVE_CM2, "above 20 cm²: prohibitive"),)
    return Axis("cell area (cm²), log scale", "cm²", lambda mark: mark.area_cm2, bounds, beyond=True, lines=True)


def power_axis(voltage: str) -> Axis:
    """Power in mW at a voltage, with what printed sources carry."""
    bounds = tuple((source.power_mw, source.name) for source in POWER_SOURCES)
    return Axis(
        f"power at {voltage} V (mW), log scale", "mW", lambda mark: mark.power_mw, bounds, beyond=False, lines=False
    )


@dataclass(frozen=True)
class Scale:
    """Data to pixels: log10 on x, score on y."""

    decades: tuple[int, int]
    scores: tuple[float, float]

    def x(self, value: float) -> float:
        """Pixel column of an area or power; what is left of the axis sits on it."""
        first, last = self.decades
        place = (math.log10(max(value, 10.0**first)) - first) / (last - first)
        return LEFT + place * (WIDTH - LEFT - RIGHT)

    def y(self, score: float) -> float:
        """Pixel row of a score."""
        low, high = self.scores
        return TOP + (high - score) / (high - low) * (HEIGHT - TOP - BOTTOM)


def score_svg(marks: Sequence[Mark], axis: Axis, *, metric: str, majority: float) -> str:
    """Draw the circuits of all stages.

    Parameters
    ----------
    marks : the baselines, the front, and what is shown beside it.
    axis : what is along x.
    metric : name of the score.
    majority : test score of always answering the most frequent training class.
    """
    scale = _scale(marks, axis, majority)
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{metric} against {axis.label}" xmlns="http://www.w3.org/2000/svg">',
        *_axes(scale, axis, metric),
        *_bounds(scale, axis),
        *_majority(scale, majority),
        *(_stage_lines(scale, axis, marks) if axis.lines else []),
        # What matters is drawn last, on top.
        *(_mark(scale, axis, mark) for mark in sorted(marks, key=lambda m: (m.on_front, -axis.value(m)))),
        *_names(scale, axis, marks),
        "</svg>",
    ]
    return "\n".join(parts)


def key_svg(stage: str, *, filled: bool = True) -> str:
    """A stage's mark for the legend."""
    kind = "" if filled else " hollow"
    return (
        '<svg class="plot" width="18" height="18" viewBox="-9 -9 18 18" aria-hidden="true">'
        f'<g class="mark stage-{stage}{kind}"><path d="{OUTLINES[stage]}"/></g></svg>'
    )


def _scale(marks: Sequence[Mark], axis: Axis, majority: float) -> Scale:
    values = [axis.value(m) for m in marks if axis.value(m) > 0] or [1.0]
    first = max(SMALLEST_DECADE, math.floor(math.log10(min(values))))
    last = max(first + 1, math.ceil(math.log10(max(values) * 1.15)))
    shown = [v for m in marks for v in (m.test, *_whisker_ends(m))]
    lowest = min(shown)
    lowest = min(lowest, majority) if majority > lowest - FAR_BELOW else lowest
    low = max(0.0, math.floor((lowest - 0.01) * 20) / 20)
    high = min(1.0, math.ceil((max(shown) + 0.005) * 20) / 20)
    return Scale((first, last), (low, max(high, low + 0.05)))


def _whisker_ends(mark: Mark) -> tuple[float, ...]:
    return mark.interval if mark.interval is not None and mark.on_front else ()


def _axes(scale: Scale, axis: Axis, metric: str) -> list[str]:
    return [*_score_ticks(scale), *_log_ticks(scale), *_axis_names(axis, metric)]


def _score_ticks(scale: Scale) -> list[str]:
    low, high = scale.scores
    step = 0.05 if high - low <= 0.4 else 0.1
    parts = []
    for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        y = scale.y(k * step)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{k * step:.0%}</text>')
    return parts


def _log_ticks(scale: Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>']
    for decade in range(scale.decades[0], scale.decades[1]):
        for minor in range(2, 10):
            x = scale.x(minor * 10.0**decade)
            parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>')
    for decade in range(scale.decades[0], scale.decades[1] + 1):
        x = scale.x(10.0**decade)
        anchor = "end" if decade == scale.decades[1] else "middle"
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        label = f"{10.0**decade:g}"
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{label}</text>')
    return parts


def _axis_names(axis: Axis, metric: str) -> list[str]:
    middle, up = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    return [
        f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{axis.label}</text>',
        f'<text class="label" transform="translate(15 {up:.0f}) rotate(-90)" text-anchor="middle">'
        f"test {metric}</text>",
    ]


def _bounds(scale: Scale, axis: Axis) -> list[str]:
    parts, bottom = [], HEIGHT - BOTTOM
    for value, text in axis.bounds:
        if 10.0 ** scale.decades[0] < value < 10.0 ** scale.decades[1]:
            x = scale.x(value)
            parts.append(f'<line class="bound" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
            place = f'transform="translate({x + (13 if axis.beyond else -4):.1f} {bottom - FOOT}) rotate(-90)"'
            parts.append(f'<text class="note" {place}>{text}</text>')
    return parts


def _majority(scale: Scale, majority: float) -> list[str]:
    if majority < scale.scores[0]:
        foot = HEIGHT - BOTTOM - 8
        return [
            f'<text class="note" x="{LEFT + 6}" y="{foot}">below the axis: majority class, {majority:.1%}</text>'
        ]
    y = scale.y(majority)
    return [f'<line class="majority" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>']


def _stage_lines(scale: Scale, axis: Axis, marks: Sequence[Mark]) -> list[str]:
    parts = []
    for stage, line in sorted(
        {(m.stage, m.line) for m in marks}, key=lambda pair: (list(OUTLINES).index(pair[0]), pair)
    ):
        own = [m for m in marks if (m.stage, m.line) == (stage, line) and m.on_stage_front]
        if len(own) > 1:
            places = (f"{scale.x(axis.value(m)):.1f} {scale.y(m.test):.1f}" for m in sorted(own, key=axis.value))
            parts.append(f'<path class="stage-line stage-{stage}" d="M{" L".join(places)}"/>')
    return parts


def _mark(scale: Scale, axis: Axis, mark: Mark) -> str:
    x, y = scale.x(axis.value(mark)), scale.y(mark.test)
    ends = _whisker_ends(mark)
    interval = f" ({mark.interval[0]:.1%} to {mark.interval[1]:.1%})" if mark.interval else ""
    validation = "" if mark.validation is None else f", validation {mark.validation:.1%}"
    words = f"{mark.label}: {axis.value(mark):.4g} {axis.unit}, test {mark.test:.1%}{interval}{validation}"
    title = f"<title>{escape(words)}</title>"
    rows = [f"{scale.y(end):.1f}" for end in ends]
    whisker = f'<line class="whisker" x1="{x:.1f}" y1="{rows[1]}" x2="{x:.1f}" y2="{rows[0]}"/>' if rows else ""
    kind = "" if mark.on_front and mark.stage != "textbook" else " hollow"
    shape = f'<path transform="translate({x:.1f} {y:.1f})" d="{OUTLINES[mark.stage]}"/>'
    return f'<g class="mark stage-{mark.stage}{kind}">{title}{whisker}{shape}</g>'


def _names(scale: Scale, axis: Axis, marks: Sequence[Mark]) -> list[str]:
    """Names of the baselines, ending at their marks, and those that marks bring with them."""
    return [
        *(_baseline_name(scale, axis, m) for m in marks if m.stage in NAMED and m.on_front and not m.name),
        *(_own_name(scale, axis, m) for m in marks if m.name),
    ]


def _baseline_name(scale: Scale, axis: Axis, mark: Mark) -> str:
    """One above and one below: their scores are the same."""
    x, y = scale.x(axis.value(mark)), scale.y(mark.test) + (22 if mark.stage == "exact" else -14)
    return f'<text class="name stage-{mark.stage}" x="{x:.1f}" y="{y:.1f}" text-anchor="end">{mark.stage}</text>'


def _own_name(scale: Scale, axis: Axis, mark: Mark) -> str:
    """On the side of the mark that has more room."""
    x, y = scale.x(axis.value(mark)), scale.y(mark.test) + 4
    left = x > (LEFT + WIDTH) * 0.6
    place = f'x="{x + (-10 if left else 10):.1f}" y="{y:.1f}" text-anchor="{"end" if left else "start"}"'
    return f'<text class="name own stage-{mark.stage}" {place}>{escape(mark.name)}</text>'
