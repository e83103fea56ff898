import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from printedmlp.errors import ModelError
from printedmlp.trees import DecisionTree, Leaf, Test, grown
from tests.random_models import all_inputs
from tests.random_trees import trees

STUB = DecisionTree(2, 4, 3, (Test(0, 5, 1, 2), Leaf(0), Test(1, 8, 3, 4), Leaf(1), Leaf(2)))


def walked(tree, row):
    """The class of one row, node by node."""
    node = tree.nodes[0]
    while isinstance(node, Test):
        node = tree.nodes[node.above if row[node.feature] >= node.threshold else node.below]
    return node.label


def test_by_hand():
    assert STUB.predict([[4, 15], [5, 7], [5, 8], [15, 0]]).tolist() == [0, 1, 2, 1]
    assert (STUB.n_leaves, STUB.depth, STUB.topology) == (3, 2, (2, 2, 3))
    assert STUB.thresholds == ((0, 5), (1, 8))


def test_a_single_leaf_is_a_tree():
    tree = DecisionTree(2, 4, 3, (Leaf(2),))
    assert tree.predict([[0, 0], [15, 15]]).tolist() == [2, 2]
    assert (tree.n_leaves, tree.depth, tree.thresholds, tree.reduced()) == (1, 0, (), tree)


def test_reduction_by_hand():
    """Under x0 < 5 a test x0 >= 9 fails; x1 >= 3 decides between one class and itself."""
    tree = grown(2, 4, 3, (0, 5, (0, 9, 1, 2), (1, 3, 0, (0, 5, 2, 0))))
    assert tree.reduced() == grown(2, 4, 3, (0, 5, 1, 0))


@given(tree=trees())
@settings(max_examples=60, deadline=None)
def test_every_row_walks_from_the_root_to_its_leaf(tree):
    X = all_inputs(tree)
    assert tree.predict(X).tolist() == [walked(tree, row) for row in X]


@given(tree=trees())
@settings(max_examples=60, deadline=None)
def test_a_reduced_tree_is_the_same_function_and_stays_reduced(tree):
    X, reduced = all_inputs(tree), tree.reduced()
    assert reduced.predict(X).tolist() == tree.predict(X).tolist()
    assert reduced.reduced() == reduced
    assert reduced.n_leaves <= tree.n_leaves
    assert all(reached(reduced, X))


def reached(tree, X):
    """Which nodes some row reaches."""
    seen = np.zeros(len(tree.nodes), dtype=bool)
    for row in X:
        number = 0
        while isinstance(node := tree.nodes[number], Test):
            seen[number] = True
            number = node.above if row[node.feature] >= node.threshold else node.below
        seen[number] = True
    return seen


@given(tree=trees())
@settings(max_examples=30, deadline=None)
def test_json_round_trip(tree):
    assert DecisionTree.loads(tree.dumps()) == tree
    assert DecisionTree.from_json(json.loads(json.dumps(tree.to_json()))) == tree
    assert tree.to_json()["format"] == "printedmlp.DecisionTree"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "printedmlp.DiscreteMLP"}, "'format' must be 'printedmlp.DecisionTree', version 1"),
        ({"version": 2}, "version 1"),
        ({"input_bits": "4"}, "'input_bits' must be an integer, not '4'"),
        ({"input_bits": 17}, r"input_bits must be in 1\.\.16, not 17"),
        ({"n_classes": 0}, r"n_classes must be in 1\.\.\d+, not 0"),
        ({"nodes": {}}, "'nodes' must be a list"),
        ({"nodes": []}, "at least one leaf"),
        ({"nodes": [[0, 5, 1, 2], [0], [3]]}, r"node 2: class 3 is not in 0\.\.2"),
        ({"nodes": [[0, 5, 1, 2], [0], [True]]}, r"nodes\[2\] must be \[class\] or"),
        ({"nodes": [[0, 5, 1], [0], [1]]}, r"nodes\[0\] must be \[class\] or"),
        ({"nodes": [[2, 5, 1, 2], [0], [1]]}, r"node 0: feature 2 is not in 0\.\.1"),
        ({"nodes": [[0, 16, 1, 2], [0], [1]]}, r"node 0: threshold 16 is not in 1\.\.15"),
        ({"nodes": [[0, 0, 1, 2], [0], [1]]}, r"node 0: threshold 0 is not in 1\.\.15"),
        ({"nodes": [[0, 5, 1, 3], [0], [1]]}, r"node 0: child 3 is not in 1\.\.2"),
        ({"nodes": [[0, 5, 0, 1], [0], [1]]}, r"node 0: child 0 is not in 1\.\.2"),
        ({"nodes": [[0, 5, 1, 1], [0], [1]]}, "node 1: must be the child of one node, not of 2"),
        ({"nodes": [[0], [1]]}, "node 1: must be the child of one node, not of 0"),
    ],
)
def test_what_is_no_tree_is_refused_by_place(change, message):
    with pytest.raises(ModelError, match=message):
        DecisionTree.from_json({**STUB.to_json(), **change})


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}'])
def test_text_that_holds_no_tree_is_refused(text):
    with pytest.raises(ModelError, match="model JSON: "):
        DecisionTree.loads(text)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1, 2, 3]], r"inputs of shape \(1, 3\), expected \(n_samples, 2\)"),
        ([[0.5, 1]], "inputs must be integers"),
        ([[0, 1], [3, 16]], r"input row 1, column 1: 16 is not in 0\.\.15"),
    ],
)
def test_rows_that_are_no_codes_are_refused(X, message):
    with pytest.raises(ModelError, match=message):
        STUB.predict(X)


def test_equal_functions_by_equal_tests_have_equal_text():
    shuffled = DecisionTree(2, 4, 3, (Test(0, 5, 2, 1), Test(1, 8, 4, 3), Leaf(0), Leaf(2), Leaf(1)))
    assert shuffled != STUB
    assert shuffled.reduced().dumps() == STUB.dumps()
    assert all(a < b for a, b in pairwise(STUB.thresholds))
