"""Exact bespoke decision trees: CART on the codes, from a single leaf to the full tree, with scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.tree import DecisionTreeClassifier

from printedmlp.errors import ConfigError, ModelError
from printedmlp.trees import Branch, DecisionTree, checked_codes, grown

MOST_PRUNINGS = 40
"""Trees taken from the cost-complexity pruning path, spread evenly over it."""
LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256)
DEPTHS = tuple(range(1, 13))


def exact_trees(
    X_train: ArrayLike,
    y_train: ArrayLike,
    *,
    n_classes: int,
    input_bits: int,
    rng: np.random.Generator,
    class_weights: Sequence[int] | None = None,
) -> list[DecisionTree]:
    """Trees of every size, fewest leaves first, none twice.

    Each is fitted with a limit on the depth, a limit on the leaves, or pruned by cost and complexity (Breiman,
    Friedman, Olshen, Stone, "Classification and Regression Trees", 1984); then reduced to the tests that matter.

    Parameters
    ----------
    X_train : (n_samples, n_features) codes.
    y_train : (n_samples,) class indices in 0 .. n_classes - 1.
    rng : breaks ties between equally good splits.
    class_weights : (n_classes,) positive integers; None weighs all classes alike.

    Raises
    ------
    ModelError : for rows or labels that do not fit; ConfigError for class weights that do not.
    """
    X, y = training_rows(X_train, y_train, n_classes, input_bits)
    weights = checked_weights(class_weights, n_classes)[y]
    state = int(rng.integers(0, 1 << 31))
    found: dict[str, DecisionTree] = {}
    for limits in _limits(X, y, weights, state):
        fitted = DecisionTreeClassifier(random_state=state, **limits).fit(X, y, sample_weight=weights)
        tree = tree_of(fitted, input_bits, n_classes)
        found.setdefault(tree.dumps(), tree)
    return sorted(found.values(), key=lambda tree: (tree.n_leaves, tree.depth))


def tree_of(fitted: DecisionTreeClassifier, input_bits: int, n_classes: int) -> DecisionTree:
    """A tree that scikit-learn fitted to codes, reduced to the tests that matter."""
    branch = _branch(fitted.tree_, fitted.classes_, 0)
    return grown(fitted.n_features_in_, input_bits, n_classes, branch).reduced()


def training_rows(
    X_train: ArrayLike, y_train: ArrayLike, n_classes: int, input_bits: int, n_features: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes (n_samples, n_features) and labels (n_samples,), checked; ModelError names what does not fit.

    Without `n_features` any number of them fits.
    """
    labels = np.asarray(y_train)
    width = n_features or (np.shape(X_train)[1] if np.ndim(X_train) == 2 else 0)
    codes = checked_codes(X_train, width, input_bits)
    if labels.shape != (len(codes),) or not len(codes):
        raise ModelError(f"labels of shape {labels.shape} for {len(codes)} samples")
    if labels.dtype.kind not in "ui":
        raise ModelError(f"labels must be integers, not {labels.dtype}")
    bad = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if len(bad):
        raise ModelError(f"sample {bad[0]}: label {labels[bad[0]]} is not in 0..{n_classes - 1}")
    return codes, labels.astype(np.int64)


def checked_weights(class_weights: Sequence[int] | None, n_classes: int) -> NDArray[np.int64]:
    """Weights as (n_classes,) int64, all 1 for None; ConfigError for anything but positive integers."""
    if class_weights is None:
        return np.ones(n_classes, dtype=np.int64)
    weights = np.asarray(class_weights)
    if weights.shape != (n_classes,) or weights.dtype.kind not in "ui" or (weights < 1).any():
        raise ConfigError(f"class_weights must be {n_classes} positive integers, not {class_weights!r:.60}")
    return weights.astype(np.int64)


def _limits(
    X: NDArray[np.int64], y: NDArray[np.int64], weights: NDArray[np.int64], state: int
) -> Iterator[dict[str, Any]]:
    yield {}
    yield from ({"max_depth": depth} for depth in DEPTHS)
    yield from ({"max_leaf_nodes": leaves} for leaves in LEAVES)
    path = DecisionTreeClassifier(random_state=state).cost_complexity_pruning_path(X, y, sample_weight=weights)
    strengths = np.unique(path.ccp_alphas)
    chosen = strengths[np.unique(np.linspace(0, len(strengths) - 1, MOST_PRUNINGS).astype(int))]
    yield from ({"ccp_alpha": max(0.0, float(alpha))} for alpha in chosen)


def _branch(fitted: Any, labels: NDArray[np.int64], node: int) -> Branch:
    """Scikit-learn splits halfway between codes: x <= 3.5 is x < 4."""
    below = int(fitted.children_left[node])
    if below < 0:
        return int(labels[np.argmax(fitted.value[node, 0])])
    above = int(fitted.children_right[node])
    threshold = int(np.floor(fitted.threshold[node])) + 1
    branches = _branch(fitted, labels, below), _branch(fitted, labels, above)
    return int(fitted.feature[node]), threshold, *branches
