import json

import pytest

from flows.run import open_run, write_text
from printedmlp.errors import ConfigError

ORDER = ["first", "second"]


class Killed(BaseException):
    """Stands for a kill in the middle of a stage."""


def write_number(run, name, number):
    def work():
        run.write_json(number, name)
        return [name]

    return work


def test_a_stage_runs_once(tmp_path):
    with open_run(tmp_path / "r", {"a": 1}, ORDER) as run:
        assert run.do("first", write_number(run, "one.json", 1))
    with open_run(tmp_path / "r", {"a": 1}, ORDER) as run:
        assert not run.do("first", write_number(run, "one.json", 99))
        assert run.read_json("one.json") == 1


def test_a_changed_file_makes_its_stage_and_the_later_ones_undone(tmp_path):
    with open_run(tmp_path / "r", {}, ORDER) as run:
        run.do("first", write_number(run, "one.json", 1))
        run.do("second", write_number(run, "two.json", 2))
    (tmp_path / "r" / "one.json").write_text("7")
    with open_run(tmp_path / "r", {}, ORDER) as run:
        assert not run.is_done("first")
        assert run.do("first", write_number(run, "one.json", 1))
        assert not run.is_done("second")


def test_a_stage_runs_again_when_a_given_file_appears_changes_or_goes(tmp_path):
    with open_run(tmp_path / "r", {}, ORDER) as run:
        work, given = write_number(run, "one.json", 1), ("extra.json",)
        ran = [run.do("first", work, given=given), run.do("first", work, given=given)]
        for text in ("1", "2"):
            run.path("extra.json").write_text(text)
            ran += [run.do("first", work, given=given), run.do("first", work, given=given)]
        run.path("extra.json").unlink()
        ran += [run.do("first", work, given=given), run.do("first", work, given=given)]
    assert ran == [True, False] * 4


def test_a_given_file_is_the_givers_and_is_never_deleted(tmp_path):
    with open_run(tmp_path / "r", {}, ORDER) as run:
        run.path("extra.json").write_text("1")
        run.do("first", write_number(run, "one.json", 1), given=("extra.json",))
        run.path("extra.json").write_text("2")
        run.do("first", write_number(run, "one.json", 1), given=("extra.json",))
        assert run.path("extra.json").read_text() == "2"


def test_a_stage_that_keeps_its_pieces_does_not_keep_a_changed_one(tmp_path):
    def keeping(run):
        def work():
            if not run.path("piece.json").exists():
                run.write_json(1, "piece.json")
            return ["piece.json"]

        return work

    with open_run(tmp_path / "r", {}, ORDER) as run:
        run.do("first", keeping(run))
        run.path("piece.json").write_text("7")
        assert run.do("first", keeping(run))
        assert run.read_json("piece.json") == 1


def test_a_killed_stage_is_not_done_and_leaves_no_draft(tmp_path):
    def killed():
        raise Killed

    with pytest.raises(Killed), open_run(tmp_path / "r", {}, ORDER) as run:
        run.do("first", killed)
    (tmp_path / "r" / ".half.part").write_text("hal")
    with open_run(tmp_path / "r", {}, ORDER) as run:
        assert not run.is_done("first")
        assert not list((tmp_path / "r").glob("*.part"))
        assert not list((tmp_path / "r").glob(".*.part"))


def test_other_settings_are_refused_by_name_unless_fresh(tmp_path):
    with open_run(tmp_path / "r", {"seed": 1}, ORDER) as run:
        run.do("first", write_number(run, "one.json", 1))
    with pytest.raises(ConfigError, match=r"seed: 1 there, 2 now"), open_run(tmp_path / "r", {"seed": 2}, ORDER):
        pass
    with open_run(tmp_path / "r", {"seed": 2}, ORDER, fresh=True) as run:
        assert not run.is_done("first")
        assert not (tmp_path / "r" / "one.json").exists()


def test_a_killed_fresh_start_leaves_a_folder_that_can_be_discarded(tmp_path, monkeypatch):
    with open_run(tmp_path / "r", {"seed": 1}, ORDER) as run:
        for name in ("a.json", "z.json", "sub/b.json"):
            run.write_json(1, name)

    def killed(folder):
        raise Killed

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(Killed), open_run(tmp_path / "r", {"seed": 2}, ORDER, fresh=True):
        pass
    monkeypatch.undo()
    with open_run(tmp_path / "r", {"seed": 2}, ORDER, fresh=True) as run:
        assert sorted(path.name for path in run.folder.iterdir()) == [".lock", "manifest.json"]


def test_a_folder_in_use_is_refused(tmp_path):
    with (
        open_run(tmp_path / "r", {}, ORDER),
        pytest.raises(ConfigError, match="another process"),
        open_run(tmp_path / "r", {}, ORDER),
    ):
        pass


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(ConfigError, match=r"thesis\.tex"), open_run(tmp_path, {}, ORDER, fresh=True):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "dear"


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "other"}', '{"format": "printedmlp.run", "order": [], "stages": {}}']
)
def test_a_manifest_of_something_else_is_one_line_and_nothing_is_discarded(tmp_path, text, fresh):
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(ConfigError, match="not the manifest of a run"), open_run(tmp_path, {}, ORDER, fresh=fresh):
        pass
    assert (tmp_path / "thesis.tex").exists()


def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_text(path, "old")

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.run.os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_text(path, json.dumps("new"))
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_damaged_file_is_one_line(tmp_path):
    with open_run(tmp_path / "r", {}, ORDER) as run:
        run.path("one.json").write_text("{}x")
        with pytest.raises(ConfigError, match=r"one\.json: is damaged"):
            run.read_json("one.json")
