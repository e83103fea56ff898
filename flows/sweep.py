"""`python -m flows.sweep sweep.toml`: many design runs side by side: data sets, splits, topologies, budgets.

The file holds settings of `flows.design`, each a value or a list of values, and every combination is one run in
a folder of its own. `splits = 10` stands for the seeds 0 to 9. Results come as they are found; the same command
goes on where it was stopped and keeps what is done.

Exit codes: 0 when every run is done, 1 when some failed, 2 for a mistake in the file or on the command line
(nothing ran then) or a scheduler that is gone, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from flows.cli import EXIT_USER_ERROR, run_command
from flows.design import LAST, STAGES, is_done
from flows.run import alone_in, kept_run, whole_folder, write_text
from flows.sweep_board import Board, summary_text
from flows.sweep_plan import PlannedRun, SweepMistakesError, read_plan
from flows.sweep_results import FAILED, JSON, OPEN, Result, write_results
from flows.sweep_task import Outcome, Task
from printedmlp.errors import ConfigError

if TYPE_CHECKING:
    from distributed import Client

Answer = TypeVar("Answer")
EXIT_SOME_FAILED = 1
TRIES = 3
WRITE_EVERY_S = 1.0
"""The files of results are not written anew more often than this, however fast runs end."""


@dataclass(frozen=True)
class Place:
    """Where runs are worked on.

    Attributes
    ----------
    workers : local processes; None takes one a core.
    scheduler : address of a Dask scheduler used instead; None takes local processes.
    shared : the scheduler's workers see the sweep's folder under the same path; if not, they send files back.
    """

    workers: int | None = None
    scheduler: str | None = None
    shared: bool = False

    @property
    def sends_back(self) -> bool:
        """Whether files of runs come from the workers as bytes."""
        return self.scheduler is not None and not self.shared

    def cluster(self) -> AbstractContextManager[Client]:
        """A client of the workers; ToolError where Dask or the scheduler is not there."""
        from flows.sweep_cluster import local_cluster, remote_cluster

        return local_cluster(self.workers) if self.scheduler is None else remote_cluster(self.scheduler)


@dataclass
class Sweep:
    """A sweep at work in its folder.

    Attributes
    ----------
    folder : holds a folder for each run, `sweep.csv` and `sweep.json`.
    runs : what is asked for.
    until : last stage of every run.
    fresh : discard what the folders of the runs hold.
    tries : of a run whose workers are lost.
    """

    folder: Path
    runs: Sequence[PlannedRun]
    until: str = LAST
    fresh: bool = False
    tries: int = TRIES

    def __post_init__(self) -> None:
        self.results = [Result(run) for run in self.runs]
        self._by_name = {result.run.name: result for result in self.results}
        self._written = 0.0

    def kept(self) -> set[str]:
        """Names of the runs that were done before.

        Raises
        ------
        SweepMistakesError : a folder holds a run of other settings or code.
        """
        names, strange = set(), []
        for run in [] if self.fresh else self.runs:
            try:
                there = kept_run(self.folder / run.name, run.settings, list(STAGES))
            except ConfigError as error:
                strange.append(str(error))
                continue
            if there is not None and is_done(there, self.until):
                names.add(run.name)
        if strange:
            raise SweepMistakesError(strange)
        return names

    def take_kept(self) -> list[PlannedRun]:
        """Take the results of runs done before and return the others."""
        names = self.kept()
        for name in names:
            self._by_name[name].finish(self.folder / name, 0, self.until)
        return [run for run in self.runs if run.name not in names]

    def work(self, place: Place, board: Board) -> None:
        """Do what is not done; the files hold what is known at any time."""
        to_do = self.take_kept()
        for result in self.results:
            if result.status != OPEN:
                board.ended(result)
        self.write()
        if not to_do:
            return
        with place.cluster() as client:
            try:
                for task, number, outcome in self._outcomes(client, place, to_do, board):
                    self._take(task, number, outcome, board)
            finally:
                self.write()

    def _outcomes(
        self, client: Client, place: Place, to_do: Sequence[PlannedRun], board: Board
    ) -> Iterator[tuple[Task, int, Outcome]]:
        from flows.sweep_cluster import check_shared, outcomes

        if place.shared:
            check_shared(client, self.folder.absolute())
        # The longest first, so that nobody waits for one at the end.
        order = sorted(to_do, key=lambda run: -run.weight)
        tasks = [self._task(run, place) for run in order]
        return outcomes(client, tasks, tries=self.tries, on_retry=partial(_retried, board, self.tries))

    def _task(self, run: PlannedRun, place: Place) -> Task:
        folder = None if place.sends_back else str(self.folder.absolute() / run.name)
        return Task(run.name, run.config, run.settings, self.until, folder, self.fresh)

    def _take(self, task: Task, number: int, outcome: Outcome, board: Board) -> None:
        result, folder = self._by_name[task.name], self.folder / task.name
        for text in outcome.warnings:
            board.warn(f"{task.name}: {text}")
        if outcome.error is None and task.folder is None:
            put_files(folder, outcome)
        if outcome.error is None:
            result.finish(folder, number, self.until)
        else:
            result.fail(number, outcome.error)
        if outcome.trace:
            write_text(self.folder / f"{task.name}.traceback.txt", outcome.trace)
        board.ended(result)
        if time.monotonic() - self._written > WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Write the files of results."""
        write_results(self.folder, self.results, self.until)
        self._written = time.monotonic()


def put_files(folder: Path, outcome: Outcome) -> None:
    """Make a run's folder of the files that a worker sent, whole or not at all.

    Raises
    ------
    ConfigError : for a path that leads out of the folder.
    """
    with whole_folder(folder) as draft:
        for name, data in outcome.files.items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ConfigError(f"{folder}: a worker sent a file '{name}', which is not in the run's folder")
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def sweep(job: Sweep, place: Place, *, quiet: bool = False) -> bool:
    """Run a sweep, alone in its folder, and say whether every run is done.

    Raises
    ------
    SweepMistakesError : a run's folder holds a run of other settings or other code.
    BusyError : another sweep is at work in the folder.
    ToolError : Dask or the scheduler is not there.
    """
    board = Board(job.results, quiet=quiet)
    with alone_in(job.folder, "folder of sweeps"):
        try:
            with board.shown():
                job.work(place, board)
        finally:
            if not quiet and any(result.status != OPEN for result in job.results):
                print(summary_text(job.results))
                print(f"results: {job.folder / JSON}")
    return all(result.status not in (FAILED, OPEN) for result in job.results)


def _retried(board: Board, tries: int, task: Task, number: int) -> None:
    board.line(f"{task.name}: its worker was lost; try {number} of {tries}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of a sweep."""
    given = _parser().parse_args(arguments)
    job = _told_all(lambda: Sweep(given.out, read_plan(given.file), given.until, given.fresh, given.tries))
    if given.dry_run:
        _told_all(partial(_list, job))
    elif not _told_all(lambda: sweep(job, Place(given.workers, given.scheduler, given.shared), quiet=given.quiet)):
        raise SystemExit(EXIT_SOME_FAILED)


def _told_all(work: Callable[[], Answer]) -> Answer:
    """Do something; of several mistakes print every one and end."""
    try:
        return work()
    except SweepMistakesError as error:
        for mistake in error.mistakes:
            print(f"error: {mistake}", file=sys.stderr)
        raise SystemExit(EXIT_USER_ERROR) from None


def _list(job: Sweep) -> None:
    names = job.kept()
    for run in job.runs:
        axes = "  ".join(f"{key} {value}" for key, value in run.axes.items())
        print(f"{'done ' if run.name in names else 'to do'}  {run.name}  {axes}  seed {run.config.seed}")
    n_runs, n_done = len(job.runs), len(names)
    print(f"{n_runs} runs, {n_done} done, {n_runs - n_done} to do, until {job.until}, in {job.folder}")


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m flows.sweep", description=__doc__, formatter_class=formatter)
    add = parser.add_argument
    add("file", type=Path, metavar="SWEEP.toml", help="settings of flows.design, each a value or a list of values")
    add(
        "--out",
        type=Path,
        default=Path("runs", "sweep"),
        metavar="FOLDER",
        help="where runs and results go (runs/sweep)",
    )
    add("--until", choices=STAGES, default=LAST, metavar="STAGE", help=f"stop every run after: {', '.join(STAGES)}")
    add("--fresh", action="store_true", help="discard what the folders of these runs hold")
    add("--dry-run", action="store_true", help="check everything, list the runs, run nothing")
    add("--quiet", action="store_true", help="print nothing but errors and warnings")
    add("--workers", type=_positive, metavar="N", help="local worker processes (default: one a core)")
    add("--scheduler", metavar="ADDRESS", help="use the workers of a Dask scheduler, such as tcp://host:8786")
    add(
        "--shared",
        action="store_true",
        help="its workers see FOLDER under the same path (default: files are sent back)",
    )
    add(
        "--tries",
        type=_positive,
        default=TRIES,
        metavar="N",
        help=f"tries of a run that loses its worker ({TRIES})",
    )
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(run_command(main))
