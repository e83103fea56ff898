"""The report's picture: accuracy against area, as a self-contained SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 900, 480
LEFT, RIGHT, TOP, BOTTOM = 74, 24, 26, 64
PROHIBITIVE_CM2 = 20.0
"""Above about 20 cm2 the literature calls a printed circuit prohibitive."""
FAR_BELOW = 0.15
"""A majority line further below the circuits than this is named at the foot of the picture instead of drawn."""


@dataclass(frozen=True)
class Mark:
    """One design in the picture: accuracies as fractions, `low`..`high` the interval of the test accuracy.

    `baseline` is the name written beside a baseline; None for a circuit of the front.
    """

    label: str
    area_cm2: float
    test: float
    low: float
    high: float
    validation: float
    baseline: str | None = None


@dataclass(frozen=True)
class Scale:
    """Data to pixels: log10 of area on x, accuracy on y."""

    decades: tuple[int, int]
    accuracies: tuple[float, float]

    def x(self, area_cm2: float) -> float:
        """Pixel column of an area; areas left of the axis sit on it."""
        first, last = self.decades
        place = (math.log10(max(area_cm2, 10.0**first)) - first) / (last - first)
        return LEFT + place * (WIDTH - LEFT - RIGHT)

    def y(self, accuracy: float) -> float:
        """Pixel row of an accuracy."""
        low, high = self.accuracies
        return TOP + (high - accuracy) / (high - low) * (HEIGHT - TOP - BOTTOM)


def area_accuracy_svg(marks: Sequence[Mark], majority: float) -> str:
    """Draw the designs, the majority line and the 20 cm2 mark.

    Parameters
    ----------
    marks : the baselines and the front.
    majority : test accuracy of always answering the most frequent training class.
    """
    scale = _scale(marks, majority)
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Accuracy against circuit area" xmlns="http://www.w3.org/2000/svg">',
        *_prohibitive(scale),
        *_axes(scale),
        *_majority(scale, majority),
        *_validation_line(scale, marks),
        *(_mark(scale, mark) for mark in marks),
        "</svg>",
    ]
    return "\n".join(parts)


def _scale(marks: Sequence[Mark], majority: float) -> Scale:
    areas = [m.area_cm2 for m in marks if m.area_cm2 > 0] or [1.0]
    first = max(-4, math.floor(math.log10(min(areas))))
    last = max(first + 1, math.ceil(math.log10(max(areas) * 1.15)))
    lowest = min([*(m.low for m in marks), *(m.validation for m in marks)])
    lowest = min(lowest, majority) if majority > lowest - FAR_BELOW else lowest
    highest = max([m.high for m in marks] + [m.validation for m in marks])
    low = max(0.0, math.floor((lowest - 0.01) * 20) / 20)
    high = min(1.0, math.ceil((highest + 0.005) * 20) / 20)
    return Scale((first, last), (low, max(high, low + 0.05)))


def _axes(scale: Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    low, high = scale.accuracies
    step = 0.05 if high - low <= 0.4 else 0.1
    for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        y = scale.y(k * step)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{k * step:.0%}</text>')
    for decade in range(scale.decades[0], scale.decades[1]):
        for minor in range(2, 10):
            x = scale.x(minor * 10.0**decade)
            parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>')
    for decade in range(scale.decades[0], scale.decades[1] + 1):
        x = scale.x(10.0**decade)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        label = f"{10.0**decade:g}"
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{label}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    parts.append(
        f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 14}" text-anchor="middle">'
        "cell area (cm²), log scale</text>"
    )
    parts.append(
        f'<text class="label" transform="translate(18 {(TOP + bottom) / 2:.0f}) rotate(-90)" '
        'text-anchor="middle">accuracy</text>'
    )
    return parts


def _prohibitive(scale: Scale) -> list[str]:
    if 10.0 ** scale.decades[1] <= PROHIBITIVE_CM2:
        return []
    x, right, bottom = scale.x(PROHIBITIVE_CM2), WIDTH - RIGHT, HEIGHT - BOTTOM
    shade = f'x="{x:.1f}" y="{TOP}" width="{right - x:.1f}" height="{bottom - TOP}"'
    note = f'x="{right - 6}" y="{bottom - 8}" text-anchor="end"'
    return [
        f'<rect class="prohibitive" {shade}/>',
        f'<text class="note" {note}>above 20 cm²: prohibitive</text>',
    ]


def _majority(scale: Scale, majority: float) -> list[str]:
    if majority < scale.accuracies[0]:
        foot = HEIGHT - BOTTOM - 8
        return [
            f'<text class="note" x="{LEFT + 8}" y="{foot}">below the axis: majority class, {majority:.1%}</text>'
        ]
    y = scale.y(majority)
    return [
        f'<line class="majority" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>',
        f'<text class="note" x="{LEFT + 8}" y="{y - 6:.1f}">always the majority class: {majority:.1%}</text>',
    ]


def _validation_line(scale: Scale, marks: Sequence[Mark]) -> list[str]:
    front = sorted((m for m in marks if m.baseline is None), key=lambda m: m.area_cm2)
    if not front:
        return []
    steps = [f"M{scale.x(front[0].area_cm2):.1f} {scale.y(front[0].validation):.1f}"]
    for mark in front[1:]:
        steps.append(f"H{scale.x(mark.area_cm2):.1f} V{scale.y(mark.validation):.1f}")
    return [f'<path class="validation" d="{" ".join(steps)}"/>']


def _mark(scale: Scale, mark: Mark) -> str:
    x, y = scale.x(mark.area_cm2), scale.y(mark.test)
    top, bottom = scale.y(mark.high), scale.y(mark.low)
    title = (
        f"<title>{mark.label}: {mark.area_cm2:.4g} cm², test {mark.test:.1%} "
        f"({mark.low:.1%} to {mark.high:.1%}), validation {mark.validation:.1%}</title>"
    )
    whisker = f'<line class="whisker" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>'
    if mark.baseline is None:
        return f'<g class="front">{title}{whisker}<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5"/></g>'
    diamond = f"M{x:.1f} {y - 9:.1f} l8 9 l-8 9 l-8 -9 z"
    line = bottom + 20 if mark.baseline == "exact" else top - 8
    name = f'<text class="name" x="{x:.1f}" y="{line:.1f}" text-anchor="middle">{mark.baseline}</text>'
    return f'<g class="{mark.baseline}">{title}{whisker}<path d="{diamond}"/>{name}</g>'
