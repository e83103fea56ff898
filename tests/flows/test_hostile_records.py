"""Settings, models and what stages leave for each other: changed at random, refused in one line or used."""

import json
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile_records import ODD, TOML, changed
from flows import design
from flows.ceiling import FORMAT, VERSION, ceiling_of, reference_for
from flows.cli import run_command
from flows.config import make_config
from flows.run import FORMAT as RUN_FORMAT
from flows.run import MANIFEST, json_text, open_run, read_manifest
from printedmlp import model
from printedmlp.circuit.gates import GateClassifier
from printedmlp.classifier import classifier_from_json
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, DataError, ModelError, PrintedMLPError
from printedmlp.files import parse_json, parse_toml
from printedmlp.quantise import Quantiser
from tests.random_models import classifiers
from tests.random_trees import trees


@pytest.mark.parametrize("name", TOML)
def test_settings_that_are_none_are_one_line(name, tmp_path, capsys):
    text, words = TOML[name]
    (tmp_path / "c.toml").write_text(text)
    assert run_command(design.main, ["--config", str(tmp_path / "c.toml"), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error[:-1].isprintable()
    assert words in error
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.toml"]


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet='a.="[]{}\\u0\n1e#\x00\x1b', max_size=60))
def test_any_text_is_toml_or_a_value_error(text, tmp_path_factory):
    try:
        parse_toml(text)
    except ValueError:
        return


RECORDS = st.one_of(
    classifiers().map(lambda made: (made.to_json(), classifier_from_json)),
    trees().map(lambda made: (made.to_json(), classifier_from_json)),
    st.just((Quantiser.fit(np.eye(3), 4, ("a", "b", "c")).to_json(), Quantiser.from_json)),
)


@settings(max_examples=200, deadline=None)
@given(record=RECORDS, seed=st.integers(0, 2**32 - 1))
def test_a_changed_record_is_refused_or_a_sound_object(record, seed):
    data, read = record
    said, found = "", None
    try:
        found = read(changed(data, np.random.default_rng(seed)))
    except PrintedMLPError as error:
        said = str(error)
    assert said.isprintable()
    assert found is None or read(json.loads(json_text(found.to_json()))) is not None


@pytest.mark.parametrize("value", ODD)
def test_what_is_no_record_at_all_is_refused(value):
    for read in (classifier_from_json, model.DiscreteMLP.from_json, GateClassifier.from_json, Quantiser.from_json):
        with pytest.raises(PrintedMLPError):
            read(value)


def test_a_network_of_as_many_inputs_as_there_is_memory_is_refused():
    one = model.Neuron((model.Term(0, 1, 1, 0),))
    data = model.DiscreteMLP(1, 1, (model.Layer((one, one), 0, model.Scores()),)).to_json()
    for many in (2**40, 10**400):
        with pytest.raises(ModelError, match=r"n_features must be in 1\.\.65536"):
            classifier_from_json({**data, "n_features": many})


@pytest.mark.parametrize("text", ["[" * 10**5, "NaN", "[1e999]", '"\\ud800"', "1" * 5000, "", "{", "\x1b"])
def test_json_that_could_not_be_written_again_is_refused(text):
    with pytest.raises(ValueError):
        parse_json(text)


def reference():
    dataset = load_dataset("balance")
    splits = [{"seed": 0, "validation": {"accuracy": 0.5}, "test": {"accuracy": 0.5}}]
    record = {
        "format": FORMAT,
        "version": VERSION,
        "dataset": {"sha256": dataset.sha256, "class_names": list(dataset.class_names)},
        "settings": {"official_split": False, "group_duplicates": False, "missing": "drop", "input_bits": 4},
        "models": {"mlp": {"parameters": 5, "splits": splits}},
    }
    return record, dataset


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_float_ceiling_is_refused_or_told(seed, tmp_path_factory):
    record, dataset = reference()
    place = tmp_path_factory.mktemp("ceiling") / "reference.json"
    place.write_text(json.dumps(changed(record, np.random.default_rng(seed))))
    words = ""
    try:
        words = ceiling_of(reference_for(place, dataset), make_config(None, {"dataset": "balance"})).words
    except DataError as error:
        words = str(error)
    assert words


def test_the_float_ceiling_of_this_file_is_good():
    record, _ = reference()
    assert ceiling_of(record, make_config(None, {"dataset": "balance"})).test == 0.5


MANIFEST_DATA = {
    "format": RUN_FORMAT,
    "settings": {"seed": 1},
    "order": ["first", "second"],
    "stages": {"first": {"files": {"a/one.json": "0" * 64}, "seconds": 1.0, "peak_memory_mb": 1}},
}


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_manifest_is_refused_or_gone_on_with(seed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "r"
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps(changed(MANIFEST_DATA, np.random.default_rng(seed))))
    said = ""

    def work(run):
        run.write_json(1, "a", "one.json")
        return ["a/one.json"]

    try:
        with open_run(folder, {"seed": 1}, ["first", "second"]) as run:
            run.do("first", partial(work, run))
            assert run.is_done("first")
    except ConfigError as error:
        said = str(error)
    assert said.isprintable()
    assert sorted(entry.name for entry in folder.parent.iterdir()) == ["r"]


@pytest.mark.parametrize("name", ["../victim", "/victim", "a/../../victim"])
def test_a_manifest_cannot_have_files_elsewhere_deleted(name, tmp_path):
    victim, folder = tmp_path / "victim", tmp_path / "r"
    victim.write_text("dear")
    folder.mkdir()
    stages = {"first": {"files": {name.replace("/victim", str(victim), 1) if name[0] == "/" else name: "0" * 64}}}
    (folder / MANIFEST).write_text(json.dumps({**MANIFEST_DATA, "stages": stages}))
    with pytest.raises(ConfigError, match="is not the manifest of a run"):
        read_manifest(folder / MANIFEST)
    with pytest.raises(ConfigError), open_run(folder, {"seed": 1}, ["first", "second"]):
        pass
    assert victim.read_text() == "dear"


def test_the_lock_is_not_written_through_a_link(tmp_path):
    victim, folder = tmp_path / "victim", tmp_path / "r"
    victim.write_text("dear")
    folder.mkdir()
    (folder / ".lock").symlink_to(victim)
    with pytest.raises(ConfigError, match=r"\.lock: cannot be opened"), open_run(folder, {}, ["first"]):
        pass
    assert victim.read_text() == "dear"


def test_a_piece_that_changed_is_none(tmp_path):
    with open_run(tmp_path / "r", {}, ["first"]) as run:
        record = {"netlist": "module top", "area": 0.25, "levels": [[1, 2], []]}
        run.write_piece(record, "p.json")
        assert run.read_piece("p.json") == record
        good = run.path("p.json").read_bytes()
        for place in range(len(good)):
            run.path("p.json").write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            assert run.read_piece("p.json") in (None, record)
            run.path("p.json").write_bytes(good[:place])
            assert run.read_piece("p.json") == (record if place == len(good) - 1 else None)
        assert run.read_piece("absent.json") is None
