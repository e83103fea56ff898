"""Patterns that never occur: listed right, and used without a change of what can be seen."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.spare import all_runs, without_spare_gates
from tests.netlists import EGFET, random_netlists


def answers(netlist, patterns):
    n = len(patterns)
    return classes(netlist, simulate(netlist, EGFET, input_bits_of(patterns, 1), n), n)


def test_runs_by_hand():
    runs = all_runs([(3, 9), (), (8,)])
    assert runs is not None
    assert runs.tolist() == [[0, 0, 0], [0, 0, 8], [3, 0, 0], [3, 0, 8], [9, 0, 0], [9, 0, 8]]
    assert all_runs([(3, 9), (), (8,)], most=5) is None


def test_one_level_implies_the_one_below():
    # "at least 3 and at least 9" is "at least 9": with three patterns out of four, the gate goes.
    circuit = Netlist(2, (Instance("AND2X1", (2, 3)),), (4,))
    patterns = np.array([[0, 0], [1, 0], [1, 1]], dtype=np.uint8)
    assert without_spare_gates(circuit, EGFET, patterns, 2000, np.random.default_rng(0)) == Netlist(2, (), (3,))


@settings(max_examples=15, deadline=None)
@given(random_netlists(max_inputs=4, max_gates=10), st.sets(st.integers(0, 15), min_size=1))
def test_what_occurs_is_answered_as_before(netlist, words):
    patterns = np.array(
        [[word >> i & 1 for i in range(netlist.n_inputs)] for word in sorted(words)], dtype=np.uint8
    )
    found = without_spare_gates(netlist, EGFET, patterns, 500, np.random.default_rng(0))
    assert found.area_cm2(EGFET) <= netlist.area_cm2(EGFET) + 1e-12
    assert (answers(found, patterns) == answers(netlist, patterns)).all()
