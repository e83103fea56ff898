"""`printedmlp measure top.v vectors.csv`: accuracy, cells, area, power and delay of anyone's circuit."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.burns import block_words, power_words
from flows.cli import NOTHING_KEPT, answer, run_command
from flows.feasible import feasibility_of, feasibility_words
from flows.figures import figures_of
from flows.front_ends import system_words
from flows.measure_options import parser
from flows.pictures import layout_words, write_pictures
from flows.progress import Reporter
from flows.run import json_text
from hdl.blocks import Blocks, blocks_of
from hdl.cells import verilog_text
from hdl.layout import Names
from hdl.liberty import read_liberty
from hdl.synthesis import map_verilog, netlist_if_mapped, netlist_verilog, read_netlist
from printedmlp.circuit import Netlist
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, DataError, PrintedMLPWarning, ToolError
from printedmlp.files import MEBIBYTE, read_text
from printedmlp.power_sources import USUAL, Use, use_of
from printedmlp.preparation import prepare
from printedmlp.technology import Technology, load_technology
from printedmlp.technology.figures import missing_figures
from printedmlp.units import digits, with_unit
from printedmlp.vectors import Vectors, bits_per_feature, is_vector_file, read_vectors
from sim.runner import Options, compare

FORMAT = "printedmlp.measurement"
MOST_BYTES = 64 * MEBIBYTE
MOST_OUTPUTS = 16


@dataclass(frozen=True)
class Circuit:
    """A circuit as given and as mapped; `recipe` is None for one that came mapped."""

    verilog: str
    netlist: Netlist
    recipe: str | None


def read_circuit(path: Path, technology: Technology, effort: str) -> Circuit:
    """Read a Verilog file; synthesise it unless it is mapped already.

    Raises
    ------
    DataError : the file cannot be read.
    ToolError : it is no usable combinational circuit; the message says why.
    """
    verilog = read_text(path, MOST_BYTES, "circuit")
    if netlist := netlist_if_mapped(verilog, technology):
        return Circuit(verilog, netlist, None)
    try:
        with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
            mapped = map_verilog(verilog, technology, effort=effort, work_dir=Path(folder))
    except ToolError:
        if any(re.search(rf"\b{re.escape(cell)}\b", verilog) for cell in technology.cells):
            # Cells without their modules cannot be synthesised; why the text is no netlist says more.
            read_netlist(verilog, technology)
        raise
    return Circuit(verilog, mapped.netlist, mapped.recipe)


def check_outputs(path: Path, netlist: Netlist) -> None:
    """Refuse, with a DataError, a circuit with more output bits than a class index has."""
    if (outputs := len(netlist.outputs)) > MOST_OUTPUTS:
        raise DataError(f"{path}: out has {outputs} bits; a class index has at most {MOST_OUTPUTS}")


def tell_missing_figures(technology: Technology) -> None:
    """Warn of figures that the cells lack, a line for each kind, before anything is computed without them."""
    for line in missing_figures(technology):
        warnings.warn(line, PrintedMLPWarning, stacklevel=2)


@dataclass(frozen=True)
class Source:
    """Where the vectors come from: a vector file, or the test rows of a data set split as a run would.

    Raises ConfigError for a seed that is negative.
    """

    name: str
    seed: int = 0
    label: str | None = None
    missing: str = "drop"
    official_split: bool = False
    group_duplicates: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed: {self.seed} is negative")

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
    use: Use = USUAL,
    layout: Path | None = None,
) -> dict[str, Any]:
    """Measure one file; see `flows.measure_options.DESCRIPTION`.

    Parameters
    ----------
    verilog : the circuit's file.
    source : where the vectors come from.
    technology : the cells.
    effort : of the synthesis.
    simulated : whether given Verilog and netlist are also simulated with Verilator.
    use : how it is to be powered, at how many samples a second.
    layout : folder that receives pictures of the circuit, see `flows.pictures`; None for no pictures.
    """
    tell_missing_figures(technology)
    circuit = read_circuit(verilog, technology, effort)
    check_outputs(verilog, circuit.netlist)
    vectors = source.vectors(circuit.netlist.n_inputs)
    input_bits = bits_per_feature(circuit.netlist.n_inputs, vectors.codes.shape[1])
    blocks = blocks_of(circuit.netlist, technology)
    figures = figures_of(circuit.netlist, technology, vectors, input_bits, rate_hz=use.rate_hz, blocks=blocks)
    checked = simulate_both(circuit, technology, vectors, input_bits) if simulated else 0
    return {
        "file": str(verilog),
        "vectors": source.name,
        "input_bits": input_bits,
        "n_classes": vectors.n_classes,
        "recipe": circuit.recipe,
        "simulated_vectors": checked,
        **figures,
        "feasibility": feasibility_of(figures, technology, use),
        "layout": _pictured(layout, verilog, circuit, blocks, technology, vectors, source.seed) if layout else None,
    }


def _pictured(
    folder: Path,
    verilog: Path,
    circuit: Circuit,
    blocks: Blocks,
    technology: Technology,
    vectors: Vectors,
    seed: int,
) -> dict[str, Any]:
    """Write a stranger's pictures; its features are called as in a vector file."""
    n = vectors.codes.shape[1]
    names = Names(verilog.stem, circuit.netlist.n_inputs // n, tuple(f"x{feature}" for feature in range(n)))
    rng = np.random.default_rng(seed)
    return write_pictures(folder, circuit.netlist, technology, names, rng, seed=seed, blocks=blocks)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of a measurement."""
    options = parser().read(arguments)
    for name in ("verilog", "vectors"):
        if getattr(options, name) is None:
            raise ConfigError(f"{name}: none given")
    with answer(as_json=options.json) as tell:
        record, nominal = _asked(options)
        words = "" if options.quiet else measurement_text(record, nominal)
        tell(json_text(record) if options.json else words)


def _asked(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The measurement that was asked for, and the nominal voltage."""
    reporter = Reporter(quiet=options.quiet or not options.verbose, verbose=options.verbose)
    technology = read_liberty(options.liberty) if options.liberty else load_technology(options.technology)
    source = Source(
        options.vectors,
        options.seed,
        options.label,
        options.missing,
        options.official_split,
        options.group_duplicates,
    )
    reporter.line(f"{options.verilog} on {options.vectors}, cells {technology.name}")
    use = use_of(options.sample_rate, options.battery_mah, options.battery_v)
    record = measure(
        options.verilog,
        source,
        technology,
        effort=options.effort,
        simulated=not options.no_simulation,
        use=use,
        layout=options.layout,
    )
    reporter.line("measured")
    return {"format": FORMAT, **record}, f"{technology.nominal_voltage:g}"


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
        ("area", f"{digits(record['area_cm2'], 6)} cm2"),
        ("cells", f"{record['cells']} ({', '.join(f'{n} {c}' for c, n in record['cell_counts'].items())})"),
        ("static power", _by_voltage(record["power_mw"], "mW")),
        *((("power", words),) if (words := power_words(record["power"], nominal)) else ()),
        *((("static by part", words),) if (words := block_words(record["power"], nominal)) else ()),
        ("delay", _by_voltage(record["delay_ms"], "ms")),
        *((("longest path", record["timing"]["path"]),) if record["timing"] else ()),
        *((("power source", words),) if (words := feasibility_words(record)) else ()),
        *((("with sensors", words),) if (words := system_words(record)) else ()),
        *((("layout", words),) if (words := layout_words(record["layout"])) else ()),
        ("simulation", f"given Verilog against netlist: {simulated}"),
    ]
    return "".join(f"{name:18} {value}\n" for name, value in lines)


def _by_voltage(values: dict[str, float | None], unit: str) -> str:
    known = {voltage: value for voltage, value in values.items() if value is not None}
    if len(known) < len(values):
        return "no figures"
    return ", ".join(f"{with_unit(value, unit, n=6)} at {voltage} V" for voltage, value in known.items())


if __name__ == "__main__":
    sys.exit(run_command(main, when_interrupted=NOTHING_KEPT))
