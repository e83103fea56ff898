"""Nodes to classify on graphs and hypergraphs: genuine citation data, two generators, and transductive splits.

Cora and Citeseer: P. Sen and others, AI Magazine 29 (2008), in the split of Z. Yang, W. Cohen, R. Salakhutdinov,
ICML 2016, arXiv:1603.08861. Their hypergraphs: N. Yadati and others, NeurIPS 2019, arXiv:1809.02589.
"""

from __future__ import annotations

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
    """

    name: str
    x: Tensor
    y: Tensor
    structure: Structure
    split: NodeSplit | None = None

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
    DataError : no such file.
    """
    keys = ("edges", "label", "train", "val", "test")
    features, (edges, label, *parts) = _stored(name, *keys)
    split = NodeSplit(*(torch.from_numpy(np.sort(part).astype(np.int64)) for part in parts))
    return NodeData(
        name.capitalize(), _words(features), _classes(label), Graph(len(label), edges.astype(np.int64)), split
    )


def citation_hypergraph(name: str) -> NodeData[Hypergraph]:
    """One of `HYPERGRAPHS`, every node covered.

    Raises
    ------
    DataError : no such file.
    """
    features, (ends, nodes, label) = _stored(name, "edge_ptr", "edge_node", "label")
    edge = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    members = np.stack([nodes, edge]).astype(np.int64)
    structure = Hypergraph(len(label), len(ends) - 1, members).covered()
    _, kind, corpus = name.split("_")
    return NodeData(f"{corpus.capitalize()} {kind}", _words(features), _classes(label), structure)


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


def _stored(name: str, *keys: str) -> tuple[Any, list[NDArray[Any]]]:
    """Features (n, n_features) as a scipy matrix, and other arrays of a file."""
    indptr, indices, values, shape, *others = suite_array(f"{name}.npz", *FEATURES, *keys)
    parts = (values.astype(np.float32), indices.astype(np.int64), indptr.astype(np.int64))
    return csr_array(parts, shape=tuple(shape)), list(others)


def _words(counts: Any) -> Tensor:
    """Rows divided by their sums, empty ones left at 0, as a sparse tensor."""
    sums = np.maximum(np.abs(counts).sum(axis=1), 1e-12)
    return sparse_tensor(csr_array(counts.multiply(1 / sums[:, None])))


def _classes(y: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(np.asarray(y, dtype=np.int64))
