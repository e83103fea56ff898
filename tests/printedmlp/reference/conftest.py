from importlib.util import find_spec

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    # As the suite's command does: small networks on several threads wait for each other on a busy machine.
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
