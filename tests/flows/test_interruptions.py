"""Runs that are killed, run out of disk or lose their tools: what went on is the run that was never interrupted."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.hostile_names import names_that_got_out, table_with_names
from benchmarks.interruptions import (
    KILLED,
    Cut,
    contents,
    damage_a_piece,
    moments,
    run,
    settings_file,
    small_disk,
    survive,
)
from flows import circuits, design
from flows.cli import run_command
from flows.design import STAGES
from flows.run import MANIFEST, open_run, write_bytes
from hdl import synthesis, tools
from hdl.synthesis import map_verilog
from hdl.tools import run_abc, run_child, run_yosys
from printedmlp.errors import ToolBrokenOffError, ToolError, ToolMissingError
from printedmlp.names import sheet_text
from printedmlp.technology import load_technology

AND = "module top(input [1:0] inp, output [0:0] out); assign out = inp[0] & inp[1]; endmodule"
ENDLESS = [sys.executable, "-c", "while True: pass"]


def test_moments_are_spread_over_all_stages_and_repeat(tmp_path):
    rng = np.random.default_rng
    stages = {stage: {"files": dict.fromkeys("abcdef", ""), "seconds": 2.0} for stage in STAGES}
    (tmp_path / MANIFEST).write_text(json.dumps({"stages": stages}))
    cuts = moments(tmp_path, 20, rng(3))
    assert cuts == moments(tmp_path, 20, rng(3)) != moments(tmp_path, 20, rng(4))
    assert [cut.stage for cut in cuts] == [stage for stage in STAGES for _ in range(2)]
    assert {cut.how for cut in cuts} == {"time", "half", "renamed"}
    assert len({cut.stage for cut in moments(tmp_path, 4, rng(3))}) == 4


@pytest.mark.slow
@pytest.mark.tools
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(run_folder, tmp_path):
    settings, rng = settings_file(tmp_path), np.random.default_rng(1)
    cuts = moments(run_folder, 4, rng)
    survived = survive(settings, tmp_path / "run", run_folder, cuts, rng)
    assert (survived.kills, survived.identical) == (len(cuts), True)


@pytest.mark.slow
@pytest.mark.tools
def test_a_run_that_is_made_of_something_else_would_be_noticed(run_folder, tmp_path):
    shutil.copytree(run_folder, tmp_path / "run")
    assert contents(tmp_path / "run") == contents(run_folder)
    page = tmp_path / "run" / "report.html"
    page.write_bytes(page.read_bytes()[:-1])
    assert contents(tmp_path / "run") != contents(run_folder)


@pytest.mark.slow
@pytest.mark.tools
@pytest.mark.parametrize("cut", [Cut("front", "full", 2), Cut("report", "large", 1000), Cut("refine", "tools", 0)])
def test_what_is_missing_half_way_is_one_line_and_the_run_goes_on(cut, reopened, run_folder, tmp_path):
    folder, settings = reopened(cut.stage).run.folder, settings_file(tmp_path)
    ended = run(settings, folder, cut)
    assert ended.told, ended.error
    assert run(settings, folder).code == 0
    assert contents(folder) == contents(run_folder)


@pytest.mark.parametrize("how", ["half", "renamed"])
def test_a_kill_inside_the_writing_of_a_file_leaves_the_old_one_or_the_new_one(how, tmp_path):
    settings, folder = settings_file(tmp_path), tmp_path / "run"
    assert run(settings, folder, Cut("data", how, 4)).code == KILLED
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith(".part") for name in names) == (how == "half")
    for path in folder.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    with open_run(folder, json.loads((folder / MANIFEST).read_text())["settings"], list(STAGES)) as opened:
        assert not opened.is_done("data")
        assert not list(folder.rglob("*.part"))


def test_pieces_are_damaged_only_where_a_stage_is_not_done(tmp_path):
    rng = np.random.default_rng(0)
    with open_run(tmp_path, {}, ["first"]) as opened:
        opened.write_json({"files": 1}, "search", "done.json")
        opened.do("first", lambda: ["search/done.json"])
        assert not damage_a_piece(tmp_path, rng)
        opened.write_piece({"a": 1}, "synthesis", "piece.json")
        assert damage_a_piece(tmp_path, rng)
        assert opened.read_piece("synthesis", "piece.json") is None
        assert opened.is_done("first")


@pytest.mark.tools
def test_a_damaged_piece_of_a_stage_that_was_killed_is_made_again(run_folder, reopened):
    job = reopened("synthesis")
    good = contents(run_folder)
    pieces = sorted(job.run.path("synthesis").glob("*-quick.json"))
    pieces[0].write_bytes(pieces[0].read_bytes()[:-20])
    pieces[1].write_bytes(pieces[1].read_bytes().replace(b"0.", b"1.", 1))
    circuits.synthesis(job)
    found = {f"synthesis/{path.name}": good[f"synthesis/{path.name}"] for path in pieces}
    assert {name: contents(job.run.folder)[name] for name in found} == found


def test_a_second_process_is_refused_while_the_first_works(tmp_path, capsys):
    settings, folder = settings_file(tmp_path), tmp_path / "run"
    with open_run(folder, {}, list(STAGES)):
        assert run_command(design.main, ["--config", str(settings), "--out", str(folder), "--quiet"]) == 2
    assert "another process is working in this run folder" in capsys.readouterr().err


def test_a_small_disk_that_is_full_is_one_line_and_no_half_file(tmp_path):
    with small_disk(tmp_path / "disk", "64k") as mounted:
        if not mounted:
            pytest.skip("this user may not mount a file system")
        (tmp_path / "disk" / "a.json").write_text("old")
        with pytest.raises(OSError, match="No space left"):
            write_bytes(tmp_path / "disk" / "a.json", bytes(100_000))
        assert [path.name for path in (tmp_path / "disk").iterdir()] == ["a.json"]
        assert (tmp_path / "disk" / "a.json").read_text() == "old"


def test_a_tool_on_a_full_disk_has_not_failed(tmp_path, monkeypatch):
    """Else a recipe would be left out, and the run would go on to another result."""
    monkeypatch.setattr(tools, "LEAST_FREE", 1 << 62)
    with pytest.raises(OSError, match="No space left"):
        map_verilog(AND, load_technology("egfet"), effort="quick", work_dir=tmp_path)
    monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        run_child(["/bin/sh", "-c", "echo write: No space left on device; exit 1"], tmp_path, dict(os.environ), 10)


def test_a_tool_that_is_gone_has_not_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(tools.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ToolMissingError, match="cannot be started"):
        run_abc(["quit"], tmp_path)
    with pytest.raises(ToolMissingError):
        map_verilog(AND, load_technology("egfet"), effort="quick", work_dir=tmp_path)


def test_a_recipe_that_loses_its_tool_ends_the_mapping(tmp_path, monkeypatch):
    def gone(*args, **kwargs):
        raise ToolMissingError("yosys-abc cannot be started")

    monkeypatch.setattr(synthesis, "run_abc", gone)
    with pytest.raises(ToolMissingError):
        map_verilog(AND, load_technology("egfet"), effort="quick", work_dir=tmp_path)


def test_tools_are_bounded_in_memory_and_in_what_they_write(tmp_path, monkeypatch):
    code, log = run_child(
        [sys.executable, "-c", "b = bytes(1 << 30)"], tmp_path, dict(os.environ), 60, memory=1 << 29
    )
    assert code == 1
    assert "MemoryError" in log
    monkeypatch.setattr(tools, "MOST_WRITTEN", 1 << 16)
    with pytest.raises(OSError, match="larger than it may be"):
        run_child(["/bin/sh", "-c", "exec head -c 100000 /dev/zero"], tmp_path, dict(os.environ), 60)


def test_a_tool_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    script = f"{' '.join(map(repr, ENDLESS[:2]))} 'import time; time.sleep(60)' & echo $!; wait"
    with pytest.raises(ToolBrokenOffError, match="no result after"):
        run_child(["/bin/sh", "-c", script + " > /dev/null"], tmp_path, dict(os.environ), 1)
    group = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False).stdout
    assert "time.sleep(60)" not in group


def test_a_tool_that_crashes_says_so(tmp_path):
    deep = AND.replace("inp[0] &", "~" * 200_000 + "inp[0] &")
    (tmp_path / "deep.v").write_text(deep)
    with pytest.raises(ToolError, match="ended by SIGSEGV"):
        run_yosys(["read_verilog deep.v"], tmp_path)


@pytest.mark.slow
@pytest.mark.tools
def test_names_of_a_hostile_table_stay_text(tmp_path):
    settings = settings_file(tmp_path, dataset=str(table_with_names(tmp_path)))
    before = {path.name for path in tmp_path.iterdir()}
    ended = run(settings, tmp_path / "run")
    assert ended.code == 0, ended.error
    assert names_that_got_out(tmp_path / "run", ended.error) == []
    assert {path.name for path in tmp_path.iterdir()} == before | {"run"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", "<b><script>alert(1)</script>"),
        ("a.csv", "id\n=1+1\n"),
        ("a.json", '"\x1b[2J"'),
        ("a.v", '// */\n`include "/etc/passwd"\n'),
        ("a b.txt", ""),
    ],
)
def test_a_name_that_got_out_is_found(name, text, tmp_path):
    assert names_that_got_out(tmp_path, "warning: x\n") == []
    assert names_that_got_out(tmp_path, "\x1b[2J") == ["terminal"]
    (tmp_path / name).write_text(text)
    assert names_that_got_out(tmp_path, "") == [name]


def test_a_formula_is_no_formula_in_a_sheet():
    assert sheet_text("=1+1") == "'=1+1"
    assert sheet_text("@x") == "'@x"
    assert sheet_text("a=1") == "a=1"
