"""The options of a measurement."""

from __future__ import annotations

from pathlib import Path

from flows.options import (
    CHOICE,
    CIRCUIT,
    DATA,
    FILE,
    FOLDER,
    NEEDED,
    OUTPUT,
    TECHNOLOGY,
    CommandParser,
    Kind,
    numbers,
    split_options,
)
from printedmlp.power_sources import CAPACITIES_MAH, DEFAULT_RATE_HZ, RATES_HZ, VOLTAGES_V
from printedmlp.technology import BUILT_IN

DESCRIPTION = """\
Accuracy, cells, area, power and delay of anyone's circuit.

Takes any combinational Verilog with ports `inp` and `out`, feature 0 in the least significant bits of `inp`. A file
that instantiates only the technology's cells is measured as it is; any other is synthesised first, the netlist is
proved equal to it, and both are simulated beside each other. The vectors are a vector file (`x0,x1,...,class`, all
integers) or the test rows of a data set, split and quantised as `design` does."""
EXAMPLES = (
    ("top.v vectors.csv", "rows as integers, the last column is the class"),
    ("top.v breast_cancer_diagnostic --seed 0", "the test rows of a split of `design`"),
    ("top.v vectors.csv --json", "for scripts"),
)
MISSING = "the simulation finds that netlist and Verilog differ"
EFFORTS = ("quick", "standard", "thorough")


def parser() -> CommandParser:
    """The command line of a measurement."""
    made = CommandParser(
        "measure", DESCRIPTION, examples=EXAMPLES, missing=MISSING, arguments="top.v vectors.csv|DATA_SET"
    )
    words = "combinational Verilog, module top with ports inp and out"
    made.value(DATA, "verilog", Kind("file", Path, "str", "verilog"), words, nargs="?", shown=NEEDED)
    kind = Kind("file or name", str, "str", "vectors")
    made.value(DATA, "vectors", kind, "vector file, or name or path of a data set", nargs="?", shown=NEEDED)
    split_options(made)
    made.value(
        CIRCUIT, "--effort", CHOICE, "of the synthesis", default="standard", choices=EFFORTS, metavar="EFFORT"
    )
    made.flag(CIRCUIT, "--no-simulation", "leave out the simulation of given Verilog beside its netlist")
    _power(made)
    made.value(OUTPUT, "--layout", FOLDER, "write layout (GDSII, SVG, PNG) and schematic there")
    return made.finish(settings=True)


def _power(made: CommandParser) -> None:
    cells = Kind("name or file", str, "str", "NAME")
    made.value(TECHNOLOGY, "--technology", cells, f"{', '.join(BUILT_IN)} or a TOML file of cells", default="egfet")
    made.value(TECHNOLOGY, "--liberty", FILE, "Liberty file of the cells to use instead")
    rate, capacity = (
        "samples classified in a second",
        "capacity of a battery whose life is told, beside --battery-v",
    )
    hertz, voltage = numbers(*RATES_HZ, "X"), "its voltage, beside --battery-mah"
    made.value(TECHNOLOGY, "--sample-rate", hertz, rate, unit="Hz", default=DEFAULT_RATE_HZ)
    of_capacity, of_voltage = numbers(*CAPACITIES_MAH, "X"), numbers(*VOLTAGES_V, "X")
    made.value(TECHNOLOGY, "--battery-mah", of_capacity, capacity, unit="mAh", shown="no battery")
    made.value(TECHNOLOGY, "--battery-v", of_voltage, voltage, unit="V", shown="no battery")
