"""Netlists as arrays for evolution and back: whatever the order of the gates, the function stays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.simplify import drop_unread
from printedmlp.circuit.slots import WIRE_TABLE, CellKinds, netlist_of, slots_of
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology
from printedmlp.technology.cell import Cell
from tests.netlists import EGFET, function, random_netlists, two_gates

KINDS = CellKinds.of(EGFET)
INV, NAND = KINDS.names.index("INVX1"), KINDS.names.index("NAND2X1")


def technology(*cells):
    return Technology("made up", {cell.name: cell for cell in cells}, (1.0,), 1.0)


def inverter(name="INV", area=1.0, **figures):
    return Cell(name, area, ("A",), "Y", "!A", **figures)


def there_and_back(netlist, seed):
    slots = slots_of(netlist, EGFET, KINDS, np.random.default_rng(seed))
    return netlist_of(slots, netlist.n_inputs, KINDS)


def test_the_kinds_of_the_printed_cells():
    assert KINDS.names[:3] == ("", "INVX1", "NAND2X1")
    assert set(KINDS.names[1:]) == set(EGFET.cells)
    assert [int(KINDS.tables[k]) for k in (0, INV, NAND)] == [WIRE_TABLE, 0b0101, 0b0111]
    assert KINDS.areas[NAND] == EGFET.cell("NAND2X1").area_mm2
    low, high = EGFET.cell("INVX1").leakage_nw[1.0]
    assert KINDS.leakage[INV].tolist() == [low * 1e-3, high * 1e-3] * 2
    assert KINDS.leakage[NAND].tolist() == [nw * 1e-3 for nw in EGFET.cell("NAND2X1").leakage_nw[1.0]]
    assert KINDS.arities[[0, INV, NAND]].tolist() == [1, 1, 2]


def test_of_equal_functions_the_smallest_cell_and_unknown_leakage_is_none():
    made_up = technology(
        inverter("BIG", 2.0),
        inverter("SMALL", 0.5),
        Cell("BUF", 0.1, ("A",), "Y", "A"),
        Cell("ONE", 0.1, ("A", "B"), "Y", "A | !A"),
        Cell("AND3", 0.1, ("A", "B", "C"), "Y", "A & B & C"),
    )
    kinds = CellKinds.of(made_up)
    assert kinds.names == ("", "SMALL")
    assert not kinds.leakage.any()


def test_a_technology_without_inverter_is_refused():
    with pytest.raises(ConfigError, match="technology 'made up' has no inverter"):
        CellKinds.of(technology(Cell("AND", 1.0, ("A", "B"), "Y", "A & B")))


def test_two_gates_by_hand():
    kind, pin_a, pin_b, outputs = slots_of(two_gates(), EGFET, KINDS, np.random.default_rng(0))
    assert kind.shape == pin_a.shape == pin_b.shape == (4 + 2 + 40,)
    (inverter,) = outputs
    nand = pin_a[inverter]
    assert (kind[inverter], pin_b[inverter], kind[nand]) == (INV, 0, NAND)
    assert (pin_a[nand], pin_b[nand]) == (2, 3)
    assert netlist_of((kind, pin_a, pin_b, outputs), 2, KINDS) == two_gates()


@given(netlist=random_netlists(), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_order_is_the_same_function_of_the_same_cells(netlist, seed):
    again = there_and_back(netlist, seed)
    assert function(again) == function(netlist)
    assert again.cell_counts() == drop_unread(netlist).cell_counts()


@given(netlist=random_netlists(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_every_slot_reads_below_itself(netlist, seed):
    kind, pin_a, pin_b, outputs = slots_of(netlist, EGFET, KINDS, np.random.default_rng(seed))
    places = np.arange(netlist.first_driven, len(kind))
    assert (kind[places] > 0).all()
    assert ((pin_a[places] >= 0) & (pin_a[places] < places)).all()
    assert ((pin_b[places] >= 0) & (pin_b[places] < places)).all()
    assert (pin_b[places][KINDS.arities[kind[places]] == 1] == 0).all()
    assert ((outputs >= 0) & (outputs < len(kind))).all()


def test_repeated_calls_order_the_gates_anew():
    """A chain has one order; beside it, another chain falls anywhere."""
    chain = [Instance("INVX1", (2,)), Instance("INVX1", (4,)), Instance("INVX1", (5,))]
    pair = [Instance("NAND2X1", (2, 3)), Instance("NAND2X1", (7, 3))]
    netlist = Netlist(2, (*chain, *pair), (6, 8))
    orders = {tuple(i.cell for i in there_and_back(netlist, seed).instances) for seed in range(200)}
    assert len(orders) == 10
    assert slots_differ(netlist, 0, 1)
    assert not slots_differ(netlist, 0, 0)


def slots_differ(netlist, *seeds):
    one, other = (slots_of(netlist, EGFET, KINDS, np.random.default_rng(seed)) for seed in seeds)
    return any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_wires_are_resolved_and_dead_gates_left_out():
    """Net 4 is an inverter of net 2, 5 a wire to it, 6 a wire to 5, 7 a dead gate, 8 reads net 6 and a constant."""
    kind = np.array([0, 0, 0, 0, INV, 0, 0, NAND, NAND])
    pin_a = np.array([0, 0, 0, 0, 2, 4, 5, 6, 6])
    pin_b = np.array([0, 0, 0, 0, 0, 0, 0, 3, 1])
    netlist = netlist_of((kind, pin_a, pin_b, np.array([8, 6, 1])), 2, KINDS)
    assert netlist == Netlist(2, (Instance("INVX1", (2,)), Instance("NAND2X1", (4, 1))), (5, 4, 1))


def test_another_pin_is_another_function():
    slots = slots_of(two_gates(), EGFET, KINDS, np.random.default_rng(0))
    nand = slots[1][slots[3][0]]
    slots[1][nand] = 1
    assert function(netlist_of(slots, 2, KINDS)) == [0, 0, 1, 1] != function(two_gates())


@pytest.mark.parametrize("outputs", [(0,), (1, 0), (2,), (3, 1, 2)])
def test_no_gate_at_all(outputs):
    netlist = Netlist(2, (), outputs)
    assert there_and_back(netlist, 3) == netlist


def test_buffers_become_wires_and_larger_cells_small_ones():
    made_up = technology(inverter("SMALL", 0.5), inverter("BIG", 2.0), Cell("BUF", 0.1, ("A",), "Y", "A"))
    netlist = Netlist(1, (Instance("BUF", (2,)), Instance("BIG", (3,))), (4, 3))
    kinds = CellKinds.of(made_up)
    again = netlist_of(slots_of(netlist, made_up, kinds, np.random.default_rng(0)), 1, kinds)
    assert again == Netlist(1, (Instance("SMALL", (2,)),), (3, 2))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Cell("NAND3", 1.0, ("A", "B", "C"), "Y", "!(A & B & C)"), "instance 1: NAND3 is not a gate"),
        (Cell("TIE", 1.0, (), "Y", "1"), "instance 1: TIE is not a gate"),
        (Cell("ONE", 1.0, ("A", "B"), "Y", "A | !A"), "instance 1: ONE is not a gate"),
    ],
)
def test_cells_that_are_no_gates_are_refused(cell, message):
    made_up = technology(inverter(), cell)
    netlist = Netlist(1, (Instance("INV", (2,)), Instance(cell.name, (3,) * len(cell.inputs))), (4,))
    with pytest.raises(ConfigError, match=message):
        slots_of(netlist, made_up, CellKinds.of(made_up), np.random.default_rng(0))


def test_a_cell_of_no_technology_is_refused():
    strange = replace(two_gates(), instances=(Instance("NAND2X1", (2, 3)), Instance("INVX9", (4,))))
    with pytest.raises(ConfigError, match="cannot map to 'INVX9'"):
        slots_of(strange, EGFET, KINDS, np.random.default_rng(0))
