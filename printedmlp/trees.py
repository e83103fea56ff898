"""Decision trees on integer codes: the rival of a printed network.

`DecisionTree` is the definition; the population kernel, the Verilog and the netlist are checked against it. A
bespoke tree (Mubarik et al., "Printed Machine Learning Classifiers", MICRO 2020) wires every threshold into a
comparator of its own, so it costs its distinct comparators and the logic from them to the class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.errors import ModelError
from printedmlp.files import parse_json

FORMAT = "printedmlp.DecisionTree"
VERSION = 1


@dataclass(frozen=True)
class Test:
    """An inner node: `x[feature] >= threshold` goes to node `above`, else to node `below`."""

    __test__ = False  # no test case, whatever pytest makes of the name

    feature: int
    threshold: int
    below: int
    above: int


@dataclass(frozen=True)
class Leaf:
    """An end node: the class of the rows that reach it."""

    label: int


Node = Test | Leaf


@dataclass(frozen=True)
class DecisionTree:
    """A binary decision tree on unsigned integer inputs.

    Parameters
    ----------
    n_features : number of inputs, each unsigned with `input_bits` bits.
    input_bits : 1 to 16.
    n_classes : labels are 0 .. n_classes - 1.
    nodes : node 0 is the root; every other node is the child of exactly one node before it.

    Raises
    ------
    ModelError : naming the node and the value that is out of range.
    """

    n_features: int
    input_bits: int
    n_classes: int
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        _check_shape(self)
        parents = [0] * len(self.nodes)
        for number, node in enumerate(self.nodes):
            _check_node(self, number, node)
            for child in _children(node):
                parents[child] += 1
        for number, count in enumerate(parents[1:], start=1):
            if count != 1:
                raise ModelError(f"node {number}: must be the child of one node, not of {count}")

    @property
    def topology(self) -> tuple[int, int, int]:
        """Features, inner nodes, classes, such as (16, 40, 10)."""
        return self.n_features, len(self.nodes) - self.n_leaves, self.n_classes

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return sum(isinstance(node, Leaf) for node in self.nodes)

    @property
    def depth(self) -> int:
        """Most tests on a path; 0 for a single leaf."""
        depths = [0] * len(self.nodes)
        for number, node in enumerate(self.nodes):
            for child in _children(node):
                depths[child] = depths[number] + 1
        return max(depths)

    @property
    def thresholds(self) -> tuple[tuple[int, int], ...]:
        """The distinct tests as sorted (feature, threshold); each is one comparator."""
        return tuple(sorted({(n.feature, n.threshold) for n in self.nodes if isinstance(n, Test)}))

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Class of each row, (n_samples,) int64.

        Parameters
        ----------
        X : (n_samples, n_features) integers in 0 .. 2^input_bits - 1.

        Raises
        ------
        ModelError : for a wrong shape, non-integers or a value out of range (row and column named).
        """
        codes = checked_codes(X, self.n_features, self.input_bits)
        at = np.zeros(len(codes), dtype=np.int64)
        classes = np.zeros(len(codes), dtype=np.int64)
        for number, node in enumerate(self.nodes):
            here = at == number
            if isinstance(node, Leaf):
                classes[here] = node.label
            else:
                at[here] = np.where(codes[here, node.feature] >= node.threshold, node.above, node.below)
        return classes

    def reduced(self) -> DecisionTree:
        """The same function without tests that cannot fail or cannot hold, or whose outcomes are all one class.

        Nodes are in preorder, `below` first, so trees of the same tests and classes have the same nodes.
        """
        ranges = ((0, (1 << self.input_bits) - 1),) * self.n_features
        return assembled(self, _reduced(self, 0, ranges))

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_json` is its inverse."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "n_features": self.n_features,
            "input_bits": self.input_bits,
            "n_classes": self.n_classes,
            "nodes": [_node_to_json(node) for node in self.nodes],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DecisionTree:
        """Rebuild a tree from `to_json`'s dictionary; raises ModelError for anything else."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT or data.get("version") != VERSION:
            raise ModelError(f"model JSON: 'format' must be {FORMAT!r}, version {VERSION}")
        nodes = data.get("nodes")
        if not isinstance(nodes, list):
            raise ModelError("model JSON: 'nodes' must be a list")
        n_features, input_bits, n_classes = (
            _integer(data, key) for key in ("n_features", "input_bits", "n_classes")
        )
        parsed = tuple(_node_from_json(node, f"nodes[{k}]") for k, node in enumerate(nodes))
        return cls(n_features, input_bits, n_classes, parsed)

    def dumps(self) -> str:
        """The JSON text, same bytes for the same tree."""
        return json.dumps(self.to_json(), indent=1, sort_keys=True) + "\n"

    @classmethod
    def loads(cls, text: str) -> DecisionTree:
        """Rebuild a tree from `dumps`'s text; raises ModelError for anything else."""
        try:
            data = parse_json(text)
        except ValueError as error:
            raise ModelError(f"model JSON: {error}") from None
        return cls.from_json(data)


Branch = int | tuple[int, int, "Branch", "Branch"]
"""A tree as nested values: a class, or (feature, threshold, below, above)."""


def assembled(like: DecisionTree, branch: Branch) -> DecisionTree:
    """The tree of a nested branch, in preorder with `below` first, for the inputs and classes of another tree."""
    return grown(like.n_features, like.input_bits, like.n_classes, branch)


def grown(n_features: int, input_bits: int, n_classes: int, branch: Branch) -> DecisionTree:
    """The tree of a nested branch, in preorder with `below` first; ModelError as for `DecisionTree`."""
    return DecisionTree(n_features, input_bits, n_classes, tuple(_preorder(branch, 0)))


def _preorder(branch: Branch, number: int) -> list[Node]:
    if not isinstance(branch, tuple):
        return [Leaf(branch)]
    feature, threshold, below, above = branch
    first = _preorder(below, number + 1)
    second = number + 1 + len(first)
    return [Test(feature, threshold, number + 1, second), *first, *_preorder(above, second)]


def _reduced(tree: DecisionTree, number: int, ranges: Sequence[tuple[int, int]]) -> Branch:
    """Branch of a node whose inputs are known to lie in inclusive ranges."""
    node = tree.nodes[number]
    if isinstance(node, Leaf):
        return node.label
    low, high = ranges[node.feature]
    if node.threshold <= low:
        return _reduced(tree, node.above, ranges)
    if node.threshold > high:
        return _reduced(tree, node.below, ranges)
    head, tail = tuple(ranges[: node.feature]), tuple(ranges[node.feature + 1 :])
    below = _reduced(tree, node.below, (*head, (low, node.threshold - 1), *tail))
    above = _reduced(tree, node.above, (*head, (node.threshold, high), *tail))
    return below if below == above else (node.feature, node.threshold, below, above)


def checked_codes(X: ArrayLike, n_features: int, input_bits: int) -> NDArray[np.int64]:
    """Codes as (n_samples, n_features) int64; ModelError names what is no code of so many bits."""
    values = np.asarray(X)
    if values.ndim != 2 or values.shape[1] != n_features:
        raise ModelError(f"inputs of shape {values.shape}, expected (n_samples, {n_features})")
    if values.dtype.kind not in "uib":
        raise ModelError(f"inputs must be integers, not {values.dtype}")
    bad = np.argwhere((values < 0) | (values >= 1 << input_bits))
    if len(bad):
        row, column = bad[0]
        raise ModelError(
            f"input row {row}, column {column}: {values[row, column]} is not in 0..{2**input_bits - 1}"
        )
    return values.astype(np.int64)


def _children(node: Node) -> Iterator[int]:
    return iter(() if isinstance(node, Leaf) else (node.below, node.above))


def _check_shape(tree: DecisionTree) -> None:
    for name, most in (("n_features", 1 << 16), ("input_bits", 16), ("n_classes", 1 << 16)):
        if not 1 <= getattr(tree, name) <= most:
            raise ModelError(f"{name} must be in 1..{most}, not {getattr(tree, name)}")
    if not tree.nodes:
        raise ModelError("a tree needs at least one leaf")


def _check_node(tree: DecisionTree, number: int, node: Node) -> None:
    where = f"node {number}"
    if isinstance(node, Leaf):
        if not 0 <= node.label < tree.n_classes:
            raise ModelError(f"{where}: class {node.label} is not in 0..{tree.n_classes - 1}")
        return
    if not 0 <= node.feature < tree.n_features:
        raise ModelError(f"{where}: feature {node.feature} is not in 0..{tree.n_features - 1}")
    if not 1 <= node.threshold < 1 << tree.input_bits:
        raise ModelError(f"{where}: threshold {node.threshold} is not in 1..{2**tree.input_bits - 1}")
    for child in _children(node):
        if not number < child < len(tree.nodes):
            raise ModelError(f"{where}: child {child} is not in {number + 1}..{len(tree.nodes) - 1}")


def _node_to_json(node: Node) -> list[int]:
    if isinstance(node, Leaf):
        return [node.label]
    return [node.feature, node.threshold, node.below, node.above]


def _node_from_json(data: Any, where: str) -> Node:
    if isinstance(data, list) and all(type(value) is int for value in data):
        if len(data) == 1:
            return Leaf(data[0])
        if len(data) == 4:
            return Test(*data)
    raise ModelError(f"{where} must be [class] or [feature, threshold, below, above] in integers, not {data!r:.60}")


def _integer(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    if type(value) is not int:
        raise ModelError(f"model JSON: '{key}' must be an integer, not {value!r:.60}")
    return value
