"""`printedmlp defects RUN` or `... top.v vectors.csv`: what printing defects do to circuits."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.cli import NOTHING_KEPT, answer, run_command
from flows.compared_runs import ComparedRun, open_finished
from flows.defect_figures import Record, Settings, defects_of
from flows.defect_page import defects_page
from flows.defect_text import defects_text
from flows.defects_options import PAGE, RECORD, parser
from flows.mapping import BASELINES, EXACT, TEXTBOOK
from flows.measure import Source, check_outputs, read_circuit
from flows.progress import Reporter
from flows.run import Run, json_text, write_text
from hdl.liberty import read_liberty
from hdl.synthesis import read_netlist
from printedmlp.classifier import classifier_from_json
from printedmlp.errors import ConfigError, DataError, one_line
from printedmlp.names import clean_text
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import bits_per_feature

FORMAT = "printedmlp.defects"
FOREIGN = "verilog"
"""How marks of a circuit that is of no run are drawn."""


def defects_of_run(run: ComparedRun, settings: Settings, reporter: Reporter) -> dict[str, Record]:
    """Figures of the exact baseline and then of every circuit of the front, smallest first.

    Raises ConfigError for a run whose designs are not finished.
    """
    records = sorted(run.designs.values(), key=lambda r: (r["stage"] not in BASELINES, r["area_cm2"], r["id"]))
    wanted = [r for r in records if r["stage"] != TEXTBOOK and (r["stage"] == EXACT or r["on_front"])]
    if not wanted:
        raise ConfigError(f"{run.folder}: stage 'designs' is not done; finish the run first")
    vectors, found = run.vectors("test"), {}
    with reporter.bar("defects", len(wanted)) as bar:
        for record in wanted:
            folder = run.run.path("designs", record["id"])
            netlist = read_netlist((folder / "netlist.v").read_text(encoding="utf-8"), run.technology)
            found[record["id"]] = defects_of(
                netlist,
                run.technology,
                vectors,
                run.config.input_bits,
                settings,
                classifier=classifier_from_json(run.run.read_json("designs", record["id"], "model.json")),
                feature_names=run.dataset["feature_names"],
            )
            bar.step()
    return found


def defects_of_verilog(path: Path, source: Source, technology: Technology, settings: Settings) -> Record:
    """Figures of one Verilog file, synthesised unless it is mapped already; see `flows.measure.read_circuit`.

    Raises DataError for vectors of more classes than the circuit has answers.
    """
    netlist = read_circuit(path, technology, "standard").netlist
    check_outputs(path, netlist)
    vectors = source.vectors(netlist.n_inputs)
    if vectors.n_classes > (most := 1 << len(netlist.outputs)):
        raise DataError(f"{source.name}: has {vectors.n_classes} classes; out of {path} tells at most {most} apart")
    bits = bits_per_feature(netlist.n_inputs, vectors.codes.shape[1])
    return defects_of(netlist, technology, vectors, bits, settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = parser().read(arguments)
    if options.target is None:
        raise ConfigError("target: none given; name a run folder or a Verilog file")
    with answer(as_json=options.json) as tell:
        reporter = Reporter(quiet=options.quiet, verbose=options.verbose)
        circuits = _circuits(options, reporter)
        _write(circuits, options.out)
        document = {"format": FORMAT, "source": circuits.source, "circuits": circuits.found}
        words = "" if options.quiet else defects_text(circuits.found, circuits.source)
        tell(json_text(document) if options.json else words)


@dataclass(frozen=True)
class _Circuits:
    """Figures of circuits by name, on the rows that `source` tells; folders of those that are of a run."""

    found: dict[str, Record]
    stages: dict[str, str]
    source: str
    run: Run | None


def _circuits(options: argparse.Namespace, reporter: Reporter) -> _Circuits:
    settings = Settings(
        options.device_yield, options.loss, options.draws, options.seed, options.sigma, options.threshold_sigma
    )
    if options.vectors is None:
        run = open_finished(options.target, ())
        found = defects_of_run(run, settings, reporter)
        stages = {record["id"]: record["stage"] for record in run.designs.values()}
        return _Circuits(found, stages, f"{run.name}, test rows of seed {run.config.seed}", run.run)
    technology = read_liberty(options.liberty) if options.liberty else load_technology(options.technology)
    # A file's name may be no text at all, and what is told of it goes into files of text.
    name, source = clean_text(options.target.stem, 40) or FOREIGN, f"{options.target} on {options.vectors}"
    rows = Source(options.vectors, options.split)
    found = {name: defects_of_verilog(options.target, rows, technology, settings)}
    return _Circuits(found, {name: FOREIGN}, one_line(source), None)


def _write(circuits: _Circuits, out: Path | None) -> None:
    """All records and the page into `out`; without it, a run's own folder receives them, a stranger's nothing."""
    place = out or (circuits.run.folder if circuits.run else None)
    if out is not None:
        write_text(out / RECORD, json_text(circuits.found))
    elif circuits.run is not None:
        for name, record in circuits.found.items():
            write_text(circuits.run.path("designs", name, RECORD), json_text(record))
    if place is not None:
        write_text(place / PAGE, defects_page(circuits.found, circuits.stages, circuits.source))


if __name__ == "__main__":
    sys.exit(run_command(main, when_interrupted=NOTHING_KEPT))
