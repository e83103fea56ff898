"""`printedmlp sweep sweep.toml`: many design runs side by side: data sets, splits, topologies, budgets."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from flows.cli import EXIT_MISSING, EXIT_OK, EXIT_USER_ERROR, answer, run_command
from flows.design import LAST, STAGES, is_done
from flows.options import CHOICE, DATA, FOLDER, OUTPUT, WORKERS, CommandParser, Kind, whole
from flows.run import alone_in, json_text, peek_run, whole_folder, write_text
from flows.sweep_board import Board, summary_text
from flows.sweep_plan import PlannedRun, SweepMistakesError, read_plan
from flows.sweep_results import FAILED, JSON, OPEN, Result, results_document, write_results
from flows.sweep_task import Outcome, Task
from printedmlp.errors import ConfigError, one_line

if TYPE_CHECKING:
    from distributed import Client

DESCRIPTION = """\
Many design runs side by side, on several processes of this machine or on a Dask scheduler's workers.

The file holds settings of `design`, in a table [sweep] or alone, each a value or a list of values, and every
combination is one run in a folder of its own. `splits = 10` stands for the seeds 0 to 9. Results come as they are
found; the same command goes on where it was stopped and keeps what is done."""
EXAMPLES = (
    ("sweep.toml --dry-run", "the runs, and which are done"),
    ("sweep.toml --workers 4 --until search", "four processes, each run up to that stage"),
    ("sweep.toml --scheduler tcp://host:8786", "the workers of a Dask scheduler"),
)
MISSING = "some runs failed"
PLAN = "printedmlp.sweep_plan"
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
                there = peek_run(self.folder / run.name, run.settings, list(STAGES))
            except ConfigError as error:
                strange.append(str(error))
                continue
            if is_done(there, self.until):
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of a sweep."""
    given = parser().parse_args(arguments)
    if given.file is None:
        raise ConfigError("file: none given; name a TOML file of settings")
    if given.scheduler is not None and given.workers is not None:
        raise ConfigError(f"--workers {given.workers}: a scheduler has workers of its own; leave out one of them")
    if given.shared and given.scheduler is None:
        raise ConfigError("--shared: local workers see the folder anyway; it belongs to --scheduler")
    with answer(as_json=given.json) as tell:
        try:
            job = Sweep(given.out, read_plan(given.file), given.until, given.fresh, given.tries)
            record, words, done = _listed(job) if given.dry_run else _done(job, given)
        except SweepMistakesError as error:
            for mistake in error.mistakes:
                print(f"error: {one_line(mistake)}", file=sys.stderr)
            return EXIT_USER_ERROR
        tell(json_text(record) if given.json else "" if given.quiet else words)
    return EXIT_OK if done else EXIT_MISSING


def _done(job: Sweep, given: argparse.Namespace) -> tuple[dict[str, Any], str, bool]:
    """A sweep at its end: its record, nothing more to say, and whether every run is done."""
    done = sweep(job, Place(given.workers, given.scheduler, given.shared), quiet=given.quiet)
    return results_document(job.results, job.until), "", done


def _listed(job: Sweep) -> tuple[dict[str, Any], str, bool]:
    """What a sweep would do, as a document and in words."""
    names, lines = job.kept(), []
    for run in job.runs:
        axes = "  ".join(f"{key} {value}" for key, value in run.axes.items())
        lines.append(f"{'done ' if run.name in names else 'to do'}  {run.name}  {axes}  seed {run.config.seed}")
    n_runs, n_done = len(job.runs), len(names)
    lines.append(f"{n_runs} runs, {n_done} done, {n_runs - n_done} to do, until {job.until}, in {job.folder}")
    runs = [{"run": r.name, **r.axes, "seed": r.config.seed, "done": r.name in names} for r in job.runs]
    record = {"format": PLAN, "version": 1, "until": job.until, "folder": str(job.folder), "runs": runs}
    return record, "".join(f"{line}\n" for line in lines), True


def parser() -> CommandParser:
    """The command line of sweeps."""
    made = CommandParser("sweep", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments="sweep.toml")
    kind = Kind("file", Path, "str", "file")
    words = "TOML: settings of `design`, each a value or a list of values"
    made.value(DATA, "file", kind, words, nargs="?", shown="none; needed")
    count = Kind("integer 1..1,000", whole(1, 1000), "int", "N")
    made.value(WORKERS, "--workers", count, "local worker processes", shown="one a core")
    address = Kind("address", str, "str", "ADDRESS")
    made.value(WORKERS, "--scheduler", address, "use the workers of a Dask scheduler, such as tcp://host:8786")
    made.flag(
        WORKERS, "--shared", "its workers see the results' folder under the same path; else files are sent back"
    )
    made.value(WORKERS, "--tries", count, "tries of a run that loses its worker", default=TRIES)
    made.value(OUTPUT, "--out", FOLDER, "where runs and results go", default=Path("runs", "sweep"))
    until = "stop every run after this stage"
    made.value(OUTPUT, "--until", CHOICE, until, default=LAST, choices=list(STAGES), metavar="STAGE")
    made.flag(OUTPUT, "--fresh", "discard what the folders of these runs hold")
    made.flag(OUTPUT, "--dry-run", "check everything, list the runs, run nothing")
    return made.finish(settings=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
