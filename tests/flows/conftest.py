"""One small design run that the tests of the flow share, and copies of it that go on with other settings."""

import json
import shutil
from dataclasses import replace

import pytest

from flows import compare
from flows.compare import Options
from flows.config import make_config, with_hidden
from flows.design import STAGES, design, settings_of
from flows.job import Job
from flows.progress import Reporter
from flows.run import MANIFEST, Run, json_text
from printedmlp.dataset import load_dataset
from printedmlp.technology import load_technology
from tests.flows.comparing import PORTS, QUIET
from tests.flows.comparing import STAGES as COMPARED

SMALL = {
    "dataset": "iris",
    "budget": "quick",
    "hidden": (1,),
    "restarts": 2,
    "population": 16,
    "generations": 12,
    "chains": 1,
    "proposals": 100,
    "tree_generations": 2,
    "candidates": 2,
    "refine_starts": 4,
    "refine_moves": 1000,
    "jitter": 1,
    "power_moves": 500,
}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    return design(make_config(None, SMALL), tmp_path_factory.mktemp("runs") / "iris", quiet=True)


@pytest.fixture
def reopened(run_folder, tmp_path):
    """Copies of the shared run that have other settings, and in which the stages from a given one on are to do."""

    def copy(first, **changes):
        folder = tmp_path / "iris"
        shutil.copytree(run_folder, folder)
        (folder / ".lock").unlink()
        job = job_of(folder, **changes)
        job.run.manifest["settings"] = settings_of(job.config, job.dataset)
        order = list(STAGES)
        for stage in order[order.index(first) :]:
            del job.run.manifest["stages"][stage]
        (folder / MANIFEST).write_text(json_text(job.run.manifest))
        return job

    return copy


def job_of(folder, **changes):
    """The job of a finished run, perhaps with other settings, without the lock."""
    config = replace(make_config(None, SMALL), **changes)
    dataset = load_dataset(config.dataset)
    run = Run(folder, json.loads((folder / MANIFEST).read_text()))
    return Job(with_hidden(config, ()), dataset, load_technology("egfet"), run, Reporter(quiet=True))


@pytest.fixture(scope="session")
def found(run_folder, tmp_path_factory):
    """The shared run's circuits beside a stranger's."""
    verilog = tmp_path_factory.mktemp("given") / "top.v"
    verilog.write_text(PORTS)
    given = (compare.Foreign.parse(f"{verilog}:a stranger"),)
    return compare.compare([run_folder], Options(COMPARED, verilog=given, simulated=False), QUIET)


@pytest.fixture
def copied(run_folder, tmp_path):
    """A copy of the run with other settings in its manifest."""

    def copy(name, **settings):
        folder = tmp_path / name
        shutil.copytree(run_folder, folder)
        manifest = json.loads((folder / MANIFEST).read_text())
        manifest["settings"].update(settings)
        (folder / MANIFEST).write_text(json_text(manifest))
        return folder

    return copy
