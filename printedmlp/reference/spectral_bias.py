"""Understanding the Spectral Bias of Coordinate Based MLPs Via Training Dynamics (Lazzari, Liu; arXiv 2301.05816).

A rectifier network of raw low-dimensional coordinates learns low frequencies first and high ones hardly at all. The
paper looks at why with activation patterns: the bits "pre-activation above zero" of all hidden units. Points with
equal patterns share one affine map, so where neighbours differ in hardly a bit their gradients point along the same
line, with opposite signs where their residuals differ ("confused"). Sinusoidal positional encoding of frequencies
2^0 .. 2^(L-1),

    gamma_L(p) = (sin 2^0 pi p, cos 2^0 pi p, ..., sin 2^(L-1) pi p, cos 2^(L-1) pi p)   (each axis),

drives neighbours apart. Here: encoding, network, patterns, regions, Hamming distances, gradient confusion, dead
units, distance to the nearest boundary, inradius of a first-layer region, product of spectral norms, error by
frequency.

Left out: large photographs, the contrast with networks of high-dimensional inputs, angles of hyperplanes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class CoordinateConfig:
    """A rectifier network of coordinates.

    Attributes
    ----------
    axes : coordinates of a point.
    hidden : units of each hidden layer.
    outputs : values of a point.
    frequencies : L of the positional encoding; 0 takes the coordinates as they are.
    """

    axes: int
    hidden: tuple[int, ...]
    outputs: int
    frequencies: int = 0


def positional_encoding(p: Tensor, frequencies: int) -> Tensor:
    """gamma_L axis by axis: (n, axes) -> (n, 2 L axes); the coordinates themselves for L = 0."""
    if not frequencies:
        return p
    scale = math.pi * 2.0 ** torch.arange(frequencies, dtype=p.dtype, device=p.device)  # (L,)
    angles = p.unsqueeze(-1) * scale  # (n, axes, L)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (n, 2 L axes)


class CoordinateMLP(nn.Module):
    """Encoding, linear layers with rectifiers between them, PyTorch's default start, no output activation."""

    def __init__(self, config: CoordinateConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.axes * (2 * config.frequencies or 1)
        self.linears = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise((inputs, *config.hidden, config.outputs)))

    def pre_activations(self, p: Tensor) -> list[Tensor]:
        """z of every hidden layer, (n, units) each, and the outputs (n, outputs) last, for points (n, axes)."""
        x = positional_encoding(p, self.config.frequencies)  # (n, inputs)
        values = []
        for linear in self.linears:
            z = linear(x)  # (n, units)
            x = functional.relu(z)  # (n, units)
            values.append(z)
        return values

    def forward(self, p: Tensor) -> Tensor:
        """(n, axes) -> (n, outputs)."""
        return self.pre_activations(p)[-1]


@torch.no_grad()
def patterns(model: CoordinateMLP, p: Tensor) -> Tensor:
    """One bit a hidden unit of any layer, set where its pre-activation is positive: (n, axes) -> (n, K) bool."""
    return torch.cat([z > 0 for z in model.pre_activations(p)[:-1]], dim=1)


def regions(bits: Tensor) -> int:
    """Number of different patterns among bits (n, K)."""
    return len(np.unique(np.packbits(bits.cpu().numpy(), axis=1), axis=0))


def hamming(bits: Tensor, pairs: Tensor) -> float:
    """Mean number of bits in which the two points of a pair differ; bits (n, K), pairs (m, 2) of row numbers."""
    return float((bits[pairs[:, 0]] != bits[pairs[:, 1]]).sum(1).double().mean())


def dead_units(bits: Tensor) -> int:
    """Hidden units that no point of bits (n, K) activates."""
    return int((~bits.any(0)).sum())


def confusion(model: CoordinateMLP, p: Tensor, y: Tensor, pairs: Tensor) -> Tensor:
    """Cosine of the gradients of two points' squared errors with respect to all weights and biases.

    p : (n, axes); y : (n, outputs); pairs : (m, 2) of row numbers. Returns (m,) float64: computed so, since near
    convergence gradients are tiny. A gradient of zero has cosine 0 with all others.
    """
    weights = {name: parameter.detach().double() for name, parameter in model.named_parameters()}

    def loss(weights: dict[str, Tensor], point: Tensor, value: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(model, weights, (point[None],))  # (1, outputs)
        return (output[0] - value).square().sum()

    used, places = pairs.unique(return_inverse=True)  # (u,), (m, 2)
    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(
        weights, p[used].double(), y[used].double()
    )
    flat = torch.cat([g.flatten(1) for g in gradients.values()], dim=1)  # (u, parameters)
    unit: Tensor = functional.normalize(flat, dim=1, eps=1e-300)  # (u, parameters)
    cosines: Tensor = (unit[places[:, 0]] * unit[places[:, 1]]).sum(1)  # (m,)
    return cosines


@torch.no_grad()
def spectral_norms(model: CoordinateMLP) -> list[float]:
    """Largest singular value of every weight matrix; their product bounds the slope of the network."""
    return [float(torch.linalg.matrix_norm(p, 2)) for p in model.parameters() if p.ndim == 2]


@torch.no_grad()
def boundary_distance(model: CoordinateMLP, p: Tensor) -> Tensor:
    """Distance |z_k| / |w_k| to the nearest hidden unit's hyperplane, each in its own layer's input space: (n,)."""
    distances = []
    for linear, z in zip(model.linears[:-1], model.pre_activations(p), strict=False):
        norms = linear.get_parameter("weight").norm(dim=1)  # (units,)
        distances.append((z.abs() / norms.clamp_min(1e-12)).amin(1))  # (n,)
    return torch.stack(distances).amin(0)


@torch.no_grad()
def inradius(model: CoordinateMLP, p: Tensor, low: float, high: float) -> float:
    """Radius of the largest ball in the first layer's region of one point p (axes,), within a box of its inputs.

    A linear programme: most r with s_k (w_k x + b_k) >= r |w_k| for every unit k and low + r <= x <= high - r.
    """
    x = positional_encoding(p[None], model.config.frequencies)  # (1, inputs)
    first = model.linears[0]
    weight, bias = first.get_parameter("weight"), first.get_parameter("bias")  # (units, inputs), (units,)
    sign = torch.where(x @ weight.T + bias > 0, 1.0, -1.0)[0].double().cpu().numpy()  # (units,)
    w, b = weight.double().cpu().numpy(), bias.double().cpu().numpy()
    n = w.shape[1]
    sides = np.concatenate([-sign[:, None] * w, np.eye(n), -np.eye(n)])  # (units + 2 n, inputs)
    lengths = np.concatenate([np.linalg.norm(w, axis=1), np.ones(2 * n)])  # (units + 2 n,)
    bounds = np.concatenate([sign * b, np.full(n, high), np.full(n, -low)])  # (units + 2 n,)
    objective = np.append(np.zeros(n), -1.0)
    found = linprog(objective, np.column_stack([sides, lengths]), bounds, bounds=[(None, None)] * n + [(0, None)])
    return float(-found.fun) if found.success else 0.0


def frequency_error(prediction: Tensor, y: Tensor, frequencies: Tensor) -> Tensor:
    """|FFT(prediction - y)[k]| / |FFT(y)[k]| of signals (N,) at whole frequencies k (m,): 1 means not learned."""
    residual: Tensor = torch.fft.rfft(prediction - y)  # (N // 2 + 1,)
    signal: Tensor = torch.fft.rfft(y)  # (N // 2 + 1,)
    return residual[frequencies].abs() / signal[frequencies].abs()


def tones(samples: int, frequencies: Tensor, phases: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of unit sines: t = i / N as (N, 1) and y(t) = sum_k sin(2 pi (k t + phi_k)) as (N, 1), float32.

    frequencies, phases : (m,), phases in turns.
    """
    t = torch.arange(samples, dtype=torch.float64)[:, None] / samples  # (N, 1)
    y = torch.sin(2 * torch.pi * (t * frequencies + phases)).sum(1, keepdim=True)  # (N, 1)
    return t.float(), y.float()
