"""The page on the command line says what the parsers do."""

import re
import shlex
from importlib import import_module

import pytest

from flows import ceiling, comparison, defects, doctor, documents, dry_run, measure, reference, sweep, sweep_results
from flows.commands import COMMANDS, available
from flows.config import make_config
from flows.options import EXIT_CODES
from tests.flows.processes import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
FORMATS = {
    "design": {documents.RESULT, dry_run.FORMAT},
    "measure": {measure.FORMAT},
    "compare": {comparison.FORMAT},
    "reference": {reference.STUDIES, ceiling.FORMAT},
    "sweep": {sweep_results.FORMAT, sweep.PLAN},
    "defects": {defects.FORMAT},
    "doctor": {doctor.FORMAT},
}
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def parser_of(command):
    return import_module(COMMANDS[command].module).parser()


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def unknown_options(page):
    """Options that a text names and no command has."""
    known = {o for name in available() for action in parser_of(name)._actions for o in action.option_strings}
    return set(re.findall(r"--[a-z][a-z-]*", page)) - known - {"--version"}


def test_every_option_of_the_page_exists_and_one_that_does_not_is_found():
    assert unknown_options(PAGE) == set()
    assert unknown_options(PAGE.replace("--dry-run", "--try-run")) == {"--try-run"}


def test_the_table_has_every_command_with_its_words_and_documents():
    rows = {name: (words, set(re.findall(r"`(printedmlp\.\w+)`", told))) for name, words, told in ROW.findall(PAGE)}
    assert rows.keys() == available().keys()
    assert rows == {name: (COMMANDS[name].summary, FORMATS[name]) for name in rows}


def test_the_table_has_every_exit_code():
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)} == EXIT_CODES.keys()


@pytest.mark.parametrize("line", "".join(blocks("sh")).splitlines())
def test_the_examples_are_taken_by_their_parsers(line):
    script, command, *arguments = shlex.split(line.partition(" > ")[0])
    assert script == "printedmlp"
    parser_of(command).parse_args(arguments)


@pytest.mark.parametrize("name", sorted(available()))
def test_so_are_the_examples_of_the_help(name):
    made = parser_of(name)
    lines = re.findall(rf"^  {re.escape(made.prog)} ?(.*?)(?:  .*)?$", made.epilog, re.MULTILINE)
    assert lines
    for line in lines:
        parser_of(name).parse_args(shlex.split(line.partition(" > ")[0]))


def test_the_settings_of_the_page_are_settings(tmp_path):
    (text,) = blocks("toml")
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    assert make_config(file, {}).max_area == 0.5
    assert parser_of("compare").read(["--config", str(file)]).per_stage == 4
