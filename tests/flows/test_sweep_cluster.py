"""Sweeps on real worker processes: lost workers, a scheduler of the user's, one that is not there, Ctrl-C."""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import design, sweep
from flows.cli import EXIT_MISSING, EXIT_OK, run_command
from flows.config import make_config
from flows.run import MANIFEST
from flows.sweep import Place, Sweep
from flows.sweep_plan import read_plan
from flows.sweep_task import Outcome, Task
from hdl.tools import run_child
from printedmlp.errors import ToolError
from tests.flows.processes import heeds_interrupts, is_running
from tests.flows.test_stopping import wait_for

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'printedmlp[sweep]'")
cluster = importlib.import_module("flows.sweep_cluster")
TINY = 'budget = "quick"\nhidden = [[1]]\nrestarts = 2\npopulation = 16\ngenerations = 4\ntree_generations = 1\n'
PATIENCE_S = 120.0


def pretended(task):
    """Stands for a run: lives and dies as its name says, and waits for the others of its kind."""
    if task.name.startswith("always"):
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name.startswith("once"):
        try:
            Path(task.folder).touch(exist_ok=False)
        except FileExistsError:
            return Outcome()
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name.startswith("waits"):
        time.sleep(PATIENCE_S)
    if task.name.startswith("tool"):
        place = Path(task.folder)
        place.mkdir()
        run_child(["sh", "-c", "echo $$ > pid; exec sleep 120"], place, dict(os.environ), PATIENCE_S)
    if task.name.startswith("raises"):
        raise ValueError("of this\nkind")
    return Outcome(warnings=(str(len(os.sched_getaffinity(0))),))


def killed_once(task):
    """A run of the flow whose worker is killed before its third stage, the first time anybody gets there."""
    marker, tree = Path(task.folder).parent / "killed", design.STAGES["paper"]

    def stage(job):
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return tree(job)
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    design.STAGES["paper"] = stage
    try:
        return cluster.run_task(task)
    finally:
        design.STAGES["paper"] = tree


@pytest.fixture(scope="module")
def client():
    with cluster.local_cluster(3) as client:
        yield client


def tasks(*names, folder=None):
    config = make_config(None, {"dataset": "iris"})
    return [Task(name, config, {}, "tree", str(folder / name) if folder else None) for name in names]


def test_every_worker_has_its_share_of_the_cores():
    assert [cluster.share_of([0, 1, 2, 3, 4], k, 2) for k in range(2)] == [{0, 1}, {2, 3, 4}]
    assert [cluster.share_of([4, 7], k, 3) for k in range(3)] == [{4}, {7}, {4}]


def test_tools_that_workers_wait_for_end_with_them(tmp_path):
    (task,) = tasks("tool", folder=tmp_path)
    with cluster.local_cluster(1) as client:
        client.submit(pretended, task, pure=False)
        wait_for((tmp_path / "tool" / "pid").is_file)
        time.sleep(0.2)
        pid = int((tmp_path / "tool" / "pid").read_text())
        assert is_running(pid)
    wait_for(lambda: not is_running(pid))


def test_workers_that_cannot_be_started_are_a_line(monkeypatch):
    def refused(**_):
        raise RuntimeError("Nanny failed\nto start.")

    monkeypatch.setattr(cluster, "LocalCluster", refused)
    with pytest.raises(ToolError, match=r"^3 local workers cannot be started: Nanny failed to start\.$"):
        cluster.local_cluster(3).__enter__()


def test_a_worker_that_is_still_starting_is_given_nothing():
    class Asked:
        workers = (("running", 2), ("init", 1), ("closing", 4), ("running", 1))
        scheduler = SimpleNamespace(identity=None)

        def sync(self, question, n_workers):
            return {"workers": {n: {"status": s, "nthreads": k} for n, (s, k) in enumerate(self.workers)}}

    assert cluster._n_threads(Asked()) == 3


def test_a_failed_run_is_a_line_and_the_exit_code(tmp_path, capsys, monkeypatch):
    def here(client, tasks, *, tries, on_retry):
        return ((task, 1, cluster.run_task(task)) for task in tasks)

    monkeypatch.setattr(Place, "cluster", lambda place: nullcontext())
    monkeypatch.setattr(cluster, "outcomes", here)
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text('dataset = "iris"\nofficial_split = [true, false]\n')
    options = [str(file), "--out", str(out), "--until", "data"]
    for kept in (False, True):
        assert sweep.main(options) == EXIT_MISSING
        told = capsys.readouterr()
        assert "1 runs done, 1 failed, 0 open" in told.out
        assert ("kept from an earlier sweep" in told.out) == kept
        assert not told.err
        rows = json.loads((out / "sweep.json").read_text())["runs"]
        assert [(row["status"], row["tries"]) for row in rows] == [("failed", 1), ("done", not kept)]
        assert "official" in rows[0]["error"]
    file.write_text('dataset = "iris"\nofficial_split = [false]\n')
    assert sweep.main(options) == EXIT_OK
    assert "1 runs done, 0 failed, 0 open" in capsys.readouterr().out
    assert sweep.main([*options, "--json"]) == EXIT_OK
    assert capsys.readouterr().out == (out / "sweep.json").read_text()


@pytest.mark.slow
def test_a_lost_worker_costs_a_try_and_no_result(client, tmp_path):
    retries = []
    names = ["a", "once b", "c", "once d", "e", "raises f"]
    ended = {
        task.name: (number, outcome)
        for task, number, outcome in cluster.outcomes(
            client,
            tasks(*names, folder=tmp_path),
            tries=3,
            work=pretended,
            on_retry=lambda task, number: retries.append((task.name, number)),
        )
    }
    # One that had just ended at a lost worker, its outcome not yet fetched, is done anew as well.
    assert {("once b", 2), ("once d", 2)} <= set(retries)
    assert sorted(ended) == sorted(names)
    assert {ended[name][0] for name, _ in retries} <= {2, 3}
    assert ended["raises f"][1].error == "ValueError: of this kind"
    assert all(outcome.error is None for name, (_, outcome) in ended.items() if name != "raises f")


@pytest.mark.slow
def test_what_keeps_ending_workers_fails_alone(client):
    ended = {
        t.name: (n, o.error)
        for t, n, o in cluster.outcomes(client, tasks("always a", "b", "c"), tries=3, work=pretended)
    }
    assert ended == {"always a": (3, "its worker was lost 3 times"), "b": (1, None), "c": (1, None)}


def planned(tmp_path, text, until="paper"):
    file = tmp_path / "sweep.toml"
    file.write_text(text + TINY)
    return Sweep(tmp_path / "out", read_plan(file), until=until)


def files_of(folder):
    kept = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in (MANIFEST, ".lock"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


@pytest.mark.slow
def test_a_killed_run_goes_on_elsewhere_to_the_same_files(client, tmp_path):
    job = planned(tmp_path, 'dataset = "iris"\nsplits = 2\n')
    sent = [job._task(run, Place()) for run in job.runs]
    ended = {t.name: (n, o.error) for t, n, o in cluster.outcomes(client, sent, tries=3, work=killed_once)}
    assert {error for _, error in ended.values()} == {None}
    assert sorted(number for number, _ in ended.values()) == [1, 2]
    again = next(name for name, (number, _) in ended.items() if number == 2)
    exact = job.folder / again / "search" / "exact.json"
    assert exact.stat().st_mtime < (job.folder / "killed").stat().st_mtime
    for run in job.runs:
        alone = design.design(run.config, tmp_path / "alone" / run.name, until="paper", quiet=True)
        assert files_of(job.folder / run.name) == files_of(alone)


def test_a_scheduler_that_is_not_there_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "remote_cluster", partial(cluster.remote_cluster, timeout_s=1.0))
    (tmp_path / "sweep.toml").write_text('dataset = "iris"\n')
    options = [
        str(tmp_path / "sweep.toml"),
        "--out",
        str(tmp_path / "out"),
        "--scheduler",
        f"tcp://127.0.0.1:{port()}",
    ]
    assert run_command(sweep.main, options) == 2
    assert capsys.readouterr().err.splitlines() == [f"error: --scheduler {options[-1]}: nothing answers there"]


def port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@contextmanager
def dask(*arguments):
    command = [sys.executable, "-m", "dask", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler with one worker, each a process that the sweep did not start."""
    address = f"tcp://127.0.0.1:{port()}"
    scratch = tmp_path / "scratch"
    where = ["--no-dashboard", "--host", "127.0.0.1"]
    worker = [
        "worker",
        address,
        "--no-nanny",
        "--nthreads",
        "1",
        "--no-dashboard",
        "--local-directory",
        str(scratch),
    ]
    with dask("scheduler", "--port", address.rsplit(":", 1)[1], *where) as process, dask(*worker):
        with cluster.remote_cluster(address, timeout_s=PATIENCE_S):
            pass
        yield address, process


@pytest.mark.slow
def test_a_scheduler_of_the_users(scheduler, tmp_path, capsys):
    address, process = scheduler
    sent, shared = (
        planned(tmp_path / place, 'dataset = "iris"\nofficial_split = [false, true]\n', "data")
        for place in mkdirs(tmp_path)
    )
    assert not sweep.sweep(sent, Place(scheduler=address))
    assert not sweep.sweep(shared, Place(scheduler=address, shared=True))
    assert [result.status for result in sent.results] == ["done", "failed"]
    assert "iris" in sent.results[1].error
    name = sent.runs[0].name
    assert files_of(sent.folder / name) == files_of(shared.folder / name)
    assert (sent.folder / name / "quantiser.json").is_file()
    capsys.readouterr()
    again = Sweep(sent.folder, sent.runs[:1], until="data")
    assert sweep.sweep(again, Place(scheduler="tcp://127.0.0.1:1"))
    assert again.results[0].tries == 0
    process.kill()
    process.wait()
    more = planned(mkdirs(tmp_path, "more")[0], 'dataset = "wine"\n', "data")
    with pytest.raises(ToolError, match="nothing answers there"):
        sweep.sweep(more, Place(scheduler=address))


@pytest.mark.slow
def test_a_scheduler_that_goes_is_one_line(scheduler):
    address, process = scheduler
    sent = tasks("waits")
    with cluster.remote_cluster(address) as client, pytest.raises(ToolError, match="the scheduler is gone"):
        list(cluster.outcomes(client, sent, tries=3, work=pretended, on_wait=process.kill))


def mkdirs(tmp_path, *names):
    folders = [tmp_path / name for name in names or ("sent", "shared")]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.mark.slow
def test_the_number_of_workers_changes_no_result(tmp_path):
    text, told, files = 'dataset = ["iris", "wine"]\nsplits = 2\n', [], []
    for place, workers in zip(mkdirs(tmp_path, "one", "three"), (1, 3), strict=True):
        job = planned(place, text)
        assert sweep.sweep(job, Place(workers=workers), quiet=True)
        record = json.loads((job.folder / "sweep.json").read_text())
        told.append([{**run, "seconds": None} for run in record["runs"]])
        files.append({run.name: files_of(job.folder / run.name) for run in job.runs})
    assert told[0] == told[1]
    assert files[0] == files[1]
    assert [run["status"] for run in told[0]] == ["done"] * 4
    assert "search/paper.json" in files[0][told[0][0]["run"]]


@pytest.mark.slow
def test_an_interrupt_leaves_the_results_so_far(tmp_path):
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text('dataset = "iris"\nhidden = [[1]]\nrestarts = 2\ngenerations = [4, 10000000]\n')
    command = [
        sys.executable,
        "-m",
        "flows.sweep",
        str(file),
        "--out",
        str(out),
        "--workers",
        "2",
        "--until",
        "paper",
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heeds_interrupts,
    )
    end = time.monotonic() + PATIENCE_S
    while "done" not in statuses(out) and time.monotonic() < end:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "1 runs done, 0 failed, 1 open" in output
    assert sorted(statuses(out)) == ["done", "open"]


def statuses(out):
    file = out / "sweep.json"
    return [run["status"] for run in json.loads(file.read_text())["runs"]] if file.is_file() else []
