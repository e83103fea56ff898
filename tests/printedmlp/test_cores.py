"""How many processors work may use."""

import pytest

from printedmlp.cores import at_most, available_cores


def test_a_block_uses_no_more_than_it_may():
    everything = available_cores()
    with at_most(1):
        assert available_cores() == 1
        with at_most(1000):
            assert available_cores() == everything
        assert available_cores() == 1
    assert available_cores() == everything


def test_a_block_that_fails_lifts_its_limit():
    everything = available_cores()
    with pytest.raises(ZeroDivisionError), at_most(0):
        assert 1 / (available_cores() - 1)
    assert available_cores() == everything
