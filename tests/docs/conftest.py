"""The folder of somebody who follows the pages: a small table, short settings, a finished run where one is due."""

import os
import shutil
import subprocess
import sys

import pytest

from printedmlp.dataset import load_dataset
from tests.docs.snippets import ROOT, Workspace

SETTINGS = """\
hidden = [1]
restarts = 2
population = 16
generations = 12
chains = 1
proposals = 100
tree_generations = 2
candidates = 2
refine_starts = 2
refine_moves = 1000
jitter = 1
power_moves = 500
proof_time_limit = 0
effort = "quick"
"""


def table() -> str:
    """Iris as a person's own table: a header, and the class in words in the last column."""
    data = load_dataset("iris")
    lines = [",".join([*data.feature_names, "species"])]
    for values, label in zip(data.X.tolist(), data.y.tolist(), strict=True):
        lines.append(",".join([*map(str, values), data.class_names[label]]))
    return "\n".join(lines) + "\n"


@pytest.fixture
def workspace(tmp_path):
    return Workspace.at(tmp_path, {"measurements.csv": table(), "small.toml": SETTINGS})


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """What `python -m flows.design measurements.csv` leaves, with short settings."""
    space = Workspace.at(tmp_path_factory.mktemp("finished"), {"measurements.csv": table(), "small.toml": SETTINGS})
    command = [sys.executable, "-m", "flows.design", "measurements.csv", "--config", "small.toml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=space.folder, env=environment, check=True, capture_output=True)
    return space.folder / "runs"


@pytest.fixture
def after_a_run(workspace, finished):
    """The folder after a run, with a circuit of it and its test rows as somebody would measure them."""
    runs = shutil.copytree(finished, workspace.folder / "runs", ignore=shutil.ignore_patterns(".lock"))
    run = next(runs.iterdir())
    smallest = min(run.glob("designs/*/classifier.v"), key=lambda path: (path.stat().st_size, path))
    shutil.copy(smallest, workspace.folder / "top.v")
    shutil.copy(run / "vectors/test.csv", workspace.folder / "vectors.csv")
    return workspace
