"""Where the power of printed classifiers goes: static and switching, by voltage, by block, and per area.

    python -m benchmarks.power [--folder runs/published] [--seed 0] [--json FILE] [DATA_SET ...]

Reads finished runs: the exact networks and of every stage the circuit of most merit. Static power is weighted by
the states that the test rows cause; switching counts the transitions from each test row to the next at 5 rows a
second, or at the highest rate of a circuit that is slower. "shuffled" is how many times more that is with the rows
in random order; "all glitches" adds those of gates that are all equally slow and pass every pulse, more than print
shows. The last table sets the exact cardio network beside the figures that are reported of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.run_circuits import RunCircuit, parsed, run_circuits, run_folder
from benchmarks.tables import table
from flows.burns import power_and_timing
from flows.mapping import EXACT, TEXTBOOK
from hdl.power import power_profile
from printedmlp.technology import Technology, load_technology

Record = dict[str, Any]
REPORTED_CARDIO = (33.4, 97.0, 124.0)
"""Area in cm2 and lowest and highest power in mW at 1 V reported of the exact cardio network."""
FASTEST = 1e9
"""A rate beyond every circuit's, at which each is counted at its own highest one."""


def measured(circuit: RunCircuit, technology: Technology) -> Record:
    """The figures of one circuit, at the quoted rate and at its highest."""
    given = (circuit.netlist, technology, circuit.vectors, circuit.input_bits)
    record = power_and_timing(*given, classifier=circuit.model, feature_names=circuit.feature_names)["power"]
    fastest = power_and_timing(*given, rate_hz=FASTEST)["power"] if circuit.netlist.instances else record
    profile = power_profile(circuit.netlist, technology, circuit.vectors.codes, circuit.input_bits, glitches=True)
    nominal = technology.nominal_voltage
    with_glitches = profile.at(nominal, record["sample_rate_hz"][f"{nominal:g}"]).leakage_share_with_glitches
    return {
        "data_set": circuit.data_set,
        "stage": circuit.stage,
        "cells": len(circuit.netlist.instances),
        "area_cm2": circuit.netlist.area_cm2(technology),
        "leakage_share_with_glitches": with_glitches,
        "shuffled": shuffled(circuit, technology),
        "fastest": {key: fastest[key]["1"] for key in ("sample_rate_hz", "leakage_share")},
        **record,
    }


def shuffled(circuit: RunCircuit, technology: Technology) -> float | None:
    """Switching energy a row at the nominal voltage with the rows in random order, over that in the table's."""
    codes, nominal = circuit.vectors.codes, technology.nominal_voltage
    mixed = np.random.default_rng(0).permutation(codes)
    found = (
        power_profile(circuit.netlist, technology, X, circuit.input_bits).at(nominal, 1.0) for X in (codes, mixed)
    )
    own, other = (power.switching_mw for power in found)
    return other / own if own and other is not None else None


def total_row(r: Record) -> list[str]:
    """One circuit's line: static power by voltage, and what switching adds."""
    statics = [f"{r['static_mw'][v]:.3g}" for v in r["static_mw"]]
    shares = [_share(r["leakage_share"][v]) for v in r["leakage_share"]]
    load = r["load_mw"]["1"] / r["switching_mw"]["1"] if r["switching_mw"]["1"] else None
    fastest = _share(r["fastest"]["leakage_share"]), f"{r['fastest']['sample_rate_hz']:.3g}"
    rate, switching = f"{r['sample_rate_hz']['1']:.3g}", f"{r['switching_mw']['1']:.2g}"
    head = [f"{r['data_set']} {r['stage']}", str(r["cells"]), f"{r['area_cm2']:.3g}"]
    glitches = _share(r["leakage_share_with_glitches"])
    mixed = "–" if r["shuffled"] is None else f"{r['shuffled']:.2f}"
    return [*head, *statics, rate, switching, mixed, _share(load), *shares, glitches, *fastest]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def block_row(r: Record) -> list[str]:
    """One circuit's line: its blocks by static power, and how sure the attribution is."""
    parts = sorted(r["by_block"], key=lambda part: -part["static_mw"]["1"])
    total = sum(part["static_mw"]["1"] for part in parts)
    shares = ", ".join(f"{part['name']} {part['static_mw']['1'] / total:.0%}" for part in parts[:8])
    more = f", {len(parts) - 8} more" if len(parts) > 8 else ""
    return [
        f"{r['data_set']} {r['stage']}",
        shares + more,
        _share(r["blocks_matched"]),
        _share(r["blocks_recovered"]),
    ]


def cell_rows(records: Sequence[Record]) -> list[list[str]]:
    """Power by cell type over all circuits, at 1 V."""
    names = sorted({part["name"] for r in records for part in r["by_cell"]})
    rows = []
    for name in names:
        own = [part for r in records for part in r["by_cell"] if part["name"] == name]
        cells, static = sum(part["cells"] for part in own), sum(part["static_mw"]["1"] for part in own)
        switching = sum(part["switching_mw"]["1"] for part in own)
        mean = 1000 * static / cells
        rows.append([name, str(cells), f"{static:.3g}", f"{mean:.3g}", f"{switching:.2g}"])
    return rows


def reported_rows(records: Sequence[Record]) -> list[list[str]]:
    """The exact cardio network in both forms beside the reported one."""
    area, low, high = REPORTED_CARDIO
    rows = [
        ["reported", "–", f"{area:g}", f"{low:g} to {high:g}", f"{low / area:.2f} to {high / area:.2f}", "–", "–"]
    ]
    for r in records:
        if r["data_set"] == "cardio" and r["stage"] in (EXACT, TEXTBOOK):
            total, cells = r["total_mw"]["1"], r["cells"]
            per_cell = f"{100 * r['area_cm2'] / cells:.3f}", f"{1000 * total / cells:.2f}"
            ours = [str(cells), f"{r['area_cm2']:.1f}", f"{total:.1f}", f"{total / r['area_cm2']:.2f}"]
            rows.append([f"ours, {r['stage']} form", *ours, *per_cell])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    options = parsed("power", __doc__, arguments)
    technology = load_technology("egfet")
    folders = [run_folder(options, name) for name in options.datasets]
    records = [measured(circuit, technology) for folder in folders for circuit in run_circuits(folder, technology)]
    voltages = [f"{v:g}" for v in technology.voltages]
    head = ["circuit", "cells", "cm²", *(f"static mW {v} V" for v in voltages), "rows/s", "switching mW 1 V"]
    head += ["shuffled ×", "of it load", *(f"leakage {v} V" for v in voltages), "leakage 1 V, all glitches"]
    head += ["leakage at highest rate", "highest rows/s"]
    print(table(head, [total_row(r) for r in records]), end="\n\n")
    by_block = [block_row(r) for r in records if r["cells"]]
    print(table(["circuit", "static power by block", "matched", "recovered"], by_block), end="\n\n")
    print(table(["cell", "number", "static mW", "µW a cell", "switching mW"], cell_rows(records)), end="\n\n")
    head = ["exact cardio network", "cells", "cm²", "mW at 1 V", "mW/cm²", "mm² a cell", "µW a cell"]
    print(table(head, reported_rows(records)))
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
