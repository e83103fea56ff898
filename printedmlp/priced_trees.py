"""Decision trees that know what a test costs: bespoke comparators range from a wire to a chain of gates, those of
an analog front end from a low level to a high one.

Two families, each for a list of prices: trees grown by best-first CART whose gain is the fall of the Gini impurity
less the price of the new test, for every size; and small trees of the least errors plus price, by enumeration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.cores import available_cores
from printedmlp.errors import ConfigError
from printedmlp.exact_trees import checked_weights, training_rows
from printedmlp.kernels.small_trees import NONE, best_below_root
from printedmlp.technology import Technology
from printedmlp.threshold_prices import ThresholdPrices
from printedmlp.tree_area import UM2_PER_MM2, TreeUnits
from printedmlp.tree_genes import majority
from printedmlp.tree_search import FoundTree, best_trees, measured
from printedmlp.trees import Branch, DecisionTree, grown

LAMBDAS = (0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Prices of one square millimetre, in shares of the training rows' weight."""
MOST_FEATURES, MOST_ROWS = 64, 16_384
"""Small trees are enumerated on no more of them: time grows with rows and with the cube of features."""


@dataclass(frozen=True)
class TrainingRows:
    """Rows to grow trees on: X (n, F) and y (n,) int64, weights (C,) int64 of the classes."""

    X: NDArray[np.int64]
    y: NDArray[np.int64]
    weights: NDArray[np.int64]
    input_bits: int

    def tree(self, branch: Branch) -> DecisionTree:
        """The tree of a nested branch, reduced."""
        return grown(self.X.shape[1], self.input_bits, len(self.weights), branch).reduced()

    def histogram(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Weight of each class by feature and code, (F, 2^bits, C)."""
        n_features, n_codes, n_classes = self.X.shape[1], 1 << self.input_bits, len(self.weights)
        cells = (np.arange(n_features) * n_codes + self.X[rows]) * n_classes + self.y[rows, None]
        counts = np.bincount(cells.ravel(), minlength=n_features * n_codes * n_classes)
        return counts.reshape(n_features, n_codes, n_classes) * self.weights


def priced_trees(
    X: ArrayLike,
    y: ArrayLike,
    *,
    n_classes: int,
    input_bits: int,
    technology: Technology,
    lambdas: Sequence[float] = LAMBDAS,
    max_leaves: int = 320,
    class_weights: Sequence[int] | None = None,
    thresholds: ThresholdPrices | None = None,
) -> list[FoundTree]:
    """Trees with few training errors for their area; none dominates another, fewest errors first.

    Parameters
    ----------
    X : (n_samples, n_features) codes; y : (n_samples,) class indices.
    lambdas : prices of one square millimetre, in shares of the rows' weight; 0 is plain CART.
    max_leaves : of the grown trees; enumerated ones have at most eight.
    class_weights : (n_classes,) positive integers; None weighs all classes alike.
    thresholds : prices of tests that are comparators' outputs; None makes them of gates. The area is a price then.

    Raises
    ------
    ModelError : for rows or labels that do not fit.
    ConfigError : for a price, a number of leaves or class weights out of range.
    """
    _check_settings(lambdas, max_leaves)
    codes, labels = training_rows(X, y, n_classes, input_bits)
    rows = TrainingRows(codes, labels, checked_weights(class_weights, n_classes), input_bits)
    units = TreeUnits.of(technology, thresholds)
    prices = [threshold_prices(units, input_bits, price) for price in lambdas]
    pairs = zip(lambdas, prices, strict=True)
    branches = [b for of, tests in pairs for b in grown_with(rows, tests, units, of).branches(max_leaves)]
    firsts = [units.first * price / UM2_PER_MM2 for price in lambdas]
    branches += small_branches(rows, np.array(prices) + np.array(firsts)[:, None])
    trees = {tree.dumps(): tree for tree in map(rows.tree, branches)}
    return best_trees([measured(tree, codes, labels, rows.weights, units) for tree in trees.values()])


def _check_settings(lambdas: Sequence[float], max_leaves: int) -> None:
    for price in lambdas:
        if not 0 <= price < np.inf:
            raise ConfigError(f"lambdas must be finite and not negative, not {price}")
    if not lambdas:
        raise ConfigError("lambdas must hold at least one price")
    if max_leaves < 1:
        raise ConfigError(f"max_leaves must be at least 1, not {max_leaves}")


def threshold_prices(units: TreeUnits, input_bits: int, price: float) -> NDArray[np.float64]:
    """Price of a test x >= t and the multiplexer it steers, by threshold, (2^bits,); nobody asks for t = 0."""
    areas = [units.mux + units.test(t, input_bits) for t in range(1, 1 << input_bits)]
    return np.array([np.inf, *areas]) * price / UM2_PER_MM2 if price else np.zeros(1 << input_bits)


def grown_with(rows: TrainingRows, prices: NDArray[np.float64], units: TreeUnits, price: float) -> Growth:
    """The growth under one price of a square millimetre, `prices` being those of the tests."""
    if not units.levels:
        return Growth(rows, prices)
    return Growth(rows, prices, units.first * price / UM2_PER_MM2, units.mux * price / UM2_PER_MM2)


@dataclass
class GrowingLeaf:
    """A leaf that may be split: its rows, its class, the gain of every test (F, 2^bits) before prices."""

    rows: NDArray[np.intp]
    label: int
    gains: NDArray[np.float64]
    split: tuple[int, int, GrowingLeaf, GrowingLeaf] | None = field(default=None)

    def branch(self) -> Branch:
        """The tree below as it stands."""
        if self.split is None:
            return self.label
        feature, threshold, below, above = self.split
        return feature, threshold, below.branch(), above.branch()


class Growth:
    """Best-first growth of one tree.

    Parameters
    ----------
    prices : (2^bits,) price of a new test by threshold, in shares of the rows' weight.
    first : what a feature's first test costs more.
    again : price of a test that the tree has already, its multiplexer's; None takes the cheapest test's, a wire's.
    """

    def __init__(
        self, rows: TrainingRows, prices: NDArray[np.float64], first: float = 0.0, again: float | None = None
    ) -> None:
        self._data = rows
        self._total = float(rows.weights[rows.y].sum())
        self._tested: set[int] = set()
        self.first = first
        self.prices = np.tile(prices, (rows.X.shape[1], 1)) + first
        self.price_again = float(prices[1:].min()) if again is None else again
        self.root = self._leaf(np.arange(len(rows.y)))
        self.leaves = [self.root]

    def branches(self, max_leaves: int) -> Iterator[Branch]:
        """The tree after each split, from one leaf on, until no split is worth its price."""
        yield self.root.branch()
        for _ in range(max_leaves - 1):
            scores = [float((leaf.gains - self.prices).max()) for leaf in self.leaves]
            best = int(np.argmax(scores))
            if scores[best] <= 0:
                return
            self._split(best)
            yield self.root.branch()

    def _split(self, index: int) -> None:
        leaf = self.leaves.pop(index)
        scores = leaf.gains - self.prices
        feature, threshold = (int(i) for i in np.unravel_index(int(np.argmax(scores)), scores.shape))
        holds = self._data.X[leaf.rows, feature] >= threshold
        below, above = self._leaf(leaf.rows[~holds]), self._leaf(leaf.rows[holds])
        leaf.split = feature, threshold, below, above
        self.leaves += [below, above]
        if feature not in self._tested:
            self._tested.add(feature)
            self.prices[feature] -= self.first
        self.prices[feature, threshold] = self.price_again

    def _leaf(self, rows: NDArray[np.intp]) -> GrowingLeaf:
        label = majority(self._data.y[rows], self._data.weights)
        return GrowingLeaf(rows, label, gini_gains(self._data.histogram(rows)) / self._total)


def gini_gains(histogram: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fall of the weighted Gini impurity by every test, (F, 2^bits); minus infinity where all rows go one way.

    histogram : (F, 2^bits, C) weights of classes by feature and code.
    """
    whole = histogram[0].sum(axis=0)
    below = np.cumsum(histogram, axis=1) - histogram
    above = whole - below
    purity = sum((side**2).sum(axis=2) / np.maximum(1, side.sum(axis=2)) for side in (below, above))
    gains = purity - (whole**2).sum() / max(1, int(whole.sum()))
    one_sided = (below.sum(axis=2) == 0) | (above.sum(axis=2) == 0)
    return np.where(one_sided, -np.inf, gains)


def small_branches(rows: TrainingRows, prices: NDArray[np.float64]) -> list[Branch]:
    """For each price (L, 2^bits) the tree of depth three of least errors plus price, in shares of the rows' weight.

    Comparators count as if none were shared. Of more features than `MOST_FEATURES` those with the best single test
    are looked at, and of more rows than `MOST_ROWS` so many, evenly spaced; all rows decide the classes of leaves.
    """
    every, (rows, features) = rows, _surveyed(rows)
    n_features = len(features)
    weights = rows.weights * np.bincount(rows.y, minlength=len(rows.weights))
    total = weights.sum()
    costs = np.full((n_features, len(prices)), float(total - weights.max()))
    trees = np.full((n_features, len(prices), 7, 2), NONE, dtype=np.int64)
    with ThreadPoolExecutor(available_cores()) as pool:
        list(
            pool.map(
                lambda f: best_below_root(rows.X, rows.y, rows.weights, prices * total, f, costs[f], trees[f]),
                range(n_features),
            )
        )
    best = np.argmin(costs, axis=0)
    tests = trees[..., 0]
    trees[..., 0] = np.where(tests == NONE, NONE, features[tests])
    return [_heap_branch(every, trees[f, p], 0, np.arange(len(every.y))) for p, f in enumerate(best)]


def _surveyed(rows: TrainingRows) -> tuple[TrainingRows, NDArray[np.intp]]:
    """The part of large tables that small trees are enumerated on, and which features it has."""
    n_rows, n_features = rows.X.shape
    chosen = np.linspace(0, n_rows - 1, min(n_rows, MOST_ROWS)).round().astype(np.intp)
    rows, features = replace(rows, X=rows.X[chosen], y=rows.y[chosen]), np.arange(n_features)
    if n_features > MOST_FEATURES:
        gains = gini_gains(rows.histogram(np.arange(len(rows.y)))).max(axis=1)
        features = np.sort(np.argsort(-gains, kind="stable")[:MOST_FEATURES])
    return replace(rows, X=np.ascontiguousarray(rows.X[:, features])), features


def _heap_branch(data: TrainingRows, heap: NDArray[np.int64], k: int, rows: NDArray[np.intp]) -> Branch:
    feature, threshold = heap[k].tolist() if k < len(heap) else (NONE, 0)
    if feature == NONE:
        return majority(data.y[rows], data.weights)
    holds = data.X[rows, feature] >= threshold
    below, above = (
        _heap_branch(data, heap, 2 * k + 1, rows[~holds]),
        _heap_branch(data, heap, 2 * k + 2, rows[holds]),
    )
    return feature, threshold, below, above
