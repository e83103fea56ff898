"""Experiments on LightHGNN: teacher, plain network and both students on one hypergraph, and nodes nobody met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.distillation import Recipe, evaluated, fit_nodes, share_right
from printedmlp.reference.graph_data import (
    HYPERGRAPHS,
    NodeData,
    NodeSplit,
    available,
    citation_hypergraph,
    node_split,
    planted_hypergraph,
)
from printedmlp.reference.graphs import Hypergraph
from printedmlp.reference.lighthgnn import (
    HGNN,
    Lesson,
    LightHGNNConfig,
    Smooth,
    Student,
    teach,
    topology_score,
)
from printedmlp.reference.training import History, built, parameter_count, seeded

MODELS = ("HGNN", "MLP", "LightHGNN", "LightHGNN+")
UNSEEN = 0.9
"""Share of the test nodes that nobody meets before they are asked for, as in the authors' settings."""


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiments.

    Attributes
    ----------
    epochs : of every network.
    nodes, edges : of the planted hypergraph.
    genuine : whether the citation hypergraphs are run, where they are there.
    sizes : nodes of the hypergraphs that time is measured on.
    queries, repeats : nodes asked for one by one, and calls of each.
    """

    epochs: int = 200
    nodes: int = 1500
    edges: int = 600
    genuine: bool = True
    sizes: tuple[int, ...] = (2000, 8000, 32000, 50000)
    queries: int = 50
    repeats: int = 9


FULL = Plan()
QUICK = Plan(epochs=50, nodes=600, edges=240, genuine=False, sizes=(2000, 8000), queries=10, repeats=5)


@dataclass(frozen=True)
class Task:
    """Nodes to classify, their parts, and how networks are made and trained for them."""

    data: NodeData[Hypergraph]
    split: NodeSplit
    config: LightHGNNConfig
    recipe: Recipe


@dataclass(frozen=True)
class Found:
    """A trained model's share of right test nodes, topology-aware score, size, and how it got there."""

    accuracy: float
    score: float
    parameters: int
    history: History


@dataclass(frozen=True)
class Trial:
    """All models on one task and seed.

    Attributes
    ----------
    found : by name of `MODELS`.
    keep : (E,), the hyperedges' probabilities of being taken.
    unseen : accuracy on nodes nobody met, by name; LightHGNN+ is not among them.
    """

    found: dict[str, Found]
    keep: Tensor
    unseen: dict[str, float]


def tasks(plan: Plan, seed: int) -> Iterator[Task]:
    """The planted hypergraph and the genuine ones that are there, with a split of this seed.

    On the genuine ones the recipe is the paper's: 20 and 100 nodes a class, batch normalisation, weight decay. The
    planted one has 30 nodes a class to choose by and neither, for its features are few and dense.
    """
    planted = planted_hypergraph(seed, n=plan.nodes, edges=plan.edges)
    split = node_split(planted.y, seed, train=20, validation=30)
    config = LightHGNNConfig(planted.x.shape[1], planted.n_classes, batch_norm=False)
    yield Task(planted, split, config, Recipe(plan.epochs))
    for name in filter(available, HYPERGRAPHS if plan.genuine else ()):
        data = citation_hypergraph(name)
        split = node_split(data.y, seed, train=20, validation=100)
        config = LightHGNNConfig(data.x.shape[1], data.n_classes)
        yield Task(data, split, config, Recipe(plan.epochs, weight_decay=5e-4))


def trial(task: Task, seed: int) -> Trial:
    """Train all four and ask them for the test nodes; then ask for nodes that were kept from them."""
    data, smooth = task.data, task.data.structure.hgnn_operator()
    teacher, history = teacher_of(task, smooth, seed)
    lesson = teach(teacher, data.x, data.structure, smooth, seeded(seed))
    found = {"HGNN": _found(teacher, history, task, teacher.embed(data.x, smooth), teacher(data.x, smooth))}
    for name in MODELS[1:]:
        student, history = student_of(task, seed, None if name == "MLP" else lesson, high_order=name[-1] == "+")
        found[name] = _found(student, history, task, student.embed(data.x), student(data.x))
    return Trial(found, lesson.keep, unseen(task, seed))


def unseen(task: Task, seed: int) -> dict[str, float]:
    """Accuracy of HGNN, MLP and LightHGNN on test nodes that training, teacher's included, knew nothing of.

    HGNN answers with all hyperedges at hand; the others have the nodes' features alone, as always.
    """
    data, test = task.data, task.split.test
    order = torch.randperm(len(test), generator=seeded(seed))
    hidden = test[order[: round(UNSEEN * len(test))]]
    part = without(task, hidden)
    smooth = part.data.structure.hgnn_operator()
    teacher, _ = teacher_of(part, smooth, seed)
    lesson = teach(teacher, part.data.x, part.data.structure, smooth, seeded(seed))
    plain, light = student_of(part, seed, None)[0], student_of(part, seed, lesson)[0]
    logits = {
        "HGNN": evaluated(teacher, lambda: teacher(data.x, data.structure.hgnn_operator())),
        "MLP": evaluated(plain, lambda: plain(data.x)),
        "LightHGNN": evaluated(light, lambda: light(data.x)),
    }
    return {name: share_right(answers, data.y, hidden) for name, answers in logits.items()}


def without(task: Task, hidden: Tensor) -> Task:
    """The task without some nodes: the others renumbered in their order, hyperedges as far as they have members."""
    data = task.data
    kept = np.setdiff1d(np.arange(len(data.y)), hidden.numpy())
    node, edge = data.structure.members
    inside = np.isin(node, kept)
    edges, number = np.unique(edge[inside], return_inverse=True)
    members = np.stack([np.searchsorted(kept, node[inside]), number])
    rows = torch.from_numpy(kept)
    x = data.x.index_select(0, rows)
    smaller = NodeData(
        data.name,
        x.coalesce() if x.is_sparse else x,
        data.y[rows],
        Hypergraph(len(kept), len(edges), members).covered(),
    )
    split = NodeSplit(*(torch.searchsorted(rows, part[torch.isin(part, rows)]) for part in task.split))
    return replace(task, data=smaller, split=split)


def teacher_of(task: Task, smooth: Smooth, seed: int) -> tuple[HGNN, History]:
    """An HGNN that has learned from the labels."""
    model = built(lambda: HGNN(task.config), seed)
    assert isinstance(model, HGNN)
    return model, _fitted(model, lambda: model(task.data.x, smooth), _hard(task), task, seed)


def student_of(
    task: Task, seed: int, lesson: Lesson | None, *, high_order: bool = False
) -> tuple[Student, History]:
    """A network that has learned from the lesson, or from the labels if there is none."""
    model = built(lambda: Student(task.config), seed)
    assert isinstance(model, Student)
    loss = partial(lesson.loss, high_order=high_order) if lesson else _hard(task)
    return model, _fitted(model, lambda: model(task.data.x), loss, task, seed)


def _hard(task: Task) -> Callable[[Tensor], Tensor]:
    """Cross entropy of the training nodes in the logits of all nodes."""
    rows = task.split.train
    return lambda logits: functional.cross_entropy(logits[rows], task.data.y[rows])


def _fitted(
    model: nn.Module, answers: Callable[[], Tensor], loss: Callable[[Tensor], Tensor], task: Task, seed: int
) -> History:
    y, rows = task.data.y, task.split.validation
    return fit_nodes(model, lambda _: loss(answers()), answers, y, rows, task.recipe, seed=seed)


def _found(model: nn.Module, history: History, task: Task, hidden: Tensor, logits: Tensor) -> Found:
    """What a trained model in evaluation mode has reached."""
    return Found(
        share_right(logits, task.data.y, task.split.test),
        topology_score(hidden, task.data.structure),
        parameter_count(model),
        history,
    )
