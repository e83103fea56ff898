"""The benchmark beside the published circuits: how a circuit is chosen, measured and quoted."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import published
from benchmarks.published import ANY, STAGES, Quoted, SplitRun, Target, stage_rows, target_rows
from benchmarks.tables import read_json
from flows.circuits import by_merit
from flows.mapping import EXACT, model_of
from printedmlp.dataset import load_dataset
from printedmlp.metrics import evaluate
from printedmlp.technology import load_technology

pytestmark = pytest.mark.tools
EGFET = load_technology("egfet")


@pytest.fixture
def split(run_folder):
    return SplitRun(run_folder, EGFET)


def test_a_run_holds_every_stage(split):
    assert {entry["stage"] for entry in split.of_stage(ANY)} == set(STAGES)
    assert [entry["stage"] for entry in split.of_stage(EXACT)] == [EXACT]
    assert split.seconds > 0


def test_copies_of_rows_that_train_or_choose_are_counted(split):
    record = read_json(split.folder, "dataset.json")
    dataset = load_dataset(record["name"])
    X = np.random.default_rng(0).random(dataset.X.shape)
    assert split.copied(replace(dataset, X=X)) == 0
    train, test = record["split"]["train"][0], record["split"]["test"]
    same_class = [row for row in test if dataset.y[row] == dataset.y[train]]
    other_class = next(row for row in test if dataset.y[row] != dataset.y[train])
    X = X.copy()
    X[[*same_class, other_class]] = X[train]
    assert split.copied(replace(dataset, X=X)) == len(same_class) / len(test)


def test_within_an_area_the_best_by_validation_is_chosen(split):
    for limit in sorted(entry["area_cm2"] for entry in split.of_stage(ANY)):
        chosen = split.within(ANY, limit)
        assert chosen["area_cm2"] <= limit
        assert chosen["merit"] == max(e["merit"] for e in split.of_stage(ANY) if e["area_cm2"] <= limit)
        powers = [e["choice_power_mw"] for e in split.of_stage(ANY)]
        frugal = split.within(ANY, limit, power_mw=np.median(powers))
        assert frugal is None or frugal["choice_power_mw"] <= np.median(powers)
    assert split.within("paper", -1.0) is None


def test_what_knows_the_training_rows_by_heart_is_not_chosen_for_it(split):
    """Validation rows that speak against it, 30 of them, cap what the training rows say."""
    honest = {"stage": "refine", "key": "b", "score": 0.9, "merit": 0.95, "area_cm2": 1.0}
    learnt = {"stage": "tree", "key": "a", "score": 0.6, "merit": 0.97, "area_cm2": 1.0}
    assert len(split.parts["validation"].y) == 30
    split.entries = by_merit([learnt, honest], 30)
    assert split.within(ANY, 1.0)["key"] == "b"


def test_the_smallest_of_a_score(split):
    for least in sorted({entry["score"] for entry in split.of_stage("refine")}):
        chosen = split.smallest("refine", least)
        assert chosen["score"] >= least
        assert chosen["area_cm2"] == min(e["area_cm2"] for e in split.of_stage("refine") if e["score"] >= least)
    assert split.smallest("refine", 1.1) is None


def test_what_is_quoted_is_what_the_test_rows_say(split):
    entry = max(split.of_stage("refine"), key=lambda e: e["merit"])
    quoted, test = split.quote(entry), split.parts["test"]
    metrics = evaluate(test.y, model_of(entry).predict(test.codes), n_classes=3, majority_class=test.majority_class)
    assert quoted.accuracy == pytest.approx(metrics.accuracy)
    assert quoted.balanced_accuracy == pytest.approx(metrics.balanced_accuracy)
    assert quoted.area_cm2 == entry["area_cm2"]
    assert quoted.power_mw[0] > quoted.power_mw[1] > 0


def test_a_netlist_that_is_another_function_ends_the_benchmark(run_folder, tmp_path):
    folder = tmp_path / "iris"
    shutil.copytree(run_folder, folder)
    split = SplitRun(folder, EGFET)
    entry = max(split.of_stage("tree"), key=lambda e: e["merit"])
    file = folder / entry["netlist_file"]
    record = json.loads(file.read_text())
    wrong = record["netlist"].replace("NAND2X1", "NOR2X1")
    assert wrong != record["netlist"]
    file.write_text(json.dumps({**record, "netlist": wrong}))
    with pytest.raises(SystemExit, match=f"netlist of {entry['key']} differs from its classifier on train"):
        split.quote(entry)


def test_rows_of_the_tables(split, monkeypatch):
    targets = (Target(0.5, 10.0, "tree"), Target(1.1, 10.0, "none"), Target(0.5, -1.0, "none", 0.2))
    monkeypatch.setitem(published.TARGETS, "iris", targets)
    easy, hard, impossible = target_rows({"iris": [split, split]})
    assert easy[:5] == ["iris", "2", "tree", "50.0% at 10", "yes"]
    assert hard[4] == impossible[4] == "no"
    assert impossible[3] == "50.0% at -1 / 0.2"
    assert set(impossible[5:]) == {"–"}
    assert len(easy) == len(hard) == len(impossible) == 9 + len(STAGES)
    rows = stage_rows({"iris": [split]})
    assert [row[1] for row in rows] == [EXACT, *(stage for stage in STAGES for _ in published.LOSSES)]
    assert {len(row) for row in rows} == {9}
    accuracy = split.quote(split.exact).accuracy
    assert rows[0][3:5] == ["1 of 1", f"{accuracy:.1%}"]


def test_a_target_that_some_splits_cannot_try_is_not_met():
    quoted, target = [Quoted(0.9, 0.9, 1.0, (1.0, 0.5))], Target(0.8, 1.0, "")
    assert published._is_met(quoted, 1, target)
    assert not published._is_met(quoted, 2, target)
    assert not published._is_met([], 1, target)
