"""The refine stage on comparators' outputs: an input bit for every level, and every level read has its price.

What evolution leaves is a circuit of its own on the levels it reads. Behind comparators made of gates it is also a
classifier of codes, so that it is judged, mapped, proved and simulated like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from flows import refinement
from flows.job import Job
from flows.levels import (
    EVOLVED,
    inputs_of,
    is_priced,
    levels_files,
    prices_of,
    second_form,
    second_verilog,
    system_cost,
    with_systems,
)
from flows.mapping import (
    BASELINES,
    QUICK,
    REFINE,
    Entry,
    Judge,
    area_of,
    finish,
    mapped,
    model_of,
    netlist_file,
    netlist_of,
    power_of_choice,
)
from flows.refined import Candidate, power_saved, worth_a_look
from flows.refinement import (
    START_STAGES,
    by_turns,
    care_rows,
    chosen_starts,
    evolved,
    small_cells,
)
from hdl.gates import gates_verilog
from hdl.synthesis import map_verilog, netlist_verilog, read_netlist
from hdl.thermometer import ThermometerInputs, thermometer_verilog
from hdl.thresholds import Thresholds, needed_thresholds
from printedmlp.circuit import Netlist, drop_unread
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.levels import Levels, all_levels, gates_of_codes, levels_read, on_levels
from printedmlp.circuit.refine import Evolution, InputPrices
from printedmlp.circuit.simplify import INVERTER
from printedmlp.threshold_prices import ThresholdPrices


def refine(job: Job) -> list[str]:
    """Refine circuits on the bits of codes, or with the prices of thresholds where those are to count."""
    if not is_priced(job) or not job.technology.cells_with_function(1, INVERTER):
        return refinement.refine(job)
    judge = Judge.of(job)
    evolutions = [evolution_of(job, judge, prices) for prices in prices_of(job)]
    circuits = evolved(job, evolutions, starts_of(job, judge))
    recorded = partial(candidate, job, judge)
    found = worth_a_look(list(map(recorded, dict.fromkeys(circuits))), (area_of, power_of_choice))
    save = partial(power_saved, job, evolutions[-1], recorded)
    saved = job.in_parallel("power", save, list(enumerate(found)))
    by_key = {c.entry["key"]: c for c in (*found, *(c for family in saved for c in family))}
    entries = list(job.in_parallel("proof", lambda c: _finished(job, judge, c), by_key.values()))
    job.run.write_json({"found": entries}, "search", "refine.json")
    return ["search/refine.json", *sorted(entry["netlist_file"] for entry in entries), *levels_files(job)]


def evolution_of(job: Job, judge: Judge, prices: ThresholdPrices) -> Evolution:
    """Evolution on the training rows and noisy copies of them, at these prices of the levels."""
    codes, y = care_rows(job, judge)
    bits = levels_of(job).of(codes)
    care = CareSet.of(bits, y, n_classes=judge.train.n_classes, input_bits=1, class_weights=judge.weights)
    n = job.dataset.n_features
    inputs = InputPrices(
        np.tile(prices.levels_mm2, n),
        np.tile(prices.levels_uw, n),
        np.repeat(np.arange(n), len(prices.levels_mm2)),
        prices.first_mm2,
    )
    return Evolution(care, job.technology, should_stop=job.stop.is_set, inputs=inputs)


def levels_of(job: Job, levels: Levels | None = None) -> ThermometerInputs:
    """Input bits for levels of each feature, None for all of them."""
    n, bits = job.dataset.n_features, job.config.input_bits
    own = all_levels(n, bits) if levels is None else tuple(map(tuple, levels))
    return ThermometerInputs(Thresholds(own, 0, (tuple(range(bits)),) * n), bits)


def starts_of(job: Job, judge: Judge) -> list[Netlist]:
    """Circuits on all levels to start from: the second forms of what the other stages found, and of forests."""
    entries = job.run.read_json("search", "candidates.json")[len(BASELINES) :]
    entries = [{**e, "area_cm2": area_of(e)} for e in with_systems(job, judge, entries)]
    each = refinement.starts_each(job)
    kinds = [_second_forms(job, judge, chosen_starts(entries, stage, each)) for stage in START_STAGES]
    forests = refinement.forest_starts(job, judge, each)
    second = job.in_parallel("thermometer", lambda netlist: _forest(job, judge, netlist), forests)
    return by_turns(job, [*kinds, [netlist for netlist in second if netlist is not None]])


def _second_forms(job: Job, judge: Judge, entries: Sequence[Entry]) -> list[Netlist]:
    """Those of mapped candidates, on all levels; circuits that no input matters to are left out."""
    records = [second_form(job, judge, entry, netlist_of(job, entry)) for entry in entries]
    return [_start(job, *pair) for pair in zip(entries, records, strict=True) if pair[1]["netlist"] is not None]


def _start(job: Job, entry: Entry, record: Mapping[str, Any]) -> Netlist:
    """A second form on all levels, mapped anew if it has cells of more than two inputs."""
    inputs, netlist = inputs_of(job, record), read_netlist(record["netlist"], job.technology)
    if any(instance.cell not in small_cells(job.technology).cells for instance in netlist.instances):
        netlist = _small(job, second_verilog(entry["stage"], model_of(entry), inputs, len(netlist.outputs)))
    return on_levels(netlist, inputs.thresholds.levels, levels_of(job).thresholds.levels)


def _forest(job: Job, judge: Judge, netlist: Netlist) -> Netlist | None:
    bits, n_classes = job.config.input_bits, judge.train.n_classes
    gates = GateClassifier.of_netlist(netlist, job.technology, input_bits=bits, n_classes=n_classes)
    thresholds = needed_thresholds(netlist, job.technology, judge.deciding_codes(), bits)
    inputs = ThermometerInputs(thresholds, bits)
    if not inputs.places:
        return None
    second = _small(job, thermometer_verilog(gates_verilog(gates), inputs, len(netlist.outputs)))
    return on_levels(second, thresholds.levels, levels_of(job).thresholds.levels)


def _small(job: Job, rtl: str) -> Netlist:
    with TemporaryDirectory(prefix="printedmlp-") as folder:
        return map_verilog(
            rtl, small_cells(job.technology), effort=QUICK, work_dir=Path(folder), prove=False
        ).netlist


def candidate(job: Job, judge: Judge, netlist: Netlist) -> Candidate:
    """A circuit on all levels with what the rows and the system's figures say of it."""
    everything = levels_of(job).thresholds.levels
    levels = levels_read(netlist, everything)
    bare = drop_unread(on_levels(netlist, everything, levels))
    sizes: dict[str, Any] = {"input_bits": job.config.input_bits, "n_classes": judge.train.n_classes}
    model = gates_of_codes(bare, levels, job.technology, **sizes)
    system = system_cost(job, bare, levels_of(job, levels), judge.deciding_codes())
    left = {"levels": levels, "netlist": netlist_verilog(bare, job.technology)}
    return Candidate(netlist, judge.entry(REFINE, model, system=system.to_json(), **{EVOLVED: left}))


def _finished(job: Job, judge: Judge, found: Candidate) -> Entry:
    """The record with the figures of the first form, which is mapped and proved as other classifiers are."""
    mapped(job, found.entry, QUICK)
    return finish(job, judge, found.entry, netlist_file(found.entry, QUICK))
