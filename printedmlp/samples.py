"""A loaded data set: numbers, classes, names, and where they come from."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.names import clean_text, unique_names


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with one class each; the arrays are read-only.

    `name` is a slug ([a-z0-9_], at most 40 characters, starts with a letter) safe for paths; `feature_names`
    and `class_names` are the user's words, cleaned for display and not safe for paths or HDL. `X` is
    (n_samples, n_features) float64 in the user's units, all finite; `y` (n_samples,) int64 indexes
    `class_names`. `sha256` is that of the table's bytes, `source` the file name or the citation, `warnings`
    what was repaired or left out. The first `official_train_rows` rows are the training part of the data
    set's official split, if it has one.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    sha256: str
    source: str
    warnings: tuple[str, ...] = field(default=())
    official_train_rows: int | None = None

    def __post_init__(self) -> None:
        """Check the shapes, which are this package's own doing, and lock the arrays."""
        assert self.X.shape == (len(self.y), len(self.feature_names)), "X does not fit y and feature_names"
        assert self.X.dtype == np.float64, "X must be float64"
        assert self.y.dtype == np.int64, "y must be int64"
        self.X.setflags(write=False)
        self.y.setflags(write=False)

    @classmethod
    def of_arrays(
        cls, name: str, X: ArrayLike, y: ArrayLike, feature_names: Sequence[str], class_names: Sequence[str]
    ) -> Self:
        """A data set made of arrays in memory instead of a file.

        Parameters
        ----------
        name : a slug, as of every data set.
        X : (n_samples, n_features) finite numbers.
        y : (n_samples,) indices of `class_names`.
        feature_names, class_names : any texts; they are cleaned for display, and equal ones are numbered.
        """
        values = np.array(X, dtype=np.float64, order="C")
        labels = np.array(y, dtype=np.int64)
        features, classes = (
            unique_names([clean_text(text) for text in names]) for names in (feature_names, class_names)
        )
        digest = hashlib.sha256(repr((values.shape, features, classes)).encode())
        digest.update(values.tobytes() + labels.tobytes())
        source = f"arrays of {len(labels)} rows"
        return cls(name, values, labels, features, classes, digest.hexdigest(), source)

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(self.y)

    @property
    def n_features(self) -> int:
        """Number of inputs."""
        return len(self.feature_names)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    def class_counts(self) -> tuple[int, ...]:
        """Return the number of samples of each class, in the order of `class_names`."""
        return tuple(int(n) for n in np.bincount(self.y, minlength=self.n_classes))

    def summary(self) -> dict[str, Any]:
        """Return what a run records about its data, ready for JSON: everything but the samples."""
        return {
            "name": self.name,
            "source": self.source,
            "sha256": self.sha256,
            "n_samples": self.n_samples,
            "feature_names": list(self.feature_names),
            "classes": dict(zip(self.class_names, self.class_counts(), strict=True)),
            "duplicate_rows": duplicate_rows(self),
            "conflicting_inputs": conflicting_inputs(self),
            "official_train_rows": self.official_train_rows,
            "warnings": list(self.warnings),
        }


def duplicate_rows(dataset: Dataset) -> int:
    """Count the rows that equal an earlier one in all inputs and in the class."""
    return dataset.n_samples - sum(map(len, _classes_of_inputs(dataset).values()))


def conflicting_inputs(dataset: Dataset) -> int:
    """Count the input vectors that occur with more than one class; no classifier can be right on all of them."""
    return sum(len(labels) > 1 for labels in _classes_of_inputs(dataset).values())


def _classes_of_inputs(dataset: Dataset) -> dict[bytes, set[int]]:
    """The classes of every different input vector, which stands there as its SHA-256, not once more in memory."""
    classes = defaultdict[bytes, set[int]](set)
    for row, label in zip(dataset.X, dataset.y.tolist(), strict=True):
        # Zeros of both signs are one value but not the same bytes.
        classes[hashlib.sha256((row + 0.0).tobytes()).digest()].add(label)
    return classes
