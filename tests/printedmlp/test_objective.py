"""Class weights worked out by hand, and what a weighted error is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.metrics import METRICS
from printedmlp.objective import HEAVIEST, Objective, integer_class_weights

Y = np.repeat([0, 1, 3], [60, 30, 20])


def test_balanced_weights_worked_out_by_hand():
    # 1/60 : 1/30 : 1/20 is 2 : 4 : 6 of 120; to a largest of 1000 it is 333 : 667 : 1000. Class 2 has no row.
    assert integer_class_weights(Y, 4, "balanced") == (333, 667, 1, 1000)
    assert integer_class_weights([0, 1, 2, 2, 1, 0], 3, "balanced") == (1, 1, 1)
    assert integer_class_weights([0, 0, 1], 2, "balanced") == (1, 2)


@pytest.mark.parametrize(
    ("spec", "weights"),
    [
        (None, None),
        ([1, 2, 5], (1, 2, 5)),
        ([10, 20, 50], (1, 2, 5)),
        ([3, 1000, 1], (3, 1000, 1)),
        ([0.5, 1.0, 0.25], (2, 4, 1)),
        ([1e-9, 1e300, 1e299], (1, 1000, 100)),
        ([2000, 1, 3], (1000, 1, 2)),
    ],
)
def test_given_weights_become_integers(spec, weights):
    assert integer_class_weights([0, 1, 2], 3, spec) == weights


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("equal", "class_weights: 'equal' is not 'balanced'"),
        ([], "class_weights: the list is empty"),
        ([1, 2], "class_weights: 2 given for 3 classes"),
        ([1, 0, 2], "class_weights: 0 is not a positive number"),
        ([1, -2.5, 2], "class_weights: -2.5 is not"),
        ([1, math.nan, 2], "class_weights: nan is not"),
        ([1, math.inf, 2], "class_weights: inf is not"),
    ],
)
def test_wrong_weights_are_named(spec, message):
    with pytest.raises(ConfigError, match=message):
        integer_class_weights([0, 1, 2], 3, spec)


@given(st.lists(st.integers(0, 300), min_size=2, max_size=6).filter(any))
def test_balanced_weights_make_classes_weigh_the_same(counts):
    weights = integer_class_weights(np.repeat(range(len(counts)), counts), len(counts), "balanced")
    assert weights is not None
    assert all(1 <= w <= HEAVIEST for w in weights)
    held = [(w, c) for w, c in zip(weights, counts, strict=True) if c]
    heaviest, rarest = max(held)[0], min(c for _, c in held)
    for w, c in held:
        # The exact weight is heaviest * rarest / c, and rounding moves either end by half.
        assert abs(w - heaviest * rarest / c) <= 1
    assert all(w == 1 for w, c in zip(weights, counts, strict=True) if not c)


def test_the_metric_decides_the_weights_that_are_not_given():
    found = {metric: Objective.of(metric, None, Y, 4).class_weights for metric in METRICS}
    assert found == {"accuracy": None, "balanced_accuracy": (333, 667, 1, 1000), "macro_f1": (333, 667, 1, 1000)}
    assert Objective.of("accuracy", "balanced", Y, 4).class_weights == (333, 667, 1, 1000)
    assert Objective.of("macro_f1", [1, 1, 1, 1], Y, 4).class_weights == (1, 1, 1, 1)


def test_weighted_errors_worked_out_by_hand():
    truth, answers = [0, 0, 1, 2], [1, 0, 0, 1]
    assert Objective().weighted_error(truth, answers) == 3
    assert Objective("accuracy", (1, 10, 100)).weighted_error(truth, answers) == 1 + 10 + 100
    assert Objective("accuracy", (1, 10, 100)).row_weights(truth).tolist() == [1, 1, 10, 100]


def test_the_score_is_the_chosen_metrics():
    truth, answers = [0, 0, 0, 1], [0, 0, 0, 0]
    found = [Objective(metric).score(truth, answers, 2) for metric in METRICS]
    assert found == pytest.approx([0.75, 0.5, 3 / 7])


def test_an_unknown_metric_is_named():
    for make in (lambda: Objective("auc"), lambda: Objective.of("auc", None, [0], 1)):
        with pytest.raises(ConfigError, match="metric: 'auc' is not one of accuracy"):
            make()
