"""Rows packed for refinement: every row once, with its class and its weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit.care import CareSet, jittered
from printedmlp.errors import ModelError


def unpacked(words):
    """(n, W) words as (n, 64 W) bits."""
    return np.array([[int(word) >> b & 1 for word in row for b in range(64)] for row in words])


def rows_of(care, input_bits):
    """What a care set holds, row by row: codes, class, weight, sorted."""
    places = np.flatnonzero(unpacked(care.valid[None])[0])
    inputs, wanted = unpacked(care.inputs)[:, places], unpacked(care.wanted)[:, places]
    codes = [
        sum(inputs[j * input_bits + b] << b for b in range(input_bits)) for j in range(len(inputs) // input_bits)
    ]
    classes = sum(bits << b for b, bits in enumerate(wanted))
    return sorted(zip(*codes, classes, care.weights[places // 64], strict=True))


@st.composite
def tables(draw):
    """Codes, classes and class weights; sample counts around whole words."""
    n = draw(st.sampled_from((1, 2, 63, 64, 65, 130)))
    n_features, bits, n_classes = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = rng.integers(0, 1 << bits, size=(n, n_features), dtype=np.uint8)
    weights = draw(st.none() | st.lists(st.integers(1, 9), min_size=n_classes, max_size=n_classes))
    return codes, rng.integers(0, n_classes, size=n), n_classes, bits, weights


def test_two_rows_by_hand():
    care = CareSet.of(np.array([[1, 2], [3, 0]]), np.array([0, 2]), n_classes=3, input_bits=2)
    assert (care.inputs & care.valid).tolist() == [[0b11], [0b10], [0b00], [0b01]]
    assert (care.wanted & care.valid).tolist() == [[0], [0b10]]
    assert (care.valid.tolist(), care.weights.tolist()) == ([0b11], [1])
    assert (care.n_rows, care.total_weight) == (2, 2)


def test_classes_of_different_weight_share_no_word():
    codes, y = np.array([[0], [1], [1]]), np.array([2, 0, 2])
    care = CareSet.of(codes, y, n_classes=3, input_bits=1, class_weights=[5, 7, 2])
    assert (care.inputs & care.valid).tolist() == [[0b1, 0b10]]
    assert (care.wanted & care.valid).tolist() == [[0, 0], [0, 0b11]]
    assert (care.valid.tolist(), care.weights.tolist()) == ([0b1, 0b11], [5, 2])
    assert (care.n_rows, care.total_weight) == (3, 9)


def test_row_64_begins_the_second_word():
    y = np.arange(65) % 2
    care = CareSet.of(np.ones((65, 1), dtype=np.uint8), y, n_classes=2, input_bits=1)
    assert care.valid.tolist() == [2**64 - 1, 1]
    assert (care.wanted & care.valid).tolist() == [[0xAAAAAAAAAAAAAAAA, 0]]


@given(table=tables())
@settings(max_examples=40, deadline=None)
def test_every_row_is_there_once_with_its_weight(table):
    codes, y, n_classes, bits, weights = table
    care = CareSet.of(codes, y, n_classes=n_classes, input_bits=bits, class_weights=weights)
    per_row = np.array(weights or [1] * n_classes)[y]
    assert rows_of(care, bits) == sorted(zip(*codes.T.astype(int), y, per_row, strict=True))
    assert (care.n_rows, care.total_weight) == (len(y), per_row.sum())
    invalid = ~care.valid
    assert care.weights.shape == care.valid.shape == care.inputs.shape[1:] == care.wanted.shape[1:]
    assert int(np.bitwise_count(invalid).sum()) == 64 * len(care.valid) - len(y)


def test_a_flipped_bit_is_another_row():
    codes, y = np.array([[1, 2], [3, 0]]), np.array([0, 2])
    care = CareSet.of(codes, y, n_classes=3, input_bits=2)
    before = rows_of(care, 2)
    care.wanted[0, 0] ^= np.uint64(1)
    assert rows_of(care, 2) != before


@pytest.mark.parametrize(
    ("rows", "y", "weights", "message"),
    [
        (0, [], None, "needs rows"),
        (2, [0], None, "a class for each, not 2 rows, 1 classes"),
        (2, [0, 3], None, r"classes 0\.\.3 are not all in 0\.\.2"),
        (2, [-1, 0], None, r"classes -1\.\.0"),
        (1, [0], [1, 2], r"class weights \[1, 2\] must be 3 positive integers"),
        (1, [0], [1, 0, 2], r"class weights \[1, 0, 2\] must be 3 positive"),
        (1, [0], [], "must be 3 positive"),
    ],
)
def test_what_is_no_care_set_is_refused(rows, y, weights, message):
    codes = np.zeros((rows, 2), dtype=np.uint8)
    with pytest.raises(ModelError, match=message):
        CareSet.of(codes, np.array(y, dtype=np.int64), n_classes=3, input_bits=2, class_weights=weights)


def test_noisy_copies_stay_in_range_and_keep_their_class():
    rng = np.random.default_rng(0)
    codes, y = rng.integers(0, 4, size=(500, 3), dtype=np.uint8), rng.integers(0, 5, size=500)
    noisy, labels = jittered(codes, y, 3, 2, np.random.default_rng(1))
    assert noisy.shape == (2000, 3)
    assert noisy.dtype == codes.dtype
    assert np.array_equal(noisy[:500], codes)
    assert np.array_equal(labels.reshape(4, 500), np.tile(y, (4, 1)))
    steps = noisy.reshape(4, 500, 3).astype(int) - codes
    assert noisy.max() <= 3
    assert set(np.unique(steps)) == {-1, 0, 1}
    inner = steps[1:, (codes > 0).all(axis=1) & (codes < 3).all(axis=1)]
    assert np.mean(inner == 1) == pytest.approx(0.25, abs=0.05)
    assert np.mean(inner == -1) == pytest.approx(0.25, abs=0.05)


def test_noise_comes_from_the_generator_alone():
    codes, y = np.array([[0, 1], [1, 2], [2, 3]] * 7, dtype=np.uint8), np.zeros(21, dtype=np.int64)
    one, again, other = (jittered(codes, y, 1, 2, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(jittered(codes, y, 0, 2, np.random.default_rng(1))[0], codes)


def test_no_noise_leads_to_a_code_that_the_feature_never_has():
    codes = np.array([[1, 0], [5, 0], [6, 0]] * 100, dtype=np.uint8)
    noisy, _ = jittered(codes, np.zeros(300, dtype=np.int64), 4, 3, np.random.default_rng(0))
    assert set(np.unique(noisy[:, 0])) == {1, 5, 6}
    assert not noisy[:, 1].any()
    assert (noisy[codes.shape[0] :, 0] != np.tile(codes[:, 0], 4)).any()
