"""Small runs for the benchmark of printing defects, each without and with fault tolerance as an axis."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flows import circuits, refinement
from flows.circuits import by_merit, chosen_front
from flows.config import DesignConfig, make_config, with_hidden
from flows.design import design
from flows.job import Job
from flows.mapping import BASELINES, Choice, Entry
from flows.progress import Reporter
from flows.run import MANIFEST, Run
from printedmlp.dataset import load_dataset
from printedmlp.technology import load_technology
from printedmlp.topology import default_hidden

SETTINGS = {
    "budget": "quick",
    "restarts": 3,
    "population": 60,
    "generations": 300,
    "chains": 2,
    "proposals": 5000,
    "tree_generations": 20,
    "candidates": 4,
}
"""Searches shorter than those of the smallest budget; refinement is its own."""
DONE = "search/refine.json"


def finished_run(folder: Path, name: str, seed: int, device_yield: float) -> tuple[Job, Job]:
    """A run up to refinement, and the same with fault tolerance at a device yield; made unless they are there."""
    plain, sturdy = folder / f"{name}-s{seed}", folder / f"{name}-s{seed}-y{device_yield:g}"
    config = make_config(None, {**SETTINGS, "dataset": name, "seed": seed})
    if not (plain / DONE).is_file():
        design(config, plain, until="refine", quiet=True)
    if not (sturdy / DONE).is_file():
        shutil.rmtree(sturdy, ignore_errors=True)
        shutil.copytree(plain, sturdy, ignore=shutil.ignore_patterns(".lock", "refine.json"))
        job = _job(sturdy, replace(config, fault_tolerance=device_yield))
        circuits.synthesis(job)
        refinement.refine(job)
    return _job(plain, config), _job(sturdy, replace(config, fault_tolerance=device_yield))


def _job(folder: Path, config: DesignConfig) -> Job:
    dataset = load_dataset(config.dataset)
    config = with_hidden(config, default_hidden(dataset.name, dataset.n_classes))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Job(config, dataset, load_technology(config.technology), Run(folder, manifest), Reporter(quiet=True))


def found_in(job: Job) -> list[Entry]:
    """All mapped circuits of a run but the baselines, with the merits that decide."""
    entries = job.run.read_json("search", "candidates.json")[len(BASELINES) :]
    entries += job.run.read_json("search", "refine.json")["found"]
    return by_merit(entries, len(job.vectors("validation").y))


def front_of(job: Job) -> list[Choice]:
    """The front of a run under its own axes."""
    return chosen_front(job, found_in(job))


def best_of(entries: Sequence[Entry], stage: str) -> Entry:
    """The circuit of a stage with most merit, of equals the smallest."""
    own = [entry for entry in entries if entry["stage"] == stage]
    return min(own, key=lambda e: (-e["merit"], e["area_cm2"], e["key"]))
