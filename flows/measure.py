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
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.cli import run_command
from flows.feasible import feasibility_of, feasibility_words
from flows.front_ends import front_ends_of, system_words
from flows.run import json_text
from hdl.cells import verilog_text
from hdl.liberty import read_liberty
from hdl.power import static_power_mw
from hdl.synthesis import map_verilog, netlist_if_mapped, netlist_verilog
from hdl.timing import TimingReport, critical_path
from printedmlp.circuit import Netlist
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, DataError, PrintedMLPWarning
from printedmlp.metrics import Metrics, evaluate
from printedmlp.power_sources import DEFAULT_RATE_HZ, Use, use_of
from printedmlp.preparation import prepare
from printedmlp.technology import BUILT_IN, Technology, load_technology
from printedmlp.technology.figures import missing_figures
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
    JSON-ready: the metrics, "area_cm2", "cells", "cell_counts", "power_mw" and "delay_ms" by voltage (None where
    the technology has no figures), "max_rate_hz" at the technology's nominal voltage (None without a delay),
    "delay_extrapolated", and "front_end" and "system" of `flows.front_ends`.
    """
    timing = timing_of(netlist, technology)
    nominal = timing[technology.nominal_voltage]
    rate_hz = nominal.max_rate_hz if nominal else math.inf
    power = power_of(netlist, technology, vectors.codes, input_bits)
    return {
        **accuracy_of(netlist, technology, vectors, input_bits).to_json(),
        "area_cm2": netlist.area_cm2(technology),
        "cells": len(netlist.instances),
        "cell_counts": netlist.cell_counts(),
        "power_mw": {f"{voltage:g}": power[voltage] for voltage in technology.voltages},
        "delay_ms": {f"{voltage:g}": report.delay_ms if report else None for voltage, report in timing.items()},
        "max_rate_hz": rate_hz if math.isfinite(rate_hz) else None,
        **front_ends_of(netlist, technology, vectors, input_bits, power[technology.nominal_voltage]),
        "delay_extrapolated": any(report.extrapolated for report in timing.values() if report),
    }


def power_of(
    netlist: Netlist, technology: Technology, codes: NDArray[np.uint8], input_bits: int
) -> dict[float, float | None]:
    """Static power in mW by voltage over rows of codes; None where the technology does not know it of all cells."""
    if technology.without_power:
        return dict.fromkeys(technology.voltages)
    return {**static_power_mw(netlist, technology, codes, input_bits)}


def timing_of(netlist: Netlist, technology: Technology) -> dict[float, TimingReport | None]:
    """The longest path by voltage; None where the technology does not know the delays of all cells."""
    if technology.without_delay:
        return dict.fromkeys(technology.voltages)
    return {voltage: critical_path(netlist, technology, voltage) for voltage in technology.voltages}


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


def tell_missing_figures(technology: Technology) -> None:
    """Warn of figures that the cells lack, a line for each kind, before anything is computed without them."""
    for line in missing_figures(technology):
        warnings.warn(line, PrintedMLPWarning, stacklevel=2)


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
    use: Use | None = None,
) -> dict[str, Any]:
    """Measure one file; see the module's docstring.

    Parameters
    ----------
    verilog : the circuit's file.
    source : where the vectors come from.
    technology : the cells.
    effort : of the synthesis.
    simulated : whether given Verilog and netlist are also simulated with Verilator.
    use : how it is to be powered; None for the usual rate and no battery.
    """
    if source.seed < 0:
        raise ConfigError(f"seed: {source.seed} is negative")
    tell_missing_figures(technology)
    circuit = read_circuit(verilog, technology, effort)
    if (outputs := len(circuit.netlist.outputs)) > MOST_OUTPUTS:
        raise DataError(f"{verilog}: out has {outputs} bits; a class index has at most {MOST_OUTPUTS}")
    vectors = source.vectors(circuit.netlist.n_inputs)
    input_bits = bits_per_feature(circuit.netlist.n_inputs, vectors.codes.shape[1])
    figures = figures_of(circuit.netlist, technology, vectors, input_bits)
    checked = simulate_both(circuit, technology, vectors, input_bits) if simulated else 0
    return {
        "file": str(verilog),
        "vectors": source.name,
        "input_bits": input_bits,
        "n_classes": vectors.n_classes,
        "recipe": circuit.recipe,
        "simulated_vectors": checked,
        **figures,
        "feasibility": feasibility_of(figures, technology, use or Use()),
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
    use = use_of(options.sample_rate, options.battery_mah, options.battery_v)
    record = measure(
        options.verilog, source, technology, effort=options.effort, simulated=not options.no_simulation, use=use
    )
    print(json_text(record) if options.json else measurement_text(record), end="")


def measurement_text(record: dict[str, Any]) -> str:
    """The figures of one measurement for a person."""
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
        ("delay", _by_voltage(record["delay_ms"], "ms")),
        *((("power source", words),) if (words := feasibility_words(record)) else ()),
        *((("with sensors", words),) if (words := system_words(record)) else ()),
        ("simulation", f"given Verilog against netlist: {simulated}"),
    ]
    return "".join(f"{name:18} {value}\n" for name, value in lines)


def _by_voltage(values: dict[str, float | None], unit: str) -> str:
    if None in values.values():
        return "no figures"
    return ", ".join(f"{value:.6g} {unit} at {voltage} V" for voltage, value in values.items())


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


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
    add(
        "--technology",
        default="egfet",
        metavar="NAME",
        help=f"{', '.join(BUILT_IN)} or a TOML file (default: egfet)",
    )
    add("--liberty", type=Path, metavar="FILE", help="Liberty file of the cells to use instead")
    add(
        "--sample-rate", type=_positive, default=DEFAULT_RATE_HZ, metavar="HZ", help="samples a second (default: 5)"
    )
    add("--battery-mah", type=_positive, metavar="MAH", help="capacity of a battery whose life is to be told")
    add("--battery-v", type=_positive, metavar="V", help="its voltage")
    add("--effort", choices=("quick", "standard", "thorough"), default="standard", help="synthesis effort")
    add("--no-simulation", action="store_true", help="leave out the simulation of given Verilog beside its netlist")
    add("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(run_command(main))
