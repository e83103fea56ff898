"""Coordinate-aware modulation: each hidden layer of a coordinate network is scaled and shifted by grids.

J. C. Lee, D. Rho, S. Nam, J. H. Ko and E. Park, "Coordinate-Aware Modulation for Neural Fields", ICLR 2024,
arXiv:2311.14993, section 3. Of a point x with features f, a hidden layer gives

    F  = W f + b,   F^ = (F - mean_c F) / sqrt(var_c F + 1e-5)        mean and variance over the point's channels
    F~ = gamma(x; Gamma) F^ + beta(x; B),   next f = act(F~),

where gamma and beta are linearly interpolated from trained grids, one pair of numbers a layer for all channels.
The grids start at 1 and 0, so that without the normalisation, F^ = F, the network starts as the plain one. The
grids learn ten times as fast as the weights.

Beside it what it is compared with: no encoding, random Fourier features (M. Tancik et al., NeurIPS 2020,
arXiv:2006.10739), octaves, and a grid of features in front of the network.

Left out: grids along some of the coordinates, grids for each channel as for video, and the large fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.fields import Falling, milestones

EPSILON = 1e-5
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": functional.relu, "identity": lambda z: z}
GRID_TIMES = 10.0
"""How many times as fast the grids learn as the weights."""


@dataclass(frozen=True)
class CAMConfig:
    """A network of coordinates in 0 .. 1.

    Attributes
    ----------
    axes, outputs : values of a point, and of the field there.
    hidden : units of each hidden layer.
    modulation : points of the grids along each axis; () for none.
    normalised : whether layers are normalised over the channels.
    fourier, sigma : random frequencies of the Fourier features, 0 for none, and their standard deviation.
    octaves : frequencies 2^0 .. of the encoding (x, sin 2^i x, cos 2^i x), 0 for none.
    features, feature_grid : a grid of so many trained features takes the place of the coordinates; 0 for none.
    activation : one of `ACTIVATIONS`.
    bounded : whether outputs go through a sigmoid.
    """

    axes: int
    outputs: int
    hidden: tuple[int, ...] = (64, 64, 64)
    modulation: tuple[int, ...] = ()
    normalised: bool = False
    fourier: int = 0
    sigma: float = 10.0
    octaves: int = 0
    features: int = 0
    feature_grid: tuple[int, ...] = ()
    activation: str = "relu"
    bounded: bool = True

    @property
    def inputs(self) -> int:
        """Values that the first layer sees."""
        if self.fourier:
            return 2 * self.fourier
        if self.octaves:
            return self.axes * (1 + 2 * self.octaves)
        return self.features or self.axes

    @property
    def sizes(self) -> tuple[int, ...]:
        """Values between the layers, inputs first."""
        return (self.inputs, *self.hidden, self.outputs)


PAPER_IMAGE = CAMConfig(2, 3, (256,) * 3, (32, 32), normalised=True, fourier=256)
"""The paper's network for images."""


def counted_parameters(config: CAMConfig) -> int:
    """Trained numbers in closed form."""
    layers = sum(n * m + m for n, m in pairwise(config.sizes))
    grids = 2 * len(config.hidden) * prod(config.modulation) if config.modulation else 0
    return layers + grids + config.features * prod(config.feature_grid)


def interpolated(grids: Tensor, x: Tensor) -> Tensor:
    """Values of grids (c, ...) between their points, linearly, at x (n, axes) in 0 .. 1: (n, c).

    The first point of an axis lies at 0 and the last at 1; beyond them the border goes on. The last axis of the
    grids belongs to the first coordinate.
    """
    if x.shape[1] == 1:
        grids, x = grids[:, None], torch.cat([x, torch.full_like(x, 0.5)], dim=1)  # (c, 1, m), (n, 2)
    place = (2 * x - 1).reshape(1, *[1] * (x.shape[1] - 1), *x.shape)  # (1, .., n, axes)
    values = functional.grid_sample(grids[None], place, padding_mode="border", align_corners=True)  # (1, c, .., n)
    return values.reshape(len(grids), len(x)).T


def normalised(z: Tensor) -> Tensor:
    """Each point's channels at mean 0 and variance 1: (n, c) to (n, c)."""
    return functional.layer_norm(z, z.shape[1:], eps=EPSILON)


class Modulation(nn.Module):
    """gamma and beta of all layers: grids (2 layers, ...), gamma before beta."""

    def __init__(self, layers: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        start = torch.stack([torch.ones(layers, *shape), torch.zeros(layers, *shape)], dim=1)  # (layers, 2, ...)
        self.grids = nn.Parameter(start)

    def forward(self, x: Tensor) -> Tensor:
        """Points (n, axes) to (layers, 2, n, 1)."""
        values = interpolated(self.grids.flatten(0, 1), x)  # (n, 2 layers)
        return values.T.reshape(*self.grids.shape[:2], len(x), 1)


class CAM(nn.Module):
    """Encoding, hidden layers with modulation between linear map and activation, and a linear layer."""

    frequencies: Tensor

    def __init__(self, config: CAMConfig) -> None:
        super().__init__()
        self.config = config
        self.linears = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise(config.sizes))
        self.register_buffer("frequencies", config.sigma * torch.randn(config.axes, config.fourier))
        if config.features:
            self.features = nn.Parameter(0.1 * torch.randn(config.features, *config.feature_grid))
        self.modulation = Modulation(len(config.hidden), config.modulation) if config.modulation else None

    def encode(self, x: Tensor) -> Tensor:
        """What the first layer sees of points: (n, axes) to (n, inputs)."""
        if self.config.fourier:
            angles = 2 * torch.pi * x @ self.frequencies  # (n, fourier)
            return torch.cat([angles.sin(), angles.cos()], dim=1)
        if self.config.octaves:
            angles = (x[..., None] * 2.0 ** torch.arange(self.config.octaves, device=x.device)).flatten(1)
            return torch.cat([x, angles.sin(), angles.cos()], dim=1)
        return interpolated(self.features, x) if self.config.features else x

    def hidden(self, x: Tensor) -> list[Tensor]:
        """What every hidden layer gives after its activation, (n, units) each."""
        f, values = self.encode(x), []  # (n, inputs)
        pairs = self.modulation(x) if self.modulation else [None] * len(self.config.hidden)  # (layers, 2, n, 1)
        for linear, pair in zip(self.linears, pairs, strict=False):
            z = linear(f)  # (n, units)
            z = normalised(z) if self.config.normalised else z  # (n, units)
            z = z if pair is None else pair[0] * z + pair[1]  # (n, units)
            f = ACTIVATIONS[self.config.activation](z)  # (n, units)
            values.append(f)
        return values

    def forward(self, x: Tensor) -> Tensor:
        """Points (n, axes) in 0 .. 1 to the field's values (n, outputs)."""
        out: Tensor = self.linears[-1](self.hidden(x)[-1])  # (n, outputs)
        return out.sigmoid() if self.config.bounded else out


def image_recipe(steps: int, grid_times: float = GRID_TIMES) -> Falling:
    """Adam with faster grids, rates down to a tenth at half and at three quarters of the steps."""
    return milestones(steps, modulation=grid_times, features=grid_times)
