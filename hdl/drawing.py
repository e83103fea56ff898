"""Pictures as data: rectangles, lines and words, and their SVG; `hdl.raster` makes PNGs of the same.

Coordinates are pixels to the right and down. A group has coordinates of its own, such as millimetres.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from printedmlp.names import clean_text

INK, SOFT, PALE, WHITE, GREY_LINE = "#1c2430", "#55606e", "#eef1f5", "#ffffff", "#5d6b7e"
FONT = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Rect:
    """A filled rectangle with its upper left corner, perhaps with an outline of a width in the same unit."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str | None = None
    stroke_width: float = 0.0
    kind: str = ""


@dataclass(frozen=True)
class Line:
    """Straight pieces from point to point."""

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    width: float = 1.0
    kind: str = ""


@dataclass(frozen=True)
class Text:
    """Words on a base line; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: float = 12.0
    colour: str = INK
    anchor: str = "start"
    bold: bool = False


Mark = Rect | Line | Text


@dataclass(frozen=True)
class Group:
    """Marks in a unit of their own: `scale` pixels, from (x, y) on; `name` says of what."""

    x: float
    y: float
    scale: float
    marks: tuple[Mark, ...]
    name: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture of a size in pixels; `title` is what it shows in one line."""

    width: float
    height: float
    title: str
    items: tuple[Mark | Group, ...]


def svg_text(drawing: Drawing) -> str:
    """A self-contained SVG document; the same text for the same drawing."""
    width, height = number(drawing.width), number(drawing.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{FONT}">',
        f"<title>{escape(clean_text(drawing.title, 300))}</title>",
        *_elements(drawing.items),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def number(value: float, digits: int = 2) -> str:
    """A number without needless digits."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _elements(items: Iterable[Mark | Group]) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, Group):
            place = f"translate({number(item.x)} {number(item.y)}) scale({number(item.scale, 4)})"
            lines += [f'<g transform="{place}" data-unit={quoteattr(item.name)}>', *_marks(item.marks, 5), "</g>"]
        else:
            lines += _marks([item], 2)
    return lines


def _marks(marks: Sequence[Mark], digits: int) -> list[str]:
    """Elements of the marks; rectangles that look alike share a group, which keeps thousands of them short."""
    lines: list[str] = []
    for style, alike in groupby(marks, key=_style):
        own = list(alike)
        if style is None or len(own) == 1:
            lines += [_element(mark, style or "", digits) for mark in own]
        else:
            lines += [f"<g{style}>", *(_element(mark, "", digits) for mark in own), "</g>"]
    return lines


def _style(mark: Mark) -> str | None:
    """What marks have to share to be grouped; None for words."""
    if isinstance(mark, Text):
        return None
    kind = f" class={quoteattr(mark.kind)}" if mark.kind else ""
    if isinstance(mark, Line):
        return f'{kind} fill="none" stroke="{mark.colour}" stroke-width="{number(mark.width, 4)}"'
    line = f' stroke="{mark.stroke}" stroke-width="{number(mark.stroke_width, 4)}"' if mark.stroke else ""
    return f'{kind} fill="{mark.fill}"{line}'


def _element(mark: Mark, style: str, digits: int) -> str:
    if isinstance(mark, Rect):
        x, y, width, height = (number(v, digits) for v in (mark.x, mark.y, mark.width, mark.height))
        return f'<rect{style} x="{x}" y="{y}" width="{width}" height="{height}"/>'
    if isinstance(mark, Line):
        points = " ".join(f"{number(x, digits)},{number(y, digits)}" for x, y in mark.points)
        return f'<polyline{style} points="{points}"/>'
    place = f'x="{number(mark.x, digits)}" y="{number(mark.y, digits)}" font-size="{number(mark.size, digits)}"'
    weight = ' font-weight="600"' if mark.bold else ""
    anchor = f' text-anchor="{mark.anchor}"' if mark.anchor != "start" else ""
    return f'<text {place} fill="{mark.colour}"{anchor}{weight}>{escape(clean_text(mark.text, 300))}</text>'
