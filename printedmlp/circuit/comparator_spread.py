"""Accuracy of a circuit whose comparators sit beside their thresholds.

What is assumed: a measured value lies anywhere within the step that its code stands for, the codes alone being
known; every printed comparator is off by a normal error of its own, the same for all rows; and a code is the number
of comparators that the value reaches, so an error moves it where comparators have changed places, too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.netlist import Netlist
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology


def moved_codes(
    values: NDArray[np.float64], input_bits: int, sigma_steps: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Codes (n, n_features) that one print's comparators make of values in steps: code c is from c to c + 1.

    Parameters
    ----------
    values : (n, n_features) from 0 to 2^input_bits.
    sigma_steps : standard deviation of a comparator's error, in steps of the code.
    """
    levels = np.arange(1, 1 << input_bits)
    errors = rng.normal(0.0, sigma_steps, size=(values.shape[1], len(levels)))
    codes = np.empty(values.shape, dtype=np.uint8)
    for feature, error in enumerate(errors):
        codes[:, feature] = np.searchsorted(np.sort(levels + error), values[:, feature], side="right")
    return codes


def accuracy_under_spread(
    netlist: Netlist,
    technology: Technology,
    codes: NDArray[np.uint8],
    y: NDArray[np.int64],
    *,
    input_bits: int,
    sigma_steps: float,
    prints: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(prints,) accuracy of so many prints on the rows.

    Raises ConfigError for a spread that is negative or no number, or less than one print.
    """
    if not 0 <= sigma_steps < np.inf or prints < 1:
        raise ConfigError(f"{prints} prints with comparators off by {sigma_steps} steps: at least 1, by 0 or more")
    values = codes + rng.random(codes.shape)
    found = np.empty(prints)
    for k in range(prints):
        moved = moved_codes(values, input_bits, sigma_steps, rng)
        signals = simulate(netlist, technology, input_bits_of(moved, input_bits), len(y))
        found[k] = np.mean(classes(netlist, signals, len(y)) == y)
    return found
