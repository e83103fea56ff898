"""A schematic of a small netlist as SVG: gates in columns, inputs by name, wires along two directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from hdl.blocks import Blocks
from hdl.drawing import FONT, GREY_LINE, INK, SOFT, number
from hdl.layered import GATE, INPUT, OUTPUT, PASS, Columns, Node, columns_of, tracks
from hdl.layout import Look, Names, looks, part_name, shortened
from hdl.symbols import BODY, BUBBLE, Symbol
from printedmlp.circuit import Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.names import clean_text
from printedmlp.technology import Technology

MOST_CELLS = 80
"""Larger netlists have no schematic: nobody could read it."""
TRACK = 9.0
MARGIN, HEAD = 18.0, 62.0
LETTER = 6.4
"""Width of a letter, about."""
LEAD = 10.0
"""Wire between a symbol and the edge of its column."""
LEAST_WIDTH = 420.0
TINT = 0.35
NAME_BELOW = 20.0
"""Names of gates of one input are below them: the triangles have no room."""


@dataclass(frozen=True)
class _Frame:
    """Left and right edges of the columns, the height that is zero, and that of the lowest node."""

    lefts: tuple[float, ...]
    rights: tuple[float, ...]
    zero: float
    bottom: float


def schematic_svg(netlist: Netlist, technology: Technology, blocks: Blocks, names: Names) -> str | None:
    """The schematic, self-contained; None for a netlist of more than `MOST_CELLS` cells.

    Parameters
    ----------
    blocks : the part that every cell belongs to; gates have the colours of the layout.
    names : of the circuit and its inputs.
    """
    n = len(netlist.instances)
    if n > MOST_CELLS:
        return None
    columns, styles = columns_of(netlist, technology), looks(blocks)
    ways = [tracks(left, right) for left, right in pairwise(columns)]
    frame = _frame(columns, ways, names)
    wires = [line for layer, way in enumerate(ways) for line in _wires(columns, layer, way, frame)]
    drawn = [
        line
        for layer, column in enumerate(columns)
        for node in column
        for line in _node(node, frame, layer, names, blocks.labels, styles)
    ]
    title = f"{names.circuit}: {n} cell{'' if n == 1 else 's'}"
    body = [f'<g fill="none" stroke="{GREY_LINE}" stroke-width="1.3">', *wires, "</g>", *drawn]
    return _document(title, frame, [*_key(styles, names), *body])


def _document(title: str, frame: _Frame, body: Sequence[str]) -> str:
    width, height = number(max(frame.rights[-1] + MARGIN, LEAST_WIDTH)), number(frame.bottom + MARGIN)
    name = escape(clean_text(title, 200))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="{FONT}" font-size="11">',
        f"<title>Schematic of {name}</title>",
        f'<text x="{MARGIN:g}" y="24" font-size="16" font-weight="600" fill="{INK}">{name}</text>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _frame(columns: Columns, ways: Sequence[Mapping[int, tuple[int, float, float]]], names: Names) -> _Frame:
    """Columns side by side, each as wide as its widest node, with room for the upright wires between them."""
    lefts, rights, x = [], [], MARGIN
    for layer, column in enumerate(columns):
        lefts.append(x)
        x += max((_width(node, names) for node in column), default=0.0)
        rights.append(x)
        if layer < len(ways):
            n_tracks = 1 + max((track for track, _, _ in ways[layer].values()), default=-1)
            x += TRACK * (n_tracks + 1)
    tops = [node.y - node.half for column in columns for node in column]
    ends = [node.y + node.half for column in columns for node in column]
    zero = HEAD + MARGIN - min(tops, default=0.0)
    return _Frame(tuple(lefts), tuple(rights), zero, zero + max(ends, default=0.0))


def _width(node: Node, names: Names) -> float:
    if node.kind == GATE:
        assert node.symbol is not None
        return node.symbol.width + 2 * LEAD
    return {INPUT: _label_width(names.input(node.number)), OUTPUT: 46.0, PASS: 0.0}[node.kind]


def _label_width(text: str) -> float:
    return LETTER * len(text) + LEAD + 6


def _wires(columns: Columns, layer: int, way: Mapping[int, tuple[int, float, float]], frame: _Frame) -> list[str]:
    """Wires between two columns: from the driver to the net's track, along it, and to every reader."""
    start, end = frame.rights[layer], frame.lefts[layer + 1]
    sources = {node.net: node.y for node in columns[layer]}
    lines = []
    for net, y in sorted({target for node in columns[layer + 1] for target in node.targets()}):
        if net in way:
            lines.append(_line([(start + TRACK * (way[net][0] + 1), y), (end, y)], frame))
        else:
            lines.append(_line([(start, y), (end, y)], frame))
    readers = [target for node in columns[layer + 1] for target in node.targets()]
    for net, (track, top, bottom) in sorted(way.items()):
        x = start + TRACK * (track + 1)
        lines.append(_line([(start, sources[net]), (x, sources[net])], frame))
        lines.append(_line([(x, top), (x, bottom)], frame))
        branches = {y for other, y in readers if other == net}
        for y in sorted(branches | {sources[net]}):
            if (y > top) + (y < bottom) + (y == sources[net]) + (y in branches) > 2:
                dot = f'cx="{number(x)}" cy="{number(frame.zero + y)}" r="2.6"'
                lines.append(f'<circle {dot} fill="{GREY_LINE}" stroke="none"/>')
    return lines


def _line(points: Sequence[tuple[float, float]], frame: _Frame) -> str:
    places = " ".join(f"{number(x)},{number(frame.zero + y)}" for x, y in points)
    return f'<polyline points="{places}"/>'


def _node(
    node: Node, frame: _Frame, layer: int, names: Names, labels: Sequence[str], styles: Mapping[str, Look]
) -> list[str]:
    left, right, y = frame.lefts[layer], frame.rights[layer], frame.zero + node.y
    if node.kind == PASS:
        return [_stroke(left, y, right)]
    if node.kind == INPUT:
        return [_text(names.input(node.number), right - LEAD - 4, y, "end"), _stroke(right - LEAD, y, right)]
    if node.kind == OUTPUT:
        constant = [_text(str(net), left - 4, y, "end") for net in node.reads if net < FIRST_INPUT]
        return [_stroke(left, y, left + LEAD), _text(f"out[{node.number}]", left + LEAD + 4, y), *constant]
    assert node.symbol is not None
    return _gate(node, node.symbol, styles[labels[node.number]].colour, (left, y, right))


def _gate(node: Node, shape: Symbol, colour: str, place: tuple[float, float, float]) -> list[str]:
    """A gate in the middle of its column, with its pins' wires to the column's edges."""
    left, y, right = place
    x = (left + right - shape.width) / 2
    start = x + shape.pin_depth
    lines = [_stroke(x + shape.width, y, right)]
    for net, pin in zip(node.reads, node.pins, strict=True):
        if net < FIRST_INPUT:
            lines += [_text(str(net), x - LEAD, y + pin, "end"), _stroke(x - LEAD + 3, y + pin, start)]
        else:
            lines.append(_stroke(left, y + pin, start))
    lines.append(_body(shape, colour, x, y))
    lines.append(
        _text(f"g{node.number}", x + BODY / 2 - 3, y + (NAME_BELOW if len(node.pins) == 1 else 0), "middle", 9.0)
    )
    return lines + ([_text(shape.text, x + shape.width / 2, y - 9, "middle", 9.0)] if shape.text else [])


def _body(shape: Symbol, colour: str, x: float, y: float) -> str:
    """The outlines, the first filled with its part's colour, and the bubble."""
    tint = f' fill="{colour}" fill-opacity="{TINT:g}"'
    paths = [f'<path d="{path}"{"" if k else tint}/>' for k, path in enumerate(shape.paths)]
    if shape.inverted:
        paths.append(f'<circle cx="{number(shape.width - BUBBLE)}" cy="0" r="{BUBBLE:g}" fill="#ffffff"/>')
    place = f'transform="translate({number(x)} {number(y)})"'
    return f'<g class="gate" {place} fill="none" stroke="{INK}" stroke-width="1.3">{"".join(paths)}</g>'


def _stroke(x0: float, y: float, x1: float) -> str:
    path = f"M{number(x0)} {number(y)} H{number(x1)}"
    return f'<path d="{path}" fill="none" stroke="{GREY_LINE}" stroke-width="1.3"/>'


def _text(text: str, x: float, y: float, anchor: str = "start", size: float = 11.0) -> str:
    place = f'x="{number(x)}" y="{number(y + size * 0.36)}" font-size="{size:g}" text-anchor="{anchor}"'
    return f'<text {place} fill="{INK if size > 10 else SOFT}">{escape(clean_text(text, 200))}</text>'


def _key(styles: Mapping[str, Look], names: Names) -> list[str]:
    """What the gates' colours mean, in one line below the title."""
    lines, x = [], MARGIN
    for name, look in styles.items():
        text = shortened(part_name(name, names))
        box = f'x="{number(x)}" y="38" width="14" height="12"'
        lines.append(f'<rect {box} fill="{look.colour}" fill-opacity="{TINT:g}" stroke="{SOFT}"/>')
        lines.append(_text(text, x + 20, 44))
        x += 20 + _label_width(text) + 8
    return lines
