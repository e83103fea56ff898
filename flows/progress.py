"""Progress: live bars with the time left on a terminal, plain lines everywhere else.

A bar is drawn only where standard error is a terminal that can move its cursor, whatever the environment says of
colours, so that no log ever holds a control sequence. Colours follow NO_COLOR.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

STANDARD_ERROR = 2
STOPPING = "stopping: the front so far follows; press again to break off"


class Clock:
    """The time that a run of several stages has left, by what earlier runs took.

    Parameters
    ----------
    stages : to be done, in order.
    expected : by stage the seconds that it is expected to take; stages without any make the time unknown.
    """

    def __init__(self, stages: Sequence[str], expected: Mapping[str, float]) -> None:
        self.stages = tuple(stages)
        self._expected = dict(expected)
        self._place = 0
        self._since = time.monotonic()

    def reach(self, stage: str) -> None:
        """A stage begins."""
        self._place = self.stages.index(stage)
        self._since = time.monotonic()

    def words(self) -> str:
        """Such as "stage 3 of 10: tree, 0:02:10 left in all"."""
        left = self.left_s()
        where = f"stage {self._place + 1} of {len(self.stages)}: {self.stages[self._place]}"
        return where if left is None else f"{where}, {timedelta(seconds=round(left))} left in all"

    def left_s(self) -> float | None:
        """Seconds until the end, None where nobody knows; a stage that takes longer than expected counts none."""
        ahead = self.stages[self._place :]
        if not ahead or any(stage not in self._expected for stage in ahead):
            return None
        now, *later = (self._expected[stage] for stage in ahead)
        return max(0.0, now - (time.monotonic() - self._since)) + sum(later)


class Reporter:
    """Says what a run does: one line a finished stage, and live bars where standard error is a terminal.

    Parameters
    ----------
    quiet : say nothing at all.
    verbose : also say how long each piece of a stage took.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self._quiet = quiet
        self._verbose = verbose and not quiet
        self._console = Console(stderr=True)
        self._start = time.monotonic()
        self._live: Progress | None = None
        self._clock: Clock | None = None
        self._stopping = False

    def line(self, text: str) -> None:
        """Print one line on standard output, with the seconds since the start."""
        if not self._quiet:
            print(f"[{time.monotonic() - self._start:6.1f} s] {text}", flush=True)

    def detail(self, text: str) -> None:
        """Print one line for those who want to know more."""
        if self._verbose:
            self.line(f"  {text}")

    def stopping(self) -> None:
        """Say that the run ends early. Safe in a signal handler: nothing is printed through a buffer or a lock."""
        self._stopping = True
        if not self.animated:
            os.write(STANDARD_ERROR, f"{STOPPING}\n".encode())

    @property
    def animated(self) -> bool:
        """Whether live bars are drawn."""
        return not self._quiet and sys.stderr.isatty() and not self._console.is_dumb_terminal

    def headline(self) -> str:
        """Where the whole run is: the stage, the time left in all where earlier runs tell, and whether it stops."""
        told = [self._clock.words()] if self._clock else []
        return "; ".join([*told, *([STOPPING] if self._stopping else [])])

    @contextmanager
    def whole(self, clock: Clock) -> Iterator[None]:
        """A live line on the whole run, below which the stages' bars come and go."""
        self._clock = clock
        try:
            with self._shown():
                yield
        finally:
            self._clock = None

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """A live bar with time left for `total` steps; a silent one where nobody is looking."""
        start = time.monotonic()
        with self._shown() as progress:
            task = progress.add_task(title, total=total, note="")
            try:
                yield Bar(progress, task)
            finally:
                progress.remove_task(task)
        self.detail(f"{title}: {time.monotonic() - start:.1f} s")

    @contextmanager
    def _shown(self) -> Iterator[Progress]:
        """The one live display, opened by the outermost that needs it."""
        if self._live is not None:
            yield self._live
            return
        with _Display(self, self._console, shown=self.animated) as self._live:
            try:
                yield self._live
            finally:
                self._live = None


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


class _Display(Progress):
    """Bars below a line on the whole run."""

    def __init__(self, reporter: Reporter, console: Console, *, shown: bool) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._reporter = reporter
        # Lines that go to a file must not be drawn above the bars instead.
        to_terminal = sys.stdout.isatty()
        super().__init__(*columns, console=console, transient=True, disable=not shown, redirect_stdout=to_terminal)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The line on the whole run, if there is one, then the bars."""
        if headline := self._reporter.headline():
            yield Text(headline)
        yield from super().get_renderables()
