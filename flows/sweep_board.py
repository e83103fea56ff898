"""What a sweep tells while it runs: a live table where somebody looks, else a line for each run that ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from flows.sweep_results import DONE, FAILED, OPEN, Result, table_head, table_rows

MOST_ROWS = 30
"""Settings that the live table shows; the files have all of them."""


class Board:
    """Tells results as they come.

    Parameters
    ----------
    results : of all runs, changed by whoever runs them.
    quiet : say nothing but errors and warnings.
    """

    def __init__(self, results: Sequence[Result], *, quiet: bool = False) -> None:
        self._results, self._quiet = results, quiet
        self._console = Console(file=sys.stderr)
        self._start = time.monotonic()
        columns = (TextColumn("runs"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
        self._bar = self._progress.add_task("runs", total=len(results), note="")
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the live table on a terminal until the block ends."""
        if self._quiet or not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._picture, console=self._console, transient=True) as self._live:
            yield
        self._live = None

    def ended(self, result: Result) -> None:
        """Tell how a run ended."""
        number = sum(r.status != OPEN for r in self._results)
        self._progress.update(self._bar, completed=number, note=self._note())
        self.line(f"{number} of {len(self._results)} {result.run.name}: {_words(result)}")

    def line(self, text: str) -> None:
        """One line, with the seconds since the start."""
        if self._quiet:
            return
        text = f"[{time.monotonic() - self._start:6.1f} s] {text}"
        if self._live:
            self._live.console.print(text, markup=False, highlight=False)
        else:
            print(text, flush=True)

    def warn(self, text: str) -> None:
        """One line on standard error, quiet or not."""
        print(f"warning: {text}", file=sys.stderr, flush=True)

    def _note(self) -> str:
        failed = sum(r.status == FAILED for r in self._results)
        return f"{failed} failed" if failed else ""

    def _picture(self) -> Group:
        table = Table(*table_head(self._results))
        for row in table_rows(self._results)[:MOST_ROWS]:
            table.add_row(*row)
        return Group(table, self._progress)


def summary_text(results: Sequence[Result]) -> str:
    """The table of all settings, and a line for each failed run."""
    rows = [table_head(results), *table_rows(results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    count = {status: sum(r.status == status for r in results) for status in (DONE, FAILED, OPEN)}
    counts = f"{count[DONE]} runs done, {count[FAILED]} failed, {count[OPEN]} open"
    failed = [f"failed: {r.run.name}: {r.error}" for r in results if r.status == FAILED]
    return "\n".join([*lines, "", counts, *failed])


def _words(result: Result) -> str:
    if result.status == FAILED:
        return f"failed: {result.error}"
    kept = "kept from an earlier sweep" if not result.tries else f"done in {result.seconds:.0f} s"
    return kept + (f", try {result.tries}" if result.tries > 1 else "")
