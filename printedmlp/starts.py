"""Where annealing starts from: trained networks, decision trees turned into neurons, sparse random neurons.

Each is a float network of one hidden layer that is rounded to powers of two (`printedmlp.power_of_two`); annealing
repairs what rounding broke, so that one try of each is enough.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from printedmlp.float_mlp import ALPHAS, FloatMLP, Matrix, train_float_mlp
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.power_of_two import round_network

ROWS = 3000
"""At most so many random rows guide the rounding."""
READ_OUT_ITERATIONS = 200
INPUTS_OF_SPARSE = (2, 4)
"""Fewest and most inputs of a sparse random neuron."""

Rows = NDArray[np.integer]
Maker = Callable[[GenomeLayout, Rows, Rows, np.random.Generator], FloatMLP]


def start_point(kind: str, layout: GenomeLayout, X: Rows, y: Rows, *, rng: np.random.Generator) -> Genes:
    """Genes (G,) of a start point of one of the `KINDS` for a layout of one hidden layer.

    Parameters
    ----------
    X : (n_samples, n_features) codes.
    y : (n_samples,) class indices; classes may be missing.
    """
    network = KINDS[kind](layout, X, y, rng)
    rows = rng.permutation(len(X))[:ROWS]
    with threadpool_limits(1):
        net = round_network(network, layout, np.asarray(X[rows], dtype=np.float64), y[rows])
    return layout.encode(net.to_model())


def trained_network(layout: GenomeLayout, X: Rows, y: Rows, rng: np.random.Generator) -> FloatMLP:
    """A network of the layout's sizes, trained from a random start with a random one of the usual penalties."""
    return train_float_mlp(
        X,
        y,
        hidden=layout.topology[1:-1],
        input_bits=layout.input_bits,
        n_classes=layout.topology[-1],
        alpha=float(rng.choice(ALPHAS)),
        random_state=int(rng.integers(1 << 31)),
    )


def tree_network(layout: GenomeLayout, X: Rows, y: Rows, rng: np.random.Generator) -> FloatMLP:
    """A neuron for each split of a small tree: how far its feature is beyond the threshold, on a random side.

    The tree has as many splits as the layout has hidden neurons, or fewer where they are enough; a logistic
    regression on the neurons takes the place of the leaves.
    """
    n_features, width = layout.topology[0], layout.topology[1]
    tree = DecisionTreeClassifier(
        max_leaf_nodes=width + 1, max_features=0.7, random_state=int(rng.integers(1 << 31))
    ).fit(X, y)
    split = tree.tree_.feature >= 0
    features, thresholds = tree.tree_.feature[split], tree.tree_.threshold[split]
    sides = rng.choice((-1.0, 1.0), size=len(features))
    weights, biases = np.zeros((n_features, width)), np.zeros(width)
    weights[features, np.arange(len(features))] = sides
    biases[: len(features)] = -sides * thresholds
    return _with_read_out(layout, X, y, weights, biases)


def sparse_network(layout: GenomeLayout, X: Rows, y: Rows, rng: np.random.Generator) -> FloatMLP:
    """Neurons that compare a few random inputs with random powers of two, and a logistic regression on them."""
    n_features, width = layout.topology[0], layout.topology[1]
    least, most = (min(n, n_features) for n in INPUTS_OF_SPARSE)
    weights = np.zeros((n_features, width))
    for column in weights.T:
        inputs = rng.permutation(n_features)[: rng.integers(least, most + 1)]
        column[inputs] = rng.choice((-1.0, 1.0), size=len(inputs)) * np.exp2(-rng.integers(0, 3, size=len(inputs)))
    sums = np.asarray(X, dtype=np.float64) @ weights
    biases = [-np.quantile(column, share) for column, share in zip(sums.T, rng.uniform(0, 0.7, width), strict=True)]
    return _with_read_out(layout, X, y, weights, np.array(biases))


KINDS: dict[str, Maker] = {"trained": trained_network, "tree": tree_network, "sparse": sparse_network}
"""What a start point can be made of, by name."""


def _with_read_out(layout: GenomeLayout, X: Rows, y: Rows, weights: Matrix, biases: Matrix) -> FloatMLP:
    """The network of these hidden neurons and the outputs that separate the classes best by logistic regression."""
    hidden = np.maximum(np.asarray(X, dtype=np.float64) @ weights + biases, 0.0)
    scale = np.maximum(hidden.max(axis=0), 1e-9)
    present = np.unique(y)
    out, offsets = np.zeros((weights.shape[1], layout.topology[-1])), np.full(layout.topology[-1], -np.inf)
    offsets[present] = 0.0
    if len(present) > 1:
        model = LogisticRegression(C=10.0, max_iter=READ_OUT_ITERATIONS)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(hidden / scale, y)
        # Two classes have one logit, which is for the upper one.
        columns = present[1:] if len(present) == 2 else present
        out[:, columns] = (model.coef_ / scale).T
        offsets[columns] = model.intercept_
    return FloatMLP((weights, out), (biases, offsets), 0.0)
