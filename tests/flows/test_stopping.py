"""Ctrl-C: once for what is found so far, twice to break off; a stage cut short is taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from flows.config import config_toml, make_config
from flows.run import MANIFEST, open_run
from tests.flows.conftest import SMALL

ENDLESS = {**SMALL, "generations": 10_000_000, "proposals": 10**9, "refine_moves": 10**9}
PATIENCE_S = 120.0


def started(folder, settings, *options):
    file = folder.parent / "settings.toml"
    file.write_text(config_toml(make_config(None, settings)), encoding="utf-8")
    command = [sys.executable, "-m", "flows.design", "--config", str(file), "--out", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


def stages_of(folder):
    file = folder / MANIFEST
    return json.loads(file.read_text(encoding="utf-8"))["stages"] if file.is_file() else {}


@pytest.mark.tools
def test_one_interrupt_finishes_with_the_front_so_far(tmp_path):
    folder = tmp_path / "run"
    process = started(folder, ENDLESS)
    wait_for(lambda: "exact" in stages_of(folder))
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    assert "stopping: the front so far follows" in output
    assert (folder / "report.html").is_file()
    assert json.loads((folder / "front.json").read_text(encoding="utf-8"))["front"]
    assert stages_of(folder)["paper"]["stopped_early"]
    assert "stopped_early" not in stages_of(folder)["exact"]
    assert (folder / "search" / "paper.checkpoint.npz").is_file()


@pytest.mark.tools
def test_the_second_interrupt_breaks_off(tmp_path):
    folder = tmp_path / "run"
    process = started(folder, ENDLESS)
    wait_for(lambda: "exact" in stages_of(folder))
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, output
    assert "Traceback" not in output


def test_a_stage_cut_short_is_done_for_this_process_alone(tmp_path):
    def work(run):
        (run.folder / "found.txt").write_text("found", encoding="utf-8")
        return ["found.txt"]

    for stopped, again in ((True, True), (False, False)):
        folder = tmp_path / str(stopped)
        with open_run(folder, {}, ["search"]) as run:
            assert run.do("search", partial(work, run), partial(bool, stopped))
            assert run.is_done("search")
        with open_run(folder, {}, ["search"]) as run:
            assert run.do("search", partial(work, run)) == again
