"""The argmax and its folding, on every combination of small scores."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hdl.argmax import Argmax
from printedmlp.winners import possible_winners
from tests.hdl.components import outputs, word

intervals = st.tuples(st.integers(-4, 6), st.integers(0, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def combinations(bounds):
    return np.array(list(product(*(range(low, high + 1) for low, high in bounds))))


def built(bounds, scores):
    block = Argmax(bounds)
    return outputs(block, "out", {f"value_{c}": word(scores[:, c], bounds[c]) for c in block.varying})


def test_folding_by_hand():
    """Class 0 reaches 3 at most and ties with class 1's 3, which it precedes; class 2 always loses to 1."""
    assert possible_winners([(0, 3), (3, 5), (0, 3)]) == (0, 1)
    assert possible_winners([(0, 2), (3, 5), (0, 4)]) == (1, 2)
    assert possible_winners([(0, 0), (0, 0), (0, 0)]) == (0,)


@given(st.lists(intervals, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_class_is_folded_exactly_when_it_never_wins(bounds):
    winners = np.unique(np.argmax(combinations(bounds), axis=1))
    assert possible_winners(bounds) == tuple(winners)


@given(st.lists(intervals, min_size=2, max_size=4))
@settings(max_examples=25, deadline=None)
def test_every_combination_of_scores(bounds):
    assume(len(possible_winners(bounds)) > 1)
    scores = combinations(bounds)[:: max(1, len(combinations(bounds)) // 60)]
    assert built(bounds, scores).tolist() == np.argmax(scores, axis=1).tolist()


@pytest.mark.parametrize(
    "bounds", [[(0, 3), (0, 3), (0, 3)], [(-3, 2), (-2, 3), (-1, 1)], [(2, 2), (0, 6), (-4, 4)]]
)
def test_ties_and_signs_exhaustively(bounds):
    scores = combinations(bounds)
    assert built(bounds, scores).tolist() == np.argmax(scores, axis=1).tolist()


def test_ties_to_the_higher_index_would_be_seen():
    scores = combinations([(0, 3), (0, 3)])
    higher = 1 - np.argmax(scores[:, ::-1], axis=1)
    assert (built([(0, 3), (0, 3)], scores) != higher).any()
