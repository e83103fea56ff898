"""`python -m flows.defects RUN` or `... top.v vectors.csv`: what printing defects do to circuits.

Of a run of `flows.design` every circuit of the front and the exact baseline are looked at on the test rows, which
choose nothing; each design's folder receives `defects.json`, and the run `defects.html`, or all goes to --out. Of
anyone's Verilog the vectors are a vector file or the test rows of a data set, as for `flows.measure`. Single
stuck-at faults, drawn prints at given device yields, and spreads of delay, power and thresholds are told, with what
is assumed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flows.cli import run_command
from flows.compared_runs import ComparedRun, open_finished
from flows.defect_figures import DEVICE_YIELDS, Record, Settings, defects_of
from flows.defect_page import defects_page
from flows.defect_text import defects_text
from flows.mapping import BASELINES, EXACT, TEXTBOOK
from flows.measure import Source, check_outputs, read_circuit
from flows.progress import Reporter
from flows.run import json_text, write_text
from hdl.liberty import read_liberty
from hdl.synthesis import read_netlist
from printedmlp.classifier import classifier_from_json
from printedmlp.errors import ConfigError
from printedmlp.technology import BUILT_IN, Technology, load_technology
from printedmlp.vectors import bits_per_feature

RECORD, PAGE = "defects.json", "defects.html"
FOREIGN = "verilog"
"""How marks of a circuit that is of no run are drawn."""


def defects_of_run(run: ComparedRun, settings: Settings) -> dict[str, Record]:
    """Figures of the exact baseline and then of every circuit of the front, smallest first.

    Raises ConfigError for a run whose designs are not finished.
    """
    records = sorted(run.designs.values(), key=lambda r: (r["stage"] not in BASELINES, r["area_cm2"], r["id"]))
    wanted = [r for r in records if r["stage"] != TEXTBOOK and (r["stage"] == EXACT or r["on_front"])]
    if not wanted:
        raise ConfigError(f"{run.folder}: stage 'designs' is not done; finish the run first")
    vectors, found = run.vectors("test"), {}
    with Reporter(quiet=not sys.stderr.isatty()).bar("defects", len(wanted)) as bar:
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
    """Figures of one Verilog file, synthesised unless it is mapped already; see `flows.measure.read_circuit`."""
    netlist = read_circuit(path, technology, "standard").netlist
    check_outputs(path, netlist)
    vectors = source.vectors(netlist.n_inputs)
    bits = bits_per_feature(netlist.n_inputs, vectors.codes.shape[1])
    return defects_of(netlist, technology, vectors, bits, settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    settings = Settings(
        options.device_yield, options.loss, options.draws, options.seed, options.sigma, options.threshold_sigma
    )
    if options.vectors is None:
        run = open_finished(options.target, ())
        found = defects_of_run(run, settings)
        stages = {record["id"]: record["stage"] for record in run.designs.values()}
        source = f"{run.name}, test rows of seed {run.config.seed}"
        folders = {name: run.run.path("designs", name) for name in found}
        out = options.out or run.folder
    else:
        technology = read_liberty(options.liberty) if options.liberty else load_technology(options.technology)
        name = options.target.stem
        rows = Source(options.vectors, options.split)
        found = {name: defects_of_verilog(options.target, rows, technology, settings)}
        stages, folders, out = {name: FOREIGN}, {}, options.out
        source = f"{options.target} on {options.vectors}"
    _write(found, stages, source, folders if options.out is None else {}, out)
    print(json_text(found) if options.json else defects_text(found, source), end="")


def _write(
    found: Mapping[str, Record],
    stages: Mapping[str, str],
    source: str,
    folders: Mapping[str, Path],
    out: Path | None,
) -> None:
    """A record in each circuit's folder, or all of them in `out`, which receives the page; nothing without."""
    for name, folder in folders.items():
        write_text(folder / RECORD, json_text(found[name]))
    if out is not None and not folders:
        write_text(out / RECORD, json_text(found))
    if out is not None:
        write_text(out / PAGE, defects_page(found, stages, source))


def _yields(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.95,0.99") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flows.defects", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, usual = parser.add_argument, ",".join(f"{value:g}" for value in DEVICE_YIELDS)
    add("target", type=Path, metavar="RUN|VERILOG", help="run folder, or Verilog with ports inp and out")
    add("vectors", nargs="?", help="for Verilog: vector file, or name or path of a data set")
    add("--device-yield", type=_yields, default=DEVICE_YIELDS, metavar="Y[,Y]", help=f"device yields ({usual})")
    add("--loss", type=float, default=0.05, metavar="SHARE", help="accuracy that a working print may lose (0.05)")
    add("--draws", type=int, default=1000, metavar="N", help="prints drawn for every figure (1000)")
    add("--seed", type=int, default=0, metavar="N", help="seed of the draws (0)")
    add("--sigma", type=float, default=0.2, metavar="S", help="log-normal spread of cells' delay and power (0.2)")
    spread = "standard deviation of a comparator's threshold, in steps of the code (0.25)"
    add("--threshold-sigma", type=float, default=0.25, metavar="STEPS", help=spread)
    add("--split", type=int, default=0, metavar="N", help="seed of a data set's split, for Verilog (0)")
    cells = f"of Verilog: {', '.join(BUILT_IN)} or a TOML file (egfet)"
    add("--technology", default="egfet", metavar="NAME", help=cells)
    add("--liberty", type=Path, metavar="FILE", help="Liberty file of the cells to use instead")
    add("--out", type=Path, metavar="FOLDER", help="folder for defects.json and defects.html")
    add("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
