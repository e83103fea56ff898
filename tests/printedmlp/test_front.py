"""The front by validation score, area and power, the limits, the reductions and the table."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.choice import POWER_GAIN, merit_of
from printedmlp.errors import ConfigError
from printedmlp.front import (
    FrontPoint,
    Limits,
    front_csv,
    nearest_miss,
    reductions,
    select_front,
    smallest_at,
    stage_fronts,
    stages_side_by_side,
)
from printedmlp.metrics import evaluate


def point(
    name, validation, area, *, power=1.0, choice_power=1.0, test_right=8, stage="paper", train=None, **changes
):
    truth = [0] * 10
    answers = [0] * test_right + [1] * (10 - test_right)
    values = {
        "id": name,
        "stage": stage,
        "topology": (4, 3, 2),
        "train_accuracy": validation if train is None else train,
        "validation_accuracy": validation,
        "test": evaluate(truth, answers, n_classes=2, majority_class=0),
        "area_cm2": area,
        "cells": 10,
        "power_mw": {"0.6": power / 3, "1": power},
        "delay_ms": {"0.6": 20.0, "1": 10.0},
        "max_rate_hz": 100.0,
        "model_sha256": "ab" * 32,
        "metric": "accuracy",
        "score": validation,
        "merit": validation if train is None else (3 * train + validation) / 4,
        "choice_power_mw": choice_power,
        "cell_counts": {"INV": 4, "NAND2": 6},
    }
    return FrontPoint(**{**values, **changes})


EXACT = point("exact", 0.9, 20.0, power=60.0, stage="exact")


def names(points):
    return [p.id for p in points]


def test_front_of_five_circuits_worked_out_by_hand():
    points = [
        point("best", 0.9, 4.0),
        point("worse_and_larger", 0.85, 5.0),
        point("small", 0.8, 1.0),
        point("same_area_less_accurate", 0.7, 1.0),
        point("tiny", 0.6, 0.5),
    ]
    assert names(select_front(points)) == ["tiny", "small", "best"]


def test_of_equals_the_first_name_stays():
    points = [point("b", 0.8, 1.0), point("c", 0.8, 1.0), point("a", 0.8, 1.0)]
    assert names(select_front(points)) == ["a"]
    assert names(select_front(points[:2])) == ["b"]


def test_merit_decides_not_the_validation_rows_alone():
    lucky, steady = point("lucky", 0.9, 1.0, merit=0.8), point("steady", 0.85, 1.0, merit=0.82)
    assert names(select_front([lucky, steady])) == ["steady"]


def test_training_rows_count_as_far_as_the_validation_rows_allow():
    """80 % of 100 rows has a standard error of 4 points; 6 points above that the training rows count no more."""
    assert merit_of(0.84, 0.8, 100) == 0.84
    assert merit_of(0.9, 0.8, 100) == pytest.approx(0.86)
    assert merit_of(0.7, 0.8, 100) == 0.7
    assert merit_of(1.0, 1.0, 5) == 1.0
    assert merit_of(0.99, 0.955, 1500) < merit_of(0.975, 0.965, 1500)
    assert merit_of(0.99, 0.93, 40) > merit_of(0.975, 0.95, 40)


def test_of_equal_merit_the_one_better_on_validation_stays():
    points = [point("b", 0.5, 1.0, merit=0.6), point("a", 0.75, 1.0, merit=0.6)]
    assert names(select_front(points)) == names(select_front(points[::-1])) == ["a"]


def test_test_accuracy_never_decides():
    worse, better = point("a", 0.8, 1.0, test_right=1), point("b", 0.7, 1.0, test_right=10)
    assert names(select_front([worse, better])) == ["a"]


def test_power_on_the_test_rows_never_decides():
    hungry, frugal = point("a", 0.8, 1.0, power=9.0), point("b", 0.8, 1.0, power=1.0)
    assert names(select_front([frugal, hungry])) == ["a"]
    assert names(select_front([frugal, hungry], limits=Limits(max_power_mw=2.0))) == ["a"]


def test_power_on_the_rows_that_choose_decides():
    hungry, frugal = point("a", 0.8, 1.0, choice_power=9.0), point("b", 0.8, 1.0, choice_power=1.0)
    assert names(select_front([hungry, frugal])) == ["b"]
    larger = point("c", 0.8, 1.5, choice_power=0.5)
    assert names(select_front([hungry, frugal, larger])) == ["b", "c"]
    assert names(select_front([hungry, frugal, larger], axes=("merit", "area"))) == ["a"]


def test_a_gain_in_power_alone_counts_from_three_percent():
    small = point("small", 0.8, 1.0, choice_power=1.0)
    little, enough = point("little", 0.8, 1.1, choice_power=0.98), point("enough", 0.8, 1.2, choice_power=0.96)
    assert names(select_front([small, little, enough])) == ["small", "enough"]
    better = replace(little, id="better", score=0.81, merit=0.81)
    assert names(select_front([small, better])) == ["small", "better"]


def test_the_chosen_metric_decides_not_accuracy():
    accurate = point("accurate", 0.9, 1.0, metric="macro_f1", score=0.3, merit=0.3)
    fair = point("fair", 0.7, 1.0, metric="macro_f1", score=0.6, merit=0.6)
    assert names(select_front([accurate, fair])) == ["fair"]


def test_power_that_is_not_known_is_named_where_it_counts():
    unknown = point("old", 0.8, 1.0, choice_power=None)
    assert names(select_front([unknown], axes=("merit", "area"))) == ["old"]
    with pytest.raises(ConfigError, match="circuit old: its power on the rows that choose is not known"):
        select_front([unknown])


CANDIDATES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 200)), min_size=0, max_size=14
).map(lambda rows: [point(f"d{i:02}", v / 10, float(a), choice_power=p / 100) for i, (v, a, p) in enumerate(rows)])


@settings(max_examples=60)
@given(CANDIDATES, st.randoms(use_true_random=False))
def test_front_in_two_axes_is_the_non_dominated_set_in_any_order(points, shuffler):
    def beats(p, q):
        return p.score >= q.score and p.area_cm2 <= q.area_cm2 and (p.score, p.area_cm2) != (q.score, q.area_cm2)

    front = select_front(points, axes=("merit", "area"))
    wanted = {(q.score, q.area_cm2) for q in points if not any(beats(p, q) for p in points)}
    assert [(q.score, q.area_cm2) for q in front] == sorted(wanted, key=lambda w: w[1])
    mixed = list(points)
    shuffler.shuffle(mixed)
    assert names(select_front(mixed, axes=("merit", "area"))) == names(front)
    assert names(select_front(mixed)) == names(select_front(points))


@settings(max_examples=100)
@given(CANDIDATES)
def test_front_in_three_axes_keeps_what_matters_and_nothing_else(points):
    def covers(p, q):
        saves = p.power_mw_nominal - q.power_mw_nominal
        no_worse = p.score >= q.score and p.area_cm2 <= q.area_cm2
        return no_worse and (saves <= 0 or saves < POWER_GAIN * p.power_mw_nominal)

    front = select_front(points)
    assert not any(covers(p, q) for p in front for q in front if p is not q)
    assert all(any(covers(p, q) for p in front) for q in points)
    in_two = select_front(points, axes=("merit", "area"))
    assert {(p.score, p.area_cm2) for p in in_two} <= {(p.score, p.area_cm2) for p in front}


def test_limits_are_hard():
    points = [
        point("large", 0.9, 4.0),
        point("hungry", 0.85, 2.0, choice_power=3.0),
        point("good", 0.8, 1.0),
        point("poor", 0.6, 0.5),
    ]
    limits = Limits(max_area_cm2=2.0, max_power_mw=1.0, min_score=0.8)
    assert names(select_front(points, limits=limits)) == ["good"]
    assert names(select_front(points, limits=Limits())) == ["poor", "good", "hungry", "large"]
    assert select_front(points[:2] + points[3:], limits=limits) == []
    # 0.7 + 0.1 is below 0.8 by one rounding and reaches it.
    assert limits.allows(point("rounded", 0.7 + 0.1, 1.0))
    assert not limits.allows(point("below", 0.799, 1.0))


def test_the_nearest_miss_is_told():
    points = [
        point("large", 0.9, 4.0, choice_power=2.0),
        point("near", 0.85, 2.5, choice_power=1.1),
        point("poor", 0.2, 1.0),
    ]
    limits = Limits(max_area_cm2=2.0, max_power_mw=1.0, min_score=0.8)
    assert nearest_miss(points, limits) == (
        "no circuit keeps to the limits; the nearest, near, has "
        "2.5 cm2 for max_area 2.0 cm2, 1.1 mW for max_power 1.0 mW"
    )
    assert "poor, has validation 0.2000 for min_accuracy 0.8" in nearest_miss(points[2:], limits)
    assert "4 cm2 for max_area 0.0 cm2" in nearest_miss(points[:1], Limits(max_area_cm2=0.0))
    assert nearest_miss([], limits) == "there is no circuit to keep to the limits"


def test_stage_fronts_worked_out_by_hand():
    points = [
        point("r1", 0.9, 1.0, stage="refine"),
        point("p1", 0.8, 4.0, stage="paper"),
        point("p2", 0.8, 5.0, stage="paper", choice_power=0.1),
        point("p3", 0.7, 2.0, stage="paper"),
        point("x1", 0.1, 9.0, stage="another"),
        EXACT,
    ]
    found = stage_fronts(points)
    assert list(found) == ["exact", "paper", "refine", "another"]
    assert names(found["paper"]) == ["p3", "p1"]


def test_the_smallest_at_a_level():
    points = [point("a", 0.9, 4.0), point("b", 0.8, 1.0), point("c", 0.85, 1.0)]
    assert [smallest_at(points, least) for least in (0.9, 0.8, 0.91)] == [points[0], points[2], None]


def test_stages_side_by_side_worked_out_by_hand():
    points = [
        point("p1", 0.92, 4.0, stage="paper"),
        point("p2", 0.88, 2.0, stage="paper"),
        point("t1", 0.87, 1.0, stage="tree"),
        point("t2", 0.85, 0.5, stage="tree"),
    ]
    found = {
        level.loss: {stage: p and p.id for stage, p in level.smallest.items()}
        for level in stages_side_by_side(points, EXACT, (0, 2, 5))
    }
    assert found == {
        None: {"paper": "p1", "tree": "t1"},
        0: {"paper": "p1", "tree": None},
        2: {"paper": "p2", "tree": None},
        5: {"paper": "p2", "tree": "t2"},
    }
    assert [level.smallest for level in stages_side_by_side([], EXACT, (0,))] == [{}, {}]


def test_reductions_worked_out_by_hand():
    front = [point("tiny", 0.8, 0.5, power=2.0), point("mid", 0.89, 4.0, power=10.0)]
    zero, one, two, ten = reductions(front, EXACT, (0, 1, 2, 10), voltage="1")
    assert zero.id is None
    assert zero.area_factor is None
    # 0.9 - 0.01 is below 0.89 by one rounding; the circuit is exactly one point worse and counts.
    assert (one.id, one.area_factor, one.power_factor) == ("mid", 5.0, 6.0)
    assert (two.id, ten.id) == ("mid", "tiny")
    assert (ten.area_factor, ten.score, ten.test_score) == (40.0, 0.8, 0.8)
    assert ten.to_json()["loss"] == 10


def test_reductions_are_by_the_chosen_metric():
    fair = point("fair", 0.5, 1.0, metric="balanced_accuracy", score=0.9, test_right=5)
    accurate = point("accurate", 0.9, 0.5, metric="balanced_accuracy", score=0.5)
    found = reductions([accurate, fair], EXACT, (0,), voltage="1")[0]
    assert (found.id, found.score, found.test_score) == ("fair", 0.9, 0.5)


def test_a_constant_circuit_has_no_factor():
    nothing = point("constant", 0.9, 0.0, power=0.0)
    found = reductions([nothing], EXACT, (0,), voltage="1")[0]
    assert (found.id, found.area_factor, found.power_factor) == ("constant", None, None)


def test_an_unmeasured_voltage_is_named():
    with pytest.raises(ConfigError, match=r"circuit exact: no power at 0.8 V, only at 0.6, 1 V"):
        reductions([point("a", 0.9, 1.0)], EXACT, (0,), voltage="0.8")


def test_table_reads_back_to_the_same_doubles_and_has_the_baseline_first():
    awkward = replace(point("a", 1 / 3, 0.1 + 0.2, power=0.7), max_rate_hz=None)
    text = front_csv([awkward], EXACT, voltage="1")
    first, second = csv.DictReader(io.StringIO(text))
    assert (first["id"], first["area_factor"]) == ("exact", "1.0")
    assert float(second["area_cm2"]) == 0.1 + 0.2
    assert float(second["validation_accuracy"]) == 1 / 3
    assert float(second["power_mw_0.6v"]) == 0.7 / 3
    assert second["max_rate_hz"] == ""
    assert (second["metric"], second["form"]) == ("accuracy", "4-3-2")
    assert float(second["score"]) == 1 / 3
    assert float(second["test_score"]) == float(second["test_accuracy"]) == 0.8
    assert float(second["test_macro_f1"]) == pytest.approx(2 * 8 / 18)
    assert float(second["choice_power_mw"]) == 1.0
    assert text.endswith("\n")
    assert "\r" not in text
    assert front_csv([awkward], EXACT, voltage="1") == text


def test_point_survives_json():
    original = point("a", 0.8, 1.5)
    data = json.loads(json.dumps({**original.to_json(), "verification": {"mismatches": 0}}))
    assert data["accuracy"] == 0.8
    assert FrontPoint.from_json(data) == original


def test_a_record_from_before_the_metric_was_a_choice_is_read():
    original = point("a", 0.8, 1.5)
    added = ("metric", "score", "choice_power_mw", "description")
    old = {key: value for key, value in original.to_json().items() if key not in added}
    assert FrontPoint.from_json(old) == replace(original, choice_power_mw=None)


def test_what_is_no_network_is_described():
    assert point("t", 0.8, 1.0).form == "4-3-2"
    tree = point("t", 0.8, 1.0, stage="tree", topology=(), description="tree of 7 thresholds")
    assert tree.form == "tree of 7 thresholds"
    assert "tree of 7 thresholds" in front_csv([tree], EXACT, voltage="1")


def test_systems_and_missing_figures_in_the_table():
    system = {"comparators": 3, "pruned": {"area_cm2": 0.05, "power_mw": 0.2}, "full": None}
    none = {"power_mw": {"0.6": None, "1": None}, "delay_ms": {"0.6": None, "1": None}, "max_rate_hz": None}
    points = [point("a", 0.9, 0.1, system=system), replace(point("b", 0.9, 0.2), **none)]
    rows = list(csv.DictReader(io.StringIO(front_csv(points, point("exact", 0.9, 4.0), voltage="1"))))
    assert [row["comparators"] for row in rows] == ["", "3", ""]
    found = [rows[1][column] for column in ("pruned_area_cm2", "full_area_cm2", "thermometer_power_mw")]
    assert found == ["0.05", "", ""]
    assert (rows[2]["power_mw_1v"], rows[2]["power_factor"], rows[2]["delay_ms_0.6v"]) == ("", "", "")
