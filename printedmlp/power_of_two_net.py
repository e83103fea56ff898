"""A one-term-per-connection classifier as arrays, open to change while it is rounded and repaired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from printedmlp.float_mlp import Matrix
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term

DAMPING = 0.01
"""Share of the mean input variance that is added to every input, so that the feedback stays small."""


@dataclass
class PowerOfTwoNet:
    """Weights 0 or +-2^k and bias genes as float64 arrays (integers, exact), open to change.

    Attributes
    ----------
    weights : per layer (n_inputs, n_neurons).
    biases : per layer (n_neurons,), still to be shifted left by the layout's bias shift.
    """

    layout: GenomeLayout
    weights: list[Matrix]
    biases: list[Matrix]

    def bias_unit(self, layer: int) -> float:
        """What one step of a bias gene adds to the sum."""
        return float(1 << self.layout.bias_shifts[layer])

    def sums(self, layer: int, values: Matrix) -> Matrix:
        """S of every neuron of a layer, (n_samples, n_neurons), for its inputs."""
        return np.asarray(values @ self.weights[layer] + self.biases[layer] * self.bias_unit(layer))

    def activate(self, layer: int, sums: Matrix) -> Matrix:
        """QReLU of a hidden layer; max(S, 0) of the output layer unless the layout has signed scores."""
        if layer < len(self.layout.activations):
            window = self.layout.activations[layer]
            return np.floor(np.clip(sums, 0.0, (1 << (window.msb + 1)) - 1) / (1 << window.lsb))
        return sums if self.layout.signed_scores else np.maximum(sums, 0.0)

    def to_model(self) -> DiscreteMLP:
        """The classifier: full masks, no term where the weight is zero."""
        activations: tuple[QReLU | Scores, ...] = (*self.layout.activations, Scores(self.layout.signed_scores))
        layers = (
            Layer(_neurons(weights, biases, width), shift, activation)
            for weights, biases, width, shift, activation in zip(
                self.weights,
                self.biases,
                self.layout.input_widths,
                self.layout.bias_shifts,
                activations,
                strict=True,
            )
        )
        return DiscreteMLP(self.layout.topology[0], self.layout.input_bits, tuple(layers))


def nearest_power(values: Matrix, max_exponent: int) -> Matrix:
    """The nearest of 0 and +-2^k with k in 0 .. max_exponent; a value halfway goes to the larger magnitude."""
    size = np.abs(values)
    # 2^k is nearest from 3/4 of it up to 3/2.
    exponents = np.clip(np.floor(np.log2(np.maximum(size, 0.5) / 0.75)), 0, max_exponent)
    return np.where(size < 0.5, 0.0, np.copysign(np.exp2(exponents), values))


def compensated_rounding(weights: Matrix, values: Matrix, max_exponent: int) -> Matrix:
    """Round one input's weights after the other and let the inputs not yet rounded make up for the error.

    The order is by largest weight, since a power of two misses large weights most. This is optimal brain
    quantisation with a fixed order (Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ", ICLR 2023, section 3).

    Parameters
    ----------
    weights : (n_inputs, n_columns), already scaled.
    values : (n_samples, n_inputs), the inputs that the sums should stay the same on, up to a constant.

    Returns
    -------
    (n_inputs, n_columns) of 0 and +-2^k.
    """
    order = np.argsort(-np.abs(weights).max(axis=1, initial=0.0), kind="stable")
    centred = (values - values.mean(axis=0))[:, order]
    gram = centred.T @ centred / len(values)
    gram += np.eye(len(gram)) * (DAMPING * np.trace(gram) / len(gram) + np.finfo(float).eps)
    feedback = np.linalg.cholesky(np.linalg.inv(gram)).T
    left, rounded = weights[order], np.zeros_like(weights)
    for position, index in enumerate(order):
        rounded[index] = nearest_power(left[position], max_exponent)
        error = (left[position] - rounded[index]) / feedback[position, position]
        left[position + 1 :] -= feedback[position, position + 1 :, None] * error
    return rounded


def _neurons(weights: Matrix, biases: Matrix, width: int) -> tuple[Neuron, ...]:
    mask = (1 << width) - 1
    neurons = []
    for column, bias in zip(weights.T, biases, strict=True):
        live = [(i, int(weight)) for i, weight in enumerate(column) if weight]
        terms = (Term(i, 1 if w > 0 else -1, mask, abs(w).bit_length() - 1) for i, w in live)
        neurons.append(Neuron(tuple(terms), int(bias)))
    return tuple(neurons)
