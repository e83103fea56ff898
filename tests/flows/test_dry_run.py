"""What a run would do is told, by what earlier runs took, and not a byte is written for it."""

import json
import shutil

import pytest

from flows import design
from flows.cli import run_command
from flows.config import BUDGETS
from flows.expected_time import SAME_TABLE, SAME_WORK
from flows.run import MANIFEST, json_text
from tests.flows.processes import printedmlp
from tests.flows.shapes import NONE, NUMBER, Each, differences

PLAN = {
    "format": str,
    "version": int,
    "folder": str,
    "data_set": Each(object),
    "rows": {"train": int, "validation": int, "test": int},
    "topology": [int],
    "settings": Each({"value": object, "source": str}),
    "stages": [{"name": str, "state": str, "expected_s": (*NUMBER, NONE)}],
    "expected_s": (*NUMBER, NONE),
    "basis": (None, {"alike": str, "runs": [str]}),
}


def everything(folder):
    """Every name below a folder with its content and the time that it was changed."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def called(home, *arguments):
    """Run `design` in a home of its own; the cache of compiled kernels, which importing makes, is beside it."""
    changes = {"HOME": str(home), "TMPDIR": str(home), "PRINTEDMLP_CACHE": str(home.with_name("cache"))}
    return printedmlp("design", "iris", "--budget", "quick", *arguments, folder=home, **changes)


def test_a_dry_run_writes_nothing_and_a_real_one_would_be_noticed(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for run_is_there in (False, True):
        before = everything(home)
        done = called(home, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("dry run: nothing was written\n")
        assert everything(home) == before
        if not run_is_there:
            assert called(home, "--until", "data").returncode == 0
            assert everything(home) != before


def planned(capsys, *arguments):
    assert run_command(design.main, [*map(str, arguments), "--dry-run", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert differences(record, PLAN) == []
    return record


def test_settings_say_where_they_come_from(tmp_path, capsys):
    file = tmp_path / "s.toml"
    file.write_text('dataset = "iris"\nseed = 3\nchains = 2\nbudget = "quick"\n', encoding="utf-8")
    record = planned(capsys, "--config", file, "--seed", "4", "--out", tmp_path / "run")
    found = {key: (entry["value"], entry["source"]) for key, entry in record["settings"].items()}
    assert found["seed"] == (4, "option")
    assert found["chains"] == (2, "file")
    assert found["population"] == (BUDGETS["quick"]["population"], "budget")
    assert found["input_bits"] == (4, "default")
    assert sum(record["rows"].values()) == record["data_set"]["n_samples"] == 150
    assert record["topology"] == [4, *found["hidden"][0], 3]
    assert record["basis"] is None


def test_stages_are_done_to_do_or_not_asked_for_and_a_changed_file_is_to_do(tmp_path, capsys):
    run = ("iris", "--budget", "quick", "--out", tmp_path / "run")
    assert run_command(design.main, [*map(str, run), "--until", "data", "--quiet"]) == 0

    def states(*more):
        return [stage["state"] for stage in planned(capsys, *run, *more)["stages"]]

    assert states("--until", "exact") == ["done", "to do", *["not asked for"] * 8]
    assert states("--fresh") == ["to do"] * 10
    (tmp_path / "run" / "dataset.json").write_text("{}", encoding="utf-8")
    assert states() == ["to do"] * 10


def test_the_time_is_that_of_the_runs_most_like_this_one(tmp_path, capsys):
    kept = ("iris", "--budget", "quick", "--out", tmp_path / "a")
    assert run_command(design.main, [*map(str, kept), "--until", "data", "--quiet"]) == 0
    manifest = json.loads((tmp_path / "a" / MANIFEST).read_text(encoding="utf-8"))
    for folder, seconds, changed in (("b", 20.0, {}), ("c", 40.0, {"chains": 7})):
        (tmp_path / folder).mkdir()
        manifest["stages"]["data"]["seconds"] = seconds
        record = {**manifest, "settings": {**manifest["settings"], **changed}}
        (tmp_path / folder / MANIFEST).write_text(json_text(record), encoding="utf-8")
    shutil.rmtree(tmp_path / "a")

    def told(*more):
        record = planned(capsys, "iris", "--budget", "quick", "--out", tmp_path / "new", "--until", "data", *more)
        return record["expected_s"], record["basis"]

    assert told("--seed", "5") == (20.0, {"alike": SAME_WORK, "runs": [str(tmp_path / "b")]})
    both = {"alike": SAME_TABLE, "runs": [str(tmp_path / "b"), str(tmp_path / "c")]}
    assert told("--chains", "9") == (30.0, both)
    assert told("--input-bits", "3", "--budget", "standard") == (None, None)
    (tmp_path / "b" / MANIFEST).write_text("{", encoding="utf-8")
    assert told("--seed", "5") == (40.0, {"alike": SAME_TABLE, "runs": [str(tmp_path / "c")]})


def test_a_table_that_is_not_here_is_not_downloaded(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    monkeypatch.setenv("PRINTEDMLP_CACHE", str(tmp_path / "cache"))
    assert run_command(design.main, ["seeds", "--dry-run", "--out", str(tmp_path / "run")]) == 2
    assert "a real run downloads it from http" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoiled", "place"),
    [({"rows": {"train": 1}}, "rows"), ({"topology": ["4"]}, "topology[0]"), ({"basis": []}, "basis")],
)
def test_a_document_of_another_shape_is_noticed(spoiled, place, tmp_path, capsys):
    record = planned(capsys, "iris", "--budget", "quick", "--out", tmp_path / "run")
    assert [line.partition(":")[0] for line in differences({**record, **spoiled}, PLAN)] == [f"document.{place}"]
