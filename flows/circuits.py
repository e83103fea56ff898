"""From classifiers to circuits: synthesis of what the stages found, choice of the front, proof by simulation."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flows.chosen import Design
from flows.config import THERMOMETER
from flows.feasible import feasibility_of
from flows.figures import figures_of
from flows.header import header_lines
from flows.job import Job
from flows.levels import levels_files, with_systems
from flows.mapping import (
    BASELINES,
    ESTIMATE,
    ESTIMATED_POWER,
    PAPER,
    QUICK,
    SEARCH,
    TEXTBOOK,
    TREE,
    VERILOG,
    Choice,
    Entry,
    Judge,
    area_of,
    finish,
    mapped,
    model_of,
    netlist_file,
    power_of_choice,
    spread,
    worth_keeping,
)
from flows.pictures import with_pictures
from flows.proofs import Claim, prove_all
from flows.run import json_text, sha256_text, whole_folder, write_bytes, write_text
from flows.thermometer import THERMOMETER_FILES, with_thermometers
from hdl.blocks import blocks_of
from hdl.cells import verilog_text
from hdl.synthesis import netlist_verilog, read_netlist
from printedmlp.choice import merit_of
from printedmlp.classifier import classifier_from_json, description
from printedmlp.errors import PrintedMLPWarning
from printedmlp.front import FrontPoint, nearest_miss, select_front
from printedmlp.metrics import Metrics
from printedmlp.pareto import layers
from printedmlp.preparation import PARTS
from printedmlp.vectors import Vectors
from sim.runner import Candidate, Options, verify_many

MEASURE = "measure.json"
DESIGN_FILES = ("model.json", "classifier.v", "netlist.v", "quantiser.json", MEASURE)
SOURCES = (PAPER, TREE, SEARCH)
"""Stages whose classifiers are mapped; refinement starts from their circuits."""
PER_STAGE = 6
"""Circuits of each stage that are kept for comparison beside the front, at most."""
CIRCUIT_FIGURES = ("area_cm2", "cells", "cell_counts", "power_mw", "delay_ms", "max_rate_hz", "system")


def synthesis(job: Job) -> list[str]:
    """Map the baselines and every stage's most promising classifiers to cells, and the best with more effort.

    The first mapping is quick and decides which of a stage's classifiers are worth keeping by merit and area; only
    those, and the baselines, are mapped with the effort that was asked for.
    """
    judge = Judge.of(job)
    entries = candidates(job, judge)
    quick = job.in_parallel("synthesis", lambda entry: mapped(job, entry, QUICK), entries)
    areas = {entry["key"]: record["area_cm2"] for entry, record in zip(entries, list(quick), strict=True)}
    chosen = [entry for entry in entries if entry["stage"] in BASELINES]
    for stage in SOURCES:
        of_stage = [entry for entry in entries if entry["stage"] == stage]
        # Gates of comparators that are not built say nothing of trees with prices, whose estimates do.
        for sizes in sizes_of(of_stage, areas):
            chosen += [entry for entry in worth_keeping(of_stage, sizes) if entry not in chosen]
    list(job.in_parallel("effort", lambda entry: mapped(job, entry, job.config.effort), chosen))

    def finished(entry: Entry) -> Entry:
        return finish(job, judge, entry, netlist_file(entry, job.config.effort))

    final = list(job.in_parallel("figures", finished, chosen))
    job.run.write_json(final, "search", "candidates.json")
    made = {netlist_file(e, QUICK) for e in entries} | {e["netlist_file"] for e in final}
    return ["search/candidates.json", *sorted(made)]


def candidates(job: Job, judge: Judge) -> list[Entry]:
    """The baselines, and from every stage the classifiers worth synthesising, best layers of its front first.

    Estimates see only part of what a circuit costs, so more than the first non-dominated layer is taken.
    """
    exact_model = classifier_from_json(job.run.read_json("search", "exact.json")["model"])
    baselines = [judge.entry(stage, exact_model) for stage in BASELINES]
    return baselines + most_promising(job.run.read_json, SOURCES, job.config.candidates)


def most_promising(read_json: Callable[..., Any], stages: Sequence[str], n: int) -> list[Entry]:
    """At most `n` of every stage's classifiers, the best by merit and estimate of area; reads a run's records."""
    entries: list[Entry] = []
    for stage in stages:
        found = read_json("search", f"{stage}.json")["found"]
        chosen: dict[int, None] = {}
        for estimate in estimates_of(found):
            points = np.array([[-entry["merit"], entry[estimate]] for entry in found]).reshape(-1, 2)
            chosen |= dict.fromkeys(best_layers(points, n))
        entries += [found[index] for index in chosen]
    return entries


def estimates_of(found: Sequence[Entry]) -> tuple[str, ...]:
    """By which estimates a stage's classifiers are chosen: of area, with prices of thresholds of power as well."""
    return (ESTIMATE, ESTIMATED_POWER) if found and ESTIMATED_POWER in found[0] else (ESTIMATE,)


def sizes_of(entries: Sequence[Entry], areas: Mapping[str, float]) -> list[list[float]]:
    """Sizes of a stage's mapped classifiers that each decide which are worth keeping; areas by key in cm2."""
    estimates = estimates_of(entries)
    if len(estimates) == 1:
        return [[areas[entry["key"]] for entry in entries]]
    return [[entry[estimate] for entry in entries] for estimate in estimates]


def best_layers(points: np.ndarray, n: int) -> list[int]:
    """Indices of at most `n` points, both coordinates minimised: the non-dominated first, then the rest's.

    Of a layer that does not fit as a whole, points evenly spread between its ends are taken.
    """
    chosen: list[int] = []
    for layer in layers(points):
        if len(chosen) == n:
            break
        by_size = sorted(layer.tolist(), key=lambda index: (points[index, 1], index))
        chosen += spread(by_size, n - len(chosen))
    return chosen


def designs(job: Job) -> list[str]:
    """Choose the front, measure it, write its files, and keep them only if simulation finds every circuit right.

    The front is chosen among all stages' circuits by merit, area and power; the baselines and the best of every
    stage are kept beside it for comparison. Only what is kept meets the test rows.
    """
    shutil.rmtree(job.run.path("designs"), ignore_errors=True)
    named = _named(job)
    vectors = job.vectors("test")
    found = [_measured(job, name, entry, vectors) for name, entry in named.items()]
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        drafts = Path(folder)
        _write_files(job, drafts, found)
        proofs = prove_all(job, [_claim(drafts, design) for design in found])
        if job.config.inputs == THERMOMETER:
            found = with_thermometers(job, drafts, found, named)
        found = with_pictures(job, drafts, found)
        records = _simulated(job, drafts, found)
        kept = [
            file
            for design, proof, record in zip(found, proofs, records, strict=True)
            for file in _kept(job, drafts / design.point.id, design, record, proof)
        ]
    return [*kept, *levels_files(job)]


def _named(job: Job) -> dict[str, Entry]:
    """The circuits to keep by name: baselines, the front, and beside it some of every stage's own front."""
    entries = job.run.read_json("search", "candidates.json")
    found = entries[len(BASELINES) :] + job.run.read_json("search", "refine.json")["found"]
    found = with_systems(job, Judge.of(job), by_merit(found, len(job.vectors("validation").y)))
    front = {_identity(choice.entry) for choice in chosen_front(job, found)}
    kept = []
    for stage in VERILOG:
        own = [entry for entry in found if entry["stage"] == stage]
        stairs = worth_keeping(own, [area_of(entry) for entry in own])
        wanted = front | {_identity(entry) for entry in spread(stairs, PER_STAGE)}
        of_stage = [entry for entry in own if _identity(entry) in wanted]
        of_stage.sort(key=lambda entry: (area_of(entry), power_of_choice(entry), entry["key"]))
        digits = len(str(len(of_stage)))
        kept += [(f"{stage}-{n:0{digits}}", entry) for n, entry in enumerate(of_stage, start=1)]
    baselines = zip(BASELINES, entries[: len(BASELINES)], strict=True)
    return {name: {**entry, "on_front": _identity(entry) in front} for name, entry in (*baselines, *kept)}


def by_merit(found: Sequence[Entry], n_validation: int) -> list[Entry]:
    """The records with the merit that decides at the end: what the stages kept by both parts' rows together."""
    return [{**e, "merit": merit_of(e["merit"], e["score"], n_validation)} for e in found]


def _identity(entry: Entry) -> tuple[str, str]:
    """Two stages may find the same classifier; only one of them is on the front with it."""
    return entry["stage"], entry["key"]


def chosen_front(job: Job, found: Sequence[Entry]) -> list[Choice]:
    """The front among mapped candidates under the user's limits; warns where nothing keeps to them."""
    choices, limits = [Choice(entry) for entry in found], job.config.limits
    front = select_front(choices, limits=limits)
    if not front:
        warnings.warn(f"the front is empty: {nearest_miss(choices, limits)}", PrintedMLPWarning, stacklevel=2)
    return front


def _measured(job: Job, name: str, entry: Entry, vectors: Vectors) -> Design:
    record = job.run.read_json(entry["netlist_file"])
    netlist, model = read_netlist(record["netlist"], job.technology), model_of(entry)
    blocks = blocks_of(netlist, job.technology, model)
    figures = figures_of(
        netlist,
        job.technology,
        vectors,
        job.config.input_bits,
        classifier=model,
        feature_names=job.dataset.feature_names,
        rate_hz=job.config.sample_rate,
        blocks=blocks,
    )
    point = FrontPoint(
        id=name,
        stage=entry["stage"],
        topology=model.topology,
        description=description(model),
        train_accuracy=entry["train_accuracy"],
        validation_accuracy=entry["validation_accuracy"],
        metric=job.config.metric,
        score=entry["score"],
        merit=entry["merit"],
        choice_power_mw=entry["choice_power_mw"],
        test=Metrics.from_json(figures),
        model_sha256=sha256_text(model.dumps()),
        **{key: figures[key] for key in CIRCUIT_FIGURES},
    )
    extra = {
        "on_front": entry["on_front"],
        "estimate": entry.get("estimate"),
        "recipe": record["recipe"],
        "delay_extrapolated": figures["delay_extrapolated"],
        "feasibility": feasibility_of(figures, job.technology, job.config.use),
        **{key: figures[key] for key in ("front_end", "power", "timing")},
    }
    return Design(point, model, netlist, blocks, extra, record["log"])


def _claim(drafts: Path, design: Design) -> Claim:
    name, textbook = design.point.id, design.point.stage == TEXTBOOK
    netlist, verilog = ((drafts / name / file).read_text("utf-8") for file in ("netlist.v", "classifier.v"))
    return Claim(name, design.model, design.netlist, netlist, verilog, design.log, textbook)


def _write_files(job: Job, drafts: Path, found: Sequence[Design]) -> None:
    dataset, quantiser = job.run.read_json("dataset.json"), job.run.read_json("quantiser.json")
    for design in found:
        folder, name = drafts / design.point.id, design.point.id
        header = header_lines(f"printedmlp circuit {name}", dataset, quantiser, design.model)
        write_text(folder / "model.json", design.model.dumps())
        write_text(folder / "quantiser.json", json_text(quantiser))
        write_text(folder / "classifier.v", VERILOG[design.point.stage](design.model, header=header))
        write_text(folder / "netlist.v", netlist_verilog(design.netlist, job.technology, header=header))


def _simulated(job: Job, drafts: Path, found: Sequence[Design]) -> list[dict[str, Any]]:
    circuits = [
        Candidate(d.point.id, d.model, drafts / d.point.id / "classifier.v", drafts / d.point.id / "netlist.v")
        for d in found
    ]
    codes = np.concatenate([job.vectors(part).codes for part in PARTS])
    options = Options(seed=job.config.seed, n_random=job.config.random_vectors, simulator=job.config.simulator)
    return verify_many(circuits, verilog_text(job.technology), codes, options)


def _kept(job: Job, draft: Path, design: Design, verification: dict[str, Any], proof: dict[str, Any]) -> list[str]:
    simulated = {key: value for key, value in verification.items() if key != "seconds"}
    names = {"class_names": list(job.dataset.class_names), "feature_names": list(job.dataset.feature_names)}
    record = {**design.point.to_json(), **design.extra, **names, "verification": simulated, "proof": proof}
    name = design.point.id
    thermometer = THERMOMETER_FILES if "thermometer" in design.extra else ()
    files = [*DESIGN_FILES, *thermometer, *design.extra["layout"]["files"]]
    with whole_folder(job.run.path("designs", name)) as folder:
        for file in files:
            write_bytes(
                folder / file, json_text(record).encode() if file == MEASURE else (draft / file).read_bytes()
            )
    return [f"designs/{name}/{file}" for file in files]
