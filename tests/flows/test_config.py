import json
import tomllib
from dataclasses import fields, replace

import pytest

from flows import tools
from flows.config import BUDGETS, DesignConfig, config_toml, make_config
from flows.design import check_limits, parser, settings_of
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError
from printedmlp.front import Limits
from printedmlp.technology import load_technology


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
        ('dataset = "a"\nhidden = 3', "hidden must be a list of integers, not 3"),
        ('dataset = "a"\nhidden = [0]', r"hidden: \[0\] must be layer sizes"),
        ('dataset = "a"\nbudget = "huge"', "budget: 'huge' is not one of quick"),
        ('dataset = "a"\nrandom_vectors = 9', "random_vectors: 9 is not in"),
        ('dataset = "a"\nmetric = "auc"', "metric: 'auc' is not one of accuracy, balanced_accuracy, macro_f1"),
        ('dataset = "a"\nmetric = 1', "metric must be str, not 1"),
        ('dataset = "a"\nclass_weights = 2', "class_weights must be str or a list of numbers, not 2"),
        ('dataset = "a"\nclass_weights = [1, "2"]', "class_weights must be str or a list of numbers"),
        ('dataset = "a"\nclass_weights = [1, true]', "class_weights must be str or a list of numbers"),
        ('dataset = "a"\nclass_weights = "equal"', "class_weights: 'equal' is not 'balanced'"),
        ('dataset = "a"\nclass_weights = [1, 0]', "class_weights: 0 is not a positive number"),
        ('dataset = "a"\nclass_weights = []', "class_weights: the list is empty"),
        ('dataset = "a"\nmax_area = -1', "max_area: -1 is not in"),
        ('dataset = "a"\nmax_area = "1 cm2"', "max_area must be float, not '1 cm2'"),
        ('dataset = "a"\nmax_power = nan', "max_power: nan is not in"),
        ('dataset = "a"\nmin_accuracy = 95', "min_accuracy: 95 is not in 0..1"),
        ('dataset = "a"\nchains = 0', "chains: 0 is not in"),
        ('dataset = "a"\nsample_rate = 0', "sample_rate: 0 is not in"),
        ('dataset = "a"\nbattery_mah = 10', "battery_v: a battery needs it beside battery_mah"),
        ('dataset = "a"\nbattery_v = -1', "battery_v: -1 is not in"),
        ('dataset = "a"\ninputs = "unary"', "inputs: 'unary' is not one of binary, thermometer"),
        ('dataset = "a"\nrefine_moves = 1.5', "refine_moves must be int, not 1.5"),
        ('dataset = "a"\njitter = -1', "jitter: -1 is not in"),
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


@pytest.mark.parametrize("weights", ["balanced", (1, 2.5, 1e-7), None])
def test_metric_weights_and_limits_read_back(tmp_path, weights):
    given = {
        "dataset": "iris",
        "metric": "macro_f1",
        "class_weights": weights,
        "max_area": 0.5,
        "min_accuracy": 0.9,
    }
    config = make_config(None, given)
    file = tmp_path / "c.toml"
    file.write_text(config_toml(config), encoding="utf-8")
    assert make_config(file, {}) == config
    assert config.limits == Limits(max_area_cm2=0.5, max_power_mw=None, min_score=0.9)


@pytest.mark.parametrize("budget", BUDGETS)
def test_every_budget_settles_every_number(budget):
    config = make_config(None, {"dataset": "iris", "budget": budget})
    assert {key: getattr(config, key) for key in BUDGETS[budget]} == BUDGETS[budget]
    assert set(BUDGETS[budget]) == set(BUDGETS["quick"])


def test_every_setting_is_an_option():
    options = set(vars(parser().parse_args(["iris"])))
    assert {item.name for item in fields(DesignConfig)} <= options


@pytest.mark.parametrize(
    ("text", "weights"), [("balanced", "balanced"), ("1,2,5", (1.0, 2.0, 5.0)), ("0.5,2", (0.5, 2.0))]
)
def test_class_weights_on_the_command_line(text, weights):
    assert parser().parse_args(["iris", "--class-weights", text]).class_weights == weights


@pytest.mark.parametrize("text", ["equal", "1,,2", ""])
def test_class_weights_that_are_none_are_refused(text, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["iris", "--class-weights", text])
    assert f"{text!r} is neither balanced nor numbers such as 1,2,5" in capsys.readouterr().err


def test_the_help_can_be_shown(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "annealing chains of the search [integer 1..10,000; default: 4 / 16 / 64 by budget]" in shown


def test_every_setting_is_json_ready():
    config = make_config(None, {"dataset": "iris", "hidden": (4,)})
    assert json.loads(json.dumps(config.to_json())) == config.to_json()


def test_a_file_name_in_another_encoding_is_named():
    with pytest.raises(ConfigError, match=r"liberty: 'caf\\udce9\.lib' is not UTF-8 text"):
        make_config(None, {"dataset": "iris", "liberty": b"caf\xe9.lib".decode("utf-8", "surrogateescape")})


def test_other_code_is_another_run(monkeypatch, tmp_path):
    dataset, config = load_dataset("balance"), make_config(None, {"dataset": "balance"})
    now = settings_of(config, dataset)
    assert now == settings_of(config, dataset)
    package = tmp_path / "sim"
    (package / "sub").mkdir(parents=True)
    found = [now["code"]]
    monkeypatch.setattr(tools.sim, "__file__", str(package / "__init__.py"))
    for name, text in (("__init__.py", ""), ("sub/a.v", "module a"), ("sub/a.v", "module b"), ("notes.txt", "")):
        (package / name).write_text(text)
        tools.code_digest.cache_clear()
        found.append(settings_of(config, dataset)["code"])
    tools.code_digest.cache_clear()
    assert len(set(found)) == 4
    assert found[-1] == found[-2]


def test_the_float_suite_counts_for_the_runs_that_it_teaches(monkeypatch, tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "a.py").write_text("")
    monkeypatch.setattr(tools.printedmlp, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(tools, "REFERENCE_SUITE", tmp_path / "reference")
    digests: dict[bool, set[str]] = {True: set(), False: set()}
    for text in ("one", "two"):
        (tmp_path / "reference" / "kan.py").write_text(text)
        tools.code_digest.cache_clear()
        for taught, seen in digests.items():
            seen.add(tools.code_digest(with_suite=taught))
    tools.code_digest.cache_clear()
    assert (len(digests[True]), len(digests[False])) == (2, 1)


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


def test_settings_at_rest_are_not_written_and_others_are(tmp_path):
    plain = make_config(None, {"dataset": "iris"})
    at_rest = {"inputs", "sample_rate", "battery_mah", "battery_v", "proof_time_limit"}
    assert not at_rest & set(plain.to_json())
    assert make_config(None, {"dataset": "iris", "proof_time_limit": 5.0}).to_json()["proof_time_limit"] == 5.0
    given = make_config(None, {"dataset": "iris", "inputs": "thermometer", "battery_mah": 5.0, "battery_v": 1.5})
    file = tmp_path / "c.toml"
    file.write_text(config_toml(given))
    assert make_config(file, {}) == given
    assert given.use.battery is not None
    assert given.use.battery.hours(7.5) == 1.0


def test_a_limit_of_power_needs_figures_of_power():
    technology = load_technology("egfet")
    bare = replace(technology, cells={n: replace(c, leakage_nw={}) for n, c in technology.cells.items()})
    limited = make_config(None, {"dataset": "iris", "max_power": 1.0})
    check_limits(limited, technology)
    with pytest.raises(ConfigError, match="max_power: technology 'egfet' has no power figures"):
        check_limits(limited, bare)
