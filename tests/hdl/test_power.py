import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.power import power_by_cell_mw, static_power_mw
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import ConfigError
from printedmlp.technology import Cell, Technology
from tests.netlists import EGFET, net_values, random_netlists, two_gates


def rows(*words):
    """One row for each input word, every input bit a feature of one bit."""
    return np.array([[word & 1, word >> 1 & 1] for word in words], dtype=np.uint8)


def test_two_gates_by_hand():
    # NAND2 in state 3 (low): 18569.1 nW, then the inverter in state 0: 491.103 nW.
    power = static_power_mw(two_gates(), EGFET, rows(0b11), 1)
    assert power[1.0] == pytest.approx((18569.1 + 491.103) * 1e-6)
    # States 0 and 1 of the NAND2 at a half each, the inverter always low: 6407.6 nW at 0.6 V.
    power = static_power_mw(two_gates(), EGFET, rows(0b00, 0b01), 1)
    nand = EGFET.cells["NAND2X1"].leakage_nw[0.6]
    assert power[0.6] == pytest.approx(((nand[0] + nand[1]) / 2 + 6407.6) * 1e-6)
    assert set(power) == {0.6, 0.8, 1.0}


def test_the_data_decide_the_power():
    often_low = static_power_mw(two_gates(), EGFET, rows(0b11, 0b11, 0b11, 0b00), 1)
    often_high = static_power_mw(two_gates(), EGFET, rows(0b00, 0b00, 0b00, 0b11), 1)
    nand, inverter = EGFET.cells["NAND2X1"].leakage_nw[1.0], EGFET.cells["INVX1"].leakage_nw[1.0]
    difference = (nand[3] + inverter[0] - nand[0] - inverter[1]) / 2
    assert often_low[1.0] - often_high[1.0] == pytest.approx(difference * 1e-6)


def test_split_by_cell():
    split = power_by_cell_mw(two_gates(), EGFET, rows(0b11), 1, 1.0)
    assert split == pytest.approx({"INVX1": 491.103e-6, "NAND2X1": 18569.1e-6})


@settings(max_examples=30, deadline=None)
@given(random_netlists(), st.integers(0, 2**32 - 1))
def test_power_agrees_with_a_plain_loop(netlist, seed):
    X = np.random.default_rng(seed).integers(0, 2, size=(7, netlist.n_inputs)).astype(np.uint8)
    total = 0.0
    for row in X:
        values = net_values(netlist, sum(int(bit) << i for i, bit in enumerate(row)))
        for instance in netlist.instances:
            state = sum(values[net] << i for i, net in enumerate(instance.inputs))
            total += EGFET.cells[instance.cell].leakage_nw[0.8][state]
    expected = total / len(X) * 1e-6
    assert static_power_mw(netlist, EGFET, X, 1)[0.8] == pytest.approx(expected)
    assert sum(power_by_cell_mw(netlist, EGFET, X, 1, 0.8).values()) == pytest.approx(expected)


def test_features_of_several_bits_are_split_low_bit_first():
    netlist = Netlist(4, (Instance("NAND2X1", (2, 5)),), (6,))
    power = static_power_mw(netlist, EGFET, np.array([[1, 2]], dtype=np.uint8), 2)
    assert power[1.0] == pytest.approx(18569.1e-6)


def test_a_circuit_of_wires_draws_nothing():
    assert static_power_mw(Netlist(2, (), (2,)), EGFET, rows(0), 1)[1.0] == 0


def test_what_cannot_be_weighted_is_refused():
    with pytest.raises(ConfigError, match="at least one row"):
        static_power_mw(two_gates(), EGFET, np.zeros((0, 2), dtype=np.uint8), 1)
    with pytest.raises(ConfigError, match="2 features of 4 bits do not fit a circuit of 2 input bits"):
        static_power_mw(two_gates(), EGFET, rows(0), 4)
    with pytest.raises(ConfigError, match=r"no figures at 3\.3 V"):
        power_by_cell_mw(two_gates(), EGFET, rows(0), 1, 3.3)
    bare = {name: Cell(name, 1.0, c.inputs, c.output, c.function) for name, c in EGFET.cells.items()}
    with pytest.raises(ConfigError, match=r"has no leakage figures at 1\.0 V"):
        static_power_mw(two_gates(), Technology("bare", bare, (1.0,), 1.0), rows(0), 1)
