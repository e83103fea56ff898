"""Optimal small decision trees on codes by enumeration, as loops for numba.

Thresholds of a feature are swept upwards: from one to the next only the rows of one code change sides, so the
histograms of both sides are kept up to date instead of counted anew. Every price is handled in the same sweep.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[Any]

NONE = -1
"""Feature of a node that is a leaf."""


@compiled
def best_below_root(
    codes: Array, labels: Array, weights: Array, prices: Array, feature: int, costs: Array, trees: Array
) -> None:
    """The best tree of depth three for every price whose root tests `feature`.

    Parameters
    ----------
    codes : (n, F) int64; labels : (n,) int64; weights : (C,) int64 of the classes.
    prices : (L, 2^b) float64, what a test at each threshold costs, in weighted errors.
    costs : (L,) float64, the least cost found so far, lowered where a better tree is found.
    trees : (L, 7, 2) int64, its (feature, threshold) in heap order, feature NONE for a leaf; overwritten with it.
    """
    n_prices, n_codes = prices.shape
    side_costs = np.empty((2, n_prices))
    side_trees = np.empty((2, n_prices, 3, 2), dtype=np.int64)
    rows = np.empty((2, codes.shape[0]), dtype=np.int64)
    sizes = np.empty(2, dtype=np.int64)
    for t in range(1, n_codes):
        sizes[:] = 0
        for r in range(codes.shape[0]):
            side = 1 if codes[r, feature] >= t else 0
            rows[side, sizes[side]] = r
            sizes[side] += 1
        if sizes[0] == 0 or sizes[1] == 0:
            continue
        for side in range(2):
            _best_two(codes, labels, weights, prices, rows[side, : sizes[side]], side_costs[side], side_trees[side])
        for p in range(n_prices):
            cost = prices[p, t] + side_costs[0, p] + side_costs[1, p]
            if cost < costs[p]:
                costs[p] = cost
                trees[p, 0, 0], trees[p, 0, 1] = feature, t
                _place(trees[p], side_trees[0, p], side_trees[1, p])


@inlined
def _place(tree: Array, below: Array, above: Array) -> None:
    tree[1], tree[2] = below[0], above[0]
    tree[3], tree[4], tree[5], tree[6] = below[1], below[2], above[1], above[2]


@inlined
def _best_two(
    codes: Array, labels: Array, weights: Array, prices: Array, rows: Array, costs: Array, trees: Array
) -> None:
    """Least cost (L,) and tree (L, 3, 2) of depth two on some rows, for every price."""
    n_codes = prices.shape[1]
    n_features, n_classes = codes.shape[1], weights.shape[0]
    sides = np.zeros((2, n_features, n_codes, n_classes), dtype=np.int64)
    stubs = np.empty((2, prices.shape[0])), np.empty((2, prices.shape[0], 2), dtype=np.int64)
    buffers = np.empty((2, n_classes), dtype=np.int64), np.empty((n_codes, 2), dtype=np.int64)
    order, starts = np.empty(len(rows), dtype=np.int64), np.empty(n_codes + 1, dtype=np.int64)
    for r in rows:
        _move(codes[r], labels[r], weights[labels[r]], sides[1])
    _best_stub(sides[1], prices, buffers, costs, trees[:, 0])
    trees[:, 1, 0] = trees[:, 2, 0] = NONE
    for f in range(n_features):
        _sorted_by_code(codes, f, rows, order, starts)
        for t in range(1, n_codes):
            for r in order[starts[t - 1] : starts[t]]:
                _move(codes[r], labels[r], weights[labels[r]], sides[0])
                _move(codes[r], labels[r], -weights[labels[r]], sides[1])
            if starts[t] == 0 or starts[t] == len(rows):
                continue
            if starts[t] != starts[t - 1]:
                _best_stub(sides[0], prices, buffers, stubs[0][0], stubs[1][0])
                _best_stub(sides[1], prices, buffers, stubs[0][1], stubs[1][1])
            _keep_better(f, t, prices, stubs, costs, trees)
        sides[1] += sides[0]
        sides[0] = 0


@inlined
def _move(codes: Array, label: int, weight: int, histogram: Array) -> None:
    for f in range(codes.shape[0]):
        histogram[f, codes[f], label] += weight


@inlined
def _keep_better(
    feature: int, t: int, prices: Array, stubs: tuple[Array, Array], costs: Array, trees: Array
) -> None:
    side_costs, side_trees = stubs
    for p in range(prices.shape[0]):
        cost = prices[p, t] + side_costs[0, p] + side_costs[1, p]
        if cost < costs[p]:
            costs[p] = cost
            trees[p, 0, 0], trees[p, 0, 1] = feature, t
            trees[p, 1], trees[p, 2] = side_trees[0, p], side_trees[1, p]


@inlined
def _sorted_by_code(codes: Array, feature: int, rows: Array, order: Array, starts: Array) -> None:
    """Rows in the order of a feature's code; those below code t are the first starts[t]."""
    starts[:] = 0
    for r in rows:
        starts[codes[r, feature] + 1] += 1
    for t in range(1, starts.shape[0]):
        starts[t] += starts[t - 1]
    place = starts.copy()
    for r in rows:
        order[place[codes[r, feature]]] = r
        place[codes[r, feature]] += 1


@inlined
def _best_stub(histogram: Array, prices: Array, buffers: tuple[Array, Array], costs: Array, stubs: Array) -> None:
    """Least cost (L,) of one test or none, and the test (L, 2), for every price.

    The best error of each threshold over all features is found once; prices differ between thresholds only.
    """
    sums, best = buffers
    _, n_codes, n_classes = histogram.shape
    total = most = 0
    for c in range(n_classes):
        count = 0
        for x in range(n_codes):
            count += histogram[0, x, c]
        total += count
        most = max(most, count)
    costs[:] = total - most
    stubs[:, 0] = NONE
    if most == total:
        return
    _errors_by_threshold(histogram, sums, best, total)
    for p in range(prices.shape[0]):
        for t in range(1, n_codes):
            cost = prices[p, t] + best[t, 0]
            if cost < costs[p]:
                costs[p] = cost
                stubs[p, 0], stubs[p, 1] = best[t, 1], t


@inlined
def _errors_by_threshold(histogram: Array, sums: Array, best: Array, total: int) -> None:
    n_features, n_codes, n_classes = histogram.shape
    best[:, 0] = total
    for f in range(n_features):
        sums[:] = 0
        for x in range(n_codes):
            for c in range(n_classes):
                sums[1, c] += histogram[f, x, c]
        for t in range(1, n_codes):
            below = above = 0
            for c in range(n_classes):
                sums[0, c] += histogram[f, t - 1, c]
                sums[1, c] -= histogram[f, t - 1, c]
                below = max(below, sums[0, c])
                above = max(above, sums[1, c])
            if total - below - above < best[t, 0]:
                best[t, 0], best[t, 1] = total - below - above, f
