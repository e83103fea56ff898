"""Every option of every command says its type, its unit and its default, and a file's settings are the options'."""

import re
from importlib import import_module

import pytest

from flows import compare, measure_options
from flows.cli import EXIT_MISSING, EXIT_OK, EXIT_PIPE, EXIT_USER_ERROR, called
from flows.commands import available
from flows.interrupts import EXIT_INTERRUPTED, EXIT_TERMINATED
from flows.options import CIRCUIT, DATA, EXIT_CODES, FOLDER, GROUPS, INTEGER, OUTPUT, CommandParser, Kind, number
from printedmlp.errors import ConfigError

UNITS = {
    "max_area": "cm2",
    "max_power": "mW",
    "proof_time_limit": "s",
    "sample_rate": "Hz",
    "battery_mah": "mAh",
    "battery_v": "V",
    "threshold_sigma": "steps of the code",
}
"""Options that stand for a quantity. Any other number is a count or a share, or one of `BARE`."""
BARE = {"mutations_per_child", "sigma"}
FACTS = re.compile(r"\[(?P<kind>[^\[\];]+); default: (?P<default>[^\[\];]+(?:;[^\[\];]+)?)\]$")


def complaints(parser):
    """What the help of a parser does not say."""
    found = []
    for action in parser._actions:
        name, words = action.dest, " ".join((action.help or "").split())
        if name == "help":
            continue
        facts = FACTS.search(words)
        if facts is None:
            found.append(f"{name}: no type and default")
            continue
        kind, _, unit = facts["kind"].rpartition(", ")
        if name in UNITS and unit != UNITS[name]:
            found.append(f"{name}: no unit")
        if name not in (*UNITS, *BARE) and (kind or unit).startswith("number"):
            found.append(f"{name}: a number without a unit")
    return found


def parsers():
    """The parser of every command that is there, by name."""
    return {name: import_module(entry.module).parser() for name, entry in available().items()}


@pytest.mark.parametrize("name", sorted(available()))
def test_every_option_says_its_type_unit_and_default(name):
    assert complaints(parsers()[name]) == []


NUMBER = Kind("number", number, "float", "X")


def empty():
    return CommandParser("juggle", "Keeps balls in the air.", examples=(("3", "balls"),), missing="a ball fell")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda made: made.add_argument("--balls", help="how many"), "balls: no type and default"),
        (
            lambda made: made.value(DATA, "--max-area", NUMBER, "x"),
            "max_area: no unit",
        ),
        (
            lambda made: made.value(DATA, "--height", NUMBER, "of a throw"),
            "height: a number without a unit",
        ),
    ],
)
def test_an_option_that_says_less_is_found(spoil, complaint):
    made = empty()
    spoil(made)
    assert complaints(made) == [complaint]


@pytest.mark.parametrize("name", sorted(available()))
def test_options_stand_in_groups_in_one_order(name):
    titles = [group.title for group in parsers()[name]._action_groups if group._group_actions]
    assert titles == [title for title in GROUPS if title in titles]


@pytest.mark.parametrize("name", sorted(available()))
def test_the_help_lists_exit_codes_and_examples_and_every_command_has_json(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    token = called.set("printedmlp")
    try:
        shown = parsers()[name].format_help()
    finally:
        called.reset(token)
    assert shown.startswith(f"usage: printedmlp {name} [OPTION ...]")
    assert all(f"\n  {code:<4} " in shown for code in EXIT_CODES)
    assert "\nexamples:\n  printedmlp " in shown
    assert "{missing}" not in shown
    assert all(option in shown for option in ("--json", "--quiet", "--verbose", "--help"))


def test_the_exit_codes_of_the_help_are_those_of_the_program():
    codes = {EXIT_OK, EXIT_MISSING, EXIT_USER_ERROR, EXIT_INTERRUPTED, EXIT_PIPE, EXIT_TERMINATED}
    assert set(EXIT_CODES) == codes


@pytest.mark.parametrize("name", sorted(available()))
def test_a_wrong_option_is_one_line_with_the_nearest_and_exit_code_2(name, capsys):
    made = parsers()[name]
    with pytest.raises(SystemExit) as stopped:
        made.parse_args(["--verbos"])
    assert stopped.value.code == 2
    line = f"error: unknown argument '--verbos'; did you mean '--verbose'? ({made.prog} --help lists all options)\n"
    assert capsys.readouterr() == ("", line)


def test_options_are_not_abbreviated(capsys):
    with pytest.raises(SystemExit):
        measure_options.parser().parse_args(["top.v", "v.csv", "--eff", "quick"])
    assert "did you mean '--effort'?" in capsys.readouterr().err


def read(parser, folder, text, *arguments):
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return parser.read(["--config", str(file), *arguments])


def test_a_file_stands_in_for_the_command_line_which_wins(tmp_path):
    text = '[measure]\nverilog = "top.v"\nvectors = "iris"\nseed = 3\neffort = "quick"\nno_simulation = true\n'
    options = read(measure_options.parser(), tmp_path, text, "--seed", "4")
    assert (str(options.verilog), options.vectors, options.seed, options.effort) == ("top.v", "iris", 4, "quick")
    assert options.no_simulation
    assert str(read(measure_options.parser(), tmp_path, text, "mine.v").verilog) == "mine.v"


def test_lists_of_a_file_are_lists_of_the_options(tmp_path):
    options = read(compare.parser(), tmp_path, 'runs = ["a", "b"]\nstages = ["exact"]\nper_stage = 2\n')
    assert [str(run) for run in options.runs] == ["a", "b"]
    assert (list(options.stages), options.per_stage) == (["exact"], 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nper_stag = 2\n", " line 2: unknown setting 'per_stag'; did you mean 'per_stage'?"),
        ("per_stage = 0\n", " line 1: per_stage: 0 is not in 1..1000"),
        ('per_stage = "x"\n', " line 1: per_stage must be int, not 'x'"),
        ('stages = ["exact", "last"]\n', " line 1: stages: 'last' is not one of "),
        ("[measure]\nseed = 1\n", ": has no table [compare], only [measure]"),
        ("seed = 1\n[compare]\n", " line 1: 'seed' stands outside [compare]"),
        ("json = true\n", " line 1: unknown setting 'json'"),
        ("per_stage =\n", ": cannot be read as TOML: "),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(text, line, tmp_path):
    with pytest.raises(ConfigError) as refused:
        read(compare.parser(), tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'settings.toml'}{line}")


def test_a_line_inside_of_a_text_is_not_taken_for_the_setting(tmp_path):
    text = 'verilog = """\nseed = 1\n"""\nseed = "x"\n'
    with pytest.raises(ConfigError, match="line 4: seed must be int"):
        read(measure_options.parser(), tmp_path, text)


def test_shown_defaults_are_the_parsers(monkeypatch):
    made = empty()
    made.value(CIRCUIT, "--balls", INTEGER, "to throw", unit="balls", default=3)
    made.value(OUTPUT, "--out", FOLDER, "100 % of them")
    monkeypatch.setenv("COLUMNS", "100")
    shown = " ".join(made.format_help().split())
    assert "--balls N to throw [integer, balls; default: 3]" in shown
    assert "--out FOLDER 100 % of them [folder; default: none]" in shown
