"""The layout as GDSII: outlines of the printed cells as references, parts on layers of their own, ports, the sheet.

The outlines stand for cells whose inside is not known here. An estimate of a sheet; nothing is routed.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping
from pathlib import Path

import gdstk

from hdl.blocks import Blocks
from hdl.layout import Names, looks
from hdl.placement import Placement
from hdl.sheet import ESTIMATE
from printedmlp.circuit import Netlist
from printedmlp.names import safe_comment
from printedmlp.technology import Technology

TOP = "LAYOUT"
SHEET_LAYER, CELL_LAYER, PORT_LAYER, FIRST_PART_LAYER = 1, 2, 3, 10
UM_PER_MM = 1000.0
UNIT_M, PRECISION_M = 1e-6, 1e-9
TIMESTAMP = datetime.datetime(2000, 1, 1)
"""The same in all files, so that equal layouts are equal bytes."""
LABEL_WIDTH = 100


def part_layers(blocks: Blocks) -> dict[str, int]:
    """Layer of every part of the classifier that has cells."""
    return {name: FIRST_PART_LAYER + k for k, name in enumerate(looks(blocks))}


def gds_bytes(
    netlist: Netlist, technology: Technology, placement: Placement, blocks: Blocks, names: Names
) -> bytes:
    """A GDSII file in micrometres, on a grid of a nanometre; same bytes for the same layout.

    Parameters
    ----------
    placement : of the netlist.
    blocks : the part that every cell belongs to.
    names : what the ports are labelled with.
    """
    library = gdstk.Library("PRINTEDMLP", unit=UNIT_M, precision=PRECISION_M)
    outlines = _outlines(netlist, technology, placement.sheet.row_height_mm)
    top = gdstk.Cell(TOP)
    library.add(*outlines.values(), top)
    _add_cells(top, netlist, placement, blocks, outlines)
    _add_sheet(top, placement, names)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        path = Path(folder, "layout.gds")
        library.write_gds(path, timestamp=TIMESTAMP)
        return path.read_bytes()


def _outlines(netlist: Netlist, technology: Technology, height_mm: float) -> dict[str, gdstk.Cell]:
    """A cell for each type that is printed: its outline and its name."""
    found = {}
    for name in netlist.cell_counts():
        width = technology.cell(name).area_mm2 / height_mm * UM_PER_MM
        cell = found[name] = gdstk.Cell(name)
        cell.add(gdstk.rectangle((0, 0), (width, height_mm * UM_PER_MM), layer=CELL_LAYER))
        cell.add(gdstk.Label(name, (width / 2, height_mm * UM_PER_MM / 2), layer=CELL_LAYER))
    return found


def _add_cells(
    top: gdstk.Cell,
    netlist: Netlist,
    placement: Placement,
    blocks: Blocks,
    outlines: Mapping[str, gdstk.Cell],
) -> None:
    layers, height = part_layers(blocks), placement.sheet.row_height_mm * UM_PER_MM
    for k, instance in enumerate(netlist.instances):
        left, bottom, width = (
            float(figure[k]) * UM_PER_MM for figure in (placement.left_mm, placement.bottom_mm, placement.width_mm)
        )
        layer = layers[blocks.labels[k]]
        top.add(gdstk.Reference(outlines[instance.cell], (left, bottom)))
        top.add(gdstk.rectangle((left, bottom), (left + width, bottom + height), layer=layer))
        top.add(gdstk.Label(f"g{k}", (left + width / 2, bottom + height / 2), layer=layer))


def _add_sheet(top: gdstk.Cell, placement: Placement, names: Names) -> None:
    sheet = placement.sheet
    width, height, edge = (mm * UM_PER_MM for mm in (sheet.width_mm, sheet.height_mm, sheet.port_mm))
    top.add(gdstk.rectangle((0, 0), (width, height), layer=SHEET_LAYER))
    top.add(gdstk.Label(_plain(f"{names.circuit}: {ESTIMATE}"), (0, height), anchor="sw", layer=SHEET_LAYER))
    inputs = [(names.input(bit), 0.0, y) for bit, y in zip(sheet.input_bits, sheet.inputs_mm, strict=True)]
    outputs = [(f"out[{bit}]", width - edge, y) for bit, y in enumerate(sheet.outputs_mm)]
    for name, left, middle in (*inputs, *outputs):
        bottom = middle * UM_PER_MM - edge / 2
        top.add(gdstk.rectangle((left, bottom), (left + edge, bottom + edge), layer=PORT_LAYER))
        top.add(gdstk.Label(_plain(name), (left, middle * UM_PER_MM), layer=PORT_LAYER))


def _plain(text: str) -> str:
    """Printable ASCII, which is what the format's strings hold."""
    return safe_comment(text, LABEL_WIDTH)
