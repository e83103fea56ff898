"""Prices of a circuit's inputs in its evolution: comparators, of which a feature's first one costs more.

They are three arrays: price and power by net (first, 2) float64; the feature of every net (first,) int64, -1 for
constants; and what a feature's first input costs more (1,) float64. All are empty where inputs are free.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import inlined_lean

Arrays = tuple[NDArray[Any], ...]

FREE: Arrays = (np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0))
"""Prices of inputs that cost nothing."""


@inlined_lean
def price_of(n: int, readers: int, work: Arrays) -> Any:
    """What an input adds to the area if it is read from now on (1), or saves if it is no longer (-1)."""
    _, _, _, _, _, prices, features, first_price, features_read = work
    if n >= features.shape[0] or features[n] < 0:
        return 0.0
    before = features_read[features[n]]
    features_read[features[n]] = before + readers
    alone = before + min(readers, 0) == 0
    return readers * (prices[n, 0] + (first_price[0] if alone else 0.0))
