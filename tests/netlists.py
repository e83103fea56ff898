"""Small circuits and random netlists for tests."""

from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import load_technology

EGFET = load_technology("egfet")


def two_gates():
    """out = !(!(a & b) ): a NAND of two inputs and an inverter."""
    return Netlist(2, (Instance("NAND2X1", (2, 3)), Instance("INVX1", (4,))), (5,))


def inverter_chain(length):
    return Netlist(1, tuple(Instance("INVX1", (2 + k,)) for k in range(length)), (2 + length,))


@st.composite
def random_netlists(draw, max_inputs=6, max_gates=25):
    """Netlists over the EGFET cells, with constants, shared nets, unused gates and inputs wired to outputs."""
    n_inputs = draw(st.integers(1, max_inputs))
    names = draw(st.lists(st.sampled_from(sorted(EGFET.cells)), max_size=max_gates))
    instances: list[Instance] = []
    for name in names:
        net = st.integers(0, 1 + n_inputs + len(instances))
        instances.append(Instance(name, tuple(draw(net) for _ in EGFET.cells[name].inputs)))
    outputs = draw(st.lists(st.integers(0, 1 + n_inputs + len(instances)), min_size=1, max_size=4))
    return Netlist(n_inputs, tuple(instances), tuple(outputs))


def net_values(netlist, word):
    """Value of every net for one input word, gate by gate: the slow definition the simulator is held against."""
    values = [0, 1, *(word >> i & 1 for i in range(netlist.n_inputs))]
    for instance in netlist.instances:
        state = sum(values[net] << i for i, net in enumerate(instance.inputs))
        values.append(EGFET.cells[instance.cell].evaluate(state))
    return values


def evaluate(netlist, word):
    """Output word for one input word."""
    values = net_values(netlist, word)
    return sum(values[net] << bit for bit, net in enumerate(netlist.outputs))


def function(netlist):
    """Output words for all input words."""
    return [evaluate(netlist, word) for word in range(1 << netlist.n_inputs)]
