"""Circuits in their second form, whose inputs are comparators' outputs: written, mapped, proved and simulated."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flows.burns import timing_of
from flows.chosen import Design
from flows.figures import power_of
from flows.header import thermometer_header_lines
from flows.job import Job
from flows.mapping import BASELINES, VERILOG
from flows.run import json_text, write_text
from hdl.cells import verilog_text
from hdl.equivalence import UndecidedError
from hdl.front_end import Cost, system
from hdl.synthesis import equivalent, map_verilog, netlist_verilog
from hdl.thermometer import (
    ThermometerInputs,
    netlist_of_codes,
    of_codes,
    thermometer_tree_verilog,
    thermometer_verilog,
)
from hdl.thresholds import needed_thresholds
from printedmlp.circuit import Netlist
from printedmlp.circuit.spare import all_runs, without_spare_gates
from printedmlp.classifier import Classifier
from printedmlp.errors import VerificationError
from printedmlp.preparation import PARTS
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree
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


def with_thermometers(job: Job, drafts: Path, found: Sequence[Design]) -> list[Design]:
    """The designs with their second form where they have one; its files go to the drafts of the design.

    The baselines, and circuits that no input matters to, are left as they are.

    Raises
    ------
    VerificationError : a second form answers some row otherwise than the classifier.
    """
    X = job.vectors("test").codes
    inputs = [_inputs(job, design, X) for design in found]
    todo = [(d, i) for d, i in zip(found, inputs, strict=True) if i.places and d.point.stage not in BASELINES]
    made = list(job.in_parallel("thermometer", lambda item: _made(job, drafts, X, *item), list(enumerate(todo))))
    proofs = _simulated(job, drafts, [(design, inputs) for design, (_, inputs) in zip(made, todo, strict=True)])
    voltage = f"{job.technology.nominal_voltage:g}"
    done = {d.point.id: _recorded(d, proof, voltage) for d, proof in zip(made, proofs, strict=True)}
    return [done.get(design.point.id, design) for design in found]


def _inputs(job: Job, design: Design, X: NDArray[np.uint8]) -> ThermometerInputs:
    bits = job.config.input_bits
    return ThermometerInputs(needed_thresholds(design.netlist, job.technology, X, bits), bits)


def _made(
    job: Job, drafts: Path, X: NDArray[np.uint8], number: int, item: tuple[Design, ThermometerInputs]
) -> Design:
    """Write, map and prove one circuit; the design with the figures of its second form."""
    design, inputs = item
    places = _places(job, inputs)
    title = f"printedmlp circuit {design.point.id} on comparators' outputs"
    header = thermometer_header_lines(title, job.run.read_json("dataset.json"), design.model, places)
    rtl = second_form(design, inputs, header)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        mapped = map_verilog(rtl, job.technology, effort=job.config.effort, work_dir=Path(folder))
        netlist = _without_spare_gates(job, number, mapped.netlist, inputs)
        text = netlist_verilog(netlist, job.technology, header=header)
        standing = netlist_of_codes(text, inputs, len(design.netlist.outputs), job.technology)
        (proof := Path(folder, "proof")).mkdir()
        proved = proved_equal(design.point.id, standing, design.netlist, job.technology, proof)
    folder_of = drafts / design.point.id
    write_text(folder_of / RTL, rtl)
    write_text(folder_of / NETLIST, text)
    write_text(folder_of / INPUTS, json_text(places))
    recipe = mapped.recipe if netlist == mapped.netlist else f"{mapped.recipe}, evolution"
    figures = _figures(job, netlist, inputs.of(X))
    record = {**figures, "inputs": len(inputs.places), "recipe": recipe, "proved_equal_on_all_codes": proved}
    return replace(design, extra={**design.extra, "thermometer": record})


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


def _without_spare_gates(job: Job, number: int, netlist: Netlist, inputs: ThermometerInputs) -> Netlist:
    """The netlist, made smaller with the patterns that no code causes where those it causes are few enough."""
    codes = all_runs(inputs.thresholds.levels)
    if codes is None or job.stop.is_set():
        return netlist
    rng, moves = job.rng("thermometer", number), job.config.refine_moves
    return without_spare_gates(netlist, job.technology, inputs.of(codes), moves, rng)


def second_form(design: Design, inputs: ThermometerInputs, header: Sequence[str] = ()) -> str:
    """Verilog of a design's classifier on comparators' outputs."""
    if isinstance(design.model, DecisionTree):
        return thermometer_tree_verilog(design.model, inputs, header)
    rtl = VERILOG[design.point.stage](design.model)
    return thermometer_verilog(rtl, inputs, len(design.netlist.outputs), header)


def _places(job: Job, inputs: ThermometerInputs) -> list[dict[str, Any]]:
    """What every input bit compares with, in the user's units."""
    features = job.run.read_json("quantiser.json")["features"]
    return inputs.to_json(job.dataset.feature_names, [feature["thresholds"] for feature in features])


def _figures(job: Job, netlist: Netlist, rows: NDArray[np.uint8]) -> dict[str, Any]:
    technology = job.technology
    power, timing = power_of(netlist, technology, rows, 1), timing_of(netlist, technology)
    return {
        "area_cm2": netlist.area_cm2(technology),
        "cells": len(netlist.instances),
        "cell_counts": netlist.cell_counts(),
        "power_mw": {f"{v:g}": power[v] for v in technology.voltages},
        "delay_ms": {f"{v:g}": report.delay_ms if report else None for v, report in timing.items()},
    }


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


def _recorded(design: Design, proof: dict[str, Any], voltage: str) -> Design:
    """The design with the proof, and with the area and power of its second form behind bare comparators."""
    second = design.extra["thermometer"]
    record = {**second, "verification": {key: value for key, value in proof.items() if key != "seconds"}}
    extra = {**design.extra, "thermometer": record}
    converters = extra["front_end"]
    if converters is None or design.point.system is None:
        return replace(design, extra=extra)
    both = system(Cost(second["area_cm2"], second["power_mw"][voltage]), converters["bespoke"])
    point = replace(design.point, system={**design.point.system, "thermometer": both})
    return replace(design, point=point, extra=extra)
