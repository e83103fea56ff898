"""Trap of Feature Diversity in the Learning of MLPs (Liu, Wang, Ren, Wang, Yin, Deng, Zhang; arXiv 2112.00980).

A deep plain MLP trained by SGD passes two phases. In the first its loss stays near log C while features of
different samples, also of different classes, grow alike; in the second the loss falls and the features part again.
Why: the update of a layer is dW = -eta delta f^T summed over samples. If features f share a direction, all rows of
dW lie along it, so the next features share it even more, until a class-dependent part of delta takes over.

Here: the network, similarity of features between classes (diversity is 1 - similarity), the end of the first phase,
and how far an update is condensed into one direction. Remedies of the paper are settings: batch normalisation,
momentum, a larger start of the weights, L2.

Left out: the paper's derivation for single neurons and its large image sets; its exact measure was rebuilt from the
description as the mean cosine over pairs of different classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

TINY = 1e-12
STUCK = 0.9
"""The first phase ends when the loss falls below this share of log C, the loss of a network that knows nothing."""


@dataclass(frozen=True)
class DeepConfig:
    """A plain network of equal widths.

    Attributes
    ----------
    depth : linear layers; 1 is a linear classifier.
    slope : of the leaky rectifier below zero; 0 is the rectifier.
    weight_std : weights start as N(0, weight_std^2), biases at 0. He or Xavier starts hide the first phase on easy
        data.
    batch_norm : before every activation; always with the statistics of the batch at hand, also when probed.
    """

    inputs: int
    classes: int
    width: int = 64
    depth: int = 7
    slope: float = 0.1
    weight_std: float = 0.05
    batch_norm: bool = False


class DeepMLP(nn.Module):
    """depth - 1 hidden layers and a linear one; no skips."""

    def __init__(self, config: DeepConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        widths = [config.inputs, *[config.width] * (config.depth - 1), config.classes]
        self.linear = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths))
        self.norm = nn.ModuleList(
            nn.BatchNorm1d(width, track_running_stats=False) if config.batch_norm else nn.Identity()
            for width in widths[1:-1]
        )
        for layer in self.linear:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=config.weight_std, generator=generator)
            nn.init.zeros_(layer.bias)

    def features(self, x: Tensor) -> list[Tensor]:
        """What the hidden layers deliver after the activation: (B, inputs) -> depth - 1 times (B, width)."""
        values = []
        for linear, norm in zip(self.linear[:-1], self.norm, strict=True):
            x = functional.leaky_relu(norm(linear(x)), self.config.slope)  # (B, width)
            values.append(x)
        return values

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, classes) logits."""
        last: Tensor = self.linear[-1]([x, *self.features(x)][-1])  # (B, classes)
        return last


@torch.no_grad()
def similarity(features: Tensor, labels: Tensor, *, same_class: bool = False) -> float:
    """Mean cosine over pairs of samples of different classes, or of the same one.

    features : (n, width), not centred; labels : (n,). Features of zero have cosine 0 with all others. NaN without a
    pair.
    """
    unit = features / features.norm(dim=1, keepdim=True).clamp_min(TINY)  # (n, width)
    pairs = (labels[:, None] == labels) == same_class  # (n, n)
    pairs &= ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return float((unit @ unit.T)[pairs].mean())


def dead_features(features: Tensor) -> int:
    """Samples whose feature (n, width) is zero throughout, so that it has no direction."""
    return int((features.norm(dim=1) < TINY).sum())


def condensation(update: Tensor) -> float:
    """Share of the largest singular value in the energy of an update (n_out, n_in): 1 for a single direction.

    NaN if the update is not finite, as after training has diverged.
    """
    if not bool(torch.isfinite(update).all()):
        return math.nan
    energy = torch.linalg.svdvals(update).square()  # (min(n_out, n_in),)
    return float(energy[0] / energy.sum().clamp_min(TINY**2))


@dataclass
class Dynamics:
    """What probing during training saw, one entry a probe.

    Attributes
    ----------
    steps : updates done.
    losses : cross entropy of the probe samples.
    last, middle : similarity between classes in the last and the middle hidden layer; empty for depth 1.
    last_same : similarity within classes in the last hidden layer.
    dead : samples without a direction in the last hidden layer.
    condensed : condensation of what the middle linear layer's weights changed since the probe before; starts with
        the second probe.
    """

    classes: int
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    last_same: list[float] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)
    condensed: list[float] = field(default_factory=list)

    @property
    def end_of_first_phase(self) -> int | None:
        """First probed step with a loss below STUCK log C; None if there is none."""
        bound = STUCK * math.log(self.classes)
        return next((step for step, loss in zip(self.steps, self.losses, strict=True) if loss < bound), None)

    def phase_peak(self) -> tuple[float, int]:
        """Largest similarity between classes in the first phase, and its step."""
        end = self.end_of_first_phase
        pairs = zip(self.last, self.steps, strict=True)
        return max(pair for pair in pairs if (end is None or pair[1] <= end) and math.isfinite(pair[0]))


class Probe:
    """Looks at a network between updates, on samples that stay the same."""

    def __init__(self, model: DeepMLP, x: Tensor, y: Tensor, every: int) -> None:
        """x : (n, inputs); y : (n,); probes at step 0 (now) and then every so many steps."""
        self.model, self.x, self.y, self.every = model, x, y, every
        self.dynamics = Dynamics(model.config.classes)
        self.before: Tensor | None = None
        self(0)

    @torch.no_grad()
    def __call__(self, step: int) -> None:
        """Look if it is time to."""
        if step % self.every:
            return
        seen, features = self.dynamics, self.model.features(self.x)
        seen.steps.append(step)
        seen.losses.append(float(functional.cross_entropy(self.model(self.x), self.y)))
        if features:
            self._compare(features)
        weight = self.model.linear[self.model.config.depth // 2].get_parameter("weight")  # (n_out, n_in)
        if self.before is not None:
            seen.condensed.append(condensation(weight - self.before))
        self.before = weight.detach().clone()

    def _compare(self, features: Sequence[Tensor]) -> None:
        seen = self.dynamics
        seen.last.append(similarity(features[-1], self.y))
        seen.middle.append(similarity(features[len(features) // 2], self.y))
        seen.last_same.append(similarity(features[-1], self.y, same_class=True))
        seen.dead.append(dead_features(features[-1]))
