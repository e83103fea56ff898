"""A table as a graph: each training row is joined to its nearest ones, for graph networks and their students.

A row's hidden values are averaged over itself and its k nearest training rows before each layer (GraphSAGE's "gcn"
aggregation, arXiv:1706.02216), or over the hyperedges it is in, one around each row (HGNN+: see `graphs`). A row
that is not a training row looks at training rows only, and none looks at it, so validation and test rows leave the
network as it is. Students: GLNN (arXiv:2110.08727) and LightHGNN (arXiv:2402.04296) learn the soft labels of the
graph's and the hypergraph's network, KRD (arXiv:2306.05628) those of reliable neighbours, too. Left out: rows
without a class, LightHGNN's batch normalisation and its high-order constraint.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference import mlp
from printedmlp.reference.distillation import Recipe, fit_nodes
from printedmlp.reference.krd import KRDConfig, fitted_alpha, keep_probability, unreliability
from printedmlp.reference.training import (
    History,
    Settings,
    Tensors,
    built,
    cross_entropy,
    fit,
    outputs,
    pick_device,
)

GRAPH, HYPERGRAPH = "gcn", "hgnn"
STUDENTS = {"glnn": GRAPH, "krd": GRAPH, "lighthgnn": HYPERGRAPH}
"""By student, its teacher."""
NEAREST = 5
HIDDEN = 64
DROPOUT = 0.2
MOST_STEPS = 400
"""Full-batch steps of a teacher."""
TEACHER_RATE = 0.01
"""Of the teacher of a student, the rate of the papers; a teacher on its own is trained at the rate asked for."""
DISTANCES = 1 << 24
"""That are held at once."""
TIE = 1e-12
"""What a row's number adds to its distance: less than float32 distances differ by, so that ties alone feel it."""


def nearest(rows: Tensor, x: Tensor, k: int, *, own: bool = False) -> Tensor:
    """The k rows (n, k) nearest to each of (n, n_features), nearest first, ties to the earlier.

    Distances are Euclidean.

    Parameters
    ----------
    rows : (n_rows, n_features) to look among.
    own : x are the rows themselves, and none is its own neighbour.
    """
    found, step = [], max(1, DISTANCES // len(rows))
    later = TIE * torch.arange(len(rows), device=rows.device, dtype=torch.float64)  # (n_rows,)
    for start in range(0, len(x), step):
        piece = x[start : start + step]
        distance = torch.cdist(piece, rows, compute_mode="donot_use_mm_for_euclid_dist") + later  # (piece, n_rows)
        if own:
            distance[torch.arange(len(piece)), torch.arange(start, start + len(piece))] = torch.inf
        found.append(distance.topk(k, dim=1, largest=False).indices)
    return torch.cat(found) if found else torch.empty(0, k, dtype=torch.long, device=x.device)


class RowNetwork(nn.Module):
    """H <- Drop(ReLU(mean of neighbourhood(H) W + b)), two layers; it keeps the training rows."""

    rows: Tensor
    near: Tensor

    def __init__(self, kind: str, rows: Tensor, n_classes: int) -> None:
        """Join the training rows (n, n_features)."""
        super().__init__()
        self.kind, self.k = kind, min(NEAREST, len(rows) - 1)
        sizes = (rows.shape[1], HIDDEN, n_classes)
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in pairwise(sizes))
        self.dropout = nn.Dropout(DROPOUT)
        self.register_buffer("rows", rows)
        self.register_buffer("near", nearest(rows, rows, self.k, own=True))  # (n, k)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (m, n_classes) of rows (m, n_features) that are not training rows."""
        return self.answers(self.rows, x, nearest(self.rows, x, self.k))[1]

    def answers(self, own: Tensor, new: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the training rows and of others.

        Parameters
        ----------
        own : (n, n_features), the training rows or what is put in their places.
        new, near : (m, n_features) and the numbers (m, k) of the training rows nearest to them.
        """
        for number, layer in enumerate(self.layers, start=1):
            own, new = layer(self.smooth(own)), layer(self.smooth_new(own, new, near))
            if number < len(self.layers):
                own, new = (self.dropout(functional.relu(values)) for values in (own, new))
        return own, new

    def own_answers(self, own: Tensor) -> Tensor:
        """Logits (n, n_classes) of the training rows or of what is put in their places."""
        return self.answers(own, own[:0], self.near[:0])[0]

    def smooth(self, own: Tensor) -> Tensor:
        """What a layer of the training rows takes: a mean for each of (n, width)."""
        edges = self._edge_sums(own) / (self.k + 1)  # (n, width)
        if self.kind == GRAPH:
            return edges
        places = self.near.flatten()
        repeated = edges.repeat_interleave(self.k, dim=0)  # (n k, width)
        counts = 1 + torch.bincount(places, minlength=len(own))  # (n,)
        return edges.index_add(0, places, repeated) / counts[:, None]

    def smooth_new(self, own: Tensor, new: Tensor, near: Tensor) -> Tensor:
        """The same for other rows (m, width) that join their own hyperedge and those around their neighbours."""
        first = (new + own[near].sum(dim=1)) / (self.k + 1)  # (m, width)
        if self.kind == GRAPH:
            return first
        joined = (new[:, None] + self._edge_sums(own)[near]) / (self.k + 2)  # (m, k, width)
        return (first + joined.sum(dim=1)) / (self.k + 1)

    def _edge_sums(self, own: Tensor) -> Tensor:
        """Sum over each training row and its neighbours."""
        return own + own[self.near].sum(dim=1)


def row_model(key: str, n_features: int, n_classes: int) -> nn.Module:
    """An untrained network of a key: for its number of parameters, and the student's start."""
    if key in STUDENTS:
        return mlp.tabular_model(n_features, n_classes)
    return RowNetwork(key, torch.zeros(NEAREST + 1, n_features), n_classes)


def fit_rows(
    key: str, train: Tensors, validation: Tensors, n_classes: int, settings: Settings, *, seed: int
) -> tuple[nn.Module, History]:
    """Train a graph network on the rows' classes, or a perceptron on such a network's soft labels.

    Parameters
    ----------
    key : GRAPH, HYPERGRAPH or one of `STUDENTS`.
    train, validation : scaled rows (n, n_features) and their classes; the latter choose the epoch.
    settings : of a student; a teacher takes its rate and its number of steps, at most `MOST_STEPS`, of all rows.
    """
    device = pick_device(settings.device)
    train, validation = train.to(device), validation.to(device)
    steps = min(MOST_STEPS, settings.epochs * -(-len(train.x) // max(1, settings.batch_size)))
    rate = TEACHER_RATE if key in STUDENTS else settings.learning_rate
    teacher, history = _teacher(
        STUDENTS.get(key, key), train, validation, n_classes, Recipe(steps, rate, 5e-4), seed
    )
    if key not in STUDENTS:
        return teacher, history
    student = built(lambda: row_model(key, train.x.shape[1], n_classes), seed)
    teach = _reliable if key == "krd" else _plain
    learnt = teach(student, teacher, train, validation, settings, seed)
    learnt.seconds += history.seconds
    return student, learnt


def _teacher(
    kind: str, train: Tensors, validation: Tensors, n_classes: int, recipe: Recipe, seed: int
) -> tuple[RowNetwork, History]:
    network = cast(RowNetwork, built(lambda: RowNetwork(kind, train.x.cpu(), n_classes), seed).to(train.x.device))
    near, everyone = nearest(network.rows, validation.x, network.k), torch.arange(len(validation.y))
    losses: list[float] = []

    def answers() -> Tensor:
        logits = network.answers(network.rows, validation.x, near)[1]
        losses.append(float(functional.cross_entropy(logits, validation.y)))
        return logits

    def loss(_epoch: int) -> Tensor:
        return functional.cross_entropy(network.own_answers(network.rows), train.y)

    history = fit_nodes(network, loss, answers, validation.y, everyone, recipe, seed=seed)
    history.validation_losses = losses
    return network, history


def _plain(
    student: nn.Module, teacher: RowNetwork, train: Tensors, validation: Tensors, settings: Settings, seed: int
) -> History:
    """Every row's own soft label: its cross entropy is KL(teacher || student) and a constant."""
    soft = _own(teacher).softmax(dim=1)  # (n, n_classes)
    return fit(student, cross_entropy(), Tensors(train.x, soft), validation, settings, seed=seed)


def _reliable(
    student: nn.Module, teacher: RowNetwork, train: Tensors, validation: Tensors, settings: Settings, seed: int
) -> History:
    """Own soft labels and those of the reliable neighbours, drawn anew for every batch."""
    lesson = _Lesson(teacher, train, settings, seed)
    numbered = Tensors(train.x, torch.arange(len(train.x), dtype=torch.float32)[:, None].to(train.x.device))
    return fit(
        student,
        lesson.loss,
        numbered,
        validation,
        settings,
        seed=seed,
        after_epoch=lambda epoch: lesson.learn(epoch, student),
    )


class _Lesson:
    """What a row learns from its neighbours, and how far they can be trusted."""

    def __init__(self, teacher: RowNetwork, train: Tensors, settings: Settings, seed: int) -> None:
        self.config = KRDConfig(warm_up=settings.epochs // 4, momentum=0.9)
        self.alpha, self.x, self.near = 1.0, train.x, teacher.near
        logits = _own(teacher)
        self.soft, self.answers = logits.softmax(dim=1), logits.argmax(dim=1)
        self.rho = unreliability(teacher.own_answers, train.x, self.config.noise, seed=seed)  # (n,)
        self.chance = torch.ones_like(self.rho)

    def loss(self, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """Cross entropy with classes (batch,), or with the soft labels around numbered rows (batch, 1)."""
        logits = model(x)
        if y.ndim == 1:
            return functional.cross_entropy(logits, y)
        number = y[:, 0].long()
        near = self.near[number]  # (batch, k)
        kept = (torch.rand(near.shape, device=near.device) < self.chance[near]).to(x.dtype)  # (batch, k)
        target = self.soft[number] + (kept[..., None] * self.soft[near]).sum(dim=1)  # (batch, n_classes)
        return -(target * functional.log_softmax(logits, dim=1)).sum() / (len(near) + kept.sum())

    def learn(self, epoch: int, student: nn.Module) -> None:
        """Move alpha after the warm-up towards what fits the agreement of student and teacher."""
        if epoch < self.config.warm_up:
            return
        agree = (outputs(student, self.x).argmax(dim=1) == self.answers).cpu()  # (n,)
        found = fitted_alpha(self.rho.cpu().numpy(), agree.numpy(), self.config.bins)
        if found is not None:
            self.alpha = self.config.momentum * self.alpha + (1 - self.config.momentum) * found
        self.chance = keep_probability(self.rho, self.alpha)


def _own(teacher: RowNetwork) -> Tensor:
    with torch.no_grad():
        return teacher.own_answers(teacher.rows)
