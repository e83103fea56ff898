"""Nodes to classify on graphs and hypergraphs: genuine citation data, two generators, and transductive splits.

Cora and Citeseer: P. Sen and others, AI Magazine 29 (2008), in the split of Z. Yang, W. Cohen, R. Salakhutdinov,
ICML 2016, arXiv:1603.08861. Their hypergraphs: N. Yadati and others, NeurIPS 2019, arXiv:1809.02589.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from printedmlp.errors import DataError
from printedmlp.reference.datasets import suite_array, suite_path
from printedmlp.reference.graphs import Graph, Hypergraph, Rows, sparse_tensor

Structure = TypeVar("Structure", Graph, Hypergraph)

GRAPHS = ("cora", "citeseer")
HYPERGRAPHS = ("hyper_coauthorship_cora", "hyper_cocitation_cora", "hyper_cocitation_citeseer")
UNKNOWN = -1
"""Class of a node that nobody classified: it is in no part of a split."""
FEATURES = ("feature_indptr", "feature_indices", "feature_values", "feature_shape")


class NodeSplit(NamedTuple):
    """Node numbers of the three parts, int64, ascending and disjoint."""

    train: Tensor
    validation: Tensor
    test: Tensor


@dataclass(frozen=True)
class NodeData(Generic[Structure]):
    """Nodes with features and classes, and what connects them.

    Attributes
    ----------
    name : in words, for the tables.
    x : (n, n_features) float32, each row of absolute sum 1 or 0 if the features are words; sparse where most are 0.
    y : (n,) int64, UNKNOWN where there is no class.
    structure : a Graph or Hypergraph of the n nodes.
    split : the published one, if there is one.

    Raises
    ------
    DataError : features, classes and structure of different numbers of nodes; a split that is no split of them.
    """

    name: str
    x: Tensor
    y: Tensor
    structure: Structure
    split: NodeSplit | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        rows, classes, nodes = len(self.x), len(self.y), self.structure.n_nodes
        if not rows == classes == nodes:
            raise DataError(f"features of {rows} nodes, classes of {classes} and a structure of {nodes}")
        if self.split is not None:
            _check_split(self.split, self.y)

    @property
    def n_classes(self) -> int:
        """Classes are 0 .. n_classes - 1."""
        return int(self.y.max()) + 1


def available(name: str) -> bool:
    """Whether the data set of this name is in the data folder."""
    try:
        suite_path(f"{name}.npz")
    except DataError:
        return False
    return True


def citation_graph(name: str) -> NodeData[Graph]:
    """One of `GRAPHS` with its published split of 20 training nodes a class, 500 and 1000.

    Raises
    ------
    DataError : no such file, or its arrays are no such graph.
    """
    arrays: tuple[Any, ...] = suite_array(f"{name}.npz", *FEATURES, "edges", "label", "train", "val", "test")
    with _naming(name):
        edges, label, *parts = arrays[len(FEATURES) :]
        split = NodeSplit(*(torch.from_numpy(np.sort(part).astype(np.int64)) for part in parts))
        graph = Graph(len(label), edges.astype(np.int64))
        return NodeData(name.capitalize(), _words(_features(*arrays)), _classes(label), graph, split)


def citation_hypergraph(name: str) -> NodeData[Hypergraph]:
    """One of `HYPERGRAPHS`, every node covered.

    Raises
    ------
    DataError : no such file, or its arrays are no such hypergraph.
    """
    _, kind, corpus = name.split("_")
    arrays: tuple[Any, ...] = suite_array(f"{name}.npz", *FEATURES, "edge_ptr", "edge_node", "label")
    with _naming(name):
        ends, nodes, label = arrays[len(FEATURES) :]
        edge = np.repeat(np.arange(len(ends) - 1), np.diff(ends.astype(np.int64)))
        members = np.stack([nodes, edge]).astype(np.int64)
        structure = Hypergraph(len(label), len(ends) - 1, members).covered()
        words = _words(_features(*arrays))
        return NodeData(f"{corpus.capitalize()} {kind}", words, _classes(label), structure)


def block_model(
    seed: int, *, classes: int = 7, size: int = 200, edges: int = 2, loyalty: float = 0.8
) -> NodeData[Graph]:
    """A contextual block model: `size` nodes a class whose edges and words both tell a little of the class.

    Each node draws `edges` partners, of its own class with probability `loyalty`, else any. Of 1000 words each is
    on with probability 0.01, but 0.05 for the 60 that a class draws as its own.
    """
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), size)
    n = len(y)
    own = rng.random((n, edges)) < loyalty
    partner = np.where(
        own, y[:, None] * size + rng.integers(size, size=(n, edges)), rng.integers(n, size=(n, edges))
    )
    drawn = np.sort(np.stack([np.repeat(np.arange(n), edges), partner.ravel()]), axis=0)
    rates = np.full((classes, 1000), 0.01)
    for rate in rates:
        rate[rng.choice(1000, 60, replace=False)] = 0.05
    words = csr_array((rng.random((n, 1000)) < rates[y]).astype(np.float32))
    graph = Graph(n, np.unique(drawn[:, drawn[0] != drawn[1]], axis=1))
    return NodeData("block model", _words(words), _classes(y), graph)


def planted_hypergraph(
    seed: int, *, n: int = 1500, classes: int = 6, edges: int = 600, loyalty: float = 0.85, scale: float = 0.2
) -> NodeData[Hypergraph]:
    """Hyperedges of 3 to 8 nodes, each of the hyperedge's class with probability `loyalty`, else any; all covered.

    Features are `scale` times the class's centre, 64 numbers of N(0, 1), plus N(0, 1).
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    members = []
    for edge in range(edges):
        inside = np.flatnonzero(y == rng.integers(classes))
        size = int(rng.integers(3, 9))
        chosen = np.where(rng.random(size) < loyalty, rng.choice(inside, size), rng.integers(n, size=size))
        members += [(node, edge) for node in np.unique(chosen)]
    centres = rng.standard_normal((classes, 64))
    x = (scale * centres[y] + rng.standard_normal((n, 64))).astype(np.float32)
    structure = Hypergraph(n, edges, np.array(members, dtype=np.int64).T).covered()
    return NodeData("planted hypergraph", torch.from_numpy(x), _classes(y), structure)


def node_split(y: Tensor, seed: int, *, train: int = 20, validation: int = 30) -> NodeSplit:
    """So many nodes of each class to train on and to choose by, all others of a known class to test on.

    Raises
    ------
    DataError : a class has no node left to test on.
    """
    rng = np.random.default_rng(seed)
    parts: tuple[list[Rows], ...] = ([], [], [])
    for label in range(int(y.max()) + 1):
        members = rng.permutation(np.flatnonzero(y.numpy() == label))
        if len(members) <= train + validation:
            raise DataError(f"class {label} has {len(members)} nodes, not more than {train} + {validation}")
        for part, piece in zip(parts, np.split(members, [train, train + validation]), strict=True):
            part.append(piece)
    return NodeSplit(*(torch.from_numpy(np.sort(np.concatenate(part)).astype(np.int64)) for part in parts))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """What is wrong with the arrays of a file is told in one line that names it."""
    try:
        yield
    except (DataError, ValueError, TypeError, IndexError) as error:
        first, *_ = str(error).split("\n")
        raise DataError(f"{name}.npz: {first}") from None


def _check_split(split: NodeSplit, y: Tensor) -> None:
    nodes, times = torch.cat(split).unique(return_counts=True)
    if (strange := nodes[(nodes < 0) | (nodes >= len(y))]).numel():
        raise DataError(f"split: node {int(strange[0])} of {len(y)}")
    if (times > 1).any():
        raise DataError(f"split: node {int(nodes[times.argmax()])} is in it {int(times.max())} times")
    if (y[nodes] < 0).any():
        raise DataError(f"split: node {int(nodes[y[nodes].argmin()])} has no class")


def _features(indptr: Any, indices: Any, values: Any, shape: Any, *_others: Any) -> Any:
    """The arrays `FEATURES` of a file as a scipy matrix (n, n_features)."""
    if not np.isfinite(values).all():
        raise DataError("feature_values: not all of them are finite")
    parts = (values.astype(np.float32), indices.astype(np.int64), indptr.astype(np.int64))
    return csr_array(parts, shape=tuple(shape))


def _words(counts: Any) -> Tensor:
    """Rows divided by their sums, empty ones left at 0, as a sparse tensor."""
    sums = np.maximum(np.abs(counts).sum(axis=1), 1e-12)
    return sparse_tensor(csr_array(counts.multiply(1 / sums[:, None])))


def _classes(y: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(np.asarray(y, dtype=np.int64))
