"""The entrance: names, files, provenance, warnings."""

import hashlib
import json
import os
import re
import warnings

import numpy as np
import pytest
from sklearn import datasets as scikit_learn

from printedmlp.builtin import BUILT_IN, balance_bytes
from printedmlp.dataset import NAMES, Dataset, Quantiser, load_dataset, split_dataset
from printedmlp.errors import DataError, PrintedMLPWarning

GOOD = "ash,hue,class\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10))
CHECKSUMS = {
    "balance": "890a1daea942695a0bfeaa445963d936cb8feaeca337da9a833a95f65668f246",
    "cluster_escapers": "ddbb908eb5beb2f4f793430e38a1990fc737c558b379b0ecf81395da53b32463",
    "iris": "b7124c703bcb3b230f4a1520cd514603163b90958bbd20a9be3e92a3f70f54ae",
    "wine": "1dcdd0ff3f6d5dd7c8f24bf342c7bce04a2fd27a08a4a685cb1da29af3f31a00",
    "breast_cancer_diagnostic": "ae20440c1e8a33b8d044e874c53122ba7807d19bf5324656b0520c3653017b93",
    "digits": "bb91ac08ceeb4eb7ddca61f0af46532f91c54eea07aab185ef61474328881e05",
}


@pytest.fixture(autouse=True)
def _offline_and_alone(monkeypatch, tmp_path):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    monkeypatch.setenv("PRINTEDMLP_CACHE", str(tmp_path / "cache"))


def saved(tmp_path, text, name="wine list.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_balance_is_byte_exact():
    data = balance_bytes()
    assert len(data) == 6310
    assert hashlib.sha256(data).hexdigest() == CHECKSUMS["balance"]
    balance = load_dataset("balance")
    assert balance.sha256 == CHECKSUMS["balance"]
    assert balance.class_names == ("B", "L", "R")
    assert balance.class_counts() == (49, 288, 288)
    assert balance.X[1].tolist() == [1, 1, 1, 2]
    assert balance.class_names[balance.y[1]] == "R"


@pytest.mark.filterwarnings("ignore::printedmlp.errors.PrintedMLPWarning")
@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_names_need_no_file_and_no_network(name):
    data = load_dataset(name, fetch=lambda url: pytest.fail(f"fetched {url}"))
    assert data.name == name
    assert data.sha256 == CHECKSUMS[name]
    assert data.official_train_rows == {"cluster_escapers": 2800}.get(name)
    assert re.search(r"\(\d{4}\)", data.source)
    for text in data.feature_names:
        assert re.fullmatch(r"[a-z0-9_]+", text)


@pytest.mark.filterwarnings("ignore::printedmlp.errors.PrintedMLPWarning")
@pytest.mark.parametrize(
    ("name", "loader"),
    [
        ("iris", "load_iris"),
        ("wine", "load_wine"),
        ("digits", "load_digits"),
        ("breast_cancer_diagnostic", "load_breast_cancer"),
    ],
)
def test_scikit_learn_sets_are_those_of_scikit_learn(name, loader):
    bunch = getattr(scikit_learn, loader)()
    varying = bunch.data.min(axis=0) < bunch.data.max(axis=0)
    data = load_dataset(name)
    assert np.array_equal(data.X, bunch.data[:, varying])
    assert [data.class_names[c] for c in data.y] == [str(bunch.target_names[c]) for c in bunch.target]


def test_constant_pixels_of_the_digits_are_left_out_aloud():
    with pytest.warns(PrintedMLPWarning, match="left out: 'pixel_0_0', 'pixel_4_0', 'pixel_4_7'"):
        digits = load_dataset("digits")
    assert digits.n_features == 61
    assert digits.n_classes == 10


def test_a_file(tmp_path):
    path = saved(tmp_path, GOOD)
    for given in (path, str(path)):
        data = load_dataset(given)
        assert (data.name, data.source) == ("wine_list", "wine list.csv")
        assert data.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
        assert (data.n_samples, data.n_features, data.n_classes) == (10, 2, 2)
        assert data.warnings == ()
        assert data.official_train_rows is None


def test_a_file_called_like_a_data_set(tmp_path, monkeypatch):
    saved(tmp_path, GOOD, "iris")
    monkeypatch.chdir(tmp_path)
    assert load_dataset("iris").n_samples == 150
    assert load_dataset("./iris").n_samples == 10
    assert load_dataset(tmp_path / "iris").name == "iris"


def test_options_reach_the_reader(tmp_path):
    path = saved(tmp_path, GOOD.replace("ash", "id").replace("\n9,", "\n?,"))
    with pytest.warns(PrintedMLPWarning, match="missing cells: 'id' 1"):
        assert load_dataset(path).feature_names == ("id", "hue")
    with pytest.raises(DataError, match=r"wine list\.csv line 5, column 'id': the value is missing \('\?'\)"):
        load_dataset(path, missing="error")
    path = saved(tmp_path, GOOD.replace("ash", "id"))
    with pytest.warns(PrintedMLPWarning, match="only number the rows left out: 'id'"):
        assert load_dataset(path).feature_names == ("hue",)
    assert load_dataset(path, drop_index=False).feature_names == ("id", "hue")
    with pytest.raises(DataError, match="has no column 'x'"):
        load_dataset(path, label="x")


def test_every_warning_is_given_once_and_recorded(tmp_path):
    path = saved(tmp_path, GOOD + "# end\n?,1,A\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load_dataset(path)
    assert tuple(str(w.message) for w in caught) == data.warnings
    assert len(data.warnings) == 2
    assert all(issubclass(w.category, PrintedMLPWarning) and w.filename == __file__ for w in caught)


def test_the_arrays_are_read_only(tmp_path):
    data = load_dataset(saved(tmp_path, GOOD))
    for array in (data.X, data.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_data_set_that_contradicts_itself_is_our_defect():
    with pytest.raises(AssertionError, match="X does not fit"):
        Dataset("d", np.zeros((3, 2)), np.zeros(3, np.int64), ("a",), ("b",), "", "")


def test_summary_is_json_and_holds_what_a_run_records(tmp_path):
    summary = load_dataset(saved(tmp_path, GOOD + "0,0,A\n0,0,B\n")).summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["classes"] == {"A": 6, "B": 6}
    assert (summary["duplicate_rows"], summary["conflicting_inputs"]) == (1, 1)
    assert summary["feature_names"] == ["ash", "hue"]


def test_from_a_name_to_codes():
    data = load_dataset("iris")
    split = split_dataset(data, seed=0)
    quantiser = Quantiser.fit(data.X[split.train], 4, data.feature_names)
    codes = quantiser.transform(data.X)
    assert codes.shape == (150, 4)
    assert set(codes[split.train].ravel()) == set(range(16))


@pytest.mark.parametrize("name", ["\x1b[2J; rm -rf", "$(reboot)`", "../x y", "\u202egpj", "2024"])
def test_hostile_file_names_become_safe_names(tmp_path, name):
    path = saved(tmp_path, GOOD + "?,1,A\n", name.replace("/", "_") + ".csv")
    with pytest.warns(PrintedMLPWarning):
        data = load_dataset(path)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", data.name)
    assert data.source.isprintable()
    assert data.warnings[0].isprintable()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no data set named"),
        ("  ", "no data set named"),
        ("iriss", "no data set or file 'iriss'; did you mean 'iris'?"),
        ("Balance", "did you mean 'balance'?"),
        ("zzz", "no data set or file 'zzz'; names are balance, iris, wine"),
        ("nothing.csv", "nothing.csv: no such file"),
        ("no/such/table", "no/such/table: no such file"),
        ("a\0b.csv", "ab.csv cannot be read: embedded null byte"),
        ("x" * 300 + ".csv", "cannot be read: File name too long"),
        (".", ". is a folder, not a table"),
        ("/dev/null", "/dev/null is not a regular file"),
    ],
)
def test_what_is_no_data_set(tmp_path, monkeypatch, given, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(given)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_without_permission(tmp_path):
    path = saved(tmp_path, GOOD)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(DataError, match=r"cannot be read: Permission denied"):
        load_dataset(path)


def test_a_disk_that_fails(tmp_path, monkeypatch):
    path = saved(tmp_path, GOOD)

    def fail(*given):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("printedmlp.files._without_waiting", fail)
    with pytest.raises(DataError, match=r"wine list\.csv cannot be read: Input/output error"):
        load_dataset(path)


def test_names_are_known_once():
    assert len(set(NAMES)) == len(NAMES) == 16
