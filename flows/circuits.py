"""From classifiers to circuits: synthesis of the search's solutions, choice of the front, proof by simulation."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.header import header_lines
from flows.job import Job
from flows.measure import figures_of
from flows.run import json_text, sha256_text, whole_folder, write_text
from hdl.cells import verilog_text
from hdl.emit import classifier_verilog, textbook_verilog
from hdl.synthesis import map_verilog, netlist_verilog, read_netlist
from printedmlp.circuit import Netlist
from printedmlp.front import FrontPoint, select_front
from printedmlp.metrics import Metrics
from printedmlp.model import DiscreteMLP
from printedmlp.pareto import non_dominated
from printedmlp.preparation import PARTS
from printedmlp.vectors import Vectors
from sim.runner import Candidate, Options, verify_many

Entry = dict[str, Any]
MEASURE = "measure.json"
DESIGN_FILES = ("model.json", "classifier.v", "netlist.v", "quantiser.json", MEASURE)
QUICK = "quick"
BASELINES = ("exact", "textbook")
"""The same exact network as the smallest circuit known here, and as multipliers and sums."""
VERILOG = {"exact": classifier_verilog, "textbook": textbook_verilog, "paper": classifier_verilog}
CIRCUIT_FIGURES = ("area_cm2", "cells", "cell_counts", "power_mw", "delay_ms", "max_rate_hz")


def synthesis(job: Job) -> list[str]:
    """Map the baselines and the search's most promising solutions to cells, and the best of them with more effort.

    The first mapping is quick and decides which solutions are non-dominated by validation accuracy and area; only
    those, and the baselines, are mapped with the effort that was asked for.
    """
    entries = candidates(job)
    quick = list(job.in_parallel("synthesis", lambda entry: _mapped(job, entry, QUICK), entries))
    areas = {entry["key"]: record["area_cm2"] for entry, record in zip(entries, quick, strict=True)}
    searched = entries[len(BASELINES) :]
    points = np.array([[1 - e["validation_accuracy"], areas[e["key"]]] for e in searched]).reshape(-1, 2)
    chosen = entries[: len(BASELINES)] + [
        e for e, good in zip(searched, non_dominated(points), strict=True) if good
    ]
    final = list(job.in_parallel("effort", lambda entry: _mapped(job, entry, job.config.effort), chosen))
    for entry, record in zip(chosen, final, strict=True):
        entry["area_cm2"] = record["area_cm2"]
    job.run.write_json(chosen, "search", "candidates.json")
    made = {_netlist_file(e, QUICK) for e in entries} | {_netlist_file(e, job.config.effort) for e in chosen}
    return ["search/candidates.json", *sorted(made)]


def candidates(job: Job) -> list[Entry]:
    """The baselines and the search's solutions worth synthesising, best layers of its front first.

    Full adders see little of what a pruned circuit costs, so more than the first non-dominated layer is taken.
    """
    exact_record = job.run.read_json("search", "exact.json")
    found = job.run.read_json("search", "paper.json")["found"]
    points = np.array([[1 - f["validation_accuracy"], f["full_adders"]] for f in found]).reshape(-1, 2)
    chosen = best_layers(points, job.config.candidates)
    keys = ("model", "train_accuracy", "validation_accuracy")
    baseline = {"full_adders": None, **{key: exact_record[key] for key in keys}}
    entries = [{"stage": stage, **baseline} for stage in BASELINES]
    entries += [{"stage": "paper", **found[index]} for index in chosen]
    for entry in entries:
        entry["key"] = sha256_text(_model(entry).dumps() + VERILOG[entry["stage"]].__name__)[:16]
    return entries


def _model(entry: Entry) -> DiscreteMLP:
    return DiscreteMLP.from_json(entry["model"])


def best_layers(points: np.ndarray, n: int) -> list[int]:
    """Indices of at most `n` points, both coordinates minimised: the non-dominated first, then the rest's."""
    chosen: list[int] = []
    left = np.arange(len(points))
    while len(left) and len(chosen) < n:
        layer = non_dominated(points[left])
        chosen += left[layer].tolist()
        left = left[~layer]
    return chosen[:n]


def _netlist_file(entry: Entry, effort: str) -> str:
    return f"synthesis/{entry['key']}-{effort}.json"


def _mapped(job: Job, entry: Entry, effort: str) -> Entry:
    file = _netlist_file(entry, effort)
    if job.run.path(file).is_file():
        return dict(job.run.read_json(file))
    rtl = VERILOG[entry["stage"]](_model(entry))
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        mapped = map_verilog(rtl, job.technology, effort=effort, work_dir=Path(folder))
    record = {
        "recipe": mapped.recipe,
        "area_cm2": mapped.netlist.area_cm2(job.technology),
        "area_cm2_by_recipe": mapped.area_by_recipe,
        "log": list(mapped.log),
        "netlist": netlist_verilog(mapped.netlist, job.technology),
    }
    job.run.write_json(record, file)
    return record


@dataclass(frozen=True)
class Choice:
    """A mapped candidate as the front's choice sees it, before anything is measured on the test rows."""

    entry: Entry

    @property
    def id(self) -> str:
        """Key of the classifier and its form."""
        return str(self.entry["key"])

    @property
    def train_accuracy(self) -> float:
        """Share of training rows answered right."""
        return float(self.entry["train_accuracy"])

    @property
    def validation_accuracy(self) -> float:
        """Share of validation rows answered right."""
        return float(self.entry["validation_accuracy"])

    @property
    def area_cm2(self) -> float:
        """Cell area of the netlist."""
        return float(self.entry["area_cm2"])


@dataclass(frozen=True)
class Design:
    """A chosen circuit: its figures, its classifier, its cells, and what the record adds."""

    point: FrontPoint
    model: DiscreteMLP
    netlist: Netlist
    extra: dict[str, Any]


def designs(job: Job) -> list[str]:
    """Choose the front, measure it, write its files, and keep them only if simulation finds every circuit right.

    The front is chosen among the search's circuits by validation accuracy and area; the baselines are kept beside
    it whatever they are worth. Only what is kept meets the test rows.
    """
    shutil.rmtree(job.run.path("designs"), ignore_errors=True)
    entries = job.run.read_json("search", "candidates.json")
    chosen = [choice.entry for choice in select_front([Choice(entry) for entry in entries[len(BASELINES) :]])]
    digits = len(str(len(chosen)))
    names = [*BASELINES, *(f"{entry['stage']}-{n:0{digits}}" for n, entry in enumerate(chosen, start=1))]
    vectors = job.vectors("test")
    kept = zip(names, [*entries[: len(BASELINES)], *chosen], strict=True)
    found = [_measured(job, name, entry, vectors) for name, entry in kept]
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        drafts = Path(folder)
        _write_files(job, drafts, found)
        records = _simulated(job, drafts, found)
        return [
            file
            for design, record in zip(found, records, strict=True)
            for file in _kept(job, drafts / design.point.id, design, record)
        ]


def _measured(job: Job, name: str, entry: Entry, vectors: Vectors) -> Design:
    record = job.run.read_json(_netlist_file(entry, job.config.effort))
    netlist, model = read_netlist(record["netlist"], job.technology), _model(entry)
    figures = figures_of(netlist, job.technology, vectors, job.config.input_bits)
    point = FrontPoint(
        id=name,
        stage=entry["stage"],
        topology=model.topology,
        train_accuracy=entry["train_accuracy"],
        validation_accuracy=entry["validation_accuracy"],
        test=Metrics.from_json(figures),
        model_sha256=sha256_text(model.dumps()),
        **{key: figures[key] for key in CIRCUIT_FIGURES},
    )
    extra = {
        "full_adders": entry["full_adders"],
        "recipe": record["recipe"],
        "delay_extrapolated": figures["delay_extrapolated"],
    }
    return Design(point, model, netlist, extra)


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


def _kept(job: Job, draft: Path, design: Design, verification: dict[str, Any]) -> list[str]:
    proof = {key: value for key, value in verification.items() if key != "seconds"}
    names = {"class_names": list(job.dataset.class_names), "feature_names": list(job.dataset.feature_names)}
    record = {**design.point.to_json(), **design.extra, **names, "verification": proof}
    name = design.point.id
    with whole_folder(job.run.path("designs", name)) as folder:
        for file in DESIGN_FILES:
            write_text(folder / file, json_text(record) if file == MEASURE else (draft / file).read_text("utf-8"))
    return [f"designs/{name}/{file}" for file in DESIGN_FILES]
