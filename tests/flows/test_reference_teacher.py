"""A real float network as the teacher of a design run."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from flows import reference_fit
from flows.reference_teacher import check_teacher, learn
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError
from printedmlp.preparation import prepare


@pytest.fixture(autouse=True)
def few_epochs(monkeypatch):
    monkeypatch.setattr(reference_fit, "EPOCHS", {False: (30, 30)})


@pytest.fixture(scope="module")
def parts():
    return dict(prepare(load_dataset("iris"), seed=101).parts())


def test_a_network_gives_class_probabilities_and_is_right_about_rows_it_never_saw(parts):
    teacher = learn("mlp", parts["train"], parts["validation"], seed=0)
    found = teacher.probabilities(parts["test"].codes)
    assert found.shape == (len(parts["test"].y), 3)
    assert found.dtype == np.float64
    assert np.allclose(found.sum(axis=1), 1)
    assert np.mean(found.argmax(axis=1) == parts["test"].y) > 0.8
    right = teacher.probabilities(parts["validation"].codes).argmax(axis=1) == parts["validation"].y
    assert teacher.record["validation_accuracy"] == right.mean()


def test_it_learns_the_classes_that_it_is_given(parts):
    train = replace(parts["train"], y=(parts["train"].y + 1) % 3)
    validation = replace(parts["validation"], y=(parts["validation"].y + 1) % 3)
    answers = learn("mlp", train, validation, seed=0).probabilities(parts["test"].codes).argmax(axis=1)
    assert np.mean(answers == (parts["test"].y + 1) % 3) > 0.8


def test_the_same_seed_gives_the_same_teacher_and_another_one_another(parts):
    one, again, other = (
        learn("mlp", parts["train"], parts["validation"], seed=seed).probabilities(parts["test"].codes)
        for seed in (2**40, 2**40, 2**40 + 1)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("key", ["gcn", "krd"])
def test_a_graph_of_the_training_rows_teaches_too(parts, key):
    check_teacher(key)
    found = learn(key, parts["train"], parts["validation"], seed=0).probabilities(parts["test"].codes)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.mean(found.argmax(axis=1) == parts["test"].y) > 0.8


def test_an_unknown_teacher_is_named():
    with pytest.raises(ConfigError, match=r"teacher: 'gat' is not one of mlp, .* gcn, glnn, krd, .* rows"):
        check_teacher("gat")
