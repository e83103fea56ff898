"""The float ceiling: chosen by validation, told apart by split, refused where it is not of this table."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flows.ceiling import FILE, FORMAT, VERSION, ceiling_of, read_reference, reference_for, run_ceiling
from flows.config import make_config
from printedmlp.dataset import Dataset
from printedmlp.errors import DataError, PrintedMLPWarning

TABLE = Dataset("iris", np.zeros((2, 1)), np.arange(2), ("x",), ("a", "b"), "ab", "iris.csv")
CONFIG = make_config(None, {"dataset": "iris", "seed": 1})


def values(accuracy):
    return {"accuracy": accuracy, "balanced_accuracy": accuracy - 0.1, "macro_f1": 0.5}


def model(parameters, *accuracies):
    """Splits with seeds from 0, given as (validation, test) accuracies."""
    splits = [
        {"seed": seed, "validation": values(validation), "test": values(test)}
        for seed, (validation, test) in enumerate(accuracies)
    ]
    return {"parameters": parameters, "splits": splits}


def record(**changes):
    return {
        "format": FORMAT,
        "version": VERSION,
        "dataset": {"name": "iris", "sha256": "ab", "class_names": ["a", "b"]},
        "settings": {
            "official_split": False,
            "group_duplicates": False,
            "missing": "drop",
            "input_bits": None,
            **changes,
        },
        "models": {
            "mlp": model(99, (0.90, 0.99), (0.90, 0.95)),
            "kan": model(50, (0.80, 0.90), (0.92, 0.91)),
            "gmlp": model(60, (0.80, 0.80), (0.92, 0.97)),
        },
    }


def test_the_choice_is_by_validation_on_the_own_split_and_ties_go_to_the_smaller():
    ceiling = ceiling_of(record(), CONFIG)
    assert (ceiling.name, ceiling.test, ceiling.seeds, ceiling.own_split) == ("KAN", 0.91, (1,), True)
    assert ceiling.words == (
        "91.0% test accuracy on the same split, by a KAN (the best of 3 by validation) on the table's own numbers"
    )


def test_without_the_own_split_the_mean_over_the_others_is_told():
    ceiling = ceiling_of(record(input_bits=4), replace(CONFIG, seed=7))
    assert (ceiling.name, ceiling.test, ceiling.own_split) == ("plain MLP", pytest.approx(0.97), False)
    assert ceiling.words == (
        "97.0% test accuracy on average of 2 other splits, by a plain MLP (the best of 3 by validation) "
        "on 4-bit inputs"
    )


@pytest.mark.parametrize("changes", [{"official_split": True}, {"group_duplicates": True}, {"missing": "error"}])
def test_the_same_seed_with_other_settings_is_another_split(changes):
    assert not ceiling_of(record(**changes), CONFIG).own_split


def test_the_metric_is_that_of_the_run():
    ceiling = ceiling_of(record(), replace(CONFIG, metric="balanced_accuracy"))
    assert ceiling.test == pytest.approx(0.81)
    assert "81.0% test balanced accuracy" in ceiling.words


def test_a_single_architecture_is_not_called_the_best():
    one = record()
    one["models"] = {"mlp": one["models"]["mlp"]}
    assert "by a plain MLP (the only one trained)" in ceiling_of(one, CONFIG).words


def test_a_file_of_another_table_is_refused(tmp_path):
    path = tmp_path / FILE
    path.write_text(json.dumps(record()))
    assert reference_for(path, TABLE)["models"]
    others: tuple[dict[str, Any], ...] = ({"sha256": "cd"}, {"class_names": ("a", "c")})
    for other in others:
        with pytest.raises(DataError, match="another table or class column than iris"):
            reference_for(path, replace(TABLE, **other))


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[1]", "is not what"), ('{"format": "other"}', "is not what")]
)
def test_what_is_no_such_file_is_one_line(tmp_path, text, message):
    path = tmp_path / FILE
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_reference(path)
    with pytest.raises(DataError, match="no such file"):
        read_reference(tmp_path / "absent.json")


def test_a_run_without_the_file_has_no_ceiling_and_one_with_a_wrong_file_a_warning(tmp_path):
    assert run_ceiling(tmp_path, TABLE, CONFIG) is None
    (tmp_path / FILE).write_text("{")
    with pytest.warns(PrintedMLPWarning, match="the report does without it"):
        assert run_ceiling(tmp_path, TABLE, CONFIG) is None
    (tmp_path / FILE).write_text(json.dumps(record()))
    ceiling = run_ceiling(tmp_path, TABLE, CONFIG)
    assert ceiling
    assert ceiling.name == "KAN"
