"""What a sweep writes: rows in the file's order, means over splits, and the outcome of a run as it travels."""

import csv
import json
import shutil
import threading
from dataclasses import replace

import pytest

from flows import sweep_task
from flows.run import MANIFEST, BusyError, alone_in
from flows.sweep import Sweep, put_files
from flows.sweep_board import Board, summary_text
from flows.sweep_plan import read_plan
from flows.sweep_results import FIGURES, figures, summary, write_results
from flows.sweep_task import Outcome, Task, run_task
from printedmlp.errors import ConfigError


@pytest.fixture
def job(tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text('dataset = "iris"\nsplits = 3\nhidden = [[1], [2]]\nbudget = "quick"\n')
    return Sweep(tmp_path / "out", read_plan(file), until="data")


def known(result, test, area):
    values = {"best_test": test, "best_area_cm2": area}
    result.status, result.seconds, result.figures = "done", 1.0, {name: values.get(name) for name in FIGURES}


def test_means_and_spread_over_the_splits_by_hand(job):
    for result, test, area in zip(job.results, (0.8, None, 0.9, None, 1.0, None), (1, 2, 3, 4, 5, 6), strict=True):
        known(result, test, area)
    job.results[5].fail(3, "its worker was lost 3 times")
    one, two = summary(job.results)
    assert one["setting"] == {"dataset": "iris", "hidden": "1"}
    assert (one["done"], one["failed"], two["done"], two["failed"]) == (3, 0, 2, 1)
    assert one["figures"]["best_test"] == {"n": 3, "mean": 0.9, "sd": pytest.approx(0.1), "min": 0.8, "max": 1.0}
    assert two["figures"]["best_area_cm2"]["mean"] == 4
    text = summary_text(job.results)
    assert "90.0 ±10.0 %, 3 " in text
    assert "5 runs done, 1 failed, 0 open" in text
    assert f"failed: {job.runs[5].name}: its worker was lost 3 times" in text


def test_the_files_have_every_run_in_order_whatever_is_done(job):
    job.results[2].fail(1, 'why, "so"\nin one')
    write_results(job.folder, job.results, "data")
    rows = list(csv.DictReader((job.folder / "sweep.csv").open()))
    record = json.loads((job.folder / "sweep.json").read_text())
    assert [row["run"] for row in rows] == [row["run"] for row in record["runs"]] == [run.name for run in job.runs]
    assert [row["status"] for row in rows] == ["open", "open", "failed", "open", "open", "open"]
    assert {path.name for path in job.folder.iterdir()} == {"sweep.csv", "sweep.json"}


@pytest.mark.tools
def test_figures_are_those_of_the_front(run_folder, tmp_path):
    front = json.loads((run_folder / "front.json").read_text())
    told, mapped = figures(run_folder, "report"), figures(run_folder, "refine")
    assert told
    assert mapped
    assert told["exact_test"] == front["exact"]["accuracy"]
    best = min(front["front"], key=lambda p: (-p["merit"], p["area_cm2"]))
    assert told["best_area_cm2"] == best["area_cm2"]
    able = [p["area_cm2"] for p in front["front"] if p["score"] >= front["exact"]["score"] - 0.02]
    assert told["loss2_area_cm2"] == min(able, default=None)
    assert mapped["exact_area_cm2"] == told["exact_area_cm2"]
    assert mapped["best_test"] is None
    assert mapped["best_validation"] is not None
    assert figures(run_folder, "tree") is None


def task_of(job, folder, **changes):
    run = job.runs[0]
    task = Task(run.name, run.config, run.settings, "data", str(folder) if folder else None)
    return replace(task, **changes)


def test_a_run_in_its_folder(job, tmp_path):
    assert run_task(task_of(job, tmp_path / "run")) == Outcome()
    assert (tmp_path / "run" / "quantiser.json").is_file()


def test_a_run_whose_files_travel(job, tmp_path):
    run_task(task_of(job, tmp_path / "run"))
    outcome = run_task(task_of(job, None), str(tmp_path / "scratch"))
    put_files(tmp_path / "out" / "arrived", outcome)
    for path in (tmp_path / "run").rglob("*.csv"):
        there = tmp_path / "out" / "arrived" / path.relative_to(tmp_path / "run")
        assert there.read_bytes() == path.read_bytes()
    assert not list((tmp_path / "scratch" / "printedmlp-sweep").iterdir())


@pytest.mark.parametrize("name", ["../stranger", "/etc/stranger", "a/../../stranger"])
def test_no_file_is_put_outside_its_folder(name, tmp_path):
    with pytest.raises(ConfigError, match="not in the run's folder"):
        put_files(tmp_path / "in" / "run", Outcome(files={"good": b"", name: b"x"}))
    assert not list(tmp_path.rglob("*stranger"))
    assert not list(tmp_path.rglob("good"))


def test_a_bad_table_is_a_line(job, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('dataset = "iris"\nofficial_split = true\n')
    (run,) = read_plan(file)
    outcome = run_task(Task(run.name, run.config, run.settings, "data", str(tmp_path / "run")))
    assert outcome.error
    assert "\n" not in outcome.error
    assert not outcome.trace


def test_other_code_at_the_worker_is_refused(job, tmp_path):
    settings = {**job.runs[0].settings, "code": "of another release"}
    outcome = run_task(task_of(job, tmp_path / "run", settings=settings))
    assert "the worker differs: code is" in str(outcome.error)
    assert not (tmp_path / "run").exists()


def test_our_own_defects_are_told_with_their_traceback(job, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_task, "design", lambda *_, **__: 1 / 0)
    outcome = run_task(task_of(job, tmp_path / "run"))
    assert outcome.error == "ZeroDivisionError: division by zero"
    assert "Traceback" in outcome.trace


def test_a_run_waits_for_its_folder(job, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_task, "PAUSE_S", 0.01)
    holding, release = threading.Event(), threading.Event()

    def hold():
        with alone_in(tmp_path / "run", "run folder"):
            holding.set()
            release.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait()
    monkeypatch.setattr(sweep_task, "PATIENCE_S", 0.0)
    refused = run_task(task_of(job, tmp_path / "run"))
    assert "another process is working in this run folder" in str(refused.error)
    monkeypatch.setattr(sweep_task, "PATIENCE_S", 60.0)
    threading.Timer(0.1, release.set).start()
    assert run_task(task_of(job, tmp_path / "run")).error is None
    holder.join()


def test_two_sweeps_in_one_folder_are_refused(tmp_path):
    with alone_in(tmp_path, "folder of sweeps"), pytest.raises(BusyError, match="working in this folder of sweeps"):
        alone_in(tmp_path, "folder of sweeps").__enter__()


def test_a_changed_file_makes_a_run_undone(job):
    for run in job.runs:
        run_task(Task(run.name, run.config, run.settings, "data", str(job.folder / run.name)))
    assert job.take_kept() == []
    (job.folder / job.runs[3].name / "vectors" / "test.csv").write_text("changed")
    shutil.rmtree(job.folder / job.runs[1].name)
    assert job.take_kept() == [job.runs[1], job.runs[3]]


def test_a_line_for_each_run_that_ends(job, capsys):
    board = Board(job.results)
    job.results[0].fail(1, "why")
    known(job.results[1], 1.0, 1.0)
    for result in job.results[:2]:
        board.ended(result)
    first, second = capsys.readouterr().out.splitlines()
    assert f" of 6 {job.runs[0].name}: failed: why" in first
    assert "kept from an earlier sweep" in second
    assert not (job.folder / MANIFEST).exists()
