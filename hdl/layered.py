"""A netlist in columns for a drawing: layers, order within them, heights, and tracks for upright wires.

The layered method of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981): longest-path layers counted from the
outputs, barycentre ordering, heights near those of the neighbours; wires that pass a column get a place in it.
Input bits come anew in front of every column that reads them, so that only wires between gates are long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

from hdl.symbols import PIN_PITCH, Symbol, symbol
from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.technology import Technology

SWEEPS = 24
GRID = 4.0
NUDGES = (0.0, 4.0, -4.0, 2.0, -2.0, 6.0, -6.0)
"""Shifts tried to keep a wire from lying on another one."""
GAP = 18.0
"""Room between what follows in a column; more than two nudges."""
INPUT_GAP = PIN_PITCH - 10.0
"""Room between two inputs, which so can be as high as the pins of a gate."""
PASS_HALF = 2.0
PORT_HALF = 5.0
PASS_WEIGHT = 4.0
GATE, INPUT, OUTPUT, PASS = "gate", "input", "output", "pass"


@dataclass
class Node:
    """Something in a column.

    Attributes
    ----------
    kind : GATE, INPUT, OUTPUT, or PASS for a wire that goes on.
    number : instance, bit of `inp` or bit of `out`; the net of a wire.
    net : what it drives, -1 for an output.
    reads : nets of its input pins from the top; PASS reads the net it drives.
    half : half its height; y is its middle.
    pins : heights of its input pins from its middle.
    """

    kind: str
    number: int
    net: int
    reads: list[int] = field(default_factory=list)
    half: float = PORT_HALF
    pins: tuple[float, ...] = (0.0,)
    y: float = 0.0
    symbol: Symbol | None = None

    def targets(self) -> list[tuple[int, float]]:
        """Net and height of every input pin that a wire leads to."""
        return [
            (net, self.y + pin)
            for net, pin in zip(self.reads, self.pins, strict=True)
            if net >= FIRST_INPUT and self.kind != INPUT
        ]


Columns = list[list[Node]]


def columns_of(netlist: Netlist, technology: Technology) -> Columns:
    """Columns of nodes from the inputs to the outputs, ordered and at their heights."""
    columns = _columns(netlist, technology)
    _order(columns)
    _place(columns)
    return columns


def layers_of(netlist: Netlist) -> list[int]:
    """Column of every instance, 1 and on: right before the first column that reads it."""
    after = [0] * netlist.n_nets
    for net, instance in reversed(list(netlist.driven())):
        for read in instance.inputs:
            after[read] = max(after[read], after[net] + 1)
    last = max(after[netlist.first_driven :], default=-1) + 1
    return [last - steps for steps in after[netlist.first_driven :]]


def _columns(netlist: Netlist, technology: Technology) -> Columns:
    layers = layers_of(netlist)
    last = max(layers, default=0) + 1
    columns: Columns = [[] for _ in range(last + 1)]
    for k, (net, instance) in enumerate(netlist.driven()):
        shape = symbol(technology.cell(instance.cell))
        node = Node(GATE, k, net, list(instance.inputs), shape.half, shape.pins, symbol=shape)
        columns[layers[k]].append(node)
    columns[last] = [Node(OUTPUT, bit, -1, [net]) for bit, net in enumerate(netlist.outputs)]
    _add_inputs(columns, netlist)
    _add_passes(columns, {net: layers[k] for k, (net, _) in enumerate(netlist.driven())})
    return columns


def _add_inputs(columns: Columns, netlist: Netlist) -> None:
    for before, column in pairwise(columns):
        nets = {net for node in column for net in node.reads}
        bits = sorted(net - FIRST_INPUT for net in nets if FIRST_INPUT <= net < netlist.first_driven)
        before += [Node(INPUT, bit, FIRST_INPUT + bit, pins=()) for bit in bits]


def _add_passes(columns: Columns, layer_of: dict[int, int]) -> None:
    """A place in every column between a net's driver and its last reader."""
    last: dict[int, int] = {}
    for layer, column in enumerate(columns):
        for node in column:
            last.update((net, layer) for net in node.reads if net in layer_of)
    for net, layer in layer_of.items():
        for passed in range(layer + 1, last.get(net, layer)):
            columns[passed].append(Node(PASS, net, net, [net], PASS_HALF))


def _order(columns: Columns) -> None:
    """Sort every column by the mean place of what it is wired to, sweep by sweep; the least crossings are kept."""
    best, least = [list(column) for column in columns], crossings(columns)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        pairs = list(pairwise(columns))
        for left, right in pairs if forwards else reversed(pairs):
            _sort(left, right, forwards)
        if (found := crossings(columns)) < least:
            best, least = [list(column) for column in columns], found
    for column, kept in zip(columns, best, strict=True):
        column[:] = kept


def _sort(left: list[Node], right: list[Node], forwards: bool) -> None:
    places = {node.net: place for place, node in enumerate(left)}
    readers: dict[int, list[int]] = {}
    for place, node in enumerate(right):
        for net in node.reads:
            readers.setdefault(net, []).append(place)

    def before(node: Node, place: int) -> float:
        wired = [places[net] for net in node.reads if net in places and node.kind != INPUT]
        return fmean(wired) if wired else place

    def after(node: Node, place: int) -> float:
        return fmean(readers[node.net]) if node.net in readers else place

    column, key = (right, before) if forwards else (left, after)
    order = sorted(range(len(column)), key=lambda place: (key(column[place], place), place))
    column[:] = [column[place] for place in order]


def crossings(columns: Columns) -> int:
    """Pairs of wires between neighbouring columns that cross, from the nodes' order alone."""
    total = 0
    for left, right in pairwise(columns):
        places = {node.net: place for place, node in enumerate(left)}
        wires = [places[net] for node in right if node.kind != INPUT for net in sorted(node.reads) if net in places]
        total += sum(a > b for k, a in enumerate(wires) for b in wires[k + 1 :])
    return total


def _place(columns: Columns) -> None:
    """Heights: near the mean of the neighbours', in order and apart, on a grid, no wire on another."""
    for column in columns:
        _settle(column, lambda node: 0.0)
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        pairs = list(pairwise(columns))
        for left, right in pairs if forwards else reversed(pairs):
            _sort_pins(left, right)
            _settle(right if forwards else left, _wanted(left, right, forwards))
    for column in columns:
        for node in column:
            node.y = round(node.y / GRID) * GRID
    for left, right in pairwise(columns):
        _sort_pins(left, right)
        _part_wires(left, right)


def _wanted(left: list[Node], right: list[Node], forwards: bool) -> Callable[[Node], float]:
    """Where the nodes of one column would have straight wires to the other."""
    if forwards:
        heights = {node.net: node.y for node in left}

        def by_drivers(node: Node) -> float:
            own = zip(node.reads, node.pins, strict=False)
            wired = [heights[net] - pin for net, pin in own if net in heights and node.kind != INPUT]
            return fmean(wired) if wired else node.y

        return by_drivers
    readers: dict[int, list[float]] = {}
    for node in right:
        for net, y in node.targets():
            readers.setdefault(net, []).append(y)
    return lambda node: fmean(readers[node.net]) if node.net in readers else node.y


def _sort_pins(left: list[Node], right: list[Node]) -> None:
    """Inputs of symmetric gates in the order of their drivers, so that their wires do not cross."""
    heights = {node.net: node.y for node in left}
    for node in right:
        if node.symbol is not None and node.symbol.symmetric:
            node.reads.sort(key=lambda net: (heights.get(net, node.y), net))


def _settle(column: Sequence[Node], wanted: Callable[[Node], float]) -> None:
    """Least squares to the wanted heights among those that keep order and distance (pooled neighbours)."""
    floor = [0.0]
    for above, node in pairwise(column):
        gap = INPUT_GAP if above.kind == node.kind == INPUT else GAP
        floor.append(floor[-1] + above.half + gap + node.half)
    pools: list[tuple[float, float, int]] = []
    for node, base in zip(column, floor, strict=False):
        weight = PASS_WEIGHT if node.kind == PASS else 1.0
        pools.append((weight * (wanted(node) - base), weight, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            (s1, w1, n1), (s2, w2, n2) = pools[-2:]
            pools[-2:] = [(s1 + s2, w1 + w2, n1 + n2)]
    heights = [total / weight for total, weight, n in pools for _ in range(n)]
    for node, height, base in zip(column, heights, floor, strict=False):
        node.y = height + base


def _part_wires(left: list[Node], right: list[Node]) -> None:
    """Shift nodes a little whose inputs are as high as another net's driver: their wires would lie on one line."""
    drivers = [(node.net, node.y) for node in left]
    for node in right:
        start = node.y
        for nudge in NUDGES:
            node.y = start + nudge
            if not any(
                net != other and abs(y - y_other) < 1.5 for net, y in node.targets() for other, y_other in drivers
            ):
                break


def tracks(left: Sequence[Node], right: Sequence[Node]) -> dict[int, tuple[int, float, float]]:
    """Track, top and bottom of every net's upright piece between two columns, if it has one (left-edge method)."""
    spans: dict[int, list[float]] = {node.net: [node.y] for node in left}
    wired = [target for node in right for target in node.targets()]
    for net, y in wired:
        spans[net].append(y)
    read = {net for net, _ in wired}
    ends = {net: (min(ys), max(ys)) for net, ys in spans.items() if net in read and min(ys) != max(ys)}
    lowest: list[float] = []
    found = {}
    for net, (top, bottom) in sorted(ends.items(), key=lambda item: (item[1], item[0])):
        track = next((k for k, end in enumerate(lowest) if end + GRID < top), len(lowest))
        lowest[track : track + 1] = [bottom]
        found[net] = (track, top, bottom)
    return found
