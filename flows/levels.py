"""Circuits on comparators' outputs as the records that stages pass on, and what the system costs with them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.config import THERMOMETER
from flows.figures import power_of
from flows.job import Job
from flows.mapping import VERILOG, Entry, Judge, model_of
from hdl.equivalence import UndecidedError
from hdl.front_end import Cost
from hdl.gates import gates_verilog
from hdl.synthesis import equivalent, map_verilog, netlist_verilog, read_netlist
from hdl.thermometer import ThermometerInputs, netlist_of_codes, thermometer_tree_verilog, thermometer_verilog
from hdl.thresholds import Thresholds, needed_thresholds
from printedmlp.circuit import Netlist, drop_unread
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.levels import Levels, on_levels
from printedmlp.circuit.spare import all_runs, without_spare_gates
from printedmlp.classifier import Classifier
from printedmlp.errors import VerificationError
from printedmlp.technology import Technology
from printedmlp.threshold_prices import ThresholdPrices, power_shares
from printedmlp.trees import DecisionTree

EVOLVED = "evolved"
"""Where the record of a circuit holds levels and netlist that evolution on comparators' outputs left."""


def is_priced(job: Job) -> bool:
    """Whether circuits are searched for with the prices of their thresholds, and chosen by the whole system."""
    figures = job.technology.front_end
    return job.config.inputs == THERMOMETER and figures is not None and figures.covers(job.config.input_bits)


def prices_of(job: Job) -> list[ThresholdPrices]:
    """Prices of thresholds, a share of power in them after the other; none where they are not to count."""
    if not is_priced(job):
        return []
    bits = job.config.input_bits
    return [ThresholdPrices.of(job.technology, bits, share) for share in power_shares(job.technology)]


def comparators_cost(technology: Technology, levels: Levels, input_bits: int) -> Cost:
    """Area and power of the comparators at so many levels of each feature."""
    figures = technology.front_end
    assert figures is not None
    parts = [figures.comparators(own, input_bits) for own in levels]
    return Cost(sum(area for area, _ in parts), sum(power for _, power in parts))


def system_cost(job: Job, netlist: Netlist, inputs: ThermometerInputs, X: NDArray[np.uint8]) -> Cost:
    """Circuit and comparators at the nominal voltage, the gates' states being those of rows of codes X."""
    power = power_of(netlist, job.technology, inputs.of(X), 1)[job.technology.nominal_voltage]
    own = Cost(netlist.area_cm2(job.technology), power)
    return own + comparators_cost(job.technology, inputs.thresholds.levels, inputs.input_bits)


def levels_file(entry: Entry) -> str:
    """Where the second form of a candidate lies in the run folder."""
    return f"synthesis/{entry['key']}-levels.json"


def levels_files(job: Job) -> list[str]:
    """All second forms that the run folder holds, for the record of a stage that may have made some."""
    return sorted(f"synthesis/{path.name}" for path in job.run.path("synthesis").glob("*-levels.json"))


def second_form(job: Job, judge: Judge, entry: Entry, netlist: Netlist) -> dict[str, Any]:
    """The record of a mapped candidate on comparators' outputs: made, proved and written unless it is there.

    "levels" and "bits" are those of `Thresholds`, "netlist" its Verilog; None where no input matters.

    Raises
    ------
    VerificationError : the second form answers otherwise than the first.
    """
    file = levels_file(entry)
    if kept := job.run.read_piece(file):
        return kept
    codes = judge.deciding_codes()
    inputs = ThermometerInputs(
        needed_thresholds(netlist, job.technology, codes, job.config.input_bits), job.config.input_bits
    )
    record = {
        "levels": inputs.thresholds.levels,
        "bits": inputs.thresholds.bits,
        "undecided": inputs.thresholds.undecided,
        "netlist": None,
    }
    if inputs.places:
        record |= _made(job, entry, netlist, inputs)
    job.run.write_piece(record, file)
    return record


def inputs_of(job: Job, record: Mapping[str, Any]) -> ThermometerInputs:
    """The input bits of a second form."""
    levels, bits = (tuple(map(tuple, record[name])) for name in ("levels", "bits"))
    return ThermometerInputs(Thresholds(levels, record["undecided"], bits), job.config.input_bits)


def _made(job: Job, entry: Entry, first: Netlist, inputs: ThermometerInputs) -> dict[str, Any]:
    """Recipe and netlist of a second form, and whether it is proved equal to the first on every code."""
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        netlist, recipe = _mapped(job, entry, inputs, len(first.outputs), Path(folder, "map"))
        text = netlist_verilog(netlist, job.technology)
        standing = netlist_of_codes(text, inputs, len(first.outputs), job.technology)
        (proof := Path(folder, "proof")).mkdir()
        proved = proved_equal(entry["key"], standing, first, job.technology, proof)
    return {"recipe": recipe, "netlist": text, "proved_equal_on_all_codes": proved}


def _mapped(
    job: Job, entry: Entry, inputs: ThermometerInputs, n_outputs: int, work_dir: Path
) -> tuple[Netlist, str]:
    """The circuit of an entry on comparators' outputs: what a recipe makes of it, or what evolution left."""
    evolved = evolved_netlist(job, entry, inputs)
    if evolved is not None:
        return evolved, "evolution"
    rtl = second_verilog(entry["stage"], model_of(entry), inputs, n_outputs)
    mapped = map_verilog(rtl, job.technology, effort=job.config.effort, work_dir=work_dir)
    netlist = _without_spare_gates(job, entry, mapped.netlist, inputs)
    return netlist, mapped.recipe if netlist == mapped.netlist else f"{mapped.recipe}, evolution"


def evolved_netlist(job: Job, entry: Entry, inputs: ThermometerInputs) -> Netlist | None:
    """What evolution left of an entry, on the levels that it needs; None for other entries."""
    if EVOLVED not in entry:
        return None
    found = entry[EVOLVED]
    netlist = read_netlist(found["netlist"], job.technology)
    return drop_unread(on_levels(netlist, found["levels"], inputs.thresholds.levels))


def second_verilog(
    stage: str, model: Classifier, inputs: ThermometerInputs, n_outputs: int, header: Sequence[str] = ()
) -> str:
    """Verilog of a classifier on comparators' outputs."""
    if isinstance(model, DecisionTree):
        return thermometer_tree_verilog(model, inputs, header)
    return thermometer_verilog(VERILOG[stage](model), inputs, n_outputs, header)


def evolved_verilog(netlist: Netlist, technology: Technology, n_classes: int, header: Sequence[str] = ()) -> str:
    """Verilog of a circuit that evolution on comparators' outputs left: an assignment for each gate."""
    gates = GateClassifier.of_netlist(netlist, technology, input_bits=1, n_classes=n_classes)
    return gates_verilog(gates, header=header)


def proved_equal(name: str, verilog: str, netlist: Netlist, technology: Technology, work_dir: Path) -> bool:
    """Whether ABC proves a second form behind its comparators equal to the first form; False where it gives up.

    Raises
    ------
    VerificationError : it finds a code on which they differ.
    """
    try:
        difference = equivalent(verilog, netlist, technology, work_dir=work_dir)
    except UndecidedError:
        return False
    if difference is not None:
        raise VerificationError(f"design '{name}': its thermometer netlist answers otherwise")
    return True


def _without_spare_gates(job: Job, entry: Entry, netlist: Netlist, inputs: ThermometerInputs) -> Netlist:
    """The netlist, made smaller with the patterns that no code causes where those it causes are few enough."""
    codes = all_runs(inputs.thresholds.levels)
    if codes is None or job.stop.is_set():
        return netlist
    rng, moves = job.rng("thermometer", int(entry["key"], 16)), job.config.refine_moves
    return without_spare_gates(netlist, job.technology, inputs.of(codes), moves, rng)


def with_systems(job: Job, judge: Judge, entries: Sequence[Entry]) -> list[Entry]:
    """Mapped candidates with "system", area and power of their second form and its comparators, by which to choose.

    They are returned as they are where thresholds have no prices.
    """
    if not is_priced(job):
        return list(entries)
    return list(job.in_parallel("thermometer", lambda entry: _with_system(job, judge, entry), entries))


def _with_system(job: Job, judge: Judge, entry: Entry) -> Entry:
    first = read_netlist(job.run.read_json(entry["netlist_file"])["netlist"], job.technology)
    record = second_form(job, judge, entry, first)
    if record["netlist"] is None:
        return {**entry, "system": Cost(first.area_cm2(job.technology), entry["choice_power_mw"]).to_json()}
    netlist, inputs = read_netlist(record["netlist"], job.technology), inputs_of(job, record)
    return {**entry, "system": system_cost(job, netlist, inputs, judge.deciding_codes()).to_json()}
