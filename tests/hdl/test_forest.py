"""Forests as circuits answer as their trees vote."""

from itertools import product

import numpy as np
import pytest

from hdl.forest import map_forest
from printedmlp.circuit import classes, input_bits_of, simulate
from printedmlp.forests import Forest, forests
from printedmlp.trees import grown
from tests.netlists import EGFET

TWO_BITS = np.array(list(product(range(4), repeat=3)), dtype=np.uint8)


def answers(netlist):
    values = simulate(netlist, EGFET, input_bits_of(TWO_BITS, 2), len(TWO_BITS))
    return classes(netlist, values, len(TWO_BITS))


@pytest.mark.parametrize("number", [0, 7, 20, 41])
def test_every_code_is_answered_as_the_trees_vote(number, tmp_path):
    rng = np.random.default_rng(number)
    X = rng.integers(0, 4, size=(90, 3)).astype(np.uint8)
    y = (X.sum(axis=1).astype(np.int64) + rng.integers(0, 2, 90)) // 3
    forest = forests(X, y, n_classes=4, input_bits=2, rng=rng)[number]
    netlist = map_forest(forest, EGFET, effort="quick", work_dir=tmp_path)
    assert np.array_equal(answers(netlist), forest.predict(TWO_BITS))


def test_another_tree_is_another_circuit(tmp_path):
    one, two = grown(3, 2, 2, (0, 2, 0, 1)), grown(3, 2, 2, (1, 1, 0, 1))
    forest, changed = Forest((one, one, two)), Forest((one, two, two))
    netlist = map_forest(forest, EGFET, effort="quick", work_dir=tmp_path)
    assert np.array_equal(answers(netlist), forest.predict(TWO_BITS))
    assert not np.array_equal(answers(netlist), changed.predict(TWO_BITS))
