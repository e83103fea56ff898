"""Cells in rows: wire length by hand, nothing on anything else, and a checker that can fail."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from hdl.annealing import nets_of, spread_rows
from hdl.placement import Placement, check_placement, place, random_placement, wire_length_mm
from hdl.sheet import GAP, Sheet, cell_widths_mm, n_rows, row_height_mm
from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import load_technology
from tests.netlists import EGFET, inverter_chain, random_netlists, two_gates


def rng(seed=0):
    return np.random.default_rng(seed)


def mesh(n):
    """A NAND of the input and itself n deep and n wide: enough for annealing to have something to do."""
    instances = [Instance("NAND2X1", (2 + k % 4, 2 + (k + 1) % 4)) for k in range(n)]
    instances += [Instance("NAND2X1", (6 + k * 7 % n, 6 + k * 5 % n)) for k in range(n)]
    return Netlist(4, tuple(instances), (6 + n, 6 + 2 * n - 1))


def test_the_wire_length_by_hand():
    """Input bits at (0, 2) and (0, 1), NAND2 centred at (2, 1), inverter at (5, 3), output port at (8, 2)."""
    sheet = Sheet(8.0, 4.0, 1.0, 1.0, 7.0, (0.5, 2.5), (0, 1), (2.0, 1.0), (2.0,))
    placement = Placement(sheet, np.array([1.5, 4.0]), np.array([0.5, 2.5]), np.array([1.0, 2.0]), 0.0, 0.0, 0)
    # inp[0]: 2 across + 1 up; inp[1]: 2; NAND2 to inverter: 3 + 2; inverter to out: 3 + 1.
    assert wire_length_mm(two_gates(), placement) == pytest.approx(3 + 2 + 5 + 4)
    assert [(net.source, net.cells, net.outputs) for net in nets_of(two_gates())] == [
        (0, (0,), ()),
        (1, (0,), ()),
        (None, (0, 1), ()),
        (None, (1,), (0,)),
    ]


def test_areas_are_to_scale_at_the_stated_height():
    assert row_height_mm(EGFET) == 0.5
    assert row_height_mm(load_technology("cnt_tft")) == 0.04
    assert cell_widths_mm(two_gates(), EGFET) == pytest.approx([0.24786 / 0.5, 0.22842 / 0.5])


def test_cells_go_to_rows_by_height_and_place():
    x, y = np.array([3.0, 1.0, 2.0, 0.0]), np.array([9.0, 1.0, 8.0, 2.0])
    assert spread_rows(x, y, np.ones(4), 2) == [[3, 1], [2, 0]]


def test_rows_make_the_sheet_square_and_give_the_ports_room():
    assert n_rows([1.0] * 50, 1.0, 2) == 6
    assert n_rows([1.0] * 2, 1.0, 40) == 1


@given(random_netlists())
@settings(max_examples=30, deadline=None)
def test_a_placement_is_right_and_measured_right(netlist):
    placement = place(netlist, EGFET, rng(), sweeps=20)
    assert check_placement(netlist, EGFET, placement) == []
    assert placement.wire_length_mm == pytest.approx(wire_length_mm(netlist, placement))
    assert placement.wire_length_mm <= placement.start_length_mm
    assert placement.area_mm2 == pytest.approx(100 * netlist.area_cm2(EGFET))
    assert 0 <= placement.utilisation < 1


def test_neighbours_keep_their_distance():
    placement = place(mesh(60), EGFET, rng())
    gaps = []
    for bottom in placement.sheet.bottoms_mm:
        row = sorted(
            (placement.left_mm[k], placement.left_mm[k] + placement.width_mm[k])
            for k in range(120)
            if abs(placement.bottom_mm[k] - bottom) < 1e-9
        )
        gaps += [b[0] - a[1] for a, b in pairwise(row)]
    assert min(gaps) > GAP * 0.5 - 1e-9


def test_the_same_generator_gives_the_same_placement_another_one_another():
    first, again, other = (place(mesh(40), EGFET, rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.left_mm, again.left_mm)
    assert np.array_equal(first.bottom_mm, again.bottom_mm)
    assert not np.array_equal(first.left_mm, other.left_mm)


def test_annealing_is_not_worse_than_its_start_and_far_better_than_chance():
    netlist = mesh(150)
    placement, by_chance = place(netlist, EGFET, rng()), random_placement(netlist, EGFET, rng())
    assert placement.wire_length_mm < placement.start_length_mm < by_chance.wire_length_mm
    assert placement.wire_length_mm < 0.6 * by_chance.wire_length_mm
    assert check_placement(netlist, EGFET, by_chance) == []


@pytest.mark.parametrize("sweeps", [0, 1])
def test_few_sweeps_are_never_worse_than_the_start(sweeps):
    placement = place(mesh(80), EGFET, rng(), sweeps=sweeps)
    assert placement.wire_length_mm <= placement.start_length_mm
    assert placement.moves == 160 * sweeps


@pytest.mark.parametrize(
    "netlist",
    [
        Netlist(3, (), (2,)),
        Netlist(1, (), (0,)),
        inverter_chain(1),
        Netlist(2, (Instance("NAND2X1", (0, 1)),), (1, 0)),
        Netlist(1, (Instance("XOR2X1", (2, 2)), Instance("INVX1", (2,))), (2,)),
    ],
)
def test_circuits_of_almost_nothing(netlist):
    placement = place(netlist, EGFET, rng())
    assert check_placement(netlist, EGFET, placement) == []
    assert placement.wire_length_mm == pytest.approx(wire_length_mm(netlist, placement))


def test_the_checker_finds_what_is_broken_on_purpose():
    netlist = mesh(20)
    placement = place(netlist, EGFET, rng())
    left, bottom, width = placement.left_mm, placement.bottom_mm, placement.width_mm

    def wrong(**changes):
        return check_placement(netlist, EGFET, replace(placement, **changes))

    def at(values, k, value):
        return np.where(np.arange(len(values)) == k, value, values)

    assert wrong() == []
    on_top = wrong(left_mm=at(left, 7, left[3] + 0.1), bottom_mm=at(bottom, 7, bottom[3]))
    assert "cells 3 and 7 overlap" in on_top
    half_a_row = wrong(left_mm=at(left, 7, left[3]), bottom_mm=at(bottom, 7, bottom[3] + 0.2))
    assert "cells 3 and 7 overlap" in half_a_row
    assert wrong(left_mm=at(left, 5, -0.2)) == ["cell 5 (NAND2X1) is outside the sheet"]
    assert wrong(bottom_mm=at(bottom, 5, 1e3)) == ["cell 5 (NAND2X1) is outside the sheet"]
    assert wrong(left_mm=left[:-1]) == ["39 of 40 cells are placed"]
    assert wrong(width_mm=at(width, 2, 0.3)) == ["cell 2 (NAND2X1) has 0.15 mm2, not 0.24786"]
