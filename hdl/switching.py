"""Energy of the transitions that rows of data cause in a netlist, one row after the other.

Each output that moves from one row to the next costs what the technology's tables say the cell draws meanwhile, and
half of C V^2 for the load: the pins it drives and, where it is an output bit, the load there. A transition that
several inputs cause at once counts as the mean of the tables of those inputs.

That counts each net's way from one settled state to the next. Nets that move several times before they settle cost
more; an estimate of that is kept apart, see ``hdl.glitches``. What charges the input bits is their driver's. In the
figures of EGFET the tables hold what a cell draws statically while it settles too, which static power counts as
well, so the sum is rather too high; the load's share alone is a lower bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdl.glitches import unit_delay_toggles
from hdl.timing import line_value
from printedmlp.circuit import Netlist
from printedmlp.circuit.simulate import unpack_bits
from printedmlp.technology import Cell, Technology

Floats = NDArray[np.float64]
RISE, FALL = 0, 1


@dataclass(frozen=True)
class SwitchingEnergies:
    """What each instance costs for a new row on average; all arrays are (n_instances,).

    toggles : transitions of the output. internal_pj, load_pj : energy in pJ by supply voltage, drawn by the cell
    and spent on its load. glitches_pj : what further transitions on the way cost, both together, with gates of
    equal delay. A voltage is absent at which a cell used has no figures, and glitches that nobody asked for.
    """

    toggles: Floats
    internal_pj: Mapping[float, Floats]
    load_pj: Mapping[float, Floats]
    glitches_pj: Mapping[float, Floats]


def switching_energies(
    netlist: Netlist,
    technology: Technology,
    values: Sequence[int],
    n_rows: int,
    *,
    output_load_pf: float | None = None,
    glitches: bool = False,
) -> SwitchingEnergies:
    """Mean energies over the transitions from each row to the next; none where there is one row only.

    values : signal of every net over the rows, from ``simulate``. output_load_pf : the technology's if None.
    glitches : whether to estimate those too, which takes seconds for thousands of cells.
    """
    steps = max(1, n_rows - 1)
    load_pf = technology.output_load_pf if output_load_pf is None else output_load_pf
    bits = np.array([unpack_bits(signal, n_rows) for signal in values])
    usage = [_usage(technology.cell(i.cell), bits[list(i.inputs)]) for i in netlist.instances]
    toggles = np.array([sum(count for _, _, count in used) / steps for used in usage])
    further = unit_delay_toggles(netlist, technology, values, n_rows) - toggles if glitches else None
    cells = [technology.cell(name) for name in netlist.cell_counts()]
    internal, load, more = {}, {}, {}
    for voltage in technology.voltages:
        if any(voltage not in cell.capacitance_pf for cell in cells):
            continue
        loads = mean_loads_pf(netlist, technology, voltage, load_pf)[netlist.first_driven :]
        load[voltage] = toggles * loads * voltage**2 / 2
        if all(cell.energies and all(voltage in e.by_voltage for e in cell.energies) for cell in cells):
            total = [
                _internal_pj(technology.cell(i.cell), used, voltage, float(pf))
                for i, used, pf in zip(netlist.instances, usage, loads, strict=True)
            ]
            internal[voltage] = np.array(total) / steps
            if further is not None:
                more[voltage] = further * (_mean_pj(netlist, technology, voltage, loads) + loads * voltage**2 / 2)
    return SwitchingEnergies(toggles, internal, load, more)


def mean_loads_pf(netlist: Netlist, technology: Technology, voltage: float, output_load_pf: float) -> Floats:
    """Capacitance on every net, (n_nets,) in pF: the pins that read it and its output bits."""
    loads = np.zeros(netlist.n_nets)
    for instance in netlist.instances:
        for net, pin in zip(instance.inputs, technology.cell(instance.cell).capacitance_pf[voltage], strict=True):
            loads[net] += pin.mean
    np.add.at(loads, list(netlist.outputs), output_load_pf)
    return loads


def _usage(cell: Cell, inputs: NDArray[np.uint8]) -> list[tuple[tuple[int, ...], int, int]]:
    """Which tables the transitions of a cell's output use: (entries, edge, count), from its inputs by row."""
    states = sum((inputs[i].astype(np.int64) << i for i in range(len(inputs))), np.zeros(inputs.shape[1], np.int64))
    pairs, counts = np.unique(states[:-1] << len(inputs) | states[1:], return_counts=True)
    used = []
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        before, after = pair >> len(inputs), pair & cell.n_states - 1
        if cell.evaluate(before) != cell.evaluate(after):
            used.append((_entries(cell, before, after), RISE if cell.evaluate(after) else FALL, count))
    return used


def _entries(cell: Cell, before: int, after: int) -> tuple[int, ...]:
    """Entries of the inputs that moved and whose condition holds afterwards; all of those inputs if none does."""
    moved = [k for k, energy in enumerate(cell.energies) if (before ^ after) >> cell.inputs.index(energy.pin) & 1]
    held = [k for k in moved if cell.energies[k].states >> after & 1]
    return tuple(held or moved or range(len(cell.energies)))


def _tables(cell: Cell, voltage: float, load_pf: float) -> list[tuple[float, float]]:
    """Energies in pJ of a rising and of a falling output by entry, at a load."""
    edges = [energy.by_voltage[voltage] for energy in cell.energies]
    return [(line_value(e.load_pf, e.rise_pj, load_pf), line_value(e.load_pf, e.fall_pj, load_pf)) for e in edges]


def _mean_pj(netlist: Netlist, technology: Technology, voltage: float, loads: Floats) -> Floats:
    """Energy of a transition whose cause is not known: as many rise as fall, and each entry may be it."""
    cells = [technology.cell(instance.cell) for instance in netlist.instances]
    found = [np.mean(_tables(cell, voltage, float(pf))) for cell, pf in zip(cells, loads, strict=True)]
    return np.array(found, dtype=np.float64)


def _internal_pj(
    cell: Cell, used: Sequence[tuple[tuple[int, ...], int, int]], voltage: float, load_pf: float
) -> float:
    tables = _tables(cell, voltage, load_pf)
    return sum(count * sum(tables[k][edge] for k in entries) / len(entries) for entries, edge, count in used)
