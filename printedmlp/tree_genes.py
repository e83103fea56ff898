"""Genes of approximated decision trees: what they mean, how good they are, how they vary.

An inner node of the start tree has three genes: a threshold in 1 .. 2^bits - 1; a precision in 1 .. bits, the top
bits of feature and threshold that are compared; and whether the tree goes on there (1) or ends (0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels import trees as kernel
from printedmlp.kernels.trees import GENES, KEPT, PRECISION, THRESHOLD
from printedmlp.tree_area import TreeUnits
from printedmlp.trees import Branch, DecisionTree, Leaf, assembled

Genes = NDArray[np.int32]
"""(P, 3 * n_inner), nodes in preorder."""


class TreeGenome:
    """The genes of one start tree, which is reduced first.

    Attributes
    ----------
    form : (M, 4) int64 for `kernels.trees`.
    sizes : (n_inner,) inner nodes of the subtree at each inner node, itself included.
    exact : (3 * n_inner,) int32 genes of the start tree itself.
    """

    def __init__(self, tree: DecisionTree) -> None:
        self.tree = tree.reduced()
        self.form = _form(self.tree)
        self.n_inner = len(self.tree.nodes) - self.tree.n_leaves
        self.sizes = _sizes(self.form, self.n_inner)
        tests = [node for node in self.tree.nodes if not isinstance(node, Leaf)]
        genes = [(node.threshold, tree.input_bits, 1) for node in tests]
        self.exact: Genes = np.array(genes, dtype=np.int32).reshape(-1)


def _form(tree: DecisionTree) -> NDArray[np.int64]:
    rows: list[tuple[int, int, int, int]] = []
    inner = 0
    for node in tree.nodes:
        rows.append((0, 0, 0, -1) if isinstance(node, Leaf) else (node.feature, node.below, node.above, inner))
        inner += not isinstance(node, Leaf)
    return np.array(rows, dtype=np.int64)


def _sizes(form: NDArray[np.int64], n_inner: int) -> NDArray[np.int64]:
    sizes = np.zeros(len(form), dtype=np.int64)
    for k in range(len(form) - 1, -1, -1):
        if form[k, kernel.INNER] >= 0:
            sizes[k] = 1 + sizes[form[k, kernel.BELOW]] + sizes[form[k, kernel.ABOVE]]
    return sizes[form[:, kernel.INNER] >= 0]


class TreeEvaluator:
    """Scores individuals of one genome on one set of rows.

    Parameters
    ----------
    X : (n, n_features) int64 codes; y : (n,) int64 labels; weights : (n_classes,) int64 of the classes.
    """

    def __init__(
        self,
        genome: TreeGenome,
        X: NDArray[np.int64],
        y: NDArray[np.int64],
        weights: NDArray[np.int64],
        units: TreeUnits,
    ) -> None:
        self.genome, self.X, self.y, self.weights = genome, X, y, weights
        self._units = units.array()
        n_classes = genome.tree.n_classes
        codes = np.arange(1 << genome.tree.input_bits)
        holds = _words(X.T[:, None, :] >= codes[:, None])
        self._rows = holds, _words(y == np.arange(n_classes)[:, None]), weights
        self._scratch = kernel.new_scratch(genome.form, self._rows, max(1, (n_classes - 1).bit_length()))

    def score(self, genes: Genes) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Weighted errors and square micrometres, (P, 2) int64; and which nodes rows reach, (P, n_inner)."""
        errors, areas = np.zeros((2, len(genes)), dtype=np.int64)
        live = np.zeros((len(genes), self.genome.n_inner), dtype=np.uint8)
        for marks in self._scratch[3:]:
            marks.fill(-1)
        kernel.score(genes, self.genome.form, self._rows, self._units, self._scratch, errors, areas, live)
        return np.stack([errors, areas], axis=1), live

    def decoded(self, genes: Genes) -> DecisionTree:
        """The tree of one individual (3 * n_inner,): without tests that all training rows pass, or all fail."""
        return assembled(self.genome.tree, self._branch(genes, 0, np.arange(len(self.y))))

    def _branch(self, genes: Genes, k: int, rows: NDArray[np.intp]) -> Branch:
        feature, below, above, inner = self.genome.form[k].tolist()
        threshold, precision, kept = (
            genes[GENES * inner : GENES * inner + GENES].tolist() if inner >= 0 else (0, 0, 0)
        )
        if not kept:
            return majority(self.y[rows], self.weights)
        dropped = self.genome.tree.input_bits - precision
        threshold = threshold >> dropped << dropped
        holds = self.X[rows, feature] >= threshold
        if holds.all():
            return self._branch(genes, above, rows)
        if not holds.any():
            return self._branch(genes, below, rows)
        low, high = self._branch(genes, below, rows[~holds]), self._branch(genes, above, rows[holds])
        return low if low == high and isinstance(low, int) else (feature, threshold, low, high)

    def pruning_path(self) -> Genes:
        """The start tree and its cost-complexity prunings down to one leaf, (n, 3 * n_inner) int32.

        Each step ends the tree at the node that costs fewest errors for each inner node it saves; Breiman,
        Friedman, Olshen, Stone, "Classification and Regression Trees", 1984.
        """
        own = self._errors_if_ended()
        genes = self.genome.exact.copy()
        path = [genes.copy()]
        while self.genome.n_inner and genes[KEPT]:
            node = _weakest(genes[KEPT::GENES], self.genome.form, own)
            genes[GENES * node + KEPT] = 0
            path.append(genes.copy())
        return np.array(path, dtype=np.int32)

    def _errors_if_ended(self) -> NDArray[np.int64]:
        """Weighted errors of every node of the start tree if the tree ended there, (M,)."""
        rows = [np.arange(len(self.y))] * len(self.genome.form)
        errors = np.zeros(len(rows), dtype=np.int64)
        for k, node in enumerate(self.genome.tree.nodes):
            weights = self.weights * np.bincount(self.y[rows[k]], minlength=len(self.weights))
            errors[k] = weights.sum() - weights.max()
            if not isinstance(node, Leaf):
                holds = self.X[rows[k], node.feature] >= node.threshold
                rows[node.below], rows[node.above] = rows[k][~holds], rows[k][holds]
        return errors


def majority(labels: NDArray[np.int64], weights: NDArray[np.int64]) -> int:
    """The class of largest weight among labels (n,), ties to the lower index."""
    return int(np.argmax(weights * np.bincount(labels, minlength=len(weights))))


def _weakest(kept: NDArray[np.int32], form: NDArray[np.int64], own: NDArray[np.int64]) -> int:
    """The inner node, of those that the tree reaches, to end the tree at next."""
    errors, saved = own.copy(), np.zeros(len(form), dtype=np.int64)
    reached = {0}
    for k, (_, below, above, inner) in enumerate(form.tolist()):
        if k in reached and inner >= 0 and kept[inner]:
            reached.update((below, above))
    best, weakest = (np.inf, 0), 0
    for k in sorted(reached, reverse=True):
        _, below, above, inner = form[k].tolist()
        if inner >= 0 and kept[inner]:
            errors[k], saved[k] = errors[below] + errors[above], 1 + saved[below] + saved[above]
            worth = ((own[k] - errors[k]) / saved[k], -int(saved[k]))
            if worth < best:
                best, weakest = worth, inner
    return weakest


def _words(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Flags (..., n) as words of 64 bits, (..., ceil(n / 64)), the last one filled with zeros."""
    n = flags.shape[-1]
    padded = np.zeros((*flags.shape[:-1], -(-n // 64) * 64), dtype=bool)
    padded[..., :n] = flags
    return np.packbits(padded, axis=-1, bitorder="little").view(np.uint64)


def mate(
    genes: Genes, live: NDArray[np.uint8], rng: np.random.Generator, *, genome: TreeGenome, rate: float
) -> Genes:
    """Rows 0 and 1, 2 and 3, ... exchange a random subtree with probability `rate`; P even.

    The subtree is one that training rows reach in the first of the two, and not the whole tree.
    """
    children = genes.copy()
    draws = rng.random((len(genes) // 2, 2))
    for pair in np.flatnonzero(draws[:, 0] < rate):
        a, b = 2 * pair, 2 * pair + 1
        nodes = np.flatnonzero(live[a])[1:]
        if len(nodes):
            node = nodes[int(draws[pair, 1] * len(nodes))]
            block = slice(GENES * node, GENES * (node + genome.sizes[node]))
            children[a, block], children[b, block] = genes[b, block], genes[a, block]
    return children


def mutate(
    genes: Genes, live: NDArray[np.uint8], rng: np.random.Generator, *, genome: TreeGenome, mutations: float
) -> Genes:
    """Change nodes of (P, G) genes, `mutations` of each row's live ones on average; the rest would change nothing.

    Half the changes move the threshold, by 1 half the time, by 2 a quarter, and so on; a quarter draw another
    precision; a quarter end the tree at the node, or let it go on.
    """
    genes, top = genes.copy(), genome.tree.input_bits
    rates = mutations / np.maximum(1, live.sum(axis=1, keepdims=True))
    rows, nodes = np.nonzero(live * (rng.random(live.shape) < rates))
    kinds = rng.integers(0, 4, size=len(rows))
    steps = rng.geometric(0.5, size=len(rows)) * rng.choice((-1, 1), size=len(rows))
    precisions = rng.integers(1, top + 1, size=len(rows))
    moved = np.clip(genes[rows, GENES * nodes + THRESHOLD] + steps, 1, (1 << top) - 1)
    for gene, values, kind in (
        (THRESHOLD, moved, kinds < 2),
        (PRECISION, precisions, kinds == 2),
        (KEPT, 1 - genes[rows, GENES * nodes + KEPT], kinds == 3),
    ):
        genes[rows[kind], GENES * nodes[kind] + gene] = values[kind]
    return genes
