"""Experiments on KANs and MLPs of like sizes: tables, a formula, and digits whose classes arrive three at a time.

Same data, optimiser and epochs for all. Scores are those of the last epoch; only the spline range of the formula is
chosen, on validation points.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ellipkinc
from sklearn.datasets import load_breast_cancer, load_wine
from torch import Tensor, nn

from printedmlp.reference.datasets import Samples, digits, stratified
from printedmlp.reference.kan import KANConfig
from printedmlp.reference.kan_or_mlp import SplineConfig, SplineMLP, average_accuracy, backward_transfer, fixed_kan
from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.outcome import Context
from printedmlp.reference.training import (
    Settings,
    Tensors,
    accuracy,
    built,
    cross_entropy,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
)

RANGES = (1.0, 2.0, 4.0)
TASKS = ((0, 1, 2), (3, 4, 5), (6, 7, 8))
KINDS = {"gelu": "GELU", "relu": "ReLU"}
TABLES = {"digits": 1e-3, "breast cancer": 1e-2, "wine": 1e-2}
"""Learning rate of each table."""


@dataclass(frozen=True)
class Design:
    """A family of networks at one size, for any inputs, outputs and spline range."""

    family: str
    width: int
    grid: int = 5
    activation: str = "gelu"

    @property
    def name(self) -> str:
        """For tables."""
        grid = "" if self.family == "MLP" else f" G={self.grid}"
        kind = f"{KINDS[self.activation]} MLP" if self.family == "MLP" else self.family
        return f"{kind} {self.width}{grid}"

    def make(self, n_in: int, n_out: int, reach: float) -> nn.Module:
        """A fresh network with splines on -reach .. reach."""
        widths = (n_in, self.width, n_out)
        if self.family == "MLP":
            return MLP(Config(n_in, n_out, (self.width,), self.activation))
        if self.family == "KAN":
            return fixed_kan(KANConfig(widths, grid=self.grid, low=-reach, high=reach, noise=0.1))
        splines = SplineConfig(grid=self.grid, low=-reach, high=reach)
        return SplineMLP(widths, splines, first=self.family == "spline-first MLP")


MLP32, KAN4, SPLINE32 = Design("MLP", 32), Design("KAN", 4), Design("spline MLP", 32)
SWEEP = {
    "MLP": tuple(Design("MLP", width) for width in (8, 16, 32, 64, 128)),
    "spline MLP": tuple(Design("spline MLP", width) for width in (8, 16, 32, 64)),
    "KAN": tuple(Design("KAN", width) for width in (1, 2, 4, 8, 16)),
}
PAIRED = (MLP32, SPLINE32, KAN4)
CONTINUAL = (*PAIRED, Design("KAN", 8))
FORMULA = (
    Design("KAN", 5, 20),
    Design("MLP", 100),
    Design("MLP", 100, activation="relu"),
    Design("spline MLP", 15, 20),
    Design("spline-first MLP", 12, 20),
)


@dataclass(frozen=True)
class Score:
    """One design over the seeds."""

    values: tuple[float, ...]
    parameters: int
    seconds: float

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)


@dataclass(frozen=True)
class Forgetting:
    """One design over the seeds: accuracies (T, T) a seed, task i after training on t."""

    histories: tuple[Tensor, ...]
    parameters: int
    seconds: float

    @property
    def transfers(self) -> tuple[float, ...]:
        """Backward transfer."""
        return tuple(backward_transfer(history) for history in self.histories)

    @property
    def averages(self) -> tuple[float, ...]:
        """Average accuracy at the end."""
        return tuple(average_accuracy(history) for history in self.histories)


def table(name: str) -> Samples:
    """One of TABLES."""
    if name == "digits":
        return digits()
    bunch = load_breast_cancer() if name == "breast cancer" else load_wine()
    return Samples(bunch.data.astype(np.float32), bunch.target.astype(np.int64))


def split(samples: Samples, seed: int) -> tuple[Tensors, Tensors]:
    """Training and test rows, 70 to 30, inputs standardised by the training rows."""
    train, test = stratified(samples.y, (0.7, 0.3), seed)
    x = torch.from_numpy(samples.x)  # (n, F)
    mean, std = x[train].mean(0), x[train].std(0)  # (F,) each
    x = (x - mean) / torch.where(std > 0, std, 1.0)
    y = torch.from_numpy(samples.y)  # (n,)
    return Tensors(x[train], y[train]), Tensors(x[test], y[test])


def classified(design: Design, name: str, epochs: int, context: Context) -> Score:
    """Test accuracy after the last epoch."""
    samples, values, started = table(name), [], time.perf_counter()
    classes = int(samples.y.max()) + 1
    for seed in context.seeds:
        train, test = split(samples, seed)
        model = built(lambda: design.make(train.x.shape[1], classes, 4.0), seed)  # noqa: B023
        fit(
            model,
            cross_entropy(),
            train,
            None,
            Settings(epochs, 64, TABLES[name], device=context.device),
            seed=seed,
        )
        values.append(accuracy(model, test))
    seconds = (time.perf_counter() - started) / len(values)
    return Score(tuple(values), parameter_count(model), seconds)


def elliptic(n: int, seed: int) -> Tensors:
    """Uniform points of the unit square and the incomplete elliptic integral of the first kind: (n, 2), (n, 1)."""
    points = np.random.default_rng(seed).uniform(size=(n, 2))
    values = ellipkinc(points[:, :1], points[:, 1:])
    return Tensors(torch.from_numpy(points).float(), torch.from_numpy(values).float())


def absolute_error(model: nn.Module, data: Tensors) -> float:
    """Mean absolute error, the paper's figure for formulas."""
    return float((outputs(model, data.x).cpu() - data.y).abs().mean())


def fitted(design: Design, epochs: int, context: Context) -> Score:
    """Test error on the formula, at the spline range with the least mean error on validation points."""
    tried: list[tuple[float, list[float], int, float]] = []
    for reach in RANGES[:1] if design.family == "MLP" else RANGES:
        validation, test, started = [], [], time.perf_counter()
        for seed in context.seeds:
            model = built(lambda: design.make(2, 1, reach), seed)  # noqa: B023
            recipe = Settings(epochs, 128, 1e-3, device=context.device)
            fit(model, mean_squared_error, elliptic(1000, 1000 + seed), None, recipe, seed=seed)
            validation.append(absolute_error(model, elliptic(1000, 2000 + seed)))
            test.append(absolute_error(model, elliptic(1000, 3000 + seed)))
        seconds = (time.perf_counter() - started) / len(test)
        tried.append((statistics.fmean(validation), test, parameter_count(model), seconds))
    _, values, parameters, seconds = min(tried)
    return Score(tuple(values), parameters, seconds)


def in_turn(design: Design, epochs: int, context: Context) -> Forgetting:
    """Three digits after three others with one head of nine outputs and no replay."""
    histories, started = [], time.perf_counter()
    for seed in context.seeds:
        train, test = split(digits(), seed)
        model = built(lambda: design.make(64, 9, 4.0), seed)
        history = torch.zeros(len(TASKS), len(TASKS))
        recipe = Settings(epochs, 64, 1e-3, device=context.device)
        for stage, task in enumerate(TASKS):
            fit(model, cross_entropy(), _of(train, task), None, recipe, seed=seed)
            history[stage] = torch.tensor([accuracy(model, _of(test, other)) for other in TASKS])
        histories.append(history)
    seconds = (time.perf_counter() - started) / len(histories)
    return Forgetting(tuple(histories), parameter_count(model), seconds)


def _of(data: Tensors, classes: Sequence[int]) -> Tensors:
    return data.rows(torch.isin(data.y, torch.tensor(classes)))
