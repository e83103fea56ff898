"""Data of the studies: shapes, splits, and one line where a file is missing."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.image import imsave

from printedmlp.errors import DataError
from printedmlp.reference.datasets import digits, stratified, suite_array, suite_image, suite_path


@pytest.fixture
def suite(tmp_path, monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    (tmp_path / "suite").mkdir()
    return tmp_path / "suite"


def test_digits_are_the_known_ones():
    data = digits()
    assert data.x.shape == (1797, 64)
    assert (data.x.min(), data.x.max(), data.x.dtype) == (0, 16, np.float32)
    assert np.bincount(data.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_a_split_is_stratified_disjoint_whole_and_seeded():
    y = np.repeat([0, 1], [70, 30])
    train, test = stratified(y, (0.7, 0.3), 0)
    assert (np.bincount(y[train]).tolist(), np.bincount(y[test]).tolist()) == ([49, 21], [21, 9])
    assert sorted([*train, *test]) == list(range(100))
    assert np.array_equal(train, stratified(y, (0.7, 0.3), 0)[0])
    assert not np.array_equal(train, stratified(y, (0.7, 0.3), 1)[0])


def test_three_parts_and_a_rare_class():
    parts = stratified(np.repeat([0, 1], [10, 3]), (0.6, 0.2, 0.2), 0)
    assert [len(part) for part in parts] == [7, 3, 3]


def test_arrays_of_the_suite(suite):
    np.savez(suite / "a.npz", x=np.arange(3), y=np.ones(2))
    y, x = suite_array("a.npz", "y", "x")
    assert (y.tolist(), x.tolist()) == ([1, 1], [0, 1, 2])


def test_arrays_that_are_cut_short_or_damaged_are_one_line(suite):
    np.savez_compressed(suite / "a.npz", x=np.random.default_rng(0).random(1000))
    whole = (suite / "a.npz").read_bytes()
    places, fillings = (60, 300, 2000), (b"\0" * 50, b"\xff" * 50)
    altered = [whole[:place] + filling + whole[place + 50 :] for place in places for filling in fillings]
    for data in (b"", whole[:500], whole[:-30], *altered):
        (suite / "b.npz").write_bytes(data)
        with pytest.raises(DataError, match=r"b\.npz cannot be read: [^\n]+$"):
            suite_array("b.npz", "x")


def test_an_array_under_an_archives_name_is_told(suite):
    with (suite / "b.npz").open("wb") as file:
        np.save(file, np.arange(3))
    with pytest.raises(DataError, match=r"b\.npz holds one array, not an archive"):
        suite_array("b.npz", "x")


def test_a_picture_of_the_suite_is_between_zero_and_one(suite):
    imsave(suite / "a.png", np.array([[0, 255], [255, 0]], dtype=np.uint8), cmap="gray")
    picture = suite_image("a.png")
    assert picture.shape[:2] == (2, 2)
    assert (picture[0, 0, 0], picture[0, 1, 0]) == (0, 1)


def test_what_is_missing_is_one_line_with_file_and_variable(suite, monkeypatch):
    (suite / "broken.npz").write_bytes(b"nonsense")
    np.savez(suite / "a.npz", x=np.arange(3))
    with pytest.raises(DataError, match=r"b\.npz: no such file; PRINTEDMLP_DATA"):
        suite_path("b.npz")
    with pytest.raises(DataError, match=r"a\.npz: no array 'z'; it holds x"):
        suite_array("a.npz", "z")
    with pytest.raises(DataError, match=r"broken\.npz cannot be read"):
        suite_array("broken.npz", "x")
    (suite / "broken.png").write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        suite_image("broken.png")
    monkeypatch.delenv("PRINTEDMLP_DATA")
    with pytest.raises(DataError, match=r"a\.npz: set PRINTEDMLP_DATA"):
        suite_path("a.npz")
