import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from printedmlp.errors import ToolError
from sim.builds import content_key, kept_folder
from sim.processes import child_environment, first_line, run_tool


def filler(calls, text="done"):
    def make(folder):
        calls.append(folder)
        (folder / "program").write_text(text, encoding="utf-8")

    return make


def test_the_key_depends_on_content_and_not_on_order():
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1}) != content_key({"a": 1, "b": 3})


def test_the_same_content_is_built_once(tmp_path):
    calls: list[Path] = []
    first = kept_folder(tmp_path / "new", "x", {"a": 1}, filler(calls))
    again = kept_folder(tmp_path / "new", "x", {"a": 1}, filler(calls))
    other = kept_folder(tmp_path / "new", "x", {"a": 2}, filler(calls))
    assert (first[0], True) == again != other
    assert [first[1], other[1]] == [False, False]
    assert len(calls) == 2


def test_a_failed_build_is_not_taken_for_complete(tmp_path):
    def broken(folder):
        filler([])(folder)
        raise ToolError("killed")

    with pytest.raises(ToolError):
        kept_folder(tmp_path, "x", {}, broken)
    folder, reused = kept_folder(tmp_path, "x", {}, filler([]))
    assert not reused
    assert (folder / "program").read_text(encoding="utf-8") == "done"


def test_a_folder_without_its_mark_is_built_again(tmp_path):
    folder, _ = kept_folder(tmp_path, "x", {}, filler([], "old"))
    (folder / "complete").unlink()
    again, reused = kept_folder(tmp_path, "x", {}, filler([], "new"))
    assert (again, reused) == (folder, False)
    assert (folder / "program").read_text(encoding="utf-8") == "new"


def test_builds_at_the_same_time_keep_one(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: kept_folder(tmp_path, "x", {}, filler([])), range(8)))
    assert len({folder for folder, _ in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [found[0][0].name]


def test_old_leftovers_and_unused_builds_go(tmp_path):
    day = 24 * 3600
    for name, age in {"unfinished-a": 2, "unfinished-b": 0, "x-used": 3, "x-unused": 40}.items():
        (tmp_path / name).mkdir()
        time = (tmp_path / name).stat().st_mtime - age * day
        os.utime(tmp_path / name, (time, time))
    folder, _ = kept_folder(tmp_path, "x", {}, filler([]))
    assert {path.name for path in tmp_path.iterdir()} == {"unfinished-b", "x-used", folder.name}


def test_a_failure_is_quoted_and_logged(tmp_path):
    code = "print('fine'); print('%Error: x.v:3 is wrong'); raise SystemExit(3)"
    environment = child_environment(tmp_path)
    with pytest.raises(ToolError, match=r"tool failed \(3\): %Error: x.v:3 is wrong"):
        run_tool([sys.executable, "-c", code], tmp_path, environment, log="a.log", name="tool")
    assert (tmp_path / "a.log").read_text(encoding="utf-8").startswith("fine")


def test_a_tool_that_hangs_or_is_missing(tmp_path):
    sleep: list[str | Path] = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(ToolError, match=r"no result after 0\.2 s"):
        run_tool(sleep, tmp_path, child_environment(tmp_path), log="a.log", timeout_s=0.2)
    with pytest.raises(ToolError, match="missing-tool cannot be started"):
        run_tool(["missing-tool"], tmp_path, child_environment(tmp_path), log="a.log")
    with pytest.raises(ToolError, match="missing-tool does not run"):
        first_line(["missing-tool", "--version"])


def test_tools_see_only_named_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "-n")
    monkeypatch.setenv("COCOTB_TEST_FILTER", "nothing")
    assert set(child_environment(tmp_path)) <= {"PATH", "TMPDIR", "LC_ALL", "HOME"} | {
        *("LD_LIBRARY_PATH", "CPATH", "LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    }
