"""Input vectors that show what a classifier's nets do: random ones, and ones that drive its sums to their ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.simulate import pack_bits
from printedmlp.model import DiscreteMLP, input_coefficients

NOISE = (0.01, 0.05, 0.15, 0.5, 1.5)
"""Spread of the noise, against the largest weight, that keeps vectors in one direction apart."""


def stimuli(model: DiscreteMLP, n_vectors: int) -> list[int]:
    """Signals of the input bits (see `printedmlp.circuit.simulate`), the same for the same classifier.

    Half of the vectors are uniform. For the others a random mixture of the first layer's sums, many with a weight
    of 0, is made large: an input bit is 1 where its weight in the mixture, plus noise, is positive.
    """
    rng = np.random.default_rng(0)
    weights = first_layer_weights(model)
    half = n_vectors // 2
    mixtures = rng.normal(size=(half, len(weights))) * rng.integers(0, 2, (half, len(weights)))
    directions = mixtures @ (weights / np.maximum(np.abs(weights).sum(axis=1, keepdims=True), 1))
    directions /= np.maximum(np.abs(directions).max(axis=1, keepdims=True), 1e-9)
    noise = rng.normal(size=directions.shape) * rng.choice(NOISE, (half, 1))
    uniform = rng.random((n_vectors - half, directions.shape[1])) < 0.5
    bits = np.concatenate([uniform, directions + noise > 0])
    return [pack_bits(column.astype(np.uint8)) for column in bits.T]


def first_layer_weights(model: DiscreteMLP) -> NDArray[np.float64]:
    """Weight of every input bit in every sum of the first layer, (n_neurons, n_features * input_bits)."""
    size = model.n_features, model.input_bits
    return np.array([input_coefficients(n, *size) for n in model.layers[0].neurons], float).reshape(
        -1, size[0] * size[1]
    )
