"""Pictures of circuits: layout and schematic of every design, the record of their figures, and words about them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from flows.chosen import Design
from flows.job import Job
from flows.run import Run, write_bytes
from hdl.blocks import Blocks
from hdl.drawing import svg_text
from hdl.gds import gds_bytes, part_layers
from hdl.layout import Names, layout_drawing, length_words, three
from hdl.placement import Placement, check_placement, place
from hdl.raster import png_bytes
from hdl.schematic import MOST_CELLS, schematic_svg
from hdl.sheet import ESTIMATE
from printedmlp.circuit import Netlist
from printedmlp.errors import VerificationError
from printedmlp.technology import Technology

LAYOUT = "layout"
GDS, SVG, PNG, SCHEMATIC = "layout.gds", "layout.svg", "layout.png", "schematic.svg"
PNG_SCALE = 1.5
MOST_INLINE_CELLS = 250
"""Cells of a layout that the report draws as SVG; larger ones are smaller as PNG."""
Record = dict[str, Any]


def with_pictures(job: Job, drafts: Path, found: Sequence[Design]) -> list[Design]:
    """The designs with the figures of their layouts; the pictures go to the drafts of the designs.

    Raises
    ------
    VerificationError : a layout is not what it says.
    """
    return list(job.in_parallel("pictures", lambda design: _pictured(job, drafts, design), found))


def _pictured(job: Job, drafts: Path, design: Design) -> Design:
    names = Names(design.point.id, job.config.input_bits, tuple(job.dataset.feature_names))
    record = write_pictures(
        drafts / design.point.id,
        design.netlist,
        job.technology,
        names,
        job.rng(LAYOUT),
        seed=job.config.seed,
        blocks=design.blocks,
    )
    return replace(design, extra={**design.extra, LAYOUT: record})


def write_pictures(
    folder: Path,
    netlist: Netlist,
    technology: Technology,
    names: Names,
    rng: np.random.Generator,
    *,
    seed: int,
    blocks: Blocks,
) -> Record:
    """Place a netlist and write its pictures into a folder.

    Parameters
    ----------
    folder : receives layout.gds, layout.svg, layout.png, and schematic.svg of a small netlist.
    names : of the circuit and its inputs.
    rng, seed : decide the placement; the seed is what the record says of it.
    blocks : the parts of the netlist, which have colours.

    Returns
    -------
    JSON-ready "layout" of a circuit's record: sheet, rows, wire length, seed, moves, layers of the parts, files.

    Raises
    ------
    VerificationError : cells overlap, lie outside the sheet or are not to scale.
    """
    placement = place(netlist, technology, rng)
    if wrong := check_placement(netlist, technology, placement):
        raise VerificationError(f"layout of '{names.circuit}': {wrong[0]}")
    drawing = layout_drawing(netlist, placement, blocks, names)
    files = {
        GDS: gds_bytes(netlist, technology, placement, blocks, names),
        SVG: svg_text(drawing).encode(),
        PNG: png_bytes(drawing, scale=PNG_SCALE),
    }
    if schematic := schematic_svg(netlist, technology, blocks, names):
        files[SCHEMATIC] = schematic.encode()
    for name, data in files.items():
        write_bytes(folder / name, data)
    return {**layout_record(placement), "seed": seed, "layers": part_layers(blocks), "files": sorted(files)}


def layout_record(placement: Placement) -> Record:
    """Figures of a placement, lengths in mm."""
    sheet = placement.sheet
    return {
        "meaning": ESTIMATE,
        "sheet_mm": [round(sheet.width_mm, 4), round(sheet.height_mm, 4)],
        "utilisation": round(placement.utilisation, 4),
        "rows": len(sheet.bottoms_mm),
        "row_height_mm": sheet.row_height_mm,
        "row_pitch_mm": sheet.pitch_mm,
        "wire_length_mm": round(placement.wire_length_mm, 3),
        "start_wire_length_mm": round(placement.start_length_mm, 3),
        "wires_per_channel": round(placement.wires_per_channel, 2),
        "moves": placement.moves,
    }


def layout_words(record: Mapping[str, Any] | None) -> str:
    """The layout's figures in one sentence; empty without a layout."""
    if record is None:
        return ""
    width, height = record["sheet_mm"]
    return (
        f"{three(width)} x {three(height)} mm, {record['utilisation']:.0%} of it cells, wires about "
        f"{length_words(record['wire_length_mm'])}; {record['meaning']}"
    )


def report_pictures(run: Run, shown: Iterable[str], linked: Iterable[str]) -> dict[str, Record]:
    """What the report shows of every design: pictures of those in `shown`, links to those in `linked`."""
    views = {name: _view(run, name, inline=True) for name in shown}
    views |= {name: _view(run, name, inline=False) for name in linked}
    return {name: view for name, view in views.items() if view}


def _view(run: Run, name: str, *, inline: bool) -> Record | None:
    measured = run.read_json("designs", name, "measure.json")
    record = measured.get(LAYOUT)
    if record is None:
        return None
    files = [file for file in (SVG, PNG, GDS, SCHEMATIC) if file in record["files"]]
    layout = SVG if measured["cells"] <= MOST_INLINE_CELLS else PNG
    shown = {LAYOUT: layout, "schematic": SCHEMATIC} if inline else {}
    drawn = {kind: _inline(run.path("designs", name, file)) for kind, file in shown.items() if file in files}
    return {
        "words": layout_words(record),
        "files": files,
        "layout": drawn.get(LAYOUT),
        "schematic": drawn.get("schematic"),
        "too_large": "" if SCHEMATIC in files else f"they are drawn up to {MOST_CELLS} cells",
    }


def _inline(path: Path) -> Markup:
    """A picture as a part of the page."""
    if path.suffix == ".svg":
        return Markup(path.read_text(encoding="utf-8"))
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return Markup('<img alt="layout" src="data:image/png;base64,{}">').format(data)
