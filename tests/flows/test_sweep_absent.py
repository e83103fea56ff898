"""A sweep where Dask is not installed: checked and listed as ever, and one line when it should run."""

import sys

from flows import sweep
from flows.cli import run_command


def test_without_dask_a_sweep_is_listed_and_not_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.delitem(sys.modules, "flows.sweep_cluster", raising=False)
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text('dataset = "iris"\n')
    options = [str(file), "--out", str(out), "--until", "data"]
    assert run_command(sweep.main, [*options, "--dry-run"]) == 0
    assert "1 to do" in capsys.readouterr().out
    assert run_command(sweep.main, options) == 2
    assert capsys.readouterr().err == "error: Dask is not installed: pip install 'printedmlp[sweep]'\n"
