"""Small forests: decision trees on random choices of features that vote on every bit of the class's number.

One large tree learns its training rows by heart; several smaller ones that each look at other features err on other
rows. The vote is taken bit by bit, so it costs a few gates a bit whatever the number of classes. The trees follow
Breiman, "Random Forests" (2001), with features drawn for every split; every tree sees all rows, which are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.tree import DecisionTreeClassifier

from printedmlp.errors import ModelError
from printedmlp.exact_trees import checked_weights, training_rows, tree_of
from printedmlp.tree_area import TreeUnits, tree_area_um2
from printedmlp.trees import DecisionTree

VOTERS = (3, 5)
LEAVES = (4, 8, 16, 32, 64, 128, 256)
DRAWS = 3
"""Forests grown of every size."""
FEATURE_SHARE = 0.5
"""Share of the features that a split may choose from."""


@dataclass(frozen=True)
class Forest:
    """Trees that vote, an odd number, all on the same codes and classes.

    Raises
    ------
    ModelError : for an even number of trees, or trees that differ in features, input bits or classes.
    """

    trees: tuple[DecisionTree, ...]

    def __post_init__(self) -> None:
        if len(self.trees) % 2 == 0:
            raise ModelError(f"{len(self.trees)} trees can tie; a forest needs an odd number")
        kinds = {(tree.n_features, tree.input_bits, tree.n_classes) for tree in self.trees}
        if len(kinds) > 1:
            raise ModelError(f"trees of one forest differ in features, input bits or classes: {sorted(kinds)}")

    @property
    def n_leaves(self) -> int:
        """Leaves of all trees together."""
        return sum(tree.n_leaves for tree in self.trees)

    def area_um2(self, units: TreeUnits) -> int:
        """Estimated area of all trees in square micrometres, without the vote and what trees have in common."""
        return sum(tree_area_um2(tree, units) for tree in self.trees)

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Number that has every bit as most trees have it, for rows of codes X (n_samples, n_features), int64.

        Where all trees differ, it need not be any tree's class, nor a class at all; it is then a wrong answer.
        """
        votes = np.stack([tree.predict(X) for tree in self.trees])
        n_bits = max(1, (self.trees[0].n_classes - 1).bit_length())
        most = [((votes >> bit) & 1).sum(axis=0) * 2 > len(votes) for bit in range(n_bits)]
        return sum((bit.astype(np.int64) << place for place, bit in enumerate(most)), np.zeros(votes.shape[1], int))


def forests(
    X_train: ArrayLike,
    y_train: ArrayLike,
    *,
    n_classes: int,
    input_bits: int,
    rng: np.random.Generator,
    class_weights: Sequence[int] | None = None,
) -> list[Forest]:
    """Forests of several sizes, fewest voters and leaves first.

    Parameters
    ----------
    X_train : (n_samples, n_features) codes.
    y_train : (n_samples,) class indices in 0 .. n_classes - 1.
    rng : draws the features of the splits.
    class_weights : (n_classes,) positive integers; None weighs all classes alike.

    Raises
    ------
    ModelError : for rows or labels that do not fit; ConfigError for class weights that do not.
    """
    X, y = training_rows(X_train, y_train, n_classes, input_bits)
    weights = checked_weights(class_weights, n_classes)[y]

    def voter(max_leaves: int) -> DecisionTree:
        state = int(rng.integers(0, 1 << 31))
        kind = DecisionTreeClassifier(max_leaf_nodes=max_leaves, max_features=FEATURE_SHARE, random_state=state)
        return tree_of(kind.fit(X, y, sample_weight=weights), input_bits, n_classes)

    sizes = [(voters, leaves) for voters in VOTERS for leaves in LEAVES for _ in range(DRAWS)]
    return [Forest(tuple(voter(leaves) for _ in range(voters))) for voters, leaves in sizes]
