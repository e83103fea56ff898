import numpy as np
import pytest

from printedmlp.dataset import Dataset
from printedmlp.errors import ConfigError
from printedmlp.preparation import PARTS, prepare


def table(X, y):
    names = tuple(f"x{i}" for i in range(X.shape[1]))
    return Dataset("t", X, np.asarray(y), names, ("a", "b"), "0" * 64, "t.csv")


def test_parts_ranges_and_majority_by_hand():
    X = np.arange(20, dtype=np.float64)[:, None]
    ready = prepare(table(X, [0] * 12 + [1] * 8), seed=0)
    assert sorted(np.concatenate(ready.split)) == list(range(20))
    assert len(ready.split.train) == 12
    assert ready.majority_class == 0
    trained = X[ready.split.train]
    assert ready.quantiser.low.tolist() == [trained.min()]
    assert ready.quantiser.high.tolist() == [trained.max()]
    assert [part for part, _ in ready.parts()] == list(PARTS)
    assert sum(len(vectors.y) for _, vectors in ready.parts()) == 20


def test_changing_the_other_parts_changes_nothing_that_is_fitted():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 3)), np.repeat([0, 1], 30)
    before = prepare(table(X.copy(), y), seed=4)
    X[np.concatenate(before.split[1:])] *= 100
    after = prepare(table(X, y), seed=4)
    assert after.quantiser.to_json() == before.quantiser.to_json()
    assert np.array_equal(after.vectors("train").codes, before.vectors("train").codes)
    assert not np.array_equal(after.vectors("test").codes, before.vectors("test").codes)


def test_a_part_without_rows_is_named():
    X = np.zeros((12, 1))
    X[6:] = 1
    with pytest.raises(ConfigError, match=f"t: the split leaves no ({'|'.join(PARTS)}) rows"):
        prepare(table(X, [0] * 6 + [1] * 6), seed=0, group_duplicates=True)
