"""A design run that is cut short at a chosen moment: `python -m benchmarks.interrupted CUT design-arguments...`.

CUT is JSON: the "stage" in which it happens, "how" and a number "at". The process cuts itself short, so that the
moment can be inside the writing of a file. A kill comes at the latest when the stage ends:

    time     SIGKILL `at` seconds after the stage began
    half     SIGKILL with the `at`-th file of the stage half written
    renamed  SIGKILL right after the `at`-th file of the stage has its name
    full     from the `at`-th file of the stage on, the disk has no room left
    large    from the stage's beginning on, files of more than `at` bytes cannot be written
    tools    from the stage's beginning on, no program is found
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from flows import design
from flows.cli import run_command
from flows.run import Run
from hdl import tools


def main(arguments: list[str]) -> int:
    """Run a design and cut it short."""
    with cut_short(json.loads(arguments[0])):
        return run_command(design.main, arguments[1:])


@contextmanager
def cut_short(cut: Mapping[str, Any]) -> Iterator[None]:
    """Cut short the design run that happens inside."""
    do = Run.do

    def cut_do(run: Run, stage: str, *args: Any, **kwargs: Any) -> bool:
        here = stage == cut["stage"]
        if here:
            CUTS[cut["how"]](cut["at"])
        ran = do(run, stage, *args, **kwargs)
        if here and cut["how"] in KILLS:
            _die()
        return ran

    with patch.object(Run, "do", cut_do):
        yield


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _after(seconds: float) -> None:
    timer = threading.Timer(seconds, _die)
    timer.daemon = True
    timer.start()


def _counted(at: int, act: Callable[[], None]) -> Callable[[], None]:
    """Act from the `at`-th call on, counted from 1."""
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1
        if calls >= at:
            act()

    return count


def _half(at: int) -> None:
    sync, calls = os.fsync, 0

    def cut(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            _die()
        sync(descriptor)

    patch.object(os, "fsync", cut).start()


def _renamed(at: int) -> None:
    replace, count = os.replace, _counted(at, _die)

    def cut(*args: Any, **kwargs: Any) -> None:
        replace(*args, **kwargs)
        count()

    patch.object(os, "replace", cut).start()


def _full(at: int) -> None:
    sync = os.fsync

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    count = _counted(at, refuse)

    def cut(descriptor: int) -> None:
        count()
        sync(descriptor)

    patch.object(os, "fsync", cut).start()


def _large(at: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (at, at))


def _no_tools(at: int) -> None:
    patch.object(tools.shutil, "which", lambda *args, **kwargs: None).start()


CUTS: Mapping[str, Callable[[Any], None]] = {
    "time": _after,
    "half": _half,
    "renamed": _renamed,
    "full": _full,
    "large": _large,
    "tools": _no_tools,
}
KILLS = ("time", "half", "renamed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
