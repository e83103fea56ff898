"""The options of printing defects."""

from __future__ import annotations

import argparse
from pathlib import Path

from flows.defect_figures import LOSSES, MOST_PRINTS, SIGMAS, THRESHOLD_SIGMAS, Settings
from flows.options import (
    DATA,
    DEFECTS,
    FILE,
    FOLDER,
    NEEDED,
    OUTPUT,
    SEED,
    TECHNOLOGY,
    CommandParser,
    Kind,
    integers,
    numbers,
)
from printedmlp.technology import BUILT_IN

DESCRIPTION = """\
What printing defects do to circuits.

Of a run of `design` every circuit of the front and the exact baseline are looked at on the test rows, which choose
nothing; each design's folder receives `defects.json`, and the run `defects.html`. Of anyone's Verilog the vectors
are a vector file or the test rows of a data set, as for `measure`. Single stuck-at faults, drawn prints at given
device yields, and spreads of delay, power and thresholds are told, with what is assumed."""
EXAMPLES = (
    ("runs/iris-s0-standard", "the circuits of a run"),
    ("runs/iris-s0-standard --device-yield 0.95,0.99 --loss 0.02", "what is assumed of printing"),
    ("top.v vectors.csv --out defects", "anyone's circuit"),
)
MISSING = "does not happen here"
RECORD, PAGE = "defects.json", "defects.html"


def _yields(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 0.95,0.99") from None
    for value in found:
        if not 0 < value <= 1:
            raise argparse.ArgumentTypeError(f"{value:g} is not above 0 and at most 1")
    return found


def parser() -> CommandParser:
    """The command line of defects."""
    made = CommandParser(
        "defects", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments="RUN | top.v vectors.csv"
    )
    target = Kind("folder or file", Path, "str", "target")
    made.value(DATA, "target", target, "run folder, or Verilog with ports inp and out", nargs="?", shown=NEEDED)
    rows = Kind("file or name", str, "str", "vectors")
    words = "for Verilog: vector file, or name or path of a data set"
    made.value(DATA, "vectors", rows, words, nargs="?", shown="none: the target is a run")
    made.value(DATA, "--split", SEED, "seed of a data set's split, for Verilog", default=0)
    _printing(made)
    cells = Kind("name or file", str, "str", "NAME")
    words = f"of Verilog: {', '.join(BUILT_IN)} or a TOML file of cells"
    made.value(TECHNOLOGY, "--technology", cells, words, default="egfet")
    made.value(TECHNOLOGY, "--liberty", FILE, "Liberty file of the cells to use instead")
    made.value(
        OUTPUT, "--out", FOLDER, f"where {RECORD} and {PAGE} go", shown="the run's folder; of Verilog nowhere"
    )
    return made.finish(settings=True)


def _printing(made: CommandParser) -> None:
    """Options that say what is assumed of printing."""
    usual = Settings()
    kind = Kind("shares such as 0.95,0.99", _yields, "float | tuple[float, ...] | str", "Y[,Y]")
    shown = ",".join(f"{value:g}" for value in usual.device_yields)
    words = "shares of devices that work"
    made.value(DEFECTS, "--device-yield", kind, words, default=usual.device_yields, shown=shown)
    share = numbers(*LOSSES, "SHARE")
    made.value(DEFECTS, "--loss", share, "accuracy that a working print may lose", default=usual.loss)
    prints = integers(1, MOST_PRINTS)
    made.value(DEFECTS, "--draws", prints, "prints drawn for every figure", default=usual.draws)
    made.value(DEFECTS, "--seed", SEED, "seed of the draws", default=usual.seed)
    words = "spread of a cell's delay and power: standard deviation of the logarithm"
    made.value(DEFECTS, "--sigma", numbers(*SIGMAS, "S"), words, default=usual.sigma)
    words = "standard deviation of a comparator's threshold"
    steps = numbers(*THRESHOLD_SIGMAS, "STEPS")
    made.value(DEFECTS, "--threshold-sigma", steps, words, unit="steps of the code", default=usual.threshold_sigma)
