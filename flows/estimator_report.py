"""What a design run does beyond the estimator's `fit`: baselines, simulation, pictures, figures on test rows, page.

It happens in a run folder of its own inside the folder of the fit, with what the searches there found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows import stages
from flows.config import make_config
from flows.design import STAGES, settings_of
from flows.estimator_run import TABLE
from flows.job import Job, Stage
from flows.progress import Reporter
from flows.run import MANIFEST, Run, open_run, write_bytes
from printedmlp.dataset import Dataset, Split
from printedmlp.errors import EstimatorError
from printedmlp.preparation import prepared
from printedmlp.technology import load_technology

FOLDER = "report"
"""How the folder's name begins; the rest is of the table's hash, so that other test rows get another."""
EXACT_FILE, CANDIDATES_FILE = "search/exact.json", "search/candidates.json"


def full_report(
    folder: Path, X: NDArray[np.float64], y: NDArray[np.integer], class_names: Sequence[str], reporter: Reporter
) -> Path:
    """Finish the run of a fit with test rows; the path of its page.

    Parameters
    ----------
    folder : the run folder of the fit.
    X, y : (n_samples, n_features) and (n_samples,) test rows and their class indices.
    class_names : as displayed.

    Raises
    ------
    EstimatorError : there are no test rows, or the folder is no longer as `fit` left it.
    """
    if not len(X):
        raise EstimatorError("X has no rows")
    parent = _finished(folder)
    config, record = make_config(folder / "config.toml", {}), parent.read_json("dataset.json")
    table = np.loadtxt(folder / TABLE, delimiter=",", skiprows=1, ndmin=2)
    values, labels = np.concatenate([table[:, :-1], X]), np.concatenate([table[:, -1].astype(np.int64), y])
    dataset = Dataset.of_arrays(record["name"], values, labels, record["feature_names"], class_names)
    train, validation = (np.array(record["split"][part], dtype=np.int64) for part in ("train", "validation"))
    split = Split(train, validation, np.arange(len(table), len(labels)))
    todo: dict[str, Stage] = {
        "data": lambda job: stages.write_prepared(job, prepared(dataset, split, config.input_bits)),
        "found": partial(_taken_over, parent),
        "exact": lambda job: [] if job.run.path(EXACT_FILE).is_file() else stages.exact(job),
        **{name: STAGES[name] for name in ("synthesis", "designs", "front", "report")},
    }
    settings = {**settings_of(config, dataset), "fit": parent.manifest["settings"]}
    place = folder / f"{FOLDER}-{dataset.sha256[:8]}"
    with open_run(place, settings, list(todo)) as run:
        job = Job(config, dataset, load_technology(config.technology), run, reporter)
        for name, stage in todo.items():
            ran = run.do(name, partial(stage, job))
            reporter.line(f"{name}: {'done' if ran else 'kept from an earlier run'}")
    return place / "report.html"


def _finished(folder: Path) -> Run:
    """The run of a fit, if all its files are as its stages left them."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        run = Run(folder, manifest)
        if all(run.is_done(stage) for stage in manifest["order"]):
            return run
    except (OSError, ValueError, KeyError):
        pass
    raise EstimatorError(f"{folder}: is not as fit left it; fit again")


def _taken_over(parent: Run, job: Job) -> list[str]:
    """What the searches found and the netlists that were mapped, copied from the fit's folder."""
    names = [name for record in parent.manifest["stages"].values() for name in record["files"]]
    taken = sorted({name for name in names if name.startswith(("search/", "synthesis/"))} - {CANDIDATES_FILE})
    for name in taken:
        write_bytes(job.run.path(name), parent.path(name).read_bytes())
    return taken
