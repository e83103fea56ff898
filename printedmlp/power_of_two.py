"""Nearly exact classifiers with one power-of-two weight a connection: where the genetic search starts from.

Afentaki, Hefenbrock, Zervakis, Tahoori, DATE 2024, put about a tenth of nearly exact solutions into the first
population. Here each is a trained float network, rounded, then repaired one weight at a time on the training rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from printedmlp.baseline import ExactBaseline
from printedmlp.float_mlp import FloatMLP, Matrix, accuracy
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP
from printedmlp.power_of_two_net import PowerOfTwoNet, compensated_rounding
from printedmlp.repair import Repair

SCALES_PER_OCTAVE = 4
OCTAVES = 8
POOL = 3
"""Networks rounded for each start wanted; only the best are repaired, which takes far longer."""
NOISE = 0.1
"""Spread of the relative change that makes further starts of one float network differ."""


def power_of_two_starts(
    baseline: ExactBaseline,
    layout: GenomeLayout,
    X_train: NDArray[np.integer],
    y_train: NDArray[np.integer],
    *,
    rng: np.random.Generator,
    n: int = 20,
    sweeps: int = 3,
    rows: int = 3000,
) -> list[DiscreteMLP]:
    """Nearly exact classifiers that `layout` can encode, most accurate on the training rows first.

    The baseline's restarts are rounded as they are and again with every weight changed a little at random; the `n`
    with the fewest wrong rows are repaired.

    Parameters
    ----------
    layout : of the search; its topology, activations, exponents and bias range are kept to.
    X_train : (n_samples, n_features) codes.
    y_train : (n_samples,) class indices.
    sweeps : passes of repair over all weights and biases (see `Repair`).
    rows : at most this many random training rows guide rounding and repair.
    """
    return starts_of_networks(baseline.restarts, layout, X_train, y_train, rng=rng, n=n, sweeps=sweeps, rows=rows)


def starts_of_networks(
    networks: Sequence[FloatMLP],
    layout: GenomeLayout,
    X_train: NDArray[np.integer],
    y_train: NDArray[np.integer],
    *,
    rng: np.random.Generator,
    n: int,
    sweeps: int = 3,
    rows: int = 3000,
) -> list[DiscreteMLP]:
    """As `power_of_two_starts`, from any float networks of the layout's topology."""
    X = np.asarray(X_train, dtype=np.float64)
    sample = rng.permutation(len(X))[:rows]
    with threadpool_limits(1):
        repairs = [
            Repair(round_network(network, layout, X[sample], y_train[sample]), X[sample], y_train[sample])
            for network in _networks(networks, n * POOL, rng)
        ]
        repairs = sorted(repairs, key=lambda repair: repair.wrong)[:n]
        for repair in repairs:
            repair.run(sweeps, rng)
    models = [repair.net.to_model() for repair in repairs]
    return sorted(models, key=lambda model: -accuracy(model.predict(X_train), y_train))


def _networks(given: Sequence[FloatMLP], n: int, rng: np.random.Generator) -> Iterator[FloatMLP]:
    for number in range(n):
        network = given[number % len(given)]
        if number >= len(given):
            noise = (1 + NOISE * rng.standard_normal(weights.shape) for weights in network.weights)
            network = replace(network, weights=tuple(w * f for w, f in zip(network.weights, noise, strict=True)))
        yield network


def round_network(network: FloatMLP, layout: GenomeLayout, X: Matrix, y: NDArray[np.integer]) -> PowerOfTwoNet:
    """Round to powers of two, layer by layer, with the scales that keep most of the function.

    A hidden neuron may have a scale of its own, since max(cS, 0) = c max(S, 0): the one whose activation follows
    the float neuron's best on the rows X (n_samples, n_features) is taken and undone in the next layer. The output
    layer's common scale is the one that gets most rows right.
    """
    net = PowerOfTwoNet(layout, [], [])
    values, floats, gains = X, network.hidden(X), np.ones(X.shape[1])
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        # The next sums stay what they were on average, whatever rounding did to the values that enter them.
        offsets = biases + (floats[layer] - values * gains).mean(axis=0) @ weights
        weights = weights * gains[:, None]
        if layer == len(network.weights) - 1:
            _round_outputs(net, values, y, weights, offsets)
            break
        columns = [
            _hidden_neuron(net, layer, values, column, offset, wanted)
            for column, offset, wanted in zip(weights.T, offsets, floats[layer + 1].T, strict=True)
        ]
        net.weights.append(np.array([c[0] for c in columns]).T)
        net.biases.append(np.array([c[1] for c in columns]))
        gains = np.array([c[2] for c in columns])
        values = net.activate(layer, net.sums(layer, values))
    return net


def _hidden_neuron(
    net: PowerOfTwoNet, layer: int, values: Matrix, weights: Matrix, bias: float, wanted: Matrix
) -> tuple[Matrix, float, float]:
    """Rounded weights and bias of one neuron, and the gain from its activation to the float neuron's."""
    best = (-1.0, np.zeros(len(weights)), 0.0, 0.0)
    scales = _scales(weights, net.layout.max_exponent)
    candidates = compensated_rounding(weights[:, None] * scales, values, net.layout.max_exponent).T
    for scale, rounded in zip(scales, candidates, strict=True):
        offset = _bias_genes(net, layer, bias * scale + values.mean(axis=0) @ (weights * scale - rounded))
        activation = net.activate(layer, values @ rounded + offset * net.bias_unit(layer))
        correlation, gain = _fit(activation, wanted)
        if correlation > best[0]:
            best = (correlation, rounded, float(offset), gain)
    return best[1], best[2], best[3]


def _round_outputs(
    net: PowerOfTwoNet, values: Matrix, y: NDArray[np.integer], weights: Matrix, biases: Matrix
) -> None:
    layer, most = len(net.weights), -1
    absent = np.isneginf(biases)
    net.weights.append(np.zeros_like(weights))
    net.biases.append(_bias_genes(net, layer, np.where(absent, -np.inf, 0.0)))
    chosen = (net.weights[-1], net.biases[-1])
    for scale in _scales(weights, net.layout.max_exponent):
        net.weights[-1] = compensated_rounding(weights * scale, values, net.layout.max_exponent)
        offsets = biases * scale + values.mean(axis=0) @ (weights * scale - net.weights[-1])
        net.biases[-1] = _bias_genes(net, layer, offsets + _lift(values @ net.weights[-1] + offsets))
        right = int(np.sum(np.argmax(net.activate(layer, net.sums(layer, values)), axis=1) == y))
        if right > most:
            most, chosen = right, (net.weights[-1], net.biases[-1])
    net.weights[-1], net.biases[-1] = chosen


def _lift(sums: Matrix) -> float:
    # Negative scores are cut to zero, so the winner of nearly every row has to be raised above it.
    return max(0.0, -float(np.quantile(sums.max(axis=1), 0.001)))


def _scales(weights: Matrix, max_exponent: int) -> Matrix:
    largest = float(np.abs(weights).max(initial=0.0))
    if largest == 0.0:
        return np.zeros(0)
    return np.exp2(max_exponent - np.arange(OCTAVES * SCALES_PER_OCTAVE) / SCALES_PER_OCTAVE) / largest


def _bias_genes(net: PowerOfTwoNet, layer: int, offsets: Matrix | float) -> Matrix:
    return np.clip(np.rint(np.asarray(offsets) / net.bias_unit(layer)), *net.layout.bias_range)


def _fit(activation: Matrix, wanted: Matrix) -> tuple[float, float]:
    """Correlation of two columns and the gain of the least-squares line from the first to the second."""
    a, b = activation - activation.mean(), wanted - wanted.mean()
    power, reference = float(a @ a), float(b @ b)
    if power == 0.0 or reference == 0.0:
        return -1.0, 0.0
    return float(a @ b) / np.sqrt(power * reference), float(a @ b) / power
