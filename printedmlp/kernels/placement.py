"""Cells in rows by simulated annealing on half-perimeter wire length, compiled.

Seats are the places of the cells in the rows, one after the other; a move exchanges the cells of two seats. While a
sweep of moves runs, two cells exchange their centres and their neighbours stay, which is not quite right where the
two differ in width; so after every sweep the rows are packed anew and the wire length is taken again.
"""

from __future__ import annotations

import math
from typing import Any

from printedmlp.kernels.bits import below, uniform
from printedmlp.kernels.gate_slots import Array, Arrays
from printedmlp.kernels.jit import compiled_lean, inlined_lean


@compiled_lean
def pack(seats: Arrays, sizes: Arrays) -> None:
    """Give the cells of every row, in the order of their seats, equal gaps between both ends of the row.

    Parameters
    ----------
    seats : x and y (n_points,) float64, centres in mm, cells first; cell of every seat (n_cells,) int64; row of
        every seat (n_cells,) int64; first seat of every row and the end (n_rows + 1,) int64.
    sizes : widths of the cells (n_cells,) and centres of the rows (n_rows,), mm; the rows' ends, smallest gap,
        distance between rows (4,); all float64.
    """
    x, y, cell_of, _, row_start = seats
    width, row_y, core = sizes
    for row in range(row_y.shape[0]):
        begin, end = row_start[row], row_start[row + 1]
        used = 0.0
        for seat in range(begin, end):
            used += width[cell_of[seat]]
        gap = (core[1] - core[0] - used) / max(1, end - begin)
        left = core[0] + gap / 2
        for seat in range(begin, end):
            cell = cell_of[seat]
            x[cell], y[cell] = left + width[cell] / 2, row_y[row]
            left += width[cell] + gap


@compiled_lean
def measure(nets: Arrays, seats: Arrays, boxes: Array) -> Any:
    """Sum of the half perimeters of all nets in mm; fills their boxes (n_nets, 4): x from, to, y from, to."""
    total = 0.0
    for net in range(boxes.shape[0]):
        _scan(net, nets, seats, boxes)
        total += boxes[net, 1] - boxes[net, 0] + boxes[net, 3] - boxes[net, 2]
    return total


@inlined_lean
def _scan(net: int, nets: Arrays, seats: Arrays, boxes: Array) -> None:
    net_start, net_points = nets[0], nets[1]
    x, y = seats[0], seats[1]
    first = net_points[net_start[net]]
    low_x, high_x, low_y, high_y = x[first], x[first], y[first], y[first]
    for k in range(net_start[net] + 1, net_start[net + 1]):
        point = net_points[k]
        low_x, high_x = min(low_x, x[point]), max(high_x, x[point])
        low_y, high_y = min(low_y, y[point]), max(high_y, y[point])
    boxes[net, 0], boxes[net, 1], boxes[net, 2], boxes[net, 3] = low_x, high_x, low_y, high_y


@inlined_lean
def _shift(cell: int, to: tuple, nets: Arrays, seats: Arrays, boxes: Array, log: Arrays, n_log: int) -> Any:
    """Move a cell's centre; what the wire length grows by. Old boxes of its nets go to the log from `n_log` on."""
    _, _, cell_start, cell_nets = nets
    x, y = seats[0], seats[1]
    old_x, old_y = x[cell], y[cell]
    x[cell], y[cell] = to
    grown = 0.0
    for k in range(cell_start[cell], cell_start[cell + 1]):
        net = cell_nets[k]
        low_x, high_x, low_y, high_y = boxes[net, 0], boxes[net, 1], boxes[net, 2], boxes[net, 3]
        place = n_log + k - cell_start[cell]
        log[0][place] = net
        log[1][place, 0], log[1][place, 1], log[1][place, 2], log[1][place, 3] = low_x, high_x, low_y, high_y
        if low_x < old_x < high_x and low_y < old_y < high_y:
            boxes[net, 0], boxes[net, 1] = min(low_x, x[cell]), max(high_x, x[cell])
            boxes[net, 2], boxes[net, 3] = min(low_y, y[cell]), max(high_y, y[cell])
        else:
            _scan(net, nets, seats, boxes)
        grown += (boxes[net, 1] - boxes[net, 0] + boxes[net, 3] - boxes[net, 2]) - (high_x - low_x + high_y - low_y)
    return grown


@inlined_lean
def _partner(seat: int, reach: float, seats: Arrays, sizes: Arrays, random: Array) -> Any:
    """A seat within a window around another."""
    x, _, cell_of, row_of, row_start = seats
    core, n_rows = sizes[2], sizes[1].shape[0]
    rows = min(n_rows - 1, int(reach / core[3]) + 1)
    row = row_of[seat] + below(random, 2 * rows + 1) - rows
    row = min(max(row, 0), n_rows - 1)
    n = row_start[row + 1] - row_start[row]
    aim = x[cell_of[seat]] + (2 * uniform(random) - 1) * reach
    place = int((aim - core[0]) / (core[1] - core[0]) * n)
    return row_start[row] + min(max(place, 0), n - 1)


@inlined_lean
def _exchange(
    a: int, b: int, heat: float, nets: Arrays, seats: Arrays, room: Array, work: tuple, random: Array
) -> bool:
    """Exchange the cells of two seats if chance lets it; whether it did."""
    x, y, cell_of, row_of, _ = seats
    width, boxes, log_nets, log_boxes = work
    log = (log_nets, log_boxes)
    first, second = cell_of[a], cell_of[b]
    more = width[second] - width[first]
    if row_of[a] != row_of[b] and (room[row_of[a]] < more or room[row_of[b]] < -more):
        return False
    here, there = (x[first], y[first]), (x[second], y[second])
    grown = _shift(first, there, nets, seats, boxes, log, 0)
    n_first = nets[2][first + 1] - nets[2][first]
    grown += _shift(second, here, nets, seats, boxes, log, n_first)
    if grown <= 0 or uniform(random) < math.exp(-grown / heat):
        cell_of[a], cell_of[b] = second, first
        room[row_of[a]] -= more
        room[row_of[b]] += more
        return True
    x[first], y[first] = here
    x[second], y[second] = there
    # Backwards, since a net of both cells is in the log twice, and its box was right before the first change.
    for k in range(n_first + nets[2][second + 1] - nets[2][second] - 1, -1, -1):
        for side in range(4):
            boxes[log_nets[k], side] = log_boxes[k, side]
    return False


@compiled_lean
def anneal(
    nets: Arrays,
    seats: Arrays,
    sizes: Arrays,
    room: Array,
    work: tuple,
    schedule: Array,
    best: Array,
    random: Array,
) -> Any:
    """Sweep through falling heats; the least wire length in mm of packed rows, which `best` is the seating of.

    Parameters
    ----------
    nets : first entry of every net and the end (n_nets + 1,); points of the nets; the same for the nets of every
        cell, (n_cells + 1,) and the nets; all int64.
    seats, sizes : see `pack`. Seats are changed.
    room : width in mm that every row may still grow by (n_rows,).
    work : widths (n_cells,) float64; boxes (n_nets, 4) float64; nets (m,) int64 and boxes (m, 4) float64 of the
        log, m twice the most nets of a cell.
    schedule : (n_sweeps, 2) float64, heat and half the window's edge, both in mm; a sweep has as many moves as
        there are cells.
    best : (n_cells,) int64, receives the cell of every seat.
    random : (1,) uint64, not zero.
    """
    cell_of = seats[2]
    n = cell_of.shape[0]
    pack(seats, sizes)
    least = measure(nets, seats, work[1])
    _keep(cell_of, best)
    for sweep in range(schedule.shape[0]):
        heat, reach = schedule[sweep, 0], schedule[sweep, 1]
        for _ in range(n):
            a = below(random, n)
            b = _partner(a, reach, seats, sizes, random)
            if a != b:
                _exchange(a, b, heat, nets, seats, room, work, random)
        pack(seats, sizes)
        total = measure(nets, seats, work[1])
        if total < least:
            least = total
            _keep(cell_of, best)
    return least


@inlined_lean
def _keep(cell_of: Array, best: Array) -> None:
    for seat in range(cell_of.shape[0]):
        best[seat] = cell_of[seat]
