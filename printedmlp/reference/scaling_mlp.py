"""Scaling MLPs: networks that know nothing of images, what scale buys them, and the law by which it does.

G. Bachmann, S. Anagnostidis and T. Hofmann, "Scaling MLPs: A Tale of Inductive Bias", NeurIPS 2023,
arXiv:2306.13575. A flat input of I values is embedded linearly into m channels and goes through L blocks:

    standard, S-MLP     z <- act(W norm(z)),              W (m, m)
    inverted, B-MLP     z <- z + Wc gelu(We norm(z)),     We (k m, m), Wc (m, k m), k = 4

and a linear head. "B-L/Wi-m" names an inverted one. Training by LION with label smoothing, random crops and MixUp;
answers may be averaged over crops of the tested image; a run of N samples and T epochs costs C = 3 N T times the
FLOPs of one answer, and error follows the scaling law

    E(C) = a (b + C)^-alpha + E_inf

along the runs that no other run beats at less compute, and with N in place of C.

Left out: the pre-training on ImageNet-21k, flips (digits have none), the optimal share of compute between
parameters and samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from printedmlp.errors import ConfigError
from printedmlp.reference.training import Augment, Settings, outputs

KINDS = ("inverted", "standard")


@dataclass(frozen=True)
class ScalingConfig:
    """Sizes of a B-MLP, or of an S-MLP.

    Attributes
    ----------
    n_inputs, n_classes : I values in, C logits out.
    width, depth, expansion : m, L and k.
    kind : "inverted" or "standard".
    norm, skip : whether blocks have their layer norm and (inverted ones) their skip connection.
    """

    n_inputs: int
    n_classes: int
    width: int
    depth: int
    expansion: int = 4
    kind: str = "inverted"
    norm: bool = True
    skip: bool = True

    def __post_init__(self) -> None:
        """Refuse an unknown kind of block."""
        if self.kind not in KINDS:
            raise ConfigError(f"kind: {self.kind!r} is not one of {', '.join(KINDS)}")

    @property
    def name(self) -> str:
        """As the paper writes it, B-6/Wi-512."""
        return f"{'B' if self.kind == 'inverted' else 'S'}-{self.depth}/Wi-{self.width}"


PUBLISHED = {
    config.name: config
    for width in (256, 512, 1024)
    for depth in (6, 12)
    for config in (ScalingConfig(n_inputs=3 * 64 * 64, n_classes=11_230, width=width, depth=depth),)
}
"""The paper's pre-trained models, for 64 x 64 pixels and the classes of ImageNet-21k."""


class InvertedBlock(nn.Module):
    """z + Wc gelu(We norm(z))."""

    def __init__(self, config: ScalingConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width) if config.norm else nn.Identity()
        self.expand = nn.Linear(config.width, config.expansion * config.width)
        self.contract = nn.Linear(config.expansion * config.width, config.width)
        self.skip = config.skip

    def forward(self, z: Tensor) -> Tensor:
        """(B, m) to (B, m)."""
        wide = functional.gelu(self.expand(self.norm(z)))  # (B, k m)
        change: Tensor = self.contract(wide)  # (B, m)
        return z + change if self.skip else change  # (B, m)


class StandardBlock(nn.Module):
    """relu(W norm(z))."""

    def __init__(self, config: ScalingConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width) if config.norm else nn.Identity()
        self.map = nn.Linear(config.width, config.width)

    def forward(self, z: Tensor) -> Tensor:
        """(B, m) to (B, m)."""
        return functional.relu(self.map(self.norm(z)))  # (B, m)


class ScalingMLP(nn.Module):
    """Embedding, blocks, head; takes images (B, ...) and flattens them itself."""

    def __init__(self, config: ScalingConfig) -> None:
        super().__init__()
        block = InvertedBlock if config.kind == "inverted" else StandardBlock
        self.embedding = nn.Linear(config.n_inputs, config.width)
        self.blocks = nn.Sequential(*(block(config) for _ in range(config.depth)))
        self.head = nn.Linear(config.width, config.n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of inputs (B, ...) with I values each."""
        z = self.blocks(self.embedding(x.flatten(1)))  # (B, m)
        logits: Tensor = self.head(z)  # (B, C)
        return logits


def counted_parameters(config: ScalingConfig) -> int:
    """Trained numbers of a B-MLP in closed form."""
    m, k = config.width, config.expansion
    block = 2 * k * m * m + k * m + m + 2 * m
    return (config.n_inputs * m + m) + config.depth * block + (m * config.n_classes + config.n_classes)


def compute(config: ScalingConfig, n_samples: int, n_epochs: float) -> float:
    """FLOPs of training a B-MLP: a multiply-add is 2, and backward costs twice what forward does."""
    m = config.width
    products = config.n_inputs * m + 2 * config.expansion * config.depth * m * m + m * config.n_classes
    return 3.0 * n_samples * n_epochs * 2 * products


class Lion(Optimizer):
    """Steps of one size along the sign of a momentum (X. Chen et al. 2023), with decoupled weight decay."""

    def __init__(self, parameters: Any, lr: float, betas: tuple[float, float] = (0.9, 0.99), decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "betas": betas, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update; returns what the closure that computes the gradients returns."""
        loss = None
        if closure:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        near, far = group["betas"]
        momentum = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
        direction = momentum.lerp(parameter.grad, 1 - near).sign()
        parameter.mul_(1 - group["lr"] * group["decay"]).sub_(direction, alpha=group["lr"])
        momentum.lerp_(parameter.grad, 1 - far)


def lion(model: nn.Module, settings: Settings) -> Lion:
    """The optimiser for `training.fit`."""
    return Lion(model.parameters(), settings.learning_rate, decay=settings.weight_decay)


def crops(images: Tensor, padding: int, fill: float, generator: torch.Generator) -> Tensor:
    """Pad (B, h, w) images with a value and cut a random h x w piece out of each: shifts by up to `padding`."""
    n, h, w = images.shape
    padded = functional.pad(images, (padding,) * 4, value=fill)  # (B, h + 2p, w + 2p)
    corner = torch.randint(2 * padding + 1, (2, n, 1), generator=generator)  # (2, B, 1)
    rows, columns = corner[0] + torch.arange(h), corner[1] + torch.arange(w)  # (B, h), (B, w)
    each = torch.arange(n)[:, None, None]  # (B, 1, 1)
    return padded[each, rows[:, :, None], columns[:, None, :]]  # (B, h, w)


def mix(x: Tensor, targets: Tensor, share: float, partners: Tensor) -> tuple[Tensor, Tensor]:
    """MixUp: `share` of each sample and its (B, C) target, the rest from its partner."""
    return share * x + (1 - share) * x[partners], share * targets + (1 - share) * targets[partners]


def augmentation(padding: int, fill: float, *, n_classes: int, mixup: float = 0.0) -> Augment:
    """Random crops, then MixUp with one share a batch drawn from Beta(mixup, mixup); 0 leaves MixUp out."""

    def augment(x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = crops(x, padding, fill, generator)
        if not mixup:
            return x, y
        seed = int(torch.randint(2**62, (1,), generator=generator))
        share = float(np.random.default_rng(seed).beta(mixup, mixup))
        partners = torch.randperm(len(x), generator=generator)
        return mix(x, functional.one_hot(y, n_classes).to(x.dtype), share, partners)

    return augment


def averaged(
    model: nn.Module, images: Tensor, padding: int, fill: float, *, n_crops: int, generator: torch.Generator
) -> Tensor:
    """Test-time augmentation: class probabilities (B, C), the mean over random crops of each image."""
    answers = [outputs(model, crops(images, padding, fill, generator)).softmax(dim=1) for _ in range(n_crops)]
    return torch.stack(answers).mean(dim=0)


@dataclass(frozen=True)
class PowerLaw:
    """E(C) = a (b + C)^-alpha + floor."""

    a: float
    b: float
    alpha: float
    floor: float

    def __call__(self, scale: ArrayLike) -> NDArray[np.float64]:
        """Error at compute, or number of samples, `scale`."""
        return self.a * (self.b + np.asarray(scale, dtype=np.float64)) ** -self.alpha + self.floor


def slope(scale: ArrayLike, errors: ArrayLike) -> float:
    """Slope of the straight line through the logarithms."""
    return float(np.polyfit(np.log(scale), np.log(errors), 1)[0])


def fit_power_law(scale: ArrayLike, errors: ArrayLike, *, shifted: bool = True) -> PowerLaw:
    """Least-squares scaling law with a > 0, b >= 0, alpha > 0 and floor >= 0; b = 0 unless `shifted`.

    `scale` and `errors` are positive, with at least as many points as there are free constants.
    """
    x, y = np.asarray(scale, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    unit = float(x.min())

    def law(
        x: NDArray[np.float64], log_a: float, alpha: float, floor: float, b: float = 0.0
    ) -> NDArray[np.float64]:
        return np.asarray(np.exp(log_a) * (b + x) ** -alpha + floor)

    start = [np.log(y.max()), max(-slope(x, y), 0.1), 0.5 * y.min()] + [0.5] * shifted
    low = [-np.inf, 1e-6, 0.0] + [0.0] * shifted
    high = [np.inf, 10.0, y.min()] + [np.inf] * shifted
    found, _ = curve_fit(law, x / unit, y, p0=start, bounds=(low, high), max_nfev=100_000, xtol=1e-14, ftol=1e-14)
    log_a, alpha, floor, b = (*map(float, found), 0.0)[:4]
    return PowerLaw(float(np.exp(log_a)) * unit**alpha, b * unit, alpha, floor)


def unbeaten(scale: ArrayLike, errors: ArrayLike) -> NDArray[np.int64]:
    """Indices, by growing scale, of the runs with a smaller error than every run of at most their scale."""
    x, y = np.asarray(scale), np.asarray(errors)
    order = np.lexsort((y, x))
    best = np.minimum.accumulate(np.r_[np.inf, y[order]])[:-1]
    return order[y[order] < best].astype(np.int64)


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """A small B-MLP: (B, F) float32 to (B, C) logits."""
    return ScalingMLP(ScalingConfig(n_features, n_classes, width=32, depth=2))
