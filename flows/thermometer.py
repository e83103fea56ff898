"""Circuits in their second form, whose inputs are comparators' outputs: written, mapped, proved and simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flows.burns import timing_of
from flows.chosen import Design
from flows.figures import costs_of, power_of
from flows.header import thermometer_header_lines
from flows.job import Job
from flows.levels import (
    EVOLVED,
    comparators_cost,
    evolved_verilog,
    inputs_of,
    second_form,
    second_verilog,
)
from flows.mapping import BASELINES, Entry, Judge
from flows.run import json_text, write_text
from hdl.cells import verilog_text
from hdl.front_end import Cost, system
from hdl.synthesis import netlist_verilog, read_netlist
from hdl.thermometer import ThermometerInputs, of_codes
from printedmlp.classifier import Classifier
from printedmlp.preparation import PARTS
from printedmlp.technology import Technology
from sim.runner import Candidate, Options, verify_many

RTL, NETLIST, INPUTS = THERMOMETER_FILES = ("thermometer.v", "thermometer_netlist.v", "inputs.json")


@dataclass(frozen=True)
class Answers:
    """A classifier of which only the answers are to be compared, whatever its circuit looks like inside."""

    model: Classifier

    @property
    def n_features(self) -> int:
        """Number of inputs."""
        return self.model.n_features

    @property
    def input_bits(self) -> int:
        """Bits of each input."""
        return self.model.input_bits

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.model.n_classes

    @property
    def topology(self) -> tuple[int, ...]:
        """None is told."""
        return ()

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Class of each row of codes (n_samples, n_features), (n_samples,)."""
        return self.model.predict(X)

    def to_json(self) -> dict[str, Any]:
        """The classifier's."""
        return self.model.to_json()

    def dumps(self) -> str:
        """The classifier's."""
        return self.model.dumps()


def with_thermometers(
    job: Job, drafts: Path, found: Sequence[Design], entries: Mapping[str, Entry]
) -> list[Design]:
    """The designs with their second form where they have one; its files go to the drafts of the design.

    The baselines, and circuits that no input matters to, are left as they are.

    Parameters
    ----------
    entries : the candidate that each design is, by the design's name.

    Raises
    ------
    VerificationError : a second form answers some row otherwise than the classifier.
    """
    judge = Judge.of(job)
    able = [design for design in found if design.point.stage not in BASELINES]

    def record_of(design: Design) -> dict[str, Any]:
        return second_form(job, judge, entries[design.point.id], design.netlist)

    pairs = zip(able, job.in_parallel("thermometer", record_of, able), strict=True)
    todo = [(design, record) for design, record in pairs if record["netlist"] is not None]
    made = [_written(job, drafts, *item, EVOLVED in entries[item[0].point.id]) for item in todo]
    proofs = _simulated(job, drafts, made)
    voltage = f"{job.technology.nominal_voltage:g}"
    done = {
        d.point.id: _recorded(d, i, proof, voltage, job.technology)
        for (d, i), proof in zip(made, proofs, strict=True)
    }
    return [done.get(design.point.id, design) for design in found]


def _written(
    job: Job, drafts: Path, design: Design, record: Mapping[str, Any], evolved: bool
) -> tuple[Design, ThermometerInputs]:
    """Write one second form; the design with its figures, and its inputs."""
    inputs, netlist = inputs_of(job, record), read_netlist(record["netlist"], job.technology)
    places = _places(job, inputs)
    title = f"printedmlp circuit {design.point.id} on comparators' outputs"
    header = thermometer_header_lines(title, job.run.read_json("dataset.json"), design.model, places)
    if evolved:
        rtl = evolved_verilog(netlist, job.technology, design.model.n_classes, header)
    else:
        rtl = second_verilog(design.point.stage, design.model, inputs, len(design.netlist.outputs), header)
    folder = drafts / design.point.id
    write_text(folder / RTL, rtl)
    write_text(folder / NETLIST, netlist_verilog(netlist, job.technology, header=header))
    write_text(folder / INPUTS, json_text(places))
    power = power_of(netlist, job.technology, inputs.of(job.vectors("test").codes), 1)
    told = {
        **costs_of(netlist, job.technology, power, timing_of(netlist, job.technology)),
        "inputs": len(inputs.places),
        "recipe": record["recipe"],
        "proved_equal_on_all_codes": record["proved_equal_on_all_codes"],
    }
    return replace(design, extra={**design.extra, "thermometer": told}), inputs


def _places(job: Job, inputs: ThermometerInputs) -> list[dict[str, Any]]:
    """What every input bit compares with, in the user's units."""
    features = job.run.read_json("quantiser.json")["features"]
    return inputs.to_json(job.dataset.feature_names, [feature["thresholds"] for feature in features])


def _simulated(job: Job, drafts: Path, made: Sequence[tuple[Design, ThermometerInputs]]) -> list[dict[str, Any]]:
    """Simulate the second forms behind their comparators beside each other, as the first forms are."""
    circuits = []
    for design, inputs in made:
        name, width = design.point.id, len(design.netlist.outputs)
        files = [drafts / name / f"codes_{file}" for file in (RTL, NETLIST)]
        for file, source in zip(files, (RTL, NETLIST), strict=True):
            write_text(file, of_codes((drafts / name / source).read_text(encoding="utf-8"), inputs, width))
        circuits.append(Candidate(name, Answers(design.model), *files))
    codes = np.concatenate([job.vectors(part).codes for part in PARTS])
    options = Options(seed=job.config.seed, n_random=job.config.random_vectors, simulator=job.config.simulator)
    return verify_many(circuits, verilog_text(job.technology), codes, options)


def _recorded(
    design: Design, inputs: ThermometerInputs, proof: dict[str, Any], voltage: str, technology: Technology
) -> Design:
    """The design with the proof, and with the area and power of its second form behind bare comparators."""
    second = design.extra["thermometer"]
    record = {**second, "verification": {key: value for key, value in proof.items() if key != "seconds"}}
    extra = {**design.extra, "thermometer": record}
    if extra["front_end"] is None or design.point.system is None:
        return replace(design, extra=extra)
    bare = comparators_cost(technology, inputs.thresholds.levels, inputs.input_bits)
    gates = Cost(second["area_cm2"], second["power_mw"][voltage])
    both = {**(system(gates, bare.to_json()) or {}), "gates": gates.to_json()}
    point = replace(design.point, system={**design.point.system, "thermometer": both})
    return replace(design, point=point, extra=extra)
