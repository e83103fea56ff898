"""Circuits side by side: the same figures as the run's, levels by hand, and what tells runs apart."""

import json

import pytest

from benchmarks.adder_graphs import counted
from flows import compare, compared_row, stages
from flows.chosen_by import CLASSIFIER, SYSTEM
from flows.compare import Options
from flows.compare_plot import axes_of
from flows.compared_levels import BEST, Spread, level_means
from flows.compared_row import Row
from flows.compared_rows import Circuit, check_answers, with_second_form
from flows.compared_runs import check_alike, levels_of, open_finished, tell_other_code, variants
from flows.config import THERMOMETER
from flows.mapping import area_of
from flows.run import MANIFEST, json_text, sha256_text
from hdl.synthesis import netlist_verilog
from printedmlp.circuit import Netlist
from printedmlp.errors import PrintedMLPWarning, VerificationError
from tests.flows.comparing import QUIET, STAGES, edited, rows_of
from tests.flows.conftest import SMALL


def test_a_designs_row_has_the_figures_that_the_run_wrote(found, run_folder):
    for row in found.rows:
        if row.folder is None or row.series == compared_row.FOREIGN:
            continue  # the run keeps no record of it
        written = json.loads((run_folder / "designs" / row.id / "measure.json").read_text())
        for key in compared_row.KEPT:
            assert json.loads(json.dumps(row.figures[key])) == written[key], (row.id, key)
        assert row.validation == written["score"]
        assert row.proof["verdict"] == written["proof"]["integers"]["verdict"]
    assert rows_of(found, "exact")[0].folder.endswith("exact")


def test_every_stage_is_its_own_front(found):
    assert {row.series for row in found.rows} == {*STAGES, "verilog"}
    for stage in STAGES[1:]:
        own = rows_of(found, stage)
        assert [row.area_cm2 for row in own] == sorted(row.area_cm2 for row in own)
        assert [row.merit for row in own] == sorted(row.merit for row in own)


def test_a_strangers_circuit_is_measured_on_the_runs_rows(found):
    (row,) = rows_of(found, "verilog")
    assert (row.id, row.figures["n"]) == ("a stranger", rows_of(found, "exact")[0].figures["n"])
    assert row.figures["cells"] == 0
    assert row.proof["verdict"] in ("as given", "= its Verilog")


def test_the_second_form_of_a_design_is_told_with_its_sensors():
    first, second = {"comparators": 3, "full": {"area_cm2": 2.0}}, {"thermometer": {"area_cm2": 0.5}}
    figures = {"area_cm2": 1.0, "system": first}
    assert with_second_form(figures, {"system": second})["system"] == {**first, **second}
    assert with_second_form(figures, {"system": first}) == figures
    assert with_second_form(figures, None) == figures


def test_levels_by_hand():
    def entry(key, area, score):
        return {"key": key, "area_cm2": area, "score": score}

    front = [entry("a", 1.0, 0.90), entry("b", 2.0, 0.95), entry("c", 3.0, 0.95), entry("d", 4.0, 0.97)]
    found = levels_of(front, exact_score=0.96)
    assert {loss: e["key"] for loss, e in found.items() if e} == {None: "d", 0: "d", 1: "b", 2: "b", 5: "b"}
    assert levels_of(front, exact_score=1.0)[0.0] is None


def a_row(split, accuracy, area, levels):
    figures = {"accuracy": accuracy, "balanced_accuracy": 0.5, "area_cm2": area, "power_mw": {"1": 2 * area}}
    return Row("iris", "tree", f"tree-{split}", figures, "", split=split, levels=levels)


def test_mean_and_spread_by_hand():
    rows = [a_row("p", 0.9, 1.0, (BEST, 0.0)), a_row("q", 0.8, 3.0, (BEST,)), a_row("q", 0.1, 0.5, ())]
    best, no_loss = level_means(rows, "1")
    assert (best.loss, best.n, best.n_splits) == (BEST, 2, 2)
    assert best.accuracy.mean == pytest.approx(0.85)
    assert best.accuracy.deviation == pytest.approx(0.1 / 2**0.5)
    assert (best.area.mean, best.power.mean) == (2.0, 4.0)
    assert (no_loss.n, no_loss.n_splits, no_loss.area) == (1, 2, Spread(1.0, None))


def test_a_figure_that_one_split_lacks_has_no_mean():
    assert Spread.of([1.0, None]) == Spread(None, None)
    assert Spread.of([]) == Spread(None, None)


def test_runs_of_other_code_are_told(run_folder, copied):
    runs = [open_finished(folder, STAGES) for folder in (run_folder, copied("other", seed=1, code="another"))]
    with pytest.warns(PrintedMLPWarning, match="iris: not all runs were made by the same version"):
        tell_other_code(runs)


def test_a_run_that_ended_early_is_told(copied):
    folder = copied("early")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["stages"]["search"]["stopped_early"] = True
    (folder / MANIFEST).write_text(json_text(manifest))
    with pytest.warns(PrintedMLPWarning, match="search ended early"):
        open_finished(folder, STAGES)


@pytest.mark.parametrize(
    ("text", "path", "label", "data_set"),
    [
        ("a/top.v", "a/top.v", "top", None),
        ("top.v:a stranger", "top.v", "a stranger", None),
        ("top.v:x@iris", "top.v", "x", "iris"),
        ("top.v:@iris", "top.v", "top", "iris"),
    ],
)
def test_how_a_stranger_is_named(text, path, label, data_set):
    given = compare.Foreign.parse(text)
    assert (given.path.as_posix(), given.label, given.data_set) == (path, label, data_set)


def test_what_tells_runs_of_the_same_rows_apart(run_folder, copied):
    runs = [open_finished(folder, STAGES) for folder in (run_folder, copied("other", restarts=3))]
    check_alike(runs)
    assert list(variants(runs).values()) == ["restarts 2", "restarts 3"]


def networks(run_folder):
    run = open_finished(run_folder, STAGES)
    return run, Circuit.of(run, run.front_of("exact")[0])


def test_a_circuit_with_one_flipped_output_is_found(run_folder):
    run, circuit = networks(run_folder)
    assert check_answers("exact", circuit.netlist, run, circuit.model) > 10_000
    first, *others = circuit.netlist.outputs
    broken = Netlist(circuit.netlist.n_inputs, circuit.netlist.instances, (*others, first))
    with pytest.raises(VerificationError, match="exact: its adder graph answers otherwise for the codes"):
        check_answers("exact", broken, run, circuit.model)


def test_the_benchmark_counts_who_is_smaller():
    assert counted([2.0, 1.0, 1.0001, 0.5]) == "ours smaller in 1, the graph in 1, the same in 2; mean 1.000"


def test_the_hash_of_a_row_is_its_netlists(found, run_folder):
    run, circuit = networks(run_folder)
    (row,) = rows_of(found, "exact")
    assert row.sha256 == sha256_text(netlist_verilog(circuit.netlist, run.technology))
    assert SMALL["dataset"] == row.data_set


def by_system(folder, areas):
    """A run whose circuits were chosen with their comparators, those of trees with the areas given by name."""
    for name, area in areas.items():
        second = {"thermometer": {"area_cm2": area, "power_mw": 1.0}}

        def change(record, second=second):
            record["system"] = {**record["system"], **second}

        edited(folder, "designs", f"designs/{name}/measure.json", change)
    edited(folder, "front", "front.json", lambda record: record.update(chosen_by=SYSTEM))


def test_circuits_stand_by_the_area_that_chose_them(run_folder, copied):
    folder = copied("system", restarts=3)
    trees = sorted(path.name for path in (folder / "designs").glob("tree-*"))
    by_system(folder, {name: 9.0 - place for place, name in enumerate(trees)})
    run = open_finished(folder, STAGES)
    assert run.chosen_by == SYSTEM
    largest, areas = trees[-1], [area_of(entry) for entry in run.front_of("tree")]
    assert areas == sorted(areas)
    assert areas[0] == 9.0 - trees.index(largest)
    assert (run.design_of(run.front_of("tree")[0]) or {})["id"] == largest
    found = compare.compare([folder], Options(("tree",), proved=False), QUIET)
    assert found.chosen_by == SYSTEM
    assert found.rows[0].deciding_cm2 == areas[0] != found.rows[0].area_cm2
    assert areas[0] in {level.area.mean for level in found.levels}
    assert axes_of(found)[0].key == "system"
    usual = open_finished(run_folder, STAGES)
    assert usual.chosen_by == json.loads((run_folder / "front.json").read_text())["chosen_by"] == CLASSIFIER
    assert axes_of(compare.compare([run_folder, folder], Options(("tree",), proved=False), QUIET))[0].key == "area"


def test_a_run_with_prices_says_that_the_system_decided(reopened):
    job = reopened("front", inputs=THERMOMETER)
    stages.front(job)
    assert job.run.read_json("front.json")["chosen_by"] == SYSTEM
