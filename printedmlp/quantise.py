"""The quantiser: the user's units to the unsigned codes a circuit is fed with.

The thresholds are the definition. A flash converter in front of the circuit compares each input with them,
and `transform` counts the same comparisons, so software and hardware agree on every value, on a threshold
too.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ConfigError, DataError
from printedmlp.names import quoted

FORMAT = "printedmlp.Quantiser"
VERSION = 1
MOST_BITS = 8


@dataclass(frozen=True, eq=False)
class Quantiser:
    """Equal-width bins between the least and the greatest training value of each feature.

    Code >= j exactly if x >= low + j * (high - low) / 2^input_bits, for j = 1 .. 2^input_bits - 1. Values
    outside the training range get the first or the last code. A feature that is constant in training (low ==
    high) has the thresholds +inf, hence code 0 for every value. `low` and `high` are (n_features,) float64,
    finite, read-only.
    """

    input_bits: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    feature_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Validate and lock the ranges; raises `ConfigError` for the width and `DataError` for a feature."""
        _check_bits(self.input_bits)
        low, high = (np.array(values, dtype=np.float64) for values in (self.low, self.high))
        names = tuple(self.feature_names)
        if not low.shape == high.shape == (len(names),):
            raise DataError(f"quantiser: {low.size} low and {high.size} high values for {len(names)} features")
        for name, least, greatest in zip(names, low.tolist(), high.tolist(), strict=True):
            if not (least <= greatest and math.isfinite((greatest - least) * 2**self.input_bits)):
                found = f"low {least!r}, high {greatest!r}"
                raise DataError(f"quantiser, feature {quoted(name)}: {found} is not a finite range")
        for attribute, value in (("low", low), ("high", high), ("feature_names", names)):
            object.__setattr__(self, attribute, value)
        low.setflags(write=False)
        high.setflags(write=False)

    @classmethod
    def fit(cls, X_train: ArrayLike, input_bits: int, feature_names: Sequence[str]) -> Self:
        """Take the ranges of the training rows, X_train : (n_samples, n_features), all finite, n_samples >= 1."""
        X = _as_matrix(X_train, feature_names)
        if not len(X):
            raise DataError("quantiser: no training rows to take the ranges from")
        _refuse(~np.isfinite(X), X, feature_names, "is not a finite number")
        return cls(input_bits, X.min(axis=0), X.max(axis=0), tuple(feature_names))

    def thresholds(self) -> NDArray[np.float64]:
        """Return (n_features, 2^input_bits - 1) float64 in the user's units, ascending; +inf where constant."""
        steps = np.arange(1, 2**self.input_bits)
        span = (self.high - self.low)[:, None]
        table = self.low[:, None] + steps * span / 2**self.input_bits
        return np.where(span > 0, table, np.inf)

    def transform(self, X: ArrayLike) -> NDArray[np.uint8]:
        """Count the thresholds <= x: (n_samples, n_features) numbers to uint8 codes 0 .. 2^input_bits - 1.

        Infinities are clipped like any value outside the training range; NaN is a `DataError`.
        """
        values = _as_matrix(X, self.feature_names)
        _refuse(np.isnan(values), values, self.feature_names, "has no code")
        codes = np.empty(values.shape, dtype=np.uint8)
        for feature, row in enumerate(self.thresholds()):
            real = row[np.isfinite(row)]
            codes[:, feature] = np.searchsorted(real, values[:, feature], side="right")
        return codes

    def values_inside(self, codes: Sequence[int]) -> list[float]:
        """A value of each feature, in the user's units, that has the given code; NaN where no value has it.

        It is the middle of the code's interval. A feature that is constant in training has code 0 only.
        """
        step = (self.high - self.low) / 2**self.input_bits
        middles = self.low + (np.asarray(codes) + 0.5) * step
        reached = self.transform(middles[None, :])[0] == np.asarray(codes)
        return [float(value) for value in np.where(reached, middles, np.nan)]

    def to_json(self) -> dict[str, Any]:
        """Return plain data for json.dumps, one entry a feature; the thresholds of a constant feature are empty."""
        features = [
            {"name": name, "low": low, "high": high, "thresholds": [t for t in row if math.isfinite(t)]}
            for name, low, high, row in zip(
                self.feature_names, self.low.tolist(), self.high.tolist(), self.thresholds().tolist(), strict=True
            )
        ]
        return {"format": FORMAT, "version": VERSION, "input_bits": self.input_bits, "features": features}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Read what `to_json` wrote; raises `DataError` naming the field that is wrong.

        The thresholds must be those of low and high: a file edited by hand must not mean two things.
        """
        document = _mapping(data, "quantiser")
        for key, expected in (("format", FORMAT), ("version", VERSION)):
            if document.get(key) != expected:
                raise DataError(f"quantiser: {key} is {document.get(key)!r}, expected {expected!r}")
        bits = document.get("input_bits")
        if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= MOST_BITS:
            raise DataError(f"quantiser: input_bits is {bits!r}, expected 1 to {MOST_BITS}")
        features = document.get("features")
        if not isinstance(features, list) or not features:
            raise DataError("quantiser: features is not a list with at least one entry")
        entries = [_mapping(entry, f"quantiser: features[{i}]") for i, entry in enumerate(features)]
        low, high = (
            np.array([_number(entry, key, i) for i, entry in enumerate(entries)]) for key in ("low", "high")
        )
        quantiser = cls(bits, low, high, tuple(_name(entry, i) for i, entry in enumerate(entries)))
        for i, (entry, derived) in enumerate(zip(entries, quantiser.to_json()["features"], strict=True)):
            if entry.get("thresholds") != derived["thresholds"]:
                raise DataError(f"quantiser: features[{i}].thresholds are not those of its low and high")
        return quantiser


def _check_bits(input_bits: int) -> None:
    if not 1 <= input_bits <= MOST_BITS:
        raise ConfigError(f"input_bits={input_bits}: expected 1 to {MOST_BITS}")


def _as_matrix(X: ArrayLike, names: Sequence[str]) -> NDArray[np.float64]:
    values = np.asarray(X, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise DataError(f"quantiser: X has shape {values.shape}, expected (n_samples, {len(names)})")
    return values


def _refuse(bad: NDArray[np.bool_], X: NDArray[np.float64], names: Sequence[str], why: str) -> None:
    if bad.any():
        row, feature = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"quantiser: sample {row}, feature {quoted(names[feature])}: {X[row, feature]} {why}")


def _mapping(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise DataError(f"{where} is not a JSON object")
    return data


def _number(entry: Mapping[str, Any], key: str, index: int) -> float:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise DataError(f"quantiser: features[{index}].{key} is {value!r}, expected a finite number")
    return float(value)


def _name(entry: Mapping[str, Any], index: int) -> str:
    name = entry.get("name")
    if not isinstance(name, str):
        raise DataError(f"quantiser: features[{index}].name is {name!r}, expected a text")
    return name
