from hypothesis import given, settings

from printedmlp.circuit import Instance, Netlist, drop_unread, share_gates
from tests.netlists import EGFET, function, random_netlists


def gates(*rows):
    return tuple(Instance(name, tuple(nets)) for name, *nets in rows)


def test_equal_gates_become_one_whatever_the_order_of_their_inputs():
    twice = Netlist(2, gates(("NAND2X1", 2, 3), ("NAND2X1", 3, 2), ("OR2X1", 4, 5)), (6,))
    assert share_gates(twice, EGFET) == Netlist(2, gates(("NAND2X1", 2, 3), ("OR2X1", 4, 4)), (5,))


def test_an_inverter_of_an_inverter_is_a_wire():
    double = Netlist(1, gates(("INVX1", 2), ("INVX1", 3), ("NAND2X1", 2, 4)), (5,))
    assert share_gates(double, EGFET) == Netlist(1, gates(("NAND2X1", 2, 2)), (3,))


def test_two_inverters_of_one_net_become_one():
    netlist = Netlist(1, gates(("INVX1", 2), ("INVX1", 2)), (3, 4))
    assert share_gates(netlist, EGFET) == Netlist(1, gates(("INVX1", 2)), (3, 3))


def test_unread_gates_are_dropped():
    netlist = Netlist(1, gates(("INVX1", 2), ("INVX1", 3), ("INVX1", 3)), (5, 2))
    assert drop_unread(netlist) == Netlist(1, gates(("INVX1", 2), ("INVX1", 3)), (4, 2))


@settings(max_examples=80, deadline=None)
@given(random_netlists())
def test_the_function_stays_and_no_gate_is_left_over(netlist):
    for simpler in (drop_unread(netlist), share_gates(netlist, EGFET)):
        assert function(simpler) == function(netlist)
        assert len(simpler.instances) <= len(netlist.instances)
    assert share_gates(simpler, EGFET) == simpler
    assert len(set(simpler.instances)) == len(simpler.instances)
