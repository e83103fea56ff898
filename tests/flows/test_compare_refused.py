"""What does not compare is refused with one line."""

import json
import os

import pytest

from flows import compare
from flows.cli import run_command
from flows.compare import Options
from flows.compare_page import page_files
from flows.comparison import PAGE, PICTURE
from flows.run import MANIFEST, json_text, sha256_text
from tests.flows.comparing import PORTS, QUIET, edited, rows_of, verdict


def refused(capsys, *arguments):
    """The one line that a command is refused with."""
    assert run_command(compare.main, [*map(str, arguments), "--quiet", "--no-proof", "--no-simulation"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_what_could_not_be_linked_to_is_refused_before_anything_is_measured(run_folder, tmp_path, capsys):
    strange = os.fsdecode(b"c\xff")
    assert f"{strange!r} is not UTF-8 text" in refused(capsys, run_folder, "--out", strange)
    assert f"{strange!r} is not UTF-8 text" in refused(capsys, strange, "--out", tmp_path / "c")


def test_a_list_of_a_file_that_is_empty_is_refused(run_folder, tmp_path, capsys):
    place = tmp_path / "c.toml"
    place.write_text("[compare]\nstages = []\n")
    assert refused(capsys, run_folder, "--config", place) == f"error: {place} line 2: stages: the list is empty\n"


def test_what_lies_in_the_way_is_left_alone(run_folder, tmp_path, capsys):
    (tmp_path / "letters.txt").write_text("dear")
    assert "holds 'letters.txt' and is no comparison" in refused(capsys, run_folder, "--out", tmp_path)
    assert (tmp_path / "letters.txt").read_text() == "dear"
    assert "is no folder" in refused(capsys, run_folder, "--out", tmp_path / "letters.txt")
    assert "is no comparison" in refused(capsys, run_folder, "--out", run_folder)


def test_a_folder_that_is_no_run(tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    assert "it has no manifest.json" in refused(capsys, tmp_path / "absent", *out)
    (tmp_path / MANIFEST).write_text("[]")
    assert "is not the manifest of a run" in refused(capsys, tmp_path, *out)
    assert not (tmp_path / "out").exists()


def test_a_half_finished_run(copied, tmp_path, capsys):
    folder = copied("half")
    manifest = json.loads((folder / MANIFEST).read_text())
    for stage in ("refine", "designs", "front", "report"):
        del manifest["stages"][stage]
    (folder / MANIFEST).write_text(json_text(manifest))
    assert "stage 'refine' is not done" in refused(capsys, folder, "--out", tmp_path / "out")
    rows = compare.compare([folder], Options(("exact", "tree"), proved=False), QUIET).rows
    assert {row.folder for row in rows} == {None}
    assert {verdict(row) for row in rows} == {"not proved"}
    (row, *_) = compare.compare([folder], Options(("tree",), proved=True), QUIET).rows
    assert verdict(row) == "proved"


def test_a_file_that_is_not_as_the_run_left_it(copied, tmp_path, capsys):
    folder = copied("damaged")
    (folder / "vectors" / "test.csv").write_text("x0,class\n1,0\n")
    assert "test.csv: is not as the run left it" in refused(capsys, folder, "--out", tmp_path / "out")


def test_an_unknown_stage(run_folder, capsys):
    with pytest.raises(SystemExit):
        compare.main([str(run_folder), "--stages", "polish"])
    assert "invalid choice: 'polish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "config", "message"),
    [
        (
            {"seed": 1, "metric": "macro_f1"},
            {"metric": "macro_f1"},
            "metric macro_f1 does not compare with accuracy",
        ),
        ({"seed": 1, "technology": "cnt_tft"}, {"technology": "cnt_tft"}, "technology"),
        ({"seed": 1}, {"sample_rate": 7.0}, "sample_rate 7.0 does not compare with 5.0"),
        ({"code": "another"}, {}, "has the rows and the settings of"),
    ],
)
def test_runs_that_do_not_compare(run_folder, copied, tmp_path, capsys, settings, config, message):
    folder = copied("other", **settings)
    manifest, path = json.loads((folder / MANIFEST).read_text()), folder / "config.toml"
    lines = path.read_text().splitlines()
    lines = [line for line in lines if line.split(" ")[0] not in config]
    path.write_text("\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in config.items())]) + "\n")
    manifest["stages"]["data"]["files"]["config.toml"] = sha256_text(path.read_text())
    (folder / MANIFEST).write_text(json_text(manifest))
    assert message in refused(capsys, run_folder, folder, "--out", tmp_path / "out")


def test_another_table_of_the_same_name(run_folder, copied, tmp_path, capsys):
    folder = copied("other", seed=1)
    edited(folder, "data", "dataset.json", lambda data: data.update(sha256="0" * 64))
    line = refused(capsys, run_folder, folder, "--out", tmp_path / "out")
    assert "table (sha256) 000000000000 does not compare" in line


def test_two_data_sets_have_a_panel_each_and_a_stranger_names_his(run_folder, copied, tmp_path, capsys):
    folder = copied("other")
    edited(folder, "data", "dataset.json", lambda data: data.update(name="tulips"))
    (tmp_path / "top.v").write_text(PORTS)
    line = refused(capsys, run_folder, folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert "name its data set, FILE:LABEL@DATA_SET, of iris, tulips" in line
    line = refused(capsys, run_folder, folder, "--verilog", f"{tmp_path}/top.v:a@roses", "--out", tmp_path / "out")
    assert "no run of 'roses' is compared" in line
    given = (compare.Foreign.parse(f"{tmp_path}/top.v:a@tulips"),)
    found = compare.compare([run_folder, folder], Options(("tree",), verilog=given, simulated=False), QUIET)
    assert {row.data_set for row in rows_of(found, "verilog")} == {"tulips"}
    files = page_files(found, tmp_path)
    assert files[PAGE].count('class="explorer"') == 2
    assert "tulips" in files[PICTURE]


@pytest.mark.parametrize(
    ("verilog", "message"),
    [
        (PORTS.replace("] inp", "] x").replace("inp[", "x["), "top.v: module 'top' has the ports"),
        (PORTS.replace("[15:0] inp", "[15:0] inp, input clk"), "ports"),
        (PORTS.replace("15:0", "31:0"), "inp has 32 bits; the rows of"),
        (PORTS.replace("1:0] out", "19:0] out"), "out has 20 bits"),
        ("module top(", "syntax error"),
    ],
)
def test_a_strangers_circuit_that_is_none(run_folder, tmp_path, capsys, verilog, message):
    (tmp_path / "top.v").write_text(verilog)
    line = refused(capsys, run_folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_runs_of_several_efforts_leave_the_choice_to_the_user(run_folder, copied, tmp_path, capsys):
    folder, path = copied("other", effort="standard"), "config.toml"
    text = (folder / path).read_text().replace('effort = "quick"', 'effort = "standard"')
    (folder / path).write_text(text)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["stages"]["data"]["files"][path] = sha256_text(text)
    (folder / MANIFEST).write_text(json_text(manifest))
    (tmp_path / "top.v").write_text(PORTS)
    line = refused(capsys, run_folder, folder, "--verilog", tmp_path / "top.v", "--out", tmp_path / "out")
    assert "the runs of iris were mapped with quick and standard; choose one with --effort" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,accuracy\n", "has no column 'area_cm2'"),
        (
            "label,accuracy,area_cm2,power_mw\na,87.3,1,1\n",
            "line 2, column 'accuracy': '87.3' is not a number in 0..1",
        ),
        ("label,accuracy,area_cm2,power_mw\na,0.9,,1\n", "accuracy and area_cm2 must be given"),
        ("label,accuracy,area_cm2,power_mw,data_set\na,0.9,1,1,roses\n", "'roses' is not one of iris"),
    ],
)
def test_published_figures_that_are_none(run_folder, tmp_path, capsys, text, message):
    (tmp_path / "others.csv").write_text(text)
    line = refused(capsys, run_folder, "--published", tmp_path / "others.csv", "--out", tmp_path / "out")
    assert message in line


def test_without_the_library_the_rest_is_compared(run_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(compare, "library_version", lambda: None)
    arguments = [str(run_folder), "--stages", "tree", "--adder-graphs", "--out", str(tmp_path / "out"), "--quiet"]
    assert run_command(compare.main, arguments) == 1
    assert capsys.readouterr().err == (
        "warning: da4ml is not installed (pip install '.[adders]'); adder graphs are left out\n"
    )
