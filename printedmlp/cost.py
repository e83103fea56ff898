"""Full-adder count of a classifier: the area estimate that guides the DATE 2024 search.

After the area model of Afentaki, Hefenbrock, Zervakis, Tahoori, "Embedding Hardware Approximations in Discrete
Genetic-based Training for Printed MLPs", DATE 2024. Per neuron, with positive and negative summands apart:

* Every kept bit falls in a column: bit j of a term with shift k in column j + k, bit j of the bias's magnitude in
  column j + bias_shift, in the tree of the bias's sign.
* Columns are swept from the least significant bit. Each adder takes three bits of a column, or the last two, leaves
  one there and carries one to the next column, until one bit is left. That is 3:2 compression down to two rows and
  one carry-propagate addition of those rows, starting at the first column with two bits.
* The negative sum is subtracted once: one adder per column, from the lowest column of the negative tree to the top
  of the wider sum. No subtractor where there is nothing to subtract.

Every adder counts one, also where the mapped circuit has a half adder or folds a constant. Activations, comparators
and the argmax are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from printedmlp.genome import Genes, GenomeLayout, as_genes
from printedmlp.kernels.adders import count_full_adders
from printedmlp.model import DiscreteMLP, Neuron

Columns = Counter[int]
Costs = NDArray[np.number]
"""Costs of individuals, int64 or float64, or their objectives."""


class Cost(Protocol):
    """What a search minimises beside the errors; the smaller, the smaller the circuit."""

    name: str
    """Tells one cost from another; figures under the same name can be compared."""

    def costs(self, population: Genes) -> Costs:
        """Cost of each chromosome of (P, G), (P,)."""


def full_adders(model: DiscreteMLP) -> int:
    """Full adders of all neurons' adder trees and subtractors; the definition, see the module."""
    return sum(neuron_full_adders(neuron, layer.bias_shift) for layer in model.layers for neuron in layer.neurons)


def neuron_full_adders(neuron: Neuron, bias_shift: int) -> int:
    """Full adders of one neuron: both trees and the subtractor."""
    positive, negative = tree_columns(neuron, bias_shift, 1), tree_columns(neuron, bias_shift, -1)
    adders, positive_top = sweep(positive)
    more_adders, negative_top = sweep(negative)
    if not negative:
        return adders
    return adders + more_adders + max(positive_top, negative_top) - min(negative)


def tree_columns(neuron: Neuron, bias_shift: int, sign: int) -> Columns:
    """How many bits of the tree of one sign fall in each column; columns without bits are absent."""
    columns: Columns = Counter()
    for term in neuron.terms:
        if term.sign == sign:
            columns.update(bit + term.shift for bit in _ones(term.mask))
    if neuron.bias * sign > 0:
        columns.update(bit + bias_shift for bit in _ones(abs(neuron.bias)))
    return columns


def sweep(columns: Columns) -> tuple[int, int]:
    """(adders, width of the sum in columns from 0) of a tree, by the sweep the module describes."""
    adders = carries = column = 0
    top = max(columns, default=-1)
    while column <= top or carries:
        bits = columns[column] + carries
        carries = bits // 2
        adders += carries
        column += 1
    return adders, column


class PopulationCost:
    """Full-adder counts of whole populations, equal to `full_adders` of each decoded individual.

    The sweep's carries are those of adding up the column counts as a binary number, each with the weight of its
    column: that number is V, the tree's value with every bit set. A column of n bits and c carries sends
    floor((n + c) / 2) on and leaves the digit (n + c) mod 2 of V; summed over the columns, a tree of B bits has
    B - popcount(V) adders, and its sum is as wide as V.
    """

    name = "full adders"

    def __init__(self, layout: GenomeLayout) -> None:
        self._layout = layout
        sizes, shifts = layout.topology, layout.bias_shifts
        self._form = np.array(list(zip(sizes, sizes[1:], shifts, strict=False)), dtype=np.int64)

    def full_adders(self, population: Genes) -> NDArray[np.int64]:
        """Full-adder count of each chromosome of (P, G), (P,) int64; ModelError for genes out of range."""
        genes = as_genes(population)
        self._layout.check(genes)
        counts = np.zeros(len(genes), dtype=np.int64)
        count_full_adders(genes, self._form, counts)
        return counts

    def costs(self, population: Genes) -> NDArray[np.int64]:
        """The full adders, as a `Cost`."""
        return self.full_adders(population)


def _ones(value: int) -> Iterator[int]:
    return (bit for bit in range(value.bit_length()) if value >> bit & 1)
