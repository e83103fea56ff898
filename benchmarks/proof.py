"""Times of both proofs: Verilog = netlist by equivalence, and netlist = integers by the route without Verilog.

    python -m benchmarks.proof [--random 21-3-3 16-10-10] [--limit 300] [--json FILE] [RUN ...]

Random networks have masks, signs and power-of-two weights drawn from seed 0. Of every run folder, finished at least
up to synthesis, the largest circuit of each stage is taken, as mapped there. Seconds are wall time on one core;
the equivalence includes compiling the Verilog again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table
from flows.mapping import EXACT, TEXTBOOK, VERILOG, Entry, model_of
from hdl.equivalence import counterexample
from hdl.frontend import compile_verilog
from hdl.proof import NOT_PROVED, PROVED, REFUTED, prove
from hdl.synthesis import map_verilog, read_netlist
from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.errors import ToolError
from printedmlp.genome import GenomeLayout
from printedmlp.technology import load_technology

TECHNOLOGY = load_technology("egfet")


@dataclass(frozen=True)
class Circuit:
    """A circuit to prove: what it is, its classifier, its Verilog and its netlist, and whether that is textbook."""

    name: str
    model: Classifier
    verilog: str
    netlist: Netlist
    textbook: bool = False


def random_network(topology: tuple[int, ...]) -> Circuit:
    """A random network of this topology, mapped quickly."""
    layout = GenomeLayout.uniform(topology)
    model = layout.decode(layout.random(1, np.random.default_rng(0))[0])
    verilog = VERILOG[EXACT](model)
    with tempfile.TemporaryDirectory() as folder:
        mapped = map_verilog(verilog, TECHNOLOGY, effort="quick", work_dir=Path(folder), prove=False)
    return Circuit(f"random {_dashed(topology)}", model, verilog, mapped.netlist)


def of_run(folder: Path, stages: list[str]) -> Iterator[Circuit]:
    """The largest circuit of each stage of a run."""
    entries: list[Entry] = json.loads((folder / "search" / "candidates.json").read_text(encoding="utf-8"))
    refined = folder / "search" / "refine.json"
    if refined.is_file():
        entries += json.loads(refined.read_text(encoding="utf-8"))["found"]
    for stage in stages:
        own = [entry for entry in entries if entry["stage"] == stage]
        if own:
            entry = max(own, key=lambda entry: entry["area_cm2"])
            model = model_of(entry)
            text = json.loads((folder / entry["netlist_file"]).read_text(encoding="utf-8"))["netlist"]
            name = " ".join(filter(None, (folder.name, stage, _dashed(model.topology))))
            netlist = read_netlist(text, TECHNOLOGY)
            yield Circuit(name, model, VERILOG[stage](model), netlist, stage == TEXTBOOK)


def measured(circuit: Circuit, limit_s: float) -> dict[str, Any]:
    """Verdicts and seconds of both proofs."""
    with tempfile.TemporaryDirectory() as folder:
        verilog = _timed(lambda: _equal(circuit, Path(folder), limit_s))
        options: dict[str, Any] = {"time_limit_s": limit_s, "work_dir": Path(folder), "textbook": circuit.textbook}
        integers = prove(circuit.model, circuit.netlist, TECHNOLOGY, **options)
    return {
        "name": circuit.name,
        "cells": len(circuit.netlist.instances),
        "verilog": verilog,
        "integers": {**integers.to_json(), "seconds": integers.seconds},
    }


def _equal(circuit: Circuit, work_dir: Path, limit_s: float) -> str:
    aig = compile_verilog(circuit.verilog, work_dir, name="reference")
    try:
        difference = counterexample(aig, circuit.netlist, TECHNOLOGY, work_dir, timeout_s=limit_s)
    except ToolError:
        return NOT_PROVED
    return PROVED if difference is None else REFUTED


def _timed(work: Callable[[], str]) -> dict[str, Any]:
    start = time.monotonic()
    return {"verdict": work(), "seconds": time.monotonic() - start}


def _dashed(sizes: tuple[int, ...]) -> str:
    return "-".join(map(str, sizes))


def row(result: dict[str, Any]) -> list[str]:
    """One circuit's line."""
    verilog, integers = result["verilog"], result["integers"]
    shown = [f"{r['verdict']}, {r['seconds']:.1f}" for r in (verilog, integers)]
    return [result["name"], str(result["cells"]), shown[0], integers["route"], shown[1]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--random", nargs="*", default=["21-3-3", "16-10-10"])
    parser.add_argument("--stages", nargs="*", default=list(VERILOG))
    parser.add_argument("--limit", type=float, default=300, help="seconds for each proof")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    circuits = [random_network(tuple(int(n) for n in text.split("-"))) for text in options.random]
    circuits += [circuit for run in options.runs for circuit in of_run(run, options.stages)]
    results = [measured(circuit, options.limit) for circuit in circuits]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    head = ["circuit", "cells", "Verilog = netlist, s", "route to the integers", "netlist = integers, s"]
    print(table(head, [row(result) for result in results]))


if __name__ == "__main__":
    main()
