"""`python -m flows.reference PAPER|all`: what published MLP architectures reach, and which of their claims show.

Trains the study of one paper or of all, checks the paper's claims, draws its picture and writes one JSON file a
paper. The full run of all papers also renews the table in printedmlp/reference/README.md. With `--on TABLE` the
architectures for plain feature vectors are trained on your own table instead: the float ceiling of its circuits.
"""

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
from flows.cli import run_command
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

FORMAT = "printedmlp.study"
SUITE = (f"{PACKAGE}.", "printedmlp.stars.", "printedmlp.kernels.gravity")
README = Path(printedmlp.reference.__file__).with_name("README.md")
SEEDS = {True: 1, False: 3}
"""Repetitions of quick and of full runs."""
MOST_SEEDS = 100


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


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of the float suite."""
    options = _parser().parse_args(arguments)
    if (options.paper is None) == (options.on is None):
        raise ConfigError("give a paper's key, or all, or --on TABLE")
    if options.on is not None:
        if options.seeds is not None:
            raise ConfigError("--seeds repeats a paper's study; for a table say --splits")
        load("flows.reference_on").run_on(options)
        return
    n_seeds = SEEDS[options.quick] if options.seeds is None else options.seeds
    if not 1 <= n_seeds <= MOST_SEEDS:
        raise ConfigError(f"--seeds: {options.seeds} is not in 1..{MOST_SEEDS}")
    load("torch")
    context = Context(
        tuple(range(n_seeds)), options.quick, options.device, options.folder or Path("runs", "reference")
    )
    load("printedmlp.reference.training").pick_device(context.device)
    keys = list(PAPERS) if options.paper == "all" else [find_paper(options.paper).key]
    outcomes = _run_all(keys, context, again=options.again)
    print("\n" + text_table(HEAD, measure_rows(outcomes), NUMBERS))
    if list(outcomes) == list(PAPERS) and not context.quick:
        write_text(README, with_section(README.read_text(encoding="utf-8"), readme_section(outcomes, n_seeds)))
        print(f"table: {README}")


def _run_all(keys: Sequence[str], context: Context, *, again: bool) -> dict[str, Outcome]:
    """Run the papers in turn; among several, one that cannot run is a warning and left out."""
    outcomes = {}
    for key in keys:
        try:
            outcome, ran = run_paper(key, context, again=again)
        except PrintedMLPError as error:
            if len(keys) == 1:
                raise
            warnings.warn(f"{key} is left out: {error}", PrintedMLPWarning, stacklevel=2)
            continue
        print(f"{key}: {PAPERS[key].title} ({'done' if ran else 'kept from an earlier run'})")
        print(claims_text(outcome), flush=True)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m flows.reference", description=__doc__)
    add = parser.add_argument
    add("paper", nargs="?", metavar="PAPER", help=f"all, or one of {', '.join(PAPERS)}")
    add("--quick", action="store_true", help="few epochs and little data: does everything work?")
    add("--seeds", type=int, metavar="N", help="repetitions of every measurement (default: 3, quick 1)")
    add("--device", default="cpu", metavar="NAME", help="cpu (default) or cuda")
    add("--folder", type=Path, metavar="FOLDER", help="where results go (default: runs/reference)")
    add("--again", action="store_true", help="run what is already there with these settings, too")
    table = parser.add_argument_group("on your own table").add_argument
    table("--on", metavar="TABLE", help="name of a data set, or path of a CSV file (last column = class)")
    table(
        "--seed", type=int, default=0, metavar="N", help="seed of the first split, as in flows.design (default: 0)"
    )
    table(
        "--splits", type=int, default=5, metavar="N", help="splits, with seeds that follow each other (default: 5)"
    )
    table("--models", metavar="KEY[,KEY]", help="architectures to train (default: all that take a feature vector)")
    table("--input-bits", type=int, metavar="N", help="train on the circuit's N-bit codes, not the table's numbers")
    table("--label", metavar="COLUMN", help="name of the class column (default: the last)")
    table("--missing", choices=("drop", "error"), default="drop", help="rows with missing cells")
    table(
        "--official-split", action="store_true", help="the data set's own test rows (pendigits, cluster_escapers)"
    )
    table("--group-duplicates", action="store_true", help="equal rows on one side of the split")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
