"""Figures of a classifier on rows, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from printedmlp.errors import ConfigError, DataError
from printedmlp.metrics import METRICS, Metrics, evaluate, majority_class, score, wilson_interval
from printedmlp.power_sources import POWER_SOURCES, feasible_sources


def test_figures_worked_out_by_hand():
    truth = [0, 0, 0, 1, 1, 2, 2, 2]
    answers = [0, 0, 1, 1, 0, 2, 2, 2]
    found = evaluate(truth, answers, n_classes=3, majority_class=1)
    assert found.n == 8
    assert found.accuracy == 6 / 8
    assert found.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 3))
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    # F1 = 2 right / (answered + held): 4 / (3 + 3), 2 / (2 + 2), 6 / (3 + 3).
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert found.majority_accuracy == 2 / 8
    assert found.classes_predicted == 3
    assert found.invalid == 0


def test_a_class_without_rows_is_left_out_of_the_balance_and_a_constant_answer_is_told():
    found = evaluate([0, 0, 2], [0, 0, 0], n_classes=3, majority_class=0)
    assert found.balanced_accuracy == 0.5
    # Class 0: 2 right, 3 answered, 2 held; class 2 is held and never answered; class 1 is neither.
    assert found.macro_f1 == pytest.approx((4 / 5 + 0) / 2)
    assert found.classes_predicted == 1
    assert found.accuracy == found.majority_accuracy == pytest.approx(2 / 3)


def test_an_answer_that_names_no_class_is_wrong_and_counted():
    found = evaluate([0, 1, 2], [0, 3, 2], n_classes=3, majority_class=0)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.invalid == 1
    assert found.macro_f1 == pytest.approx((1 + 0 + 1) / 3)
    assert found.classes_predicted == 2
    assert np.sum(found.confusion) == 2


def test_wilson_interval_of_the_textbook():
    # 8 of 10: centre (0.8 + 0.19207) / 1.38415, half width 1.95996 sqrt(0.016 + 0.0096036) / 1.38415.
    low, high = wilson_interval(8, 10)
    assert (low, high) == (pytest.approx(0.49016, abs=1e-5), pytest.approx(0.94332, abs=1e-5))


@pytest.mark.parametrize(("right", "ends"), [(0, (0.0, 0.27753)), (10, (0.72247, 1.0))])
def test_wilson_interval_at_the_ends(right, ends):
    assert wilson_interval(right, 10) == pytest.approx(ends, abs=1e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share_and_mirrors(counts):
    right, n = counts
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n <= high <= 1
    mirrored = wilson_interval(n - right, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_figures_follow_from_the_confusion(pairs):
    truth, answers = np.array(pairs).T
    found = evaluate(truth, answers, n_classes=4, majority_class=0)
    confusion = np.array(found.confusion)
    assert confusion.sum() == found.n == len(pairs)
    assert found.accuracy == np.trace(confusion) / len(pairs)
    assert Metrics.from_json({**found.to_json(), "area_cm2": 1.0}) == found


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_macro_f1_is_the_usual_one_over_the_classes_held(pairs):
    truth, answers = np.array(pairs).T
    usual = f1_score(truth, answers, labels=np.unique(truth), average="macro", zero_division=0)
    assert evaluate(truth, answers, n_classes=4, majority_class=0).macro_f1 == pytest.approx(usual)


@pytest.mark.parametrize("metric", METRICS)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40), st.integers(0, 3))
def test_a_score_is_the_figure_of_that_name_and_one_for_no_mistake(metric, pairs, common):
    truth, answers = np.array(pairs).T
    found = evaluate(truth, answers, n_classes=4, majority_class=common)
    assert score(metric, truth, answers, 4) == found.value(metric) == getattr(found, metric)
    assert score(metric, truth, truth, 4) == 1
    assert found.majority_value(metric) == pytest.approx(score(metric, truth, np.full_like(truth, common), 4))


def test_an_unknown_metric_is_named():
    with pytest.raises(ConfigError, match="metric: 'f1' is not one of accuracy, balanced_accuracy, macro_f1"):
        score("f1", [0], [0], 1)


def test_a_record_without_macro_f1_gets_it_from_its_confusion_where_that_tells_it():
    def without(found):
        return {key: value for key, value in found.to_json().items() if key != "macro_f1"}

    whole = evaluate([0, 0, 1, 2], [0, 1, 1, 0], n_classes=3, majority_class=0)
    assert Metrics.from_json(without(whole)) == whole
    partly = evaluate([0, 1], [0, 3], n_classes=3, majority_class=0)
    assert np.isnan(Metrics.from_json(without(partly)).macro_f1)


def test_majority_class_takes_the_lower_of_equals():
    assert majority_class([2, 1, 1, 2, 0], 4) == 1


@pytest.mark.parametrize(
    ("truth", "answers", "message"),
    [
        ([], [], "no rows"),
        ([0, 1], [0], r"shape \(2,\), predicted ones \(1,\)"),
        ([0, 3], [0, 1], "row 1: true class 3 is not in 0..2"),
        ([0, 1], [-1, 1], "row 0: predicted class -1"),
    ],
)
def test_unusable_rows_are_refused_in_words(truth, answers, message):
    with pytest.raises(DataError, match=message):
        evaluate(truth, answers, n_classes=3, majority_class=0)


def test_a_source_carries_up_to_its_rating():
    assert [s.power_mw for s in feasible_sources(3.0)] == [30.0, 15.0, 3.0]
    assert [s.power_mw for s in feasible_sources(3.001)] == [30.0, 15.0]
    assert feasible_sources(0.05) == POWER_SOURCES
    assert feasible_sources(30.1) == ()
