"""Area of a decision tree's circuit in closed form, from the cells of a technology.

* A test x >= t on b bits is a chain of AND and OR that begins at the lowest set bit of t: one link for each higher
  bit, b - 1 - (trailing zeros of t) in all, AND where t has a 1 and OR where it has a 0. x >= 8 on four bits is a
  wire. Tests on one feature share the links that read the same low bits of t.
* With prices of thresholds the tests are comparators' outputs instead: no gates, but for each distinct test the
  price of its level, and that of a ladder for each feature that is tested.
* A node's class, bit by bit, is a multiplexer between those of its two sides: nothing between equal bits, the test
  itself between constants, one gate beside one constant, an exclusive or between a signal and its inverse. Bits of
  one node that are the same function, or inverse ones, are made once.

Areas are whole square micrometres, so sums are exact and fast twins can be held to them bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError
from printedmlp.technology import Technology
from printedmlp.threshold_prices import ThresholdPrices
from printedmlp.trees import DecisionTree, Leaf

UM2_PER_MM2 = 1_000_000
INVERTER, NAND, XOR = 0b01, 0b0111, 0b0110
CONSTANT = 2
"""Codes below this are the constants 0 and 1; code ^ 1 is the inverse of any code."""


@dataclass(frozen=True)
class TreeUnits:
    """Areas in square micrometres of the pieces of a tree.

    gate : an AND or OR in a chain. Mappers push inversions along the chain, so every other inverter goes.
    mux : a two-way multiplexer of one bit, three NAND; the inverted select is there or shared.
    xor : an exclusive or.
    first : of a feature's first test, beside its level's; 0 where tests are made of gates.
    levels : of a test x >= t, by t from 0 on; empty where tests are made of gates.
    """

    gate: int
    mux: int
    xor: int
    first: int = 0
    levels: tuple[int, ...] = ()

    @classmethod
    def of(cls, technology: Technology, thresholds: ThresholdPrices | None = None) -> TreeUnits:
        """The pieces made of a technology's smallest cells; ConfigError when it has no NAND2 or no inverter.

        thresholds : prices of the tests as comparators' outputs; None makes them of gates.
        """
        nand, inverter = _smallest(technology, 2, NAND, "NAND2"), _smallest(technology, 1, INVERTER, "inverter")
        cells = technology.cells_with_function(2, XOR)
        xor = min([4 * nand, *(round(cell.area_mm2 * UM2_PER_MM2) for cell in cells)])
        gates = cls(nand + inverter // 2, 3 * nand, xor)
        if thresholds is None:
            return gates
        levels = (0, *(round(price * UM2_PER_MM2) for price in thresholds.levels_mm2))
        return replace(gates, first=round(thresholds.first_mm2 * UM2_PER_MM2), levels=levels)

    def array(self) -> NDArray[np.int64]:
        """Gate, multiplexer and exclusive or, (3,) int64; if tests have prices, the first's and the levels' too."""
        prices = (self.first, *self.levels) if self.levels else ()
        return np.array([self.gate, self.mux, self.xor, *prices], dtype=np.int64)

    def test(self, threshold: int, input_bits: int) -> int:
        """A test alone on its feature but for what the first one costs more."""
        return self.levels[threshold] if self.levels else n_links(threshold, input_bits) * self.gate


def _smallest(technology: Technology, n_inputs: int, table: int, name: str) -> int:
    cells = technology.cells_with_function(n_inputs, table)
    if not cells:
        raise ConfigError(f"technology '{technology.name}' has no {name}, which areas of trees are counted in")
    return round(cells[0].area_mm2 * UM2_PER_MM2)


def n_links(threshold: int, input_bits: int) -> int:
    """Gates of the comparator x >= threshold alone."""
    return input_bits - (threshold & -threshold).bit_length()


def comparator_links(tree: DecisionTree) -> int:
    """Gates of all comparators of a tree, shared links once; the definition, see the module."""
    links: set[tuple[int, int, int]] = set()
    for feature, threshold in tree.thresholds:
        lowest = (threshold & -threshold).bit_length() - 1
        links.update((feature, bit, threshold % (2 << bit)) for bit in range(lowest + 1, tree.input_bits))
    return len(links)


def tests_area_um2(tree: DecisionTree, units: TreeUnits) -> int:
    """Area, or price, of all distinct tests of a tree; the definition, see the module."""
    if not units.levels:
        return comparator_links(tree) * units.gate
    tests = tree.thresholds
    return sum(units.levels[t] for _, t in tests) + units.first * len({f for f, _ in tests})


def tree_area_um2(tree: DecisionTree, units: TreeUnits) -> int:
    """Area of a tree in square micrometres, of the nodes as they stand; the definition, see the module."""
    n_bits = max(1, (tree.n_classes - 1).bit_length())
    area = tests_area_um2(tree, units)
    decided: dict[int, list[int]] = {}
    for number, node in reversed(list(enumerate(tree.nodes))):
        if isinstance(node, Leaf):
            decided[number] = [node.label >> bit & 1 for bit in range(n_bits)]
            continue
        test = CONSTANT + 2 * (node.feature << tree.input_bits | node.threshold)
        fresh = CONSTANT + 2 * ((tree.n_features << tree.input_bits) + number * n_bits)
        sides = decided[node.below], decided[node.above]
        decided[number], gates = _multiplexed(test, fresh, *sides, units)
        area += gates
    return area


def _multiplexed(
    test: int, fresh: int, below: Sequence[int], above: Sequence[int], units: TreeUnits
) -> tuple[list[int], int]:
    """Codes of a node's bits, those of new functions counted from `fresh`, and the area that makes them."""
    codes: list[int] = []
    area = 0
    for bit, (low, high) in enumerate(zip(below, above, strict=True)):
        code, cost = _function(test, fresh + 2 * bit, low, high, units)
        for earlier in range(bit):
            for inverse in (0, 1):
                if (below[earlier] ^ inverse, above[earlier] ^ inverse) == (low, high):
                    code, cost = codes[earlier] ^ inverse, 0
        codes.append(code)
        area += cost
    return codes, area


def _function(test: int, fresh: int, low: int, high: int, units: TreeUnits) -> tuple[int, int]:
    if low == high:
        return low, 0
    if low < CONSTANT and high < CONSTANT:
        return test ^ low, 0
    if low < CONSTANT or high < CONSTANT:
        return fresh, units.gate
    return fresh, units.xor if low ^ high == 1 else units.mux
