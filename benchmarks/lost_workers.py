"""Sweeps whose workers are killed at random moments of their runs, and what is in the runs' folders in the end."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.interrupted import cut_short
from benchmarks.interruptions import TINY, contents, moments
from flows.design import LAST, STAGES, design
from flows.sweep_plan import read_plan
from flows.sweep_task import Outcome, Task, run_task

WORKERS = 3
KILLS = 2
"""Workers that each run loses; of three tries, the last one has to end."""


def doomed(task: Task) -> Outcome:
    """A run as a worker does it, cut short as the first file says that is there for it."""
    assert task.folder is not None
    folder = Path(task.folder)
    for file in sorted(folder.parent.glob(f"{task.name}.cut*.json")):
        cut = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        with cut_short(cut):
            return run_task(task)
    return run_task(task)


def robustness_counts(n_runs: int = 6, seed: int = 0) -> tuple[int, int]:
    """Workers lost, and how many of them cost neither their run nor another a single byte."""
    from flows.sweep_cluster import local_cluster, outcomes

    with tempfile.TemporaryDirectory(prefix="lost-workers-") as name:
        place, rng = Path(name), np.random.default_rng(seed)
        runs = read_plan(_sweep_file(place, n_runs))
        for run in runs:
            whole = design(run.config, place / "whole" / run.name, quiet=True)
            _doom(place / f"{run.name}.cut", whole, rng)
        tasks = [Task(run.name, run.config, run.settings, LAST, str(place / run.name)) for run in runs]
        lost = handled = 0
        with local_cluster(WORKERS) as client:
            for task, tries, outcome in outcomes(client, tasks, tries=KILLS + 2, work=doomed):
                same = contents(place / task.name) == contents(place / "whole" / task.name)
                lost += tries - 1
                handled += (tries - 1) * (outcome.error is None and same)
    return lost, handled


def _sweep_file(place: Path, n_runs: int) -> Path:
    settings = {**TINY, "hidden": [list(TINY["hidden"])], "splits": n_runs}
    file = place / "sweep.toml"
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()), encoding="utf-8")
    return file


def _doom(name: Path, whole: Path, rng: np.random.Generator) -> None:
    """Files that say at which random moments of its stages a run loses its workers."""
    cuts = moments(whole, len(STAGES), rng)
    for number, place in enumerate(sorted(rng.choice(len(cuts), KILLS, replace=False))):
        name.with_name(f"{name.name}{number}.json").write_text(cuts[place].to_json(), encoding="utf-8")
