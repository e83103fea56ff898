"""Edges of a Kolmogorov-Arnold network as named functions (Liu et al., arXiv 2404.19756, section 2.5).

An edge that learned phi(x) is replaced by c f(a x + b) + d: a and b from a search over a grid that is narrowed
around its best point, c and d by linear regression, f by the coefficient of determination R^2. The affine numbers
of the resulting formula are then trained again.

Left out: interactive choice of functions, and expanding the formula by computer algebra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from printedmlp.reference.kan import KAN

LIBRARY: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda x: x,
    "x^2": torch.square,
    "exp": torch.exp,
    "sin": torch.sin,
    "x^3": lambda x: x**3,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "1/x": torch.reciprocal,
}
"""Functions an edge may become, simplest first."""
TOLERANCE = 1e-3
"""A simpler function is preferred if its R^2 is at most this much below the best one: a slow sine can imitate any
parabola, so the largest R^2 alone would name too many edges "sin"."""
POINTS, ROUNDS, REACH = 81, 4, 10.0


@dataclass(frozen=True)
class Snap:
    """One edge as c f(a x + b) + d, with the share R^2 of the edge's variance that it explains."""

    name: str
    a: float
    b: float
    c: float
    d: float
    r2: float


def _regress(basis: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Slope, offset and R^2 of y (B,) on each column of basis (B, P); columns that are not finite get R^2 = -1."""
    centred = basis - basis.mean(0)  # (B, P)
    target = y - y.mean()  # (B,)
    variance = centred.square().sum(0)  # (P,)
    slope = (centred * target[:, None]).sum(0) / variance.clamp_min(1e-300)  # (P,)
    offset = y.mean() - slope * basis.mean(0)  # (P,)
    r2 = slope.square() * variance / target.square().sum()  # (P,)
    usable = torch.isfinite(basis).all(0) & torch.isfinite(r2) & (variance > 1e-20 * len(y))  # (P,)
    return slope, offset, torch.where(usable, r2, -1.0)


@torch.no_grad()
def snap(x: Tensor, y: Tensor, name: str) -> Snap:
    """Best c f(a x + b) + d through samples x, y (B,) for the named function f; a and b start in -10..10."""
    function = LIBRARY[name]
    centre, reach = (0.0, 0.0), REACH
    best = Snap(name, 0.0, 0.0, 0.0, float(y.mean()), -1.0)
    for _ in range(ROUNDS):
        a, b = (torch.linspace(c - reach, c + reach, POINTS, dtype=x.dtype) for c in centre)
        for scale in a:
            slope, offset, r2 = _regress(function(scale * x[:, None] + b), y)  # (POINTS,) each
            top = int(r2.argmax())
            if r2[top] > best.r2:
                best = Snap(name, float(scale), *(float(v[top]) for v in (b, slope, offset, r2)))
        centre, reach = (best.a, best.b), reach / 10
    return best


def choose(x: Tensor, y: Tensor) -> Snap:
    """The simplest function of the library whose R^2 is within TOLERANCE of the best; x, y : (B,)."""
    snaps = [snap(x, y, name) for name in LIBRARY]
    enough = max(found.r2 for found in snaps) - TOLERANCE
    return next(found for found in snaps if found.r2 >= enough)


class Formula(nn.Module):
    """A network whose edges are named functions; only a, b, c and d of every edge are trained."""

    def __init__(self, layers: Sequence[Sequence[Sequence[Snap]]]) -> None:
        """layers : per layer one row an input, one Snap an output."""
        super().__init__()
        self.names = [[[edge.name for edge in row] for row in layer] for layer in layers]
        self.affine = nn.ParameterList(
            torch.tensor([[[e.a, e.b, e.c, e.d] for e in row] for row in layer], dtype=torch.float64)
            for layer in layers
        )  # (n_in, n_out, 4) each

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_inputs) -> (B, n_outputs)."""
        for names, affine in zip(self.names, self.affine, strict=True):
            a, b, c, d = affine.unbind(-1)  # (n_in, n_out) each
            inner = a * x.unsqueeze(-1) + b  # (B, n_in, n_out)
            rows = [
                torch.stack([LIBRARY[name](inner[:, i, j]) for j, name in enumerate(row)], dim=1)
                for i, row in enumerate(names)
            ]  # (B, n_out) each
            x = (c * torch.stack(rows, dim=1) + d).sum(1)  # (B, n_out)
        return x


@torch.no_grad()
def formula_of(model: KAN, x: Tensor) -> tuple[Formula, list[Snap]]:
    """Every edge of the network snapped on samples x (B, n_in): the formula and its edges, layer after layer."""
    inputs = [x]
    for layer in model.layers:
        inputs.append(layer(inputs[-1]))  # (B, n_out)
    layers = [
        [[choose(before[:, i], values[:, i, j]) for j in range(values.shape[2])] for i in range(values.shape[1])]
        for (before, _), values in zip(pairwise(inputs), model.edges(x), strict=True)
    ]
    return Formula(layers), [edge for layer in layers for row in layer for edge in row]
