"""Forests: a vote by hand, trees that differ, and the same vote as gates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.circuit.voting import majority
from printedmlp.errors import ConfigError, ModelError
from printedmlp.forests import LEAVES, VOTERS, Forest, forests
from printedmlp.trees import DecisionTree, grown


def constant(label: int, n_classes: int = 4) -> DecisionTree:
    return grown(2, 2, n_classes, label)


def random_gates(rng, *, n_features, input_bits, n_classes, n_gates=12):
    """Gates of any kind on any nets below them."""
    first = 2 + n_features * input_bits
    gates = [
        Gate(int(rng.integers(16)), (int(rng.integers(first + k)), int(rng.integers(first + k))))
        for k in range(n_gates)
    ]
    outputs = rng.integers(0, first + n_gates, size=(n_classes - 1).bit_length())
    return GateClassifier(n_features, input_bits, n_classes, tuple(gates), tuple(outputs.tolist()))


def table(n: int = 120, seed: int = 0):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, size=(n, 5)).astype(np.uint8)
    return X, (X[:, 0] + X[:, 1] > X[:, 2] + 1).astype(np.int64) + (X[:, 3] > 2)


def test_bits_are_voted_on_not_classes():
    forest = Forest((constant(0), constant(1), constant(2)))
    assert forest.predict(np.zeros((2, 2), dtype=np.uint8)).tolist() == [0, 0]
    forest = Forest((constant(1), constant(2), constant(3)))
    assert forest.predict(np.zeros((1, 2), dtype=np.uint8)).tolist() == [3]


def test_a_tree_alone_is_its_own_forest():
    X, y = table()
    tree = forests(X, y, n_classes=3, input_bits=2, rng=np.random.default_rng(0))[0].trees[0]
    assert np.array_equal(Forest((tree,)).predict(X), tree.predict(X))


def test_sizes_grow_and_trees_of_one_forest_differ():
    X, y = table()
    found = forests(X, y, n_classes=3, input_bits=2, rng=np.random.default_rng(1))
    assert {len(forest.trees) for forest in found} == set(VOTERS)
    assert max(forest.n_leaves for forest in found) <= max(VOTERS) * max(LEAVES)
    assert any(len({tree.dumps() for tree in forest.trees}) == len(forest.trees) for forest in found)
    again = forests(X, y, n_classes=3, input_bits=2, rng=np.random.default_rng(1))
    assert [f.trees for f in again] == [f.trees for f in found]


def test_a_heavy_class_is_answered_more_often():
    X, y = table()
    y = np.where(np.random.default_rng(3).random(len(y)) < 0.4, 2, y)

    def answered(weights):
        found = forests(X, y, n_classes=3, input_bits=2, rng=np.random.default_rng(2), class_weights=weights)
        return sum(int((forest.predict(X) == 2).sum()) for forest in found)

    assert answered((1, 1, 9)) > answered((1, 1, 1))


def test_what_is_no_forest_is_named():
    with pytest.raises(ModelError, match="2 trees can tie"):
        Forest((constant(0), constant(1)))
    with pytest.raises(ModelError, match="0 trees can tie"):
        Forest(())
    with pytest.raises(ModelError, match="differ in features, input bits or classes"):
        Forest((constant(0), constant(1), constant(1, n_classes=3)))
    with pytest.raises(ConfigError, match="class_weights"):
        forests(*table(), n_classes=3, input_bits=2, rng=np.random.default_rng(0), class_weights=(0, 1, 1))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 3, 5, 7]), st.integers(0, 2**32 - 1))
def test_the_majority_of_circuits_is_that_of_their_answers(voters, seed):
    rng = np.random.default_rng(seed)
    circuits = [random_gates(rng, n_features=2, input_bits=2, n_classes=6) for _ in range(voters)]
    X = rng.integers(0, 4, size=(64, 2)).astype(np.uint8)
    answers = np.stack([circuit.predict(X) for circuit in circuits])
    bits = [(((answers >> bit) & 1).sum(axis=0) * 2 > voters).astype(np.int64) << bit for bit in range(3)]
    assert np.array_equal(majority(circuits).predict(X), sum(bits))


def test_gates_in_common_are_made_once():
    circuit = random_gates(np.random.default_rng(5), n_features=2, input_bits=2, n_classes=4)
    assert len(majority([circuit] * 3).gates) <= len(circuit.gates) + 4 * len(circuit.outputs)


def test_voters_that_do_not_fit_are_named():
    rng = np.random.default_rng(6)
    one = random_gates(rng, n_features=2, input_bits=2, n_classes=4)
    other = random_gates(rng, n_features=3, input_bits=2, n_classes=4)
    with pytest.raises(ModelError, match="voter 1 has other inputs or classes"):
        majority([one, other, one])
    with pytest.raises(ModelError, match="2 voters can tie"):
        majority([one, one])
    assert isinstance(majority([one]), GateClassifier)
