"""`printedmlp compare RUN ...`: area against accuracy, side by side, of any circuits through the same tools."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.cli import EXIT_MISSING, EXIT_OK, NOTHING_KEPT, answer, run_command
from flows.compare_page import page_files
from flows.compare_text import comparison_text
from flows.compared_levels import BEST
from flows.compared_row import Row
from flows.compared_rows import Circuit, adder_row, circuit_row, foreign_row
from flows.compared_runs import (
    STAGES,
    USUAL_STAGES,
    ComparedRun,
    by_data_set,
    check_alike,
    levels_of,
    open_finished,
    tell_other_code,
    variants,
)
from flows.comparison import FORMAT, PAGE, TABLE, Comparison
from flows.config import is_text
from flows.mapping import BASELINES, TEXTBOOK, spread
from flows.measure import tell_missing_figures
from flows.measure_options import EFFORTS
from flows.options import (
    CHOICE,
    CIRCUIT,
    DATA,
    FILE,
    FOLDER,
    NEEDED,
    OUTPUT,
    CommandParser,
    Kind,
    whole,
)
from flows.progress import Reporter
from flows.published_figures import published_rows
from flows.run import json_text, whole_folder, write_text
from hdl.adder_graph import EXTRA, LIBRARY, library_version
from printedmlp.errors import ConfigError, PrintedMLPWarning
from printedmlp.files import parse_json
from printedmlp.model import DiscreteMLP
from printedmlp.names import clean_text

DESCRIPTION = """\
Area against accuracy, side by side, of any circuits through the same tools.

Takes finished run folders and puts circuits of their stages beside each other, beside anyone's Verilog, beside
the same networks with the sums of shared adder graphs, and beside published figures: a table here, a picture, a
page, and all rows as data. Every circuit is measured now, by one code, on the test rows of its run. What is shown
of a stage is its own front by training and validation rows; the test rows choose nothing."""
EXAMPLES = (
    ("runs/cardio-s0-standard", "the stages of a run"),
    ("runs/cardio-s* --out compare/", "several splits: means and spreads"),
    ("runs/cardio-s0-standard --verilog top.v:stranger", "beside anyone's Verilog"),
)
MISSING = "adder graphs were asked for and their library is not installed, or a circuit is refuted"
PER_STAGE = 8
ADDER_GRAPHS = 3


@dataclass(frozen=True)
class Foreign:
    """A stranger's Verilog file, what to call it, and the data set that it is for; None for the only one."""

    path: Path
    label: str
    data_set: str | None

    @classmethod
    def parse(cls, text: str) -> Foreign:
        """From FILE, FILE:LABEL or FILE:LABEL@DATA_SET."""
        file, _, rest = (text, "", "") if Path(text).is_file() else text.partition(":")
        label, _, data_set = rest.partition("@")
        return cls(Path(file), clean_text(label, 40) or Path(file).stem, data_set or None)


@dataclass(frozen=True)
class Options:
    """What is compared beside the runs.

    Attributes
    ----------
    stages : of `flows.compared_runs.STAGES`.
    per_stage : circuits of each stage's front, at most, beside those that answer at a level of loss.
    verilog : strangers' circuits.
    adder_graphs : networks of each stage that are also built with shared adders; 0 for none.
    published : CSV file of others' figures.
    effort : of the synthesis of given Verilog; None takes the runs'.
    proved, simulated : whether proofs that the runs lack are made, and strangers' Verilog is simulated.
    """

    stages: tuple[str, ...] = USUAL_STAGES
    per_stage: int = PER_STAGE
    verilog: tuple[Foreign, ...] = ()
    adder_graphs: int = 0
    published: Path | None = None
    effort: str | None = None
    proved: bool = True
    simulated: bool = True


def compare(folders: Sequence[Path], options: Options, reporter: Reporter) -> Comparison:
    """Measure everything; the rows in the order of the runs, stages and areas.

    Raises
    ------
    PrintedMLPError : one line that names the place and the value.
    """
    runs = [open_finished(folder, options.stages) for folder in folders]
    check_alike(runs)
    tell_other_code(runs)
    tell_missing_figures(runs[0].technology)
    efforts = _efforts(runs, options)
    library = _library(options)
    foreign = [(given, run) for given in options.verilog for run in _runs_for(given, runs)]
    published = published_rows(options.published, list(by_data_set(runs))) if options.published else []
    words = {folder: text for own in by_data_set(runs).values() for folder, text in variants(own).items()}
    rows: list[Row] = []
    for given, run in foreign:
        effort = efforts[run.name]
        rows.append(foreign_row(given.path, given.label, run, effort, simulated=options.simulated))
        reporter.line(f"{run.folder}: {rows[-1].id} measured")
    for run in runs:
        for stage in options.stages:
            circuits = [Circuit.of(run, entry) for entry in run.chosen_of(stage, options.per_stage)]
            rows += _stage_rows(run, stage, circuits, words[run.folder], options.proved, reporter)
            if library and stage != TEXTBOOK:
                rows += _graph_rows(run, stage, circuits, words[run.folder], options.adder_graphs, reporter)
    return Comparison.of(runs, [*rows, *published], words, library, options.stages)


def _stage_rows(
    run: ComparedRun, stage: str, circuits: Sequence[Circuit], variant: str, proved: bool, reporter: Reporter
) -> Iterator[Row]:
    answers = levels_of(run.front_of(stage), run.exact_score)
    with reporter.bar(f"{run.name} {stage}", len(circuits)) as bar:
        for circuit in circuits:
            losses = [BEST if loss is None else loss for loss, e in answers.items() if e is circuit.entry]
            losses = [BEST] if stage in BASELINES else sorted(losses)
            yield circuit_row(circuit, stage, variant, tuple(losses), proved=proved)
            bar.step()


def _graph_rows(
    run: ComparedRun, stage: str, circuits: Sequence[Circuit], variant: str, most: int, reporter: Reporter
) -> Iterator[Row]:
    networks = [c for c in circuits if isinstance(c.model, DiscreteMLP) and c.netlist.instances]
    chosen = spread(networks, most)
    with reporter.bar(f"{run.name} {stage} as adder graphs", len(chosen)) as bar:
        for circuit in chosen:
            yield adder_row(circuit, variant)
            bar.step()


def _efforts(runs: Sequence[ComparedRun], options: Options) -> dict[str, str]:
    """By data set the effort of given Verilog: like with like, so that of the runs unless the user decides."""
    found = {}
    for name, own in by_data_set(runs).items():
        efforts = sorted({run.config.effort for run in own}, key=EFFORTS.index)
        if options.effort is None and len(efforts) > 1 and options.verilog:
            words = " and ".join(efforts)
            raise ConfigError(f"effort: the runs of {name} were mapped with {words}; choose one with --effort")
        found[name] = options.effort or efforts[-1]
    return found


def _library(options: Options) -> str | None:
    """Version of the adder graphs' library; None, with a warning, where it is asked for and missing."""
    version = library_version() if options.adder_graphs else None
    if options.adder_graphs and version is None:
        line = f"{LIBRARY} is not installed (pip install '.[{EXTRA}]'); adder graphs are left out"
        warnings.warn(line, PrintedMLPWarning, stacklevel=2)
    return version


def _runs_for(foreign: Foreign, runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """The runs on whose rows a stranger's circuit is measured: one for each split of its data set."""
    found = by_data_set(runs)
    if foreign.data_set is None and len(found) > 1:
        raise ConfigError(f"{foreign.path}: name its data set, FILE:LABEL@DATA_SET, of {', '.join(found)}")
    name = foreign.data_set or next(iter(found))
    if name not in found:
        raise ConfigError(f"{foreign.path}: no run of '{name}' is compared, only of {', '.join(found)}")
    return list({run.split: run for run in reversed(found[name])}.values())[::-1]


def check_place(out: Path) -> None:
    """Refuse, with a ConfigError, a folder that holds anything but an earlier comparison."""
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f"{out}: is no folder")
    entries = sorted(entry.name for entry in out.iterdir())
    try:
        earlier = parse_json((out / TABLE).read_text(encoding="utf-8")).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        earlier = False
    if entries and not earlier:
        raise ConfigError(f"{out}: holds '{entries[0]}' and is no comparison; choose another --out")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what the command line asks for; exit code 1 where adder graphs are left out."""
    given = parser().read(arguments)
    if not given.runs:
        raise ConfigError("runs: none given")
    options = Options(
        stages=tuple(dict.fromkeys(given.stages)),
        per_stage=given.per_stage,
        verilog=tuple(Foreign.parse(text) for text in given.verilog),
        adder_graphs=given.adder_graphs,
        published=given.published,
        effort=given.effort,
        proved=not given.no_proof,
        simulated=not given.no_simulation,
    )
    for place in (*given.runs, given.out):
        if not is_text(str(place)):
            raise ConfigError(f"{str(place)!r} is not UTF-8 text; the page could not link to it")
    check_place(given.out)
    with answer(as_json=given.json) as tell:
        found = compare(given.runs, options, Reporter(quiet=given.quiet, verbose=given.verbose))
        with whole_folder(given.out) as draft:
            for name, text in page_files(found, given.out).items():
                write_text(draft / name, text)
        words = "" if given.quiet else f"{comparison_text(found)}page: {given.out / PAGE}\n"
        tell(json_text({**found.to_json(), "page": str(given.out / PAGE)}) if given.json else words)
    return EXIT_MISSING if options.adder_graphs and found.library is None else EXIT_OK


def parser() -> CommandParser:
    """The command line of a comparison."""
    made = CommandParser("compare", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments="RUN ...")
    made.value(DATA, "runs", Kind("folders", Path, "str", "RUN"), "finished runs", nargs="*", shown=NEEDED)
    _shown(made)
    words = "CSV of others' figures: label,accuracy,area_cm2,power_mw[,data_set]"
    made.value(DATA, "--published", FILE, words)
    effort = "of the synthesis of given Verilog"
    made.value(CIRCUIT, "--effort", CHOICE, effort, shown="the runs'", choices=EFFORTS, metavar="EFFORT")
    made.flag(CIRCUIT, "--no-proof", "do not prove circuits that the runs have no proof of")
    made.flag(CIRCUIT, "--no-simulation", "do not simulate given Verilog beside its netlist")
    made.value(OUTPUT, "--out", FOLDER, "where page and data go", default=Path("compare"))
    return made.finish(settings=True)


def _shown(made: CommandParser) -> None:
    """Options that say which circuits are shown."""
    words = "circuits of these stages; ours is search and refine together"
    made.value(
        *(DATA, "--stages", CHOICE, words),
        default=USUAL_STAGES,
        metavar="STAGE",
        nargs="+",
        choices=STAGES,
    )
    number = Kind("integer 1..1000", whole(1, 1000), "int", "N")
    made.value(DATA, "--per-stage", number, "circuits of a stage, at most", default=PER_STAGE)
    words = "combinational Verilog, module top with ports inp and out, measured on the runs' test rows"
    files = Kind("files", str, "str", "FILE[:LABEL[@DATA_SET]]")
    made.value(DATA, "--verilog", files, words, default=(), nargs="+")
    words = f"build N networks of each stage with shared adders of {LIBRARY} too, {ADDER_GRAPHS} unless N is given"
    made.value(CIRCUIT, "--adder-graphs", number, words, default=0, nargs="?", const=ADDER_GRAPHS)


if __name__ == "__main__":
    sys.exit(run_command(main, when_interrupted=NOTHING_KEPT))
