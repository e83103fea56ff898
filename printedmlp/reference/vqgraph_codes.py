"""The codebook of VQGraph: nearest codes, codes that follow their members, and what a codebook tells of the nodes.

Quantisation with moving averages: A. van den Oord, O. Vinyals, K. Kavukcuoglu, NeurIPS 2017, arXiv:1711.00937,
eqs. 1 to 3 and appendix A.1. Left out: revival of codes without members, noise in the choice of a code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.errors import ConfigError

METRICS = ("cosine", "euclidean")
KMEANS_STEPS = 10


def nearest(h: Tensor, codes: Tensor, metric: str) -> Tensor:
    """Number of the nearest code: h (N, D), codes (M, D) to (N,)."""
    if metric == "cosine":
        return (functional.normalize(h) @ functional.normalize(codes).T).argmax(dim=1)
    return torch.cdist(h, codes).argmin(dim=1)


class Quantiser(nn.Module):
    """Codes (M, D), drawn until `start` sets them: a buffer that follows its members and gets no gradient.

    With the metric "cosine" `start` and `move` leave every code at length 1.
    """

    codes: Tensor

    def __init__(self, n_codes: int, width: int, metric: str, decay: float) -> None:
        super().__init__()
        self.metric, self.decay = metric, decay
        self.register_buffer("codes", torch.randn(n_codes, width))

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Codes z (N, D) of h (N, D), with h's gradient, and their numbers (N,); training then moves the codes."""
        k = nearest(h, self.codes, self.metric)  # (N,)
        z = self.codes[k] + (h - h.detach())  # (N, D)
        if self.training:
            self.move(h.detach(), k, self.decay)
        return z, k

    @torch.no_grad()
    def move(self, h: Tensor, k: Tensor, decay: float) -> None:
        """Codes become decay * code + (1 - decay) * mean of their members h (N, D); those without members stay."""
        if self.metric == "cosine":
            h = functional.normalize(h)
        counts = torch.bincount(k, minlength=len(self.codes))[:, None]  # (M, 1)
        means = torch.zeros_like(self.codes).index_add_(0, k, h) / counts.clamp_min(1)  # (M, D)
        if self.metric == "cosine":
            means = functional.normalize(means)
        moved = decay * self.codes + (1 - decay) * means  # (M, D)
        if self.metric == "cosine":
            moved = functional.normalize(moved)
        self.codes = torch.where(counts > 0, moved, self.codes)

    @torch.no_grad()
    def start(self, h: Tensor, generator: torch.Generator) -> None:
        """Codes from k-means on h (N, D), which starts at rows drawn without repetition.

        Raises
        ------
        ConfigError : fewer nodes than codes.
        """
        if len(h) < len(self.codes):
            raise ConfigError(f"n_codes: {len(self.codes)} codes need as many nodes; there are {len(h)}")
        rows = torch.randperm(len(h), generator=generator)[: len(self.codes)]  # (M,)
        self.codes = functional.normalize(h[rows]) if self.metric == "cosine" else h[rows].clone()
        for _ in range(KMEANS_STEPS):
            self.move(h, nearest(h, self.codes, self.metric), decay=0.0)


def shares(k: Tensor, n_codes: int) -> Tensor:
    """Share of the nodes k (N,) that each code has: (n_codes,) float64."""
    return torch.bincount(k, minlength=n_codes).double() / len(k)


def perplexity(share: Tensor) -> float:
    """exp of the entropy of shares (M,): M where all are equal, 1 for a single used code."""
    return float(torch.special.entr(share).sum().exp())


def same_code_rate(k: Tensor, pairs: Tensor) -> float:
    """Share of the pairs of nodes (2, E) whose ends have one code."""
    return float((k[pairs[0]] == k[pairs[1]]).double().mean())


def code_classes(k: Tensor, y: Tensor, n_codes: int) -> Tensor:
    """How many nodes of each class each code has: (n_codes, n_classes) int64; nodes of y < 0 do not count."""
    known = y >= 0
    n_classes = int(y.max()) + 1
    return torch.bincount(k[known] * n_classes + y[known], minlength=n_codes * n_classes).reshape(n_codes, -1)


def majority_accuracy(table: Tensor) -> float:
    """Accuracy of naming every node after the most frequent class of its code; `table` of `code_classes`."""
    return int(table.amax(dim=1).sum()) / int(table.sum())
