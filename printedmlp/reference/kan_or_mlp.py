"""KAN or MLP: A Fairer Comparison (Yu, Yu, Wang; arXiv 2407.16674).

Kolmogorov-Arnold networks and MLPs compared at equal numbers of parameters or of floating-point operations, by
closed formulas for both (section 3 of the paper). Its reading: what KANs gain on formulas comes from the B-spline
as activation, so an MLP with one learnable spline a neuron,

    y = S(W x + b),   S_j(z_j) = sum_m c_jm B_m,k(z_j),

does as well; and KANs forget more when classes arrive in turn. Here: the formulas, the B-spline MLP, the KAN in the
start the paper used (fixed grid, a bias a node), and average accuracy and backward transfer over a run of tasks.

The paper's formulas charge one parameter an edge more than a KAN trains, and a spline to the output layer of the
B-spline MLP; a count of the trained numbers is given beside them in the study.

Left out: text and audio models, batch normalisation, choice of the best epoch by test score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from printedmlp.reference.kan import KANConfig, KANLayer, bspline_basis, extended, fit_coefficients

FLOPS = {
    "zero": 0,
    "identity": 0,
    "relu": 1,
    "square_relu": 2,
    "sigmoid": 4,
    "silu": 5,
    "tanh": 6,
    "gelu": 14,
}
"""Operations of one value of a function, as the paper counts them."""


@dataclass(frozen=True)
class Cost:
    """Trained numbers, and floating-point operations of one sample, by the paper's formulas."""

    parameters: int
    flops: int


def mlp_cost(widths: Sequence[int], activation: str) -> Cost:
    """Of an MLP; the output layer is charged an activation too."""
    pairs = list(pairwise(widths))
    return Cost(
        sum(m * (n + 1) for n, m in pairs),
        sum(2 * n * m + FLOPS[activation] * m for n, m in pairs),
    )


def kan_cost(widths: Sequence[int], grid: int, order: int, base: str) -> Cost:
    """Of a KAN with a bias a node; `base` is the function beside the spline, "zero" for none."""
    parameters = flops = 0
    with_base = base != "zero"
    for n, m in pairwise(widths):
        parameters += n * m * (grid + order + 2 + with_base) + m
        flops += n * m * (_spline_flops(grid, order) + 1) + with_base * (FLOPS[base] * n + 2 * n * m)
    return Cost(parameters, flops)


def spline_mlp_cost(widths: Sequence[int], grid: int, order: int, *, first: bool = False) -> Cost:
    """Of a B-spline MLP, the splines behind each linear layer or, if `first`, before it."""
    parameters = flops = 0
    for n, m in pairwise(widths):
        splines = n if first else m
        parameters += m * (n + 1) + splines * (grid + order)
        flops += 2 * n * m + splines * (_spline_flops(grid, order) - 1)
    return Cost(parameters, flops)


def _spline_flops(grid: int, order: int) -> int:
    """Evaluation of one spline: 9 k (G + 3 k / 2) + 2 G - 5 k / 2, whole for every order k."""
    return 9 * order * grid + 2 * grid + order * (27 * order - 5) // 2


@dataclass(frozen=True)
class SplineConfig:
    """Splines of the activations: G intervals of order k on low .. high, started as noise of height noise / G."""

    grid: int = 5
    order: int = 3
    low: float = -4.0
    high: float = 4.0
    noise: float = 0.1


class SplineActivation(nn.Module):
    """One learnable spline a neuron; zero outside its knots."""

    knots: Tensor

    def __init__(self, width: int, config: SplineConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.order = config.order
        inner = torch.linspace(config.low, config.high, config.grid + 1)  # (G + 1,)
        self.register_buffer("knots", extended(inner[None], config.order))  # (1, G + 1 + 2 k)
        noise = (torch.rand(config.grid + 1, 1, width, generator=generator) - 0.5) * config.noise / config.grid
        places = torch.linspace(config.low, config.high, config.grid + 2)[:-1, None]  # (G + 1, 1)
        coefficients = fit_coefficients(places, noise, self.knots, config.order)[0]  # (width, G + k)
        self.coefficients = nn.Parameter(coefficients)

    def forward(self, z: Tensor) -> Tensor:
        """S_j(z_j): (B, width) -> (B, width)."""
        basis = bspline_basis(z.flatten()[:, None], self.knots, self.order)  # (B width, 1, G + k)
        return (basis.view(*z.shape, -1) * self.coefficients).sum(-1)


class SplineMLP(nn.Module):
    """Linear layers with a learnable spline a neuron behind each hidden one, or before every one if `first`."""

    def __init__(self, widths: Sequence[int], config: SplineConfig, *, first: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, (n, m) in enumerate(pairwise(widths)):
            if first or number:
                layers.append(SplineActivation(n, config))
            layers.append(nn.Linear(n, m))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, widths[0]) -> (B, widths[-1])."""
        logits: Tensor = self.layers(x)
        return logits


class FixedKANLayer(KANLayer):
    """A layer as the paper compared it: weight 1 on every spline, noise on the base weights, a bias a node."""

    def __init__(self, n_in: int, n_out: int, config: KANConfig) -> None:
        super().__init__(n_in, n_out, config)
        base = n_in**-0.5 + 0.1 * (2 * torch.randn(n_in, n_out) - 1)  # (n_in, n_out)
        self.base_weight = nn.Parameter(base, requires_grad=config.base != "zero")
        self.spline_weight = nn.Parameter(torch.ones(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_in) -> (B, n_out)."""
        return super().forward(x) + self.bias


def fixed_kan(config: KANConfig) -> nn.Sequential:
    """A KAN whose grids never move: (B, widths[0]) -> (B, widths[-1])."""
    return nn.Sequential(*(FixedKANLayer(n, m, config) for n, m in pairwise(config.widths)))


def average_accuracy(history: Tensor) -> float:
    """Mean accuracy of all tasks after the last one.

    history : (T, T) holds R[t, i], accuracy on task i after training on task t.
    """
    return float(history[-1].mean())


def backward_transfer(history: Tensor, *, with_last: bool = False) -> float:
    """Mean over earlier tasks i of R[T, i] - R[i, i]: negative is forgetting.

    `with_last` divides by T as the authors' code does, the last task adding 0.
    """
    lost = history[-1] - history.diagonal()  # (T,)
    return float((lost if with_last else lost[:-1]).mean())


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """B-spline MLP of standardised rows: (B, F) -> (B, C) logits."""
    return SplineMLP((n_features, 32, n_classes), SplineConfig())
