"""The benchmark of teachers: how a circuit is chosen, and what the table says of splits."""

import pytest

from benchmarks.distillation import Circuit, Quote, run_one, table_text, within
from flows.config import make_config
from printedmlp.technology import load_technology
from tests.flows.conftest import SMALL


def circuit(merit, area, accuracy, key="a"):
    return Circuit(key, "paper", merit, area, accuracy)


def test_within_an_area_the_most_merit_is_chosen_and_test_rows_have_no_say():
    circuits = [circuit(0.9, 0.02, 0.5), circuit(0.8, 0.01, 0.99), circuit(0.95, 0.2, 1.0), circuit(0.9, 0.03, 0.7)]
    assert within(circuits, 0.1) == circuits[0]
    assert within(circuits, 0.015) == circuits[1]
    assert within(circuits, 0.005) is None


def test_means_and_deviations_over_splits():
    quote, other = Quote((0.5, 0.7, None)), Quote((0.4, 0.4, 0.9))
    assert quote.words == "60.0% ± 14.1%, 1 without"
    assert quote.gain(other) == "+20.0% ± 14.1%"
    assert Quote((None,)).words == "–"
    assert Quote((0.5,)).words == "50.0%"


def test_the_table_has_a_row_for_every_area():
    found = {("wine", s, t): [circuit(0.9, 0.02, a)] for s in (0, 1) for t, a in (("none", 0.8), ("mlp", 0.9))}
    lines = table_text(found, ("none", "mlp")).splitlines()
    assert len(lines) == 2 + 3
    assert lines[2] == "| wine | 2 | 0.01 | – | – | – |"
    assert lines[3] == "| wine | 2 | 0.03 | 80.0% ± 0.0% | 90.0% ± 0.0% | +10.0% ± 0.0% |"


def test_a_run_is_mapped_once(tmp_path, monkeypatch):
    config = make_config(None, {**SMALL, "generations": 2, "tree_generations": 0, "candidates": 1})
    technology = load_technology("egfet")
    first = run_one(config, tmp_path / "iris", technology)
    assert {c.stage for c in first} == {"paper", "search"}
    assert all(0 < c.area_cm2 < 1 and 0 <= c.test_accuracy <= 1 for c in first)
    monkeypatch.setattr("benchmarks.distillation.map_verilog", lambda *_, **__: pytest.fail("mapped again"))
    assert run_one(config, tmp_path / "iris", technology) == first
