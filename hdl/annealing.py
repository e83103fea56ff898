"""Cells into rows: a start from what they are connected to, and annealing, in the arrays of the compiled kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hdl.sheet import GAP, Sheet
from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.kernels.placement import anneal, measure, pack

ROUNDS = 1000
"""How often every cell moves to the middle of its nets before the start is taken."""
FIRST_HEAT, LAST_HEAT = 0.25, 0.02
"""Heats from start to end, in distances between rows."""
FIRST_REACH = 0.25
"""Half the edge of the window that cells change places in at the start, as a share of the sheet's."""
LAST_REACH = 1.0
"""The same at the end, in distances between rows."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = Sequence[Sequence[int]]


class Net(NamedTuple):
    """The ends of a net: the input bit that drives it or None, its cells, driver first, and output bits."""

    source: int | None
    cells: tuple[int, ...]
    outputs: tuple[int, ...]


class Annealed(NamedTuple):
    """Centres of the cells in mm, (n_cells,) each, and the wire length in mm at the start and at the end."""

    x: Floats
    y: Floats
    start_mm: float
    length_mm: float


def nets_of(netlist: Netlist) -> list[Net]:
    """Every net with at least two ends; constants are no wires."""
    cells: list[list[int]] = [[] for _ in range(netlist.n_nets)]
    outputs: list[list[int]] = [[] for _ in range(netlist.n_nets)]
    for k, (net, instance) in enumerate(netlist.driven()):
        cells[net].append(k)
        for read in dict.fromkeys(instance.inputs):
            cells[read].append(k)
    for bit, net in enumerate(netlist.outputs):
        outputs[net].append(bit)
    sources = [net - FIRST_INPUT if net < netlist.first_driven else None for net in range(netlist.n_nets)]
    found = (Net(s, tuple(c), tuple(o)) for s, c, o in zip(sources, cells, outputs, strict=True))
    wired = list(found)[FIRST_INPUT:]
    return [net for net in wired if (net.source is not None) + len(net.cells) + len(net.outputs) > 1]


def spread_rows(x: Floats, y: Floats, widths: Floats, n_rows: int) -> list[list[int]]:
    """Rows of about equal width, the lowest first, that keep the cells' order in y, and within a row in x.

    Parameters
    ----------
    x, y, widths : (n_cells,) wanted centres, and widths in mm.
    """
    order = np.lexsort((np.arange(len(y)), y))
    middles = np.cumsum(widths[order]) - widths[order] / 2
    total = max(float(widths.sum()), np.finfo(float).tiny)
    row = np.minimum((middles / total * n_rows).astype(int), n_rows - 1)
    return [sorted(order[row == r].tolist(), key=lambda k: (x[k], k)) for r in range(n_rows)]


def attracted(netlist: Netlist, sheet: Sheet) -> tuple[Floats, Floats]:
    """Where the cells go if each is drawn to the middle of its nets and nothing keeps them apart.

    Rounds of moving every cell to the mean of its nets' means, nets of many ends weighing less; the ports hold them
    apart. This tends to the least sum of squared wire lengths (a star for every net).
    """
    net_start, points, _, _ = _net_arrays(netlist, sheet)
    n, ends = len(netlist.instances), np.diff(net_start)
    net = np.repeat(np.arange(len(ends)), ends)
    weight = (1.0 / np.maximum(ends - 1, 1))[net]
    drawn = np.bincount(points, weights=weight, minlength=n)[:n]
    places = [coordinate.copy() for coordinate in _points(n, sheet)]
    for place in places:
        place[:n] = place[n:].mean()
        for _ in range(ROUNDS):
            means = np.bincount(net, weights=place[points], minlength=len(ends)) / ends
            pulled = np.bincount(points, weights=means[net] * weight, minlength=len(place))[:n]
            np.divide(pulled, drawn, out=place[:n], where=drawn > 0)
    return places[0][:n], places[1][:n]


def annealed(
    netlist: Netlist, sheet: Sheet, rows: Rows, widths: Floats, rng: np.random.Generator, sweeps: int
) -> Annealed:
    """Pack the rows, anneal, and give the best packed rows that were seen; never worse than the start.

    Parameters
    ----------
    rows : cells of every row from left to right, the lowest row first; they fit the sheet.
    widths : (n_cells,) mm.
    rng : decides the exchanges that are tried.
    sweeps : each tries as many exchanges as there are cells.
    """
    n, nets = len(widths), _net_arrays(netlist, sheet)
    row_y = np.array(sheet.bottoms_mm) + sheet.row_height_mm / 2
    core = np.array([sheet.left_mm, sheet.right_mm, GAP * sheet.row_height_mm, sheet.pitch_mm])
    sizes, seats = (widths, row_y, core), _seats(n, sheet, rows)
    boxes = np.zeros((len(nets[0]) - 1, 4))
    pack(seats, sizes)
    start = length = float(measure(nets, seats, boxes))
    if sweeps and n > 1:
        used = np.array([widths[list(row)].sum() + core[2] * len(row) for row in rows])
        entries = 2 * max(1, int(np.diff(nets[2]).max()))
        work = (widths, boxes, np.zeros(entries, dtype=np.int64), np.zeros((entries, 4)))
        best, random = np.zeros(n, dtype=np.int64), np.array([rng.integers(1, 1 << 63)], dtype=np.uint64)
        room = core[1] - core[0] - used
        length = float(anneal(nets, seats, sizes, room, work, _schedule(sheet, sweeps), best, random))
        seats[2][:] = best
        pack(seats, sizes)
    return Annealed(seats[0][:n], seats[1][:n], start, length)


def _schedule(sheet: Sheet, sweeps: int) -> Floats:
    """Heat and reach of every sweep, both falling by a constant factor."""
    pitch = sheet.pitch_mm
    far = max(FIRST_REACH * max(sheet.width_mm, sheet.height_mm), LAST_REACH * pitch)
    heats = np.geomspace(FIRST_HEAT * pitch, LAST_HEAT * pitch, sweeps)
    return np.column_stack([heats, np.geomspace(far, LAST_REACH * pitch, sweeps)])


def _seats(n: int, sheet: Sheet, rows: Rows) -> tuple[Floats, Floats, Integers, Integers, Integers]:
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    cell_of = np.array([k for row in rows for k in row], dtype=np.int64)
    return (*_points(n, sheet), cell_of, np.repeat(np.arange(len(rows)), counts), _starts(counts))


def _points(n: int, sheet: Sheet) -> tuple[Floats, Floats]:
    """Places of all ends of wires in mm: the cells' yet unknown, input ports, output ports."""
    x = np.zeros(n + len(sheet.inputs_mm) + len(sheet.outputs_mm))
    x[n + len(sheet.inputs_mm) :] = sheet.width_mm
    return x, np.concatenate([np.zeros(n), sheet.inputs_mm, sheet.outputs_mm])


def _net_arrays(netlist: Netlist, sheet: Sheet) -> tuple[Integers, Integers, Integers, Integers]:
    """Points of every net and nets of every cell, as the kernel documents them."""
    n = len(netlist.instances)
    first_output = n + len(sheet.input_bits)
    inputs: dict[int | None, list[int]] = {bit: [n + place] for place, bit in enumerate(sheet.input_bits)}
    points = [
        [*inputs.get(net.source, ()), *net.cells, *(first_output + bit for bit in net.outputs)]
        for net in nets_of(netlist)
    ]
    own: list[list[int]] = [[] for _ in range(n)]
    for number, net_points in enumerate(points):
        for point in net_points:
            if point < n:
                own[point].append(number)
    return (*_ragged(points), *_ragged(own))


def _ragged(rows: Rows) -> tuple[Integers, Integers]:
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    return _starts(counts), np.array([item for row in rows for item in row], dtype=np.int64)


def _starts(counts: Integers) -> Integers:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
