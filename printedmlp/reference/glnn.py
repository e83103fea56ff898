"""Graph-less neural networks: a perceptron that learns the soft labels of a graph network, and the graph network.

S. Zhang, Y. Liu, Y. Sun, N. Shah, ICLR 2022, arXiv:2110.08727: the loss is lambda times the cross
entropy of the labelled nodes plus 1 - lambda times the mean over all nodes of KL(teacher || student). Teacher: GCN,
T. Kipf, M. Welling, ICLR 2017, arXiv:1609.02907, eq. 2, or with the operator `Graph.mean_operator` GraphSAGE's
"gcn" aggregation. Left out: two optimiser steps and batches of 512 nodes (here one step on the sum, of all nodes),
temperatures other than 1 (`soft_label_kl` has them), the inductive setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.distillation import Recipe, fit_nodes, soft_label_kl
from printedmlp.reference.graph_data import NodeData, NodeSplit
from printedmlp.reference.graphs import Graph, Smooth, affine
from printedmlp.reference.training import History, built


@dataclass(frozen=True)
class Config:
    """Sizes of a teacher or a student.

    Attributes
    ----------
    n_features, n_classes : of the nodes.
    hidden : width of each hidden layer.
    dropout : share of the hidden values that training drops.
    """

    n_features: int
    n_classes: int
    hidden: tuple[int, ...] = (128,)
    dropout: float = 0.5

    @property
    def sizes(self) -> tuple[int, ...]:
        """From features to classes."""
        return self.n_features, *self.hidden, self.n_classes


class _Layers(nn.Module):
    """Linear layers; PyTorch's default start."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise(config.sizes))
        self.dropout = nn.Dropout(config.dropout)

    @property
    def linears(self) -> list[nn.Linear]:
        """The layers, first to last."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]


class GCN(_Layers):
    """H <- Drop(ReLU(A^ H W + b)), the last layer without ReLU and dropout."""

    def forward(self, x: Tensor, operators: Sequence[Smooth]) -> Tensor:
        """Logits of the nodes that the last operator gives.

        Parameters
        ----------
        x : (n, n_features), dense or sparse.
        operators : one a layer: the whole graph's each time, or those of `graphs.gathered`.
        """
        for number, (linear, operator) in enumerate(zip(self.linears, operators, strict=True), start=1):
            x = operator(x @ linear.weight.t()) + linear.bias  # (n of the layer, width)
            if number < len(self.linears):
                x = self.dropout(functional.relu(x))
        return x


class Student(_Layers):
    """The perceptron: H <- Drop(ReLU(H W + b)), the last layer linear. It never sees an edge."""

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, n_classes) of rows (n, n_features), dense or sparse."""
        *hidden, last = self.linears
        for linear in hidden:
            x = self.dropout(functional.relu(affine(linear, x)))  # (n, width)
        return affine(last, x)


def glnn_loss(student: Tensor, teacher: Tensor, y: Tensor, labelled: Tensor, mix: float = 0.0) -> Tensor:
    """lambda CE(labelled nodes) + (1 - lambda) mean KL(teacher || student) of all nodes.

    Parameters
    ----------
    student, teacher : logits (n, n_classes).
    y : (n,) classes, read at the labelled nodes only.
    mix : lambda; 0 leaves the classes to the teacher, 1 is plain supervised training.
    """
    hard = functional.cross_entropy(student[labelled], y[labelled])
    return mix * hard + (1 - mix) * soft_label_kl(student, teacher).mean()


def train_teacher(
    data: NodeData[Graph], split: NodeSplit, hidden: tuple[int, ...], dropout: float, recipe: Recipe, *, seed: int
) -> tuple[GCN, Tensor, History]:
    """A GCN trained on the labelled nodes, its logits (n, n_classes) in evaluation mode, and how it went."""
    config = Config(data.x.shape[1], data.n_classes, hidden, dropout)
    model = cast(GCN, built(lambda: GCN(config), seed))
    operators = [data.structure.gcn_operator()] * len(model.linears)

    def loss(_epoch: int) -> Tensor:
        return functional.cross_entropy(model(data.x, operators)[split.train], data.y[split.train])

    history = fit_nodes(model, loss, lambda: model(data.x, operators), data.y, split.validation, recipe, seed=seed)
    return model, model(data.x, operators).detach(), history
