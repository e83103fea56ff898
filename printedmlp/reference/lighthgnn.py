"""LightHGNN: a hypergraph network teaches a network that never asks for hyperedges.

Y. Feng, Y. Luo, S. Ying and Y. Gao, "LightHGNN: Distilling Hypergraph Neural Networks into MLPs for 100x Faster
Inference", ICLR 2024, arXiv:2402.04296, section 3, with the sizes of the authors' release. The teacher is HGNN
(Feng, You, Zhang, Ji, Gao, AAAI 2019); with L the smoothing along hyperedges, `Hypergraph.hgnn_operator`,

    Z = L (drop(relu(L (X Th1 + b1))) Th2 + b2)

The student sees the features of one node, z = BN(relu(x W1 + b1)) W2 + b2 with dropout before W2. It minimises

    LightHGNN     lam CE(labelled) + (1 - lam) L_k,          L_k  = mean_v KL(p_v^T || p_v^S)
    LightHGNN+    lam CE(labelled) + (1 - lam) (L_k + L_hc), L_hc = mean_e KL(p_e^T || p_e^S)

p_e is the mean of p_v over the nodes of a hyperedge. L_hc takes each hyperedge with the probability q_e that it is
reliable: with h_e the mean entropy of its nodes under the teacher and delta_e the change of h_e when the features
are multiplied by noise, q_e = 1 - delta_e / max delta. `topology_score` is the score of the paper's analysis.

The release hands probabilities to a divergence that expects their logarithms, which pulls every target towards
uniform; here that is an option, `flattened_divergence`. Left out: the other teachers (HNHN, UniGCN; HGNN+ is
another operator), temperatures other than 1, hyperedge weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.distillation import entropy, evaluated
from printedmlp.reference.graphs import Hypergraph, Smooth, affine

TINY = 1e-12
"""Floor below which no probability's logarithm is taken."""

Divergence = Callable[[Tensor, Tensor], Tensor]
"""Targets (n, C) and logarithms of answers (n, C) to a scalar, the mean over rows."""


@dataclass(frozen=True)
class LightHGNNConfig:
    """Sizes of teacher and student.

    Attributes
    ----------
    n_features, n_classes : of the nodes.
    teacher_hidden, student_hidden : width of the one hidden layer.
    dropout : share of hidden values dropped in training, in both.
    batch_norm : whether the student normalises its hidden values.
    """

    n_features: int
    n_classes: int
    teacher_hidden: int = 32
    student_hidden: int = 128
    dropout: float = 0.5
    batch_norm: bool = True


PUBLISHED = LightHGNNConfig(n_features=1433, n_classes=7)
"""The sizes for the words of Cora."""


class HGNN(nn.Module):
    """The teacher: both linear maps come before the smoothing, so that it smooths their biases, too."""

    def __init__(self, config: LightHGNNConfig) -> None:
        super().__init__()
        self.first = nn.Linear(config.n_features, config.teacher_hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.second = nn.Linear(config.teacher_hidden, config.n_classes)

    def embed(self, x: Tensor, smooth: Smooth) -> Tensor:
        """Hidden values (M, hidden) of features (N, F), dense or sparse."""
        hidden: Tensor = self.dropout(functional.relu(smooth(affine(self.first, x))))  # (M, hidden)
        return hidden

    def forward(self, x: Tensor, smooth: Smooth, smooth_again: Smooth | None = None) -> Tensor:
        """Logits: (N, F) to (N, C), or to (Q, C) with a second layer's operator for Q nodes alone."""
        hidden = self.embed(x, smooth)  # (M, hidden)
        return (smooth_again or smooth)(self.second(hidden))  # (Q, C)


class Student(nn.Module):
    """The network on one node's features; it is also the plain baseline when it learns from labels alone."""

    def __init__(self, config: LightHGNNConfig) -> None:
        super().__init__()
        self.first = nn.Linear(config.n_features, config.student_hidden)
        self.norm = nn.BatchNorm1d(config.student_hidden) if config.batch_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.second = nn.Linear(config.student_hidden, config.n_classes)

    def embed(self, x: Tensor) -> Tensor:
        """Hidden values (N, hidden) of features (N, F), dense or sparse."""
        hidden: Tensor = self.dropout(self.norm(functional.relu(affine(self.first, x))))  # (N, hidden)
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """Logits: (N, F) to (N, C)."""
        logits: Tensor = self.second(self.embed(x))  # (N, C)
        return logits


def counted_parameters(config: LightHGNNConfig) -> tuple[int, int]:
    """Trained numbers of teacher and student in closed form."""
    f, c, t, s = config.n_features, config.n_classes, config.teacher_hidden, config.student_hidden
    return (f + 1) * t + (t + 1) * c, (f + 1) * s + 2 * s * config.batch_norm + (s + 1) * c


def divergence(targets: Tensor, log_answers: Tensor) -> Tensor:
    """KL(targets || answers), mean over rows; 0 ln 0 = 0."""
    return (torch.xlogy(targets, targets) - targets * log_answers).sum(dim=1).mean()


def flattened_divergence(targets: Tensor, log_answers: Tensor) -> Tensor:
    """What the release minimises: sum_c e^p_c (p_c - ln q_c). Least at q = softmax(p), not at q = p."""
    return (targets.exp() * (targets - log_answers)).sum(dim=1).mean()


def high_order_divergence(
    targets: Tensor, logits: Tensor, edge_means: Smooth, kept: Tensor, measure: Divergence = divergence
) -> Tensor:
    """L_hc: the divergence of the hyperedges' mean answers.

    Parameters
    ----------
    targets, logits : (N, C), the teacher's probabilities and the student's logits.
    edge_means : from nodes to hyperedges, (N, C) to (E, C).
    kept : (E,) bool, which hyperedges count; with none of them the result is 0.
    """
    if not kept.any():
        return logits.sum() * 0
    answers = edge_means(functional.softmax(logits, dim=1))[kept]  # (kept, C)
    return measure(edge_means(targets)[kept], answers.clamp_min(TINY).log())


def perturbed(x: Tensor, generator: torch.Generator, scale: float = 1.0) -> Tensor:
    """Features times (1 + noise) times `scale`, noise N(0, 1) for each entry; entries of 0 stay 0."""
    if not x.is_sparse:
        return x * (1 + torch.randn(x.shape, generator=generator)) * scale  # (N, F)
    values = x.values() * (1 + torch.randn(x.values().shape, generator=generator)) * scale  # (non-zeros,)
    return torch.sparse_coo_tensor(x.indices(), values, x.shape, is_coalesced=True, check_invariants=False)


def reliability(clean: Tensor, noisy: Tensor, edge_means: Smooth) -> Tensor:
    """Probabilities q_e (E,) that hyperedges are taken: 1 where noise leaves their mean entropy as it is.

    Parameters
    ----------
    clean, noisy : (N, C) logits of the trained teacher on the features and on perturbed ones.
    """
    means = edge_means(torch.stack([entropy(clean), entropy(noisy)], dim=1))  # (E, 2)
    change = (means[:, 0] - means[:, 1]).abs()  # (E,)
    return 1 - change / change.max() if change.any() else torch.ones_like(change)


@dataclass(frozen=True)
class Lesson:
    """What a trained teacher hands over, computed once.

    Attributes
    ----------
    targets : (N, C), its probabilities.
    edge_means : from nodes to hyperedges.
    keep : (E,), the hyperedges' probabilities of being taken in a step.
    """

    targets: Tensor
    edge_means: Smooth
    keep: Tensor

    def loss(
        self,
        logits: Tensor,
        *,
        high_order: bool,
        measure: Divergence = divergence,
        hard: Tensor | float = 0.0,
        lam: float = 0.0,
    ) -> Tensor:
        """The student's loss at its logits (N, C) of all nodes; draws the hyperedges of this step.

        Parameters
        ----------
        high_order : whether L_hc is added, which makes it LightHGNN+.
        measure : `divergence` or the release's `flattened_divergence`.
        hard : the labelled nodes' cross entropy, weighed by `lam`.
        """
        soft = measure(self.targets, functional.log_softmax(logits, dim=1))
        if high_order:
            kept = torch.bernoulli(self.keep).bool()  # (E,)
            soft = soft + high_order_divergence(self.targets, logits, self.edge_means, kept, measure)
        return lam * hard + (1 - lam) * soft


def teach(teacher: HGNN, x: Tensor, structure: Hypergraph, smooth: Smooth, generator: torch.Generator) -> Lesson:
    """Soft labels and hyperedges' reliability of a trained teacher; the generator draws the noise."""
    clean = evaluated(teacher, lambda: teacher(x, smooth))  # (N, C)
    noisy = evaluated(teacher, lambda: teacher(perturbed(x, generator), smooth))  # (N, C)
    means = structure.edge_means()
    return Lesson(functional.softmax(clean, dim=1), means, reliability(clean, noisy, means))


def topology_score(embedding: Tensor, structure: Hypergraph) -> float:
    """How far nodes lie from their hyperedges' means: mean over e of mean over v in e of |x_v - mean_e|.

    Parameters
    ----------
    embedding : (N, hidden); scaled to rows of mean length 1, since batch normalisation sets the scale at will.
    """
    x = embedding.detach()  # (N, hidden)
    x = x / x.norm(dim=1).mean().clamp_min(TINY)  # (N, hidden)
    node, edge = torch.from_numpy(structure.members)
    distance = (x[node] - structure.edge_means()(x)[edge]).norm(dim=1)  # (M,)
    size = torch.from_numpy(np.bincount(structure.members[1], minlength=structure.n_edges))  # (E,)
    total = torch.zeros(structure.n_edges, dtype=x.dtype).index_add(0, edge, distance)  # (E,)
    return float((total / size).mean())
