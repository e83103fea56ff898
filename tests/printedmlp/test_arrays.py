"""Tables in memory: the data set made of arrays, and its split without test rows."""

import numpy as np
import pytest

from printedmlp.errors import ConfigError, DataError
from printedmlp.preparation import prepared
from printedmlp.samples import Dataset
from printedmlp.split import split_without_test


def made(labels, X=None, names=("a", "b")):
    values = np.arange(2.0 * len(labels)).reshape(-1, 2) if X is None else X
    classes = [f"c{k}" for k in range(max(labels) + 1)]
    return Dataset.of_arrays("table", values, labels, names, classes)


def test_the_callers_arrays_stay_his():
    X = np.asfortranarray(np.ones((4, 2)))
    dataset = made([0, 1, 0, 1], X)
    X[0, 0] = 7
    assert dataset.X[0, 0] == 1
    assert X.flags.writeable


def test_names_are_cleaned_and_told_apart():
    assert made([0, 1], names=["x\n", "x"]).feature_names == ("x", "x_2")


def test_the_hash_is_that_of_everything():
    tables = [made([0, 1]), made([1, 0]), made([0, 1], names=("a", "c")), made([0, 1], np.zeros((2, 2)))]
    assert len({table.sha256 for table in tables}) == len(tables)
    assert made([0, 1]).sha256 == tables[0].sha256


def test_every_class_is_cut_and_no_row_is_for_test():
    dataset = made([0] * 8 + [1] * 4 + [2])
    split = split_without_test(dataset, seed=3, validation=0.25)
    assert np.bincount(dataset.y[split.train]).tolist() == [6, 3, 1]
    assert np.bincount(dataset.y[split.validation]).tolist() == [2, 1]
    assert split.test.tolist() == []
    assert sorted([*split.train, *split.validation]) == list(range(13))
    again = split_without_test(dataset, seed=3, validation=0.25)
    assert again.train.tolist() == split.train.tolist()


def test_a_table_without_test_rows_has_two_parts():
    dataset = made([0, 1] * 6)
    ready = prepared(dataset, split_without_test(dataset, seed=0, validation=0.25), 4)
    assert [part for part, _ in ready.parts()] == ["train", "validation"]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, np.nan])
def test_a_share_must_leave_rows_on_both_sides(share):
    with pytest.raises(ConfigError, match="validation share"):
        split_without_test(made([0, 1]), seed=0, validation=share)


def test_single_rows_of_every_class_leave_none_for_validation():
    with pytest.raises(DataError, match="no class has two rows"):
        split_without_test(made([0, 1, 2]), seed=0, validation=0.25)
