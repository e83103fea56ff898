"""`printedmlp design dataset.csv`: from a table to a folder of verified printed classifiers.

Each stage reads the files of those before it in the run folder and adds its own. The same command in the same
folder goes on where an earlier one stopped, and gives the same files as one that was never interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flows import circuits, priced_refinement, searches, stages
from flows.ceiling import FILE, reference_for, run_ceiling
from flows.cli import EXIT_MISSING, EXIT_OK, answer, run_command
from flows.config import DesignConfig, make_config, with_hidden
from flows.design_options import make_parser, settings_given
from flows.documents import result_document
from flows.dry_run import TO_DO, plan, plan_text, refuse_download, setting_sources, stage_states
from flows.expected_time import expected_time
from flows.interrupts import asked_first
from flows.job import Job, Stage
from flows.measure import tell_missing_figures
from flows.options import CommandParser
from flows.progress import Clock, Reporter
from flows.reference_teacher import check_teacher, torch_version
from flows.report_defects import defect_files
from flows.run import Run, json_text, open_run, peek_run, sha256_file, write_text
from flows.summary import summary_text
from flows.tools import code_digest, versions
from hdl.liberty import read_liberty
from printedmlp.archive import download
from printedmlp.dataset import Dataset, load_dataset
from printedmlp.errors import ConfigError
from printedmlp.registry import Fetch
from printedmlp.technology import BUILT_IN, Technology, load_technology
from printedmlp.topology import default_hidden

STAGES: dict[str, Stage] = {
    "data": stages.data,
    "exact": stages.exact,
    "paper": searches.paper,
    "tree": searches.tree,
    "search": searches.search,
    "synthesis": circuits.synthesis,
    "refine": priced_refinement.refine,
    "designs": circuits.designs,
    "front": stages.front,
    "report": stages.report,
}
LAST = "report"
ANYTIME = ("paper", "tree", "search", "synthesis", "refine")
"""Stages that end early, with what they have found, when the user asks for it."""


def design(
    config: DesignConfig,
    folder: Path | None = None,
    *,
    until: str = LAST,
    fresh: bool = False,
    quiet: bool = False,
    reference: Path | None = None,
) -> Path:
    """Run every stage that is not done yet and return the run folder.

    Parameters
    ----------
    config : the settings.
    folder : the run folder; None takes runs/<data set>-s<seed>-<budget>.
    until : the last stage to run.
    fresh : discard what the folder holds first.
    quiet : say nothing.
    reference : what `flows.reference --on` wrote for this table; the report shows its float ceiling.

    Raises
    ------
    PrintedMLPError : one line that names the place and the value.
    """
    task = task_of(config, folder, until=until, fresh=fresh, reference=reference)
    run_task(task, Reporter(quiet=quiet), summarised=not quiet)
    return task.folder


@dataclass(frozen=True)
class Task:
    """A design run before its folder is opened: everything that a user can have got wrong is checked."""

    config: DesignConfig
    dataset: Dataset
    technology: Technology
    folder: Path
    until: str
    fresh: bool
    ceiling: str | None

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that decides the run."""
        return settings_of(self.config, self.dataset)


def task_of(
    config: DesignConfig,
    folder: Path | None,
    *,
    until: str = LAST,
    fresh: bool = False,
    reference: Path | None = None,
    fetch: Fetch = download,
) -> Task:
    """Read the table and the cells of a run; see `design`. `fetch` replaces the download."""
    dataset = load_dataset(config.dataset, label=config.label, missing=config.missing, fetch=fetch)
    config, technology = ready(config, dataset)
    tell_missing_figures(technology)
    ceiling = json_text(reference_for(reference, dataset)) if reference else None
    place = folder or Path("runs", f"{dataset.name}-s{config.seed}-{config.budget}")
    return Task(config, dataset, technology, place, until, fresh, ceiling)


def run_task(task: Task, reporter: Reporter, *, summarised: bool) -> None:
    """Run every stage that is not done yet; `summarised` prints the front at the end."""
    dataset, settings = task.dataset, task.settings
    reporter.line(f"{dataset.name}: {_described(dataset)} -> {task.folder}")
    with open_run(task.folder, settings, list(STAGES), fresh=task.fresh) as run:
        job = Job(task.config, dataset, task.technology, run, reporter)
        if task.ceiling:
            write_text(run.path(FILE), task.ceiling)
        names = list(STAGES)[: list(STAGES).index(task.until) + 1]
        clock = Clock(names, expected_time(task.folder, settings).seconds)
        with asked_first(partial(_stop_early, job)), reporter.whole(clock):
            for name in names:
                clock.reach(name)
                _run_stage(job, name)
        if summarised and task.until == LAST:
            _summarise(job)


def _run_stage(job: Job, name: str) -> None:
    stopped, stage = partial(_ended_early, job, name), partial(STAGES[name], job)
    ran = job.run.do(name, stage, stopped, given=_given(job.run, name))
    record = job.run.manifest["stages"][name]
    job.reporter.line(f"{name}: {'done' if ran else 'kept from an earlier run'}")
    job.reporter.detail(f"{record['seconds']:.1f} s, {record['peak_memory_mb']} MB, {len(record['files'])} files")


def _given(run: Run, stage: str) -> tuple[str, ...]:
    """Files that other commands put into the run folder for a stage to read."""
    return (FILE, *defect_files(run)) if stage == LAST else ()


def _stop_early(job: Job) -> None:
    job.stop.set()
    job.reporter.stopping()


def _summarise(job: Job) -> None:
    print(summary_text(job.run.read_json("front.json"), job.technology))
    if ceiling := run_ceiling(job.run.folder, job.dataset, job.config):
        print(f"float ceiling: {ceiling.words}")
    print(f"report: {job.run.path('report.html')}")


def ready(config: DesignConfig, dataset: Dataset) -> tuple[DesignConfig, Technology]:
    """The settings with nothing left open, and the cells; PrintedMLPError for what can be refused without a run."""
    config = with_hidden(config, default_hidden(dataset.name, dataset.n_classes))
    technology = read_liberty(Path(config.liberty)) if config.liberty else load_technology(config.technology)
    check_limits(config, technology)
    if config.teacher is not None:
        check_teacher(config.teacher)
    return config, technology


def is_done(run: Run, until: str) -> bool:
    """Whether a run has every stage up to that one, as it left them."""
    return TO_DO not in _states(run, until).values()


def _states(run: Run, until: str) -> dict[str, str]:
    return stage_states(run, until, given=_given(run, LAST))


def check_limits(config: DesignConfig, technology: Technology) -> None:
    """Refuse a limit of power where the technology has no figures of it."""
    if config.max_power is not None and technology.without_power:
        raise ConfigError(f"max_power: technology '{technology.name}' has no power figures")


def parser() -> CommandParser:
    """The command line of a design run."""
    return make_parser(list(STAGES))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or plan what the command line asks for; exit code 1 where no circuit keeps to the limits."""
    options = parser().parse_args(arguments)
    with answer(as_json=options.json) as tell:
        given = settings_given(options)
        config = make_config(options.config, given)
        where = {key: getattr(options, key) for key in ("until", "fresh", "reference")}
        if options.dry_run:
            task = task_of(config, options.out, **where, fetch=refuse_download)
            record = _plan(task, setting_sources(options.config, given))
            words = "" if options.quiet else plan_text(record, verbose=options.verbose)
        else:
            task = task_of(config, options.out, **where)
            run_task(task, Reporter(quiet=options.quiet, verbose=options.verbose), summarised=not options.quiet)
            record = result_document(peek_run(task.folder, task.settings, list(STAGES)))
            words = ""
        tell(json_text(record) if options.json else words)
    return EXIT_MISSING if record.get("front") == [] else EXIT_OK


def _plan(task: Task, sources: Mapping[str, str]) -> dict[str, Any]:
    run = peek_run(task.folder, task.settings, list(STAGES), fresh=task.fresh)
    return plan(task.config, task.dataset, run, sources, _states(run, task.until))


def _ended_early(job: Job, stage: str) -> bool:
    return stage in ANYTIME and job.stop.is_set()


def _described(dataset: Dataset) -> str:
    return f"{dataset.n_samples} rows, {dataset.n_features} features, {dataset.n_classes} classes"


def settings_of(config: DesignConfig, dataset: Dataset) -> dict[str, Any]:
    """Everything that decides a run: settings, code, versions, hashes of the table and of cells not built in."""
    cells = config.liberty or (None if config.technology in BUILT_IN else config.technology)
    hashes = {"technology_sha256": sha256_file(Path(cells))} if cells else {}
    code = code_digest(with_suite=config.teacher is not None)
    tools = {"code": code, **versions(), **torch_version(config.teacher)}
    return {**config.to_json(), "dataset_sha256": dataset.sha256, **hashes, **tools}


if __name__ == "__main__":
    sys.exit(run_command(main))
