"""What is applied to a circuit: every row of the data, corners of the input space, and random codes.

A vector is one unsigned code per feature. The circuit sees it as one word, feature 0 in the least significant bits.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ModelError

EXHAUSTIVE_BITS = 14
"""Input words of at most this many bits are all applied, instead of a random selection."""

Codes = NDArray[np.uint16]


@dataclass(frozen=True)
class Stimulus:
    """Vectors in the order in which they are applied: data, corners, then random ones or all there are.

    Attributes
    ----------
    codes : (n, n_features) uint16.
    input_bits : bits of each code.
    n_data, n_corners : how many of the vectors come first, and second.
    exhaustive : the rest is the whole input space; otherwise it is random.
    seed : of the random vectors.
    """

    codes: Codes
    input_bits: int
    n_data: int
    n_corners: int
    exhaustive: bool
    seed: int

    def __len__(self) -> int:
        return len(self.codes)

    def to_json(self) -> dict[str, object]:
        """The counts by origin, and the hash of the words."""
        return {
            "data": self.n_data,
            "corners": self.n_corners,
            "exhaustive" if self.exhaustive else "random": len(self) - self.n_data - self.n_corners,
            "seed": self.seed,
            "total": len(self),
            "sha256": hashlib.sha256(words_text(self).encode()).hexdigest(),
        }


def stimulus(X: ArrayLike, input_bits: int, *, n_random: int = 10_000, seed: int = 0) -> Stimulus:
    """The vectors that a circuit is checked on.

    Parameters
    ----------
    X : (n_samples, n_features) integers in 0 .. 2^input_bits - 1; n_samples may be 0.
    input_bits : bits of each code, 1 to 16.
    n_random : random vectors; when the word has at most EXHAUSTIVE_BITS bits every word is applied instead.
    seed : of the random vectors; the same seed gives the same vectors.

    Raises
    ------
    ModelError : for another shape, for no vector at all, or naming row, column and value of a code out of range.
    """
    data = _checked_codes(X, input_bits)
    n_features = data.shape[1]
    exhaustive = n_features * input_bits <= EXHAUSTIVE_BITS
    corners = corner_vectors(n_features, input_bits)
    generator = np.random.default_rng(seed)
    rest = (
        all_vectors(n_features, input_bits)
        if exhaustive
        else generator.integers(0, 1 << input_bits, size=(n_random, n_features), dtype=np.uint16)
    )
    codes = np.concatenate([data, corners, rest])
    return Stimulus(codes, input_bits, len(data), len(corners), exhaustive, seed)


def corner_vectors(n_features: int, input_bits: int) -> Codes:
    """Vectors at the edges of the input space, (n, n_features).

    All zero; all at the maximum; the word's bits alternating, both ways; every feature alone at the maximum; every
    feature alone at zero; every bit of the word alone set, and alone clear.
    """
    n_bits = n_features * input_bits
    alternating = np.arange(n_bits) % 2 == np.array([[0], [1]])
    one_feature = np.repeat(np.eye(n_features, dtype=bool), input_bits, axis=1)
    one_bit = np.eye(n_bits, dtype=bool)
    constant = np.array([[False], [True]]).repeat(n_bits, axis=1)
    return _codes_of(
        np.concatenate([constant, alternating, one_feature, ~one_feature, one_bit, ~one_bit]), input_bits
    )


def all_vectors(n_features: int, input_bits: int) -> Codes:
    """Every vector there is, (2^(n_features * input_bits), n_features), the word counting up."""
    n_bits = n_features * input_bits
    words = np.arange(1 << n_bits)
    return _codes_of((words[:, None] >> np.arange(n_bits) & 1).astype(bool), input_bits)


def words_text(vectors: Stimulus) -> str:
    """The vectors as text, one hexadecimal word a line, the same bytes for the same vectors."""
    bits = (vectors.codes[:, :, None] >> np.arange(vectors.input_bits) & 1).astype(np.uint8)
    flat = bits.reshape(len(vectors), -1)
    packed = np.packbits(flat, axis=1, bitorder="little")[:, ::-1]
    return "".join(row.tobytes().hex() + "\n" for row in packed)


def _codes_of(bits: NDArray[np.bool_], input_bits: int) -> Codes:
    grouped = bits.reshape(len(bits), -1, input_bits).astype(np.uint16)
    return np.asarray((grouped << np.arange(input_bits, dtype=np.uint16)).sum(axis=2), dtype=np.uint16)


def _checked_codes(X: ArrayLike, input_bits: int) -> Codes:
    if not 1 <= input_bits <= 16:
        raise ModelError(f"input_bits must be in 1..16, not {input_bits}")
    values = np.asarray(X)
    if values.ndim != 2 or values.shape[1] < 1 or values.dtype.kind not in "uib":
        raise ModelError(f"vectors must be (n_samples, n_features) integers, not {values.dtype} {values.shape}")
    bad = np.argwhere((values < 0) | (values >= 1 << input_bits))
    if len(bad):
        row, column = bad[0]
        raise ModelError(f"vector {row}, feature {column}: {values[row, column]} is not in 0..{2**input_bits - 1}")
    return values.astype(np.uint16)
