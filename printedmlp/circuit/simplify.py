"""Netlists without needless gates: what is computed twice, inverted twice or never read."""

from printedmlp.circuit.netlist import Instance, Netlist
from printedmlp.technology import Technology

INVERTER = 0b01


def share_gates(netlist: Netlist, technology: Technology) -> Netlist:
    """The same function with every gate computed once, no inverter after an inverter, and no gate unread.

    Gates are equal when they are the same cell on the same nets; the order of the nets is ignored for cells of
    two interchangeable inputs.
    """
    symmetric = {
        c.name for c in technology.cells.values() if len(c.inputs) == 2 and _interchangeable(c.truth_table)
    }
    inverters = {c.name for c in technology.cells_with_function(1, INVERTER)}
    new = list(range(netlist.first_driven))
    instances: list[Instance] = []
    known: dict[Instance, int] = {}
    inverse: dict[int, int] = {}
    for instance in netlist.instances:
        inputs = tuple(new[net] for net in instance.inputs)
        gate = Instance(instance.cell, inputs)
        key = Instance(instance.cell, tuple(sorted(inputs))) if instance.cell in symmetric else gate
        net = inverse.get(inputs[0]) if instance.cell in inverters else known.get(key)
        if net is None:
            net = netlist.first_driven + len(instances)
            instances.append(gate)
            known[key] = net
            if instance.cell in inverters:
                inverse[inputs[0]], inverse[net] = net, inputs[0]
        new.append(net)
    outputs = tuple(new[net] for net in netlist.outputs)
    return drop_unread(Netlist(netlist.n_inputs, tuple(instances), outputs))


def _interchangeable(table: int) -> bool:
    return table >> 1 & 1 == table >> 2 & 1


def drop_unread(netlist: Netlist) -> Netlist:
    """The netlist without the instances that no output depends on."""
    read = set(netlist.outputs)
    for net, instance in reversed(list(netlist.driven())):
        if net in read:
            read.update(instance.inputs)
    kept = [(net, instance) for net, instance in netlist.driven() if net in read]
    new = {net: net for net in range(netlist.first_driven)}
    new.update((net, k) for k, (net, _) in enumerate(kept, start=netlist.first_driven))
    instances = tuple(Instance(i.cell, tuple(new[net] for net in i.inputs)) for _, i in kept)
    return Netlist(netlist.n_inputs, instances, tuple(new[net] for net in netlist.outputs))
