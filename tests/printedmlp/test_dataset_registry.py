"""Named sets of the UCI archive: where they are looked for, how they are checked, what an original file becomes."""

import hashlib
import io
import os
import urllib.error
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from printedmlp import archive
from printedmlp.archive import convert, download
from printedmlp.builtin import BUILT_IN, BuiltIn
from printedmlp.catalogue import CATALOGUE, Layout
from printedmlp.dataset import load_dataset, split_dataset
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.registry import NAMES, cache_folder, citation, named_table

DOCUMENTED = os.environ.get("PRINTEDMLP_DATA", "")
needs_data = pytest.mark.skipif(not DOCUMENTED, reason="PRINTEDMLP_DATA names no folder with the documented tables")
CONVERTIBLE = [name for name, entry in CATALOGUE.items() if entry.layout is not None]

ORIGINALS = {
    "breast_cancer": (
        "1000025,5,1,1,1,2,1,3,1,1,2\n1057013,8,4,5,1,2,?,7,3,1,4\n",
        "5,1,1,1,2,1,3,1,1,2\n8,4,5,1,2,,7,3,1,4\n",
    ),
    "breast_cancer_with_id": (
        "1000025,5,1,1,1,2,1,3,1,1,2\n1057013,8,4,5,1,2,?,7,3,1,4\n",
        "1000025,5,1,1,1,2,1,3,1,1,2\n",
    ),
    "redwine": (
        '"fixed acidity";"..."\n7.4;0.70;0;1.9;0.076;11;34;0.9978;3.51;0.560;9.4;5\n',
        "7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5\n",
    ),
    "seeds": (
        "15.26\t14.84\t0.871\t5.763\t3.312\t2.221\t5.22\t1\r\n14.88\t14.57\t0.8811\t5.554\t3.333\t1.018\t4.956\t\t1\r\n",
        "15.26,14.84,0.871,5.763,3.312,2.221,5.22,1\n14.88,14.57,0.8811,5.554,3.333,1.018,4.956,1\n",
    ),
    "vertebral_2c": (
        "% note\n@relation column\n@attribute class {A,B}\n@data\n63.0278175,22.5,39.6,40.4,98.60,-0.25,Abnormal\n",
        "63.0278175,22.5,39.6,40.4,98.6,-0.25,Abnormal\n",
    ),
    "mammographic": ("5,67,3,5,3,1\r\n4,43,1,1,?,1\r\n", "5,67,3,5,3,1\n4,43,1,1,,1\n"),
}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    monkeypatch.setenv("PRINTEDMLP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def zipped(files, folder=""):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as bundle:
        bundle.writestr("Index", "nothing")
        for name, text in files.items():
            bundle.writestr(folder + name, text)
    return stream.getvalue()


def converted(name, *texts, folder=""):
    entry = CATALOGUE[name]
    assert entry.layout is not None
    return convert(zipped(dict(zip(entry.members, texts, strict=True)), folder), entry, entry.layout)


def documented(name):
    return (Path(DOCUMENTED) / f"{name}.csv").read_text()


def original(name):
    """Write the files of a UCI archive back from the documented table, in the layout they have there."""
    rows = [line.split(",") for line in documented(name).splitlines()[1:]]
    filled = [[cell or "?" for cell in row] for row in rows]
    if name == "pendigits":
        lines = [",".join([*(f"{cell:>3}" for cell in row[:-1]), f"{row[-1]:>2}"]) + "\n" for row in rows]
        return ["".join(lines[:7494]), "".join(lines[7494:])]
    if name == "breast_cancer":
        return ["".join(",".join([str(1000000 + i), *row]) + "\n" for i, row in enumerate(filled))]
    if name == "breast_cancer_with_id":
        return ["1057013,8,4,5,1,2,?,7,3,1,4\n" + "".join(",".join(row) + "\n" for row in rows)]
    if name == "seeds":
        return ["".join("\t".join(row[:3]) + "\t\t" + "\t".join(row[3:]) + "\r\n" for row in rows)]
    if name.startswith("vertebral"):
        return ["@relation x\n\n@attribute a numeric\n\n@data\n" + "".join(",".join(row) + "\n" for row in rows)]
    separator, head, end = (";", '"a";"b"\n', "\n") if name.endswith("wine") else (",", "", "\r\n")
    return [head + "".join(separator.join(row) + end for row in filled)]


class Served:
    """A stand-in for the network that has the seeds archive, and the table that must come of it."""

    def __init__(self):
        rows = [[i * i % (5 + j) for j in range(7)] + [1 + i % 3] for i in range(30)]
        self.calls: list[str] = []
        self.content = zipped({"seeds_dataset.txt": "".join("\t".join(map(str, row)) + "\n" for row in rows)})
        self.table = convert(self.content, CATALOGUE["seeds"], Layout(separator=None))

    def __call__(self, url):
        self.calls.append(url)
        return self.content


@pytest.fixture
def served(monkeypatch):
    network = Served()
    entry = replace(CATALOGUE["seeds"], sha256=hashlib.sha256(network.table).hexdigest())
    monkeypatch.setitem(CATALOGUE, "seeds", entry)
    return network


def no_network(url):
    raise urllib.error.URLError("Name or service not known")


@pytest.mark.parametrize("name", ORIGINALS)
def test_conversion_by_hand(name):
    text, expected = ORIGINALS[name]
    for folder in ("", "data/"):
        lines = converted(name, text, folder=folder).decode().split("\n", 1)
        assert lines == [",".join(CATALOGUE[name].columns), expected]


def test_pendigits_joins_the_official_parts():
    row = " 47,100, 27, 81, 57, 37, 26,  0,  0, 23, 56, 53,100, 90, 40, 98, {}\n"
    lines = converted("pendigits", row.format(8), row.format(3)).decode().splitlines()
    assert lines[0].startswith("x1,y1,x2,y2,")
    assert lines[1:] == [f"47,100,27,81,57,37,26,0,0,23,56,53,100,90,40,98,{label}" for label in (8, 3)]


@needs_data
@pytest.mark.parametrize("name", CONVERTIBLE)
def test_the_original_layout_converts_to_the_documented_bytes(name):
    data = converted(name, *original(name))
    assert data == documented(name).encode()
    assert hashlib.sha256(data).hexdigest() == CATALOGUE[name].sha256


@needs_data
@pytest.mark.parametrize(
    ("name", "file", "sha256"),
    [
        ("pendigits", 0, "e2b9eb9f0d0467e2b64a4816a3420edf2b8043447576f4b84337aba44a9f97d3"),
        ("pendigits", 1, "8bd03229c5c5291fefe43e45465dd948d2645bf23328b9d993e0b777666b2015"),
        ("mammographic", 0, "072051c896fb14f8f25c64eed30ba1333290af41e6c9ffad4e1ca573daa865a8"),
    ],
)
def test_the_layouts_of_these_tests_are_those_of_the_official_files(name, file, sha256):
    assert hashlib.sha256(original(name)[file].encode()).hexdigest() == sha256


@needs_data
@pytest.mark.filterwarnings("ignore::printedmlp.errors.PrintedMLPWarning")
@pytest.mark.parametrize("name", CATALOGUE)
def test_documented_tables_load(name, monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", DOCUMENTED)
    data = load_dataset(name, fetch=no_network)
    assert data.sha256 == CATALOGUE[name].sha256
    assert data.n_features == len(CATALOGUE[name].columns) - 1
    assert "UCI" in data.source


@needs_data
def test_the_official_split_of_pendigits(monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", DOCUMENTED)
    data = load_dataset("pendigits")
    split = split_dataset(data, seed=0, official=True)
    assert split.test.tolist() == list(range(7494, 10992))
    assert abs(len(split.validation) - 7494 / 4) < 10


@needs_data
def test_white_wine_has_all_seven_classes_in_all_parts(monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", DOCUMENTED)
    data = load_dataset("whitewine")
    for grouped in (False, True):
        split = split_dataset(data, seed=0, group_duplicates=grouped)
        assert all(set(data.y[part]) == set(range(7)) for part in split)


def test_a_download_is_cached_whole_and_not_repeated(cache, served):
    first = load_dataset("seeds", fetch=served)
    assert served.calls == ["https://archive.ics.uci.edu/static/public/236/seeds.zip"]
    assert first.sha256 == CATALOGUE["seeds"].sha256
    assert [path.name for path in cache.iterdir()] == ["seeds.csv"]
    assert (cache / "seeds.csv").read_bytes() == served.table
    assert np.array_equal(load_dataset("seeds", fetch=no_network).X, first.X)


def test_your_folder_comes_before_the_cache_and_the_network(monkeypatch, cache, served, tmp_path):
    cache.mkdir()
    (cache / "seeds.csv").write_text("damaged")
    own = tmp_path / "own"
    own.mkdir()
    (own / "seeds.csv").write_bytes(served.table)
    monkeypatch.setenv("PRINTEDMLP_DATA", str(own))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_dataset("seeds", fetch=no_network).n_samples == 30


def test_a_damaged_cache_file_is_fetched_again_aloud(cache, served):
    cache.mkdir()
    (cache / "seeds.csv").write_text("damaged")
    with pytest.warns(PrintedMLPWarning, match=r"seeds\.csv: sha256 is [0-9a-f]{64}, expected .*; fetched again"):
        assert load_dataset("seeds", fetch=served).n_samples == 30
    assert (cache / "seeds.csv").read_bytes() == served.table


def test_a_cache_that_cannot_be_written_costs_a_warning_only(cache, served):
    cache.write_text("a file where the folder should be")
    with pytest.warns(PrintedMLPWarning, match=r"seeds\.csv could not be written"):
        assert load_dataset("seeds", fetch=served).n_samples == 30


def test_an_interrupted_write_leaves_nothing_behind(cache, served, monkeypatch):
    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_dataset("seeds", fetch=served)
    assert list(cache.iterdir()) == []


def test_a_changed_file_in_your_folder_is_refused_with_both_sums(tmp_path, monkeypatch):
    (tmp_path / "seeds.csv").write_text("a,class\n")
    found = hashlib.sha256(b"a,class\n").hexdigest()
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        load_dataset("seeds", fetch=no_network)
    assert str(caught.value) == f"{tmp_path}/seeds.csv: sha256 is {found}, expected {CATALOGUE['seeds'].sha256}"


def test_a_folder_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"PRINTEDMLP_DATA is .*/nowhere, which is no folder"):
        load_dataset("seeds", fetch=no_network)


def test_a_folder_without_the_file_leads_on_to_the_download(tmp_path, monkeypatch):
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    with pytest.raises(DataError, match="no download from"):
        load_dataset("seeds", fetch=no_network)


@pytest.mark.parametrize(
    "error", [urllib.error.URLError("no route"), TimeoutError("too slow"), ValueError("more than")]
)
def test_without_a_network_the_message_says_what_to_do(error):
    def fetch(url):
        raise error

    with pytest.raises(DataError) as caught:
        load_dataset("redwine", fetch=fetch)
    message = str(caught.value)
    assert (
        "data set 'redwine': no download from https://archive.ics.uci.edu/static/public/186/wine+quality.zip"
        in message
    )
    assert message.endswith("put redwine.csv into a folder and set PRINTEDMLP_DATA to it")
    assert "\n" not in message


def test_a_workbook_is_never_downloaded():
    with pytest.raises(DataError) as caught:
        load_dataset("cardio", fetch=lambda url: pytest.fail("fetched"))
    assert str(caught.value) == (
        "data set 'cardio' cannot be downloaded (CTG.xls is an Excel workbook): "
        "put cardio.csv into a folder and set PRINTEDMLP_DATA to it"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>moved</html>", "is not a readable zip archive"),
        (zipped({"other.txt": ""}), "the archive has no file seeds_dataset.txt; it holds Index, other.txt"),
        (zipped({"seeds_dataset.txt": "1 2 3\n"}), "seeds_dataset.txt line 1: 3 cells, expected 8"),
        (zipped({"seeds_dataset.txt": "\n1 2 3 4 5 6 x 1\n"}), "seeds_dataset.txt line 2: 'x' is not a number"),
        (zipped({"seeds_dataset.txt": "1 2 3 4 5 6 7 1\n"}), "expected a94b9275dce9406f"),
    ],
)
def test_an_archive_that_changed(cache, content, words):
    with pytest.raises(DataError) as caught:
        load_dataset("seeds", fetch=lambda url: content)
    assert words in str(caught.value)
    assert str(caught.value).endswith("set PRINTEDMLP_DATA to it")
    assert not cache.exists()


def test_an_archive_with_damaged_content():
    content = bytearray(zipped({"seeds_dataset.txt": "1 2 3 4 5 6 7 1\n"}))
    content[content.index(b"1 2 3")] ^= 1
    with pytest.raises(DataError, match="is not a readable zip archive"):
        load_dataset("seeds", fetch=lambda url: bytes(content))


def test_a_file_too_large_for_what_it_should_be(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    with pytest.raises(DataError, match=r"seeds_dataset\.txt has more than 10 bytes"):
        load_dataset("seeds", fetch=lambda url: zipped({"seeds_dataset.txt": "1 2 3 4 5 6 7 1\n"}))


def test_download_reads_bounded_and_in_time(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    url = path.as_uri()
    assert download(url) == b"x" * 1000
    monkeypatch.setattr(archive, "MOST_BYTES", 999)
    with pytest.raises(ValueError, match="more than 999 bytes"):
        download(url)
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    monkeypatch.setattr(archive, "DEADLINE_S", -1.0)
    with pytest.raises(TimeoutError, match="not finished"):
        download(url)


def test_the_cache_is_in_the_home_folder_by_default(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_CACHE")
    monkeypatch.setenv("HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/.cache/printedmlp")


def test_the_catalogue_is_complete():
    for name, entry in CATALOGUE.items():
        assert len(entry.sha256) == 64
        assert entry.columns[-1] == "class"
        assert len(set(entry.columns)) == len(entry.columns)
        assert "CC BY 4.0" in citation(name)
    assert all(citation(name) for name in NAMES)
    assert named_table("balance", []).startswith(b"left_weight")


SIMULATED = b"x,class\n1,a\n2,b\n"


@pytest.fixture
def simulated(monkeypatch):
    """`cluster_escapers` made by a quick stand-in, and how often it was."""
    calls = []

    def make():
        calls.append(1)
        return SIMULATED

    sha256 = hashlib.sha256(SIMULATED).hexdigest()
    monkeypatch.setitem(BUILT_IN, "cluster_escapers", BuiltIn(make, "someone (2025)", sha256, 1))
    return calls


def test_a_simulation_is_made_once_and_kept(cache, simulated):
    assert [named_table("cluster_escapers", [], no_network) for _ in range(2)] == [SIMULATED] * 2
    assert len(simulated) == 1
    assert (cache / "cluster_escapers.csv").read_bytes() == SIMULATED


def test_a_damaged_simulation_is_made_again_aloud(cache, simulated):
    cache.mkdir()
    (cache / "cluster_escapers.csv").write_text("damaged")
    notes: list[str] = []
    assert named_table("cluster_escapers", notes) == SIMULATED
    assert notes[0].endswith("made again")


def test_your_own_copy_of_a_simulation_comes_first(tmp_path, monkeypatch, simulated):
    (tmp_path / "cluster_escapers.csv").write_bytes(SIMULATED)
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    assert named_table("cluster_escapers", []) == SIMULATED
    assert simulated == []


def test_a_simulation_that_came_out_otherwise_is_refused(cache, monkeypatch):
    monkeypatch.setitem(BUILT_IN, "cluster_escapers", BuiltIn(lambda: b"other", "someone (2025)", "0" * 64))
    with pytest.raises(DataError) as caught:
        named_table("cluster_escapers", [])
    found = hashlib.sha256(b"other").hexdigest()
    assert str(caught.value) == (
        f"data set 'cluster_escapers': cluster_escapers.csv made here: sha256 is {found}, "
        f"expected {'0' * 64}: put cluster_escapers.csv into a folder and set PRINTEDMLP_DATA to it"
    )
    assert not cache.exists()
