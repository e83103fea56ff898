"""The command on printing defects, on a run and on anyone's circuit; fault tolerance as an axis of the front."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from flows import defect_figures, defects, design
from flows.cli import run_command
from flows.config import make_config
from flows.defect_figures import Settings, defects_of
from flows.defect_page import defects_page
from flows.mapping import Choice, Judge, netlist_of, printed_merits
from flows.run import sha256_file
from printedmlp.choice import ROBUST_GAIN, select_front
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import ConfigError
from printedmlp.vectors import Vectors
from tests.flows.processes import code_of
from tests.netlists import EGFET

MAPPED = """module top(input [3:0] inp, output [0:0] out);
  wire n;
  NAND2X1 a (.A1(inp[0]), .A2(inp[2]), .Y(n));
  INVX1 b (.A(n), .Y(out[0]));
endmodule
"""
QUICK = ["--draws", "50", "--device-yield", "0.9,0.99"]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "top.v").write_text(MAPPED)
    (tmp_path / "v.csv").write_text("x0,x1,class\n1,1,1\n1,0,0\n0,1,0\n3,3,1\n")
    return [str(tmp_path / "top.v"), str(tmp_path / "v.csv"), *QUICK]


def choice(key, merit, area, power, printed):
    return Choice(
        {
            "key": key,
            "score": merit,
            "merit": merit,
            "area_cm2": area,
            "choice_power_mw": power,
            "printed_merit": printed,
        }
    )


def test_an_and_by_hand():
    """Five devices: two pins and the output of the NAND, pin and output of the inverter."""
    netlist = Netlist(4, (Instance("NAND2X1", (2, 4)), Instance("INVX1", (6,))), (7,))
    codes = np.array([[1, 1], [1, 0], [0, 1], [3, 3]], dtype=np.uint8)
    vectors = Vectors(codes, np.array([1, 0, 0, 1]), 2, 0)
    found = defects_of(netlist, EGFET, vectors, 2, Settings(draws=200, loss=0.0))
    assert (found["accuracy"], found["devices"]["total"], found["cells"]) == (1.0, 5, 2)
    single = found["single_faults"]
    # Two inputs, two outputs, three pins; a, b, NAND at 1 and the output at 0 are one class.
    assert (single["faults"], single["collapsed"]) == (14, 4)
    assert single["accuracy"]["least"] == 0.5
    assert [y["expected_perfect"] for y in found["yields"]] == pytest.approx(
        [y**5 for y in (0.9, 0.95, 0.99, 0.999)]
    )
    assert found["critical"][0]["instance"] == "g1"
    assert found["critical"][0]["mean_drop"] == pytest.approx(0.5)
    assert sum(part["devices"] for part in found["parts"]) == 5


def test_a_strangers_circuit_is_told_and_written(files, tmp_path, capsys):
    out = tmp_path / "out"
    assert run_command(defects.main, [*files, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "works at 0.9" in told
    assert "g1 (INVX1, out 0)" in told
    record = json.loads((out / "defects.json").read_text())["top"]
    page = (out / "defects.html").read_text()
    assert record["rows"] == 4
    assert page.count("<svg") == 3
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert run_command(defects.main, [*files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["format"], told["circuits"]) == (defects.FORMAT, {"top": record})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device-yield", "0.9,1.2"], "--device-yield: 1.2 is not above 0 and at most 1 "),
        (["--device-yield", "nan"], "--device-yield: nan is not above 0 and at most 1 "),
        (["--loss", "2"], "--loss: 2 is not in 0..1 "),
        (["--draws", "0"], "--draws: 0 is not in 1..10000 "),
        (["--draws", "1" + "0" * 30], f"--draws: 1{'0' * 30} is not in 1..10000 "),
        (["--sigma", "-1"], "--sigma: -1 is not in 0..5 "),
        (["--threshold-sigma", "nan"], "--threshold-sigma: nan is not in 0..100 "),
        (["--seed", "-1"], "--seed: -1 is not in 0..9223372036854775807 "),
        (["--split", "-3"], "--split: -3 is not in 0..9223372036854775807 "),
        (["--out", ""], "--out: empty text names no folder "),
    ],
)
def test_a_wrong_setting_ends_in_one_line(files, capsys, options, message):
    assert code_of(defects.main, [*files, *options]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: argument {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("draws = 0", "draws: 0 is not in 1..10000"),
        ("device_yield = [0.9, 2]", "device_yield: 2 is not above 0 and at most 1"),
        ("device_yield = []", "device_yield: '' is not a list of numbers such as 0.95,0.99"),
        ('out = "a\\u0000b"', "out: 'a\\x00b' holds a zero byte"),
        ('out = ""', "out: empty text names no folder"),
    ],
)
def test_a_wrong_setting_of_a_file_is_named_with_its_line(files, tmp_path, capsys, text, message):
    place = tmp_path / "c.toml"
    place.write_text(f"[defects]\n{text}\n")
    assert code_of(defects.main, [*files[:2], "--config", place]) == 2
    assert capsys.readouterr().err == f"error: {place} line 2: {message}\n"


@pytest.mark.parametrize(
    "values",
    [{"draws": 0}, {"draws": 10_001}, {"loss": 1.1}, {"sigma": np.nan}, {"threshold_sigma": -1.0}, {"seed": -1}],
)
def test_settings_refuse_what_the_command_line_refuses(values):
    (name,) = values
    with pytest.raises(ConfigError, match=name.replace("_", " ")):
        Settings(**values)


def test_figures_of_many_prints_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch):
    netlist = Netlist(4, (Instance("NAND2X1", (2, 4)), Instance("INVX1", (6,))), (7,))
    vectors = Vectors(np.array([[1, 1], [1, 0]], dtype=np.uint8), np.array([1, 0]), 2, 0)
    whole = defects_of(netlist, EGFET, vectors, 2, Settings(draws=50))["variation"]
    monkeypatch.setattr(defect_figures, "PRINTS_AT_ONCE", 7)
    parts = defects_of(netlist, EGFET, vectors, 2, Settings(draws=50))["variation"]
    for figure in ("delay_ms", "static_power_mw"):
        assert list(parts[figure]["quantiles"].values()) == pytest.approx(list(whole[figure]["quantiles"].values()))


def test_a_circuit_of_a_name_that_is_no_text_is_told_and_written(files, tmp_path, capsys):
    strange = os.path.join(tmp_path, os.fsdecode(b"t\xffp.v"))
    os.rename(files[0], strange)
    assert run_command(defects.main, [strange, *files[1:], "--out", str(tmp_path / "out")]) == 0
    assert list(json.loads((tmp_path / "out" / "defects.json").read_text())) == ["tp"]
    assert capsys.readouterr().err == ""


def test_more_classes_than_answers_are_named_with_their_file(files, capsys):
    Path(files[1]).write_text("x0,x1,class\n1,1,1\n1,0,2\n")
    assert run_command(defects.main, files) == 2
    told = capsys.readouterr().err
    assert told == f"error: {files[1]}: has 3 classes; out of {files[0]} tells at most 2 apart\n"


def test_what_is_no_run_ends_in_one_line(tmp_path, capsys):
    assert run_command(defects.main, [str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_names_of_circuits_are_escaped_on_the_page():
    netlist = Netlist(1, (Instance("INVX1", (2,)),), (3,))
    vectors = Vectors(np.array([[0], [1]], dtype=np.uint8), np.array([1, 0]), 2, 0)
    found = {"<b>": defects_of(netlist, EGFET, vectors, 1, Settings(draws=5))}
    assert "<b>" not in defects_page(found, {"<b>": "verilog"}, "a < b")


def test_a_sturdier_circuit_stays_on_the_front_that_asks_for_it():
    best = choice("a", 0.9, 1.0, 1.0, 0.70)
    sturdy = choice("b", 0.89, 1.5, 1.5, 0.75)
    barely = choice("c", 0.89, 1.5, 1.5, 0.70 + ROBUST_GAIN / 2)
    frail = choice("d", 0.89, 1.2, 1.2, 0.60)
    everything = [best, sturdy, barely, frail]

    def printed(circuit):
        return circuit.printed_merit

    assert select_front(everything) == [best]
    assert select_front(everything, robustness=printed) == [best, sturdy]
    assert select_front([best, barely, frail], robustness=printed) == [best]


def test_fault_tolerance_is_not_for_thermometers():
    with pytest.raises(ConfigError, match=r"fault_tolerance: 0\.99 needs binary inputs, not thermometer"):
        make_config(None, {"dataset": "iris", "inputs": "thermometer", "fault_tolerance": 0.99})
    with pytest.raises(ConfigError, match=r"fault_tolerance: 0\.1 is not in 0\.5\.\.1"):
        make_config(None, {"dataset": "iris", "fault_tolerance": 0.1})
    assert "fault_tolerance" not in make_config(None, {"dataset": "iris"}).to_json()


@pytest.mark.tools
def test_a_runs_front_is_told_on_its_test_rows(run_folder, tmp_path, capsys):
    folder = tmp_path / "iris"
    shutil.copytree(run_folder, folder)
    assert run_command(defects.main, [str(folder), *QUICK]) == 0
    told = capsys.readouterr().out
    front = [point["id"] for point in json.loads((folder / "front.json").read_text())["front"]]
    measured = {name: json.loads((folder / "designs" / name / "measure.json").read_text()) for name in front}
    for name in front:
        record = json.loads((folder / "designs" / name / "defects.json").read_text())
        assert record["accuracy"] == pytest.approx(measured[name]["accuracy"])
        assert record["rows"] == measured[name]["n"]
        assert name in told
    assert (folder / "defects.html").is_file()
    before = (folder / "defects.html").read_bytes()
    assert run_command(defects.main, [str(folder), *QUICK]) == 0
    assert (folder / "defects.html").read_bytes() == before
    (folder / "designs" / front[-1] / "netlist.v").write_text("")
    capsys.readouterr()
    assert run_command(defects.main, [str(folder), *QUICK]) == 2
    assert "is not as the run left it" in capsys.readouterr().err


@pytest.mark.tools
def test_a_design_that_calls_itself_another_gets_no_file_elsewhere(run_folder, tmp_path, capsys):
    folder = tmp_path / "runs" / "iris"
    shutil.copytree(run_folder, folder)
    (tmp_path / "victim").mkdir()
    record = folder / "designs" / "exact" / "measure.json"
    record.write_text(record.read_text().replace('"id": "exact"', '"id": "../../../victim"'))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["stages"]["designs"]["files"]["designs/exact/measure.json"] = sha256_file(record)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert run_command(defects.main, [str(folder), *QUICK]) == 2
    assert capsys.readouterr().err == f"error: {record}: its id is '../../../victim', its folder 'exact'\n"
    assert list((tmp_path / "victim").iterdir()) == []


@pytest.mark.tools
def test_a_run_that_asks_for_it_hardens_and_tells_the_prints_merit(reopened, run_folder):
    plain = {entry["key"] for entry in json.loads((run_folder / "search" / "refine.json").read_text())["found"]}
    job = reopened("synthesis", fault_tolerance=0.95)
    folder = design.design(job.config, job.run.folder, quiet=True)
    found = json.loads((folder / "search" / "refine.json").read_text())["found"]
    assert {entry["key"] for entry in found} - plain
    judge = Judge.of(job)
    for entry in found:
        netlist, log = netlist_of(job, entry), job.run.read_json(entry["netlist_file"])["log"]
        told = {name: entry[name] for name in ("printed_merit", "printed_score")}
        assert told == printed_merits(job, judge, netlist, 0.95)
        assert "proved equal to the Verilog" in log[-1]
    front = json.loads((folder / "front.json").read_text())
    assert all(point["verification"]["passed"] for point in front["front"])
    assert all(0 <= point["printed_merit"] <= 1 for point in front["front"])
    assert "printed_merit" not in json.loads((run_folder / "front.json").read_text())["front"][0]
    assert ",printed_merit," in (folder / "front.csv").read_text().splitlines()[0]
    assert ",printed_merit," not in (run_folder / "front.csv").read_text()
