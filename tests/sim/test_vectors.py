import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ModelError
from sim.vectors import EXHAUSTIVE_BITS, all_vectors, corner_vectors, stimulus, words_text

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def word_of(codes, input_bits):
    """The word by definition: feature 0 in the least significant bits."""
    return sum(int(code) << (index * input_bits) for index, code in enumerate(codes))


def test_words_by_hand():
    vectors = stimulus(np.array([[1, 2, 15], [10, 0, 3]]), 4, n_random=0)
    assert words_text(vectors).split()[:2] == ["0f21", "030a"]


def test_corners_of_two_features_by_hand():
    assert corner_vectors(2, 2).tolist() == [
        *([0, 0], [3, 3]),
        *([1, 1], [2, 2]),
        *([3, 0], [0, 3]),
        *([0, 3], [3, 0]),
        *([1, 0], [2, 0], [0, 1], [0, 2]),
        *([2, 3], [1, 3], [3, 2], [3, 1]),
    ]


@given(shapes)
@settings(max_examples=20, deadline=None)
def test_corners_hold_every_feature_alone_at_both_ends(shape):
    n_features, bits = shape
    corners = {tuple(row) for row in corner_vectors(n_features, bits).tolist()}
    top = (1 << bits) - 1
    for feature in range(n_features):
        alone = tuple(top if i == feature else 0 for i in range(n_features))
        assert alone in corners
        assert tuple(top - code for code in alone) in corners


def test_small_input_spaces_are_enumerated():
    vectors = stimulus(np.zeros((5, 3), dtype=int), 4)
    assert vectors.exhaustive
    assert {word_of(row, 4) for row in vectors.codes} == set(range(1 << 12))
    assert np.array_equal(vectors.codes[-(1 << 12) :], all_vectors(3, 4))


@given(shapes, st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_words_are_the_codes_in_order(shape, seed):
    n_features, bits = shape
    vectors = stimulus(np.zeros((1, n_features), dtype=int), bits, n_random=50, seed=seed)
    words = [int(word, 16) for word in words_text(vectors).split()]
    assert words == [word_of(row, bits) for row in vectors.codes]
    assert vectors.exhaustive == (n_features * bits <= EXHAUSTIVE_BITS)


def test_the_same_seed_gives_the_same_bytes():
    X = np.arange(32).reshape(2, 16) % 16
    first, again, other = (words_text(stimulus(X, 4, n_random=100, seed=seed)) for seed in (7, 7, 8))
    assert first == again != other


def test_counts_by_origin():
    vectors = stimulus(np.zeros((3, 16), dtype=int), 4, n_random=100, seed=1)
    found = vectors.to_json()
    assert [found[key] for key in ("data", "corners", "random", "total", "seed")] == [3, 164, 100, 267, 1]
    assert np.array_equal(vectors.codes[:3], np.zeros((3, 16)))
    assert vectors.codes[-100:].max() == 15


@pytest.mark.parametrize(
    ("X", "bits", "message"),
    [
        ([[0, 1], [16, 0]], 4, "vector 1, feature 0: 16 is not in 0..15"),
        ([[-1, 0]], 4, "vector 0, feature 0: -1"),
        ([0, 1], 4, "n_samples, n_features"),
        ([[0.5]], 4, "float64"),
        ([[0]], 17, "input_bits"),
    ],
)
def test_unusable_vectors_are_named(X, bits, message):
    with pytest.raises(ModelError, match=message):
        stimulus(np.array(X), bits)
