"""Progress for a person at a terminal; silence everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Reporter:
    """Says what a run does: one line a finished stage, and a live bar where standard error is a terminal.

    Parameters
    ----------
    quiet : say nothing at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(file=sys.stderr)
        self._start = time.monotonic()

    def line(self, text: str) -> None:
        """Print one line on standard output, with the seconds since the start."""
        if not self._quiet:
            print(f"[{time.monotonic() - self._start:6.1f} s] {text}", flush=True)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A live bar with time left for `total` steps; a silent one where nobody is looking."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        silent = self._quiet or not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=silent) as progress:
            yield Bar(progress, progress.add_task(title, total=total, note=""))


class Bar:
    """One live bar; `step` moves it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def step(self, *, to: int | None = None, of: int | None = None, note: str = "") -> None:
        """Advance by one, or to a number of completed steps, perhaps of another total, and show a short note."""
        if to is None:
            self._progress.update(self._task, advance=1, note=note)
        else:
            self._progress.update(self._task, completed=to, total=of, note=note)
