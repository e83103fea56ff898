"""Commands as a person or a script calls them: processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from flows.cli import run_command

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240


def environment(**changes):
    """The environment of a command that may run anywhere and leaves no compiled Python behind."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "110", **changes}


def python(*arguments, folder=ROOT, **changes):
    """Run Python to its end: code, standard output and standard error as text."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def printedmlp(*arguments, folder=ROOT, **changes):
    """Run a command of `python -m flows` to its end."""
    return python("-m", "flows", *map(str, arguments), folder=folder, **changes)


def heeds_interrupts():
    """For a new process: where tests run in the background Ctrl-C is ignored, and so it would be there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_running(pid):
    """Whether a process is there and no zombie."""
    place = Path("/proc", str(pid), "stat")
    return place.is_file() and place.read_text().rpartition(")")[2].split()[0] != "Z"


def code_of(main, arguments):
    """Exit code of a command run here, also where its options are refused."""
    try:
        return run_command(main, [str(argument) for argument in arguments])
    except SystemExit as stopped:
        return stopped.code
