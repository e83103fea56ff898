"""Float networks on quantised inputs, trained by scikit-learn: what every discrete classifier starts from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

ALPHAS = (0.1, 1.0)
"""L2 penalties that restarts take in turn: between overfitting the small tables and starving the large ones."""
MAX_ITERATIONS = 400
INPUT_SPAN = 4.0
"""Range of a centred input. Around zero and a few units wide, lbfgs seldom ends with dead hidden neurons."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class FloatMLP:
    """A rectifier network that takes input codes as they are; its logits decide the class.

    Attributes
    ----------
    weights : per layer (n_inputs, n_neurons) float64.
    biases : per layer (n_neurons,) float64; -inf marks an output class that no training row has.
    alpha : L2 penalty it was trained with.
    """

    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]
    alpha: float

    def hidden(self, X: NDArray[np.integer] | Matrix) -> list[Matrix]:
        """Inputs of every layer, (n_samples, n_inputs) each: the codes, then the rectified sums."""
        values = [np.asarray(X, dtype=np.float64)]
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values.append(np.maximum(values[-1] @ weights + biases, 0.0))
        return values

    def logits(self, X: NDArray[np.integer]) -> Matrix:
        """(n_samples, n_classes) for codes X (n_samples, n_features)."""
        return np.asarray(self.hidden(X)[-1] @ self.weights[-1] + self.biases[-1], dtype=np.float64)

    def predict(self, X: NDArray[np.integer]) -> NDArray[np.int64]:
        """Class index of each row, ties to the lower index."""
        return np.asarray(np.argmax(self.logits(X), axis=1), dtype=np.int64)


def train_float_mlp(
    X: NDArray[np.integer],
    y: NDArray[np.integer],
    *,
    hidden: Sequence[int],
    input_bits: int,
    n_classes: int,
    alpha: float,
    random_state: int,
) -> FloatMLP:
    """Train one network by lbfgs on the quantised inputs.

    Parameters
    ----------
    X : (n_samples, n_features) codes in 0 .. 2^input_bits - 1.
    y : (n_samples,) class indices; classes may be missing.
    hidden : neurons of each hidden layer.
    alpha, random_state : scikit-learn's L2 penalty and start.

    Returns
    -------
    The network with the centring of the inputs folded into its first layer. BLAS runs on one thread, so the same
    arguments give the same bytes.
    """
    present = np.unique(y)
    if len(present) == 1:
        return _constant_network(X.shape[1], hidden, n_classes, int(present[0]), alpha)
    centre, step = X.mean(axis=0), INPUT_SPAN / ((1 << input_bits) - 1)
    trainer = MLPClassifier(
        tuple(hidden), solver="lbfgs", alpha=alpha, max_iter=MAX_ITERATIONS, random_state=random_state
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        trainer.fit((X - centre) * step, y)
    weights, biases = list(trainer.coefs_), list(trainer.intercepts_)
    weights[0] = weights[0] * step
    biases[0] = biases[0] - centre @ weights[0]
    weights[-1], biases[-1] = one_output_per_class(weights[-1], biases[-1], present, n_classes)
    return FloatMLP(tuple(weights), tuple(biases), alpha)


def accuracy(predicted: NDArray[np.integer], y: NDArray[np.integer]) -> float:
    """Share of rows predicted right."""
    return float(np.mean(predicted == y))


def one_output_per_class(
    weights: Matrix, biases: Matrix, present: NDArray[np.integer], n_classes: int
) -> tuple[Matrix, Matrix]:
    """Weights and biases of scikit-learn's output layer as one column per class; -inf biases where one is missing.

    Parameters
    ----------
    weights, biases : (n_inputs, n_outputs) and (n_outputs,); two classes have one logistic output.
    present : ascending indices of the classes that the network knows.
    """
    # A logistic output z means "upper class if z > 0": scores 0 and z, the cheapest pair in hardware.
    columns = present[1:] if len(present) == 2 else present
    spread = np.zeros((len(weights), n_classes))
    offsets = np.full(n_classes, -np.inf)
    offsets[present] = 0.0
    spread[:, columns], offsets[columns] = weights, biases
    return spread, offsets


def _constant_network(
    n_features: int, hidden: Sequence[int], n_classes: int, winner: int, alpha: float
) -> FloatMLP:
    sizes = (n_features, *hidden, n_classes)
    weights = tuple(np.zeros(shape) for shape in pairwise(sizes))
    biases = [np.zeros(size) for size in sizes[1:]]
    biases[-1] = np.where(np.arange(n_classes) == winner, 0.0, -np.inf)
    return FloatMLP(weights, tuple(biases), alpha)
