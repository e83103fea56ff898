"""How long one answer takes: the teacher's full pass, an exact gathering of two hops, and one row of the student.

All in one process and on one node at a time, each in the quickest form found: compressed sparse rows for the
teacher, its local matrices renumbered without touching anything of the graph's size, and the student's batch
normalisation folded into its second layer. Time is the processor's, so that other work on the machine does not
count. Weights are untrained, which time does not depend on.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from printedmlp.reference.graph_data import NodeData
from printedmlp.reference.graphs import Hypergraph, Rows, compressed, gathered
from printedmlp.reference.lighthgnn import HGNN, LightHGNNConfig, Student
from printedmlp.reference.training import built

FEATURES, CLASSES = 64, 6
"""Of the hypergraphs that only time is measured on."""


@dataclass(frozen=True)
class Times:
    """What answers cost, in seconds of the processor; of single nodes, the mean over the queried ones.

    Attributes
    ----------
    nodes : of the hypergraph.
    full : the teacher on all nodes.
    gather : finding a node's neighbourhood, taking its features and answering, exactly.
    gathered : the last of these alone, with matrices and features at hand.
    student : one row.
    student_full : the student on all nodes.
    fetched : nodes whose features enter one answer of the teacher.
    difference : largest difference of gathered and full logits.
    """

    nodes: int
    full: float
    gather: float
    gathered: float
    student: float
    student_full: float
    fetched: float
    difference: float


def times(data: NodeData[Hypergraph], *, seed: int, queries: int, repeats: int) -> Times:
    """Measure on so many nodes drawn by the seed; medians over the repeats."""
    return _Bench(data, seed).times(queries, repeats)


class _Bench:
    """Untrained teacher and student of the published hidden sizes, and what they read."""

    def __init__(self, data: NodeData[Hypergraph], seed: int) -> None:
        config = LightHGNNConfig(n_features=data.x.shape[1], n_classes=data.n_classes)
        self.teacher = built(lambda: HGNN(config), seed).eval()
        self.student = folded(built(lambda: Student(config), seed).eval())
        self.operator = data.structure.hgnn_operator()
        self.smooth, self.x = compressed(self.operator), rows_compressed(data.x)
        self.dense = data.x.to_dense() if data.x.is_sparse else data.x  # (N, F)
        self.generator = np.random.default_rng(seed)

    def times(self, queries: int, repeats: int) -> Times:
        nodes = self.generator.choice(len(self.dense), queries, replace=False)
        found = [gathered(self.operator, np.array([node]), 2) for node in nodes]

        def mean_of(calls: Iterable[Callable[[], object]]) -> float:
            return statistics.fmean(processor_seconds(call, repeats) for call in calls)

        return Times(
            nodes=len(self.dense),
            full=processor_seconds(self.full, repeats),
            gather=mean_of(partial(self.ask, node) for node in nodes),
            gathered=mean_of(partial(self.teacher, self.dense[rows], *maps) for maps, rows in found),
            student=mean_of(partial(self.row, node) for node in nodes),
            student_full=processor_seconds(partial(self.student, self.x), repeats),
            fetched=statistics.fmean(len(rows) for _, rows in found),
            difference=self.difference(nodes),
        )

    def full(self) -> Tensor:
        """The teacher's logits of all nodes (N, C)."""
        return self.teacher(self.x, self.smooth)  # type: ignore[no-any-return]

    def ask(self, node: int) -> Tensor:
        """The teacher's logits of one node (1, C), nothing prepared."""
        maps, rows = gathered(self.operator, np.array([node]), 2)
        return self.teacher(self.dense[rows], *maps)  # type: ignore[no-any-return]

    def row(self, node: int) -> Tensor:
        """The student's logits of one node (1, C)."""
        return self.student(self.dense[node : node + 1])  # type: ignore[no-any-return]

    def difference(self, nodes: Rows) -> float:
        """Largest difference of logits asked one by one from those of the full pass."""
        with torch.no_grad():
            one_by_one = torch.cat([self.ask(node) for node in nodes])  # (queries, C)
            return float((one_by_one - self.full()[nodes]).abs().max())


def processor_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median processor time of so many calls, after one that does not count, without gradients."""
    spent = []
    with torch.no_grad():
        call()
        for _ in range(repeats):
            started = time.process_time()
            call()
            spent.append(time.process_time() - started)
    return statistics.median(spent)


def folded(student: nn.Module) -> nn.Sequential:
    """The student's answers in evaluation mode from two layers: normalisation is an affine map by then."""
    assert isinstance(student, Student)
    second = nn.Linear(student.second.in_features, student.second.out_features)
    scale, shift = torch.ones(second.in_features), torch.zeros(second.in_features)  # (hidden,)
    with torch.no_grad():
        if isinstance(norm := student.norm, nn.BatchNorm1d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            shift = norm.bias - norm.running_mean * scale
        second.weight.copy_(student.second.weight * scale)
        second.bias.copy_(student.second.bias + student.second.weight @ shift)
    return nn.Sequential(student.first, nn.ReLU(), second)


def random_hypergraph(n: int, seed: int) -> NodeData[Hypergraph]:
    """As many hyperedges as nodes, of 2 to 10 uniformly drawn members, each counted once; features N(0, 1)."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 11, size=n)
    drawn = rng.integers(n, size=sizes.sum()) + n * np.repeat(np.arange(n), sizes)
    edge, node = np.divmod(np.unique(drawn), n)
    x = torch.from_numpy(rng.standard_normal((n, FEATURES)).astype(np.float32))
    y = torch.from_numpy(rng.integers(CLASSES, size=n))
    return NodeData("random hypergraph", x, y, Hypergraph(n, n, np.stack([node, edge])).covered())


def rows_compressed(x: Tensor) -> Tensor:
    """Sparse rows in compressed form; dense ones as they are."""
    return x.to_sparse_csr() if x.is_sparse else x
