"""The report's pictures: score against area, power, delay and the merit of prints, as self-contained SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from flows.plot_axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, Mark, Scale, share_ticks, whisker_ends

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


def score_svg(marks: Sequence[Mark], axis: Axis, *, metric: str, majority: float) -> str:
    """Draw the circuits of all stages.

    Parameters
    ----------
    marks : the baselines, the front, and what is shown beside it; those that the axis has no place for are left
        out, and one at least has a place.
    axis : what is along x.
    metric : name of the score.
    majority : test score of always answering the most frequent training class.
    """
    placed = [mark for mark in marks if axis.value(mark) is not None]
    scale = Scale.of(placed, axis, majority)
    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{metric} against {axis.label}" xmlns="http://www.w3.org/2000/svg">',
        *_axes(scale, axis, metric),
        *_bounds(scale, axis),
        *_majority(scale, majority),
        *(_stage_lines(scale, axis, placed) if axis.lines else []),
        # What matters is drawn last, on top.
        *(_mark(scale, axis, mark) for mark in sorted(placed, key=lambda m: (m.on_front, -axis.of(m)))),
        *_names(scale, axis, placed),
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


def _axes(scale: Scale, axis: Axis, metric: str) -> list[str]:
    along = _log_ticks(scale) if scale.shares is None else _share_ticks(scale, *scale.shares)
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    line = f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>'
    return [*_score_ticks(scale), line, *along, *_axis_names(axis, metric)]


def _score_ticks(scale: Scale) -> list[str]:
    parts = []
    for score in share_ticks(*scale.scores):
        y = scale.y(score)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{score:.0%}</text>')
    return parts


def _share_ticks(scale: Scale, low: float, high: float) -> list[str]:
    return [
        part
        for share in share_ticks(low, high)
        for part in _tick(scale.x(share), f"{share:.0%}", "end" if share > high - 1e-9 else "middle")
    ]


def _log_ticks(scale: Scale) -> list[str]:
    bottom, parts = HEIGHT - BOTTOM, []
    for decade in range(scale.decades[0], scale.decades[1]):
        for minor in range(2, 10):
            x = scale.x(minor * 10.0**decade)
            parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>')
    for decade in range(scale.decades[0], scale.decades[1] + 1):
        anchor = "end" if decade == scale.decades[1] else "middle"
        parts += _tick(scale.x(10.0**decade), f"{10.0**decade:g}", anchor)
    return parts


def _tick(x: float, label: str, anchor: str) -> list[str]:
    bottom = HEIGHT - BOTTOM
    return [
        f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>',
        f'<text class="tick below" x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{label}</text>',
    ]


def _axis_names(axis: Axis, metric: str) -> list[str]:
    middle, up = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    return [
        f'<text class="label" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{axis.label}</text>',
        f'<text class="label up" transform="translate(15 {up:.0f}) rotate(-90)" text-anchor="middle">'
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
            places = (f"{scale.x(axis.of(m)):.1f} {scale.y(m.test):.1f}" for m in sorted(own, key=axis.of))
            kind = f'class="stage-line stage-{stage}" data-series="{stage}"'
            parts.append(f'<path {kind} d="M{" L".join(places)}"/>')
    return parts


def _mark(scale: Scale, axis: Axis, mark: Mark) -> str:
    """A mark, which is a link to what the page tells of it; so it can be reached and followed without a script."""
    x, y = f"{scale.x(axis.of(mark)):.1f}", f"{scale.y(mark.test):.1f}"
    words = escape(_words(axis, mark))
    rows = [f"{scale.y(end):.1f}" for end in whisker_ends(mark)]
    whisker = f'<line class="whisker" x1="{x}" y1="{rows[1]}" x2="{x}" y2="{rows[0]}"/>' if rows else ""
    kind = f"mark stage-{mark.stage}" + ("" if mark.on_front and mark.stage != "textbook" else " hollow")
    # The shape lies in a group of its own, so that a style sheet can enlarge it about its centre.
    shape = f'<g transform="translate({x} {y})"><path d="{OUTLINES[mark.stage]}"/></g>'
    drawn = f"<title>{words}</title>{whisker}{shape}"
    if not mark.target:
        return f'<g class="{kind}" data-series="{mark.stage}">{drawn}</g>'
    target = escape(mark.target)
    link = f'href="#{target}" data-of="{target}" data-x="{x}" data-y="{y}" aria-label="{words}"'
    return f'<a class="{kind}" {link}>{drawn}</a>'


def _words(axis: Axis, mark: Mark) -> str:
    interval = f" ({mark.interval[0]:.1%} to {mark.interval[1]:.1%})" if mark.interval else ""
    validation = "" if mark.validation is None else f", validation {mark.validation:.1%}"
    return f"{mark.label}: {axis.words(mark)}, test {mark.test:.1%}{interval}{validation}"


def _names(scale: Scale, axis: Axis, marks: Sequence[Mark]) -> list[str]:
    """Names of the baselines, ending at their marks, and those that marks bring with them."""
    return [
        *(_baseline_name(scale, axis, m) for m in marks if m.stage in NAMED and m.on_front and not m.name),
        *(_own_name(scale, axis, m) for m in marks if m.name),
    ]


def _baseline_name(scale: Scale, axis: Axis, mark: Mark) -> str:
    """One above and one below: their scores are the same."""
    x, y = scale.x(axis.of(mark)), scale.y(mark.test) + (22 if mark.stage == "exact" else -14)
    return f'<text class="name stage-{mark.stage}" x="{x:.1f}" y="{y:.1f}" text-anchor="end">{mark.stage}</text>'


def _own_name(scale: Scale, axis: Axis, mark: Mark) -> str:
    """On the side of the mark that has more room."""
    x, y = scale.x(axis.of(mark)), scale.y(mark.test) + 4
    left = x > (LEFT + WIDTH) * 0.6
    place = f'x="{x + (-10 if left else 10):.1f}" y="{y:.1f}" text-anchor="{"end" if left else "start"}"'
    return f'<text class="name own stage-{mark.stage}" {place}>{escape(mark.name)}</text>'
