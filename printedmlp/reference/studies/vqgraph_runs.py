"""Experiments with VQGraph: teachers with codebooks of several sizes, and what their students take over.

On the citation graphs that are in the data folder, or else on the contextual block model. Everything runs on the
processor: the products are sparse and small.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from printedmlp.reference.distillation import Recipe, evaluated, fit_nodes, median_seconds, share_right
from printedmlp.reference.glnn import Config as MLPConfig
from printedmlp.reference.glnn import Student as PlainMLP
from printedmlp.reference.glnn import train_teacher as train_gcn
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
from printedmlp.reference.outcome import Context
from printedmlp.reference.training import History, built, parameter_count
from printedmlp.reference.vqgraph import (
    Distillation,
    Student,
    Tokens,
    VQGraph,
    VQGraphConfig,
    code_loss,
    similarities,
    train_student,
    train_teacher,
)
from printedmlp.reference.vqgraph_codes import code_classes, majority_accuracy, perplexity, same_code_rate, shares

EPOCHS = {True: 40, False: 200}
"""Of quick and of full runs."""
QUERIES = 200
MAIN = "256 codes"
TEACHERS: Mapping[str, Mapping[str, Any]] = {
    MAIN: {},
    "64 codes": {"n_codes": 64},
    "1024 codes": {"n_codes": 1024},
    "256 codes, sigmoid edges": {"edge_scale": "sigmoid"},
    "no codes": {"n_codes": 0},
}
SIZES = ("64 codes", MAIN, "1024 codes")
"""Teachers whose students are compared."""
MLP, GCN, SOFT, CODES = "MLP on labels", "GCN", "soft labels", "soft labels and codes"
PROBE, RELEASED_FORM = "soft labels, head fitted after", "soft labels and codes, similarities as released"
STUDENTS = {
    SOFT: Distillation(code_weight=0.0),
    CODES: Distillation(),
    RELEASED_FORM: Distillation(tau=4.0, kinds=("cosine", "raw distance")),
}


@dataclass(frozen=True)
class Codebook:
    """What the codes of a trained teacher tell of the nodes.

    Attributes
    ----------
    table : (M, n_classes) nodes of each class by code.
    perplexity : of the codes' shares of the nodes.
    same_code, chance : share of edges, and of all pairs of nodes, whose ends have one code.
    """

    table: Tensor
    perplexity: float
    same_code: float
    chance: float

    @property
    def used(self) -> int:
        """Codes with nodes of known class."""
        return int((self.table.sum(dim=1) > 0).sum())

    @property
    def majority(self) -> float:
        """Accuracy of naming every node after the most frequent class of its code."""
        return majority_accuracy(self.table)


@dataclass(frozen=True)
class Network:
    """One trained network.

    Attributes
    ----------
    accuracy : on the test nodes.
    parameters : that inference needs.
    agreement : share of test nodes for which a student names the teacher's code; nan for others.
    """

    accuracy: float
    parameters: int
    seconds: float
    agreement: float = float("nan")


@dataclass(frozen=True)
class Speed:
    """How often a student's query fits into the time that the teacher needs.

    Attributes
    ----------
    all_nodes : to answer for all nodes of the graph.
    neighbourhood : to gather what the query's answer depends on, and to answer for it.
    """

    all_nodes: float
    neighbourhood: float


@dataclass
class Results:
    """All of one data set; lists have one entry a seed.

    Attributes
    ----------
    teachers, codebooks : by names of `TEACHERS`.
    students : those of the main teacher by name, with the plain MLP and the GCN.
    by_size : students with soft labels and codes, by their teacher's name.
    """

    data: str
    teachers: dict[str, list[Network]]
    codebooks: dict[str, list[Codebook]]
    students: dict[str, list[Network]]
    by_size: dict[str, list[Network]]
    speeds: list[Speed]


def measured(context: Context) -> list[Results]:
    """The main data set with all teachers; in full runs the others with the main teacher."""
    names = [name for name in GRAPHS if available(name)] or ["block_model"]
    teachers = [MAIN] if context.quick else list(TEACHERS)
    return [
        _on(name, teachers if number == 0 else [MAIN], context)
        for number, name in enumerate(names[:1] if context.quick else names)
    ]


def _on(name: str, teachers: Sequence[str], context: Context) -> Results:
    results = Results("", {}, {}, {}, {}, [])
    epochs = EPOCHS[context.quick]
    for seed in context.seeds:
        data = words(citation_graph(name) if name in GRAPHS else block_model(seed))
        bench = Bench(data, data.split or node_split(data.y, seed), epochs, seed)
        results.data = data.name
        for teacher in teachers:
            bench.teach(teacher, results)
    return results


def words(data: NodeData[Graph]) -> NodeData[Graph]:
    """The same with a 1 for each word of a node, as the authors have it.

    Divided by the number of words, they are so small beside the first bias that all nodes start with one code.
    """
    ones = torch.ones_like(data.x.values())
    x = torch.sparse_coo_tensor(data.x.indices(), ones, data.x.shape, is_coalesced=True, check_invariants=False)
    return replace(data, x=x)


@dataclass(frozen=True)
class Bench:
    """One data set and seed, on which everything is trained for the same number of epochs."""

    data: NodeData[Graph]
    split: NodeSplit
    epochs: int
    seed: int

    def teach(self, name: str, results: Results) -> None:
        """Train a teacher, and a student if it is among `SIZES`; with the main one all that it is compared with."""
        config = replace(VQGraphConfig(self.data.x.shape[1], self.data.n_classes), **TEACHERS[name])
        recipe = Recipe(self.epochs, weight_decay=5e-4)
        model, tokens, history = train_teacher(self.data, self.split, config, recipe, seed=self.seed)
        _add(results.teachers, name, self.network(tokens.logits, parameter_count(model), history))
        if not config.n_codes:
            return
        _add(results.codebooks, name, self.codebook(tokens.k, config.n_codes))
        if name not in SIZES:
            return
        pupil, network = self.student(model, tokens, STUDENTS[CODES])
        _add(results.by_size, name, network)
        if name == MAIN:
            self.compare(model, tokens, results)
            _add(results.students, CODES, network)
            results.speeds.append(self.speed(model, pupil))

    def compare(self, teacher: VQGraph, tokens: Tokens, results: Results) -> None:
        """Train what the main student is compared with."""
        _add(results.students, MLP, self.plain())
        _add(results.students, GCN, self.gcn())
        soft, network = self.student(teacher, tokens, STUDENTS[SOFT])
        _add(results.students, SOFT, network)
        _add(results.students, PROBE, replace(network, agreement=self.probed(soft, teacher, tokens)))
        _add(results.students, RELEASED_FORM, self.student(teacher, tokens, STUDENTS[RELEASED_FORM])[1])

    def network(
        self, logits: Tensor, parameters: int, history: History, agreement: float = float("nan")
    ) -> Network:
        """Figures of a network from its logits (N, C)."""
        accuracy = share_right(logits, self.data.y, self.split.test)
        return Network(accuracy, parameters, history.seconds, agreement)

    def codebook(self, k: Tensor, n_codes: int) -> Codebook:
        """What the codes k (N,) tell."""
        share = shares(k, n_codes)
        edges = torch.from_numpy(self.data.structure.edges)
        return Codebook(
            code_classes(k, self.data.y, n_codes),
            perplexity(share),
            same_code_rate(k, edges),
            float(share.square().sum()),
        )

    def student(self, teacher: VQGraph, tokens: Tokens, how: Distillation) -> tuple[Student, Network]:
        """A student and its figures."""
        codes = teacher.quantiser.codes
        model, history = train_student(
            self.data, self.split, tokens, codes, how, Recipe(self.epochs), seed=self.seed
        )
        with torch.no_grad():
            logits, t = model.classes_and_codes(self.data.x)
        needed = parameter_count(model.first) + parameter_count(model.last)
        return model, self.network(logits, needed, history, self.agreement(t, tokens, codes, how.kinds[1]))

    def agreement(self, t: Tensor, tokens: Tokens, codes: Tensor, kind: str) -> float:
        """Share of test nodes whose vector t (N, D) is nearest to the teacher's code."""
        return share_right(similarities(t, codes, kind), tokens.k, self.split.test)

    def probed(self, student: Student, teacher: VQGraph, tokens: Tokens) -> float:
        """Agreement of a student whose head alone is fitted to the codes, chosen on the validation nodes."""
        how, codes, head = STUDENTS[CODES], teacher.quantiser.codes, student.codes
        features = evaluated(student, lambda: student.features(self.data.x))

        def loss(_epoch: int) -> Tensor:
            return code_loss(tokens.h, head(features), codes, how.tau, how.kinds)

        def answers() -> Tensor:
            return similarities(head(features), codes, how.kinds[1])

        fit_nodes(head, loss, answers, tokens.k, self.split.validation, Recipe(self.epochs), seed=self.seed)
        return share_right(evaluated(head, answers), tokens.k, self.split.test)

    def plain(self) -> Network:
        """The student's network on the labels alone."""
        config, rows = MLPConfig(self.data.x.shape[1], self.data.n_classes), self.split.train
        model = built(lambda: PlainMLP(config), self.seed)

        def answers() -> Tensor:
            return cast(Tensor, model(self.data.x))

        def loss(_epoch: int) -> Tensor:
            return functional.cross_entropy(answers()[rows], self.data.y[rows])

        recipe = Recipe(self.epochs, weight_decay=5e-3)
        history = fit_nodes(model, loss, answers, self.data.y, self.split.validation, recipe, seed=self.seed)
        return self.network(evaluated(model, answers), parameter_count(model), history)

    def gcn(self) -> Network:
        """A plain GCN with the teacher's recipe."""
        recipe = Recipe(self.epochs, weight_decay=5e-4)
        model, logits, history = train_gcn(self.data, self.split, (64,), 0.5, recipe, seed=self.seed)
        return self.network(logits, parameter_count(model), history)

    def speed(self, teacher: VQGraph, student: Student) -> Speed:
        """Queries of single nodes, features at hand; the teacher gathers the neighbourhood or answers for all."""
        X, P = self.data.x.to_dense(), self.data.structure.gcn_operator()
        smooth = compressed(P)
        nodes = itertools.cycle(self.split.test[:QUERIES].tolist())

        def asked() -> Tensor:
            (first, last), rows = gathered(P, np.array([next(nodes)]), 2)
            return teacher.answer(X[torch.from_numpy(rows)], first, last)

        single = median_seconds(lambda: student(X[next(nodes)][None]), QUERIES)
        return Speed(
            median_seconds(lambda: teacher.answer(self.data.x, smooth), 20) / single,
            median_seconds(asked, QUERIES) / single,
        )


def _add(lists: dict[str, list[Any]], name: str, value: object) -> None:
    lists.setdefault(name, []).append(value)
