"""What a traffic forecast is compared with: rules without training, linear maps, and a residual CNN.

The network of convolutions has three branches of residual blocks whose answers are added with a weight for every
value, in the size class of J. Zhang, Y. Zheng, D. Qi, "Deep Spatio-Temporal Residual Networks for Citywide Crowd
Flows Prediction", AAAI 2017, arXiv:1610.00081. Left out of it: weather and holidays, its depth, tanh at its end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.traffic import CHANNELS, SIDE, Floats, Task

PENALTIES = tuple(10.0**power for power in range(-4, 7))


class Forecast(NamedTuple):
    """Test rows (rows, V) in the series' own units, and trained numbers behind them."""

    values: Floats
    parameters: int = 0


def at_lag(task: Task, lag: int) -> Forecast:
    """The value that many steps before."""
    return Forecast(task.series.values[task.test_steps - lag])


def last_value(task: Task) -> Forecast:
    """The newest of the inputs."""
    return at_lag(task, min(min(each) for each in task.lags))


def historical_average(task: Task) -> Forecast:
    """Mean of the same time in earlier periods, as many as there are up to the series' `periods`."""
    series = task.series
    means = [
        series.values[step - series.period :: -series.period][: series.periods].mean(axis=0)
        for step in task.test_steps
    ]
    return Forecast(np.array(means))


def own_past(task: Task) -> Forecast:
    """Least squares from a place's own inputs, the same weights for all places."""
    x, y = task.train.x, task.train.y

    def rows(inputs: Tensor) -> Tensor:
        columns = inputs.double().transpose(1, 2).reshape(-1, inputs.shape[1])  # (rows V, T)
        return functional.pad(columns, (0, 1), value=1.0)  # (rows V, T + 1)

    weights = torch.linalg.lstsq(rows(x), y.double().reshape(-1, 1)).solution  # (T + 1, 1)
    answers = (rows(task.test.x) @ weights).reshape(task.test.y.shape)
    return Forecast(task.own_units(answers), len(weights))


def ridge(task: Task) -> Forecast:
    """Least squares from the inputs of all places with a penalty on the weights, chosen on the validation rows."""
    x, y, centre = (each.double() for each in (task.train.x.flatten(1), task.train.y, task.train.y.mean(dim=0)))
    middle = x.mean(dim=0)
    U, sizes, Vh = torch.linalg.svd(x - middle, full_matrices=False)
    turned = U.T @ (y - centre)  # (r, V)

    def answers(inputs: Tensor, penalty: float) -> Tensor:
        shrunk = (sizes / (sizes.square() + penalty))[:, None] * turned  # (r, V)
        found: Tensor = (inputs.flatten(1).double() - middle) @ Vh.T @ shrunk + centre  # (rows, V)
        return found

    def validated(penalty: float) -> float:
        return float((answers(task.validation.x, penalty) - task.validation.y).square().mean())

    best = min(PENALTIES, key=validated)
    return Forecast(task.own_units(answers(task.test.x, best)), (x.shape[1] + 1) * y.shape[1])


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, X: Tensor) -> Tensor:
        """(B, width, H, W) to the same."""
        added: Tensor = self.second(functional.relu(self.first(functional.relu(X))))
        return X + added


class ResidualCNN(nn.Module):
    """A branch an interval: convolution, residual blocks, convolution; the branches weighted value by value."""

    def __init__(self, lengths: tuple[int, ...], width: int = 32, blocks: int = 2) -> None:
        super().__init__()
        self.lengths = lengths
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(CHANNELS * length, width, 3, padding=1),
                *(ResidualBlock(width) for _ in range(blocks)),
                nn.ReLU(),
                nn.Conv2d(width, CHANNELS, 3, padding=1),
            )
            for length in lengths
        )
        self.weights = nn.Parameter(torch.full((len(lengths), CHANNELS, SIDE, SIDE), 1 / len(lengths)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, 2 * 8 * 8) to (B, 2 * 8 * 8)."""
        parts = [part.reshape(len(x), -1, SIDE, SIDE) for part in x.split(self.lengths, dim=1)]  # (B, 2 l, 8, 8)
        maps = [branch(part) for branch, part in zip(self.branches, parts, strict=True)]  # (B, 2, 8, 8) each
        return (torch.stack(maps, dim=1) * self.weights).sum(dim=1).flatten(1)  # (B, 128)
