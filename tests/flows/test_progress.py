"""Progress: bars and the time left on a terminal, plain lines everywhere else."""

import io
import os
import pty
import subprocess
import sys
import time

import pytest
from rich.console import Console

from flows import progress
from flows.progress import STOPPING, Clock, Reporter
from tests.flows.processes import environment

BAR = """
import time
from flows.progress import Clock, Reporter
reporter = Reporter()
clock = Clock(["tree", "search"], {"tree": 65.0, "search": 60.0})
with reporter.whole(clock):
    clock.reach("tree")
    with reporter.bar("looking", 3) as bar:
        for _ in range(3):
            bar.step(note="a note")
            time.sleep(0.2)
    reporter.line("tree: done")
"""


@pytest.fixture
def clock(monkeypatch):
    """A clock of three stages, and what moves its time."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return Clock(["a", "b", "c"], {"a": 10.0, "b": 20.0, "c": 30.0}), lambda seconds: now.append(
        now.pop() + seconds
    )


def test_the_time_left_is_what_the_stages_ahead_take(clock):
    clock, wait = clock
    clock.reach("a")
    assert clock.left_s() == 60.0
    wait(4.0)
    assert clock.left_s() == 56.0
    wait(100.0)
    assert clock.left_s() == 50.0
    clock.reach("b")
    assert clock.words() == "stage 2 of 3: b, 0:00:50 left in all"


def test_a_stage_that_nobody_has_seen_makes_the_time_unknown():
    clock = Clock(["a", "b"], {"b": 20.0})
    clock.reach("a")
    assert clock.left_s() is None
    assert clock.words() == "stage 1 of 2: a"
    clock.reach("b")
    assert clock.left_s() == pytest.approx(20.0, abs=1.0)


def test_lines_are_plain_and_details_are_for_those_who_want_them(capsys):
    for options, lines in (({}, ["one"]), ({"verbose": True}, ["one", "two"]), ({"quiet": True}, [])):
        reporter = Reporter(**options)
        with reporter.bar("looking", 1) as bar:
            bar.step()
            reporter.line("one")
            reporter.detail("two")
        printed = capsys.readouterr()
        assert [line.split()[-1] for line in printed.out.splitlines() if "looking" not in line] == lines
        assert ("looking" in printed.out) == bool(options.get("verbose"))
        assert printed.err == ""


def test_a_run_that_is_asked_to_stop_says_so(capfd):
    reporter = Reporter()
    reporter.stopping()
    assert capfd.readouterr().err == f"{STOPPING}\n"
    assert reporter.headline() == STOPPING


def on_terminal(**changes):
    """Standard error of a process for which it is a terminal, and standard output, which is a pipe."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", BAR]
    variables = {"TERM": "xterm-256color", "NO_COLOR": "", **changes}
    process = subprocess.Popen(
        command, env=environment(**variables), stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    drawn = b""
    while chunk := _chunk(ours):
        drawn += chunk
    output, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    return drawn.decode(), output


def _chunk(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # what a terminal says on Linux once nobody writes to it
        return b""


def colours(drawn):
    return [part.partition("m")[0] for part in drawn.split("\x1b[")[1:] if part.partition("m")[0] in COLOURS]


COLOURS = {"32", "33", "35", "36", "34", "31", "38;5;237", "38;5;197", "38;2;249;38;114"}


def test_a_terminal_has_bars_and_the_time_left_and_lines_go_where_they_went():
    drawn, output = on_terminal()
    assert "looking" in drawn
    assert "a note" in drawn
    assert "stage 1 of 2: tree, 0:02:0" in drawn
    assert "\x1b" not in output
    assert output.endswith("tree: done\n")
    assert colours(drawn)


def test_no_color_is_heeded_and_a_dumb_terminal_has_no_bars():
    drawn, _ = on_terminal(NO_COLOR="1")
    assert "looking" in drawn
    assert colours(drawn) == []
    assert on_terminal(TERM="dumb")[0] == ""


def test_a_file_has_no_bars_even_where_the_environment_asks_for_colours(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=file, force_terminal=True))
    with Reporter().bar("looking", 2) as bar:
        bar.step()
    assert file.getvalue() == ""
