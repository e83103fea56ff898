"""The sweep file: every mistake is a line before anything runs, and runs are named by their settings."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile_records import changed
from flows import sweep
from flows.cli import run_command
from flows.design import design
from flows.sweep_plan import SweepMistakesError, read_plan
from printedmlp.errors import ConfigError, one_line

GOOD = 'dataset = "iris"\n'


@pytest.fixture
def plan(tmp_path):
    def read(text):
        file = tmp_path / "sweep.toml"
        file.write_text(text, encoding="utf-8")
        return read_plan(file)

    return read


def test_every_combination_is_a_run(plan):
    runs = plan('dataset = ["iris", "wine"]\nsplits = 2\nhidden = [[3], [4, 2]]\nbudget = "quick"\n')
    shown = [(r.axes["dataset"], r.config.seed, r.axes["hidden"]) for r in runs]
    assert shown == [(d, s, h) for d in ("iris", "wine") for s in (0, 1) for h in ("3", "4-2")]
    assert len({run.name for run in runs}) == len(runs)
    assert all(run.config.budget == "quick" and run.config.population == 100 for run in runs)
    assert all("budget" not in run.axes for run in runs)


def test_a_run_keeps_its_name_when_the_sweep_grows(plan):
    small = plan(GOOD + "population = 50\n")
    large = plan(GOOD + "population = [20, 50]\nseed = [3, 0]\n")
    assert small[0].name in [run.name for run in large]
    assert plan(GOOD + "population = 51\n")[0].name != small[0].name


def test_longer_runs_weigh_more(plan):
    quick, standard = plan(GOOD + 'budget = ["quick", "standard"]\n')
    assert quick.weight < standard.weight


MISTAKES = {
    "": "dataset: none given",
    "dataset = 5": "dataset must be str, not 5",
    "dataset = []": "dataset has no values",
    'dataset = ["iris", "iris"]': "dataset has 'iris' twice",
    'dataset = "nowhere.csv"': "nowhere.csv: no such file",
    'dataset = "no_such_set"': "no_such_set",
    GOOD + "splits = 0": "splits must be a number of seeds in 1..100000, not 0",
    GOOD + "splits = true": "splits must be a number of seeds in 1..100000, not True",
    GOOD + "splits = [1, 2]": "splits must be a number of seeds",
    GOOD + "splits = 3\nseed = 1": "splits and seed say the same",
    GOOD + "seed = -1": "seed: -1 is not in 0..",
    GOOD + "seed = 1.5": "seed must be int, not 1.5",
    GOOD + "seed = nan": "seed must be int, not nan",
    GOOD + "seed = [[1]]": "seed must be int, not [1]",
    GOOD + "hidden = [3, 5]": "write [[3, 5]] for one value",
    GOOD + "hidden = 3": "hidden must be a list of integers, not 3",
    GOOD + "hidden = [[3], []]": "hidden: 0 layers",
    GOOD + "hidden = [[3], [0]]": "hidden: [0] must be layer sizes",
    GOOD + 'hidden = [["3"]]': "hidden must be a list of integers, not ['3']",
    GOOD + 'budget = ["quick", "fast"]': "budget: 'fast' is not one of quick, standard, thorough",
    GOOD + 'metric = "auc"': "metric: 'auc' is not one of",
    GOOD + "populations = 5": "unknown setting 'populations'",
    GOOD + "population = [50, 2]": "population: 2 is not in 8..100000",
    GOOD + "lsb = 4\nmsb = [11, 2]": "msb: 2 is below lsb 4",
    GOOD + 'technology = "egfett"': "egfett",
    GOOD + 'label = "petals"': "petals",
    GOOD + "splits = 100000\npopulation = [50, 60]": "200000 runs, more than 100000",
    GOOD + "[design]\nseed = 1": "has no table [sweep], only [design]",
    GOOD + "[sweep]\nseed = 1": "'dataset' stands outside [sweep]",
    GOOD + 'teacher = "nobody"': "nobody",
    "dataset = ": "cannot be read as TOML",
    GOOD + GOOD: "cannot be read as TOML",
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_wrong_file_is_told_before_anything_runs(text, tmp_path, capsys):
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text(text + "\n", encoding="utf-8")
    assert run_command(sweep.main, [str(file), "--out", str(out)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert MISTAKES[text] in lines[0]
    assert not out.exists()


def test_every_mistake_has_its_line(plan):
    with pytest.raises(SweepMistakesError) as found:
        plan('dataset = "iris"\nseed = "one"\nhidden = [2]\nbudgets = "quick"\n')
    mistakes = [text.partition("sweep.toml line ")[2].split()[:2] for text in found.value.mistakes]
    assert mistakes == [["2:", "seed"], ["3:", "hidden"], ["4:", "unknown"]]
    with pytest.raises(SweepMistakesError) as found:
        plan('dataset = ["iris", "gone.csv"]\nsplits = 3\npopulation = [50, 1, 2]\n')
    assert len(found.value.mistakes) == 3


def test_the_settings_may_stand_in_a_table_beside_those_of_other_commands(plan):
    (run,) = plan('[sweep]\ndataset = "iris"\nseed = 3\n\n[design]\nseed = 4\n')
    assert run.config.seed == 3


def test_a_file_that_is_not_there(tmp_path, capsys):
    assert run_command(sweep.main, [str(tmp_path / "none.toml")]) == 2
    assert "none.toml: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--workers", "0"], ["--workers", "two"], ["--tries", "0"], ["--until", "x"]])
def test_wrong_options_are_refused(options, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        sweep.main([str(tmp_path / "sweep.toml"), *options])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "2", "--scheduler", "tcp://h:1"], "--workers 2: a scheduler has workers of its own"),
        (["--shared"], "--shared: local workers see the folder anyway"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message, tmp_path, capsys):
    file = tmp_path / "sweep.toml"
    file.write_text('dataset = "iris"\n')
    assert run_command(sweep.main, [str(file), "--out", str(tmp_path / "out"), *options]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert [entry.name for entry in tmp_path.iterdir()] == ["sweep.toml"]


def toml(value):
    """A value as TOML has it, which has no null."""
    if isinstance(value, bool) or value is None:
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


SWEEP = {"dataset": ["iris", "wine"], "splits": 2, "hidden": [[3], [2, 2]], "jitter": [0, 8], "inputs": "binary"}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_changed_sweep_is_refused_in_lines_or_planned(seed, tmp_path_factory):
    file = tmp_path_factory.mktemp("sweeps") / "sweep.toml"
    data = changed(SWEEP, np.random.default_rng(seed))
    file.write_text("".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in data.items()))
    said, runs = [], []
    try:
        runs = read_plan(file)
    except SweepMistakesError as error:
        said = error.mistakes
    except ConfigError as error:
        said = [str(error)]
    assert bool(runs) != bool(said)
    assert all(one_line(line).startswith(str(file)) for line in said)
    assert [entry.name for entry in file.parent.iterdir()] == ["sweep.toml"]


def test_many_runs_are_planned_without_asking_for_versions_again(plan, monkeypatch):
    plan('dataset = "iris"\n')
    asked: list[str] = []
    monkeypatch.setattr("flows.tools.metadata.version", asked.append)
    assert len(plan('dataset = "iris"\nsplits = 50\n')) == 50
    assert asked == []


def test_a_dry_run_lists_and_runs_nothing(tmp_path, capsys):
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text('dataset = "iris"\nsplits = 2\nhidden = [[1]]\n')
    run = read_plan(file)[1]
    design(run.config, out / run.name, until="data", quiet=True)
    sweep.main([str(file), "--out", str(out), "--until", "data", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["to", "done", "2"]
    assert lines[-1] == f"2 runs, 1 done, 1 to do, until data, in {out}"
    assert [path.name for path in out.iterdir()] == [run.name]
    sweep.main([str(file), "--out", str(out), "--until", "data", "--dry-run", "--json"])
    record = json.loads(capsys.readouterr().out)
    assert [planned["done"] for planned in record["runs"]] == [False, True]
    assert record["format"] == sweep.PLAN


def test_runs_of_other_code_are_refused_until_fresh(tmp_path, capsys):
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text('dataset = "iris"\n')
    (run,) = read_plan(file)
    design(run.config, out / run.name, until="data", quiet=True)
    manifest = out / run.name / "manifest.json"
    record = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**record, "settings": {**record["settings"], "code": "older"}}))
    options = [str(file), "--out", str(out), "--until", "data", "--dry-run"]
    assert sweep.main(options) == 2
    assert "code: 'older' there" in capsys.readouterr().err
    sweep.main([*options, "--fresh"])
    assert "1 to do" in capsys.readouterr().out
