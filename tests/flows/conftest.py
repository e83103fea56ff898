"""One small design run that the tests of the flow share."""

import pytest

from flows.config import make_config
from flows.design import design

SMALL = {
    "dataset": "iris",
    "budget": "quick",
    "hidden": (2,),
    "restarts": 2,
    "population": 16,
    "generations": 12,
    "candidates": 4,
}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    return design(make_config(None, SMALL), tmp_path_factory.mktemp("runs") / "iris", quiet=True)
