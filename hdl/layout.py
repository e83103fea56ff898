"""A picture of a printed classifier: its cells to scale, every part of the classifier in a colour of its own.

An estimate of a sheet: cells are placed by `hdl.placement` and drawn as boxes of their area; nothing is routed, and
the shapes of cells, the room between them and the places of the ports are assumptions of `hdl.sheet`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from hdl.annealing import nets_of
from hdl.blocks import LEAVES, OTHER, SHARED, Blocks
from hdl.drawing import INK, PALE, SOFT, WHITE, Drawing, Group, Line, Mark, Rect, Text
from hdl.placement import Placement
from hdl.sheet import ESTIMATE
from printedmlp.circuit import Netlist

COLOURS = (*("#332288", "#88ccee", "#cc6677", "#ddcc77", "#117733", "#aa4499", "#44aa99", "#999933", "#882255"),)
"""Paul Tol's "muted" colours, which the colour-blind can tell apart; after the last one they come again, barred."""
GREY = "#c4c9d0"
SEVERAL = (LEAVES, SHARED, OTHER)
"""Grey, since their cells are of several features or outputs, or of no part."""
BAR_PLACES = (0.84, 0.16, 0.5)
"""Middles of the bars of a cell, from the top, in row heights."""
SMALLEST_PX, LARGEST_PX, MOST_PX_PER_MM = 260.0, 640.0, 90.0
"""The longer edge of the sheet in a picture, which small sheets do not fill."""
TOP, FOOT, SIDE, LEGEND = 64.0, 58.0, 150.0, 250.0
NAMED_CELLS = 80
"""Up to so many cells have their connections drawn."""
LABEL_PX = 11.0
STEPS_MM = tuple(m * 10.0**e for e in range(-3, 4) for m in (1, 2, 5))
TICK_PX = 48.0
"""Least room between ticks of the ruler."""
LEAST_WIDTH = 790.0


@dataclass(frozen=True)
class Names:
    """What is written into the pictures of a circuit: its name, and features' names and bits where they are known.

    Input bit i is bit i % input_bits of feature i // input_bits; feature_names may be empty.
    """

    circuit: str
    input_bits: int = 1
    feature_names: tuple[str, ...] = field(default=())

    def feature(self, number: int) -> str:
        """A feature's name, or its number."""
        return self.feature_names[number] if number < len(self.feature_names) else f"feature {number}"

    def input(self, bit: int) -> str:
        """An input bit in words."""
        if not self.feature_names and self.input_bits == 1:
            return f"inp[{bit}]"
        return f"{shortened(self.feature(bit // self.input_bits))} [{bit % self.input_bits}]"


@dataclass(frozen=True)
class Look:
    """How a part of the classifier is drawn."""

    colour: str
    bars: int = 0


def looks(blocks: Blocks) -> dict[str, Look]:
    """Colour and bars of every part that has cells, in the order of the parts."""
    used = [name for name in blocks.names if name in set(blocks.labels)]
    parts = [name for name in used if name not in SEVERAL]
    found = {name: Look(COLOURS[k % len(COLOURS)], k // len(COLOURS)) for k, name in enumerate(parts)}
    return {name: found.get(name, Look(GREY)) for name in used}


def layout_drawing(netlist: Netlist, placement: Placement, blocks: Blocks, names: Names) -> Drawing:
    """The picture: sheet, rows, cells, ports, a ruler in mm and what the colours mean."""
    sheet, styles = placement.sheet, looks(blocks)
    longer = max(sheet.width_mm, sheet.height_mm)
    scale = min(LARGEST_PX, max(SMALLEST_PX, MOST_PX_PER_MM * longer)) / longer
    width, height = sheet.width_mm * scale, sheet.height_mm * scale
    body = Group(SIDE, TOP, scale, tuple(_sheet_marks(netlist, placement, blocks, styles, scale)), "mm")
    legend_x = SIDE + width + 84
    legend = _legend(netlist, placement, blocks, styles, names, legend_x)
    items = (
        *_head(netlist, placement, names),
        body,
        *_cell_names(netlist, placement, styles, blocks, scale),
        *_port_names(placement, names, scale),
        *_ruler(sheet.width_mm, scale, TOP + height + 12),
        *legend,
    )
    tall = max(TOP + height + FOOT, TOP + 20.0 * (len(styles) + 7))
    return Drawing(max(LEAST_WIDTH, legend_x + LEGEND), tall, f"{names.circuit}: {ESTIMATE}", items)


def _sheet_marks(
    netlist: Netlist, placement: Placement, blocks: Blocks, styles: dict[str, Look], scale: float
) -> list[Mark]:
    """Everything that lies on the sheet, in mm from its upper left corner."""
    sheet, line = placement.sheet, 1.0 / scale
    marks: list[Mark] = [Rect(0, 0, sheet.width_mm, sheet.height_mm, WHITE, SOFT, 1.2 * line, "sheet")]
    for bottom in sheet.bottoms_mm:
        top = sheet.height_mm - bottom - sheet.row_height_mm
        marks.append(
            Rect(sheet.left_mm, top, sheet.right_mm - sheet.left_mm, sheet.row_height_mm, PALE, kind="row")
        )
    if len(netlist.instances) <= NAMED_CELLS:
        marks += _connections(netlist, placement, 0.9 * line)
    order = sorted(range(len(blocks.labels)), key=lambda k: (list(styles).index(blocks.labels[k]), k))
    cells = [_cell(placement, k, styles[blocks.labels[k]].colour, scale) for k in order]
    bars = [bar for k, box in zip(order, cells, strict=True) for bar in _bars(box, styles[blocks.labels[k]].bars)]
    return [*marks, *cells, *bars, *_ports(placement)]


def _cell(placement: Placement, k: int, colour: str, scale: float) -> Rect:
    sheet = placement.sheet
    top = sheet.height_mm - float(placement.bottom_mm[k]) - sheet.row_height_mm
    outline = INK if sheet.row_height_mm * scale > 12 else None
    box = (float(placement.left_mm[k]), top, float(placement.width_mm[k]), sheet.row_height_mm)
    return Rect(*box, colour, outline, 0.8 / scale if outline else 0.0, "cell")


def _bars(box: Rect, bars: int) -> list[Rect]:
    """White bars across a cell, for parts whose colour comes again."""
    thick = 0.13 * box.height
    places = [box.y + box.height * middle - thick / 2 for middle in BAR_PLACES[:bars]]
    return [Rect(box.x, place, box.width, thick, WHITE, kind="bar") for place in places]


def _ports(placement: Placement) -> list[Rect]:
    sheet, edge = placement.sheet, placement.sheet.port_mm
    places = [(0.0, y) for y in sheet.inputs_mm] + [(sheet.width_mm - edge, y) for y in sheet.outputs_mm]
    return [Rect(x, sheet.height_mm - y - edge / 2, edge, edge, INK, kind="port") for x, y in places]


def _connections(netlist: Netlist, placement: Placement, width: float) -> list[Line]:
    """Straight lines from what drives a net to what reads it: which, not how."""
    sheet = placement.sheet
    heights = dict(zip(sheet.input_bits, sheet.inputs_mm, strict=True))
    lines = []
    for source, cells, outputs in nets_of(netlist):
        start = (0.0, heights[source]) if source is not None else placement.centre(cells[0])
        ends = [placement.centre(k) for k in (cells if source is not None else cells[1:])]
        ends += [(sheet.width_mm, sheet.outputs_mm[bit]) for bit in outputs]
        lines += [
            Line(((start[0], sheet.height_mm - start[1]), (x, sheet.height_mm - y)), "#8a94a3", width, "connection")
            for x, y in ends
        ]
    return lines


def _head(netlist: Netlist, placement: Placement, names: Names) -> list[Text]:
    sheet = placement.sheet
    n = len(netlist.instances)
    size = f"{three(sheet.width_mm)} x {three(sheet.height_mm)} mm"
    return [
        Text(SIDE, 24, f"{names.circuit}: {n} cell{'' if n == 1 else 's'} on {size}", 16, INK, bold=True),
        Text(
            SIDE, 46, f"{ESTIMATE}: areas to scale; shape of cells and rows assumed, not routed", LABEL_PX + 1, SOFT
        ),
    ]


def three(value: float) -> str:
    """Three significant digits, never in exponent form."""
    return f"{float(f'{value:.3g}'):.6f}".rstrip("0").rstrip(".")


def length_words(length_mm: float) -> str:
    """A length in mm, or in m from one on."""
    return f"{three(length_mm / 1000)} m" if length_mm >= 1000 else f"{three(length_mm)} mm"


def area_words(area_mm2: float) -> str:
    """An area in mm2, or in cm2 from one on."""
    return f"{three(area_mm2 / 100)} cm2" if area_mm2 >= 100 else f"{three(area_mm2)} mm2"


def _cell_names(
    netlist: Netlist, placement: Placement, styles: dict[str, Look], blocks: Blocks, scale: float
) -> list[Text]:
    """Cells' types in the cells that have room for them."""
    marks = []
    for k, instance in enumerate(netlist.instances):
        name = instance.cell.removesuffix("X1")
        x, y = placement.centre(k)
        if float(placement.width_mm[k]) * scale > 7.2 * len(name) and placement.sheet.row_height_mm * scale > 14:
            colour = _ink_on(styles[blocks.labels[k]].colour)
            y_px = TOP + (placement.sheet.height_mm - y) * scale
            marks.append(Text(SIDE + x * scale, y_px + 4, name, LABEL_PX, colour, "middle"))
    return marks


def _ink_on(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return INK if 0.3 * red + 0.59 * green + 0.11 * blue > 140 else WHITE


def _port_names(placement: Placement, names: Names, scale: float) -> list[Text]:
    """Names of the ports; of the bits of a feature one name where they are close."""
    sheet = placement.sheet
    heights = [TOP + (sheet.height_mm - y) * scale for y in sheet.inputs_mm]
    close = len(heights) > 1 and heights[1] - heights[0] < LABEL_PX
    labels = [(names.input(bit), y) for bit, y in zip(sheet.input_bits, heights, strict=True)]
    if close:
        features: dict[int, list[float]] = {}
        for bit, y in zip(sheet.input_bits, heights, strict=True):
            features.setdefault(bit // names.input_bits, []).append(y)
        labels = [(shortened(names.feature(feature)), sum(ys) / len(ys)) for feature, ys in features.items()]
    marks = [Text(SIDE - 8, y + 4, text, LABEL_PX, SOFT, "end") for text, y in _apart(labels)]
    for bit, place in enumerate(sheet.outputs_mm):
        y = TOP + (sheet.height_mm - place) * scale
        marks.append(Text(SIDE + sheet.width_mm * scale + 8, y + 4, f"out[{bit}]", LABEL_PX, SOFT))
    return marks


def _apart(labels: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The labels that do not lie on one another, from the top."""
    kept: list[tuple[str, float]] = []
    for text, y in labels:
        if not kept or y - kept[-1][1] >= LABEL_PX:
            kept.append((text, y))
    return kept


def shortened(text: str, most: int = 18) -> str:
    """The text, cut where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _ruler(width_mm: float, scale: float, y: float) -> list[Mark]:
    """Millimetres along the sheet's lower edge."""
    step = next((s for s in STEPS_MM if s * scale >= TICK_PX), STEPS_MM[-1])
    ticks = [k * step for k in range(math.floor(width_mm / step + 1e-9) + 1)]
    marks: list[Mark] = [Line(((SIDE, y), (SIDE + ticks[-1] * scale, y)), INK, 1.2, "ruler")]
    for tick in ticks:
        x = SIDE + tick * scale
        marks.append(Line(((x, y), (x, y + 7)), INK, 1.2, "ruler"))
        marks.append(
            Text(x, y + 22, f"{tick:g}" + (" mm" if tick == ticks[-1] else ""), LABEL_PX + 1, INK, "middle")
        )
    return marks


def _legend(
    netlist: Netlist,
    placement: Placement,
    blocks: Blocks,
    styles: dict[str, Look],
    names: Names,
    x: float,
) -> list[Mark]:
    """Parts with their cells and shares of the cells' area, then the sheet's figures."""
    total = placement.area_mm2 or 1.0
    head = Text(x, TOP + 12, "part: cells, share of their area", 12.5, SOFT)
    marks: list[Mark] = [head] if styles else []
    y = TOP + 36 if styles else TOP - 8
    for name, look in styles.items():
        own = [k for k, label in enumerate(blocks.labels) if label == name]
        share = float(placement.width_mm[own].sum()) * placement.sheet.row_height_mm / total
        key = Rect(x, y - 11, 16, 13, look.colour, SOFT, 0.6, "key")
        marks += [key, *_bars(key, look.bars)]
        marks.append(Text(x + 24, y, f"{shortened(part_name(name, names))}: {len(own)}, {share:.1%}", 12.5, INK))
        y += 20
    for text in _figures(placement, connected=len(blocks.labels) <= NAMED_CELLS):
        y += 20
        marks.append(Text(x, y, text, 12.5, SOFT))
    return marks


def part_name(name: str, names: Names) -> str:
    """A part of the classifier in words: a tree's comparators have their feature's name."""
    kind, _, number = name.partition(" ")
    return names.feature(int(number)) if kind == "feature" and number.isdigit() else name


def _figures(placement: Placement, *, connected: bool) -> tuple[str, ...]:
    sheet, n = placement.sheet, len(placement.sheet.bottoms_mm)
    return (
        f"cells {area_words(placement.area_mm2)}, {placement.utilisation:.0%} of the sheet",
        f"{n} row{'' if n == 1 else 's'}, {three(sheet.row_height_mm)} mm high (assumed)",
        f"wires about {length_words(placement.wire_length_mm)} (estimate)",
        *(("lines: what is connected, no routes",) if connected else ()),
    )
