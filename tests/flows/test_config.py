import json
import tomllib

import pytest

from flows.config import config_toml, make_config
from flows.design import settings_of
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError


def test_the_command_line_beats_the_file_beats_the_budget(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('dataset = "iris"\nbudget = "quick"\nseed = 3\npopulation = 40\n')
    config = make_config(file, {"seed": 5, "label": None})
    assert (config.dataset, config.seed, config.population, config.generations) == ("iris", 5, 40, 2000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 1", "dataset: none given"),
        ('dataset = "a"\nsped = 1', "unknown setting 'sped'"),
        ('dataset = "a"\nseed = "one"', "seed must be int, not 'one'"),
        ('dataset = "a"\nseed = true', "seed must be int, not True"),
        ('dataset = "a"\nseed = -1', "seed: -1 is not in"),
        ('dataset = "a"\nhidden = 3', "hidden must be a list of integers"),
        ('dataset = "a"\nhidden = [0]', r"hidden: \[0\] must be layer sizes"),
        ('dataset = "a"\nbudget = "huge"', "budget: 'huge' is not one of quick"),
        ('dataset = "a"\nrandom_vectors = 9', "random_vectors: 9 is not in"),
        ('dataset = "a"\nlsb = 9\nmsb = 8', "msb: 8 is below lsb 9"),
        ("dataset = ", "cannot be read as TOML"),
        ('dataset = "a\\u0000"', r"dataset: 'a\\x00' is not UTF-8 text"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, message):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        make_config(file, {})


def test_the_written_toml_reads_back(tmp_path):
    config = make_config(None, {"dataset": 'a "b"\\c\n\x7f.csv', "hidden": (5, 3), "group_duplicates": True})
    file = tmp_path / "c.toml"
    file.write_text(config_toml(config), encoding="utf-8")
    assert make_config(file, {}) == config
    assert tomllib.loads(config_toml(config))["dataset"] == config.dataset


def test_every_setting_is_json_ready():
    config = make_config(None, {"dataset": "iris", "hidden": (4,)})
    assert json.loads(json.dumps(config.to_json())) == config.to_json()


def test_a_file_name_in_another_encoding_is_named():
    with pytest.raises(ConfigError, match=r"liberty: 'caf\\udce9\.lib' is not UTF-8 text"):
        make_config(None, {"dataset": "iris", "liberty": b"caf\xe9.lib".decode("utf-8", "surrogateescape")})


def test_a_library_of_ones_own_counts_by_its_content(tmp_path):
    file, dataset = tmp_path / "cells.lib", load_dataset("balance")
    found = []
    for text in ("library (a) {}", "library (b) {}"):
        file.write_text(text)
        for options in ({"liberty": str(file)}, {"technology": str(file)}, {}):
            found.append(settings_of(make_config(None, {"dataset": "balance", **options}), dataset))
    assert all(a != b for a, b in zip(found[:2], found[3:5], strict=True))
    assert found[2] == found[5]
    assert "technology_sha256" not in found[2]
