"""The refine stage: what it starts from, what it sees, what it keeps, and that nothing unproved leaves it."""

from dataclasses import replace

import numpy as np
import pytest

from flows import refinement
from flows.mapping import (
    BASELINES,
    REFINE,
    Judge,
    area_of,
    finish,
    model_of,
    netlist_file,
    netlist_of,
    power_of_choice,
    spread,
    worth_keeping,
)
from flows.refined import Candidate, worth_a_look
from hdl.power import static_power_mw
from printedmlp.circuit import Instance, Netlist, care, classes, input_bits_of, simulate
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.refine import Refined
from printedmlp.circuit.sweep import LARGE_CELLS
from printedmlp.errors import PrintedMLPWarning, VerificationError
from printedmlp.forests import forests
from printedmlp.technology import Cell
from tests.flows.conftest import job_of
from tests.netlists import EGFET, inverter_chain

pytestmark = pytest.mark.tools


def entry(key, stage, score, train, area, **figures):
    return {
        "key": key,
        "stage": stage,
        "score": score,
        "merit": (3 * train + score) / 4,
        "train_accuracy": train,
        "train_error": round(100 * (1 - train)),
        "area_cm2": area,
        **figures,
    }


def answers(netlist, codes, bits):
    """Classes that a netlist's cells answer."""
    values = simulate(netlist, EGFET, input_bits_of(codes, bits), len(codes))
    return classes(netlist, values, len(codes))


def test_a_smaller_circuit_of_equal_merit_makes_a_larger_one_needless():
    a, b, c, d = (
        entry("a", "tree", 0.8, 0.9, 2.0),
        entry("b", "tree", 0.8, 0.9, 1.0),
        entry("c", "tree", 0.79, 0.95, 3.0),
        entry("d", "tree", 0.9, 0.85, 1.5),
    )
    assert worth_keeping([a, b, c, d], [2.0, 1.0, 3.0, 1.5]) == [b, c]
    assert worth_keeping([a, b], [1.0, 1.0]) == [a]
    assert worth_keeping([], []) == []


def test_a_spread_keeps_both_ends():
    assert spread(range(5), 9) == [0, 1, 2, 3, 4]
    assert spread(range(10), 4) == [0, 3, 6, 9]
    assert spread(range(10), 1) == [0]
    assert spread(range(10), 0) == []


def test_a_circuit_is_worth_a_look_by_either_size():
    small, frugal, neither = (
        Candidate(inverter_chain(1), entry(key, "refine", 0.8, 0.9, area, choice_power_mw=power))
        for key, area, power in (("small", 1.0, 3.0), ("frugal", 2.0, 1.0), ("neither", 3.0, 2.0))
    )
    everything = [neither, frugal, small, small]
    assert worth_a_look(everything, (area_of,)) == [small]
    assert worth_a_look(everything, (area_of, power_of_choice)) == [small, frugal]


def test_starts_of_a_stage_are_spread_over_its_front():
    entries = [
        entry("s0", "search", 0.5, 0.95, 3.0),
        entry("s1", "search", 0.5, 0.9, 2.0),
        entry("s2", "search", 0.9, 0.6, 0.1),
        entry("larger", "search", 0.9, 0.6, 0.2),
        entry("t0", "tree", 0.5, 0.9, 1.0),
    ]
    assert [start["key"] for start in refinement.chosen_starts(entries, "search", 2)] == ["s0", "s2"]
    assert [start["key"] for start in refinement.chosen_starts(entries, "search", 5)] == ["s0", "s1", "s2"]
    assert refinement.chosen_starts(entries, "search", 0) == []


def test_starts_come_by_turns_from_trees_networks_and_forests(run_folder, monkeypatch):
    job = job_of(run_folder, refine_starts=6)
    monkeypatch.setattr(refinement, "chosen_starts", lambda entries, stage, n: [f"{stage}{k}" for k in range(n)])
    monkeypatch.setattr(refinement, "start_of", lambda job, entry: entry)
    monkeypatch.setattr(refinement, "forest_starts", lambda job, judge, n: ["forest0"])
    judge = Judge.of(job)
    assert refinement.starts_of(job, judge) == ["tree0", "search0", "paper0", "forest0", "tree1", "search1"]
    assert refinement.starts_of(replace(job, config=replace(job.config, refine_starts=0)), judge) == []


def test_a_large_start_that_errs_as_much_as_a_smaller_one_is_left_out():
    small, large = inverter_chain(LARGE_CELLS), inverter_chain(LARGE_CELLS + 1)
    behind = [Refined(small, 5, 2.0, 0.0), Refined(large, 5, 3.0, 0.0), Refined(large, 4, 3.5, 0.0)]
    assert refinement.worth_evolving(behind) == [0, 2]
    assert refinement.worth_evolving([Refined(small, 5, 2.0, 0.0), Refined(small, 9, 3.0, 0.0)]) == [0, 1]


def test_forests_become_circuits_that_answer_as_they_vote(run_folder, monkeypatch):
    job = job_of(run_folder)
    judge = Judge.of(job)
    grown = []

    def kept(*args, **options):
        grown.extend(forests(*args, **options))
        return grown

    monkeypatch.setattr(refinement, "forests", kept)
    starts = refinement.forest_starts(job, judge, 2)
    codes, bits = judge.deciding_codes(), job.config.input_bits
    votes = [forest.predict(codes) for forest in grown]
    assert 1 <= len(starts) <= 2
    assert all(any(np.array_equal(answers(start, codes, bits), vote) for vote in votes) for start in starts)
    job.stop.set()
    assert refinement.forest_starts(job, judge, 2) == []


def test_evolution_sees_training_rows_and_noisy_copies_of_them(run_folder):
    job = job_of(run_folder, jitter=2, class_weights=(1.0, 2.0, 3.0))
    judge = Judge.of(job)
    noisy, plain = refinement.care_set(job, judge), refinement.care_set(job_of(run_folder, jitter=0), judge)
    n = len(judge.train.y)
    assert (plain.n_rows, noisy.n_rows) == (n, 3 * n)
    assert plain.total_weight == sum(c + 1 for c in judge.train.y)
    assert noisy.total_weight == 3 * plain.total_weight
    assert np.array_equal(noisy.inputs, refinement.care_set(job, judge).inputs)


def test_a_large_table_has_fewer_noisy_copies(run_folder, monkeypatch):
    job = job_of(run_folder, jitter=8)
    judge = Judge.of(job)
    n = len(judge.train.y)
    monkeypatch.setattr(care, "NOISY_ROWS", 4 * n + 1)
    assert refinement.care_set(job, judge).n_rows == 4 * n
    monkeypatch.setattr(care, "NOISY_ROWS", 2 * n - 1)
    assert refinement.care_set(job, judge).n_rows == 3 * n
    assert refinement.care_set(job_of(run_folder, jitter=1), judge).n_rows == 2 * n


def test_every_record_is_that_of_its_netlist(run_folder):
    job = job_of(run_folder)
    judge, bits = Judge.of(job), job.config.input_bits
    found = job.run.read_json("search", "refine.json")["found"]
    assert found
    for record in found:
        netlist, model = netlist_of(job, record), model_of(record)
        written = job.run.read_json(record["netlist_file"])
        assert written["log"][-1] == f"{written['recipe']}: proved equal to the Verilog"
        assert record["stage"] == REFINE
        assert record["area_cm2"] == netlist.area_cm2(EGFET)
        power = static_power_mw(netlist, EGFET, judge.deciding_codes(), bits)
        assert record["choice_power_mw"] == power[EGFET.nominal_voltage]
        on_train = answers(netlist, judge.train.codes, bits)
        assert np.array_equal(on_train, model.predict(judge.train.codes))
        assert record["train_error"] == np.sum(on_train != judge.train.y)
        assert record["train_accuracy"] == np.mean(on_train == judge.train.y)
        on_validation = answers(netlist, judge.validation.codes, bits)
        assert record["score"] == record["validation_accuracy"] == np.mean(on_validation == judge.validation.y)


def test_refined_circuits_are_smaller_than_what_they_came_from(run_folder):
    job = job_of(run_folder)
    sources = job.run.read_json("search", "candidates.json")[len(BASELINES) :]
    found = job.run.read_json("search", "refine.json")["found"]
    assert any(
        record["area_cm2"] < source["area_cm2"] and record["train_accuracy"] >= source["train_accuracy"]
        for record in found
        for source in sources
        if source["train_accuracy"] > 0.5
    )


def test_another_metric_and_weights_decide(reopened):
    job = reopened("refine", metric="macro_f1", class_weights=(1.0, 5.0, 2.0), refine_starts=1, refine_moves=300)
    judge = Judge.of(job)
    refinement.refine(job)
    found = job.run.read_json("search", "refine.json")["found"]
    assert found
    weights = np.array([1, 5, 2])
    for record in found:
        wrong = model_of(record).predict(judge.train.codes) != judge.train.y
        assert record["train_error"] == weights[judge.train.y][wrong].sum()
        on_validation = model_of(record).predict(judge.validation.codes)
        assert record["score"] == judge.objective.score(judge.validation.y, on_validation, 3)
    assert any(record["score"] != record["validation_accuracy"] for record in found)


def test_balanced_accuracy_weighs_the_classes_of_the_training(run_folder):
    judge = Judge.of(job_of(run_folder, metric="balanced_accuracy"))
    sizes = np.bincount(judge.train.y)
    weights = judge.weights or (1,) * len(sizes)
    assert judge.objective.metric == "balanced_accuracy"
    assert np.ptp(sizes * weights) <= sizes.max()


@pytest.fixture
def candidate(reopened):
    """Two inverters and a NAND on the first bits of the data: one gate too many, and where to put the proof."""
    job = reopened("refine")
    gates = (Instance("INVX1", (2,)), Instance("INVX1", (18,)), Instance("NAND2X1", (19, 3)))
    netlist = Netlist(4 * job.config.input_bits, gates, (20, 0))
    return job, refinement._candidate(job, Judge.of(job), netlist)


def test_a_recipe_is_taken_where_it_is_smaller(candidate):
    job, item = candidate
    record = job.run.read_json(refinement._proved(job, item, recipes=True))
    assert record["recipe"] != "evolution"
    assert record["area_cm2"] == EGFET.cell("NAND2X1").area_mm2 / 100
    assert record["log"][-1] == f"{record['recipe']}: proved equal to the Verilog"


def test_without_recipes_the_netlist_stays_and_is_proved_once(candidate, monkeypatch):
    job, item = candidate
    file = refinement._proved(job, item, recipes=False)
    record = job.run.read_json(file)
    assert (file, record["recipe"]) == (netlist_file(item.entry, REFINE), "evolution")
    assert finish(job, Judge.of(job), item.entry, file)["area_cm2"] == item.netlist.area_cm2(EGFET)
    monkeypatch.setattr(refinement, "equivalent", None)
    assert refinement._proved(job, item, recipes=False) == file


def test_a_netlist_that_is_another_function_is_not_written(candidate):
    job, item = candidate
    gates = (*item.netlist.instances[:2], Instance("NOR2X1", (19, 3)))
    wrong = Candidate(replace(item.netlist, instances=gates), item.entry)
    with pytest.raises(VerificationError, match=f"refined circuit {item.entry['key']}: netlist and Verilog differ"):
        refinement._proved(job, wrong, recipes=False)
    assert not job.run.path(netlist_file(item.entry, REFINE)).exists()


def test_the_key_is_that_of_the_gates(candidate):
    job, item = candidate
    model = model_of(item.entry)
    assert isinstance(model, GateClassifier)
    other = GateClassifier(model.n_features, model.input_bits, model.n_classes, model.gates, (0, 20))
    judge = Judge.of(job)
    assert judge.entry(REFINE, model)["key"] == item.entry["key"] != judge.entry(REFINE, other)["key"]


def test_starts_in_larger_cells_are_mapped_anew(run_folder, monkeypatch):
    """A start of three-input cells becomes one of cells that evolution knows, with the same function."""
    job = job_of(run_folder)
    nand3 = Cell("NAND3", 0.3, ("A", "B", "C"), "Y", "!(A * B * C)")
    large = replace(job.technology, cells={**job.technology.cells, "NAND3": nand3})
    entry = next(e for e in job.run.read_json("search", "candidates.json") if e["stage"] == "tree")
    given = Netlist(16, (Instance("NAND3", (2, 3, 4)),), (18, 18))
    monkeypatch.setattr(refinement, "netlist_of", lambda job, entry: given)
    start = refinement.start_of(replace(job, technology=large), entry)
    assert "NAND3" not in start.cell_counts()
    assert "NAND3" not in refinement.small_cells(large).cells
    model = GateClassifier.of_netlist(start, job.technology, input_bits=4, n_classes=3)
    codes = job.vectors("train").codes
    assert np.array_equal(model.predict(codes), model_of(entry).predict(codes))


def test_without_an_inverter_nothing_is_refined(reopened):
    job = reopened("refine")
    cells = {name: cell for name, cell in job.technology.cells.items() if len(cell.inputs) == 2}
    with pytest.warns(PrintedMLPWarning, match="no inverter: nothing is refined"):
        refinement.refine(replace(job, technology=replace(job.technology, cells=cells)))
    assert job.run.read_json("search", "refine.json") == {"found": []}
