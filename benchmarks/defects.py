"""Printing defects: faults of exact networks, trees and refined circuits, yields, and what fault tolerance gains.

    python -m benchmarks.defects [--folder RUNS] [--splits N] [--json FILE] [DATA_SET ...]

Runs are made in the folder unless they are there. Circuits are chosen by training and validation rows; every figure
is that of the test rows. "Stuck wires" are campaigns of the form of the public scripts to Pal et al., "Fault
Sensitivity Analysis of Printed Bespoke Multilayer Perceptron Classifiers", ETS 2024 (repository
Fault-Analysis-of-Digital-Printed-MLPs): 1, 2 or 4 of a netlist's inner wires, drawn anew each time, are stuck at 0
or 1.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.defect_runs import best_of, finished_run, found_in, front_of
from benchmarks.injected_faults import circuits
from benchmarks.tables import shares, table
from flows.job import Job
from flows.mapping import EXACT, REFINE, TREE, Judge, netlist_of, printed_merits
from printedmlp.choice import merit_of
from printedmlp.circuit import Netlist, classes, input_bits_of, simulate
from printedmlp.circuit.devices import Devices, drawn_prints
from printedmlp.circuit.fault_simulation import FaultSimulator
from printedmlp.circuit.faults import STEM, all_faults, collapse, with_faults
from printedmlp.circuit.voting import triplicated
from printedmlp.circuit.yields import by_failed_devices, printed_merit, row_weights, single_faults, yield_of
from printedmlp.technology import Technology
from printedmlp.vectors import Vectors

DATA_SETS = ("balance", "iris", "wine")
SPLITS = 3
DEVICE_YIELDS = (0.9, 0.95, 0.99, 0.999)
DESIGNED_FOR = 0.99
"""Device yield that fault tolerance is asked for at."""
LOSS = 0.05
PRINTS = 1000
STUCK_WIRES, CAMPAIGN = (1, 2, 4), 500
"""Faults at a time and measurements of a campaign, as the public scripts have them."""
FAILED = (1, 2, 4, 8)
TABLED = (1, 4)
"""Numbers of stuck wires that the table holds; the file of figures has all, and failed devices."""
TIMED_FAULTS, TIMED_ROWS = 100, 2
"""How many faults, and of these on how many rows, the slow ways are timed on."""
Figures = dict[str, float]


@dataclass(frozen=True)
class Circuit:
    """A netlist with the rows it is measured on."""

    netlist: Netlist
    technology: Technology
    vectors: Vectors
    input_bits: int

    def simulator(self) -> FaultSimulator:
        """Ready for faults."""
        v = self.vectors
        sizes = {"n_classes": v.n_classes, "input_bits": self.input_bits}
        return FaultSimulator(self.netlist, self.technology, v.codes, v.y, **sizes)


def figures_of(circuit: Circuit, seed: int) -> Figures:
    """Campaigns, yields and what they rest on, of one circuit."""
    simulator, rng = circuit.simulator(), np.random.default_rng(seed)
    devices, singles = Devices.of(circuit.netlist, circuit.technology), simulator.singles()
    single = single_faults(simulator, singles, collapse(circuit.netlist, circuit.technology), (LOSS,))
    weights = row_weights(simulator.held, balanced=False)
    found = {
        "cells": len(circuit.netlist.instances),
        "devices": devices.total,
        "area_cm2": circuit.netlist.area_cm2(circuit.technology),
        "accuracy": 1 - simulator.wrong.sum() / simulator.n_rows,
        "faults": single.faults,
        "collapsed": single.collapsed,
        "silent": single.silent,
        "within": single.within[LOSS],
    }
    found |= {f"wires {n}": stuck_wires(circuit.netlist, simulator, n, rng) for n in STUCK_WIRES}
    for failed in by_failed_devices(simulator, devices, FAILED, loss=LOSS, prints=PRINTS, rng=rng):
        found[f"failed {failed.failed}"] = failed.accuracy.mean
    for device_yield in DEVICE_YIELDS:
        print_yield = yield_of(simulator, devices, device_yield, loss=LOSS, prints=PRINTS, rng=rng)
        found[f"works {device_yield:g}"] = print_yield.working / PRINTS
        found[f"mean {device_yield:g}"] = print_yield.accuracy.mean
        found[f"estimate {device_yield:g}"] = printed_merit(simulator, devices, singles, device_yield, weights)
    return {key: float(value) for key, value in found.items()}


def stuck_wires(netlist: Netlist, simulator: FaultSimulator, n_faults: int, rng: np.random.Generator) -> float:
    """Mean accuracy with so many stuck inner wires; not a number without inner wires."""
    inner = np.array([net for net, _ in netlist.driven() if net not in netlist.outputs], dtype=np.int64)
    if not len(inner):
        return float("nan")
    nets, values = rng.choice(inner, (CAMPAIGN, n_faults)), rng.integers(0, 2, (CAMPAIGN, n_faults))
    faults = np.stack([nets, np.full_like(nets, STEM), values], axis=-1).reshape(-1, 3)
    wrong = simulator.coded_sets(faults, np.arange(1, CAMPAIGN + 1) * n_faults).wrong
    return float(1 - wrong.sum() / CAMPAIGN / simulator.n_rows)


def compared(job: Job, seed: int) -> dict[str, Figures]:
    """The exact network, the best tree and the best refined circuit of a run."""
    exact = job.run.read_json("search", "candidates.json")[0]
    entries = {"exact": exact, **{stage: best_of(found_in(job), stage) for stage in (TREE, REFINE)}}
    assert exact["stage"] == EXACT
    return {name: figures_of(_on_test(job, netlist_of(job, entry)), seed) for name, entry in entries.items()}


def _on_test(job: Job, netlist: Netlist) -> Circuit:
    return Circuit(netlist, job.technology, job.vectors("test"), job.config.input_bits)


def tolerance(plain: Job, sturdy: Job, seed: int) -> dict[str, Figures]:
    """Circuits that fault tolerance chooses and makes, beside what there is without it.

    A print works here if it answers the test rows at most `LOSS` worse than the plain run's best circuit without
    faults, the same for all circuits of a split.
    """
    judge, front = Judge.of(plain), front_of(plain)
    netlists = {choice.id: netlist_of(plain, choice.entry) for choice in front}
    merits = {key: _chosen_by(plain, judge, netlist) for key, netlist in netlists.items()}
    most = max(front, key=lambda c: (c.merit, -c.area_cm2))
    sturdiest = max(front, key=lambda c: merits[c.id])
    found = max(front_of(sturdy), key=lambda c: c.printed_merit)
    chosen = {
        "most merit": netlists[most.id],
        "its three copies that vote": triplicated(netlists[most.id], plain.technology),
        "three axes, sturdiest": netlists[sturdiest.id],
        "its three copies": triplicated(netlists[sturdiest.id], plain.technology),
        "four axes, sturdiest": netlist_of(sturdy, found.entry),
    }
    simulator = _on_test(plain, netlists[most.id]).simulator()
    allowed = int(simulator.wrong.sum() + LOSS * simulator.n_rows + 1e-9)
    return {name: _printed(_on_test(plain, netlist), allowed, seed) for name, netlist in chosen.items()}


def _chosen_by(job: Job, judge: Judge, netlist: Netlist) -> float:
    """The merit of prints by which a front with that axis would choose."""
    found = printed_merits(job, judge, netlist, DESIGNED_FOR)
    return merit_of(found["printed_merit"], found["printed_score"], len(judge.validation.y))


def _printed(circuit: Circuit, allowed: int, seed: int) -> Figures:
    simulator, devices = circuit.simulator(), Devices.of(circuit.netlist, circuit.technology)
    drawn = drawn_prints(simulator, devices, DESIGNED_FOR, PRINTS, np.random.default_rng(seed))
    wrong = drawn.wrong.sum(axis=1)
    return {
        "area_cm2": circuit.netlist.area_cm2(circuit.technology),
        "devices": float(devices.total),
        "accuracy": float(1 - simulator.wrong.sum() / simulator.n_rows),
        "mean": float(1 - wrong.mean() / simulator.n_rows),
        "works": float(np.mean(wrong <= allowed)),
    }


def speed(circuit: Circuit) -> Figures:
    """Processor seconds a fault of four ways to simulate single faults; the two slow ones on some of them."""
    n, faults = len(circuit.vectors.y), all_faults(circuit.netlist)
    simulator = circuit.simulator()
    simulator.singles(), simulator.sets([[faults[0]]])
    start = time.process_time()
    simulator.singles()
    at_once = time.process_time()
    simulator.sets([[fault] for fault in faults])
    by_cone = time.process_time()
    some = [faults[k] for k in np.linspace(0, len(faults) - 1, TIMED_FAULTS).astype(int)]
    signals = input_bits_of(circuit.vectors.codes, circuit.input_bits)
    begin = time.process_time()
    for fault in some:
        faulty = with_faults(circuit.netlist, [fault])
        classes(faulty, simulate(faulty, circuit.technology, signals, n), n)
    anew = time.process_time()
    cells = [circuit.technology.cell(instance.cell) for instance in circuit.netlist.instances]
    for fault in some[:TIMED_ROWS]:
        _row_by_row(with_faults(circuit.netlist, [fault]), cells, signals, n)
    by_row = time.process_time()
    return {
        "faults": len(faults),
        "rows": n,
        "cells": len(cells),
        "at once": (at_once - start) / len(faults),
        "cones": (by_cone - at_once) / len(faults),
        "words": (anew - begin) / TIMED_FAULTS,
        "rows one by one": (by_row - anew) / TIMED_ROWS,
    }


def _row_by_row(netlist: Netlist, cells: Sequence[Any], signals: Sequence[int], n: int) -> None:
    for row in range(n):
        values = [0, 1, *(signal >> row & 1 for signal in signals)]
        for cell, instance in zip(cells, netlist.instances, strict=True):
            values.append(cell.evaluate(sum(values[net] << k for k, net in enumerate(instance.inputs))))


def measured(folder: Path, name: str, seed: int) -> dict[str, Any]:
    """All figures of one split."""
    plain, sturdy = finished_run(folder, name, seed, DESIGNED_FOR)
    exact = plain.run.read_json("search", "candidates.json")[0]
    return {
        "data_set": name,
        "seed": seed,
        "circuits": compared(plain, seed),
        "tolerance": tolerance(plain, sturdy, seed),
        "speed": speed(_on_test(plain, netlist_of(plain, exact))) if seed == 0 else None,
    }


def lines(splits: Sequence[dict[str, Any]], part: str, keys: Sequence[str]) -> list[list[str]]:
    """A line a data set and circuit: mean and standard deviation over the splits; areas and counts as means."""
    rows = []
    for name in dict.fromkeys(split["data_set"] for split in splits):
        own = [split[part] for split in splits if split["data_set"] == name]
        rows += [[name, circuit, *(_cell([s[circuit] for s in own], key) for key in keys)] for circuit in own[0]]
    return rows


def _cell(figures: Sequence[Figures], key: str) -> str:
    values = [found[key] for found in figures if key in found and not np.isnan(found[key])]
    if not values:
        return "–"
    if key in ("cells", "devices", "faults", "collapsed"):
        return f"{np.mean(values):.0f}"
    return f"{np.mean(values):.3g}" if key == "area_cm2" else shares(values)


def report(splits: Sequence[dict[str, Any]]) -> str:
    """The tables."""
    works = [f"works {device_yield:g}" for device_yield in DEVICE_YIELDS]
    found = ("devices", "accuracy", "faults", "silent", "within", *(f"wires {n}" for n in TABLED), *works)
    gained = ("area_cm2", "devices", "accuracy", "mean", "works")
    parts = [("circuits", found), ("tolerance", gained)]
    tables = [table(("data", "circuit", *keys), lines(splits, part, keys)) for part, keys in parts]
    return "\n\n".join([*tables, estimates(splits), table(SPEED_HEAD, speed_rows(splits))])


def estimates(splits: Sequence[dict[str, Any]]) -> str:
    """How far the estimated accuracy of prints is from that of drawn ones, by device yield."""
    words = []
    for device_yield in DEVICE_YIELDS:
        gaps = [
            abs(found[f"estimate {device_yield:g}"] - found[f"mean {device_yield:g}"])
            for split in splits
            for name, found in split["circuits"].items()
            if name != "exact"
        ]
        words.append(f"{np.mean(gaps):.2%} at {device_yield:g} (most {max(gaps):.2%})")
    return f"estimate of the mean accuracy against {PRINTS} drawn prints, trees and refined: {', '.join(words)}"


SPEED_HEAD = ("exact network", "cells", "faults", "rows", "µs a fault", "cones ÷", "words ÷", "one by one ÷")


def speed_rows(splits: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Microseconds a fault of the fastest way, and how many times slower the others are."""
    rows = []
    for split in splits:
        if found := split["speed"]:
            slower = [f"{found[way] / found['at once']:.0f}" for way in ("cones", "words", "rows one by one")]
            counts = [f"{found[key]:.0f}" for key in ("cells", "faults", "rows")]
            rows.append([split["data_set"], *counts, f"{found['at once'] * 1e6:.1f}", *slower])
    return rows


def robustness_counts() -> tuple[int, int]:
    """Stuck-at faults injected into small circuits, and those whose fast simulation equals the definition."""
    found = [circuit.counts() for circuit in circuits()]
    return sum(tried for tried, _ in found), sum(handled for _, handled in found)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the runs that are missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=list(DATA_SETS), metavar="DATA_SET")
    parser.add_argument("--folder", type=Path, default=Path("runs", "defects"), help="where the runs are kept")
    parser.add_argument(
        "--splits", type=int, default=SPLITS, help=f"splits of every table, seeds from 0 ({SPLITS})"
    )
    parser.add_argument("--json", type=Path, help="file that receives the figures")
    options = parser.parse_args(arguments)
    splits = [measured(options.folder, name, seed) for name in options.datasets for seed in range(options.splits)]
    if options.json:
        options.json.write_text(json.dumps(splits, indent=1) + "\n", encoding="utf-8")
    print(report(splits))


if __name__ == "__main__":
    main()
