"""KAN: Kolmogorov-Arnold Networks (Liu, Wang, Vaidya, Ruehle, Halverson, Soljacic, Hou, Tegmark; ICLR 2025,
arXiv 2404.19756).

A layer is a matrix of learnable functions of one variable; a node only adds what its edges deliver:

    y_j = sum_i phi_ij(x_i)                                               (layer)
    phi(x) = w_b b(x) + w_s sum_m c_m B_m,k(x),   b = SiLU                (edge)

B_m,k are B-splines of order k on G intervals. Built here beside the layer: grids that follow the samples, grid
extension (section 2.4 of the paper), the sparsity penalty and pruning of nodes, and snapping of edges to formulas
(section 2.5; `kan_formula`).

Left out: multiplication nodes and attribution scores of the successor paper, the per-node affine of the authors'
package, physics-informed losses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

BASES: dict[str, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "identity": lambda x: x,
    "zero": torch.zeros_like,
}
GRID_MARGIN = 0.01
"""Share of the samples' range added to both ends: splines are zero at the right end of the last interval."""


@dataclass(frozen=True)
class KANConfig:
    """Shape and start of a network.

    Attributes
    ----------
    widths : nodes of each layer, inputs first.
    grid : intervals G of every spline.
    order : polynomial order k.
    low, high : ends of the first, uniform grid.
    base : name of b(x) in BASES.
    noise : the splines start as noise of this height over G.
    """

    widths: tuple[int, ...]
    grid: int = 3
    order: int = 3
    low: float = -1.0
    high: float = 1.0
    base: str = "silu"
    noise: float = 0.3


def extended(inner: Tensor, order: int) -> Tensor:
    """Knots with `order` steps of mean width added on both sides: (n, G + 1) -> (n, G + 1 + 2 order)."""
    step = (inner[:, -1:] - inner[:, :1]) / (inner.shape[1] - 1)  # (n, 1)
    count = torch.arange(1, order + 1, dtype=inner.dtype, device=inner.device)  # (order,)
    return torch.cat([inner[:, :1] - step * count.flip(0), inner, inner[:, -1:] + step * count], dim=1)


def bspline_basis(x: Tensor, knots: Tensor, order: int) -> Tensor:
    """Values of all basis functions by the recursion of Cox and de Boor.

    x : (B, n); knots : (n, G + 1 + 2 order), increasing. Returns (B, n, G + order); zero outside the knots.
    """
    x = x.unsqueeze(-1)  # (B, n, 1)
    basis = ((x >= knots[:, :-1]) & (x < knots[:, 1:])).to(x.dtype)  # (B, n, G + 2 order)
    for p in range(1, order + 1):
        rising = (x - knots[:, : -p - 1]) / (knots[:, p:-1] - knots[:, : -p - 1])  # (B, n, G + 2 order - p)
        falling = (knots[:, p + 1 :] - x) / (knots[:, p + 1 :] - knots[:, 1:-p])  # (B, n, G + 2 order - p)
        basis = rising * basis[..., :-1] + falling * basis[..., 1:]  # (B, n, G + 2 order - p)
    return basis


def fit_coefficients(x: Tensor, y: Tensor, knots: Tensor, order: int) -> Tensor:
    """Least-squares splines through samples: x (B, n), y (B, n, m) -> coefficients (n, m, G + order).

    In float64 by singular values, because an interval without samples makes the basis rank-deficient.
    """
    basis = bspline_basis(x.double(), knots.double(), order).transpose(0, 1)  # (n, B, G + order)
    target = y.double().transpose(0, 1)  # (n, B, m)
    solution: Tensor = torch.linalg.lstsq(basis.cpu(), target.cpu(), driver="gelsd").solution  # (n, G + order, m)
    return solution.transpose(1, 2).to(y)  # (n, m, G + order)


def sample_knots(x: Tensor, grid: int, order: int, uniform_share: float = 0.02) -> Tensor:
    """Knots that follow the samples x (B, n): mostly their quantiles, with a share of the uniform grid."""
    x = x.sort(dim=0).values  # (B, n)
    margin = (GRID_MARGIN * (x[-1] - x[0])).clamp_min(1e-3)  # (n,)
    x = torch.cat([(x[0] - margin)[None], x, (x[-1] + margin)[None]])  # (B + 2, n)
    place = torch.arange(grid + 1, device=x.device) * (len(x) - 1) // grid  # (G + 1,)
    share = torch.linspace(0, 1, grid + 1, dtype=x.dtype, device=x.device)[:, None]  # (G + 1, 1)
    uniform = x[0] + (x[-1] - x[0]) * share  # (G + 1, n)
    return extended((uniform_share * uniform + (1 - uniform_share) * x[place]).T, order)


class KANLayer(nn.Module):
    """Edges from n_in inputs to n_out nodes."""

    knots: Tensor
    mask: Tensor

    def __init__(
        self,
        n_in: int,
        n_out: int,
        config: KANConfig,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.order, self.base = config.order, config.base
        inner = torch.linspace(config.low, config.high, config.grid + 1, dtype=dtype)  # (G + 1,)
        self.register_buffer("knots", extended(inner.repeat(n_in, 1), config.order))
        self.register_buffer("mask", torch.ones(n_in, n_out, dtype=dtype))
        noise = torch.rand(config.grid + 1, n_in, n_out, generator=generator, dtype=dtype) - 0.5
        start = torch.linspace(config.low, config.high, config.grid + 2, dtype=dtype)[:-1]  # (G + 1,)
        heights = noise * config.noise / config.grid  # (G + 1, n_in, n_out)
        coefficients = fit_coefficients(start[:, None].repeat(1, n_in), heights, self.knots, config.order)
        self.coefficients = nn.Parameter(coefficients)  # (n_in, n_out, G + k)
        base = (2 * torch.rand(n_in, n_out, generator=generator, dtype=dtype) - 1) / n_in**0.5
        self.base_weight = nn.Parameter(base)  # (n_in, n_out)
        self.spline_weight = nn.Parameter(torch.full_like(base, n_in**-0.5))  # (n_in, n_out)

    @property
    def grid(self) -> int:
        """Intervals of every spline."""
        return self.knots.shape[1] - 1 - 2 * self.order

    def splines(self, x: Tensor) -> Tensor:
        """Spline of every edge without its weight: (B, n_in) -> (B, n_in, n_out)."""
        return torch.einsum("bik,iok->bio", bspline_basis(x, self.knots, self.order), self.coefficients)

    def edges(self, x: Tensor) -> Tensor:
        """phi_ij(x_i): (B, n_in) -> (B, n_in, n_out)."""
        base = BASES[self.base](x).unsqueeze(-1) * self.base_weight  # (B, n_in, n_out)
        return (base + self.spline_weight * self.splines(x)) * self.mask

    def forward(self, x: Tensor) -> Tensor:
        """Sum of the edges into each node, as two matrix products: (B, n_in) -> (B, n_out)."""
        weights = self.coefficients * (self.spline_weight * self.mask).unsqueeze(-1)  # (n_in, n_out, G + k)
        basis = bspline_basis(x, self.knots, self.order).flatten(1)  # (B, n_in (G + k))
        spline = basis @ weights.transpose(1, 2).flatten(0, 1)  # (B, n_out)
        if self.base == "zero":
            return spline
        return spline + BASES[self.base](x) @ (self.base_weight * self.mask)

    @torch.no_grad()
    def move_knots(self, x: Tensor, knots: Tensor) -> None:
        """Take other knots and refit the splines on samples x (B, n_in) so that the function stays."""
        values = self.splines(x)  # (B, n_in, n_out)
        self.knots = knots
        self.coefficients = nn.Parameter(fit_coefficients(x, values, knots, self.order))

    @torch.no_grad()
    def refine(self, x: Tensor, grid: int) -> None:
        """Grid extension: G' intervals that divide the present ones, splines refitted on x (B, n_in)."""
        inner = self.knots[:, self.order : self.knots.shape[1] - self.order]  # (n_in, G + 1)
        place = torch.linspace(0, self.grid, grid + 1, dtype=x.dtype, device=x.device)  # (G' + 1,)
        left = place.long().clamp_max(self.grid - 1)  # (G' + 1,)
        finer = inner[:, left] + (inner[:, left + 1] - inner[:, left]) * (place - left)  # (n_in, G' + 1)
        self.move_knots(x, extended(finer, self.order))


class KAN(nn.Module):
    """Layers of edges, one after the other; no linear weights between them."""

    def __init__(
        self,
        config: KANConfig,
        *,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.config = config
        layers = nn.ModuleList(
            KANLayer(n_in, n_out, config, generator=generator, dtype=dtype)
            for n_in, n_out in pairwise(config.widths)
        )
        self.layers = cast("Sequence[KANLayer]", layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, widths[0]) -> (B, widths[-1])."""
        for layer in self.layers:
            x = layer(x)  # (B, n_out)
        return x

    def edges(self, x: Tensor) -> list[Tensor]:
        """phi of every layer, (B, n_in, n_out) each."""
        values = []
        for layer in self.layers:
            values.append(layer.edges(x))  # (B, n_in, n_out)
            x = values[-1].sum(1)  # (B, n_out)
        return values

    @torch.no_grad()
    def follow_samples(self, x: Tensor) -> None:
        """Move every grid to where its layer's inputs lie for samples x (B, n_in)."""
        for layer in self.layers:
            layer.move_knots(x, sample_knots(x, layer.grid, layer.order))
            x = layer(x)  # (B, n_out)

    @torch.no_grad()
    def refine(self, x: Tensor, grid: int) -> None:
        """Grid extension of every layer to `grid` intervals, on samples x (B, n_in)."""
        for layer in self.layers:
            after = layer(x)  # (B, n_out)
            layer.refine(x, grid)
            x = after
        self.config = replace(self.config, grid=grid)


def sparsity(edges: Sequence[Tensor], magnitude: float = 1.0, entropy: float = 10.0) -> Tensor:
    """Penalty of section 2.5: sum over layers of magnitude |Phi|_1 + entropy S(Phi).

    edges : (B, n_in, n_out) of each layer; |phi|_1 is the mean of |phi| over the samples.
    """
    total = edges[0].new_zeros(())
    for values in edges:
        size = values.abs().mean(0)  # (n_in, n_out)
        share = size / size.sum()  # (n_in, n_out)
        total = total + magnitude * size.sum() - entropy * (share * torch.log(share + 1e-12)).sum()
    return total


@torch.no_grad()
def kept_nodes(model: KAN, x: Tensor, threshold: float = 1e-2) -> list[Tensor]:
    """Hidden nodes whose largest incoming and largest outgoing |phi|_1 both exceed the threshold, a layer each."""
    sizes = [values.abs().mean(0) for values in model.edges(x)]  # (n_in, n_out) each
    return [
        torch.nonzero((into.amax(0) > threshold) & (out.amax(1) > threshold)).flatten()
        for into, out in pairwise(sizes)
    ]


@torch.no_grad()
def pruned(model: KAN, x: Tensor, threshold: float = 1e-2) -> KAN:
    """A smaller network without the hidden nodes that `kept_nodes` leaves out; the other edges as they are."""
    config = model.config
    ends = [torch.arange(config.widths[place], device=x.device) for place in (0, -1)]
    nodes = [ends[0], *kept_nodes(model, x, threshold), ends[1]]
    smaller = KAN(replace(config, widths=tuple(len(kept) for kept in nodes)), dtype=x.dtype)
    for old, new, (rows, columns) in zip(model.layers, smaller.layers, pairwise(nodes), strict=True):
        new.knots = old.knots[rows]
        for name in ("mask", "coefficients", "base_weight", "spline_weight"):
            getattr(new, name).data = getattr(old, name).data[rows][:, columns]
    return smaller


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """Classifier of standardised rows: (B, F) -> (B, C) logits. The grid covers four standard deviations."""
    return KAN(KANConfig((n_features, 8, n_classes), grid=5, low=-4.0, high=4.0))
