"""The command of the float suite: what it runs, keeps, prints and refuses."""

import json
import sys
from types import ModuleType

import pytest

pytest.importorskip("torch")

from flows import reference
from flows.cli import run_command
from flows.reference import main, run_paper, sources
from flows.reference_table import END, START
from printedmlp.errors import DataError
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.registry import PAPERS
from tests.flows.processes import code_of


class FakeStudy(ModuleType):
    """A study that trains nothing, and counts how often it is run."""

    runs = 0

    def run(self, context: Context) -> Outcome:
        self.runs += 1
        (context.folder / "gmlp.png").write_bytes(b"picture")
        return Outcome(
            (Measure("task", "data", "accuracy", tuple(0.9 + seed / 10 for seed in context.seeds)),),
            (Check("claim", "seen", "bound", True),),
        )


@pytest.fixture
def study(monkeypatch):
    fake = FakeStudy("fake")
    monkeypatch.setitem(sys.modules, PAPERS["gmlp"].study, fake)
    return fake


@pytest.fixture
def only_gmlp(monkeypatch, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"text\n{START}{END}\n")
    monkeypatch.setattr(reference, "PAPERS", {"gmlp": PAPERS["gmlp"]})
    monkeypatch.setattr(reference, "README", readme)
    return readme


def context(folder, seeds=(0,), quick=True):
    return Context(seeds, quick, "cpu", folder)


def test_a_paper_is_run_once_for_the_same_settings(study, tmp_path):
    first, ran = run_paper("gmlp", context(tmp_path))
    assert ran
    record = json.loads((tmp_path / "gmlp.json").read_text())
    assert (record["paper"], record["picture"], record["settings"]["seeds"]) == ("gmlp", "gmlp.png", [0])
    assert run_paper("gmlp", context(tmp_path)) == (first, False)
    assert study.runs == 1


@pytest.mark.parametrize("change", ["seeds", "quick", "again", "picture", "damaged", "code"])
def test_a_paper_is_run_again_when_something_changed(study, tmp_path, monkeypatch, change):
    run_paper("gmlp", context(tmp_path))
    if change == "picture":
        (tmp_path / "gmlp.png").unlink()
    if change == "damaged":
        (tmp_path / "gmlp.json").write_text("{")
    if change == "code":
        other = tmp_path / "other.py"
        other.write_text("another study")
        monkeypatch.setattr(reference, "sources", lambda _: [other])
    changed = {"seeds": context(tmp_path, seeds=(0, 1)), "quick": context(tmp_path, quick=False)}
    run_paper("gmlp", changed.get(change, context(tmp_path)), again=change == "again")
    assert study.runs == 2


def test_what_stand_ins_gave_is_not_kept_for_the_data(study, tmp_path, monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    run_paper("gmlp", context(tmp_path))
    assert json.loads((tmp_path / "gmlp.json").read_text())["settings"]["stand_ins"]
    assert not run_paper("gmlp", context(tmp_path))[1]
    (tmp_path / "data" / "suite").mkdir(parents=True)
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path / "data"))
    assert run_paper("gmlp", context(tmp_path))[1]
    assert "stand_ins" not in json.loads((tmp_path / "gmlp.json").read_text())["settings"]
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    assert run_paper("gmlp", context(tmp_path))[1]


def test_a_study_consists_of_what_it_imports_from_the_suite():
    names = {path.name for path in sources("printedmlp.reference.mlp")}
    assert names == {"mlp.py"}
    assert {path.name for path in sources("printedmlp.reference.training")} == {"training.py"}
    assert {"gmlp.py", "training.py"} <= {path.name for path in sources("printedmlp.reference.gmlp")} | {
        "training.py"
    }


def test_the_simulation_belongs_to_the_study_of_star_clusters():
    names = {path.name for path in sources("printedmlp.reference.massless")}
    assert {"massless.py", "cluster.py", "draws.py", "gravity.py"} <= names
    assert "registry.py" not in names


def test_one_paper_is_printed_with_its_claims(study, tmp_path, capsys):
    main(["gmlp", "--quick", "--seeds", "2", "--folder", str(tmp_path / "new")])
    out = capsys.readouterr().out
    assert "gmlp: Pay Attention to MLPs (done)" in out
    assert "shown      claim: seen (bound)" in out
    assert "0.95 ± 0.07" in out
    assert "table:" not in out


def test_the_full_run_of_all_papers_renews_the_readme(study, only_gmlp, tmp_path, capsys):
    main(["all", "--quick", "--folder", str(tmp_path)])
    assert only_gmlp.read_text() == f"text\n{START}{END}\n"
    main(["all", "--folder", str(tmp_path)])
    assert "over 3 seeds" in only_gmlp.read_text()
    assert "table:" in capsys.readouterr().out


def test_among_several_a_paper_without_its_data_is_left_out_with_a_warning(study, tmp_path, monkeypatch, capsys):
    both = {key: PAPERS[key] for key in ("gmlp", "kan")}
    monkeypatch.setattr(reference, "PAPERS", both)

    def missing(_):
        raise DataError("camera.png: set PRINTEDMLP_DATA")

    absent = ModuleType("absent")
    absent.run = missing  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, PAPERS["kan"].study, absent)
    assert run_command(main, ["all", "--quick", "--folder", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "warning: kan is left out: camera.png: set PRINTEDMLP_DATA" in err
    assert "Pay Attention" in out
    assert run_command(main, ["kan", "--quick", "--folder", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a paper's key, or all, or --on TABLE"),
        (["kan", "--on", "iris"], "give a paper's key, or all, or --on TABLE"),
        (["--on", "iris", "--seeds", "3"], "for a table say --splits"),
        (["kanns"], "no paper 'kanns'; did you mean 'kan'?"),
        (["kan", "--seeds", "0"], "--seeds: 0 is not in 1..100"),
        (["kan", "--device", "tpu"], "device: 'tpu' is not one of"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, message, capsys):
    assert code_of(main, arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_without_torch_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("printedmlp.reference.studies.")]:
        monkeypatch.delitem(sys.modules, name)
    for arguments in (["kan"], ["all", "--quick"]):
        assert run_command(main, arguments) == 2
        assert "pip install 'printedmlp[reference]'" in capsys.readouterr().err
