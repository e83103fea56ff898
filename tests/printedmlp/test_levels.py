"""Circuits on comparators' outputs, with other inputs and as classifiers of codes."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.gates import Gate
from printedmlp.circuit.levels import all_levels, gates_of_codes, levels_read, on_levels, places_of
from tests.netlists import EGFET
from tests.printedmlp.test_refine import random_netlist

BITS, FEATURES = 3, 2
CODES = np.array(list(itertools.product(range(1 << BITS), repeat=FEATURES)), dtype=np.uint8)


def answers(netlist, levels, codes=CODES):
    bits = np.array([codes[:, f] >= level for f, level in places_of(levels)]).T.reshape(len(codes), -1)
    values = simulate(netlist, EGFET, input_bits_of(bits.astype(np.uint8), 1), len(codes))
    return classes(netlist, values, len(codes))


def circuit(seed):
    rng = np.random.default_rng(seed)
    levels = tuple(tuple(sorted({int(t) for t in rng.integers(1, 8, 3)})) for _ in range(FEATURES))
    return random_netlist(rng, len(places_of(levels)), int(rng.integers(0, 20)), 2), levels


@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=60, deadline=None)
def test_a_circuit_on_levels_is_the_same_classifier_of_codes(seed):
    netlist, levels = circuit(seed)
    model = gates_of_codes(netlist, levels, EGFET, input_bits=BITS, n_classes=4)
    assert model.predict(CODES).tolist() == answers(netlist, levels).tolist()


@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=40, deadline=None)
def test_more_levels_than_are_read_change_nothing(seed):
    netlist, levels = circuit(seed)
    everything = all_levels(FEATURES, BITS)
    wide = on_levels(netlist, levels, everything)
    assert answers(wide, everything).tolist() == answers(netlist, levels).tolist()
    read = levels_read(wide, everything)
    assert answers(on_levels(wide, everything, read), read).tolist() == answers(netlist, levels).tolist()
    assert all(set(own) <= set(levels[f]) for f, own in enumerate(read))


def test_a_level_that_is_gone_becomes_the_next_one_upwards_and_the_highest_nothing():
    netlist = Netlist(3, (Instance("NAND2X1", (2, 3)), Instance("NAND2X1", (4, 5))), (6,))
    moved = on_levels(netlist, [(2, 5), (7,)], [(3, 5), ()])
    assert moved == Netlist(2, (Instance("NAND2X1", (2, 3)), Instance("NAND2X1", (0, 4))), (5,))


def test_comparators_of_gates_by_hand():
    """x0 >= 6 is x0[2] and x0[1]; x0 >= 5 is x0[2] and (x0[1] or x0[0]); x1 >= 4 is a wire."""
    netlist = Netlist(3, (Instance("NAND2X1", (2, 3)),), (5, 4))
    model = gates_of_codes(netlist, [(5, 6), (4,)], EGFET, input_bits=3, n_classes=4)
    assert model.gates == (
        Gate(0b1110, (3, 2)),
        Gate(0b1000, (4, 8)),
        Gate(0b1000, (4, 3)),
        Gate(0b0111, (9, 10)),
    )
    assert model.outputs == (11, 7)


def test_a_circuit_that_reads_no_level_is_a_constant():
    netlist = Netlist(0, (Instance("INVX1", (0,)),), (0, 2))
    model = gates_of_codes(netlist, [(), ()], EGFET, input_bits=3, n_classes=4)
    assert set(model.predict(CODES).tolist()) == {2}
