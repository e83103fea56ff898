"""`printedmlp reference PAPER|all`: what published MLP architectures reach, and which of their claims show."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import printedmlp.reference
from flows.ceiling import read_reference
from flows.cli import EXIT_MISSING, EXIT_OK, answer, run_command
from flows.options import (
    DATA,
    FOLDER,
    OUTPUT,
    SEARCH,
    CommandParser,
    Kind,
    integers,
    split_options,
)
from flows.progress import Reporter
from flows.reference_table import (
    HEAD,
    NUMBERS,
    claims_text,
    measure_rows,
    readme_section,
    text_table,
    with_section,
)
from flows.run import json_text, write_text
from printedmlp.errors import ConfigError, PrintedMLPError, PrintedMLPWarning
from printedmlp.reference.outcome import Context, Outcome
from printedmlp.reference.registry import PACKAGE, PAPERS, find_paper, load, load_study
from printedmlp.registry import DATA_VARIABLE
from printedmlp.vectors import MOST_BITS

FORMAT = "printedmlp.study"
STUDIES = "printedmlp.studies"
DESCRIPTION = """\
What published MLP architectures reach, and which of their claims show.

Trains the study of one paper or of all, checks the paper's claims, draws its picture and writes one JSON file a
paper. The full run of all papers also renews the table in printedmlp/reference/README.md. With `--on TABLE` the
architectures for plain feature vectors are trained on your own table instead: the float ceiling of its circuits."""
EXAMPLES = (
    ("all --quick", "does everything work? minutes"),
    ("kan", "one paper: JSON, claims, picture"),
    ("--on table.csv", "the float ceiling of your own table"),
)
MISSING = "of all papers, some could not be run"
SUITE = (f"{PACKAGE}.", "printedmlp.stars.", "printedmlp.kernels.gravity")
README = Path(printedmlp.reference.__file__).with_name("README.md")
SEEDS = {True: 1, False: 3}
"""Repetitions of quick and of full runs."""
MOST_SEEDS = MOST_SPLITS = 100


def run_paper(key: str, context: Context, *, again: bool = False) -> tuple[Outcome, bool]:
    """Run one study unless its file is there with the same settings and code; also says whether it ran.

    Raises
    ------
    PrintedMLPError : no such paper, no PyTorch, missing data.
    """
    paper, study = find_paper(key), load_study(key)
    place = context.folder / f"{key}.json"
    settings = _settings(paper.study, context)
    if not again and (kept := _kept(place, settings)):
        return kept, False
    context.folder.mkdir(parents=True, exist_ok=True)
    one_thread()
    started = time.perf_counter()
    outcome = study.run(context)
    assert isinstance(outcome, Outcome), f"{paper.study}.run must return an Outcome"
    record = {
        "format": FORMAT,
        "paper": key,
        "title": paper.title,
        "citation": paper.citation,
        "settings": settings,
        "outcome": outcome.to_json(),
        "picture": _picture(context.folder, key),
        "seconds": round(time.perf_counter() - started, 1),
    }
    write_text(place, json_text(record))
    return outcome, True


def one_thread() -> None:
    """Networks this small are slower on two threads than on one, and sums come out the same on every machine."""
    load("torch").set_num_threads(1)


def sources(module: str) -> list[Path]:
    """The files of the suite that a module consists of: its own, and those it imports from the suite, in turn.

    The simulation of star clusters, which the suite shares with a data set, counts as part of it.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = README.parents[2].joinpath(*name.split(".")).with_suffix(".py")
        if name not in found and path.is_file():
            found[name] = path
            waiting += [n for n in _imports(path) if n.startswith(SUITE)]
    return [found[name] for name in sorted(found)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the float suite; exit code 1 where one of all papers is left out."""
    options = parser().parse_args(arguments)
    if (options.paper is None) == (options.on is None):
        raise ConfigError("give a paper's key, or all, or --on TABLE")
    if options.on is not None:
        if options.seeds is not None:
            raise ConfigError("--seeds repeats a paper's study; for a table say --splits")
        with answer(as_json=options.json) as tell:
            place = load("flows.reference_on").run_on(options)
            tell(json_text(read_reference(place)) if options.json else "")
        return EXIT_OK
    with answer(as_json=options.json) as tell:
        record = _study(options)
        tell(json_text(record) if options.json else "")
    return EXIT_MISSING if record["left_out"] else EXIT_OK


def _study(options: argparse.Namespace) -> dict[str, Any]:
    """Run one paper's study or all, print what they found, and return it."""
    n_seeds = SEEDS[options.quick] if options.seeds is None else options.seeds
    load("torch")
    context = Context(
        tuple(range(n_seeds)), options.quick, options.device, options.folder or Path("runs", "reference")
    )
    load("printedmlp.reference.training").pick_device(context.device)
    keys = list(PAPERS) if options.paper == "all" else [find_paper(options.paper).key]
    outcomes = _run_all(keys, context, options)
    if not options.quiet:
        print("\n" + text_table(HEAD, measure_rows(outcomes), NUMBERS))
    if list(outcomes) == list(PAPERS) and not context.quick:
        write_text(README, with_section(README.read_text(encoding="utf-8"), readme_section(outcomes, n_seeds)))
        if not options.quiet:
            print(f"table: {README}")
    found = {key: outcome.to_json() for key, outcome in outcomes.items()}
    left_out = [key for key in keys if key not in outcomes]
    folder = str(context.folder)
    return {"format": STUDIES, "version": 1, "folder": folder, "papers": found, "left_out": left_out}


def _run_all(keys: Sequence[str], context: Context, options: argparse.Namespace) -> dict[str, Outcome]:
    """Run the papers in turn; among several, one that cannot run is a warning and left out."""
    outcomes = {}
    reporter = Reporter(quiet=options.quiet, verbose=options.verbose)
    for key in keys:
        start = time.perf_counter()
        try:
            outcome, ran = run_paper(key, context, again=options.again)
        except PrintedMLPError as error:
            if len(keys) == 1:
                raise
            warnings.warn(f"{key} is left out: {error}", PrintedMLPWarning, stacklevel=2)
            continue
        if not options.quiet:
            print(f"{key}: {PAPERS[key].title} ({'done' if ran else 'kept from an earlier run'})")
            print(claims_text(outcome), flush=True)
        reporter.detail(f"{key}: {time.perf_counter() - start:.1f} s")
        outcomes[key] = outcome
    if not outcomes:
        raise ConfigError("no paper could be run")
    return outcomes


def _settings(study: str, context: Context) -> dict[str, Any]:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources(study)))
    return {
        "seeds": list(context.seeds),
        "quick": context.quick,
        "device": context.device,
        "code_sha256": digest.hexdigest(),
        "torch": metadata.version("torch"),
        **_stand_ins(),
    }


def _stand_ins() -> dict[str, bool]:
    """Said only where the suite's data is missing: what stand-ins gave is not kept once the data is there."""
    given = os.environ.get(DATA_VARIABLE)
    return {} if given and Path(given, "suite").is_dir() else {"stand_ins": True}


def _kept(place: Path, settings: dict[str, Any]) -> Outcome | None:
    """What an earlier run with these settings found; None if there is none that can be read."""
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        same = record["format"] == FORMAT and record["settings"] == settings
        if same and (place.parent / record["picture"]).is_file():
            return Outcome.from_json(record["outcome"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _picture(folder: Path, key: str) -> str:
    """The name of the picture that a study drew."""
    drawn = [name for name in (f"{key}.png", f"{key}.svg") if (folder / name).is_file()]
    assert drawn, f"the study of {key} draws no picture"
    return drawn[0]


def _imports(path: Path) -> set[str]:
    """Every dotted name that a file imports or may import: `from a import b` names a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def parser() -> CommandParser:
    """The command line of the float suite."""
    words = "PAPER|all|--on TABLE"
    made = CommandParser("reference", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments=words)
    papers = Kind(f"all, or one of {', '.join(PAPERS)}", str, "str", "PAPER")
    made.value(DATA, "paper", papers, "whose study is run", nargs="?")
    table = Kind("name or file", str, "str", "TABLE")
    made.value(DATA, "--on", table, "a data set, or a CSV file, last column = class, instead of a paper's study")
    split_options(made)
    words = "with --on, splits with seeds that follow each other"
    made.value(DATA, "--splits", integers(1, MOST_SPLITS), words, default=5)
    words = "with --on, train on the circuit's N-bit codes"
    made.value(DATA, "--input-bits", integers(1, MOST_BITS), words, shown="the table's own numbers")
    made.flag(SEARCH, "--quick", "few epochs and little data: does everything work?")
    words = "repetitions of every measurement of a study"
    made.value(
        SEARCH, "--seeds", integers(1, MOST_SEEDS), words, shown=f"{SEEDS[False]}; with --quick {SEEDS[True]}"
    )
    keys = Kind("keys with commas between", str, "str", "KEY[,KEY]")
    words = "with --on, architectures to train"
    made.value(SEARCH, "--models", keys, words, shown="all that take a feature vector")
    made.value(SEARCH, "--device", Kind("cpu, cuda or auto", str, "str", "NAME"), "what computes", default="cpu")
    words = "where results go"
    made.value(OUTPUT, "--folder", FOLDER, words, shown="runs/reference, with --on runs/reference/<data set>")
    made.flag(OUTPUT, "--again", "run what is already there with these settings, too")
    return made.finish(settings=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
