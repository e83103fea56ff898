import numpy as np
import pytest

from printedmlp.errors import ConfigError, ModelError
from printedmlp.exact_trees import exact_trees


def family(X, y, *, n_classes=2, seed=0, **options):
    return exact_trees(X, y, n_classes=n_classes, input_bits=4, rng=np.random.default_rng(seed), **options)


@pytest.fixture
def rows():
    """Three classes that trees can tell apart, with noise."""
    rng = np.random.default_rng(7)
    X = rng.integers(0, 16, (300, 3))
    y = (X[:, 0] >= 9) + ((X[:, 1] >= 4) & (X[:, 2] < 12))
    return X, np.where(rng.random(300) < 0.1, 0, y)


def test_one_threshold_is_found_where_it_is():
    """Codes 3 and 6 lie on the two sides: halfway is 4.5, so the test is x >= 5."""
    tree = family([[0], [3], [6], [9]], [0, 0, 1, 1])[-1]
    assert tree.thresholds == ((0, 5),)
    assert tree.predict([[4], [5]]).tolist() == [0, 1]


def test_a_family_from_one_leaf_to_the_full_tree(rows):
    trees = family(*rows, n_classes=3)
    errors = [int((tree.predict(rows[0]) != rows[1]).sum()) for tree in trees]
    assert trees[0].n_leaves == 1
    assert errors[-1] == min(errors) < 6  # equal rows of two classes
    assert len({tree.dumps() for tree in trees}) == len(trees) > 10
    assert [tree.n_leaves for tree in trees] == sorted(tree.n_leaves for tree in trees)
    assert all(tree == tree.reduced() for tree in trees)


def test_same_seed_same_trees(rows):
    assert family(*rows, n_classes=3, seed=5) == family(*rows, n_classes=3, seed=5)


def test_a_class_without_rows_is_never_answered():
    trees = family([[0], [15]], [0, 2], n_classes=4)
    assert trees[-1].predict([[0], [15]]).tolist() == [0, 2]


def test_class_weights_move_the_single_leaf():
    X, y = [[1], [1], [1]], [0, 0, 1]
    assert family(X, y)[0].predict([[1]]).tolist() == [0]
    assert family(X, y, class_weights=(1, 3))[0].predict([[1]]).tolist() == [1]


@pytest.mark.parametrize("weights", [(1,), (1, 0), (1.5, 2), (1, -1)])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ConfigError, match="class_weights must be 2 positive integers"):
        family([[1], [2]], [0, 1], class_weights=weights)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1], [2]], [0], r"labels of shape \(1,\) for 2 samples"),
        ([[1], [2]], [0, 2], r"sample 1: label 2 is not in 0\.\.1"),
        ([[1], [2]], [0.0, 1.0], "labels must be integers"),
        ([[1], [16]], [0, 1], r"input row 1, column 0: 16 is not in 0\.\.15"),
        ([1, 2], [0, 1], "inputs of shape"),
    ],
)
def test_rows_that_do_not_fit_are_refused(X, y, message):
    with pytest.raises(ModelError, match=message):
        family(X, y)
