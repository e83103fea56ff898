"""The rows that a refined circuit has to answer, as words of bits: its care set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ModelError

Words = NDArray[np.uint64]
WORD = 64
NOISY_ROWS = 4000
"""Rows and noisy copies together that small tables are brought to."""


@dataclass(frozen=True)
class CareSet:
    """Rows packed 64 to a word.

    Attributes
    ----------
    inputs : (n_features * input_bits, W) uint64, values of every input bit.
    wanted : (n_outputs, W) uint64, bits of the right class.
    valid : (W,) uint64, which bits are rows.
    weights : (W,) int64, what a wrong row of the word counts.
    """

    inputs: Words
    wanted: Words
    valid: Words
    weights: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        codes: NDArray[np.integer],
        y: NDArray[np.integer],
        *,
        n_classes: int,
        input_bits: int,
        class_weights: Sequence[int] | None = None,
    ) -> CareSet:
        """Pack rows of codes (n_samples, n_features) with classes y (n_samples,).

        With class weights the rows of every class begin a word of their own.

        Raises
        ------
        ModelError : for no rows, a class that is none, or weights that do not fit the classes.
        """
        if not len(codes) or len(codes) != len(y):
            raise ModelError(f"a care set needs rows and a class for each, not {len(codes)} rows, {len(y)} classes")
        if not (y.min() >= 0 and y.max() < n_classes):
            raise ModelError(f"classes {y.min()}..{y.max()} are not all in 0..{n_classes - 1}")
        if class_weights is not None and (len(class_weights) != n_classes or min(class_weights) < 1):
            raise ModelError(f"class weights {list(class_weights)} must be {n_classes} positive integers")
        groups = [np.flatnonzero(y == c) for c in range(n_classes)] if class_weights else [np.arange(len(y))]
        places = [_to_words(group) for group in groups]
        weights = class_weights or (1,)
        order = np.concatenate(places)
        rows = np.maximum(order, 0)
        bits = [(codes[rows, j] >> b) & 1 for j in range(codes.shape[1]) for b in range(input_bits)]
        n_outputs = max(1, (n_classes - 1).bit_length())
        return cls(
            _packed(np.array(bits)),
            _packed(np.array([(y[rows] >> b) & 1 for b in range(n_outputs)])),
            _packed((order >= 0)[None, :])[0],
            np.repeat(np.array(weights, dtype=np.int64), [len(place) // WORD for place in places]),
        )

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(np.bitwise_count(self.valid).sum())

    @property
    def total_weight(self) -> int:
        """Weighted errors of a circuit that is always wrong."""
        return int((np.bitwise_count(self.valid).astype(np.int64) * self.weights).sum())


def _to_words(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Row numbers filled up with -1 to whole words."""
    return np.concatenate([rows, np.full(-len(rows) % WORD, -1, dtype=np.intp)])


def _packed(bits: NDArray[np.integer] | NDArray[np.bool_]) -> Words:
    """(n, 64 W) bits as (n, W) words, the first row in the lowest bit."""
    return np.packbits(bits.astype(bool), axis=1, bitorder="little").view(np.uint64)


def copies_for(n_rows: int, most: int, fewest: int) -> int:
    """Noisy copies of each row: as many as make up `NOISY_ROWS` rows in all, from `fewest` to `most`."""
    return min(most, max(fewest, NOISY_ROWS // n_rows - 1))


def jittered(
    codes: NDArray[np.uint8], y: NDArray[np.int64], copies: int, input_bits: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The rows and `copies` noisy ones of each: every code goes one step up or down in a quarter of the cases each.

    Measured values near a threshold fall on either side of it; a circuit that minds such a step has learnt noise.
    A step to a code that the feature never has in any row is left out: circuits need not care for it.
    """
    steps = rng.choice(np.array([-1, 0, 0, 1]), size=(copies, *codes.shape))
    noisy = np.clip(codes + steps, 0, (1 << input_bits) - 1)
    for j, column in enumerate(codes.T):
        noisy[:, :, j] = np.where(np.isin(noisy[:, :, j], column), noisy[:, :, j], column)
    return np.concatenate([codes, *noisy.astype(codes.dtype)]), np.tile(y, copies + 1)
