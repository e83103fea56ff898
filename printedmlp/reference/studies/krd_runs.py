"""Runs behind the study of distilled graph networks: five networks a seed, and the time of single queries."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from printedmlp.reference.distillation import (
    Recipe,
    evaluated,
    fit_nodes,
    median_seconds,
    share_right,
    soft_label_kl,
)
from printedmlp.reference.glnn import GCN, Config, Student, glnn_loss, train_teacher
from printedmlp.reference.graph_data import (
    GRAPHS,
    NodeData,
    NodeSplit,
    available,
    block_model,
    citation_graph,
    node_split,
)
from printedmlp.reference.graphs import Graph, compressed, gathered
from printedmlp.reference.krd import KRDConfig, ReliablePairs, krd_loss, unreliability
from printedmlp.reference.training import built, parameter_count

TEACHER, MLP, GLNN, KRD, EVERY = "GCN teacher", "plain MLP", "GLNN", "KRD", "all neighbours"
NETWORKS = (TEACHER, MLP, GLNN, KRD, EVERY)
SYNTHETIC = "block model"


@dataclass(frozen=True)
class Plan:
    """How much is run.

    Attributes
    ----------
    teacher_epochs, student_epochs : full-batch steps.
    starts : students of each kind a teacher.
    size : nodes a class of the block model.
    queries : repetitions of every timing.
    genuine : whether Cora and Citeseer are asked for.
    """

    teacher_epochs: int
    student_epochs: int
    starts: int
    size: int
    queries: int
    genuine: bool


FULL = Plan(200, 300, 2, 200, 300, genuine=True)
QUICK = Plan(60, 80, 1, 60, 20, genuine=False)
TEACHER_HIDDEN, STUDENT_HIDDEN, DROPOUT = (64,), (128,), 0.5
TEACHER_DECAY, MLP_DECAY = 5e-4, 5e-3


@dataclass(frozen=True)
class Trial:
    """What one teacher and its students did.

    Attributes
    ----------
    accuracies : by network, on test nodes, one a start (one of teacher and MLP).
    reliable : accuracy of the teacher on tenths of the test nodes, the most reliable tenth first.
    agreement : (2, epochs) share of the reliable and of the other half where GLNN's student is with its teacher.
    confidence : by network, largest probability, a mean over test nodes and starts.
    alphas : of KRD's first start, after every epoch.
    seconds, parameters : by network; seconds of a training, one start on average.
    """

    accuracies: dict[str, list[float]]
    reliable: list[float]
    agreement: list[list[float]]
    confidence: dict[str, float]
    alphas: list[float]
    seconds: dict[str, float]
    parameters: dict[str, int]


@dataclass(frozen=True)
class Speed:
    """Median seconds of one query, and how far the gathered answer is from the full pass at most."""

    data: str
    student: float
    gathered: float
    full: float
    error: float


def corpora(plan: Plan) -> dict[str, Callable[[int], tuple[NodeData[Graph], NodeSplit]]]:
    """By name, seed to data and split: the genuine graphs that are there, as published, and the made one."""
    genuine = {name.capitalize(): _published(name) for name in GRAPHS if plan.genuine and available(name)}
    return {**genuine, SYNTHETIC: lambda seed: _made(plan.size, seed)}


def trial(data: NodeData[Graph], split: NodeSplit, plan: Plan, seed: int) -> Trial:
    """Train the teacher, the plain MLP and the students of one seed."""
    recipe = Recipe(plan.teacher_epochs, weight_decay=TEACHER_DECAY)
    teacher, soft, history = train_teacher(data, split, TEACHER_HIDDEN, DROPOUT, recipe, seed=seed)
    bench = _Bench(data, split, plan, teacher, soft, seed)
    bench.note(TEACHER, soft, history.seconds, parameter_count(teacher))
    bench.mlp()
    for start in range(plan.starts):
        for teach in (bench.glnn, bench.krd, bench.every):
            teach(1 + plan.starts * seed + start)
    return bench.trial()


def measured_speed(data: NodeData[Graph], plan: Plan, seed: int) -> Speed:
    """Single nodes asked of an untrained student and teacher: neither answer nor time depends on the training."""
    config = Config(data.x.shape[1], data.n_classes, TEACHER_HIDDEN)
    teacher = cast(GCN, built(lambda: GCN(config), seed)).eval()
    student = built(lambda: Student(Config(data.x.shape[1], data.n_classes, STUDENT_HIDDEN)), seed).eval()
    operator, dense = data.structure.gcn_operator(), data.x.to_dense()
    smooth = compressed(operator)
    nodes = np.random.default_rng(seed).choice(len(dense), plan.queries, replace=False)
    turns: Iterator[int] = itertools.cycle(nodes.tolist())

    def asked(node: int) -> Tensor:
        layers, needed = gathered(operator, np.array([node]), len(teacher.linears))
        return cast(Tensor, teacher(dense[needed], layers))

    def full() -> Tensor:
        return cast(Tensor, teacher(data.x, [smooth] * len(teacher.linears)))

    with torch.no_grad():
        answers = full()
        error = max(float((asked(node) - answers[node]).abs().max()) for node in nodes.tolist())
    return Speed(
        data.name,
        median_seconds(lambda: student(dense[[next(turns)]]), plan.queries),
        median_seconds(lambda: asked(next(turns)), plan.queries),
        median_seconds(full, max(5, plan.queries // 10)),
        error,
    )


def _published(name: str) -> Callable[[int], tuple[NodeData[Graph], NodeSplit]]:
    def load(_seed: int) -> tuple[NodeData[Graph], NodeSplit]:
        data = citation_graph(name)
        assert data.split is not None
        return data, data.split

    return load


def _made(size: int, seed: int) -> tuple[NodeData[Graph], NodeSplit]:
    data = block_model(seed, size=size)
    return data, node_split(data.y, seed, train=min(20, size // 4), validation=min(30, size // 4))


class _Bench:
    """One teacher and what its students are told, with a record of what they do."""

    def __init__(
        self, data: NodeData[Graph], split: NodeSplit, plan: Plan, teacher: GCN, soft: Tensor, seed: int
    ) -> None:
        self.data, self.split, self.plan, self.soft, self.seed = data, split, plan, soft, seed
        self.pairs = torch.from_numpy(np.ascontiguousarray(data.structure.pairs()))  # (2, 2 n_edges)
        operators = [data.structure.gcn_operator()] * len(teacher.linears)
        self.rho = unreliability(lambda x: teacher(x, operators), data.x, KRDConfig().noise, seed=seed)  # (n,)
        self.halves = self.rho.argsort().tensor_split(2)
        self.agreement: list[list[float]] = [[], []]
        self.alphas: list[float] = []
        self.accuracies: dict[str, list[float]] = {}
        self.confidences: dict[str, list[float]] = {}
        self.seconds: dict[str, list[float]] = {}
        self.parameters: dict[str, int] = {}

    def mlp(self) -> None:
        """Trained on the labelled nodes' classes alone."""
        self._train(MLP, self.seed, lambda logits, _epoch: self._hard(logits), MLP_DECAY)

    def glnn(self, start: int) -> None:
        """Trained on every node's own soft label."""
        watch = self._watch if not self.agreement[0] else None
        train, y = self.split.train, self.data.y
        self._train(GLNN, start, lambda logits, _epoch: glnn_loss(logits, self.soft, y, train), watch=watch)

    def krd(self, start: int) -> None:
        """Trained on its own soft label and those of the reliable neighbours."""
        sampler = ReliablePairs(self.pairs, self.rho, KRDConfig())

        def loss(logits: Tensor, epoch: int) -> Tensor:
            pairs = sampler.draw(epoch)
            sampler.learn(epoch, logits.detach(), self.soft)
            return krd_loss(logits, self.soft, self.data.y, self.split.train, pairs, sampler.config)

        self._train(KRD, start, loss)
        self.alphas = self.alphas or sampler.alphas

    def every(self, start: int) -> None:
        """Trained on its own soft label and those of all neighbours."""
        pairs = ReliablePairs(self.pairs, self.rho, KRDConfig()).draw(epoch=1)
        soft = self.soft[pairs[1]]  # (n + n_pairs, n_classes)
        self._train(EVERY, start, lambda logits, _epoch: soft_label_kl(logits[pairs[0]], soft).mean())

    def note(self, name: str, logits: Tensor, seconds: float, parameters: int) -> None:
        """Record what a network answers."""
        test = self.split.test
        confidence = float(functional.softmax(logits[test], dim=1).max(dim=1).values.mean())
        self.accuracies.setdefault(name, []).append(share_right(logits, self.data.y, test))
        self.confidences.setdefault(name, []).append(confidence)
        self.seconds.setdefault(name, []).append(seconds)
        self.parameters[name] = parameters

    def trial(self) -> Trial:
        """Everything recorded."""
        test = self.split.test[self.rho[self.split.test].argsort()]
        return Trial(
            self.accuracies,
            [share_right(self.soft, self.data.y, tenth) for tenth in test.tensor_split(10)],
            self.agreement,
            {name: statistics.fmean(values) for name, values in self.confidences.items()},
            self.alphas,
            {name: statistics.fmean(values) for name, values in self.seconds.items()},
            self.parameters,
        )

    def _train(
        self,
        name: str,
        start: int,
        loss: Callable[[Tensor, int], Tensor],
        decay: float = 0.0,
        watch: Callable[[Tensor], None] | None = None,
    ) -> None:
        x, config = self.data.x, Config(self.data.x.shape[1], self.data.n_classes, STUDENT_HIDDEN, DROPOUT)
        model = built(lambda: Student(config), start)

        def answers() -> Tensor:
            logits = cast(Tensor, model(x))
            if watch:
                watch(logits)
            return logits

        recipe = Recipe(self.plan.student_epochs, weight_decay=decay)
        history = fit_nodes(
            model,
            lambda epoch: loss(model(x), epoch),
            answers,
            self.data.y,
            self.split.validation,
            recipe,
            seed=start,
        )
        self.note(name, evaluated(model, lambda: cast(Tensor, model(x))), history.seconds, parameter_count(model))

    def _hard(self, logits: Tensor) -> Tensor:
        return functional.cross_entropy(logits[self.split.train], self.data.y[self.split.train])

    def _watch(self, logits: Tensor) -> None:
        same = (logits.argmax(dim=1) == self.soft.argmax(dim=1)).double()  # (n,)
        for curve, half in zip(self.agreement, self.halves, strict=True):
            curve.append(float(same[half].mean()))
