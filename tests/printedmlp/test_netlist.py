import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate, state_probabilities
from printedmlp.circuit.simulate import gate_function, pack_bits, unpack_bits
from printedmlp.errors import ConfigError
from printedmlp.technology import Cell
from tests.netlists import EGFET, net_values, random_netlists

HALF_ADDER = Netlist(
    2,
    (
        Instance("NAND2X1", (2, 3)),
        Instance("NAND2X1", (2, 4)),
        Instance("NAND2X1", (4, 3)),
        Instance("NAND2X1", (5, 6)),
        Instance("INVX1", (4,)),
    ),
    (7, 8),
)


def test_half_adder_by_hand():
    inputs = [0b1010, 0b1100]
    values = simulate(HALF_ADDER, EGFET, inputs, 4)
    assert values[4] == 0b0111
    assert values[7] == 0b0110
    assert values[8] == 0b1000
    assert classes(HALF_ADDER, values, 4).tolist() == [0, 1, 1, 2]


def test_area_and_counts_by_hand():
    assert HALF_ADDER.cell_counts() == {"INVX1": 1, "NAND2X1": 4}
    assert HALF_ADDER.area_cm2(EGFET) == pytest.approx((4 * 0.24786 + 0.22842) / 100)
    assert Netlist(1, (), (2,)).area_cm2(EGFET) == 0


def test_state_probabilities_by_hand():
    values = simulate(HALF_ADDER, EGFET, [0b0010, 0b0110], 4)
    probabilities = state_probabilities(HALF_ADDER, EGFET, values, 4)
    assert probabilities[0] == (0.5, 0.0, 0.25, 0.25)
    assert probabilities[4] == (0.25, 0.75)


@pytest.mark.parametrize(
    ("instances", "outputs", "message"),
    [
        ((Instance("INVX1", (4,)),), (3,), "instance 0 .INVX1. reads net 4"),
        ((Instance("INVX1", (-1,)),), (3,), "reads net -1"),
        ((Instance("INVX1", (2,)), Instance("INVX1", (5,))), (3,), "instance 1"),
        ((), (4,), "output bit 0 is net 4"),
    ],
)
def test_malformed_netlists_are_refused(instances, outputs, message):
    with pytest.raises(ConfigError, match=message):
        Netlist(2, instances, outputs)


def test_cells_are_checked_against_the_technology():
    with pytest.raises(ConfigError, match="NAND2X1 has 2 inputs, not 1"):
        Netlist(1, (Instance("NAND2X1", (2,)),), (3,)).check(EGFET)
    with pytest.raises(ConfigError, match="'DFFX1': flip_flop"):
        Netlist(1, (Instance("DFFX1", (2,)),), (3,)).check(EGFET)


def test_constants_and_wires_reach_the_outputs():
    netlist = Netlist(2, (), (0, 1, 3, 2))
    values = simulate(netlist, EGFET, [0b01, 0b10], 2)
    assert classes(netlist, values, 2).tolist() == [0b1010, 0b0110]


def test_input_bits_come_feature_by_feature_low_bit_first():
    X = np.array([[1, 2], [3, 0], [0, 3]], dtype=np.uint8)
    assert input_bits_of(X, 2) == [0b011, 0b010, 0b100, 0b101]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 1), max_size=40))
def test_packing_and_unpacking(bits):
    signal = pack_bits(np.array(bits, dtype=np.uint8))
    assert signal == sum(bit << t for t, bit in enumerate(bits))
    assert unpack_bits(signal, len(bits)).tolist() == bits


@settings(max_examples=60, deadline=None)
@given(random_netlists(), st.integers(0, 2**32 - 1))
def test_simulation_agrees_with_one_vector_at_a_time(netlist, seed):
    words = np.random.default_rng(seed).integers(0, 1 << netlist.n_inputs, size=11)
    inputs = [pack_bits(words >> i & 1) for i in range(netlist.n_inputs)]
    values = simulate(netlist, EGFET, inputs, len(words))
    expected = [net_values(netlist, int(word)) for word in words]
    assert values == [sum(row[net] << t for t, row in enumerate(expected)) for net in range(netlist.n_nets)]
    outputs = [sum(row[net] << bit for bit, net in enumerate(netlist.outputs)) for row in expected]
    assert classes(netlist, values, len(words)).tolist() == outputs


@settings(max_examples=40, deadline=None)
@given(random_netlists(), st.integers(0, 2**32 - 1))
def test_state_probabilities_agree_with_counting(netlist, seed):
    words = np.random.default_rng(seed).integers(0, 1 << netlist.n_inputs, size=13)
    inputs = [pack_bits(words >> i & 1) for i in range(netlist.n_inputs)]
    values = simulate(netlist, EGFET, inputs, len(words))
    found = state_probabilities(netlist, EGFET, values, len(words))
    rows = [net_values(netlist, int(word)) for word in words]
    for instance, shares in zip(netlist.instances, found, strict=True):
        states = [sum(row[n] << i for i, n in enumerate(instance.inputs)) for row in rows]
        assert shares == tuple(states.count(s) / len(words) for s in range(len(shares)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255), st.lists(st.integers(0, 2**9 - 1), min_size=3, max_size=3))
def test_any_function_of_three_inputs(table, signals):
    minterms = [
        f"({'' if s & 1 else '!'}A {'' if s & 2 else '!'}B {'' if s & 4 else '!'}C)"
        for s in range(8)
        if table >> s & 1
    ]
    cell = Cell("ANY", 1.0, ("A", "B", "C"), "Y", "+".join(minterms) or "0")
    result = gate_function(cell)(*signals, 2**9 - 1)
    states = [sum((signals[i] >> t & 1) << i for i in range(3)) for t in range(9)]
    assert [result >> t & 1 for t in range(9)] == [table >> s & 1 for s in states]


def test_fast_functions_equal_the_general_one():
    for cell in EGFET.cells.values():
        inputs = [0b1010, 0b1100][: len(cell.inputs)]
        assert gate_function(cell)(*inputs, 0b1111) & (1 << cell.n_states) - 1 == cell.truth_table
