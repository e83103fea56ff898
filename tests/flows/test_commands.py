"""The one command: what it lists, how fast it answers, and what it says to a typing mistake or a missing extra."""

import resource
import sys
import tomllib
from importlib import import_module

import pytest

from flows import commands
from flows.cli import called
from flows.commands import COMMANDS, Entry, available, main
from tests.flows.processes import ROOT, python

ANSWER_S = 0.3
"""Processor time within which help is to be there."""
HEAVY = ("numpy", "sklearn", "numba", "amaranth", "pyosys", "rich", "torch", "flows.design")


def cpu_seconds(*arguments):
    """Processor time of a process; the least of three, as the first reads its files from a disk."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python(*arguments).returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_there_at_once(option):
    assert cpu_seconds("-m", "flows", option) < ANSWER_S


def test_the_clock_would_notice_a_command_that_is_imported_for_help():
    assert cpu_seconds("-c", "import flows.commands, flows.design") > ANSWER_S


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["desing"]])
def test_nothing_of_a_command_is_imported_before_it_is_called(arguments):
    code = (
        f"import sys, flows.commands as c; c.main({arguments!r}); "
        f"print('loaded:', [n for n in {HEAVY!r} if n in sys.modules])"
    )
    assert python("-c", code).stdout.endswith("loaded: []\n")


def test_help_lists_every_command_that_is_there(capsys, monkeypatch):
    monkeypatch.setitem(COMMANDS, "juggle", Entry("flows.no_such_module", "keeps balls in the air"))
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert {"design", "measure", "compare", "reference", "doctor"} <= set(available())
    assert all(entry.summary in shown for entry in available().values())
    assert "juggle" not in shown
    assert main(["juggle"]) == 2


def test_without_a_command_the_help_is_an_error(capsys):
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("usage: printedmlp COMMAND")


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("desing", "error: no command 'desing'; did you mean 'design'? (printedmlp --help)\n"),
        ("mesure", "error: no command 'mesure'; did you mean 'measure'? (printedmlp --help)\n"),
        ("--json", f"error: no option '--json'; commands are {', '.join(available())} (printedmlp --help)\n"),
    ],
)
def test_a_typing_mistake_is_one_line_with_the_nearest_name(word, line, capsys):
    assert main([word]) == 2
    assert capsys.readouterr() == ("", line)


def fake(folder, monkeypatch, name, source):
    """A command whose module has this source, and its entry."""
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(COMMANDS, "fake", Entry(name, "stands in", extra="circus"))


def test_a_missing_extra_is_one_line_that_says_what_to_install(tmp_path, monkeypatch, capsys):
    fake(tmp_path, monkeypatch, "needs_balls", "import juggling_balls.red\n")
    assert main(["fake"]) == 2
    line = "error: fake needs the package 'juggling_balls': pip install 'printedmlp[circus]'\n"
    assert capsys.readouterr() == ("", line)


def test_a_module_of_our_own_that_is_missing_is_no_missing_extra(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "needs_itself", "import flows.no_such_module\n")
    with pytest.raises(ModuleNotFoundError):
        main(["fake"])


def test_a_command_is_called_with_its_arguments_and_ends_with_its_code(tmp_path, monkeypatch, capsys):
    source = "from flows.cli import program\ndef main(given):\n    print(program('fake'), given)\n    return 1\n"
    fake(tmp_path, monkeypatch, "does_little", source)
    assert main(["fake", "--help", "x"]) == 1
    assert capsys.readouterr().out == "printedmlp fake ['--help', 'x']\n"
    assert called.get() is None


def test_the_script_is_this_command():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = scripts[commands.SCRIPT].partition(":")
    assert getattr(import_module(module), function) is main


def test_a_command_by_its_module_and_by_the_dispatcher_is_the_same():
    shown = [python("-m", *words, "--help").stdout for words in (("flows.doctor",), ("flows", "doctor"))]
    apart, together = (" ".join(text.split()) for text in shown)
    assert "usage: python -m flows.doctor [OPTION ...]" in apart
    assert apart.replace("flows.doctor", "flows doctor") == together
