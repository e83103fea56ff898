"""What a study found: statistics by hand, JSON and back."""

import json

import pytest

from printedmlp.reference.outcome import Check, Measure, Outcome


def test_mean_and_spread_by_hand():
    measure = Measure("task", "data", "accuracy", (0.9, 0.95, 1.0))
    assert measure.mean == pytest.approx(0.95)
    assert measure.spread == pytest.approx(0.05)


def test_one_seed_has_no_spread():
    assert Measure("task", "data", "accuracy", (0.9,)).spread == 0


def test_to_json_and_back():
    outcome = Outcome(
        (Measure("task", "data", "error", (1.0, 2.0), "0.5", 7, 0.25),),
        (Check("a below b", "0.1 against 0.2", "a < b", True),),
        ("one note",),
    )
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome
