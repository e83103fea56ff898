"""The bit heap: a column worked by hand, then any heap against plain arithmetic."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.adder_tree import add_hardware
from printedmlp.reduction import ONE, ZERO, Adder, Reduction, reduce_columns
from tests.hdl.components import outputs


class Tree(wiring.Component):
    """A reduction on its own."""

    def __init__(self, reduction, first=0):
        self.reduction, self.first = reduction, first
        super().__init__({"bits": In(reduction.n_bits), "total": Out(len(reduction.total) - first)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.total.eq(add_hardware(m, self.reduction, list(self.bits), self.first))
        return m


def totals(reduction, words):
    """The slow twin of the hardware: every adder on integers."""
    nets = {ZERO: 0 * words, ONE: 0 * words + 1, **{i: words >> i & 1 for i in range(reduction.n_bits)}}
    for k, adder in enumerate(reduction.adders):
        total = sum(nets[operand] for operand in adder.operands) + adder.one
        nets[reduction.n_bits + 2 * k], nets[reduction.n_bits + 2 * k + 1] = total & 1, total >> 1
    return sum(nets[net] << column for column, net in enumerate(reduction.total))


def expected(heap, words):
    columns, constant, width = heap
    return (sum((words >> i & 1) << column for i, column in enumerate(columns)) + constant) % (1 << width)


heaps = st.integers(1, 5).flatmap(
    lambda width: st.tuples(
        st.lists(st.integers(0, width - 1), min_size=1, max_size=9),
        st.integers(0, (1 << width) - 1),
        st.just(width),
    )
)


def test_three_bits_and_a_one_by_hand():
    """a + b + c in column 0 and a constant 2: one full adder, then the carry meets the constant's one."""
    reduction = reduce_columns([0, 0, 0], 2, 3)
    assert [len(adder.operands) for adder in reduction.adders] == [3, 1]
    assert [adder.one for adder in reduction.adders] == [False, True]
    assert reduction.total == (3, 5, 6)
    assert totals(reduction, np.arange(8)).tolist() == [2 + bin(word).count("1") for word in range(8)]


def test_a_lone_constant_costs_nothing():
    assert reduce_columns([1], 0b1001, 4) == Reduction(1, (), (ONE, 0, ZERO, ONE))


def test_two_bits_and_a_one_share_an_adder():
    assert reduce_columns([0, 0], 1, 1).adders == (Adder(0, reduce_columns([0, 0], 0, 1).adders[0].operands, True),)


@given(heaps)
@settings(max_examples=100, deadline=None)
def test_reduction_is_the_sum(heap):
    words = np.arange(1 << len(heap[0]))
    assert (totals(reduce_columns(*heap), words) == expected(heap, words)).all()


@given(heaps, st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_hardware_is_the_sum_without_its_low_columns(heap, low):
    columns, _, width = heap
    first = min(low, width - 1)
    words = np.arange(1 << min(len(columns), 6)) * 37 % (1 << len(columns))
    built = outputs(Tree(reduce_columns(*heap), first), "total", {"bits": words})
    assert built.tolist() == (expected(heap, words) >> first).tolist()


@given(heaps)
@settings(max_examples=100, deadline=None)
def test_full_adders_are_as_few_as_can_be(heap):
    """A full adder removes one bit of the heap; a column never keeps more than one half adder."""
    columns, constant, width = heap
    adders = reduce_columns(columns, constant, width).adders
    for column in range(width):
        here = [adder for adder in adders if adder.column == column]
        assert sum(len(adder.operands) + adder.one < 3 for adder in here) <= 1


def test_unwanted_columns_keep_only_their_carries():
    reduction = reduce_columns([0, 0, 1], 0, 3)
    assert reduction.used(0) >= {0, 1, 2}
    assert reduction.total[0] not in reduction.used(1)
    assert reduction.used(3) == frozenset()


@pytest.mark.parametrize("damage", [{"operands": (0, 1)}, {"one": True}])
def test_a_damaged_reduction_is_seen(damage):
    reduction = reduce_columns([0, 0, 0, 1], 1, 3)
    first, *rest = reduction.adders
    damaged = replace(first, **damage)
    words = np.arange(16)
    wrong = totals(Reduction(4, (damaged, *rest), reduction.total), words)
    assert (wrong != expected(([0, 0, 0, 1], 1, 3), words)).any()
