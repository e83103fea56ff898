"""The setting that lets the genetic trainer work on islands."""

from dataclasses import asdict

import pytest

from flows.config import make_config
from flows.design import design
from printedmlp.errors import ConfigError

TINY = {"dataset": "iris", "budget": "quick", "hidden": (1,), "restarts": 1, "population": 16, "generations": 60}


def searched(folder, **changes):
    config = make_config(None, {**TINY, **changes})
    design(config, folder, until="paper", quiet=True)
    return (folder / "search" / "paper.json").read_bytes()


def test_islands_are_another_search_and_its_result_is_the_same_again(tmp_path):
    one, three = searched(tmp_path / "one"), searched(tmp_path / "three", islands=3)
    assert one != three
    assert searched(tmp_path / "again", islands=3) == three
    assert not list((tmp_path / "three" / "search").glob("*.npz"))


def test_one_population_is_told_nowhere():
    assert "islands" not in make_config(None, TINY).to_json()
    assert make_config(None, {**TINY, "islands": 3}).to_json()["islands"] == 3
    assert asdict(make_config(None, TINY))["islands"] == 1


@pytest.mark.parametrize("islands", [0, 65])
def test_a_number_of_islands_out_of_range_is_refused(islands):
    with pytest.raises(ConfigError, match=rf"islands: {islands} is not in 1\.\.64"):
        make_config(None, {**TINY, "islands": islands})
