from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.gate_graph import FALSE, TRUE, GateGraph

A, B, C = 0b11110000, 0b11001100, 0b10101010
ONES = 0xFF


def value(graph, literal):
    return graph.simulate([A, B, C], ONES)[literal >> 1] ^ (ONES if literal & 1 else 0)


@pytest.fixture
def graph():
    return GateGraph(3)


def test_constants_and_repetitions_fold(graph):
    a, b = graph.input(0), graph.input(1)
    assert graph.conjunction(a, FALSE) == FALSE
    assert graph.conjunction(TRUE, a) == a
    assert graph.conjunction(a, a) == a
    assert graph.conjunction(a, a ^ 1) == FALSE
    assert graph.disjunction(a, TRUE) == TRUE
    assert graph.difference(a, a) == FALSE
    assert graph.difference(a, a ^ 1) == TRUE
    assert graph.difference(TRUE, a) == a ^ 1
    assert graph.choice(a, b, b) == b
    assert graph.choice(a, TRUE, FALSE) == a
    assert graph.nodes == []


def test_a_gate_is_made_once(graph):
    a, b = graph.input(0), graph.input(1)
    assert graph.conjunction(a, b) == graph.conjunction(b, a)
    assert graph.difference(a, b) == graph.difference(b ^ 1, a) ^ 1
    assert graph.disjunction(a ^ 1, b ^ 1) == graph.conjunction(a, b) ^ 1
    assert len(graph.nodes) == 2


def test_a_conjunction_that_says_something_of_the_other_side_folds(graph):
    a, b = graph.input(0), graph.input(1)
    both = graph.conjunction(a, b)
    assert graph.conjunction(a, both) == both
    assert graph.conjunction(a ^ 1, both) == FALSE
    assert graph.conjunction(a ^ 1, both ^ 1) == a ^ 1
    assert graph.conjunction(a, both ^ 1) == graph.conjunction(a, b ^ 1)
    assert graph.difference(a, graph.difference(a, b)) == b


def test_what_no_output_reads_is_not_live(graph):
    a, b, c = (graph.input(k) for k in range(3))
    kept, unread = graph.conjunction(a, b), graph.difference(b, c)
    live = graph.live([kept ^ 1])
    assert [live[literal >> 1] for literal in (a, b, c, kept, unread)] == [True, True, False, True, False]


def test_nets_that_agree_on_the_vectors_are_merged(graph):
    a, b, c = (graph.input(k) for k in range(3))
    # a and (b or not b and c) is a and (b or c), which no local rule sees.
    either = graph.disjunction(graph.conjunction(b, c), graph.difference(b, c))
    outputs = [graph.conjunction(a, either), graph.conjunction(a ^ 1, graph.disjunction(b, c)) ^ 1]
    merged, found = graph.merged(outputs, [A, B, C], ONES)
    assert sum(merged.live(found)[merged.first :]) == 5 < sum(graph.live(outputs)[graph.first :])
    values = merged.simulate([A, B, C], ONES)
    assert [values[x >> 1] ^ (ONES if x & 1 else 0) for x in found] == [value(graph, x) for x in outputs]
    # Where a is always 0 nothing is left of the first output.
    assert graph.merged(outputs, [0, B, C], ONES)[1][0] == FALSE


OPERATIONS = {
    "conjunction": lambda x, y: x & y,
    "disjunction": lambda x, y: x | y,
    "difference": lambda x, y: x ^ y,
}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 99), st.integers(0, 99)), max_size=25)
)
@settings(max_examples=200, deadline=None)
def test_every_gate_has_its_value_however_it_folds(steps):
    graph = GateGraph(3)
    literals = [FALSE, *(graph.input(k) for k in range(3))]
    for name, first, second in steps:
        a, b = (literals[(n // 2) % len(literals)] ^ n & 1 for n in (first, second))
        literals.append(getattr(graph, name)(a, b))
        assert value(graph, literals[-1]) == OPERATIONS[name](value(graph, a), value(graph, b)) & ONES


@pytest.mark.parametrize("which", list(product(range(6), repeat=3)))
def test_choice(which, graph):
    literals = [FALSE, TRUE, graph.input(0), graph.input(1), graph.input(1) ^ 1, graph.input(2)]
    condition, one, zero = (literals[k] for k in which)
    c, x, y = (value(graph, literal) for literal in (condition, one, zero))
    assert value(graph, graph.choice(condition, one, zero)) == c & x | ~c & ONES & y
