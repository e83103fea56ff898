"""From a table to what a circuit sees: split, quantised with the training rows' ranges, majority class known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from printedmlp.dataset import Dataset, Quantiser, Split, split_dataset
from printedmlp.errors import ConfigError
from printedmlp.metrics import majority_class
from printedmlp.vectors import Vectors

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Prepared:
    """A table ready for training and measuring.

    Attributes
    ----------
    split : row indices of the parts.
    quantiser : fitted on the training rows only.
    majority_class : the most frequent class of the training rows.
    """

    dataset: Dataset
    split: Split
    quantiser: Quantiser
    majority_class: int

    def vectors(self, part: str) -> Vectors:
        """The rows of "train", "validation" or "test" as codes."""
        rows = self.split[PARTS.index(part)]
        codes = self.quantiser.transform(self.dataset.X[rows])
        return Vectors(codes, self.dataset.y[rows], self.dataset.n_classes, self.majority_class)

    def parts(self) -> Iterator[tuple[str, Vectors]]:
        """Every part that has rows, with its name."""
        return ((part, self.vectors(part)) for part, rows in zip(PARTS, self.split, strict=True) if len(rows))


def prepare(
    dataset: Dataset,
    *,
    seed: int,
    input_bits: int = 4,
    official_split: bool = False,
    group_duplicates: bool = False,
) -> Prepared:
    """Split a table and fit its quantiser.

    Raises
    ------
    ConfigError : a part is left without rows, as few groups of duplicates can do.
    """
    split = split_dataset(dataset, seed=seed, official=official_split, group_duplicates=group_duplicates)
    for part, rows in zip(PARTS, split, strict=True):
        if not len(rows):
            raise ConfigError(f"{dataset.name}: the split leaves no {part} rows; leave out group_duplicates")
    return prepared(dataset, split, input_bits)


def prepared(dataset: Dataset, split: Split, input_bits: int) -> Prepared:
    """A table that is split, with the quantiser fitted on its training rows."""
    quantiser = Quantiser.fit(dataset.X[split.train], input_bits, dataset.feature_names)
    return Prepared(dataset, split, quantiser, majority_class(dataset.y[split.train], dataset.n_classes))
