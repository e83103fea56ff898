"""Training, validation and test rows: stratified, seeded, official where possible, duplicates together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError, DataError
from printedmlp.samples import Dataset

Rows = NDArray[np.int64]
Fractions = Sequence[float]

_DONE = 1e-9


class Split(NamedTuple):
    """Row numbers of the three parts, int64, ascending, disjoint and together all rows."""

    train: Rows
    validation: Rows
    test: Rows


def split_dataset(
    dataset: Dataset,
    *,
    seed: int | np.random.Generator,
    fractions: Fractions = (0.6, 0.2, 0.2),
    official: bool = False,
    group_duplicates: bool = False,
) -> Split:
    """Split the rows into training, validation and test, class by class.

    Every class is cut by `apportion`, so a class of three rows or more is in all parts and every class is in
    training. `official=True` takes the data set's own test rows and cuts the rest in the ratio of the first
    two fractions. `group_duplicates=True` keeps rows with equal inputs in one part (within the official
    parts, if both are asked for); the shares are then met as closely as the groups allow. Raises
    `ConfigError` for fractions that are not positive or do not add up to 1 and `DataError` for a data set
    without an official split.
    """
    _check_fractions(fractions)
    generator = np.random.default_rng(seed)
    cut = _cut_groups if group_duplicates else _cut_classes
    if not official:
        return _as_split(cut(dataset, np.arange(dataset.n_samples), fractions, generator))
    n_train = dataset.official_train_rows
    if n_train is None:
        raise DataError(f"data set '{dataset.name}' has no official split")
    whole = fractions[0] + fractions[1]
    head = (fractions[0] / whole, fractions[1] / whole, 0.0)
    parts = cut(dataset, np.arange(n_train), head, generator)
    return _as_split([parts[0], parts[1], np.arange(n_train, dataset.n_samples)])


def split_without_test(dataset: Dataset, *, seed: int | np.random.Generator, validation: float) -> Split:
    """Split the rows into training and validation, class by class as `split_dataset` does; the test part is empty.

    For callers that keep their test rows to themselves. A class of two rows or more is in both parts.

    Raises
    ------
    ConfigError : for a share of validation rows that is not between 0 and 1.
    DataError : no class has a second row that could be for validation.
    """
    if not 0 < validation < 1:
        raise ConfigError(f"validation share {validation:g}: expected a number between 0 and 1")
    fractions = (1 - validation, validation, 0.0)
    split = _as_split(_cut_classes(dataset, np.arange(dataset.n_samples), fractions, np.random.default_rng(seed)))
    if not len(split.validation):
        raise DataError(f"{dataset.name}: no class has two rows, so none is left for validation")
    return split


def apportion(n: int, fractions: Fractions) -> list[int]:
    """Cut n rows into whole parts by largest remainder, ties to the earlier part, then serve the empty parts.

    The first part gets at least one row of any, every other part with a positive fraction one as long as a
    part with more than one is left to take it from (the largest; the later of equals).

    >>> [apportion(n, (0.6, 0.2, 0.2)) for n in (1, 2, 3, 5, 10)]
    [[1, 0, 0], [1, 1, 0], [1, 1, 1], [3, 1, 1], [6, 2, 2]]
    """
    quotas = [n * fraction for fraction in fractions]
    counts = [int(quota + _DONE) for quota in quotas]
    by_remainder = sorted(range(len(counts)), key=lambda p: round(counts[p] - quotas[p], 9))
    for part in by_remainder[: n - sum(counts)]:
        counts[part] += 1
    for part, fraction in enumerate(fractions):
        donor = max(range(len(counts)), key=lambda p: (counts[p], p))
        if fraction > 0 and counts[part] == 0 and counts[donor] > (part != 0):
            counts[part] += 1
            counts[donor] -= 1
    return counts


def _check_fractions(fractions: Fractions) -> None:
    values = np.asarray(fractions, dtype=np.float64)
    if values.shape != (3,) or not (values > 0).all() or abs(values.sum() - 1) > _DONE:
        shown = " / ".join(f"{value:g}" for value in values.ravel())
        raise ConfigError(f"fractions {shown}: expected three positive numbers that add up to 1")


def _cut_classes(dataset: Dataset, rows: Rows, fractions: Fractions, generator: np.random.Generator) -> list[Rows]:
    parts: list[list[Rows]] = [[] for _ in fractions]
    for label in range(dataset.n_classes):
        members = generator.permutation(rows[dataset.y[rows] == label])
        ends = np.cumsum(apportion(len(members), fractions))
        for part, piece in zip(parts, np.split(members, ends[:-1]), strict=True):
            part.append(piece)
    return [np.concatenate(part) for part in parts]


def _cut_groups(dataset: Dataset, rows: Rows, fractions: Fractions, generator: np.random.Generator) -> list[Rows]:
    """Give each group of equal inputs, the largest first, to the part that lacks most rows of the group's classes.

    A group with a class that training does not have yet goes to training.
    """
    targets = np.array([apportion(int(n), fractions) for n in _class_counts(dataset, rows)]).T
    lacking = targets.astype(np.int64)
    in_training = np.zeros(dataset.n_classes, dtype=np.bool_)
    parts: list[list[Rows]] = [[] for _ in fractions]
    for group in _groups(dataset, rows, generator):
        counts = _class_counts(dataset, group)
        unseen = bool((~in_training & (counts > 0)).any())
        part = 0 if unseen else int(np.argmax(lacking @ counts))
        lacking[part] -= counts
        in_training |= (counts > 0) & (part == 0)
        parts[part].append(group)
    return [np.concatenate([np.empty(0, np.int64), *part]) for part in parts]


def _class_counts(dataset: Dataset, rows: Rows) -> Rows:
    return np.bincount(dataset.y[rows], minlength=dataset.n_classes).astype(np.int64)


def _groups(dataset: Dataset, rows: Rows, generator: np.random.Generator) -> list[Rows]:
    """Return the row numbers of equal inputs together, large groups first, equally large ones in random order."""
    _, group_of = np.unique(dataset.X[rows], axis=0, return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    starts = np.flatnonzero(np.diff(group_of[order])) + 1
    groups = np.split(rows[order], starts)
    shuffled = [groups[i] for i in generator.permutation(len(groups))]
    return sorted(shuffled, key=len, reverse=True)


def _as_split(parts: Sequence[Rows]) -> Split:
    ascending = [np.sort(part).astype(np.int64) for part in parts]
    for part in ascending:
        part.setflags(write=False)
    return Split(*ascending)
