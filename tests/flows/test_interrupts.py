"""Ctrl-C in real processes, at several stages: the front so far, or an end at once, and the run goes on later."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from flows.config import config_toml, make_config
from tests.flows.conftest import SMALL
from tests.flows.processes import environment, heeds_interrupts, is_running, printedmlp
from tests.flows.test_stopping import PATIENCE_S, stages_of, wait_for

ENDLESS = {"search": {"proposals": 10**9}, "refine": {"refine_moves": 10**9}}
"""By stage the settings with which it does not end by itself."""
BEFORE = {"search": "tree", "refine": "synthesis"}
AT_ONCE_S = 10.0
SLEEPER = """
import os, sys, tempfile
from pathlib import Path
from flows.cli import run_command
from hdl.tools import run_child

def command(_):
    with tempfile.TemporaryDirectory(dir='.') as folder:
        run_child(['sh', '-c', 'echo $$ > ../pid; exec sleep 120'], Path(folder), dict(os.environ), 120.0)

sys.exit(run_command(command))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_either_signal_ends_a_command_with_its_tools_and_leaves_nothing(number, code, tmp_path):
    process = started(tmp_path, ["-c", SLEEPER])
    wait_for((tmp_path / "pid").is_file)
    time.sleep(0.2)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=AT_ONCE_S)
    assert (process.returncode, errors) == (code, "interrupted; the same command goes on from here\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["pid"]
    assert not is_running(int((tmp_path / "pid").read_text()))


def arguments_of(folder, stage):
    file = folder / "settings.toml"
    file.write_text(config_toml(make_config(None, {**SMALL, **ENDLESS[stage]})), encoding="utf-8")
    return ["design", "--config", str(file), "--out", "run"]


def started(folder, arguments):
    """A process of Python, with pipes for what it prints."""
    command = [sys.executable, *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        preexec_fn=heeds_interrupts,
    )


def states(folder, arguments):
    planned = printedmlp(*arguments, "--dry-run", "--json", folder=folder)
    assert planned.returncode == 0, planned.stderr
    return {stage["name"]: stage["state"] for stage in json.loads(planned.stdout)["stages"]}


@pytest.mark.slow
@pytest.mark.tools
@pytest.mark.parametrize("stage", ENDLESS)
def test_once_gives_the_front_so_far_and_the_stage_is_taken_up_again(stage, tmp_path):
    arguments = arguments_of(tmp_path, stage)
    process = started(tmp_path, ["-m", "flows", *arguments, "--json"])
    wait_for(lambda: BEFORE[stage] in stages_of(tmp_path / "run"))
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    record = json.loads(output)
    assert record["front"]
    assert record["stages"][stage]["stopped_early"]
    assert not record["stages"]["exact"]["stopped_early"]
    assert "stopping: the front so far follows" in errors
    assert "Traceback" not in errors
    later = states(tmp_path, arguments)
    assert later[BEFORE[stage]] == "done"
    assert later[stage] == later["report"] == "to do"


@pytest.mark.slow
@pytest.mark.tools
@pytest.mark.parametrize("stage", ENDLESS)
def test_twice_ends_at_once_and_keeps_what_was_done(stage, tmp_path):
    arguments = arguments_of(tmp_path, stage)
    process = started(tmp_path, ["-m", "flows", *arguments])
    wait_for(lambda: BEFORE[stage] in stages_of(tmp_path / "run"))
    time.sleep(1)
    kept = stages_of(tmp_path / "run")
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    asked = time.monotonic()
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - asked < AT_ONCE_S
    assert process.returncode == 130, errors
    assert errors.endswith("interrupted; the same command goes on from here\n")
    assert "Traceback" not in errors
    assert kept.items() <= stages_of(tmp_path / "run").items()
    assert states(tmp_path, arguments)[BEFORE[stage]] == "done"


@pytest.mark.slow
@pytest.mark.tools
def test_without_an_interrupt_the_same_run_does_not_end(tmp_path):
    process = started(tmp_path, ["-m", "flows", *arguments_of(tmp_path, "search")])
    wait_for(lambda: "tree" in stages_of(tmp_path / "run"))
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=3)
    finally:
        process.kill()
        process.communicate()
