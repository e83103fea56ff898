"""VQGraph: a codebook of local graph structure, learned with a teacher and handed down to an MLP.

L. Yang, Y. Tian, M. Xu, Z. Liu, S. Hong, W. Qu, W. Zhang, B. Cui, M. Zhang, J. Leskovec, "VQGraph: Rethinking Graph
Representation Space for Bridging GNNs and MLPs", ICLR 2024, arXiv:2308.02117: the structure-aware tokenizer and the
distillation by soft code assignment. N nodes, A their adjacency of 0 and 1 with self-loops, P = D^-1/2 A D^-1/2,
codes e_1 .. e_M; Lin are linear layers, each its own:

    h = drop(relu(P X W1 + b1)),  k_i = argmax_m cos(h_i, e_m),  z_i = e_{k_i}                  (tokenizer)
    u = Lin(z),  v = Lin(z),  logits = Lin(relu(P u W2 + b2))                                   (decoders)
    L_teacher = CE(labelled nodes) + a MSE(h, v) + b RMSE(A, s(u u^T)) + c MSE(h, sg z)         (a, b, c: weights)
    L_code = tau^2 mean_i KL( softmax(r(h_i) / tau) || softmax(r(t_i) / tau) )                  (code assignment)
    L_student = mean_i KL( teacher's classes || student's classes ) + beta L_code

r are the similarities of a vector to all codes, in one form for the teacher's h and the student's t. The gradient
passes the quantiser unchanged; the codes follow the means of their members. These are the terms of the authors'
released teacher, where s scales the whole matrix to 0 .. 1; the paper's text has the sigmoid. Nodes of one code
have one row of u u^T, so that the N x N matrix is summed over pairs of codes, exactly: O(M^2 + edges).

Left out: SAGE, GAT and APPNP teachers, the release's three optimiser steps an epoch on batches of nodes, the
student's loss on hard labels (weight 0 there), the text's reconstruction of raw attributes by scaled cosine errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.errors import ConfigError
from printedmlp.reference.distillation import Recipe, fit_nodes, soft_label_kl
from printedmlp.reference.graph_data import NodeData, NodeSplit
from printedmlp.reference.graphs import Graph, Smooth, affine
from printedmlp.reference.training import History, built, seeded
from printedmlp.reference.vqgraph_codes import METRICS, Quantiser

EDGE_SCALES = ("min-max", "sigmoid")
SIMILARITIES = ("distance", "cosine", "raw distance")
LEAST_REACH = 1e-6
"""Of the values that min-max scales: with a single code they are all equal."""


@dataclass(frozen=True)
class VQGraphConfig:
    """Sizes and weights of the teacher.

    Attributes
    ----------
    width, hidden : D values of a code; values between the two maps of the classifier.
    n_codes : M; 0 leaves the quantiser out: every node is its own code.
    metric : how the nearest code is found, one of `METRICS`.
    decay : share of a code that stays when it moves to its members' mean.
    node_weight, edge_weight, commitment : a, b and c on top of the file.
    edge_scale : s, one of `EDGE_SCALES`.
    """

    n_features: int
    n_classes: int
    width: int = 64
    hidden: int = 64
    n_codes: int = 256
    metric: str = "cosine"
    decay: float = 0.8
    dropout: float = 0.5
    node_weight: float = 0.001
    edge_weight: float = 0.03
    commitment: float = 0.25
    edge_scale: str = "min-max"

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        if self.metric not in METRICS:
            raise ConfigError(f"metric: {self.metric!r} is not one of {', '.join(METRICS)}")
        if self.edge_scale not in EDGE_SCALES:
            raise ConfigError(f"edge_scale: {self.edge_scale!r} is not one of {', '.join(EDGE_SCALES)}")


RELEASED = VQGraphConfig(n_features=1433, n_classes=7, width=1433, n_codes=5000, dropout=0.8)
"""The authors' teacher for Cora."""


class Tokens(NamedTuple):
    """What the teacher makes of N nodes.

    Attributes
    ----------
    h, z : (N, D) before and after the quantiser.
    k : (N,) numbers of the codes.
    u, v : (N, D) decoded for edges and for nodes.
    logits : (N, n_classes), or of fewer nodes where the last map is cut.
    """

    h: Tensor
    z: Tensor
    k: Tensor
    u: Tensor
    v: Tensor
    logits: Tensor


class VQGraph(nn.Module):
    """The teacher."""

    def __init__(self, config: VQGraphConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = nn.Linear(config.n_features, config.width)
        self.edges = nn.Linear(config.width, config.width)
        self.nodes = nn.Linear(config.width, config.width)
        self.decoder = nn.Linear(config.width, config.hidden)
        self.head = nn.Linear(config.hidden, config.n_classes)
        if config.n_codes:
            self.quantiser = Quantiser(config.n_codes, config.width, config.metric, config.decay)

    def encode(self, X: Tensor, smooth: Smooth) -> Tensor:
        """h (N, D) of X (N, F), which may be sparse."""
        h = functional.relu(smooth(X @ self.encoder.weight.T) + self.encoder.bias)  # (N, D)
        return functional.dropout(h, self.config.dropout, self.training)

    def forward(self, X: Tensor, first: Smooth, last: Smooth | None = None) -> Tokens:
        """Tokens of X (N, F) with P, or with what P is for some nodes in the `first` and in the `last` map."""
        h = self.encode(X, first)  # (N, D)
        z, k = self.quantiser(h) if self.config.n_codes else (h, torch.arange(len(h)))  # (N, D), (N,)
        u, v = self.edges(z), self.nodes(z)  # (N, D) each
        return Tokens(h, z, k, u, v, self._decoded(u, last or first))

    def answer(self, X: Tensor, first: Smooth, last: Smooth | None = None) -> Tensor:
        """The logits of `forward` alone: the nodes' own decoder, which they do not depend on, is not asked."""
        h = self.encode(X, first)  # (N, D)
        z = self.quantiser(h)[0] if self.config.n_codes else h  # (N, D)
        return self._decoded(self.edges(z), last or first)

    def _decoded(self, u: Tensor, smooth: Smooth) -> Tensor:
        logits: Tensor = self.head(functional.relu(smooth(u @ self.decoder.weight.T) + self.decoder.bias))  # (N, C)
        return logits

    def reconstruction(self, tokens: Tokens, pairs: Tensor) -> Tensor:
        """L_teacher without its cross-entropy; pairs (2, E) as for `edge_error`."""
        config = self.config
        nodes = config.node_weight * functional.mse_loss(tokens.v, tokens.h)
        edges = config.edge_weight * edge_error(tokens.u, tokens.k, pairs, config.edge_scale).sqrt()
        return nodes + edges + config.commitment * commitment(tokens.h, tokens.z)


def commitment(h: Tensor, z: Tensor) -> Tensor:
    """Mean squared distance of h (N, D) from its codes z (N, D), which get no gradient."""
    return functional.mse_loss(h, z.detach())


def edge_error(u: Tensor, k: Tensor, pairs: Tensor, scale: str) -> Tensor:
    """Mean of (A - s(u u^T))^2 over all N^2 entries, with the value and the gradient of the dense matrix.

    Parameters
    ----------
    u : (N, D), equal for nodes of equal k.
    k : (N,) code of each node.
    pairs : (2, E) places of the ones of A: both directions and self-loops.
    scale : one of `EDGE_SCALES`.
    """
    _, place, counts = k.unique(return_inverse=True, return_counts=True)  # (K,), (N,), (K,)
    size = counts.to(u.dtype)  # (K,)
    codes = u.new_zeros(len(size), u.shape[1]).index_add(0, place, u) / size[:, None]  # (K, D)
    gram = codes @ codes.T  # (K, K)
    ones = (u[pairs[0]] * u[pairs[1]]).sum(dim=1)  # (E,)
    if scale == "sigmoid":
        gram, ones = gram.sigmoid(), ones.sigmoid()
    else:
        low = gram.amin()
        reach = (gram.amax() - low).clamp_min(LEAST_REACH)
        gram, ones = (gram - low) / reach, (ones - low) / reach
    total: Tensor = size @ gram.square() @ size + (1 - 2 * ones).sum()
    return total / len(u) ** 2


class Student(nn.Module):
    """F - hidden - C on one node's features, and a head into the space of the codes that only training needs."""

    def __init__(self, n_features: int, hidden: int, n_classes: int, width: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.first = nn.Linear(n_features, hidden)
        self.last = nn.Linear(hidden, n_classes)
        self.codes = nn.Linear(hidden, width)
        self.dropout = dropout

    def features(self, x: Tensor) -> Tensor:
        """Hidden values (B, hidden) of x (B, F), which may be sparse."""
        hidden = functional.relu(affine(self.first, x))  # (B, hidden)
        return functional.dropout(hidden, self.dropout, self.training)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, n_classes)."""
        logits: Tensor = self.last(self.features(x))  # (B, n_classes)
        return logits

    def classes_and_codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, n_classes) and vectors t (B, D)."""
        hidden = self.features(x)  # (B, hidden)
        return self.last(hidden), self.codes(hidden)


def similarities(vectors: Tensor, codes: Tensor, kind: str) -> Tensor:
    """r of vectors (N, D) to codes (M, D): (N, M).

    Parameters
    ----------
    kind : minus the "distance" of the two at length 1, their "cosine", or minus the "raw distance".
    """
    assert kind in SIMILARITIES, kind
    if kind == "raw distance":
        return -torch.cdist(vectors, codes)
    cosine = functional.normalize(vectors) @ functional.normalize(codes).T  # (N, M)
    return cosine if kind == "cosine" else -(2 - 2 * cosine).clamp_min(1e-8).sqrt()


def code_loss(
    teacher: Tensor, student: Tensor, codes: Tensor, tau: float, kinds: tuple[str, str] = ("distance", "distance")
) -> Tensor:
    """L_code of the teacher's and the student's vectors, (N, D) each; `kinds` are r for one and the other."""
    target = functional.log_softmax(similarities(teacher, codes, kinds[0]) / tau, dim=1)  # (N, M)
    answer = functional.log_softmax(similarities(student, codes, kinds[1]) / tau, dim=1)  # (N, M)
    return tau**2 * functional.kl_div(answer, target, reduction="batchmean", log_target=True)


@dataclass(frozen=True)
class Distillation:
    """How a student is taught.

    Attributes
    ----------
    code_weight : beta on top of the file.
    tau : temperature of the code assignment.
    kinds : similarities of the teacher's and of the student's vectors to the codes.
    hidden, dropout : of the student.
    """

    code_weight: float = 1.0
    tau: float = 0.5
    kinds: tuple[str, str] = ("distance", "distance")
    hidden: int = 128
    dropout: float = 0.5


def train_teacher(
    data: NodeData[Graph], split: NodeSplit, config: VQGraphConfig, recipe: Recipe, *, seed: int
) -> tuple[VQGraph, Tokens, History]:
    """A teacher trained on the labelled nodes, its tokens in evaluation mode, and how it went."""
    model = cast(VQGraph, built(lambda: VQGraph(config), seed))
    smooth, pairs = data.structure.gcn_operator(), looped_pairs(data.structure)

    def loss(epoch: int) -> Tensor:
        if epoch == 1 and config.n_codes:
            model.quantiser.start(model.encode(data.x, smooth), seeded(seed))
        tokens = model(data.x, smooth)
        labelled = functional.cross_entropy(tokens.logits[split.train], data.y[split.train])
        return labelled + model.reconstruction(tokens, pairs)

    history = fit_nodes(
        model, loss, lambda: model(data.x, smooth).logits, data.y, split.validation, recipe, seed=seed
    )
    with torch.no_grad():
        return model, model(data.x, smooth), history


def train_student(
    data: NodeData[Graph],
    split: NodeSplit,
    tokens: Tokens,
    codes: Tensor,
    distillation: Distillation,
    recipe: Recipe,
    *,
    seed: int,
) -> tuple[Student, History]:
    """A student of a teacher's tokens and codes (M, D), taught on the features of all nodes, and how it went."""
    sizes = data.x.shape[1], distillation.hidden, data.n_classes, codes.shape[1]
    model = cast(Student, built(lambda: Student(*sizes, distillation.dropout), seed))

    def loss(_epoch: int) -> Tensor:
        logits, t = model.classes_and_codes(data.x)
        value = soft_label_kl(logits, tokens.logits).mean()
        if distillation.code_weight:
            of_codes = code_loss(tokens.h, t, codes, distillation.tau, distillation.kinds)
            value = value + distillation.code_weight * of_codes
        return value

    return model, fit_nodes(model, loss, lambda: model(data.x), data.y, split.validation, recipe, seed=seed)


def looped_pairs(graph: Graph) -> Tensor:
    """Places (2, E) of the ones of A: each edge in both directions, and self-loops."""
    return torch.cat([torch.from_numpy(graph.pairs()), torch.arange(graph.n_nodes).repeat(2, 1)], dim=1)
