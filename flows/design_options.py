"""The options of a design run: every setting of `flows.config`, and where the run lives."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from flows.config import BUDGETS, CHOICES, RANGES, DesignConfig, setting_types
from flows.options import (
    CHOICE,
    CIRCUIT,
    DATA,
    FILE,
    FOLDER,
    LIMITS,
    NEEDED,
    OUTPUT,
    SEARCH,
    TECHNOLOGY,
    TEXT,
    CommandParser,
    Kind,
    integer,
    number,
)
from printedmlp.objective import BALANCED
from printedmlp.technology import BUILT_IN

DESCRIPTION = """\
From a table to a folder of verified printed classifiers.

Each stage reads the files of those before it in the run folder and adds its own. The same command in the same
folder goes on where an earlier one stopped, and gives the same files as one that was never interrupted. Ctrl-C once
ends the searches and finishes with the front so far, twice breaks the run off."""
EXAMPLES = (
    ("measurements.csv", "the last column is the class"),
    ("iris --budget quick --seed 1", "a table that ships inside, another split"),
    ("measurements.csv --max-area 0.1 --metric macro_f1", "hard limit; what circuits are chosen by"),
    ("--config settings.toml --dry-run", "what would be done, and nothing is written"),
    ("measurements.csv --json --quiet > run.json", "for scripts"),
)
MISSING = "no circuit keeps to the limits, or one is refuted by proof or simulation"
PLACE = ("config", "out", "until", "fresh", "reference", "dry_run", "json", "quiet", "verbose")
"""Options that are no settings."""
BARE = {"int": "integer", "float": "number"}


def make_parser(stages: Sequence[str]) -> CommandParser:
    """The parser of `design`, which may stop after any of the stages."""
    parser = CommandParser("design", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments="[dataset]")
    words = "name of a data set, or path of a CSV file"
    parser.value(DATA, "dataset", Kind("name or file", str, "str", "dataset"), words, nargs="?", shown=NEEDED)
    _data(parser)
    _search(parser)
    _limits(parser)
    _circuit(parser)
    _technology(parser)
    place = "runs/<data set>-s<seed>-<budget>"
    parser.value(OUTPUT, "--out", FOLDER, "run folder", shown=place)
    last = stages[-1]
    parser.value(OUTPUT, "--until", CHOICE, "stop after this stage", default=last, choices=stages, metavar="STAGE")
    parser.flag(OUTPUT, "--fresh", "discard what the run folder holds")
    parser.flag(OUTPUT, "--dry-run", "say what would be done and how long it may take; write nothing")
    parser.value(OUTPUT, "--reference", FILE, "reference.json of `reference --on`, for the report's float ceiling")
    return parser.finish(settings=True)


def _data(parser: CommandParser) -> None:
    _setting(parser, DATA, "label", "name of the class column", shown="the last", metavar="COLUMN")
    _setting(parser, DATA, "missing", "what becomes of rows with missing cells")
    _setting(parser, DATA, "seed", "seed of split, training and random vectors")
    words = "the data set's own test rows (pendigits, cluster_escapers)"
    _setting(parser, DATA, "official_split", words)
    _setting(parser, DATA, "group_duplicates", "equal rows on one side of the split")
    _setting(parser, DATA, "input_bits", "bits of each quantised input")
    words = f"weights of wrong training rows by class: {BALANCED}, or numbers in the order of the output codes"
    default = "equal for accuracy, balanced for the other metrics"
    kind = Kind("balanced or numbers such as 1,2,5", _weights, "", "W")
    _setting(parser, DATA, "class_weights", words, kind=kind, shown=default)


def _search(parser: CommandParser) -> None:
    _setting(parser, SEARCH, "budget", "how long searches and synthesis work: seconds, minutes or an hour")
    for key, words in (
        ("restarts", "float trainings of the exact baseline"),
        ("population", "networks of the genetic search"),
        ("generations", "of the genetic search"),
        ("islands", "populations of the genetic search, which exchange members of their fronts"),
        ("chains", "annealing chains of the search"),
        ("proposals", "changes proposed by a chain at each level of error"),
        ("tree_generations", "generations of the search for decision trees"),
        ("candidates", "solutions of each stage that are synthesised"),
        ("refine_starts", "netlists refined gate by gate"),
        ("refine_moves", "moves of each netlist at each level of error"),
        ("power_moves", "moves for power of each netlist"),
        ("jitter", "most noisy copies of a training row in refinement"),
        ("crossover_rate", "pairs of parents that are crossed"),
        ("mutations_per_child", "genes changed in a child on average"),
        ("removal_share", "mutated masks that are cleared"),
        ("nearly_exact_share", "nearly exact part of the first population"),
        ("max_accuracy_loss", "loss of accuracy beyond which a solution of the genetic search is infeasible"),
    ):
        _setting(parser, SEARCH, key, words)
    _setting(
        parser, SEARCH, "teacher", "float network that the genetic trainers learn from, such as mlp", metavar="KEY"
    )
    _setting(parser, SEARCH, "teacher_copies", "most rows that it labels for each training row")


def _limits(parser: CommandParser) -> None:
    _setting(parser, LIMITS, "metric", "what circuits are chosen by")
    _setting(parser, LIMITS, "max_area", "largest cell area on the front", unit="cm2", shown="no limit")
    _setting(parser, LIMITS, "max_power", "largest power at the nominal voltage", unit="mW", shown="no limit")
    _setting(parser, LIMITS, "min_accuracy", "least validation value of the metric", shown="no limit")
    words = "device yield at which what prints are worth is an axis of the front"
    low, high = RANGES["fault_tolerance"]
    kind = Kind(f"share {low:g}..{high:g}", number, "", "YIELD")
    _setting(parser, LIMITS, "fault_tolerance", words, kind=kind, shown="no such axis")


def _circuit(parser: CommandParser) -> None:
    kind = Kind("integers such as 5 or 8,4", _sizes, "", "N[,N]")
    words = "neurons of each hidden layer"
    _setting(parser, CIRCUIT, "hidden", words, kind=kind, shown="the literature's for a known table")
    _setting(parser, CIRCUIT, "lsb", "lowest bit that the hidden QReLU keeps")
    _setting(parser, CIRCUIT, "msb", "highest bit that the hidden QReLU keeps")
    _setting(parser, CIRCUIT, "inputs", "codes of features, or also comparators' outputs")
    _setting(parser, CIRCUIT, "effort", "of the synthesis of what is reported", shown="as the budget")
    _setting(parser, CIRCUIT, "proof_time_limit", "for the proof of a circuit; 0 proves none", unit="s")
    _setting(parser, CIRCUIT, "random_vectors", "random vectors that each circuit is simulated with")
    _setting(parser, CIRCUIT, "simulator", "what simulates")


def _technology(parser: CommandParser) -> None:
    kind = Kind("name or file", str, "", "NAME")
    _setting(parser, TECHNOLOGY, "technology", f"{', '.join(BUILT_IN)} or a TOML file of cells", kind=kind)
    library = Kind("file", str, "", "FILE")
    _setting(parser, TECHNOLOGY, "liberty", "Liberty file of the cells to use instead", kind=library)
    _setting(parser, TECHNOLOGY, "sample_rate", "samples classified in a second", unit="Hz")
    words = "capacity of a battery whose life is told, beside --battery-v"
    _setting(parser, TECHNOLOGY, "battery_mah", words, unit="mAh", shown="no battery")
    _setting(parser, TECHNOLOGY, "battery_v", "its voltage, beside --battery-mah", unit="V", shown="no battery")


def _setting(
    parser: CommandParser,
    group: str,
    key: str,
    words: str,
    *,
    unit: str = "",
    kind: Kind | None = None,
    shown: str | None = None,
    metavar: str | None = None,
) -> None:
    """Add a setting of a design run; not given, it stays None, so that the settings file and the budget decide."""
    name = f"--{key.replace('_', '-')}"
    declared = setting_types()[key]
    if declared == "bool":
        parser.flag(group, name, words, default=None)
        return
    choices = CHOICES.get(key)
    parser.value(
        group,
        name,
        kind or (CHOICE if choices else _kind_of(key, declared)),
        words,
        unit=unit,
        shown=_default_of(key) if shown is None else shown,
        metavar=metavar or (key.upper() if choices else None),
        **({"choices": choices} if choices else {}),
    )


def _kind_of(key: str, declared: str) -> Kind:
    """Text, or a number in the range that the setting has."""
    bare = declared.split(" | ")[0]
    if bare not in BARE:
        return TEXT
    low, high = RANGES[key]
    if (low, high) == (0.0, 1.0):
        return Kind("share 0..1", number, "", "SHARE")
    return Kind(
        f"{BARE[bare]} {low:,}..{high:,}" if bare == "int" else f"{BARE[bare]} {low:g}..{high:g}",
        integer if bare == "int" else number,
        "",
        "N" if bare == "int" else "X",
    )


def _default_of(key: str) -> str:
    """A setting's default, or its values in the order of the budgets, for the help."""
    if key in BUDGETS["quick"]:
        return " / ".join(str(values[key]) for values in BUDGETS.values()) + " by budget"
    default: Any = {item.name: item.default for item in fields(DesignConfig)}[key]
    return "none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)


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


def settings_given(options: argparse.Namespace) -> dict[str, Any]:
    """The settings among what the command line holds, None where they are not given."""
    return {key: value for key, value in vars(options).items() if key not in PLACE}
