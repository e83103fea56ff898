"""Experiments on Kolmogorov-Arnold networks: a formula learned grid after grid, peaks in turn, a sparse network.

Everything is float64 and trained by L-BFGS on all rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from printedmlp.reference.kan import KAN, KANConfig, pruned, sparsity
from printedmlp.reference.kan_formula import Snap, formula_of
from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.training import (
    LBFGS_ITERATIONS,
    Loss,
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
    seeded,
)

FORMULA = "exp(sin(pi x) + y^2)"
HIDDEN: tuple[tuple[int, ...], ...] = ((64,), (32, 32), (64, 64))
PENALTY, THRESHOLD = 1e-2, 1e-2
GRID_UPDATES = 10
WIDE = torch.float64


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiments; iterations are L-BFGS iterations."""

    samples: int = 1000
    grids: tuple[int, ...] = (3, 5, 10, 20, 50, 100)
    iterations: int = 200
    mlp_iterations: int = 1200
    phase_iterations: int = 100
    restarts: int = 6
    sparse_iterations: int = 300


FULL = Plan()
QUICK = Plan(200, (3, 10, 20), 50, 200, 30, 1, 100)


@dataclass
class Staircase:
    """One network refined grid after grid."""

    grids: tuple[int, ...]
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass
class Reading:
    """A pruned network and its edges as functions."""

    kept: int
    validation: float
    model: KAN
    edges: list[Snap] = field(default_factory=list)
    test: float = float("nan")
    formula_test: float = float("nan")


def target(x: Tensor) -> Tensor:
    """FORMULA: (B, 2) -> (B, 1)."""
    return torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:].square())


def peaks(x: Tensor) -> Tensor:
    """Five Gaussian peaks: (B, 1) -> (B, 1)."""
    centres = torch.linspace(-0.8, 0.8, 5, dtype=x.dtype)  # (5,)
    return torch.exp(-300 * (x - centres).square()).sum(1, keepdim=True)


def drawn(n: int, seed: int) -> Tensors:
    """Uniform points of the square and their values."""
    x = torch.rand(n, 2, generator=seeded(seed), dtype=WIDE) * 2 - 1  # (n, 2)
    return Tensors(x, target(x))


def rmse(model: nn.Module, data: Tensors) -> float:
    """Root of the mean squared error."""
    return float((outputs(model, data.x) - data.y).square().mean().sqrt())


def perceptron(inputs: int, hidden: tuple[int, ...], activation: str, seed: int) -> nn.Module:
    """Plain float64 network with one output."""
    return built(lambda: MLP(Config(inputs, 1, hidden, activation)).double(), seed)


def minimise(
    model: nn.Module,
    data: Tensors,
    iterations: int,
    loss: Loss = mean_squared_error,
    after_step: Callable[[int], None] | None = None,
) -> None:
    """L-BFGS on all rows; what comes out last is kept."""
    recipe = Settings(iterations // LBFGS_ITERATIONS, batch_size=0, learning_rate=1.0, optimiser="lbfgs")
    fit(model, loss, data, None, recipe, seed=0, after_step=after_step)


def minimise_kan(
    model: KAN,
    data: Tensors,
    iterations: int,
    loss: Loss = mean_squared_error,
    after_step: Callable[[int], None] | None = None,
) -> None:
    """The same, the grids following the samples ten times, five iterations apart, before the rest."""
    for _ in range(GRID_UPDATES):
        model.follow_samples(data.x)
        minimise(model, data, 5, loss, after_step)
    minimise(model, data, iterations - 5 * GRID_UPDATES, loss, after_step)


def staircase(plan: Plan, seed: int) -> Staircase:
    """Train [2, 5, 1] on the coarsest grid, then refine and train on."""
    train, test = drawn(plan.samples, 100 + seed), drawn(plan.samples, 200 + seed)
    model = KAN(KANConfig((2, 5, 1), grid=plan.grids[0]), generator=seeded(seed), dtype=WIDE)
    result = Staircase(plan.grids)

    def note_error(_: int) -> None:
        result.curve.append(rmse(model, test))

    for grid in plan.grids:
        started = time.perf_counter()
        if grid > plan.grids[0]:
            model.refine(train.x, grid)
        minimise_kan(model, train, plan.iterations, after_step=note_error)
        result.train.append(rmse(model, train))
        result.test.append(rmse(model, test))
        result.parameters.append(parameter_count(model))
        result.seconds.append(time.perf_counter() - started)
    return result


def baseline(plan: Plan, hidden: tuple[int, ...], seed: int) -> tuple[float, int, float]:
    """Test error, parameters and seconds of a SiLU network on the same points."""
    started = time.perf_counter()
    model = perceptron(2, hidden, "silu", seed)
    minimise(model, drawn(plan.samples, 100 + seed), plan.mlp_iterations)
    test = rmse(model, drawn(plan.samples, 200 + seed))
    return test, parameter_count(model), time.perf_counter() - started


def one_peak_at_a_time(model: nn.Module, iterations: int) -> list[float]:
    """Train on a fifth of the interval after the other; error on all fifths seen so far after each."""
    errors = []
    x = torch.linspace(-1, 1, 501, dtype=WIDE)[:-1, None]  # (500, 1)
    for phase in range(5):
        part = x[100 * phase : 100 * (phase + 1)]  # (100, 1)
        minimise(model, Tensors(part, peaks(part)), iterations)
        seen = x[: 100 * (phase + 1)] + 0.002  # (100 (phase + 1), 1), between the points trained on
        errors.append(rmse(model, Tensors(seen, peaks(seen))))
    return errors


def local_kan(seed: int) -> KAN:
    """One spline without a base function, its scale fixed: 203 coefficients."""
    config = KANConfig((1, 1), grid=200, base="zero", noise=0.1, low=-1.0, high=1.01)
    model = KAN(config, generator=seeded(seed), dtype=WIDE)
    for weight in (model.layers[0].spline_weight, model.layers[0].base_weight):
        weight.requires_grad_(False)
    return model


def sparse_loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Squared error and the paper's penalty on magnitude and entropy of the edges."""
    assert isinstance(model, KAN)
    edges = model.edges(x)  # (B, n_in, n_out) each
    return (edges[-1].sum(1) - y).square().mean() + PENALTY * sparsity(edges, magnitude=1.0, entropy=10.0)


def read(plan: Plan, seed: int) -> Reading:
    """Train for sparsity, prune, refine to ten intervals and train without the penalty."""
    train = drawn(plan.samples, 100)
    model = KAN(KANConfig((2, 5, 1), grid=5), generator=seeded(seed), dtype=WIDE)
    minimise_kan(model, train, plan.sparse_iterations, sparse_loss)
    smaller = pruned(model, train.x, THRESHOLD)
    kept = smaller.config.widths[1]
    if kept:
        smaller.refine(train.x, 10)
        minimise_kan(smaller, train, plan.iterations)
    return Reading(kept, rmse(smaller, drawn(plan.samples, 300)), smaller)


def best_reading(plan: Plan, readings: Sequence[Reading]) -> Reading:
    """Fewest hidden nodes, then least error on validation points; its edges as functions, the formula retrained."""
    best = min((r for r in readings if r.kept), key=lambda r: (r.kept, r.validation), default=readings[0])
    train, test = drawn(plan.samples, 100), drawn(plan.samples, 200)
    best.test = rmse(best.model, test)
    formula, best.edges = formula_of(best.model, train.x)
    minimise(formula, train, plan.iterations)
    best.formula_test = rmse(formula, test)
    return best
