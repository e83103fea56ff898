"""What a run makes the most of: the metric that circuits are chosen by, and the class weights of their training.

Training engines count errors, and can weight them by the class of the row; that makes accuracy (all weights equal)
and balanced accuracy (weights inverse to the class sizes) sums over rows. Macro F1 is no such sum: what one more
wrong row costs depends on all other answers. Training therefore uses the balanced weights in its stead, and only
the choice among trained circuits, made on training and validation rows together, uses macro F1 itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ConfigError
from printedmlp.metrics import checked_metric, score

BALANCED = "balanced"
HEAVIEST = 1000
"""Weights that are no small integers already are scaled so that the largest is this."""
WeightSpec = str | Sequence[float] | None


@dataclass(frozen=True)
class Objective:
    """What is optimised.

    Attributes
    ----------
    metric : one of `printedmlp.metrics.METRICS`; decides on training and validation rows together.
    class_weights : weight of a wrong row by its class, (C,) positive integers, in training; None weighs all alike.
    """

    metric: str = "accuracy"
    class_weights: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        checked_metric(self.metric)

    @classmethod
    def of(cls, metric: str, spec: WeightSpec, y_train: ArrayLike, n_classes: int) -> Objective:
        """The objective of a user's choice.

        Parameters
        ----------
        metric : one of `printedmlp.metrics.METRICS`.
        spec : see `integer_class_weights`; None takes equal weights for accuracy, balanced ones for the others.
        y_train : (n,) classes of the training rows.
        n_classes : number of classes.
        """
        if spec is None and checked_metric(metric) != "accuracy":
            spec = BALANCED
        return cls(metric, integer_class_weights(y_train, n_classes, spec))

    def score(self, y_true: ArrayLike, y_pred: ArrayLike, n_classes: int) -> float:
        """The metric's value of predicted classes."""
        return score(self.metric, y_true, y_pred, n_classes)

    def row_weights(self, y: ArrayLike) -> NDArray[np.int64]:
        """(n,) weight of a wrong answer on each row."""
        classes = np.asarray(y, dtype=np.int64)
        if self.class_weights is None:
            return np.ones(len(classes), dtype=np.int64)
        return np.asarray(self.class_weights, dtype=np.int64)[classes]

    def weighted_error(self, y_true: ArrayLike, y_pred: ArrayLike) -> int:
        """Sum of the weights of the wrong rows; the definition that every training engine's count obeys."""
        return int(self.row_weights(y_true)[np.asarray(y_true) != np.asarray(y_pred)].sum())


def integer_class_weights(y_train: ArrayLike, n_classes: int, spec: WeightSpec) -> tuple[int, ...] | None:
    """Weights of wrong rows by class, as positive integers without a common factor.

    Parameters
    ----------
    y_train : (n,) classes of the training rows, 0 .. n_classes - 1.
    n_classes : number of classes C.
    spec : None, "balanced", or a positive number for each class. Balanced weights are proportional to n / (C n_c)
        with n_c the training rows of class c, so that every class weighs the same in all; a class without training
        rows gets 1. Integers up to 1000 stay what they are, other weights are scaled to a largest of 1000 and
        rounded, the smallest to no less than 1.

    Raises
    ------
    ConfigError : for another word, a wrong number of weights, or one that is not positive and finite.
    """
    check_weights(spec)
    if spec is None:
        return None
    if isinstance(spec, str):
        return _balanced_weights(np.bincount(np.asarray(y_train, dtype=np.int64), minlength=n_classes))
    if len(spec) != n_classes:
        raise ConfigError(f"class_weights: {len(spec)} given for {n_classes} classes")
    return _integers(spec)


def check_weights(spec: WeightSpec) -> None:
    """Refuse what cannot be class weights whatever the classes are.

    Raises
    ------
    ConfigError : for another word than "balanced", no weight at all, or one that is not positive and finite.
    """
    if spec is None or spec == BALANCED:
        return
    if isinstance(spec, str):
        raise ConfigError(f"class_weights: {spec!r} is not '{BALANCED}'")
    if not spec:
        raise ConfigError("class_weights: the list is empty")
    for weight in spec:
        if not 0 < weight < math.inf:
            raise ConfigError(f"class_weights: {weight} is not a positive number")


def _balanced_weights(counts: NDArray[np.int64]) -> tuple[int, ...]:
    held = np.flatnonzero(counts)
    weights = dict(zip(held.tolist(), _integers([1 / counts[c] for c in held]), strict=True))
    return tuple(weights.get(c, 1) for c in range(len(counts)))


def _integers(weights: Sequence[float]) -> tuple[int, ...]:
    if not all(float(w).is_integer() for w in weights) or max(weights) > HEAVIEST:
        # The ratio first: a weight near the largest double times 1000 would overflow.
        weights = [max(1, round(w / max(weights) * HEAVIEST)) for w in weights]
    whole = [int(w) for w in weights]
    common = math.gcd(*whole)
    return tuple(w // common for w in whole)
