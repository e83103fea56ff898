"""Transitions of a netlist whose gates all take the same time: what a change of row sets off until all is settled.

Paths of unequal length let a net move several times before it settles. Counted with one delay for all gates and
pulses of any width passing, these are more than happen in print, where gates are slower than short pulses and
swallow them; those from one settled state to the next are fewer than happen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit import Netlist
from printedmlp.circuit.simulate import gate_function
from printedmlp.technology import Technology


def unit_delay_toggles(
    netlist: Netlist, technology: Technology, values: Sequence[int], n_rows: int
) -> NDArray[np.float64]:
    """Transitions of every instance's output for a new row on average, (n_instances,).

    values : signal of every net over the rows, from ``simulate``.
    """
    steps = max(1, n_rows - 1)
    ones = (1 << (n_rows - 1)) - 1
    gates = {name: gate_function(technology.cell(name)) for name in netlist.cell_counts()}
    readers = _readers(netlist)
    first = netlist.first_driven
    now = [value >> 1 if net < first else value & ones for net, value in enumerate(values)]
    counts = np.zeros(len(netlist.instances))
    moved = [net for net in range(first) if now[net] != values[net] & ones]
    while moved:
        due = sorted({k for net in moved for k in readers[net]})
        new = [gates[netlist.instances[k].cell](*(now[n] for n in netlist.instances[k].inputs), ones) for k in due]
        moved = []
        for k, value in zip(due, new, strict=True):
            if value != now[first + k]:
                counts[k] += (value ^ now[first + k]).bit_count()
                now[first + k] = value
                moved.append(first + k)
    assert all(now[net] == values[net] >> 1 for net in range(first, netlist.n_nets)), "a netlist did not settle"
    return counts / steps


def _readers(netlist: Netlist) -> list[list[int]]:
    readers: list[list[int]] = [[] for _ in range(netlist.n_nets)]
    for k, instance in enumerate(netlist.instances):
        for net in instance.inputs:
            readers[net].append(k)
    return readers
