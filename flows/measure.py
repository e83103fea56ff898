"""`python -m flows.measure top.v vectors.csv`: accuracy, cells, area, power and delay of anyone's circuit.

Takes any combinational Verilog with ports `inp` and `out`, feature 0 in the least significant bits of `inp`. A file
that instantiates only the technology's cells is measured as it is; any other is synthesised first, the netlist is
proved equal to it, and both are simulated beside each other. The vectors are a vector file (`x0,x1,...,class`, all
integers) or the test rows of a data set, split and quantised as `flows.design` does.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.burns import SAMPLE_RATE_HZ, block_words, power_and_timing, power_words
from flows.cli import run_command
from flows.run import json_text
from hdl.cells import verilog_text
from hdl.liberty import read_liberty
from hdl.power import static_power_mw
from hdl.synthesis import map_verilog, netlist_if_mapped, netlist_verilog
from hdl.timing import critical_path
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, DataError
from printedmlp.metrics import Metrics, evaluate
from printedmlp.preparation import prepare
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import Vectors, bits_per_feature, is_vector_file, read_vectors
from sim.runner import Options, compare

MOST_BYTES = 64 << 20
MOST_OUTPUTS = 16


@dataclass(frozen=True)
class Circuit:
    """A circuit as given and as mapped; `recipe` is None for one that came mapped."""

    verilog: str
    netlist: Netlist
    recipe: str | None


def figures_of(netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int) -> dict[str, Any]:
    """All figures of a mapped circuit on given vectors; the one place where a run's and a stranger's are made.

    Parameters
    ----------
    netlist : with vectors.codes.shape[1] * input_bits inputs.
    technology : the netlist's cells.
    vectors : rows whose codes fit `input_bits`.
    input_bits : bits of each feature.

    Returns
    -------
    JSON-ready: the metrics, "area_cm2", "cells", "cell_counts", "power_mw" and "delay_ms" by voltage, "max_rate_hz"
    at the technology's nominal voltage (None without a delay) and "delay_extrapolated".
    """
    timing = {voltage: critical_path(netlist, technology, voltage) for voltage in technology.voltages}
    rate_hz = timing[technology.nominal_voltage].max_rate_hz
    power = static_power_mw(netlist, technology, vectors.codes, input_bits)
    return {
        **accuracy_of(netlist, technology, vectors, input_bits).to_json(),
        "area_cm2": netlist.area_cm2(technology),
        "cells": len(netlist.instances),
        "cell_counts": netlist.cell_counts(),
        "power_mw": {f"{voltage:g}": power[voltage] for voltage in technology.voltages},
        "delay_ms": {f"{voltage:g}": report.delay_ms for voltage, report in timing.items()},
        "max_rate_hz": rate_hz if math.isfinite(rate_hz) else None,
        "delay_extrapolated": any(report.extrapolated for report in timing.values()),
    }


def accuracy_of(netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int) -> Metrics:
    """Metrics of a netlist's answers on the vectors; an output word beyond the classes counts as wrong."""
    values = simulate(netlist, technology, input_bits_of(vectors.codes, input_bits), len(vectors.y))
    answers = classes(netlist, values, len(vectors.y))
    return evaluate(vectors.y, answers, n_classes=vectors.n_classes, majority_class=vectors.majority_class)


def read_circuit(path: Path, technology: Technology, effort: str) -> Circuit:
    """Read a Verilog file; synthesise it unless it is mapped already.

    Raises
    ------
    DataError : the file cannot be read.
    ToolError : it is no usable combinational circuit; the message says why.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: is larger than {MOST_BYTES >> 20} MiB")
        verilog = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    if netlist := netlist_if_mapped(verilog, technology):
        return Circuit(verilog, netlist, None)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        mapped = map_verilog(verilog, technology, effort=effort, work_dir=Path(folder))
    return Circuit(verilog, mapped.netlist, mapped.recipe)


def check_figures(technology: Technology) -> None:
    """Refuse cells without the figures that power and timing need, before anything is computed with them.

    Raises
    ------
    ConfigError : naming the cell and what it lacks.
    """
    for cell in technology.cells.values():
        inputs = tuple(range(FIRST_INPUT, FIRST_INPUT + len(cell.inputs)))
        alone = Netlist(len(inputs), (Instance(cell.name, inputs),), (FIRST_INPUT + len(inputs),))
        static_power_mw(alone, technology, np.zeros((1, len(inputs)), dtype=np.uint8), 1)
        critical_path(alone, technology, technology.nominal_voltage)


@dataclass(frozen=True)
class Source:
    """Where the vectors come from: a vector file, or the test rows of a data set split as a run would."""

    name: str
    seed: int = 0
    label: str | None = None
    missing: str = "drop"
    official_split: bool = False
    group_duplicates: bool = False

    def vectors(self, bus_bits: int) -> Vectors:
        """The vectors for a circuit with so many input bits."""
        if is_vector_file(Path(self.name)):
            return read_vectors(Path(self.name), bus_bits)
        dataset = load_dataset(self.name, label=self.label, missing=self.missing)
        ready = prepare(
            dataset,
            seed=self.seed,
            input_bits=bits_per_feature(bus_bits, dataset.n_features),
            official_split=self.official_split,
            group_duplicates=self.group_duplicates,
        )
        return ready.vectors("test")


def simulate_both(circuit: Circuit, technology: Technology, vectors: Vectors, input_bits: int) -> int:
    """Simulate the given Verilog beside its netlist on the vectors and random ones; the number of vectors.

    Raises
    ------
    VerificationError : where they differ.
    """
    found = compare(
        circuit.verilog,
        netlist_verilog(circuit.netlist, technology),
        verilog_text(technology),
        vectors.codes,
        input_bits=input_bits,
        output_bits=len(circuit.netlist.outputs),
        options=Options(),
    )
    return int(found.record["vectors"]["total"])


def measure(
    verilog: Path,
    source: Source,
    technology: Technology,
    *,
    effort: str = "standard",
    simulated: bool = True,
    rate_hz: float = SAMPLE_RATE_HZ,
) -> dict[str, Any]:
    """Measure one file; see the module's docstring.

    Parameters
    ----------
    verilog : the circuit's file.
    source : where the vectors come from.
    technology : the cells.
    effort : of the synthesis.
    simulated : whether given Verilog and netlist are also simulated with Verilator.
    rate_hz : rows a second that switching power is counted at.
    """
    if source.seed < 0:
        raise ConfigError(f"seed: {source.seed} is negative")
    if not 0 < rate_hz < math.inf:
        raise ConfigError(f"rate: {rate_hz:g} Hz is no rate of samples")
    check_figures(technology)
    circuit = read_circuit(verilog, technology, effort)
    if (outputs := len(circuit.netlist.outputs)) > MOST_OUTPUTS:
        raise DataError(f"{verilog}: out has {outputs} bits; a class index has at most {MOST_OUTPUTS}")
    vectors = source.vectors(circuit.netlist.n_inputs)
    input_bits = bits_per_feature(circuit.netlist.n_inputs, vectors.codes.shape[1])
    checked = simulate_both(circuit, technology, vectors, input_bits) if simulated else 0
    return {
        "file": str(verilog),
        "vectors": source.name,
        "input_bits": input_bits,
        "n_classes": vectors.n_classes,
        "recipe": circuit.recipe,
        "simulated_vectors": checked,
        **figures_of(circuit.netlist, technology, vectors, input_bits),
        **power_and_timing(circuit.netlist, technology, vectors, input_bits, rate_hz=rate_hz),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of a measurement."""
    options = _parser().parse_args(arguments)
    technology = read_liberty(options.liberty) if options.liberty else load_technology(options.technology)
    source = Source(
        options.vectors,
        options.seed,
        options.label,
        options.missing,
        options.official_split,
        options.group_duplicates,
    )
    record = measure(
        options.verilog,
        source,
        technology,
        effort=options.effort,
        simulated=not options.no_simulation,
        rate_hz=options.rate,
    )
    nominal = f"{technology.nominal_voltage:g}"
    print(json_text(record) if options.json else measurement_text(record, nominal), end="")


def measurement_text(record: dict[str, Any], nominal: str) -> str:
    """The figures of one measurement for a person, totals at the nominal voltage."""
    low, high = record["interval"]
    origin = "as it is" if record["recipe"] is None else f"synthesised, recipe '{record['recipe']}'"
    simulated = (
        f"{record['simulated_vectors']} vectors, 0 mismatches" if record["simulated_vectors"] else "not done"
    )
    lines = [
        ("circuit", f"{record['file']} ({origin})"),
        ("accuracy", f"{record['accuracy']:.4f} (n = {record['n']}, 95 %: {low:.4f} to {high:.4f})"),
        ("balanced accuracy", f"{record['balanced_accuracy']:.4f}"),
        ("majority class", f"{record['majority_accuracy']:.4f}"),
        ("classes answered", f"{record['classes_predicted']} of {record['n_classes']}"),
        ("area", f"{record['area_cm2']:.6g} cm2"),
        ("cells", f"{record['cells']} ({', '.join(f'{n} {c}' for c, n in record['cell_counts'].items())})"),
        ("static power", _by_voltage(record["power_mw"], "mW")),
        ("total power", power_words(record["power"], nominal)),
        ("static by part", block_words(record["power"], nominal) or "none"),
        ("delay", _by_voltage(record["delay_ms"], "ms")),
        ("longest path", record["timing"]["path"]),
        ("simulation", f"given Verilog against netlist: {simulated}"),
    ]
    return "".join(f"{name:18} {value}\n" for name, value in lines)


def _by_voltage(values: dict[str, float], unit: str) -> str:
    return ", ".join(f"{value:.6g} {unit} at {voltage} V" for voltage, value in values.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flows.measure", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("verilog", type=Path, help="combinational Verilog, module top with ports inp and out")
    add("vectors", help="vector file, or name or path of a data set")
    add("--seed", type=int, default=0, metavar="N", help="seed of the data set's split (default: 0)")
    add("--label", metavar="COLUMN", help="class column of a CSV file (default: the last)")
    add("--missing", choices=("drop", "error"), default="drop", help="rows with missing cells (default: drop)")
    add("--official-split", action="store_true", help="the data set's own test rows (pendigits)")
    add("--group-duplicates", action="store_true", help="equal rows on one side of the split")
    add("--technology", default="egfet", metavar="NAME", help="built-in technology or TOML file (default: egfet)")
    add("--liberty", type=Path, metavar="FILE", help="Liberty file of the cells to use instead")
    add("--effort", choices=("quick", "standard", "thorough"), default="standard", help="synthesis effort")
    rate = "samples a second that switching power is counted at (default: 5)"
    add("--rate", type=float, default=SAMPLE_RATE_HZ, metavar="HZ", help=rate)
    add("--no-simulation", action="store_true", help="leave out the simulation of given Verilog beside its netlist")
    add("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
