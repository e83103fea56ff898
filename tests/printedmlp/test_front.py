"""The front by validation accuracy and area, the reductions and the table."""

import csv
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.front import FrontPoint, front_csv, reductions, select_front
from printedmlp.metrics import evaluate


def point(name, validation, area, *, power=1.0, test_right=8, stage="paper", train=None):
    truth = [0] * 10
    answers = [0] * test_right + [1] * (10 - test_right)
    return FrontPoint(
        id=name,
        stage=stage,
        topology=(4, 3, 2),
        train_accuracy=validation if train is None else train,
        validation_accuracy=validation,
        test=evaluate(truth, answers, n_classes=2, majority_class=0),
        area_cm2=area,
        cells=10,
        power_mw={"0.6": power / 3, "1": power},
        delay_ms={"0.6": 20.0, "1": 10.0},
        max_rate_hz=100.0,
        model_sha256="ab" * 32,
        cell_counts={"INV": 4, "NAND2": 6},
    )


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


def test_of_equals_the_one_better_trained_stays_then_the_first_name():
    points = [point("b", 0.8, 1.0, train=0.7), point("c", 0.8, 1.0), point("a", 0.8, 1.0)]
    assert names(select_front(points)) == ["a"]
    assert names(select_front(points[:2])) == ["c"]


def test_test_accuracy_never_decides():
    worse, better = point("a", 0.8, 1.0, test_right=1), point("b", 0.7, 1.0, test_right=10)
    assert names(select_front([worse, better])) == ["a"]


def test_power_on_the_test_rows_never_decides():
    hungry, frugal = point("a", 0.8, 1.0, power=9.0), point("b", 0.8, 1.0, power=1.0)
    assert names(select_front([frugal, hungry])) == ["a"]


CANDIDATES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 3)), min_size=0, max_size=12
).map(lambda rows: [point(f"d{i:02}", v / 10, float(a), power=float(p)) for i, (v, a, p) in enumerate(rows)])


@settings(max_examples=60)
@given(CANDIDATES, st.randoms(use_true_random=False))
def test_front_is_the_non_dominated_set_in_any_order(points, shuffler):
    def beats(p, q):
        no_worse = p.validation_accuracy >= q.validation_accuracy and p.area_cm2 <= q.area_cm2
        return no_worse and (p.validation_accuracy, p.area_cm2) != (q.validation_accuracy, q.area_cm2)

    front = select_front(points)
    wanted = {(q.validation_accuracy, q.area_cm2) for q in points if not any(beats(p, q) for p in points)}
    assert [(q.validation_accuracy, q.area_cm2) for q in front] == sorted(wanted, key=lambda w: w[1])
    mixed = list(points)
    shuffler.shuffle(mixed)
    assert names(select_front(mixed)) == names(front)


def test_reductions_worked_out_by_hand():
    front = [point("tiny", 0.8, 0.5, power=2.0), point("mid", 0.89, 4.0, power=10.0)]
    zero, one, two, ten = reductions(front, EXACT, (0, 1, 2, 10), voltage="1")
    assert zero.id is None
    assert zero.area_factor is None
    # 0.9 - 0.01 is below 0.89 by one rounding; the circuit is exactly one point worse and counts.
    assert (one.id, one.area_factor, one.power_factor) == ("mid", 5.0, 6.0)
    assert (two.id, ten.id) == ("mid", "tiny")
    assert (ten.area_factor, ten.validation_accuracy, ten.test_accuracy) == (40.0, 0.8, 0.8)
    assert ten.to_json()["loss"] == 10


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
    assert text.endswith("\n")
    assert "\r" not in text
    assert front_csv([awkward], EXACT, voltage="1") == text


def test_point_survives_json():
    original = point("a", 0.8, 1.5)
    data = json.loads(json.dumps({**original.to_json(), "verification": {"mismatches": 0}}))
    assert data["accuracy"] == 0.8
    assert FrontPoint.from_json(data) == original
