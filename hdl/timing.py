"""Longest path through a netlist, from the delay tables of its cells.

Along the load axis the tables are interpolated and, outside them, extrapolated in a straight line: printed loads
are often far below the smallest characterised one. Along the slew axis values are clamped to the table: its 1 to
5 us lie far below real transitions of about 1 ms, and extrapolating its noise that far would give negative delays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.errors import ConfigError
from printedmlp.technology import Arc, ArcTiming, DelayTable, Technology

_NS_PER_MS = 1e6
_EDGES = ("fall", "rise")
_UNTIMED = ArcTiming()
# For each output edge (0 fall, 1 rise) the input edges that cause it.
_CAUSES = {"positive_unate": ((0,), (1,)), "negative_unate": ((1,), (0,)), "non_unate": ((0, 1), (0, 1))}


@dataclass(frozen=True)
class PathStep:
    """One instance on the longest path: its number, cell, input pin, output edge and arrival time in ms."""

    instance: int
    cell: str
    pin: str
    edge: str
    arrival_ms: float


@dataclass(frozen=True)
class TimingReport:
    """The longest path from an input bit to an output bit at one voltage.

    ``max_rate_hz`` is 1000 / delay_ms, infinite for a circuit without gates. ``extrapolated`` tells whether any
    table was read outside its range. The path leads from ``inp[input_bit]`` to ``out[output_bit]``; both are None
    where there is none.
    """

    voltage: float
    delay_ms: float
    max_rate_hz: float
    path: tuple[PathStep, ...]
    extrapolated: bool
    input_bit: int | None = None
    output_bit: int | None = None


@dataclass(frozen=True)
class _Arrival:
    """Latest arrival of one edge on a net, and where it came from: (net, edge, pin) of the worst input."""

    time_ns: float
    slew_ns: float
    source: tuple[int, int, str] | None = None


def table_value(table: DelayTable, slew_ns: float, load_pf: float) -> float:
    """Value of a table in ns: linear and extrapolated along the load, linear and clamped along the slew."""
    slew = min(max(slew_ns, table.slew_ns[0]), table.slew_ns[-1])
    rows = [line_value(table.load_pf, row, load_pf) for row in table.values_ns]
    return line_value(table.slew_ns, rows, slew)


def line_value(axis: Sequence[float], values: Sequence[float], x: float) -> float:
    """Value at x of the line through the points (axis, values), straight on beyond its ends."""
    if len(axis) == 1:
        return values[0]
    k = next((i for i in range(1, len(axis) - 1) if x <= axis[i]), len(axis) - 1)
    share = (x - axis[k - 1]) / (axis[k] - axis[k - 1])
    return values[k - 1] + share * (values[k] - values[k - 1])


def critical_path(
    netlist: Netlist,
    technology: Technology,
    voltage: float,
    *,
    output_load_pf: float | None = None,
    input_slew_ns: float | None = None,
) -> TimingReport:
    """Longest path of the netlist at ``voltage``; load of the outputs and slew of the inputs are the technology's.

    Raises ConfigError when the technology has no figures at that voltage, or a cell used has no delay tables.
    """
    _check(netlist, technology, voltage)
    load_pf = technology.output_load_pf if output_load_pf is None else output_load_pf
    walk = _Walk(netlist, technology, voltage, _loads(netlist, technology, voltage, load_pf))
    arrivals = walk.run(technology.input_slew_ns if input_slew_ns is None else input_slew_ns)
    ends = [(arrivals[net][edge].time_ns, net, edge) for net in netlist.outputs for edge in (0, 1)]
    delay_ns, net, edge = max(ends, default=(0.0, 0, 0), key=lambda end: end[0])
    delay_ms = max(0.0, delay_ns / _NS_PER_MS)
    rate = 1000 / delay_ms if delay_ms > 0 else float("inf")
    path = _trace(netlist, arrivals, net, edge)
    if not path:
        return TimingReport(voltage, delay_ms, rate, (), walk.extrapolated)
    first = netlist.instances[path[0].instance]
    start = first.inputs[technology.cell(first.cell).inputs.index(path[0].pin)] - FIRST_INPUT
    return TimingReport(voltage, delay_ms, rate, path, walk.extrapolated, start, netlist.outputs.index(net))


def arc_delays(netlist: Netlist, technology: Technology, voltage: float) -> list[list[tuple[int, int, int, float]]]:
    """For every instance what may move its output: net, its edge, the output's edge (0 fall, 1 rise), delay in ns.

    Loads and transitions are those of `critical_path`, which raises the same errors.
    """
    _check(netlist, technology, voltage)
    walk = _Walk(netlist, technology, voltage, _loads(netlist, technology, voltage, technology.output_load_pf))
    arrivals = walk.run(technology.input_slew_ns)
    return [walk.moves(k, instance, arrivals) for k, instance in enumerate(netlist.instances)]


def _check(netlist: Netlist, technology: Technology, voltage: float) -> None:
    if voltage not in technology.voltages:
        raise ConfigError(f"technology '{technology.name}' has no figures at {voltage} V")
    netlist.check(technology)
    for name in netlist.cell_counts():
        cell = technology.cell(name)
        missing = cell.untimed(voltage)
        if missing or voltage not in cell.capacitance_pf:
            what = f"delay table of pin {missing[0]}" if missing else "input capacitance"
            raise ConfigError(f"technology '{technology.name}': cell {name} has no {what} at {voltage} V")


def _loads(
    netlist: Netlist, technology: Technology, voltage: float, output_load_pf: float
) -> list[tuple[float, float]]:
    """Capacitance in pF that a (falling, rising) edge on every net has to drive."""
    loads = [[0.0, 0.0] for _ in range(netlist.n_nets)]
    for instance in netlist.instances:
        pins = technology.cell(instance.cell).capacitance_pf[voltage]
        for net, pin in zip(instance.inputs, pins, strict=True):
            loads[net][0] += pin.fall
            loads[net][1] += pin.rise
    for net in netlist.outputs:
        loads[net][0] += output_load_pf
        loads[net][1] += output_load_pf
    return [(fall, rise) for fall, rise in loads]


class _Walk:
    """One pass over the instances in topological order; ``extrapolated`` is set when a table is left."""

    def __init__(
        self, netlist: Netlist, technology: Technology, voltage: float, loads: list[tuple[float, float]]
    ) -> None:
        self.netlist = netlist
        self.technology = technology
        self.voltage = voltage
        self.loads = loads
        self.extrapolated = False

    def run(self, input_slew_ns: float) -> list[tuple[_Arrival, _Arrival]]:
        """Arrivals of the (falling, rising) edge on every net; constants never move."""
        still = _Arrival(float("-inf"), 0.0)
        start = _Arrival(0.0, input_slew_ns)
        arrivals = [(still, still)] * 2 + [(start, start)] * self.netlist.n_inputs
        for net, instance in self.netlist.driven():
            cell = self.technology.cell(instance.cell)
            nets: Mapping[str, int] = dict(zip(cell.inputs, instance.inputs, strict=True))
            fall, rise = (self.latest(cell.arcs, nets, arrivals, net, edge) for edge in (0, 1))
            arrivals.append((fall, rise))
        return arrivals

    def moves(
        self, k: int, instance: Instance, arrivals: Sequence[tuple[_Arrival, _Arrival]]
    ) -> list[tuple[int, int, int, float]]:
        """Every arc of instance k from an edge that arrives: net, edge, the output's edge, delay in ns."""
        cell, net = self.technology.cell(instance.cell), self.netlist.first_driven + k
        nets = dict(zip(cell.inputs, instance.inputs, strict=True))
        found = []
        for arc, edge in ((arc, edge) for arc in cell.arcs for edge in (0, 1)):
            for cause in _CAUSES[arc.sense][edge]:
                start = arrivals[nets[arc.input]][cause]
                end = self.through(arc, start, net, edge, (nets[arc.input], cause, arc.input))
                if end.time_ns > float("-inf"):
                    found.append((nets[arc.input], cause, edge, end.time_ns - start.time_ns))
        return found

    def latest(
        self,
        arcs: Sequence[Arc],
        nets: Mapping[str, int],
        arrivals: Sequence[tuple[_Arrival, _Arrival]],
        net: int,
        edge: int,
    ) -> _Arrival:
        """The latest arrival of ``edge`` on ``net`` over all arcs; its slew is the slowest of them."""
        found = [
            self.through(arc, arrivals[nets[arc.input]][cause], net, edge, (nets[arc.input], cause, arc.input))
            for arc in arcs
            for cause in _CAUSES[arc.sense][edge]
        ]
        worst = max(found, key=lambda a: a.time_ns)
        moving = [a.slew_ns for a in found if a.time_ns > float("-inf")]
        return _Arrival(worst.time_ns, max(moving, default=0.0), worst.source)

    def through(self, arc: Arc, at: _Arrival, net: int, edge: int, source: tuple[int, int, str]) -> _Arrival:
        """Arrival on ``net`` through one arc."""
        timing = arc.timing.get(self.voltage, _UNTIMED)
        delay = (timing.cell_fall, timing.cell_rise)[edge]
        transition = (timing.fall_transition, timing.rise_transition)[edge]
        if at.time_ns == float("-inf") or delay is None or transition is None:
            return _Arrival(float("-inf"), 0.0)
        load = self.loads[net][edge]
        self.extrapolated |= _outside(delay, at.slew_ns, load)
        time = at.time_ns + max(0.0, table_value(delay, at.slew_ns, load))
        return _Arrival(time, max(0.0, table_value(transition, at.slew_ns, load)), source)


def _outside(table: DelayTable, slew_ns: float, load_pf: float) -> bool:
    inside_load = len(table.load_pf) == 1 or table.load_pf[0] <= load_pf <= table.load_pf[-1]
    inside_slew = len(table.slew_ns) == 1 or table.slew_ns[0] <= slew_ns <= table.slew_ns[-1]
    return not (inside_load and inside_slew)


def _trace(
    netlist: Netlist, arrivals: Sequence[tuple[_Arrival, _Arrival]], net: int, edge: int
) -> tuple[PathStep, ...]:
    steps: list[PathStep] = []
    while net >= netlist.first_driven and (source := arrivals[net][edge].source) is not None:
        instance = net - netlist.first_driven
        cell = netlist.instances[instance].cell
        steps.append(PathStep(instance, cell, source[2], _EDGES[edge], arrivals[net][edge].time_ns / _NS_PER_MS))
        net, edge = source[:2]
    return tuple(reversed(steps))
