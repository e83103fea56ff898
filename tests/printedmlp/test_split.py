"""Training, validation and test rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError, DataError
from printedmlp.samples import Dataset, conflicting_inputs, duplicate_rows
from printedmlp.split import apportion, split_dataset

fractions_of_one = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)).map(
    lambda parts: tuple(part / sum(parts) for part in parts)
)
label_lists = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def dataset(labels, X=None, official=None):
    y = np.array(labels, dtype=np.int64)
    X = np.arange(len(y), dtype=np.float64)[:, None] if X is None else np.array(X, dtype=np.float64)
    names = tuple(f"x{f}" for f in range(X.shape[1]))
    classes = tuple("abcdefgh"[: max(labels) + 1])
    return Dataset("d", X, y, names, classes, "0" * 64, "d.csv", official_train_rows=official)


def class_counts(data, split):
    return [np.bincount(data.y[part], minlength=data.n_classes).tolist() for part in split]


@pytest.mark.parametrize(
    ("n", "counts"),
    [
        (0, [0, 0, 0]),
        (1, [1, 0, 0]),
        (2, [1, 1, 0]),
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (5, [3, 1, 1]),
        (6, [4, 1, 1]),
        (7, [4, 2, 1]),
        (8, [5, 2, 1]),
        (10, [6, 2, 2]),
    ],
)
def test_shares_by_hand(n, counts):
    assert apportion(n, (0.6, 0.2, 0.2)) == counts


def test_every_class_is_in_training_even_if_training_is_small():
    assert apportion(1, (0.1, 0.1, 0.8)) == [1, 0, 0]
    assert apportion(2, (0.1, 0.1, 0.8)) == [1, 0, 1]
    assert apportion(3, (0.1, 0.1, 0.8)) == [1, 1, 1]


@given(n=st.integers(0, 2000), fractions=fractions_of_one)
def test_shares_are_all_rows_and_within_one_of_the_quota(n, fractions):
    counts = apportion(n, fractions)
    assert sum(counts) == n
    assert min(counts) >= (n >= 3)
    if min(n * fraction for fraction in fractions) >= 1:
        assert all(abs(count - n * fraction) < 1 + 1e-6 for count, fraction in zip(counts, fractions, strict=True))


@settings(max_examples=60, deadline=None)
@given(labels=label_lists, seed=st.integers(0, 5), grouped=st.booleans(), fractions=fractions_of_one)
def test_parts_are_disjoint_complete_sorted_and_stratified(labels, seed, grouped, fractions):
    data = dataset(labels)
    split = split_dataset(data, seed=seed, group_duplicates=grouped, fractions=fractions)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(labels)))
    for part in split:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()
    expected = [apportion(labels.count(c), fractions) for c in range(data.n_classes)]
    assert np.array(class_counts(data, split)).T.tolist() == expected


def test_sixty_twenty_twenty():
    data = dataset([0] * 50 + [1] * 50 + [2] * 5)
    split = split_dataset(data, seed=3)
    assert class_counts(data, split) == [[30, 30, 3], [10, 10, 1], [10, 10, 1]]


def test_the_seed_decides():
    data = dataset([0, 1] * 50)
    for grouped in (False, True):
        first, again, other = (split_dataset(data, seed=s, group_duplicates=grouped) for s in (1, 1, 2))
        assert all((a == b).all() for a, b in zip(first, again, strict=True))
        assert first.test.tolist() != other.test.tolist()


def test_a_generator_may_be_passed_in():
    data = dataset([0, 1] * 50)
    one, two = (split_dataset(data, seed=s) for s in (7, np.random.default_rng(7)))
    assert one.train.tolist() == two.train.tolist()


def test_the_values_of_the_inputs_do_not_matter():
    labels = [0, 1, 2] * 20
    one = split_dataset(dataset(labels), seed=0)
    two = split_dataset(dataset(labels, X=np.random.default_rng(0).normal(size=(60, 2))), seed=0)
    assert one.train.tolist() == two.train.tolist()


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=80),
    seed=st.integers(0, 3),
    fractions=fractions_of_one,
)
def test_equal_inputs_are_never_parted(rows, seed, fractions):
    data = dataset([label for _, label in rows], X=[[value, -value] for value, _ in rows])
    split = split_dataset(data, seed=seed, group_duplicates=True, fractions=fractions)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(rows)))
    values = [set(data.X[part, 0]) for part in split]
    assert not values[0] & values[1]
    assert not values[0] & values[2]
    assert not values[1] & values[2]
    assert set(data.y[split.train]) == set(data.y)


def test_without_grouping_equal_inputs_are_parted():
    data = dataset([0, 1] * 40, X=[[i // 4] for i in range(80)])
    split = split_dataset(data, seed=0)
    assert set(data.X[split.train, 0]) & set(data.X[split.test, 0])


def test_grouping_stays_near_the_shares():
    generator = np.random.default_rng(5)
    X = generator.integers(0, 200, size=(600, 1))
    data = dataset((X[:, 0] % 3).tolist(), X=X)
    counts = np.array(class_counts(data, split_dataset(data, seed=1, group_duplicates=True)))
    shares = counts / counts.sum(axis=0)
    assert np.abs(shares - [[0.6], [0.2], [0.2]]).max() < 0.03


@pytest.mark.parametrize("grouped", [False, True])
def test_official_split(grouped):
    data = dataset([0, 1] * 50, official=80)
    split = split_dataset(data, seed=1, official=True, group_duplicates=grouped)
    assert split.test.tolist() == list(range(80, 100))
    assert class_counts(data, split) == [[30, 30], [10, 10], [10, 10]]


def test_no_official_split():
    with pytest.raises(DataError, match="data set 'd' has no official split"):
        split_dataset(dataset([0, 1] * 9), seed=1, official=True)


@pytest.mark.parametrize(
    "fractions", [(0.6, 0.2), (0.6, 0.2, 0.1), (0.8, 0.2, 0.0), (1.2, -0.1, -0.1), (np.nan, 0.5, 0.5)]
)
def test_fractions_that_make_no_sense(fractions):
    with pytest.raises(ConfigError, match="expected three positive numbers that add up to 1"):
        split_dataset(dataset([0, 1] * 9), seed=1, fractions=fractions)


def test_duplicates_and_conflicts_by_hand():
    data = dataset([0, 0, 1, 1, 1, 0], X=[[1, 2], [1, 2], [1, 2], [3, 4], [3, 4], [5, 6]])
    assert duplicate_rows(data) == 2
    assert conflicting_inputs(data) == 1
    assert duplicate_rows(dataset([0, 1, 0])) == conflicting_inputs(dataset([0, 1, 0])) == 0
