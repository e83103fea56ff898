"""Distillation: drawn classes stand for soft labels, trainers see the teacher's rows, figures are of real ones."""

import json
import sys

import numpy as np
import pytest

from flows import searches, teacher
from flows.cli import run_command
from flows.config import make_config
from flows.design import design, main
from flows.reference_teacher import OWN, Teacher
from flows.teacher import RECORD, ROWS, drawn, teach, training_rows
from printedmlp.circuit.care import NOISY_ROWS, copies_for
from printedmlp.errors import ConfigError
from tests.flows.conftest import SMALL, job_of

TINY = {**SMALL, "generations": 2, "tree_generations": 0, "teacher_copies": 2}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    return design(make_config(None, TINY), tmp_path_factory.mktemp("data") / "iris", until="data", quiet=True)


@pytest.fixture
def sure(monkeypatch):
    """Stands for a network that is sure of class 2 everywhere; notes what it was trained on."""
    seen = []

    def learn(key, train, validation, *, seed):
        seen.append((key, train, validation, seed))
        return Teacher(lambda codes: np.tile([0.0, 0.0, 1.0], (len(codes), 1)), {"validation_accuracy": 1 / 3})

    monkeypatch.setattr(teacher, "learn", learn)
    return seen


def test_classes_are_drawn_by_their_probabilities():
    rng = np.random.default_rng(0)
    assert drawn(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), rng).tolist() == [1, 0, 2]
    found = np.bincount(drawn(np.tile([0.5, 0.2, 0.3], (20_000, 1)), rng), minlength=3) / 20_000
    assert np.allclose(found, [0.5, 0.2, 0.3], atol=0.015)


def test_errors_on_drawn_classes_are_on_average_the_soft_label_loss():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(4), size=50)
    answers = rng.integers(4, size=50)
    loss = (1 - probabilities[np.arange(50), answers]).sum()
    errors = [(drawn(probabilities, rng) != answers).sum() for _ in range(2000)]
    assert abs(np.mean(errors) - loss) < 0.3
    hard = (probabilities.argmax(axis=1) != answers).sum()
    assert abs(hard - loss) > 0.3


def test_large_tables_have_fewer_copies_but_never_none():
    assert copies_for(100, 8, 1) == 8
    assert copies_for(NOISY_ROWS // 4, 8, 1) == 3
    assert copies_for(10 * NOISY_ROWS, 8, 1) == 1


def test_without_a_teacher_the_training_rows_are_all(data_folder):
    job = job_of(data_folder)
    assert teach(job) == []
    assert np.array_equal(training_rows(job).codes, job.vectors("train").codes)


def test_the_teacher_labels_the_copies_and_no_real_row(data_folder, sure):
    job = job_of(data_folder, teacher="mlp", teacher_copies=2)
    assert teach(job) == [ROWS, RECORD]
    train, rows = job.vectors("train"), training_rows(job)
    n = len(train.y)
    assert len(rows.y) == 3 * n
    assert np.array_equal(rows.codes[:n], train.codes)
    assert np.array_equal(rows.y[:n], train.y)
    assert set(rows.y[n:]) == {2}
    steps = np.abs(rows.codes[n:].astype(int) - np.tile(train.codes, (2, 1)))
    assert steps.max() == 1
    record = job.run.read_json(RECORD)
    assert record["relabelled"] == pytest.approx(np.mean(train.y != 2))


def test_the_teacher_learns_from_training_and_validation_rows_alone(data_folder, sure):
    job = job_of(data_folder, teacher="mlp", seed=5)
    teach(job)
    [(key, train, validation, seed)] = sure
    assert (key, seed) == ("mlp", 5)
    assert np.array_equal(train.codes, job.vectors("train").codes)
    assert np.array_equal(validation.codes, job.vectors("validation").codes)


def test_copies_can_keep_the_classes_of_their_rows(data_folder, sure):
    job = job_of(data_folder, teacher=OWN, teacher_copies=3)
    teach(job)
    assert not sure
    assert np.array_equal(training_rows(job).y, np.tile(job.vectors("train").y, 4))


def test_the_genetic_trainers_count_errors_on_the_rows_of_the_teacher(tmp_path, sure, monkeypatch):
    seen = {}
    evaluator, anneal = searches.PopulationEvaluator, searches.anneal

    def noted_evaluator(layout, X, y, **others):
        seen["paper"] = (X, y)
        return evaluator(layout, X, y, **others)

    def noted_anneal(settings, X, y, **others):
        seen["search"] = (X, y)
        return anneal(settings, X, y, **others)

    monkeypatch.setattr(searches, "PopulationEvaluator", noted_evaluator)
    monkeypatch.setattr(searches, "anneal", noted_anneal)
    folder = design(make_config(None, {**TINY, "teacher": "mlp"}), tmp_path / "iris", until="search", quiet=True)
    job = job_of(folder, teacher="mlp")
    train, rows = job.vectors("train"), training_rows(job)
    for X, y in seen.values():
        assert np.array_equal(X, rows.codes)
        assert np.array_equal(y, rows.y)
    assert set(seen) == {"paper", "search"}
    best = max(
        (e for s in seen for e in job.run.read_json("search", f"{s}.json")["found"]), key=lambda e: e["merit"]
    )
    assert best["train_error"] == round((1 - best["train_accuracy"]) * len(train.y))


def test_a_lost_file_is_made_again_with_the_same_bytes(tmp_path, sure):
    config = make_config(None, {**TINY, "teacher": "mlp"})
    folder = design(config, tmp_path / "iris", until="exact", quiet=True)
    before = (folder / ROWS).read_bytes()
    design(config, folder, until="exact", quiet=True)
    assert len(sure) == 1
    (folder / ROWS).unlink()
    design(config, folder, until="exact", quiet=True)
    assert (folder / ROWS).read_bytes() == before
    assert len(sure) == 2


@pytest.mark.parametrize("changed", [{"teacher": None}, {"teacher_copies": 3}])
def test_a_run_with_another_teacher_is_another_run(tmp_path, sure, changed):
    settings = {**TINY, "teacher": "mlp"}
    folder = design(make_config(None, settings), tmp_path / "iris", until="data", quiet=True)
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        design(make_config(None, {**settings, **changed}), folder, until="data", quiet=True)


def test_without_a_teacher_the_number_of_copies_is_no_setting(data_folder):
    assert "teacher_copies" not in json.loads((data_folder / "manifest.json").read_text())["settings"]
    design(make_config(None, {**TINY, "teacher_copies": 7}), data_folder, until="data", quiet=True)


def command(tmp_path, *arguments):
    return run_command(main, ["iris", "--out", str(tmp_path / "run"), "--until", "data", "--quiet", *arguments])


def test_without_torch_it_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert command(tmp_path, "--teacher", "mlp") == 2
    assert "torch is not installed" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert command(tmp_path, "--teacher", OWN) == 0


def test_an_unknown_teacher_is_named(tmp_path, capsys):
    assert command(tmp_path, "--teacher", "cnn") == 2
    assert "teacher: 'cnn' is not one of mlp, " in capsys.readouterr().err
