"""A float network in integers: fixed weights as canonical signed digits, nothing approximated on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from printedmlp.csd import constant_product
from printedmlp.float_mlp import FloatMLP, Matrix
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores

HiddenForm = Literal["full", "truncated"]
TRUNCATED_BITS = 8
"""Width of a hidden value in the "truncated" form."""


def quantise_network(
    network: FloatMLP,
    X_train: NDArray[np.integer],
    *,
    input_bits: int,
    weight_bits: int = 8,
    hidden_form: HiddenForm = "truncated",
) -> DiscreteMLP:
    """Round a float network to integers: weights symmetric per layer, biases on the sums' scale, signed scores.

    A layer's largest weight becomes 2^(weight_bits - 1) - 1. Hidden sums are rectified and, in the "full" form,
    kept to the last bit; in the "truncated" form the lowest bits are dropped until 8 hold the largest sum of the
    training rows, and sums beyond that clip.

    Parameters
    ----------
    X_train : (n_samples, n_features) codes in 0 .. 2^input_bits - 1; only the "truncated" form looks at them.

    Returns
    -------
    A classifier in which a class without training rows (bias -inf) never has the largest score.
    """
    model, scale, width = None, 1.0, input_bits
    layers: list[Layer] = []
    for weights, biases in zip(network.weights, network.biases, strict=True):
        if model is not None:
            activation = _hidden_activation(model, X_train, hidden_form)
            layers[-1] = replace(layers[-1], activation=activation)
            scale, width = scale / (1 << activation.lsb), activation.width
        factor = weight_factor(weights, weight_bits)
        scale *= factor
        layers.append(_integer_layer(weights * factor, biases * scale, width))
        model = DiscreteMLP(len(network.weights[0]), input_bits, tuple(layers))
    assert model is not None
    return _exclude(model, np.isneginf(network.biases[-1]))


def weight_factor(weights: Matrix, weight_bits: int) -> float:
    """What brings the largest weight to the end of a signed range of `weight_bits`; 1 if all are zero."""
    largest = float(np.abs(weights).max(initial=0.0))
    return ((1 << (weight_bits - 1)) - 1) / largest if largest > 0 else 1.0


def _integer_layer(weights: Matrix, biases: Matrix, width: int) -> Layer:
    neurons = []
    for column, bias in zip(np.rint(weights).astype(int).T, np.nan_to_num(biases, neginf=0.0), strict=True):
        terms = tuple(t for i, weight in enumerate(column) for t in constant_product(i, int(weight), width))
        neurons.append(Neuron(terms, round(float(bias))))
    return Layer(tuple(neurons), 0, Scores(signed=True))


def _hidden_activation(model: DiscreteMLP, X_train: NDArray[np.integer], form: HiddenForm) -> QReLU:
    if form == "full":
        largest = max(high for _, high in model.intervals()[-1].sums)
        return QReLU(0, max(largest, 1).bit_length() - 1)
    largest = int(model.sums(X_train)[-1].max(initial=1))
    msb = max(TRUNCATED_BITS, largest.bit_length()) - 1
    return QReLU(msb - TRUNCATED_BITS + 1, msb)


def _exclude(model: DiscreteMLP, absent: NDArray[np.bool_]) -> DiscreteMLP:
    if not absent.any():
        return model
    # Some class always reaches the highest of the lower bounds; one less than that can never win.
    floors = [low for (low, _), out in zip(model.intervals()[-1].outputs, absent, strict=True) if not out]
    never = Neuron((), max(floors) - 1)
    last = model.layers[-1]
    neurons = tuple(never if out else neuron for neuron, out in zip(last.neurons, absent, strict=True))
    return replace(model, layers=(*model.layers[:-1], replace(last, neurons=neurons)))
