"""`python -m benchmarks.robustness`: what the flow was given to break it, and what it made of it.

Bad tables, circuits, settings and records; runs that are killed, run out of disk or lose their tools. Prints how
many were tried, and how many ended as they should: in one line and exit code 2, with a stated warning, or in the
very files of a run that nothing happened to. Exit code 1 where one did not.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks import defects, lost_workers
from benchmarks.estimator import checks
from benchmarks.hostile_circuits import BOMB_LIMITS, CIRCUITS, VECTORS, BadCircuit
from benchmarks.hostile_names import names_that_got_out, table_with_names
from benchmarks.hostile_records import TOML, changed
from benchmarks.hostile_tables import TABLES, BadTable
from benchmarks.interruptions import Cut, contents, moments, remounted, run, settings_file, small_disk, survive
from benchmarks.tables import table as markdown
from flows import design, measure
from flows.cli import Command, run_command
from hdl import frontend, structural
from printedmlp.classifier import classifier_from_json
from printedmlp.dataset import load_dataset
from printedmlp.errors import PrintedMLPError, PrintedMLPWarning, ToolError
from printedmlp.files import parse_json
from printedmlp.quantise import Quantiser


@dataclass
class Line:
    """A line of the table: what was tried, how often, how often it ended as it should, and what did not."""

    what: str
    tried: int = 0
    handled: int = 0
    failures: tuple[str, ...] = ()

    def count(self, name: str, handled: bool) -> None:
        """Add one trial."""
        self.tried += 1
        self.handled += handled
        self.failures += () if handled else (name,)


def refused(command: Command, arguments: Sequence[str], words: str) -> bool:
    """Whether a command ends with exit code 2 and one printable line that has the words."""
    with contextlib.redirect_stderr(io.StringIO()) as told, contextlib.redirect_stdout(io.StringIO()):
        try:
            code = run_command(command, arguments)
        except Exception:
            return False
    lines = [line for line in told.getvalue().splitlines() if not line.startswith("warning: ")]
    return (
        code == 2
        and len(lines) == 1
        and lines[0].startswith("error: ")
        and words in lines[0]
        and lines[0].isprintable()
    )


def table_handled(table: BadTable, folder: Path) -> bool:
    """Whether a bad table ends as it should and leaves nothing beside itself."""
    place = folder / "in" / table.file
    place.parent.mkdir()
    table.make(place)
    if table.refused:
        handled = refused(
            design.main, [str(place), "--out", str(folder / "run"), "--quiet", *table.options], table.words
        )
        return handled and [entry.name for entry in folder.iterdir()] == ["in"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", PrintedMLPWarning)
        load_dataset(place)
    return any(table.words in str(entry.message) for entry in told)


def circuit_handled(circuit: BadCircuit, folder: Path) -> bool:
    """Whether Verilog that is no circuit is refused as it should, and leaves nothing beside itself."""
    (folder / "top.v").write_text(circuit.verilog, encoding="utf-8")
    (folder / "v.csv").write_text(VECTORS, encoding="utf-8")
    arguments = [str(folder / "top.v"), str(folder / "v.csv"), "--effort", "quick", "--no-simulation"]
    with patch.object(frontend, "READING", BOMB_LIMITS), patch.object(structural, "READING", BOMB_LIMITS):
        handled = refused(measure.main, arguments, circuit.words)
    return handled and sorted(entry.name for entry in folder.iterdir()) == ["top.v", "v.csv"]


def settings_handled(text: str, words: str, folder: Path) -> bool:
    """Whether a settings file that is none is refused as it should."""
    (folder / "c.toml").write_text(text, encoding="utf-8")
    return refused(design.main, ["--config", str(folder / "c.toml"), "--out", str(folder / "run")], words)


def record_handled(data: Any, read: Callable[[Any], Any], rng: np.random.Generator) -> bool:
    """Whether a record changed at random is refused in one line or read as a sound object."""
    try:
        read(changed(data, rng))
    except PrintedMLPError as error:
        return str(error).isprintable()
    except Exception:
        return False
    return True


@contextlib.contextmanager
def _fresh() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="robustness-") as folder:
        yield Path(folder)


def tried(what: str, cases: Mapping[str, Callable[[Path], bool]]) -> Line:
    """Try each case in a folder of its own."""
    line = Line(what)
    for name, case in cases.items():
        with _fresh() as folder:
            line.count(name, case(folder))
    return line


def inputs(*, quick: bool) -> Iterator[Line]:
    """The lines of bad inputs, by kind."""
    for kind in dict.fromkeys(table.kind for table in TABLES.values()):
        tables = {name: partial(table_handled, table) for name, table in TABLES.items() if table.kind == kind}
        yield tried(f"bad tables: {kind}", tables)
    for kind in dict.fromkeys(c.kind for c in CIRCUITS.values() if not (quick and c.bomb)):
        circuits = {name: partial(circuit_handled, c) for name, c in CIRCUITS.items() if c.kind == kind}
        yield tried(f"Verilog that {kind}", circuits)
    yield tried("bad settings files", {name: partial(settings_handled, *bad) for name, bad in TOML.items()})


def records(folder: Path, seed: int, number: int) -> Line:
    """The line of a whole run's records, each changed at random a number of times."""
    line, rng = Line("records changed at random"), np.random.default_rng(seed)
    for path in sorted(folder.glob("designs/*/model.json")):
        data = parse_json(path.read_text(encoding="utf-8"))
        for _ in range(number if path.stat().st_size < 20_000 else number // 10):
            line.count(path.parent.name, record_handled(data, classifier_from_json, rng))
    quantiser = parse_json((folder / "quantiser.json").read_text(encoding="utf-8"))
    for _ in range(number):
        line.count("quantiser", record_handled(quantiser, Quantiser.from_json, rng))
    return line


def interruptions(place: Path, seed: int, *, quick: bool) -> Iterator[Line]:
    """The lines of runs that something happens to, on a table whose names are hostile."""
    rng = np.random.default_rng(seed)
    settings, whole = settings_file(place, dataset=str(table_with_names(place))), place / "whole"
    before = set(place.rglob("*"))
    line = Line("runs on a table with hostile names")
    ended = run(settings, whole)
    got_out = names_that_got_out(whole, ended.error) + [str(p) for p in set(place.iterdir()) - before - {whole}]
    line.count(f"{ended.error or got_out}", ended.code == 0 and not got_out)
    yield line
    if ended.code:
        return
    yield records(whole, seed, 20 if quick else 200)
    cuts = moments(whole, 5 if quick else 20, rng)
    survived = survive(settings, place / "killed", whole, cuts, rng)
    yield Line("kills", len(cuts), survived.kills if survived.identical else 0)
    yield Line("damaged pieces after kills", survived.damaged, survived.damaged if survived.identical else 0)
    for what, how in (("full disks, by injection", "full"), ("lost tools", "tools")):
        stages = ("designs",) if quick else ("synthesis", "refine", "designs")
        yield _lost(what, settings, place / how, whole, [Cut(stage, how, 2) for stage in stages])
    yield _full_disk(settings, place / "disk", whole)


def _lost(what: str, settings: Path, folder: Path, whole: Path, cuts: Sequence[Cut]) -> Line:
    """Each time the run has to end in one line; after the last it has to go on to the same files."""
    line = Line(what)
    for cut in cuts:
        line.count(cut.to_json(), run(settings, folder, cut).told)
    if run(settings, folder).code or contents(folder) != contents(whole):
        return Line(what, line.tried, 0, ("the run that went on differs",))
    return line


def _full_disk(settings: Path, place: Path, whole: Path) -> Line:
    """A real disk that is too small, then read only, then large enough."""
    line = Line("full and read-only disks, mounted")
    with small_disk(place, "200k") as mounted:
        if not mounted:
            return line
        folder = place / "run"
        line.count("full", run(settings, folder).told)
        larger = remounted(place, "size=400k")
        line.count("full for the tools", larger and run(settings, folder, TMPDIR=str(place)).told)
        line.count("read only", remounted(place, "ro,size=64m") and run(settings, folder).told)
        ended = remounted(place, "rw,size=64m") and run(settings, folder).code == 0
        line.count("the run that went on", ended and contents(folder) == contents(whole))
    return line


def killed_workers(*, quick: bool) -> Iterator[Line]:
    """The line of sweeps whose workers are killed; none is tried where Dask is not installed."""
    line = Line("workers lost by sweeps")
    with contextlib.suppress(ToolError):
        line.tried, line.handled = lost_workers.robustness_counts(2 if quick else 6)
    yield line


def injected_faults() -> Iterator[Line]:
    """The line of stuck-at faults whose fast simulation is held against their definition."""
    yield Line("faults injected into netlists", *defects.robustness_counts())


def estimator_checks() -> Iterator[Line]:
    """The line of scikit-learn's checks of an estimator; what it leaves out by itself is not counted."""
    found = checks()
    passed, failed = found.get("passed", 0), found.get("failed", 0)
    yield Line("scikit-learn's estimator checks", passed + failed, passed, tuple(found["names_failed"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few kills, and no circuits that ask for all there is")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args(arguments)
    start, lines = time.monotonic(), []
    with _fresh() as place:
        parts = (
            inputs(quick=options.quick),
            interruptions(place, options.seed, quick=options.quick),
            killed_workers(quick=options.quick),
            injected_faults(),
            estimator_checks(),
        )
        for part in parts:
            for line in part:
                lines.append(line)
                print(f"{line.what}: {line.handled} of {line.tried}", *line.failures[:3], sep="; ", file=sys.stderr)
    print(
        markdown(["what", "tried", "handled"], [[line.what, str(line.tried), str(line.handled)] for line in lines])
    )
    print(f"seed {options.seed}; {time.monotonic() - start:.0f} s")
    return int(any(line.handled < line.tried for line in lines))


if __name__ == "__main__":
    sys.exit(main())
