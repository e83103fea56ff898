"""Place the cells of a netlist in rows: simulated annealing on the half-perimeter wire length.

Wires are taken from the centres of the cells, since cells have no known pins. The wire length is half the perimeter
of the box around every net, the usual estimate before routing; nothing is routed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hdl.annealing import Floats, annealed, attracted, nets_of, spread_rows
from hdl.sheet import Sheet, cell_widths_mm, make_sheet, n_rows, read_inputs, row_height_mm
from printedmlp.circuit.netlist import Netlist
from printedmlp.technology import Technology

SWEEPS = 300
"""Sweeps of annealing; each tries as many moves as there are cells."""
TOLERANCE_MM = 1e-6


@dataclass(frozen=True)
class Placement:
    """Where every cell of a netlist lies.

    Attributes
    ----------
    sheet : the sheet.
    left_mm, bottom_mm, width_mm : (n_instances,) float64, lower left corners and widths.
    wire_length_mm : estimate, see the module's docstring.
    start_length_mm : the same before annealing.
    moves : exchanges that annealing tried.
    """

    sheet: Sheet
    left_mm: Floats
    bottom_mm: Floats
    width_mm: Floats
    wire_length_mm: float
    start_length_mm: float
    moves: int

    @property
    def area_mm2(self) -> float:
        """Sum of the cells' areas."""
        return float(self.width_mm.sum()) * self.sheet.row_height_mm

    @property
    def utilisation(self) -> float:
        """Share of the sheet that is cells."""
        return self.area_mm2 / (self.sheet.width_mm * self.sheet.height_mm)

    @property
    def wires_per_channel(self) -> float:
        """Wires that lie side by side on average, were all of them in the channels above and below the rows."""
        channels = (len(self.sheet.bottoms_mm) + 1) * (self.sheet.right_mm - self.sheet.left_mm)
        return self.wire_length_mm / channels

    def centre(self, k: int) -> tuple[float, float]:
        """Centre of instance k in mm."""
        x = self.left_mm[k] + self.width_mm[k] / 2
        return float(x), float(self.bottom_mm[k] + self.sheet.row_height_mm / 2)


def place(netlist: Netlist, technology: Technology, rng: np.random.Generator, *, sweeps: int = SWEEPS) -> Placement:
    """Place a netlist; the same placement for the same generator.

    Cells start in the middle of what they are connected to, spread out into rows; annealing goes on from there.

    Parameters
    ----------
    rng : decides the exchanges that are tried.
    sweeps : how long annealing goes on; 0 leaves the start.
    """
    flat = _sheet(netlist, technology, _rows(netlist, technology, np.zeros((2, len(netlist.instances)))))
    wanted = np.array(attracted(netlist, flat))
    return _placed(netlist, technology, _rows(netlist, technology, wanted), rng, sweeps)


def random_placement(netlist: Netlist, technology: Technology, rng: np.random.Generator) -> Placement:
    """Cells anywhere on a sheet made like any other: what annealing is compared with."""
    anywhere = rng.random((2, len(netlist.instances)))
    return _placed(netlist, technology, _rows(netlist, technology, anywhere), rng, 0)


def wire_length_mm(netlist: Netlist, placement: Placement) -> float:
    """The definition: half the perimeter of the box around the ends of every net, summed."""
    sheet = placement.sheet
    heights = dict(zip(sheet.input_bits, sheet.inputs_mm, strict=True))
    total = 0.0
    for net in nets_of(netlist):
        ends = [placement.centre(k) for k in net.cells]
        ends += [(sheet.width_mm, sheet.outputs_mm[bit]) for bit in net.outputs]
        ends += [(0.0, heights[net.source])] if net.source is not None else []
        xs, ys = zip(*ends, strict=True)
        total += max(xs) - min(xs) + max(ys) - min(ys)
    return total


def check_placement(netlist: Netlist, technology: Technology, placement: Placement) -> list[str]:
    """What is wrong with a placement, a line each: cells missing, off scale, outside the sheet or overlapping."""
    left, bottom, width = placement.left_mm, placement.bottom_mm, placement.width_mm
    n = len(netlist.instances)
    if not len(left) == len(bottom) == len(width) == n:
        return [f"{min(len(left), len(bottom), len(width))} of {n} cells are placed"]
    wrong = []
    for k, instance in enumerate(netlist.instances):
        area, drawn = technology.cell(instance.cell).area_mm2, width[k] * placement.sheet.row_height_mm
        if abs(drawn - area) > TOLERANCE_MM * max(1.0, area):
            wrong.append(f"cell {k} ({instance.cell}) has {drawn:.6g} mm2, not {area:.6g}")
        if not _is_inside(placement, k):
            wrong.append(f"cell {k} ({instance.cell}) is outside the sheet")
    return wrong + _overlaps(placement)


def _is_inside(placement: Placement, k: int) -> bool:
    sheet = placement.sheet
    left, bottom = placement.left_mm[k], placement.bottom_mm[k]
    right, top = left + placement.width_mm[k], bottom + sheet.row_height_mm
    fits_x = left >= -TOLERANCE_MM and right <= sheet.width_mm + TOLERANCE_MM
    return bool(fits_x and bottom >= -TOLERANCE_MM and top <= sheet.height_mm + TOLERANCE_MM)


def _overlaps(placement: Placement) -> list[str]:
    """Pairs of cells that share ground, from left to right; a pair is named once."""
    left, bottom, width = placement.left_mm, placement.bottom_mm, placement.width_mm
    height = placement.sheet.row_height_mm
    wrong, open_cells = [], list[int]()
    for k in np.lexsort((bottom, left)).tolist():
        open_cells = [o for o in open_cells if left[o] + width[o] > left[k] + TOLERANCE_MM]
        near = [o for o in open_cells if abs(bottom[o] - bottom[k]) < height - TOLERANCE_MM]
        wrong += [f"cells {min(o, k)} and {max(o, k)} overlap" for o in near]
        open_cells.append(k)
    return wrong


def _rows(netlist: Netlist, technology: Technology, wanted: Floats) -> list[list[int]]:
    """Rows of cells near the wanted places (2, n_instances), x and y."""
    widths, height = cell_widths_mm(netlist, technology), row_height_mm(technology)
    n = n_rows(widths, height, max(len(read_inputs(netlist)), len(netlist.outputs)))
    return spread_rows(wanted[0], wanted[1], np.array(widths), n)


def _sheet(netlist: Netlist, technology: Technology, rows: Sequence[Sequence[int]]) -> Sheet:
    widths = cell_widths_mm(netlist, technology)
    return make_sheet(netlist, technology, [[widths[k] for k in row] for row in rows])


def _placed(
    netlist: Netlist, technology: Technology, rows: Sequence[Sequence[int]], rng: np.random.Generator, sweeps: int
) -> Placement:
    sheet, widths = _sheet(netlist, technology, rows), np.array(cell_widths_mm(netlist, technology))
    found = annealed(netlist, sheet, rows, widths, rng, sweeps)
    return Placement(
        sheet=sheet,
        left_mm=found.x - widths / 2,
        bottom_mm=found.y - sheet.row_height_mm / 2,
        width_mm=widths,
        wire_length_mm=found.length_mm,
        start_length_mm=found.start_mm,
        moves=sweeps * len(widths) if len(widths) > 1 else 0,
    )
