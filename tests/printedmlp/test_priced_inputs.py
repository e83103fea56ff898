"""Evolution of circuits whose inputs cost something: prices are counted again from the circuit that comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.refine import Evolution, Goal, InputPrices
from printedmlp.circuit.simplify import drop_unread
from tests.netlists import EGFET
from tests.printedmlp.test_refine import Problem

GOALS = (
    Goal(hot=1.0),
    Goal(area=0.5, power=0.05, hot=3.0, cold=0.1),
    Goal(area=0.02, errors=1.0, hot=2.0, cold=0.1, composite=0.7),
)
INVERTER = EGFET.cell("INVX1").area_mm2


def prices_of(n_inputs, seed):
    rng = np.random.default_rng(seed)
    features = np.sort(rng.integers(0, 3, n_inputs))
    return InputPrices(rng.random(n_inputs), 20 * rng.random(n_inputs), features, 0.3)


def inputs_read(netlist):
    netlist = drop_unread(netlist)
    read = {net for instance in netlist.instances for net in instance.inputs} | set(netlist.outputs)
    return sorted(net - 2 for net in read if 2 <= net < netlist.first_driven)


@given(seed=st.integers(0, 1 << 30), goal=st.sampled_from(GOALS))
@settings(max_examples=40, deadline=None)
def test_the_figures_are_those_of_the_circuit_with_the_inputs_it_reads(seed, goal):
    problem = Problem(seed, 70)
    prices = prices_of(problem.bits * problem.n_features, seed)
    evolution = Evolution(problem.care, EGFET, inputs=prices)
    found = evolution.run(problem.start, goal, 800, np.random.default_rng(seed))
    errors, area, power = problem.recount(found.netlist)
    read = inputs_read(found.netlist)
    area += prices.mm2[read].sum() + 0.3 * len(set(prices.features[read]))
    assert (found.errors, found.area_mm2) == (errors, pytest.approx(area, abs=1e-9))
    if goal.power:
        assert found.power_uw == pytest.approx(power + prices.uw[read].sum(), abs=1e-9)


def on_levels(levels_mm2):
    """Rows whose class is told by any level of 3 to 12 of one feature; the circuit to start from reads level 9."""
    codes = np.array([0, 1, 2, 12, 13, 15] * 4)
    bits = (codes[:, None] >= np.arange(1, 16)).astype(np.uint8)
    care = CareSet.of(bits, (codes >= 9).astype(np.int64), n_classes=2, input_bits=1)
    prices = InputPrices(np.array(levels_mm2), np.zeros(15), np.zeros(15, dtype=np.int64), 0.144)
    return Evolution(care, EGFET, inputs=prices)


def evolved(levels_mm2):
    start = Netlist(15, (), (10,))
    found = on_levels(levels_mm2).run(
        start, Goal(max_errors=0, hot=0.01, cold=0.001), 3000, np.random.default_rng(0)
    )
    return found.netlist, found.area_mm2


def test_a_low_level_takes_the_place_of_a_high_one():
    netlist, area = evolved([0.1 * level for level in range(1, 16)])
    assert netlist == Netlist(15, (), (4,))
    assert area == pytest.approx(0.144 + 0.3)


def test_with_flat_prices_the_level_stays():
    """Broken on purpose: without a price that tells levels apart nothing is gained by another one."""
    netlist, area = evolved([0.1] * 15)
    assert netlist == Netlist(15, (), (10,))
    assert area == pytest.approx(0.244)


def test_the_price_by_hand():
    """Gates read two levels of feature 0 and one of feature 1: prices 3, 6 and 2, and twice the first's."""
    prices = InputPrices(
        np.array([3.0, 6.0, 2.0, 4.0]), np.array([10.0, 20.0, 5.0, 7.0]), np.array([0, 0, 1, 1]), 0.5
    )
    gates = (Instance("NAND2X1", (2, 3)), Instance("NAND2X1", (6, 4)))
    rows = np.array([[0, 0, 0, 0], [1, 1, 1, 1]], dtype=np.uint8)
    care = CareSet.of(rows, np.array([1, 1]), n_classes=2, input_bits=1)
    found = Evolution(care, EGFET, inputs=prices).measure(Netlist(4, gates, (7,)))
    nand = EGFET.cell("NAND2X1")
    assert found.area_mm2 == pytest.approx(2 * nand.area_mm2 + 3 + 6 + 2 + 2 * 0.5)
    leak = nand.leakage_nw[1.0]
    # Low inputs: 1 and then NAND(1, 0) in state 1; high ones: 0 and then NAND(0, 1) in state 2.
    gates_nw = (leak[0] + leak[1] + leak[3] + leak[2]) / 2
    assert found.power_uw == pytest.approx(gates_nw / 1000 + 10 + 20 + 5)
