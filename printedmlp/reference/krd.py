"""Knowledge-inspired reliable distillation: a student also learns from the reliable neighbours' soft labels.

L. Wu, H. Lin, Y. Huang, S. Z. Li, "Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs", ICML
2023, arXiv:2306.05628. Unreliability: rho_i = E |H(Y'_i) - H(Y_i)|^2 / delta^2 with H the entropy of the teacher's
softmax and Y' its answer to features with noise of deviation delta. A neighbour j teaches with probability
p_j = 1 - (rho_j / rho_max)^alpha. As released, |.| takes the place of |.|^2, which only doubles alpha; alpha is
fitted to how often student and teacher agree; kept pairs and the nodes themselves share one mean of the loss.
Left out: the paper's other teachers and depths, and its sampling by other measures of reliability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from printedmlp.reference.distillation import entropy, soft_label_kl

ALPHA_RANGE = (1e-3, 20.0)


@dataclass(frozen=True)
class KRDConfig:
    """How neighbours are drawn.

    Attributes
    ----------
    noise : deviation delta of what is added to every feature.
    warm_up : epochs in which all neighbours teach and alpha stays as it is.
    momentum : share of the old alpha that an epoch keeps.
    bins : of the unreliability in 0 .. 1, for the fit of alpha.
    temperature : of both softmaxes.
    mix : lambda, the share of the labelled nodes' cross entropy.
    """

    noise: float = 1.0
    warm_up: int = 50
    momentum: float = 0.99
    bins: int = 50
    temperature: float = 1.0
    mix: float = 0.0


def unreliability(
    teacher: Callable[[Tensor], Tensor], x: Tensor, noise: float, *, seed: int, draws: int = 1
) -> Tensor:
    """How much the teacher's entropy moves when its input is disturbed, (n,) from 0 to 1, the worst node at 1.

    Parameters
    ----------
    teacher : features (n, n_features) to logits (n, n_classes), in evaluation mode.
    x : features, dense or sparse.
    draws : of the noise, whose moves are averaged.
    """
    generator = torch.Generator().manual_seed(seed)
    dense = x.to_dense()  # (n, n_features)
    moved = torch.zeros(len(dense))
    with torch.no_grad():
        calm = entropy(teacher(x))  # (n,)
        for _ in range(draws):
            disturbed = dense + noise * torch.randn(dense.shape, generator=generator)  # (n, n_features)
            moved += (entropy(teacher(disturbed)) - calm).abs()  # (n,)
    return moved / moved.max().clamp_min(torch.finfo(moved.dtype).tiny)


def keep_probability(rho: Tensor, alpha: float) -> Tensor:
    """p = 1 - rho^alpha for unreliabilities (n,) in 0 .. 1; the largest is never kept."""
    return 1 - rho**alpha


def fitted_alpha(rho: NDArray[np.floating], agree: NDArray[np.bool_], bins: int) -> float | None:
    """The power alpha of 1 - rho^alpha that fits best how often student and teacher agree.

    The shares of agreement in equal bins of rho, 0 in an empty bin, are stretched to 0 .. 1 and fitted at the
    bins' middles by least squares.

    Parameters
    ----------
    rho, agree : (n,) of the nodes.

    Returns
    -------
    alpha, or None if all bins agree equally often.
    """
    counts, _ = np.histogram(rho, bins=bins, range=(0.0, 1.0))
    agreed, edges = np.histogram(rho[agree], bins=bins, range=(0.0, 1.0))
    share = agreed / np.maximum(counts, 1)  # (bins,)
    return fitted_power((edges[:-1] + edges[1:]) / 2, share)


def fitted_power(x: NDArray[np.floating], share: NDArray[np.floating]) -> float | None:
    """alpha of 1 - x^alpha nearest to `share` (n,) stretched to 0 .. 1; None if all shares are equal."""
    width = share.max() - share.min()
    if width == 0:
        return None
    target = (share - share.min()) / width
    found = minimize_scalar(
        lambda power: float(np.sum((1 - x ** np.exp(power) - target) ** 2)),
        bounds=np.log(ALPHA_RANGE),
        method="bounded",
    )
    return float(np.exp(found.x))


class ReliablePairs:
    """Who learns from whom: every node from itself, and in each epoch from the neighbours that are drawn.

    Attributes
    ----------
    alpha : the present power; `alphas` has it after every epoch.
    """

    def __init__(self, pairs: Tensor, rho: Tensor, config: KRDConfig) -> None:
        """Take pairs (2, n_pairs) of student and teaching neighbour, and the nodes' unreliability (n,)."""
        self.pairs, self.rho, self.config = pairs, rho, config
        self.own = torch.arange(len(rho)).expand(2, -1)  # (2, n)
        self.alpha, self.alphas = 1.0, list[float]()

    def draw(self, epoch: int) -> Tensor:
        """Student and teaching node of each pair of an epoch from 1, (2, n + kept), the nodes themselves first.

        PyTorch's random state decides.
        """
        if epoch <= self.config.warm_up:
            return torch.cat([self.own, self.pairs], dim=1)
        chance = keep_probability(self.rho, self.alpha)[self.pairs[1]]  # (n_pairs,), the neighbour's
        return torch.cat([self.own, self.pairs[:, torch.rand(len(chance)) < chance]], dim=1)

    def learn(self, epoch: int, student: Tensor, teacher: Tensor) -> None:
        """Move alpha after the warm-up towards what fits the agreement of logits (n, n_classes)."""
        if epoch > self.config.warm_up:
            agree = student.argmax(dim=1) == teacher.argmax(dim=1)  # (n,)
            found = fitted_alpha(self.rho.numpy(), agree.numpy(), self.config.bins)
            if found is not None:
                self.alpha = self.config.momentum * self.alpha + (1 - self.config.momentum) * found
        self.alphas.append(self.alpha)


def krd_loss(
    student: Tensor, teacher: Tensor, y: Tensor, labelled: Tensor, pairs: Tensor, config: KRDConfig
) -> Tensor:
    """lambda CE(labelled nodes) + (1 - lambda) mean KL(teacher at j || student at i) of all pairs (i, j).

    Parameters
    ----------
    student, teacher : logits (n, n_classes).
    y : (n,) classes, read at the labelled nodes only.
    pairs : (2, n_pairs) of `ReliablePairs.draw`; the nodes with themselves alone make it GLNN's loss.
    """
    hard = functional.cross_entropy(student[labelled], y[labelled])
    soft = soft_label_kl(student[pairs[0]], teacher[pairs[1]], config.temperature).mean()
    return config.mix * hard + (1 - config.mix) * soft
