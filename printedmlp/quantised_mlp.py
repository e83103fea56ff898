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
LARGEST_BIAS_BITS = 58
BIAS_BITS = 30
"""Magnitude bits of a neuron's bias before the layer's bias shift."""


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
        biases = np.nan_to_num(biases, neginf=0.0)
        factor = _weight_factor(weights, biases * scale, weight_bits)
        scale *= factor
        layers.append(_integer_layer(weights * factor, biases * scale, width))
        model = DiscreteMLP(len(network.weights[0]), input_bits, tuple(layers))
    assert model is not None
    return _exclude(model, np.isneginf(network.biases[-1]))


def _weight_factor(weights: Matrix, biases: Matrix, weight_bits: int) -> float:
    """What brings the largest weight to the end of a signed range, unless that takes a bias out of all bounds."""
    largest, bias = np.abs(weights).max(initial=0.0), np.abs(biases).max()
    factors = [((1 << (weight_bits - 1)) - 1) / largest] if largest > 0 else [1.0]
    # Weights starved to almost nothing would otherwise blow the biases up beyond any width.
    return float(min(factors + ([2.0**LARGEST_BIAS_BITS / bias] if bias > 0 else [])))


def _integer_layer(weights: Matrix, biases: Matrix, width: int) -> Layer:
    whole = [round(float(bias)) for bias in biases]
    shift = max(0, max(abs(bias).bit_length() for bias in whole) - BIAS_BITS)
    neurons = []
    for column, bias in zip(np.rint(weights).astype(int).T, whole, strict=True):
        terms = tuple(t for i, weight in enumerate(column) for t in constant_product(i, int(weight), width))
        neurons.append(Neuron(terms, bias >> shift))
    return Layer(tuple(neurons), shift, Scores(signed=True))


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
    last = model.layers[-1]
    never = Neuron((), (max(floors) - 1) >> last.bias_shift)
    neurons = tuple(never if out else neuron for neuron, out in zip(last.neurons, absent, strict=True))
    return replace(model, layers=(*model.layers[:-1], replace(last, neurons=neurons)))
