"""Float networks on a user's table: the splits of a design run, choice by validation, one file that can go on."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from flows import reference_on
from flows.ceiling import FILE, ceiling_of, reference_for
from flows.config import make_config
from flows.reference import main
from flows.reference_fit import CLIP, Scaler
from printedmlp.dataset import load_dataset
from printedmlp.preparation import prepare
from tests.flows.processes import code_of


def run(folder, *arguments, code=0):
    command = ["--on", "iris", "--quick", "--models", "mlp", "--splits", "2", "--folder", str(folder), *arguments]
    assert code_of(main, command) == code
    return json.loads((folder / FILE).read_text()) if not code else None


def without_seconds(record):
    for model in record["models"].values():
        for split in model["splits"]:
            del split["seconds"]
    return record


def test_scaling_by_hand():
    X = np.array([[0.0, 5.0, 1.0], [2.0, 5.0, 1.0]])
    scaled = Scaler.fit(X).transform(np.array([[3.0, 7.0, 1.0], [-100.0, 5.0, 1.0]]))
    assert scaled.tolist() == [[2.0, 0.0, 0.0], [-CLIP, 0.0, 0.0]]
    assert scaled.dtype == np.float32


def test_the_command_writes_the_file_and_prints_the_table(tmp_path, capsys):
    record = run(tmp_path)
    out = capsys.readouterr().out
    assert "architecture" in out
    assert "plain MLP" in out
    assert "always the majority class: 33.3%" in out
    splits = record["models"]["mlp"]["splits"]
    assert [split["seed"] for split in splits] == [0, 1]
    assert all(split["test"]["accuracy"] > 0.8 for split in splits)
    assert record["models"]["mlp"]["parameters"] == 4 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3


def test_rows_are_those_of_a_design_run_and_only_training_rows_decide_the_scale():
    dataset = load_dataset("iris")
    prepared = prepare(dataset, seed=3)
    parts = reference_on._tensors(prepared, codes=False)
    assert [len(part.x) for part in parts.values()] == [len(rows) for rows in prepared.split]
    assert np.array_equal(parts["test"].y.numpy(), dataset.y[prepared.split.test])
    assert np.allclose(parts["train"].x.mean(0), 0, atol=1e-6)
    assert np.allclose(parts["train"].x.std(0, correction=0), 1, atol=1e-6)
    assert not np.allclose(parts["test"].x.mean(0), 0, atol=1e-3)


def test_codes_are_those_of_the_quantiser():
    prepared = prepare(load_dataset("iris"), seed=0, input_bits=1)
    values = reference_on._tensors(prepared, codes=True)["train"].x
    assert all(len(np.unique(column)) == 2 for column in values.numpy().T)


def test_graphs_of_rows_and_their_students_are_trained_like_the_rest(tmp_path):
    models = run(tmp_path, "--models", "gcn,lighthgnn", "--splits", "1")["models"]
    assert {key: model["parameters"] for key, model in models.items()} == {"gcn": 515, "lighthgnn": 4675}
    assert all(model["splits"][0]["test"]["accuracy"] > 0.8 for model in models.values())


def test_the_same_command_gives_the_same_figures(tmp_path):
    first, second = (without_seconds(run(tmp_path / name)) for name in "ab")
    assert first == second


def test_more_splits_keep_those_that_are_there(tmp_path, monkeypatch):
    before = run(tmp_path)
    trained: list[int] = []
    train = reference_on.train_split

    def noted(dataset, keys, seed, options):
        trained.append(seed)
        return train(dataset, keys, seed, options)

    monkeypatch.setattr(reference_on, "train_split", noted)
    after = run(tmp_path, "--splits", "3")
    assert trained == [2]
    assert after["models"]["mlp"]["splits"][:2] == before["models"]["mlp"]["splits"]
    run(tmp_path, "--splits", "1", "--again")
    run(tmp_path, "--splits", "1", "--group-duplicates")
    assert trained == [2, 0, 0]


def test_a_split_of_its_own_is_that_of_a_longer_run(tmp_path):
    both, second = run(tmp_path / "a"), run(tmp_path / "b", "--seed", "1", "--splits", "1")
    assert (
        without_seconds(both)["models"]["mlp"]["splits"][1] == without_seconds(second)["models"]["mlp"]["splits"][0]
    )


def test_the_report_reads_what_the_command_wrote(tmp_path):
    run(tmp_path)
    record = reference_for(tmp_path / FILE, load_dataset("iris"))
    assert ceiling_of(record, make_config(None, {"dataset": "iris", "seed": 1})).own_split


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "mlp,cnn"], "--models: 'cnn' is not one of mlp"),
        (["--splits", "0"], "--splits: 0 is not in 1..100"),
        (["--seed", "-1"], "--seed: -1 is not in 0.."),
        (["--seed", "9" * 30], f"--seed: {'9' * 30} is not in 0.."),
        (["--input-bits", "0"], "--input-bits: 0 is not in 1..8"),
        (["--label", "colour"], "colour"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, capsys, arguments, message):
    run(tmp_path, *arguments, code=2)
    assert message in capsys.readouterr().err
