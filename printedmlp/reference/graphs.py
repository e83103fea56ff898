"""Graphs and hypergraphs as sparse smoothing operators, and the exact neighbourhood of a queried node.

GCN: A^ = D~^-1/2 (A + I) D~^-1/2, T. Kipf, M. Welling, ICLR 2017, arXiv:1609.02907, eq. 2. Mean over self and
neighbours: D~^-1 (A + I), W. Hamilton, R. Ying, J. Leskovec, NeurIPS 2017, arXiv:1706.02216, eq. 2. HGNN:
L = Dv^-1/2 H De^-1 H^T Dv^-1/2, Y. Feng, H. You, Z. Zhang, R. Ji, Y. Gao, AAAI 2019, arXiv:1809.09401, eq. 10.
HGNN+: Dv^-1 H De^-1 H^T, Y. Gao, Y. Feng, S. Ji, R. Ji, TPAMI 2023. Left out: weights of edges and hyperedges.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array, eye_array
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.errors import DataError

Rows = NDArray[np.int64]
Smooth = Callable[[Tensor], Tensor]
"""A linear map of nodes' rows: an `Operator`, or one in compressed form."""
Matrix: TypeAlias = Any
"""A scipy `csr_array` of float32; scipy brings no types."""


@dataclass(frozen=True)
class Operator:
    """A linear map on the nodes' rows, kept as a product of sparse matrices that is never multiplied out.

    Attributes
    ----------
    factors : the last is applied first; (n_out, k), (k, ...), (..., n_in).
    """

    factors: tuple[Matrix, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """(n_in, width) to (n_out, width)."""
        for tensor in reversed(self._tensors):
            x = tensor @ x
        return x

    def at(self, rows: Rows) -> tuple[Operator, Rows]:
        """The same map for some output rows alone, and the input rows that it then needs, ascending."""
        cut = []
        for factor in self.factors:
            piece = factor[rows]
            rows = np.unique(piece.indices).astype(np.int64)
            cut.append(piece[:, rows])
        return Operator(tuple(cut)), rows

    def dense(self) -> NDArray[np.float32]:
        """The product as a matrix (n_out, n_in), for small ones."""
        product = self.factors[0].toarray()
        for factor in self.factors[1:]:
            product = product @ factor.toarray()
        return np.asarray(product)

    @cached_property
    def _tensors(self) -> tuple[Tensor, ...]:
        return tuple(map(sparse_tensor, self.factors))


def neighbourhood(operator: Operator, rows: Rows, depth: int) -> tuple[tuple[Operator, ...], Rows]:
    """What a network that applies `operator` in each of `depth` layers needs to answer for some nodes exactly.

    Returns
    -------
    One operator a layer, the first layer's first, and the nodes whose features enter it, ascending.
    """
    layers: list[Operator] = []
    for _ in range(depth):
        small, rows = operator.at(rows)
        layers.append(small)
    return tuple(reversed(layers)), rows


def gathered(operator: Operator, rows: Rows, depth: int) -> tuple[list[Smooth], Rows]:
    """`neighbourhood` at a cost of what the rows hold, whatever the graph's size; for answers without gradients."""
    layers: list[Smooth] = []
    for _ in range(depth):
        factors = []
        for factor in operator.factors:
            local, rows = _local(factor, rows)
            factors.append(local)
        layers.append(_product(factors))
    return layers[::-1], rows


def compressed(operator: Operator) -> Smooth:
    """The operator as a product of matrices in compressed sparse rows, which answers fastest. Gives no gradient."""
    return _product([_csr(f.indptr, f.indices, f.data, f.shape) for f in operator.factors])


@dataclass(frozen=True)
class Graph:
    """An undirected graph without self-loops.

    Attributes
    ----------
    n_nodes : nodes are 0 .. n_nodes - 1.
    edges : (2, n_edges) int64, each edge once in either direction.
    """

    n_nodes: int
    edges: Rows

    def __post_init__(self) -> None:
        """Refuse nodes that there are not, self-loops and edges given twice."""
        _check_range("edge", self.edges, (self.n_nodes, self.n_nodes))
        if (loops := self.edges[0] == self.edges[1]).any():
            raise DataError(f"edge {int(loops.argmax())}: node {self.edges[0, loops.argmax()]} to itself")
        _check_once("edge", np.sort(self.edges, axis=0))

    def pairs(self) -> Rows:
        """(2, 2 n_edges): each edge in both directions."""
        return np.concatenate([self.edges, self.edges[::-1]], axis=1)

    def adjacency(self) -> Matrix:
        """A (n_nodes, n_nodes), symmetric, 0 and 1."""
        return _ones(self.pairs(), (self.n_nodes, self.n_nodes))

    def gcn_operator(self) -> Operator:
        """A^ = D~^-1/2 (A + I) D~^-1/2, D~ the degrees of A + I."""
        looped = self._looped()
        scale = _diagonal(looped.sum(axis=1), -0.5)
        return Operator((_float(scale @ looped @ scale),))

    def mean_operator(self) -> Operator:
        """D~^-1 (A + I): the mean over a node and its neighbours."""
        looped = self._looped()
        return Operator((_float(_diagonal(looped.sum(axis=1), -1.0) @ looped),))

    def hypergraph(self) -> Hypergraph:
        """The edges as hyperedges of two, then for each node the hyperedge of its neighbours, without itself."""
        n_edges = self.edges.shape[1]
        ends = np.stack([self.edges.T.ravel(), np.repeat(np.arange(n_edges), 2)])  # (2, 2 n_edges)
        node, neighbour = self.pairs()
        around, number = np.unique(node, return_inverse=True)
        members = np.concatenate([ends, np.stack([neighbour, n_edges + number])], axis=1)
        return Hypergraph(self.n_nodes, n_edges + len(around), members.astype(np.int64))

    def _looped(self) -> Matrix:
        return self.adjacency() + eye_array(self.n_nodes, format="csr", dtype=np.float32)


@dataclass(frozen=True)
class Hypergraph:
    """Sets of nodes.

    Attributes
    ----------
    n_nodes, n_edges : nodes and hyperedges are numbered from 0.
    members : (2, n_members) int64, node and hyperedge of each membership.
    """

    n_nodes: int
    n_edges: int
    members: Rows

    def __post_init__(self) -> None:
        """Refuse numbers out of range and memberships given twice."""
        _check_range("membership", self.members, (self.n_nodes, self.n_edges))
        _check_once("membership", self.members)

    def covered(self) -> Hypergraph:
        """The same with a hyperedge of its own for each node that is in none."""
        alone = np.setdiff1d(np.arange(self.n_nodes), self.members[0])
        numbers = self.n_edges + np.arange(len(alone))
        members = np.concatenate([self.members, np.stack([alone, numbers])], axis=1)
        return Hypergraph(self.n_nodes, self.n_edges + len(alone), members.astype(np.int64))

    def incidence(self) -> Matrix:
        """H (n_nodes, n_edges), 0 and 1."""
        return _ones(self.members, (self.n_nodes, self.n_edges))

    def edge_means(self) -> Operator:
        """De^-1 H^T (n_edges, n_nodes): the mean over the members of each hyperedge."""
        H = self.incidence()
        return Operator((_float(_diagonal(H.sum(axis=0), -1.0) @ H.T),))

    def hgnn_operator(self) -> Operator:
        """L = Dv^-1/2 H De^-1 H^T Dv^-1/2 in two factors; rows of nodes without hyperedge are 0."""
        H = self.incidence()
        nodes, edges = _diagonal(H.sum(axis=1), -0.5), _diagonal(H.sum(axis=0), -0.5)
        root = _float(nodes @ H @ edges)
        return Operator((root, _float(root.T)))

    def mean_operator(self) -> Operator:
        """HGNN+: Dv^-1 H De^-1 H^T, a mean of means; rows of nodes without hyperedge are 0."""
        H = self.incidence()
        return Operator((_float(_diagonal(H.sum(axis=1), -1.0) @ H), *self.edge_means().factors))


def affine(layer: nn.Linear, x: Tensor) -> Tensor:
    """What the layer makes of (n, n_in) rows, which may be a sparse tensor."""
    if not x.is_sparse:
        return functional.linear(x, layer.weight, layer.bias)
    product: Tensor = torch.sparse.mm(x, layer.weight.t())  # (n, n_out)
    return product if layer.bias is None else product + layer.bias


def sparse_tensor(matrix: Matrix) -> Tensor:
    """A scipy matrix as a coalesced sparse float32 tensor of the same shape."""
    sorted_ = csr_array(matrix)
    sorted_.sort_indices()
    rows = np.repeat(np.arange(sorted_.shape[0]), np.diff(sorted_.indptr))
    places = torch.from_numpy(np.stack([rows, sorted_.indices]).astype(np.int64))
    values = torch.from_numpy(sorted_.data.astype(np.float32))
    return torch.sparse_coo_tensor(places, values, matrix.shape, is_coalesced=True, check_invariants=False)


def _local(factor: Matrix, rows: Rows) -> tuple[Tensor, Rows]:
    """Some rows of a matrix, their columns renumbered, and the old numbers."""
    starts, counts = factor.indptr[rows], factor.indptr[rows + 1] - factor.indptr[rows]
    ends = np.cumsum(counts)  # (rows,)
    places = np.arange(ends[-1]) + np.repeat(starts - (ends - counts), counts)  # (entries,)
    needed, columns = np.unique(factor.indices[places], return_inverse=True)
    pointers = np.concatenate([[0], ends])
    return _csr(pointers, columns, factor.data[places], (len(rows), len(needed))), needed.astype(np.int64)


def _csr(indptr: Rows, indices: Rows, values: NDArray[np.float32], shape: tuple[int, int]) -> Tensor:
    pointers, columns = torch.from_numpy(indptr.astype(np.int64)), torch.from_numpy(indices.astype(np.int64))
    return torch.sparse_csr_tensor(pointers, columns, torch.from_numpy(values), shape, check_invariants=False)


def _product(factors: list[Tensor]) -> Smooth:
    def smooth(z: Tensor) -> Tensor:
        for factor in reversed(factors):
            z = factor @ z
        return z

    return smooth


def _ones(places: Rows, shape: tuple[int, int]) -> Matrix:
    return csr_array(coo_array((np.ones(places.shape[1], dtype=np.float32), (places[0], places[1])), shape=shape))


def _diagonal(degrees: NDArray[np.floating], power: float) -> Matrix:
    """The degrees to a power below 0 on a diagonal; 0 stays 0."""
    values = np.asarray(degrees, dtype=np.float64)
    return diags_array(np.where(values > 0, np.maximum(values, 1.0) ** power, 0.0), format="csr")


def _float(matrix: Matrix) -> Matrix:
    return csr_array(matrix, dtype=np.float32)


def _check_range(what: str, pairs: Rows, sizes: tuple[int, int]) -> None:
    if pairs.ndim != 2 or len(pairs) != 2:
        raise DataError(f"{what}s have shape {pairs.shape}, not (2, n)")
    wrong = ((pairs < 0) | (pairs >= np.array(sizes)[:, None])).any(axis=0)
    if wrong.any():
        place = int(wrong.argmax())
        raise DataError(f"{what} {place}: {tuple(pairs[:, place].tolist())} is out of range for sizes {sizes}")


def _check_once(what: str, pairs: Rows) -> None:
    _, first, counts = np.unique(pairs, axis=1, return_index=True, return_counts=True)
    if (counts > 1).any():
        place = int(first[counts.argmax()])
        raise DataError(f"{what} {place}: {tuple(pairs[:, place].tolist())} is given {counts.max()} times")


with warnings.catch_warnings(action="ignore", category=UserWarning):
    # PyTorch says once in a process that this form of tensor is new.
    _csr(np.zeros(2, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), (1, 1))
