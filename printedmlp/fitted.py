"""What scikit-learn fitted to a table's own numbers, as a network or a tree on a quantiser's codes.

Inputs may have been scaled by steps of a pipeline as long as each feature was scaled alone: x becomes gain x +
offset. A network takes the middle of a code's interval for the value behind it, a tree the quantiser's threshold
that is nearest to its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from printedmlp.errors import EstimatorError
from printedmlp.float_mlp import FloatMLP, one_output_per_class
from printedmlp.quantise import Quantiser
from printedmlp.trees import Branch, DecisionTree, grown

SAME = 1e-6
"""Relative difference up to which a pipeline's output is taken for the scaling of each feature alone."""
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """What the steps before a classifier do to each feature: gain * x + offset, both (n_features,)."""

    gain: Vector
    offset: Vector


def classifier_of_codes(
    start: Any, quantiser: Quantiser, X: ArrayLike, classes: ArrayLike
) -> FloatMLP | DecisionTree:
    """A fitted classifier, perhaps at the end of a pipeline of scalers, as one of codes.

    Parameters
    ----------
    start : a fitted MLPClassifier of rectifiers or DecisionTreeClassifier, bare, frozen, or last of a Pipeline.
    quantiser : of the codes.
    X : (n_samples, n_features) rows in the user's units that show what the pipeline does.
    classes : (n_classes,) the labels, sorted; those of `start` must be among them.

    Raises
    ------
    EstimatorError : naming what of the start cannot be taken over.
    """
    steps, fitted = _parts(start)
    _check_kind(fitted)
    n_features = len(quantiser.feature_names)
    _check_features(fitted if steps is None else steps, quantiser.feature_names)
    scaling = _scaling(steps, quantiser, np.asarray(X, dtype=np.float64))
    labels = _labels(fitted.classes_, np.asarray(classes))
    if isinstance(fitted, MLPClassifier):
        return _network(fitted, scaling, quantiser, labels, len(np.asarray(classes)))
    branch = _branch(fitted.tree_, labels, scaling, quantiser, 0)
    return grown(n_features, quantiser.input_bits, len(np.asarray(classes)), branch).reduced()


def hidden_sizes(start: Any) -> tuple[int, ...] | None:
    """Sizes of the hidden layers of a fitted network, perhaps frozen or last of a pipeline; None for all else."""
    _, fitted = _parts(start)
    if not isinstance(fitted, MLPClassifier) or not hasattr(fitted, "coefs_"):
        return None
    return tuple(len(biases) for biases in fitted.intercepts_[:-1])


def _parts(start: Any) -> tuple[Pipeline | None, Any]:
    """The steps before the classifier, None without any, and the classifier."""
    bare = start.estimator if isinstance(start, FrozenEstimator) else start
    if not isinstance(bare, Pipeline):
        return None, bare
    return (bare[:-1] if len(bare) > 1 else None), bare[-1]


def _check_kind(fitted: Any) -> None:
    name = type(fitted).__name__
    if not isinstance(fitted, MLPClassifier | DecisionTreeClassifier):
        raise EstimatorError(f"start: a {name} is no MLPClassifier or DecisionTreeClassifier")
    try:
        check_is_fitted(fitted)
    except NotFittedError:
        hint = "clone() and parameter searches drop a fit: wrap it in sklearn.frozen.FrozenEstimator"
        raise EstimatorError(f"start: the {name} is not fitted; {hint}") from None
    if isinstance(fitted, MLPClassifier) and fitted.activation != "relu":
        raise EstimatorError(f"start: activation {fitted.activation!r} of the network is not 'relu'")
    several = isinstance(fitted, MLPClassifier) and fitted.out_activation_ == "logistic" and fitted.n_outputs_ > 1
    if several or isinstance(fitted.classes_, list):
        raise EstimatorError(f"start: the {name} answers more than one question")


def _check_features(first: Any, names: Sequence[str]) -> None:
    if first.n_features_in_ != len(names):
        raise EstimatorError(f"start: was fitted to {first.n_features_in_} features, the table has {len(names)}")
    own = [str(name) for name in getattr(first, "feature_names_in_", names)]
    if own != list(names) and sorted(own) == sorted(names):
        raise EstimatorError("start: was fitted to the same features in another order")


def _scaling(steps: Pipeline | None, quantiser: Quantiser, X: Vector) -> Scaling:
    """Gain and offset from what the steps make of the ends of each range; refused where rows between disagree."""
    if steps is None:
        return Scaling(np.ones(X.shape[1]), np.zeros(X.shape[1]))
    low, high = quantiser.low, quantiser.high
    names = ", ".join(name for name, _ in steps.steps)
    with warnings.catch_warnings():
        # Steps that were fitted to a data frame miss its feature names here.
        warnings.simplefilter("ignore", UserWarning)
        ends, seen = (np.asarray(steps.transform(rows), dtype=np.float64) for rows in (np.array([low, high]), X))
    if seen.shape == X.shape:
        gain = (ends[1] - ends[0]) / np.where(high > low, high - low, 1.0)
        scaling = Scaling(gain, ends[0] - gain * low)
        size = np.abs(seen).max() + 1.0
        if np.abs(scaling.gain * X + scaling.offset - seen).max() <= SAME * size:
            return scaling
    raise EstimatorError(f"start: the pipeline's steps ({names}) do more than scale each feature alone")


def _labels(own: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Index among the table's classes of each of the start's."""
    strangers = [label for label in own.tolist() if label not in classes.tolist()]
    if strangers:
        raise EstimatorError(f"start: its class {strangers[0]!r} is not among those of the table")
    return np.array([classes.tolist().index(label) for label in own.tolist()], dtype=np.int64)


def _network(
    fitted: MLPClassifier, scaling: Scaling, quantiser: Quantiser, labels: NDArray[np.int64], n_classes: int
) -> FloatMLP:
    step = (quantiser.high - quantiser.low) / 2**quantiser.input_bits
    weights, biases = list(fitted.coefs_), list(fitted.intercepts_)
    at_code_0 = scaling.gain * (quantiser.low + step / 2) + scaling.offset
    biases[0] = biases[0] + at_code_0 @ weights[0]
    weights[0] = weights[0] * (scaling.gain * step)[:, None]
    weights[-1], biases[-1] = one_output_per_class(weights[-1], biases[-1], labels, n_classes)
    return FloatMLP(tuple(weights), tuple(biases), float(fitted.alpha))


def _branch(tree: Any, labels: NDArray[np.int64], scaling: Scaling, quantiser: Quantiser, node: int) -> Branch:
    """Scikit-learn goes left where the scaled value is no more than the threshold."""
    left, right = int(tree.children_left[node]), int(tree.children_right[node])
    if left < 0:
        return int(labels[np.argmax(tree.value[node, 0])])
    feature = int(tree.feature[node])
    low, high = float(quantiser.low[feature]), float(quantiser.high[feature])
    gain, offset = float(scaling.gain[feature]), float(scaling.offset[feature])
    cut = tree.threshold[node] - offset
    # One side only where the feature never crosses the threshold, be it constant or not that far.
    sides = sorted({bool(gain * end > cut) for end in (low, high)})
    if len(sides) == 1:
        return _branch(tree, labels, scaling, quantiser, right if sides[0] else left)
    place = (cut / gain - low) / (high - low) * 2**quantiser.input_bits
    threshold = int(np.clip(round(place), 1, 2**quantiser.input_bits - 1))
    below, above = (left, right) if gain > 0 else (right, left)
    parts: Sequence[Branch] = [_branch(tree, labels, scaling, quantiser, side) for side in (below, above)]
    return feature, threshold, parts[0], parts[1]
