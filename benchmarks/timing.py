"""How fast printed classifiers are, and what they wait for.

    python -m benchmarks.timing [--folder runs/published] [--seed 0] [--json FILE] [DATA_SET ...]

Reads finished runs: the exact networks and of every stage the circuit of most merit. Static timing over the netlist
from the delay tables at every voltage; the longest path at 1 V is named from the feature's bit to the class's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.run_circuits import RunCircuit, parsed, run_circuits, run_folder
from benchmarks.tables import table
from flows.burns import comparator_names
from hdl.blocks import blocks_of
from hdl.paths import path_text
from hdl.timing import critical_path
from printedmlp.technology import Technology, load_technology

Record = dict[str, Any]


def measured(circuit: RunCircuit, technology: Technology) -> Record:
    """Delays of one circuit, its longest path, and how long that took."""
    start = time.monotonic()
    reports = {f"{v:g}": critical_path(circuit.netlist, technology, v) for v in technology.voltages}
    seconds = time.monotonic() - start
    nominal = reports[f"{technology.nominal_voltage:g}"]
    blocks = blocks_of(circuit.netlist, technology, circuit.model).renamed(comparator_names(circuit.feature_names))
    return {
        "circuit": f"{circuit.data_set} {circuit.stage}",
        "cells": len(circuit.netlist.instances),
        "delay_ms": {v: report.delay_ms for v, report in reports.items()},
        "path_cells": len(nominal.path),
        "extrapolated": nominal.extrapolated,
        "path": path_text(nominal, blocks, circuit.feature_names, circuit.input_bits),
        "seconds": seconds,
    }


def row(r: Record) -> list[str]:
    """One circuit's line."""
    delays = [f"{delay:.3g}" for delay in r["delay_ms"].values()]
    rates = [f"{1000 / delay:.3g}" if delay else "–" for delay in r["delay_ms"].values()]
    flag = "yes" if r["extrapolated"] else "no"
    return [r["circuit"], str(r["cells"]), *delays, *rates, str(r["path_cells"]), flag, f"{r['seconds']:.2f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    options = parsed("timing", __doc__, arguments)
    technology = load_technology("egfet")
    folders = [run_folder(options, name) for name in options.datasets]
    records = [measured(circuit, technology) for folder in folders for circuit in run_circuits(folder, technology)]
    voltages = [f"{v:g}" for v in technology.voltages]
    head = ["circuit", "cells", *(f"ms {v} V" for v in voltages), *(f"Hz {v} V" for v in voltages)]
    print(table([*head, "cells on path", "extrapolated", "s"], [row(r) for r in records]), end="\n\n")
    print(table(["circuit", "longest path at 1 V"], [[r["circuit"], r["path"]] for r in records if r["cells"]]))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
