"""The whole flow on a small budget: what it writes, that it is the same twice, and that it goes on after a kill."""

import json
import warnings

import pytest

from flows import circuits, design, measure
from flows.cli import run_command
from flows.config import make_config
from flows.run import MANIFEST
from printedmlp.errors import ConfigError, VerificationError
from printedmlp.model import DiscreteMLP
from printedmlp.technology import load_technology
from tests.flows.conftest import SMALL

pytestmark = pytest.mark.tools


class Killed(BaseException):
    """Stands for a kill in the middle of a stage."""


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, ".lock")
    }


def test_the_folder_holds_what_the_front_names(run_folder):
    front = json.loads((run_folder / "front.json").read_text())
    names = {point["id"] for point in front["front"]} | set(circuits.BASELINES)
    assert {path.name for path in (run_folder / "designs").iterdir()} == names
    assert len(names) > len(circuits.BASELINES)
    for name in names:
        files = {path.name for path in (run_folder / "designs" / name).iterdir()}
        assert files == set(circuits.DESIGN_FILES)


def test_every_design_was_simulated_on_all_rows_and_random_vectors(run_folder):
    for path in (run_folder / "designs").glob("*/measure.json"):
        proof = json.loads(path.read_text())["verification"]
        assert proof["passed"]
        assert proof["vectors"]["data"] == 150
        assert proof["vectors"]["random"] >= 10_000
        assert set(proof["mismatches"].values()) == {0}


def test_the_front_is_non_dominated_by_validation_accuracy_and_area(run_folder):
    points = json.loads((run_folder / "front.json").read_text())["front"]
    areas = [point["area_cm2"] for point in points]
    accuracies = [point["validation_accuracy"] for point in points]
    assert areas == sorted(set(areas))
    assert accuracies == sorted(set(accuracies))


def test_measure_agrees_with_the_run_to_the_last_digit(run_folder):
    technology = load_technology("egfet")
    for path in (run_folder / "designs").glob("*/measure.json"):
        record = json.loads(path.read_text())
        measured = measure.measure(
            path.with_name("netlist.v"),
            measure.Source(str(run_folder / "vectors" / "test.csv")),
            technology,
            simulated=False,
        )
        keys = ("accuracy", "balanced_accuracy", "confusion", "n", *circuits.CIRCUIT_FIGURES)
        assert {key: measured[key] for key in keys} == {key: record[key] for key in keys}
        assert measured["recipe"] is None


def test_measure_takes_the_rtl_and_a_data_set_name(run_folder, capsys):
    rtl = run_folder / "designs" / "paper-1" / "classifier.v"
    assert run_command(measure.main, [str(rtl), "iris", "--json", "--effort", "quick"]) == 0
    record = json.loads(capsys.readouterr().out)
    reference = json.loads(rtl.with_name("measure.json").read_text())
    assert record["simulated_vectors"] > 10_000
    for key in ("accuracy", "n", "area_cm2"):
        assert record[key] == reference[key]


def test_a_second_command_keeps_everything(run_folder, capsys):
    before = files_of(run_folder)
    design.design(make_config(None, SMALL), run_folder)
    assert capsys.readouterr().out.count("kept from an earlier run") == len(design.STAGES)
    assert files_of(run_folder) == before


def test_a_folder_that_is_no_design_of_this_run_does_not_join_the_front(tmp_path):
    config, folder = make_config(None, {**SMALL, "generations": 0, "candidates": 1}), tmp_path / "iris"
    with pytest.MonkeyPatch.context() as patch:
        kill_after(patch, "flows.circuits.verify_many", 0)
        with pytest.raises(Killed):
            design.design(config, folder, quiet=True)
    stranger = folder / "designs" / "stranger"
    stranger.mkdir(parents=True)
    (stranger / "measure.json").write_text("{}")
    design.design(config, folder, quiet=True)
    assert not stranger.exists()


def test_other_settings_are_refused_and_nothing_is_lost(run_folder):
    before = files_of(run_folder)
    with pytest.raises(ConfigError, match="seed: 0 there, 1 now"):
        design.design(make_config(None, {**SMALL, "seed": 1}), run_folder, quiet=True)
    assert files_of(run_folder) == before


@pytest.mark.slow
def test_a_run_killed_in_three_places_ends_in_the_same_bytes(run_folder, tmp_path, monkeypatch):
    config, folder = make_config(None, SMALL), tmp_path / "iris"
    places = [
        ("flows.stages.PopulationCost.full_adders", 5),
        ("flows.circuits.map_verilog", 2),
        ("flows.circuits.whole_folder", 2),
    ]
    for target, calls in places:
        with monkeypatch.context() as patch:
            kill_after(patch, target, calls)
            with pytest.raises(Killed):
                design.design(config, folder, quiet=True)
        assert not (folder / "report.html").exists()
    design.design(config, folder, quiet=True)
    assert files_of(folder) == files_of(run_folder)


def kill_after(patch, target, calls):
    """Let a function work `calls` times, then raise."""
    place, name = target.rsplit(".", 1)
    owner = pytest.importorskip(".".join(place.split(".")[:2]))
    for part in place.split(".")[2:]:
        owner = getattr(owner, part)
    original, count = getattr(owner, name), iter(range(calls))

    def counted(*arguments, **options):
        if next(count, None) is None:
            raise Killed
        return original(*arguments, **options)

    patch.setattr(owner, name, counted)


def test_a_damaged_circuit_is_refused_and_no_design_is_left(tmp_path, monkeypatch):
    def damaged(model, header=()):
        text = undamaged(model, header=header)
        return text.replace(" ^ ", " | ", 1) if header else text

    undamaged = circuits.VERILOG["exact"]
    monkeypatch.setitem(circuits.VERILOG, "exact", damaged)
    with pytest.raises(VerificationError, match="mismatches"):
        design.design(make_config(None, SMALL), tmp_path / "iris", quiet=True)
    assert not (tmp_path / "iris" / "designs").exists()
    assert not (tmp_path / "iris" / "report.html").exists()


def test_a_users_own_table_with_hostile_names(tmp_path, capsys):
    rows = [f"{a},{b},{'yes */ module' if a > b else 'no`include'}" for a in range(9) for b in range(9)]
    table = tmp_path / "..; rm -rf.csv"
    table.write_text('"a\\"" */ endmodule","$finish",klass\n' + "\n".join(rows) + "\n")
    options = ["--budget", "quick", "--generations", "5", "--population", "16", "--restarts", "2", "--quiet"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = run_command(design.main, [str(table), "--out", str(tmp_path / "run"), "--candidates", "2", *options])
    assert code == 0, capsys.readouterr().err
    for path in (tmp_path / "run").rglob("*.v"):
        code_lines = [line for line in path.read_text().splitlines() if not line.startswith("//")]
        assert not any("finish" in line or "klass" in line or "`" in line for line in code_lines)
    model = DiscreteMLP.from_json(json.loads((tmp_path / "run/designs/exact/model.json").read_text()))
    assert model.topology[0] == 2
