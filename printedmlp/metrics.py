"""What a classifier is worth on given rows, with what is needed to believe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ConfigError, DataError

METRICS = ("accuracy", "balanced_accuracy", "macro_f1")
"""What a design run can be asked to make the most of; each is 1 for a classifier that is always right."""
Z_95 = 1.959963984540054
"""Two-sided 95 % point of the standard normal distribution."""


@dataclass(frozen=True)
class Metrics:
    """Figures of one classifier on one set of rows.

    Attributes
    ----------
    n : number of rows.
    accuracy : share of rows predicted right.
    interval : 95 % Wilson interval of the accuracy.
    balanced_accuracy : mean recall over the classes that the rows hold.
    macro_f1 : mean over the classes that the rows hold of F1 = 2 right / (answered + held); a class that the rows
        hold and that is never answered counts 0. Classes without rows are left out as they are of the balance.
    majority_accuracy : accuracy of always answering the most frequent class of the *training* rows.
    classes_predicted : number of classes ever answered.
    invalid : rows whose answer is no class at all (a circuit has codes to spare when C is no power of two).
    confusion : [true class][predicted class] counts; invalid answers are in no column.
    """

    n: int
    accuracy: float
    interval: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    majority_accuracy: float
    classes_predicted: int
    invalid: int
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_json` is its inverse."""
        data = asdict(self)
        data["interval"] = list(self.interval)
        data["confusion"] = [list(row) for row in self.confusion]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Metrics:
        """Rebuild from `to_json`'s dictionary, which may hold other figures too.

        A record from before macro F1 was counted gets it from its confusion; it is not a number where some answers
        named no class, because such a record does not say which classes' rows they were.
        """
        confusion = tuple(tuple(row) for row in data["confusion"])
        values = {"macro_f1": _macro_f1_of_record(data), **data}
        values = {name: values[name] for name in cls.__dataclass_fields__}
        low, high = values["interval"]
        return cls(**{**values, "interval": (low, high), "confusion": confusion})

    def value(self, metric: str) -> float:
        """The figure called `metric`, one of `METRICS`; ConfigError for another name."""
        return float(getattr(self, checked_metric(metric)))

    def majority_value(self, metric: str) -> float:
        """What always answering the training rows' most frequent class is worth on these rows, by `metric`.

        Such an answer is right on the share m = `majority_accuracy` of the rows: a recall of 1 and an F1 of
        2 m / (1 + m) in one class, 0 in the others. Rows answered with no class at all are not known by class, so
        the classes are counted among the others.
        """
        m, held = self.majority_accuracy, max(1, sum(any(row) for row in self.confusion))
        worth = {"accuracy": m, "balanced_accuracy": (m > 0) / held, "macro_f1": 2 * m / (1 + m) / held}
        return worth[checked_metric(metric)]


def checked_metric(metric: str) -> str:
    """The name of a metric as it was given; ConfigError if it is none of `METRICS`."""
    if metric not in METRICS:
        raise ConfigError(f"metric: {metric!r} is not one of {', '.join(METRICS)}")
    return metric


def score(metric: str, y_true: ArrayLike, y_pred: ArrayLike, n_classes: int) -> float:
    """What predicted classes are worth by a metric.

    Parameters
    ----------
    metric : one of `METRICS`.
    y_true, y_pred : see `evaluate`.

    Raises
    ------
    ConfigError : for an unknown metric.
    DataError : for rows that cannot be compared.
    """
    checked_metric(metric)
    return evaluate(y_true, y_pred, n_classes=n_classes, majority_class=0).value(metric)


def evaluate(y_true: ArrayLike, y_pred: ArrayLike, *, n_classes: int, majority_class: int) -> Metrics:
    """Compare predicted with true classes.

    Parameters
    ----------
    y_true : (n,) class indices in 0 .. n_classes - 1.
    y_pred : (n,) non-negative integers; those from `n_classes` on are wrong answers that name no class.
    majority_class : most frequent class of the training rows, whatever the most frequent one of these rows is.

    Raises
    ------
    DataError : for no rows, unequal lengths or a true class out of range, naming row and value.
    """
    truth, answers = _checked(y_true, y_pred, n_classes)
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    valid = answers < n_classes
    np.add.at(confusion, (truth[valid], answers[valid]), 1)
    held = np.bincount(truth, minlength=n_classes)
    n_right, n = int(np.trace(confusion)), len(truth)
    return Metrics(
        n=n,
        accuracy=n_right / n,
        interval=wilson_interval(n_right, n),
        balanced_accuracy=_balanced_accuracy(held, confusion),
        macro_f1=_macro_f1(held, confusion),
        majority_accuracy=float(np.mean(truth == majority_class)),
        classes_predicted=int((confusion.sum(axis=0) > 0).sum()),
        invalid=int((~valid).sum()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def wilson_interval(n_right: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Score interval of a proportion, inside 0 to 1 for any n: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209."""
    share, spread = n_right / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * float(np.sqrt(share * (1 - share) / n + spread / (4 * n))) / (1 + spread)
    # Rounding must not leave the ends that are known exactly a hair inside or outside.
    low = 0.0 if n_right == 0 else centre - half
    return low, 1.0 if n_right == n else centre + half


def majority_class(y_train: ArrayLike, n_classes: int) -> int:
    """The most frequent class of the training rows, ties to the lower index."""
    return int(np.argmax(np.bincount(np.asarray(y_train), minlength=n_classes)))


def _balanced_accuracy(held: NDArray[np.int64], confusion: NDArray[np.int64]) -> float:
    present = held > 0
    return float(np.mean(np.diag(confusion)[present] / held[present]))


def _macro_f1(held: NDArray[np.int64], confusion: NDArray[np.int64]) -> float:
    present = held > 0
    return float(np.mean(2 * np.diag(confusion)[present] / (confusion.sum(axis=0) + held)[present]))


def _macro_f1_of_record(data: Mapping[str, Any]) -> float:
    confusion = np.asarray(data["confusion"], dtype=np.int64)
    return float("nan") if data["invalid"] else _macro_f1(confusion.sum(axis=1), confusion)


def _checked(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    truth, answers = np.asarray(y_true, dtype=np.int64), np.asarray(y_pred, dtype=np.int64)
    if truth.ndim != 1 or truth.shape != answers.shape:
        raise DataError(f"true classes have shape {truth.shape}, predicted ones {answers.shape}")
    if not len(truth):
        raise DataError("there are no rows to measure on")
    for name, values, bad in (
        ("true", truth, (truth < 0) | (truth >= n_classes)),
        ("predicted", answers, answers < 0),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(f"row {row}: {name} class {values[row]} is not in 0..{n_classes - 1}")
    return truth, answers
