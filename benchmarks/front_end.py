"""What the sensors cost beside the classifiers: comparators needed, and area and power with every front end.

    python -m benchmarks.front_end [--json FILE] RUN [RUN ...]

A run is a folder of `flows.design` in which refinement is done. Of every stage the circuit with the highest score
on the rows that choose is taken, and of refinement also the smallest ones within some points of it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import table
from flows.mapping import REFINE, SEARCH, TREE, VERILOG, Entry, model_of
from hdl.front_end import Cost, front_end, system
from hdl.power import static_power_mw
from hdl.synthesis import equivalent, map_verilog, netlist_verilog, read_netlist
from hdl.thermometer import ThermometerInputs, netlist_of_codes, thermometer_tree_verilog, thermometer_verilog
from hdl.thresholds import needed_thresholds
from printedmlp.circuit import Netlist
from printedmlp.circuit.spare import all_runs, without_spare_gates
from printedmlp.technology import Technology, load_technology
from printedmlp.trees import DecisionTree
from printedmlp.vectors import read_vectors

MOVES = 200_000
"""Proposals that look for gates which only patterns need that never occur."""
LOSSES = (0.0, 2.0, 5.0)
"""Points below the highest score within which refinement's smallest circuits are taken."""
HEAD = (
    "run",
    "stage",
    "score",
    "classifier, cm² / mW",
    "inputs",
    "comparators",
    "full",
    "pruned",
    "thermometer",
    "of it gates",
)


def chosen(found: list[Entry]) -> Iterator[Entry]:
    """The best circuit of each stage, and the smallest refined ones near the best; each once."""
    seen: set[str] = set()
    for stage in (TREE, SEARCH, REFINE):
        own = [e for e in found if e["stage"] == stage]
        best = max((e["merit"] for e in own), default=0.0)
        for loss in LOSSES if stage == REFINE else LOSSES[:1]:
            able = [e for e in own if e["merit"] >= best - loss / 100 - 1e-9]
            smallest = min(able, key=lambda e: (e["area_cm2"], e["key"]), default=None)
            if smallest and smallest["netlist_file"] not in seen:
                seen.add(smallest["netlist_file"])
                yield smallest


def measured(run: Path, technology: Technology) -> Iterator[dict[str, Any]]:
    """The figures of one run's circuits."""
    record = json.loads((run / "dataset.json").read_text(encoding="utf-8"))
    bits = json.loads((run / "quantiser.json").read_text(encoding="utf-8"))["input_bits"]
    codes = read_vectors(run / "vectors" / "test.csv", len(record["feature_names"]) * bits).codes
    found = json.loads((run / "search" / "candidates.json").read_text(encoding="utf-8"))
    found += json.loads((run / "search" / "refine.json").read_text(encoding="utf-8"))["found"]
    for entry in chosen(found):
        text = json.loads((run / entry["netlist_file"]).read_text(encoding="utf-8"))["netlist"]
        yield {"run": run.name, **figures(entry, read_netlist(text, technology), codes, bits, technology)}


def figures(
    entry: Entry, netlist: Netlist, codes: NDArray[np.uint8], bits: int, technology: Technology
) -> dict[str, Any]:
    """One circuit with every front end, at the nominal voltage."""
    thresholds = needed_thresholds(netlist, technology, codes, bits)
    found = front_end(thresholds, technology, codes, bits)
    assert found is not None
    classifier = cost(netlist, codes, bits, technology)
    second = thermometer(entry, netlist, ThermometerInputs(thresholds, bits), codes, technology)
    return {
        "stage": entry["stage"],
        "merit": entry["merit"],
        "classifier": classifier.to_json(),
        "front_end": found,
        "full": system(classifier, found["full"]),
        "pruned": system(classifier, found["pruned"]),
        "thermometer": system(second, found["bespoke"]) if second else None,
        "thermometer_gates": second.to_json() if second else None,
    }


def cost(netlist: Netlist, codes: NDArray[np.uint8], bits: int, technology: Technology) -> Cost:
    """Area and static power of a netlist."""
    power = static_power_mw(netlist, technology, codes, bits)
    return Cost(netlist.area_cm2(technology), power[technology.nominal_voltage])


def thermometer(
    entry: Entry, netlist: Netlist, inputs: ThermometerInputs, codes: NDArray[np.uint8], technology: Technology
) -> Cost | None:
    """The circuit on comparators' outputs, proved equal; None where it needs no input."""
    if not inputs.places:
        return None
    model, width = model_of(entry), len(netlist.outputs)
    if isinstance(model, DecisionTree):
        rtl = thermometer_tree_verilog(model, inputs)
    else:
        rtl = thermometer_verilog(VERILOG[entry["stage"]](model), inputs, width)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        mapped = map_verilog(rtl, technology, effort="quick", work_dir=Path(folder)).netlist
        if (runs := all_runs(inputs.thresholds.levels)) is not None:
            mapped = without_spare_gates(mapped, technology, inputs.of(runs), MOVES, np.random.default_rng(0))
        (proof := Path(folder, "proof")).mkdir()
        standing = netlist_of_codes(netlist_verilog(mapped, technology), inputs, width, technology)
        if equivalent(standing, netlist, technology, work_dir=proof) is not None:
            raise SystemExit(f"{entry['key']}: the circuit on comparators' outputs answers otherwise")
    return cost(mapped, inputs.of(codes), 1, technology)


def row(result: dict[str, Any]) -> list[str]:
    """One circuit's line."""
    pairs = [pair(result[kind]) for kind in ("full", "pruned", "thermometer", "thermometer_gates")]
    counts = [str(result["front_end"][key]) for key in ("inputs", "comparators")]
    name = [result["run"], result["stage"], f"{result['merit']:.1%}", pair(result["classifier"])]
    return [*name, *counts, *pairs]


def pair(figures: dict[str, Any] | None) -> str:
    """Area and power in three digits."""
    return f"{figures['area_cm2']:.3g} / {figures['power_mw']:.3g}" if figures else "–"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    technology = load_technology("egfet")
    results = [result for run in options.runs for result in measured(run, technology)]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(HEAD, [row(result) for result in results]))


if __name__ == "__main__":
    main()
