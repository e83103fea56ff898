"""The whole flow on a small budget: what it writes, that it is the same twice, and that it goes on after a kill."""

import itertools
import json
import warnings

import pytest

from flows import ceiling, circuits, design, measure, thermometer
from flows.cli import run_command
from flows.config import make_config
from flows.run import MANIFEST, Run, sha256_file
from printedmlp.choice import POWER_GAIN
from printedmlp.errors import ConfigError, DataError, VerificationError
from printedmlp.model import DiscreteMLP
from printedmlp.technology import load_technology
from tests.flows.conftest import SMALL, job_of

pytestmark = pytest.mark.tools


class Killed(BaseException):
    """Stands for a kill in the middle of a stage."""


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, ".lock")
    }


def records_of(folder):
    """Every design's record by name."""
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("designs/*/measure.json")}


def test_the_folder_holds_what_the_front_names(run_folder):
    front = json.loads((run_folder / "front.json").read_text())
    names = [point["id"] for point in front["front"] + front["others"]] + list(circuits.BASELINES)
    assert sorted(path.name for path in (run_folder / "designs").iterdir()) == sorted(names)
    assert front["front"]
    assert front["others"]
    for name in names:
        files = {path.name for path in (run_folder / "designs" / name).iterdir()}
        pictures = json.loads((run_folder / "designs" / name / "measure.json").read_text())["layout"]["files"]
        assert files == {*circuits.DESIGN_FILES, *pictures}
        assert {"layout.gds", "layout.svg", "layout.png"} <= files


def test_every_stage_is_there_and_numbered_by_area(run_folder):
    records = records_of(run_folder)
    assert {record["stage"] for record in records.values()} == set(circuits.VERILOG)
    for stage in set(circuits.VERILOG) - set(circuits.BASELINES):
        own = sorted((record for record in records.values() if record["stage"] == stage), key=lambda r: r["id"])
        digits = len(str(len(own)))
        assert [record["id"] for record in own] == [f"{stage}-{n + 1:0{digits}}" for n in range(len(own))]
        areas = [record["area_cm2"] for record in own]
        assert areas == sorted(areas)


def test_every_design_was_simulated_on_all_rows_and_random_vectors(run_folder):
    for path in (run_folder / "designs").glob("*/measure.json"):
        proof = json.loads(path.read_text())["verification"]
        assert proof["passed"]
        assert proof["vectors"]["data"] == 150
        assert proof["vectors"]["random"] >= 10_000
        assert set(proof["mismatches"].values()) == {0}


def pointless(one, other):
    """Whether `other` is no better than `one` in merit and area, and in power not by enough to matter."""
    gain = one["choice_power_mw"] - other["choice_power_mw"]
    no_better = one["merit"] >= other["merit"] and one["area_cm2"] <= other["area_cm2"]
    return no_better and (gain <= 0 or gain < POWER_GAIN * one["choice_power_mw"])


def test_the_front_is_what_nothing_else_makes_pointless(run_folder):
    front = json.loads((run_folder / "front.json").read_text())
    assert all(point["on_front"] for point in front["front"])
    assert not any(point["on_front"] for point in front["others"])
    areas = [point["area_cm2"] for point in front["front"]]
    assert areas == sorted(areas)
    for one, other in itertools.permutations(front["front"], 2):
        assert not pointless(one, other)
    for other in front["others"]:
        assert any(pointless(one, other) for one in front["front"])


def test_a_circuit_that_two_stages_found_is_on_the_front_once(run_folder, monkeypatch):
    job = job_of(run_folder)
    entries, found = (job.run.read_json("search", f"{name}.json") for name in ("candidates", "refine"))
    smallest = min(entries[2:], key=lambda entry: entry["area_cm2"])
    twin = {**smallest, "stage": "search" if smallest["stage"] == "paper" else "paper"}
    files = {"candidates.json": [*entries, twin], "refine.json": found}
    read = Run.read_json
    monkeypatch.setattr(Run, "read_json", lambda run, *parts: files.get(parts[-1]) or read(run, *parts))
    named = circuits._named(job)
    twins = [entry for entry in named.values() if entry["key"] == smallest["key"]]
    assert sum(entry["on_front"] for entry in twins) == 1


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
    rtl = min(run_folder.glob("designs/paper-*/classifier.v"))
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


def test_other_settings_are_refused_and_nothing_is_lost(run_folder):
    before = files_of(run_folder)
    with pytest.raises(ConfigError, match="seed: 0 there, 1 now"):
        design.design(make_config(None, {**SMALL, "seed": 1}), run_folder, quiet=True)
    assert files_of(run_folder) == before


@pytest.mark.slow
def test_a_run_killed_in_four_places_ends_in_the_same_bytes(run_folder, tmp_path, monkeypatch):
    config, folder = make_config(None, SMALL), tmp_path / "iris"
    places = [
        ("flows.searches.PopulationCost.full_adders", 5),
        ("flows.mapping.map_verilog", 2),
        ("flows.refinement.equivalent", 2),
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


def test_a_damaged_circuit_is_refused_and_no_design_is_left(reopened, monkeypatch):
    def damaged(model, header=()):
        text = undamaged(model, header=header)
        return text.replace(" ^ ", " | ", 1) if header else text

    undamaged, job = circuits.VERILOG["exact"], reopened("designs")
    monkeypatch.setitem(circuits.VERILOG, "exact", damaged)
    with pytest.raises(VerificationError, match="design 'exact' is refused"):
        design.design(job.config, job.run.folder, quiet=True)
    assert not job.run.path("designs").exists()
    assert not is_done(job, "report")


def test_a_flipped_gate_in_a_refined_netlist_is_found_by_proof_and_by_simulation(reopened, monkeypatch):
    job = reopened("designs")
    sums, flips = job.run.manifest["stages"]["refine"]["files"], 0
    for entry in job.run.read_json("search", "refine.json")["found"]:
        record = job.run.read_json(entry["netlist_file"])
        flips += "NAND2X1" in record["netlist"]
        record["netlist"] = record["netlist"].replace("NAND2X1", "NOR2X1", 1)
        job.run.write_json(record, entry["netlist_file"])
        sums[entry["netlist_file"]] = sha256_file(job.run.path(entry["netlist_file"]))
    job.run.write_json(job.run.manifest, MANIFEST)
    assert flips
    refuted = (
        r"design 'refine-\d+' is refuted: the netlist answers '\w+', its classifier '\w+' for 'sepal_length_cm' "
    )
    with pytest.raises(VerificationError, match=refuted):
        design.design(job.config, job.run.folder, quiet=True)
    assert not job.run.path("designs").exists()
    monkeypatch.setattr(circuits, "prove_all", lambda job, claims: [{} for _ in claims])
    with pytest.raises(VerificationError, match=r"design 'refine-\d+' is refused"):
        design.design(job.config, job.run.folder, quiet=True)
    assert not job.run.path("designs").exists()


def test_a_float_ceiling_enters_the_report_and_nothing_else_runs_again(reopened, tmp_path, capsys):
    job = reopened("report")
    values = {"accuracy": 0.97, "balanced_accuracy": 0.9, "macro_f1": 0.9}
    record = {
        "format": ceiling.FORMAT,
        "version": ceiling.VERSION,
        "dataset": {"sha256": job.dataset.sha256, "class_names": list(job.dataset.class_names)},
        "settings": {**{key: getattr(job.config, key) for key in ceiling.SPLIT_SETTINGS}, "input_bits": None},
        "models": {"kan": {"parameters": 9, "splits": [{"seed": 0, "validation": values, "test": values}]}},
    }
    given = tmp_path / "ceiling.json"
    given.write_text(json.dumps(record))
    design.design(job.config, job.run.folder, quiet=True)
    assert "Float ceiling" not in job.run.path("report.html").read_text()
    design.design(job.config, job.run.folder, reference=given)
    assert "97.0% test accuracy on the same split, by a KAN" in job.run.path("report.html").read_text()
    printed = capsys.readouterr().out
    assert "float ceiling: 97.0% test accuracy" in printed
    assert "front: kept from an earlier run" in printed
    assert "report: done" in printed


def test_a_float_ceiling_of_another_table_is_refused_before_anything_runs(reopened, tmp_path):
    job = reopened("report")
    given = tmp_path / "ceiling.json"
    given.write_text(
        json.dumps(
            {
                "format": ceiling.FORMAT,
                "version": ceiling.VERSION,
                "dataset": {"sha256": "0", "class_names": list(job.dataset.class_names)},
            }
        )
    )
    with pytest.raises(DataError, match="another table or class column than iris"):
        design.design(job.config, job.run.folder, quiet=True, reference=given)
    assert not is_done(job, "report")


def is_done(job, stage):
    """Whether the manifest on disk says that a stage is done."""
    return stage in json.loads(job.run.path(MANIFEST).read_text())["stages"]


def test_limits_that_nothing_keeps_to_leave_an_empty_front_and_one_line(reopened, capsys):
    job = reopened("designs", max_area=1e-4, min_accuracy=0.9)

    def run(_: object) -> None:
        design.design(job.config, job.run.folder)

    assert run_command(run) == 0
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("warning: the front is empty: no circuit keeps to the limits; the nearest, ")
    front = job.run.read_json("front.json")
    assert front["front"] == []
    assert front["others"]
    assert {reduction["id"] for reduction in front["reductions"]} == {None}
    assert job.run.path("report.html").is_file()
    assert is_done(job, "report")


def test_a_limit_takes_from_the_front_what_breaks_it_and_no_stranger_joins(run_folder, reopened):
    points = json.loads((run_folder / "front.json").read_text())["front"]
    areas = [point["area_cm2"] for point in points]
    job = reopened("designs", max_area=areas[-2])
    stranger = job.run.path("designs", "stranger")
    stranger.mkdir()
    (stranger / "measure.json").write_text("{}")
    design.design(job.config, job.run.folder, quiet=True)
    assert [point["area_cm2"] for point in job.run.read_json("front.json")["front"]] == areas[:-1]
    assert not stranger.exists()


def test_a_users_own_table_with_hostile_names(tmp_path, capsys):
    rows = [f"{a},{b},{'yes */ module' if a > b else 'no`include'}" for a in range(9) for b in range(9)]
    table = tmp_path / "..; rm -rf.csv"
    table.write_text('"a\\"" */ endmodule","$finish",klass\n' + "\n".join(rows) + "\n")
    numbers = {"generations": 5, "population": 16, "restarts": 2, "candidates": 2, "chains": 1, "proposals": 50}
    numbers |= {"tree-generations": 1, "refine-starts": 1, "refine-moves": 200, "power-moves": 100, "jitter": 0}
    numbers |= {"hidden": 1, "input-bits": 2}
    options = [text for key, value in numbers.items() for text in (f"--{key}", str(value))]
    arguments = [str(table), "--out", str(tmp_path / "run"), "--budget", "quick", "--quiet", *options]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = run_command(design.main, arguments)
    assert code == 0, capsys.readouterr().err
    for path in (tmp_path / "run").rglob("*.v"):
        code_lines = [line for line in path.read_text().splitlines() if not line.startswith("//")]
        assert not any("finish" in line or "klass" in line or "`" in line for line in code_lines)
    model = DiscreteMLP.from_json(json.loads((tmp_path / "run/designs/exact/model.json").read_text()))
    assert model.topology[0] == 2


def test_circuits_on_comparators_outputs_stand_beside_the_others(run_folder, reopened):
    job = reopened("designs", inputs="thermometer", battery_mah=10.0, battery_v=1.5)
    design.design(job.config, job.run.folder, quiet=True)
    records, before = records_of(job.run.folder), records_of(run_folder)
    second = {name: record["thermometer"] for name, record in records.items() if "thermometer" in record}
    assert second
    assert not set(second) & set(circuits.BASELINES)
    same, twins = {record["model_sha256"]: run_folder / "designs" / name for name, record in before.items()}, 0
    for name, found in second.items():
        folder = job.run.path("designs", name)
        places = json.loads((folder / "inputs.json").read_text())
        assert len(places) == found["inputs"] == records[name]["front_end"]["comparators"]
        assert f"input [{len(places) - 1}:0] inp" in (folder / "thermometer_netlist.v").read_text()
        assert found["proved_equal_on_all_codes"]
        assert set(found["verification"]["mismatches"].values()) == {0}
        together = records[name]["system"]["thermometer"]
        comparators = records[name]["front_end"]["bespoke"]["area_cm2"]
        assert together["area_cm2"] == pytest.approx(found["area_cm2"] + comparators)
        assert records[name]["feasibility"]["battery"]["capacity_mah"] == 10
        # The first form is as it was without the option; other circuits may be kept, as systems decide.
        if (twin := same.get(records[name]["model_sha256"])) is not None:
            old, new = ((at / "netlist.v").read_text().splitlines() for at in (twin, folder))
            assert old[1:] == new[1:]
            twins += 1
    assert twins >= len(second) / 2
    assert "thermometer_area_cm2" in job.run.path("front.csv").read_text().splitlines()[0]
    assert "A thermometer circuit takes" in job.run.path("report.html").read_text()


def test_a_fault_in_a_second_form_is_refused(reopened, monkeypatch):
    def damaged(verilog, inputs, n_outputs):
        return undamaged(verilog, inputs, n_outputs).replace(">=", "<", 1)

    undamaged, job = thermometer.of_codes, reopened("designs", inputs="thermometer")
    monkeypatch.setattr(thermometer, "of_codes", damaged)
    with pytest.raises(VerificationError, match="is refused"):
        design.design(job.config, job.run.folder, quiet=True)
    assert not job.run.path("designs").exists()
