"""`python -m flows.design dataset.csv`: from a table to a folder of verified printed classifiers.

Each stage reads the files of those before it in the run folder and adds its own. The same command in the same
folder goes on where an earlier one stopped, and gives the same files as one that was never interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flows import circuits, priced_refinement, searches, stages
from flows.ceiling import FILE, reference_for, run_ceiling
from flows.cli import run_command
from flows.config import BUDGETS, CHOICES, DesignConfig, make_config, with_hidden
from flows.job import Job, Stage
from flows.measure import tell_missing_figures
from flows.progress import Reporter
from flows.reference_teacher import check_teacher, torch_version
from flows.run import Run, json_text, open_run, sha256_file, write_text
from flows.summary import summary_text
from flows.tools import code_digest, versions
from hdl.liberty import read_liberty
from printedmlp.dataset import Dataset, load_dataset
from printedmlp.errors import ConfigError
from printedmlp.objective import BALANCED
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
ANYTIME = ("paper", "tree", "search", "refine")
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
    dataset = load_dataset(config.dataset, label=config.label, missing=config.missing)
    config, technology = ready(config, dataset)
    tell_missing_figures(technology)
    ceiling_text = json_text(reference_for(reference, dataset)) if reference else None
    place = folder or Path("runs", f"{dataset.name}-s{config.seed}-{config.budget}")
    reporter = Reporter(quiet=quiet)
    reporter.line(f"{dataset.name}: {_described(dataset)} -> {place}")
    with open_run(place, settings_of(config, dataset), list(STAGES), fresh=fresh) as run:
        job = Job(config, dataset, technology, run, reporter)
        if ceiling_text:
            write_text(run.path(FILE), ceiling_text)
        with stopping_early(job):
            for name, stage in STAGES.items():
                stopped = partial(_ended_early, job, name)
                ran = run.do(name, partial(stage, job), stopped, given=_given(name))
                reporter.line(f"{name}: {'done' if ran else 'kept from an earlier run'}")
                if name == until:
                    break
        if not quiet and until == LAST:
            print(summary_text(run.read_json("front.json"), technology))
            if ceiling := run_ceiling(run.folder, dataset, config):
                print(f"float ceiling: {ceiling.words}")
            print(f"report: {run.path('report.html')}")
    return place


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
    names = list(STAGES)
    return all(run.is_done(name, _given(name)) for name in names[: names.index(until) + 1])


def _given(stage: str) -> tuple[str, ...]:
    """Files of other commands that a stage reads."""
    return (FILE,) if stage == LAST else ()


def check_limits(config: DesignConfig, technology: Technology) -> None:
    """Refuse a limit of power where the technology has no figures of it."""
    if config.max_power is not None and technology.without_power:
        raise ConfigError(f"max_power: technology '{technology.name}' has no power figures")


@contextmanager
def stopping_early(job: Job) -> Iterator[None]:
    """Take the first Ctrl-C as the wish for what is found so far; the second one breaks the run off."""

    def ask(number: int, frame: object) -> None:
        if job.stop.is_set():
            raise KeyboardInterrupt
        job.stop.set()
        print("stopping: the front so far follows; press again to break off", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of a design run."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    options = {key: given.pop(key) for key in ("config", "out", "until", "fresh", "quiet", "reference")}
    config = make_config(options["config"], given)
    place = options.pop("out")
    design(config, place, **{key: value for key, value in options.items() if key != "config"})


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m flows.design", description=__doc__)
    add = parser.add_argument
    add("dataset", nargs="?", help="name of a data set, or path of a CSV file (last column = class)")
    add("--config", type=Path, metavar="FILE", help="TOML file of settings; options given here win")
    add("--out", type=Path, metavar="FOLDER", help="run folder (default: runs/<data set>-s<seed>-<budget>)")
    add("--until", choices=STAGES, default=LAST, metavar="STAGE", help=f"stop after: {', '.join(STAGES)}")
    add("--fresh", action="store_true", help="discard what the run folder holds")
    add("--reference", type=Path, metavar="FILE", help="reference.json of flows.reference --on, for the report")
    add("--quiet", action="store_true", help="print nothing but errors and warnings")
    add("--label", metavar="COLUMN", help="name of the class column (default: the last)")
    add("--missing", choices=CHOICES["missing"], help="rows with missing cells: drop (default) or error")
    add("--seed", type=int, metavar="N", help="seed of split, training and vectors (default: 0)")
    add("--budget", choices=BUDGETS, help="seconds, minutes or an hour of search (default: standard)")
    add("--metric", choices=CHOICES["metric"], help="what circuits are chosen by (default: accuracy)")
    add(
        "--class-weights",
        type=_weights,
        metavar="W",
        help="weights of wrong training rows by class: balanced, or numbers such as 1,2,5 in the order of the "
        "output codes (default: equal for accuracy, balanced for the other metrics)",
    )
    add("--max-area", type=float, metavar="CM2", help="largest cell area on the front, in cm2 (default: no limit)")
    add("--max-power", type=float, metavar="MW", help="largest power at the nominal voltage, in mW (no limit)")
    add(
        "--min-accuracy",
        type=float,
        metavar="SHARE",
        help="least validation value of the metric, 0..1 (no limit)",
    )
    add("--hidden", type=_sizes, metavar="N[,N]", help="hidden layer sizes (default: the literature's)")
    add("--input-bits", type=int, metavar="N", help="bits of each quantised input (default: 4)")
    add("--lsb", type=int, metavar="N", help="lowest bit kept by the hidden QReLU (default: 4)")
    add("--msb", type=int, metavar="N", help="highest bit kept by the hidden QReLU (default: 11)")
    add(
        "--official-split",
        action="store_true",
        default=None,
        help="the data set's own test rows (pendigits, cluster_escapers)",
    )
    add("--group-duplicates", action="store_true", default=None, help="equal rows on one side of the split")
    add("--restarts", type=int, metavar="N", help=f"float trainings of the baseline ({_by_budget('restarts')})")
    add("--population", type=int, metavar="N", help=f"of the genetic search ({_by_budget('population')})")
    add("--generations", type=int, metavar="N", help=f"of the genetic search ({_by_budget('generations')})")
    add("--crossover-rate", type=float, metavar="SHARE", help="pairs of parents that are crossed (default: 0.7)")
    add("--mutations-per-child", type=float, metavar="N", help="genes changed in a child on average (2.5)")
    add("--removal-share", type=float, metavar="SHARE", help="mutated masks that are cleared (default: 0.25)")
    add("--nearly-exact-share", type=float, metavar="SHARE", help="nearly exact part of the first population (0.1)")
    add("--max-accuracy-loss", type=float, metavar="SHARE", help="loss beyond which a solution is infeasible (0.1)")
    add("--chains", type=int, metavar="N", help=f"annealing chains of the search ({_by_budget('chains')})")
    add("--proposals", type=int, metavar="N", help=f"proposals of a chain a level ({_by_budget('proposals')})")
    add(
        "--tree-generations",
        type=int,
        metavar="N",
        help=f"generations of the search for decision trees ({_by_budget('tree_generations')})",
    )
    add("--candidates", type=int, metavar="N", help=f"solutions synthesised ({_by_budget('candidates')})")
    add("--refine-starts", type=int, metavar="N", help=f"netlists refined ({_by_budget('refine_starts')})")
    add("--refine-moves", type=int, metavar="N", help=f"moves a level and netlist ({_by_budget('refine_moves')})")
    add("--jitter", type=int, metavar="N", help="most noisy copies of a training row in refinement (8)")
    add("--power-moves", type=int, metavar="N", help=f"moves for power a netlist ({_by_budget('power_moves')})")
    add("--teacher", metavar="KEY", help="float network that the genetic trainers learn from, such as mlp (none)")
    add("--teacher-copies", type=int, metavar="N", help="most rows that it labels for each training row (8)")
    add("--effort", choices=CHOICES["effort"], help="synthesis effort")
    add("--technology", metavar="NAME", help=f"{', '.join(BUILT_IN)} or a TOML file (default: egfet)")
    add("--liberty", metavar="FILE", help="Liberty file of the cells to use instead")
    add("--inputs", choices=CHOICES["inputs"], help="thermometer: search for circuits on comparators' outputs")
    add("--sample-rate", type=float, metavar="HZ", help="samples a second to classify (default: 5)")
    add("--battery-mah", type=float, metavar="MAH", help="capacity of a battery whose life is to be told")
    add("--battery-v", type=float, metavar="V", help="its voltage")
    add("--proof-time-limit", type=float, metavar="S", help="seconds for a circuit's proof (default: 600; 0: none)")
    add("--random-vectors", type=int, metavar="N", help="random vectors of the simulation (default: 10000)")
    add("--simulator", choices=CHOICES["simulator"], help="verilator (default) or icarus")
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of integers such as 5 or 8,4") from None


def _weights(text: str) -> str | tuple[float, ...]:
    if text == BALANCED:
        return text
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither {BALANCED} nor numbers such as 1,2,5") from None


def _by_budget(key: str) -> str:
    """A setting's values in the order of the budgets, for the help."""
    return " / ".join(str(values[key]) for values in BUDGETS.values()) + " by budget"


if __name__ == "__main__":
    sys.exit(run_command(main))
