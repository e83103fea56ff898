"""The quantiser: its thresholds are its definition."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from printedmlp.errors import ConfigError, DataError
from printedmlp.quantise import Quantiser

BY_HAND = Quantiser.fit([[0.0, 5.0], [8.0, 5.0], [2.0, 5.0]], 2, ("a", "b"))

finite = st.floats(-1e9, 1e9, allow_subnormal=False)
matrices = hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(3)), elements=finite)
NAMES = ("a", "b", "c")


def count_thresholds(quantiser, X):
    """Return the codes as the class docstring defines them, one comparison at a time."""
    table = quantiser.thresholds()
    return [[sum(t <= x for t in table[f]) for f, x in enumerate(row)] for row in X.tolist()]


def test_by_hand():
    assert BY_HAND.thresholds().tolist() == [[2.0, 4.0, 6.0], [math.inf] * 3]
    X = np.array([[-9, 5], [0, 4], [1.99, 6], [2, 5], [5.9, 5], [6, 5], [8, 5], [1e300, math.inf]])
    codes = BY_HAND.transform(X)
    assert codes.dtype == np.uint8
    assert codes[:, 0].tolist() == [0, 0, 0, 1, 2, 3, 3, 3]
    assert codes[:, 1].tolist() == [0] * 8


def test_infinities_are_clipped_like_any_other_value():
    assert BY_HAND.transform([[-math.inf, 0], [math.inf, 0]])[:, 0].tolist() == [0, 3]


@settings(max_examples=60, deadline=None)
@given(train=matrices, other=matrices, bits=st.integers(1, 8))
def test_transform_counts_the_thresholds_on_any_value_and_on_the_thresholds(train, other, bits):
    quantiser = Quantiser.fit(train, bits, NAMES)
    table = quantiser.thresholds()
    on_them = np.where(np.isfinite(table), table, 0.0).T
    for X in (train, other, on_them, np.nextafter(on_them, -np.inf)):
        assert quantiser.transform(X).tolist() == count_thresholds(quantiser, X)


@settings(max_examples=60, deadline=None)
@given(train=matrices, values=st.lists(finite, min_size=2, max_size=10), bits=st.integers(1, 8))
def test_transform_is_monotone_and_within_range(train, values, bits):
    column = np.sort(np.array(values))
    codes = Quantiser.fit(train, bits, NAMES).transform(np.column_stack([column] * 3)).astype(int)
    assert (np.diff(codes, axis=0) >= 0).all()
    assert codes.min() >= 0
    assert codes.max() < 2**bits


@settings(max_examples=40, deadline=None)
@given(train=matrices, bits=st.integers(1, 8))
def test_training_rows_use_both_ends_of_the_scale(train, bits):
    quantiser = Quantiser.fit(train, bits, NAMES)
    codes = quantiser.transform(train)
    for feature, (low, high) in enumerate(zip(quantiser.low, quantiser.high, strict=True)):
        assert codes[:, feature].max() == (2**bits - 1 if high > low else 0)
        if high - low > 1e-3:
            assert codes[:, feature].min() == 0


@settings(max_examples=40, deadline=None)
@given(train=matrices, bits=st.integers(1, 8))
def test_json_round_trip_is_exact(train, bits):
    quantiser = Quantiser.fit(train, bits, NAMES)
    text = json.dumps(quantiser.to_json(), allow_nan=False)
    again = Quantiser.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert again.thresholds().tolist() == quantiser.thresholds().tolist()


def test_only_the_rows_it_is_fitted_on_matter():
    generator = np.random.default_rng(1)
    X = generator.normal(size=(50, 3))
    changed = X.copy()
    changed[30:] = generator.normal(size=(20, 3)) * 100
    before, after = (Quantiser.fit(data[:30], 4, NAMES).to_json() for data in (X, changed))
    assert before == after
    assert Quantiser.fit(X, 4, NAMES).to_json() != Quantiser.fit(changed, 4, NAMES).to_json()


def test_it_keeps_its_own_copy_of_the_ranges():
    low = np.zeros(1)
    quantiser = Quantiser(2, low, np.ones(1), ("a",))
    low[0] = 99
    assert quantiser.low.tolist() == [0]
    with pytest.raises(ValueError, match="read-only"):
        quantiser.low[0] = 5


@pytest.mark.parametrize("bits", [0, 9, -1])
def test_width_out_of_range(bits):
    with pytest.raises(ConfigError, match=f"input_bits={bits}: expected 1 to 8"):
        Quantiser.fit([[1.0]], bits, ("a",))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.empty((0, 2)), "no training rows"),
        ([[1.0]], r"X has shape \(1, 1\), expected \(n_samples, 2\)"),
        ([1.0, 2.0], r"X has shape \(2,\)"),
        ([[1, 2], [3, math.nan]], "sample 1, feature 'hue': nan is not a finite number"),
        ([[1, 2], [math.inf, 3]], "sample 1, feature 'ash': inf is not a finite number"),
        ([[-1e308, 2], [1e308, 3]], "feature 'ash': low -1e[+]308, high 1e[+]308 is not a finite range"),
    ],
)
def test_training_rows_it_cannot_use(X, words):
    with pytest.raises(DataError, match=words):
        Quantiser.fit(X, 4, ("ash", "hue"))


def test_nan_has_no_code():
    with pytest.raises(DataError, match="quantiser: sample 1, feature 'a': nan has no code"):
        BY_HAND.transform([[1.0, 2.0], [math.nan, 1.0]])


def test_ranges_that_do_not_fit_the_names():
    with pytest.raises(DataError, match="2 low and 1 high values for 2 features"):
        Quantiser(4, np.zeros(2), np.zeros(1), ("a", "b"))


def broken(path, value):
    document = json.loads(json.dumps(BY_HAND.to_json()))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "quantiser is not a JSON object"),
        (broken(["format"], "x"), "format is 'x', expected 'printedmlp.Quantiser'"),
        (broken(["version"], 2), "version is 2, expected 1"),
        (broken(["input_bits"], 9), "input_bits is 9, expected 1 to 8"),
        (broken(["input_bits"], True), "input_bits is True"),
        (broken(["input_bits"], "4"), "input_bits is '4'"),
        (broken(["features"], {}), "features is not a list"),
        (broken(["features"], []), "features is not a list with at least one entry"),
        (broken(["features", 1], 3), "features[1] is not a JSON object"),
        (broken(["features", 1, "name"], 3), "features[1].name is 3"),
        (broken(["features", 0, "low"], None), "features[0].low is None"),
        (broken(["features", 0, "high"], math.nan), "features[0].high is nan"),
        (broken(["features", 0, "high"], 10**400), "expected a finite number"),
        (broken(["features", 0, "high"], -1), "feature 'a': low 0.0, high -1.0 is not a finite range"),
        (broken(["features", 0, "high"], 9), "features[0].thresholds are not those of its low and high"),
        (broken(["features", 0, "thresholds", 1], 4.5), "features[0].thresholds are not those"),
        (broken(["features", 1, "thresholds"], None), "features[1].thresholds are not those"),
    ],
)
def test_json_that_was_tampered_with(document, words):
    with pytest.raises(DataError) as caught:
        Quantiser.from_json(document)
    assert words in str(caught.value)
