import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp import priced_trees as priced_module
from printedmlp.errors import ConfigError
from printedmlp.pareto import non_dominated
from printedmlp.priced_trees import Growth, TrainingRows, gini_gains, priced_trees, small_branches, threshold_prices
from printedmlp.technology import load_technology
from printedmlp.tree_area import TreeUnits, tree_area_um2
from printedmlp.trees import grown

EGFET = load_technology("egfet")
UNITS = TreeUnits.of(EGFET)

# Feature 0 tells the classes apart at 5, 6 and 7, feature 1 at 8 alone, which is a wire.
X = np.array([[4, 7], [4, 7], [7, 8], [7, 8]])
Y = np.array([0, 0, 1, 1])


def priced(rows, labels, *, n_classes=2, **options):
    return priced_trees(rows, labels, n_classes=n_classes, input_bits=4, technology=EGFET, **options)


def training(rows, labels, n_classes, input_bits=4, weights=None):
    weights = np.ones(n_classes, dtype=np.int64) if weights is None else weights
    return TrainingRows(np.asarray(rows), np.asarray(labels), weights, input_bits)


def test_a_price_turns_to_the_cheap_comparator():
    rows = training(X, Y, 2)
    free = list(Growth(rows, threshold_prices(UNITS, 4, 0.0)).branches(8))
    dear = list(Growth(rows, threshold_prices(UNITS, 4, 0.01)).branches(8))
    assert free == [0, (0, 5, 0, 1)]
    assert dear == [0, (1, 8, 0, 1)]
    assert list(Growth(rows, threshold_prices(UNITS, 4, 10.0)).branches(8)) == [0]
    assert small_branches(rows, threshold_prices(UNITS, 4, 0.01)[None]) == [(1, 8, 0, 1)]


def test_the_front_of_a_wire():
    found = priced(X, Y)
    assert [(item.errors, item.area_mm2) for item in found] == [(0, 0.0)]
    assert found[0].tree == grown(2, 4, 2, (1, 8, 0, 1))


def test_gini_gains_by_hand():
    """Rows 0, 0, 1 with codes 1, 2, 2: impurity 3 (1 - 4/9 - 1/9); after x >= 2 it is 0 + 2 (1 - 1/4 - 1/4)."""
    histogram = np.zeros((1, 4, 2), dtype=np.int64)
    histogram[0, 1, 0] = histogram[0, 2, 0] = histogram[0, 2, 1] = 1
    gains = gini_gains(histogram)[0]
    assert gains[2] == pytest.approx(4 / 3 - 1)
    assert gains[[0, 1, 3]].tolist() == [-np.inf] * 3


def test_a_test_that_is_there_already_costs_its_multiplexer_only():
    growth = Growth(training(X[:, :1], Y, 2), threshold_prices(UNITS, 4, 0.01))
    before = growth.prices[0].tolist()
    assert list(growth.branches(8))[-1] == (0, 6, 0, 1)
    after = growth.prices[0].tolist()
    assert after[6] == before[8] < before[6]
    assert after[:6] + after[7:] == before[:6] + before[7:]


def brute_force(rows, labels, prices, weights, depth):
    """Least weighted errors plus price of any tree of a depth."""
    counts = np.bincount(labels, minlength=len(weights)) * weights
    best = float(counts.sum() - counts.max())
    for f in range(rows.shape[1] if depth else 0):
        for t in range(1, len(prices)):
            holds = rows[:, f] >= t
            if holds.any() and not holds.all():
                sides = (brute_force(rows[s], labels[s], prices, weights, depth - 1) for s in (~holds, holds))
                best = min(best, prices[t] + sum(sides))
    return best


def cost(branch, rows, prices, weights, labels):
    if not isinstance(branch, tuple):
        return float(weights[labels[labels != branch]].sum())
    feature, threshold, below, above = branch
    holds = rows[:, feature] >= threshold
    sides = ((below, ~holds), (above, holds))
    return prices[threshold] + sum(cost(side, rows[s], prices, weights, labels[s]) for side, s in sides)


@given(
    seed=st.integers(0, 1 << 30), n=st.integers(1, 25), n_features=st.integers(1, 2), n_classes=st.integers(1, 3)
)
@settings(max_examples=12, deadline=None)
def test_small_trees_are_the_best_there_are(seed, n, n_features, n_classes):
    rng = np.random.default_rng(seed)
    rows, labels = rng.integers(0, 4, (n, n_features)), rng.integers(0, n_classes, n)
    weights = rng.integers(1, 4, n_classes)
    total = weights[labels].sum()
    prices = np.array([threshold_prices(UNITS, 2, price) for price in (0.0, 0.01, 0.05, 0.3)])
    branches = small_branches(training(rows, labels, n_classes, 2, weights), prices)
    for branch, price in zip(branches, prices * total, strict=True):
        expected = brute_force(rows, labels, price, weights, 3)
        assert cost(branch, rows, price, weights, labels) == pytest.approx(expected)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(7)
    rows = rng.integers(0, 16, (250, 4))
    labels = (rows[:, 0] >= 7).astype(np.int64) + ((rows[:, 1] >= 3) & (rows[:, 2] < 13))
    return rows, np.where(rng.random(250) < 0.1, 0, labels)


def used(branch):
    """Features that a branch tests."""
    return set() if isinstance(branch, int) else {branch[0]} | used(branch[2]) | used(branch[3])


def test_of_many_features_those_with_the_best_tests_are_enumerated(noisy, monkeypatch):
    rows, labels = noisy
    prices, weights = np.zeros((1, 16)), np.ones(3, dtype=np.int64)
    (whole,) = small_branches(training(rows, labels, 3), prices)
    monkeypatch.setattr(priced_module, "MOST_FEATURES", 2)
    (fewer,) = small_branches(training(rows, labels, 3), prices)
    assert used(fewer) == {0, 2} < used(whole)
    (alone,) = small_branches(training(rows[:, [0, 2]], labels, 3), prices)
    fit = cost(fewer, rows, prices[0], weights, labels)
    assert cost(alone, rows[:, [0, 2]], prices[0], weights, labels) == fit
    (turned,) = small_branches(training(rows[:, ::-1], labels, 3), prices)
    assert used(turned) == {1, 3}
    assert cost(turned, rows[:, ::-1], prices[0], weights, labels) == fit


def test_of_many_rows_some_are_enumerated_and_all_decide_the_leaves(noisy, monkeypatch):
    """The first and the last row alone say where to test; the others, which class the rows above have."""
    rows = noisy[0][:, :1]
    rows[[0, -1]] = [[0], [15]]
    labels = np.where(rows[:, 0] >= 8, 2, 0)
    labels[-1] = 1
    monkeypatch.setattr(priced_module, "MOST_ROWS", 2)
    (branch,) = small_branches(training(rows, labels, 3), np.zeros((1, 16)))
    assert isinstance(branch, tuple)
    assert (branch[0], branch[2:]) == (0, (0, 2))


def test_the_front_is_what_it_says(noisy):
    rows, labels = noisy
    weights = np.array([1, 2, 3])
    found = priced(*noisy, n_classes=3, class_weights=(1, 2, 3), max_leaves=20)
    assert [f.errors for f in found] == [weights[labels[f.tree.predict(rows) != labels]].sum() for f in found]
    assert [f.area_mm2 for f in found] == pytest.approx([tree_area_um2(f.tree, UNITS) / 1e6 for f in found])
    assert non_dominated([(f.errors, f.area_mm2) for f in found]).all()
    assert found[-1].area_mm2 == 0
    assert max(f.tree.n_leaves for f in found) > 8
    assert found == priced(*noisy, n_classes=3, class_weights=(1, 2, 3), max_leaves=20)


def test_prices_pay(noisy):
    """At some area the priced trees have fewer errors than plain CART's, and nowhere more.

    With few rows of code 7 the wire x0 >= 8 is nearly as good as x0 >= 7.
    """
    rows, labels = noisy
    kept = (rows[:, 0] != 7) | (rows[:, 3] == 0)
    free, dear = (
        priced(rows[kept], labels[kept], n_classes=3, lambdas=prices) for prices in ((0.0,), (0.0, 0.005, 0.02))
    )

    def least_errors(found, area):
        return min(item.errors for item in found if item.area_mm2 <= area)

    areas = [item.area_mm2 for item in (*free, *dear)]
    gains = [least_errors(free, area) - least_errors(dear, area) for area in areas]
    assert min(gains) >= 0
    assert max(gains) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lambdas": ()}, "at least one price"),
        ({"lambdas": (0.1, -0.1)}, "lambdas must be finite and not negative, not -0.1"),
        ({"lambdas": (float("nan"),)}, "not nan"),
        ({"max_leaves": 0}, "max_leaves must be at least 1, not 0"),
        ({"class_weights": (1, 2, 3)}, "class_weights must be 2 positive integers"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        priced(X, Y, **options)
