"""The sheet that a circuit's cells are laid out on, and what is assumed about it.

The technologies are known by the areas of their cells, not by their shapes. Everything here that is a length is
therefore an assumption, in terms of one height that all cells are given; a cell is as wide as its area then asks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.technology import Technology

CHANNEL = 1.0
"""Room between two rows, in row heights."""
GAP = 0.2
"""Least room between neighbours in a row, in row heights."""
SLACK = 0.04
"""Share by which rows are wider than the cells and their gaps, so that cells of unlike width can change places."""
MARGIN = 1.0
"""Room around the rows, in row heights; the ports are in it."""
PORT_PITCH = 0.25
"""Least distance between ports, in row heights."""
ESTIMATE = "an estimate of a sheet, not a sign-off"


@dataclass(frozen=True)
class Sheet:
    """Rows on a sheet; mm, the origin is the lower left corner.

    Attributes
    ----------
    width_mm, height_mm : the sheet.
    row_height_mm : height of every cell.
    left_mm, right_mm : where all rows begin and end.
    bottoms_mm : lower edge of every row, the lowest first.
    input_bits : bits of `inp` that something reads; they have ports, the first on top.
    inputs_mm : heights of these ports on the left edge.
    outputs_mm : heights of the ports of `out` on the right edge, out[0] on top.
    """

    width_mm: float
    height_mm: float
    row_height_mm: float
    left_mm: float
    right_mm: float
    bottoms_mm: tuple[float, ...]
    input_bits: tuple[int, ...]
    inputs_mm: tuple[float, ...]
    outputs_mm: tuple[float, ...]

    @property
    def pitch_mm(self) -> float:
        """Distance from row to row."""
        return self.row_height_mm * (1 + CHANNEL)

    @property
    def port_mm(self) -> float:
        """Edge of a port's square."""
        return self.row_height_mm * PORT_PITCH * 0.7


def row_height_mm(technology: Technology) -> float:
    """Height of all cells: the smallest is about square. One significant digit, since it is an assumption."""
    smallest = min((cell.area_mm2 for cell in technology.cells.values() if cell.area_mm2 > 0), default=1.0)
    return float(f"{math.sqrt(smallest):.0e}")


def cell_widths_mm(netlist: Netlist, technology: Technology) -> list[float]:
    """Width of every instance: its cell's area by the row height."""
    height = row_height_mm(technology)
    return [technology.cell(instance.cell).area_mm2 / height for instance in netlist.instances]


def read_inputs(netlist: Netlist) -> tuple[int, ...]:
    """Bits of `inp` that a cell or an output reads."""
    nets = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    return tuple(sorted(net - FIRST_INPUT for net in nets if FIRST_INPUT <= net < netlist.first_driven))


def n_rows(widths: Sequence[float], height: float, n_ports: int) -> int:
    """Number of rows that makes the longer edge of the sheet shortest, the fewest of equals."""
    total = _used(widths, height) * (1 + SLACK)

    def longer(rows: int) -> float:
        return max(total / rows, _core_height(rows, height, n_ports))

    return min(range(1, max(1, len(widths)) + 1), key=longer)


def make_sheet(netlist: Netlist, technology: Technology, rows: Sequence[Sequence[float]]) -> Sheet:
    """A sheet for rows of cells of given widths, as wide as the widest row needs."""
    height, bits = row_height_mm(technology), read_inputs(netlist)
    n_ports = max(len(bits), len(netlist.outputs))
    mean = _used([w for row in rows for w in row], height) / len(rows)
    core = max(height, mean * (1 + SLACK), *(_used(row, height) for row in rows))
    tall = _core_height(len(rows), height, n_ports)
    margin = MARGIN * height
    first = margin + (tall - _core_height(len(rows), height, 0)) / 2
    return Sheet(
        width_mm=core + 2 * margin,
        height_mm=tall + 2 * margin,
        row_height_mm=height,
        left_mm=margin,
        right_mm=margin + core,
        bottoms_mm=tuple(first + k * height * (1 + CHANNEL) for k in range(len(rows))),
        input_bits=bits,
        inputs_mm=_spread(len(bits), margin, tall),
        outputs_mm=_spread(len(netlist.outputs), margin, tall),
    )


def _used(widths: Sequence[float], height: float) -> float:
    return sum(widths) + GAP * height * len(widths)


def _core_height(rows: int, height: float, n_ports: int) -> float:
    return max(rows * height * (1 + CHANNEL) - CHANNEL * height, n_ports * PORT_PITCH * height)


def _spread(n: int, low: float, length: float) -> tuple[float, ...]:
    """Heights of n ports, evenly spread, from the top."""
    return tuple(low + length * (n - k - 0.5) / n for k in range(n))
