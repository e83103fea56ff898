"""What a worker of a sweep does: one run of the design flow, told in a form that travels."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.config import DesignConfig
from flows.design import design, settings_of
from flows.run import BusyError
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, PrintedMLPError, PrintedMLPWarning

PATIENCE_S = 60.0
"""How long a run waits for its folder: a worker that was given up may still be at it."""
PAUSE_S = 0.5
ONE_AT_A_TIME = threading.Lock()
"""The flow sets limits of threads for its whole process, so that runs in two threads of one worker take turns."""


@dataclass(frozen=True)
class Task:
    """One run as it is sent to a worker.

    Attributes
    ----------
    name : of the run.
    config : its settings, nothing left open.
    settings : what the sender's own manifest would hold; other code or another table on a worker is refused.
    until : last stage.
    folder : the run folder, on a file system that worker and sender share; None makes the worker keep it to itself
        and send the files back.
    fresh : discard what the folder holds.
    """

    name: str
    config: DesignConfig
    settings: Mapping[str, Any]
    until: str
    folder: str | None
    fresh: bool = False

    def kept(self) -> Task:
        """The same task on what its folder holds."""
        return replace(self, fresh=False)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    error : one line; None for a run that is done.
    warnings : one line each.
    trace : traceback where `error` is a defect of this package and no mistake of the user's.
    files : content of the run's files by path within its folder, where they were to be sent.
    """

    error: str | None = None
    warnings: tuple[str, ...] = ()
    trace: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


def run_task(task: Task, scratch: str | None = None) -> Outcome:
    """Run the design flow; whatever goes wrong with it is part of the outcome.

    Parameters
    ----------
    scratch : folder of this worker for runs whose files are sent back; None takes the system's.
    """
    with ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PrintedMLPWarning)
        try:
            files = _run(task, scratch)
        except (PrintedMLPError, OSError) as error:
            return Outcome(_line(error), _told(caught))
        except Exception as error:
            return Outcome(f"{type(error).__name__}: {_line(error)}", _told(caught), traceback.format_exc())
    return Outcome(warnings=_told(caught), files=files)


def _run(task: Task, scratch: str | None) -> dict[str, bytes]:
    config = task.config
    dataset = load_dataset(config.dataset, label=config.label, missing=config.missing)
    _check_same(task.settings, settings_of(config, dataset))
    if task.folder is not None:
        _patiently(task, Path(task.folder))
        return {}
    folder = Path(scratch or tempfile.gettempdir(), "printedmlp-sweep", task.name)
    _patiently(task, folder)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
    shutil.rmtree(folder)
    return files


def _patiently(task: Task, folder: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            design(task.config, folder, until=task.until, fresh=task.fresh, quiet=True)
        except BusyError:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def _check_same(there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    for key in sorted({*there, *here}):
        if there.get(key) != here.get(key):
            raise ConfigError(f"the worker differs: {key} is {here.get(key)!r} there, {there.get(key)!r} here")


def _told(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    own = (" ".join(str(item.message).split()) for item in caught if issubclass(item.category, PrintedMLPWarning))
    return tuple(dict.fromkeys(own))


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())
