"""Repair of a rounded classifier: one weight or bias after the other, kept when no more rows are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from printedmlp.float_mlp import Matrix
from printedmlp.power_of_two_net import PowerOfTwoNet

BIAS_STEPS = (-16, -4, -1, 1, 4, 16)


class Repair:
    """Coordinate descent on the number of wrong rows; changes its net in place.

    Only what follows a changed weight is computed anew: one sum, one activation and the sums of the next layer.

    Parameters
    ----------
    net : the classifier to repair.
    X : (n_samples, n_features) codes as float64.
    y : (n_samples,) class indices.
    """

    def __init__(self, net: PowerOfTwoNet, X: Matrix, y: NDArray[np.integer]) -> None:
        self.net, self._y = net, y
        self._inputs = [X]
        self._sums: list[Matrix] = []
        self._forward(0, X)
        self.wrong = self._count(self._sums[-1])
        """Rows that the net gets wrong now."""

    def run(self, sweeps: int, rng: np.random.Generator) -> int:
        """Visit every weight and bias `sweeps` times in random order, or until a sweep changes nothing.

        The neurons of classes that no row has stay as they are.

        Returns
        -------
        Number of wrong rows; never more than before.
        """
        places = [
            (layer, i, j)
            for layer, weights in enumerate(self.net.weights)
            for i in range(len(weights) + 1)
            for j in (range(weights.shape[1]) if layer < len(self.net.weights) - 1 else np.unique(self._y))
        ]
        for _ in range(sweeps):
            changes = [self._visit(*places[place]) for place in rng.permutation(len(places))]
            if not any(changes):
                break
        return self.wrong

    def _visit(self, layer: int, i: int, j: int) -> bool:
        """Try other values of one weight, or of a bias when i is one past the last input."""
        weights, biases = self.net.weights[layer], self.net.biases[layer]
        is_bias = i == len(weights)
        target, key = (biases, j) if is_bias else (weights, (i, j))
        per_unit = self.net.bias_unit(layer) if is_bias else self._inputs[layer][:, i]
        changed = False
        for value in self._neighbours(float(target[key]), is_bias):
            column = self._sums[layer][:, j] + (value - target[key]) * per_unit
            if self._accept(layer, j, column):
                target[key] = value
                changed = True
        return changed

    def _neighbours(self, value: float, is_bias: bool) -> list[float]:
        low, high = self.net.layout.bias_range
        if is_bias:
            return [value + step for step in BIAS_STEPS if low <= value + step <= high]
        top = float(1 << self.net.layout.max_exponent)
        if value == 0.0:
            return [sign * size for size in (1.0, 4.0, 16.0) for sign in (1, -1) if size <= top]
        return [0.0, -value, *(v for v in (2 * value, value / 2) if 1.0 <= abs(v) <= top)]

    def _accept(self, layer: int, j: int, column: Matrix) -> bool:
        """Take a neuron's new sums, (n_samples,), unless more rows get wrong or nothing at all would change."""
        if layer == len(self._sums) - 1:
            sums = self._sums[layer].copy()
            sums[:, j] = column
            return self._keep(layer, sums)
        activation = self.net.activate(layer, column)
        step = activation - self._inputs[layer + 1][:, j]
        if not step.any():
            return False
        following = self._sums[layer + 1] + step[:, None] * self.net.weights[layer + 1][j]
        if not self._keep(layer + 1, following):
            return False
        self._sums[layer][:, j] = column
        self._inputs[layer + 1][:, j] = activation
        return True

    def _keep(self, layer: int, sums: Matrix) -> bool:
        last = sums
        for deeper in range(layer + 1, len(self.net.weights)):
            last = self.net.sums(deeper, self.net.activate(deeper - 1, last))
        wrong = self._count(last)
        if wrong > self.wrong:
            return False
        self.wrong = wrong
        self._forward_from(layer, sums)
        return True

    def _forward_from(self, layer: int, sums: Matrix) -> None:
        del self._sums[layer:], self._inputs[layer + 1 :]
        self._sums.append(sums)
        if layer + 1 < len(self.net.weights):
            self._forward(layer + 1, self.net.activate(layer, sums))

    def _forward(self, layer: int, values: Matrix) -> None:
        if layer:
            self._inputs.append(values)
        self._sums.append(self.net.sums(layer, values))
        if layer + 1 < len(self.net.weights):
            self._forward(layer + 1, self.net.activate(layer, self._sums[layer]))

    def _count(self, sums: Matrix) -> int:
        scores = self.net.activate(len(self.net.weights) - 1, sums)
        return int(np.sum(np.argmax(scores, axis=1) != self._y))
