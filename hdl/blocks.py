"""Which part of a classifier each cell of its netlist belongs to.

Synthesis flattens a network and shares gates, so its parts are found again by function. A reference in which every
gate is known to be of one neuron or of the argmax is simulated beside the netlist on the same vectors; a cell whose
output is one of the reference's signals, or its inverse, belongs where that signal does, and so does a cell without
a match that only one part's cells enclose. The rest go where most of their neighbours are.

A tree's cells are comparators where they depend on one feature alone, which needs no guess. A circuit that is its
own definition has no such parts: its cells are split by the output bits that depend on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from printedmlp.circuit import Netlist, simulate
from printedmlp.classifier import Classifier
from printedmlp.gate_builder import block_levels, classifier_gates
from printedmlp.gate_graph import XOR, GateGraph, Node
from printedmlp.model import DiscreteMLP
from printedmlp.stimuli import stimuli
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree

N_VECTORS = 8192
LEAVES, SHARED, OTHER = "leaves", "shared", "other"


@dataclass(frozen=True)
class Blocks:
    """The block of every instance, and how sure that is.

    labels : (n_instances,) block names; cells that nothing tells of are "other". levels : all blocks, from the
    inputs to the class, with the step of the computation they belong to: signals flow to higher levels only.
    matched : share of the cells whose function is a signal of exactly one block, None where nothing
    is guessed. recovered : share of these cells that their neighbours alone would have put into the same block, a
    measure of how the others fared; None where there are none.
    """

    labels: tuple[str, ...]
    levels: Mapping[str, int]
    matched: float | None
    recovered: float | None

    @property
    def names(self) -> tuple[str, ...]:
        """All blocks, from the inputs to the class."""
        return tuple(self.levels)

    def renamed(self, names: Mapping[str, str]) -> Blocks:
        """The same with other names for some blocks; a new name belongs to one block only."""
        levels = {names.get(block, block): level for block, level in self.levels.items()}
        assert len(levels) == len(self.levels), "two blocks of one name"
        return replace(self, labels=tuple(names.get(label, label) for label in self.labels), levels=levels)


def blocks_of(
    netlist: Netlist, technology: Technology, classifier: Classifier | None = None, *, n_vectors: int = N_VECTORS
) -> Blocks:
    """Attribute the cells of a netlist.

    Parameters
    ----------
    classifier : what the netlist computes. The blocks of a network are "hidden 0", ..., "output 0", ... and
        "argmax", those of a tree "feature 0", ... (comparators) and "leaves". For anything else they are the
        output bits "out 0", ... and "shared".
    n_vectors : on how many vectors signals are compared.
    """
    if isinstance(classifier, DecisionTree):
        return _comparators(netlist, classifier.input_bits)
    if not isinstance(classifier, DiscreteMLP):
        return _cones(netlist)
    return _by_function(netlist, technology, classifier, n_vectors)


def _by_function(netlist: Netlist, technology: Technology, model: DiscreteMLP, n_vectors: int) -> Blocks:
    graph = _BlockGraph(model.n_features * model.input_bits)
    classifier_gates(model, graph)
    inputs = stimuli(model, n_vectors)
    signals = graph.signals(inputs, (1 << n_vectors) - 1)
    values = simulate(netlist, technology, inputs, n_vectors)[netlist.first_driven :]
    found = [signals.get(_unsigned(value, n_vectors), frozenset()) for value in values]
    return _attributed(netlist, found, block_levels(model))


def _unsigned(value: int, n_vectors: int) -> int:
    """The same for a signal and its inverse."""
    return value ^ ((1 << n_vectors) - 1) if value & 1 else value


class _BlockGraph(GateGraph):
    """A graph that notes which blocks have each of its gates."""

    def __init__(self, n_inputs: int) -> None:
        super().__init__(n_inputs)
        self.owners: dict[int, set[str]] = {}
        self._block = OTHER

    def begin(self, block: str) -> None:
        self._block = block

    def net(self, node: Node) -> int:
        literal = super().net(node)
        self.owners.setdefault(literal >> 1, set()).add(self._block)
        return literal

    def signals(self, inputs: Sequence[int], ones: int) -> dict[int, frozenset[str]]:
        """Blocks by signal, for all that are no input and no constant.

        An exclusive or stands for its two conjunctions too, since cells make it of them.
        """
        values = self.simulate(inputs, ones)
        found: dict[int, set[str]] = {}
        for net, blocks in self.owners.items():
            kind, *pair = self.nodes[net - self.first]
            a, b = (values[literal >> 1] for literal in pair)
            for signal in (values[net], a & b, a & ~b, b & ~a, a | b) if kind == XOR else (values[net],):
                found.setdefault(signal ^ ones if signal & 1 else signal, set()).update(blocks)
        for known in (0, *inputs):
            found.pop(known ^ ones if known & 1 else known, None)
        return {signal: frozenset(blocks) for signal, blocks in found.items()}


def _comparators(netlist: Netlist, input_bits: int) -> Blocks:
    """Cells by the one feature that they depend on; those of several features are the leaves."""
    read: list[set[int]] = [set(), set(), *({bit // input_bits} for bit in range(netlist.n_inputs))]
    for instance in netlist.instances:
        read.append(set().union(*(read[net] for net in instance.inputs)))
    labels = tuple(_part(features, "feature", LEAVES) for features in read[netlist.first_driven :])
    levels = {**{f"feature {feature}": 0 for feature in range(netlist.n_inputs // input_bits)}, LEAVES: 1, OTHER: 0}
    return Blocks(labels, _used(levels, labels), None, None)


def _attributed(netlist: Netlist, found: Sequence[frozenset[str]], levels: Mapping[str, int]) -> Blocks:
    """Blocks from those that the cells' functions allow: one settles it, several or none ask around.

    levels : all blocks in order, with the number of the step of the computation each belongs to.
    """
    names = tuple(levels)
    neighbours = _neighbours(netlist)
    matched = {k: next(iter(blocks)) for k, blocks in enumerate(found) if len(blocks) == 1}
    labels = dict(matched)
    labels |= _enclosed(netlist, matched, levels)
    waiting = [k for k in range(len(found)) if k not in labels]
    while waiting:
        votes = {k: _vote(k, found[k], neighbours, labels, names) for k in waiting}
        new = {k: label for k, label in votes.items() if label is not None}
        if not new:
            new = {k: min(found[k], key=names.index, default=OTHER) for k in waiting}
        labels |= new
        waiting = [k for k in waiting if k not in new]
    right = sum(_vote(k, frozenset(), neighbours, labels, names) == label for k, label in matched.items())
    return Blocks(
        tuple(labels[k] for k in range(len(found))),
        {**levels, OTHER: 0} if OTHER in labels.values() else levels,
        len(matched) / len(found) if found else 1.0,
        right / len(matched) if matched else None,
    )


def _enclosed(netlist: Netlist, matched: Mapping[int, str], levels: Mapping[str, int]) -> dict[int, str]:
    """Blocks of unmatched cells, from the matched ones that feed them and that they feed next.

    Signals flow to higher levels only. So a cell that feeds just one block of the lowest level it feeds is of that
    block or of one before it; fed by inputs or from that level already, it is of that block.
    """
    fed, feeds = _surroundings(netlist, matched)
    found = {}
    for k in range(len(netlist.instances)):
        lowest = min((levels[block] for block in feeds[k]), default=0)
        blocks = [block for block in feeds[k] if levels[block] == lowest]
        if k not in matched and len(blocks) == 1 and max((levels[b] for b in fed[k]), default=lowest) == lowest:
            found[k] = blocks[0]
    return found


def _surroundings(netlist: Netlist, matched: Mapping[int, str]) -> tuple[list[set[str]], list[set[str]]]:
    """Blocks of the nearest matched cells before and after every cell; of a matched cell itself its own before."""
    first = netlist.first_driven
    fed: list[set[str]] = []
    feeds: list[set[str]] = [set() for _ in netlist.instances]
    drivers = [[net - first for net in instance.inputs if net >= first] for instance in netlist.instances]
    for k, own in enumerate(drivers):
        fed.append({matched[k]} if k in matched else set().union(*(fed[driver] for driver in own)))
    for k, own in reversed(list(enumerate(drivers))):
        for driver in own:
            feeds[driver] |= {matched[k]} if k in matched else feeds[k]
    return fed, feeds


def _neighbours(netlist: Netlist) -> list[tuple[list[int], list[int]]]:
    """For every instance the instances that drive its inputs, and those that read its output."""
    result: list[tuple[list[int], list[int]]] = [([], []) for _ in netlist.instances]
    for k, instance in enumerate(netlist.instances):
        for net in instance.inputs:
            if (driver := net - netlist.first_driven) >= 0:
                result[k][0].append(driver)
                result[driver][1].append(k)
    return result


def _vote(
    k: int,
    allowed: frozenset[str],
    neighbours: Sequence[tuple[list[int], list[int]]],
    labels: Mapping[int, str],
    names: Sequence[str],
) -> str | None:
    """The block most neighbours of cell k are in; of equals the one with more readers, then the later block.

    Blocks that are not `allowed` do not count, unless none is. None while no neighbour tells.
    """
    drivers, readers = ([labels[n] for n in own if n in labels] for own in neighbours[k])
    counts, by_readers = Counter(drivers + readers), Counter(readers)
    able = [label for label in counts if label in allowed or not allowed]
    ranks = {name: place for place, name in enumerate(names)}
    return max(able, key=lambda label: (counts[label], by_readers[label], ranks.get(label, -1)), default=None)


def _cones(netlist: Netlist) -> Blocks:
    """Cells by the output bits that depend on them."""
    reached: list[set[int]] = [set() for _ in range(netlist.n_nets)]
    for bit, net in enumerate(netlist.outputs):
        reached[net].add(bit)
    for net, instance in reversed(list(netlist.driven())):
        for read in instance.inputs:
            reached[read] |= reached[net]
    labels = tuple(_part(bits, "out", SHARED) for bits in reached[netlist.first_driven :])
    levels = {**{f"out {bit}": 1 for bit in range(len(netlist.outputs))}, SHARED: 0, OTHER: 0}
    return Blocks(labels, _used(levels, labels), None, None)


def _used(levels: Mapping[str, int], labels: Collection[str]) -> dict[str, int]:
    found = set(labels)
    return {name: level for name, level in levels.items() if name in found}


def _part(numbers: Collection[int], name: str, several: str) -> str:
    """Name of a cell's part: of the only number, of several, or of none."""
    if not numbers:
        return OTHER
    return f"{name} {min(numbers)}" if len(numbers) == 1 else several
