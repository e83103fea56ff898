"""How large the sheets of printed classifiers are, and what placement does for their wires.

    python -m benchmarks.layout [--folder runs/published] [--seed 0] [--json FILE] [DATA_SET ...]
    python -m benchmarks.layout --run RUN

Reads finished runs: the exact networks and of every stage the circuit of most merit. Sheets and wire lengths are
estimates (docs/layout.md). "random" is the wire length of a placement over that of cells anywhere on a sheet made
alike, "start" over that of the placement before annealing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.run_circuits import RunCircuit, parser_of, run_circuits, run_folder
from benchmarks.tables import table
from hdl.placement import check_placement, place, random_placement
from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import Technology, load_technology

Record = dict[str, Any]


def measured(circuit: RunCircuit, technology: Technology) -> Record:
    """The layout of one circuit against chance, and how long it took."""
    start = time.monotonic()
    placement = place(circuit.netlist, technology, np.random.default_rng(0))
    seconds = time.monotonic() - start
    by_chance = random_placement(circuit.netlist, technology, np.random.default_rng(0))
    assert not check_placement(circuit.netlist, technology, placement)
    sheet, length = placement.sheet, placement.wire_length_mm
    return {
        "circuit": f"{circuit.data_set} {circuit.stage}",
        "cells": len(circuit.netlist.instances),
        "cell_area_mm2": placement.area_mm2,
        "sheet_mm": [sheet.width_mm, sheet.height_mm],
        "utilisation": placement.utilisation,
        "wire_length_mm": length,
        "of_random": length / by_chance.wire_length_mm if by_chance.wire_length_mm else None,
        "of_start": length / placement.start_length_mm if placement.start_length_mm else None,
        "wires_per_channel": placement.wires_per_channel,
        "seconds": seconds,
    }


def row(r: Record) -> list[str]:
    """One circuit's line."""
    width, height = r["sheet_mm"]
    ratios = [f"{r[key]:.2f}" if r[key] is not None else "–" for key in ("of_random", "of_start")]
    return [
        r["circuit"],
        str(r["cells"]),
        f"{r['cell_area_mm2']:.3g}",
        f"{width:.3g} × {height:.3g}",
        f"{r['utilisation']:.0%}",
        f"{r['wire_length_mm']:.3g}",
        *ratios,
        f"{r['wires_per_channel']:.1f}",
        f"{r['seconds']:.2f}",
    ]


def warm_up(technology: Technology) -> None:
    """Have the kernels compiled, which is no placement's time."""
    name = next(iter(technology.cells))
    pins = (2,) * len(technology.cells[name].inputs)
    place(Netlist(1, (Instance(name, pins), Instance(name, pins)), (3, 4)), technology, np.random.default_rng(0))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = parser_of("layout", __doc__)
    parser.add_argument("--run", type=Path, metavar="RUN", help="one run's folder, instead of data sets")
    options = parser.parse_args(arguments)
    technology = load_technology("egfet")
    warm_up(technology)
    folders = [options.run] if options.run else [run_folder(options, name) for name in options.datasets]
    records = [measured(circuit, technology) for folder in folders for circuit in run_circuits(folder, technology)]
    head = [
        "circuit",
        "cells",
        "cells mm²",
        "sheet mm",
        "used",
        "wires mm",
        "of random",
        "of start",
        "a channel",
    ]
    print(table([*head, "s"], [row(r) for r in records]))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
