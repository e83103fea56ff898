"""The options of every command: each with its type, unit and default in the help, in groups that all share.

A command's parser is also what its table in a settings file is checked against, so that an option and a setting of
the same name take the same values.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from flows.cli import program
from flows.settings_file import nearest, place_of, read_settings
from printedmlp.errors import ConfigError

DATA, SEARCH, LIMITS, CIRCUIT = "data", "search budget", "limits", "circuit"
DEFECTS, WORKERS = "printing defects", "workers"
TECHNOLOGY, OUTPUT = "technology and power", "output"
GROUPS = (DATA, SEARCH, LIMITS, CIRCUIT, DEFECTS, WORKERS, TECHNOLOGY, OUTPUT)
"""In the order in which every command's help has them."""
EXIT_CODES = {
    0: "done",
    1: "ran, but what was asked for is missing or wrong: {missing}",
    2: "a mistake in input or settings, a missing tool, or a file system that refuses; one line says which",
    130: "interrupted by Ctrl-C",
    141: "nobody reads the output any more",
    143: "ended by SIGTERM",
}
NO_VALUE = "none"
NEEDED = "none; needed here or in --config"


@dataclass(frozen=True)
class Kind:
    """What a value may be.

    Attributes
    ----------
    name : what a person calls it.
    of : makes a value of the text on a command line; ArgumentTypeError or ValueError where it is none.
    declared : the type that a setting of this kind has in a settings file.
    metavar : stands for the value in the help.
    """

    name: str
    of: Callable[[str], Any]
    declared: str
    metavar: str


def whole(low: int, high: int) -> Callable[[str], int]:
    """Reads an integer of a range, both ends included."""

    def read(text: str) -> int:
        value = integer(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not in {low}..{high}")
        return value

    return read


def between(low: float, high: float) -> Callable[[str], float]:
    """Reads a number of a range, both ends included."""

    def read(text: str) -> float:
        value = number(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not in {low:g}..{high:g}")
        return value

    return read


def folder(text: str) -> Path:
    """Reads a folder's path; empty text, as of a variable that is not set, would stand for the folder one is in."""
    if not text:
        raise argparse.ArgumentTypeError("empty text names no folder")
    return Path(text)


def integer(text: str) -> int:
    """Reads an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None


def number(text: str) -> float:
    """Reads a number, nan and infinity included; what a setting may be is checked later."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


INTEGER = Kind("integer", integer, "int", "N")
TEXT = Kind("text", str, "str", "TEXT")
FILE = Kind("file", Path, "str", "FILE")
FOLDER = Kind("folder", folder, "str", "FOLDER")
CHOICE = Kind("one of", str, "str", "")


def integers(low: int, high: int) -> Kind:
    """The kind of an integer of a range."""
    return Kind(f"integer {low:,}..{high:,}", whole(low, high), "int", "N")


def numbers(low: float, high: float, metavar: str) -> Kind:
    """The kind of a number of a range; of 0 to 1 it is a share."""
    name = "share" if (low, high) == (0, 1) else "number"
    return Kind(f"{name} {low:g}..{high:g}", between(low, high), "float", metavar)


SEED = integers(0, 2**63 - 1)


class CommandParser(argparse.ArgumentParser):
    """The parser of one command; what a user gets wrong is one line with exit code 2.

    Parameters
    ----------
    command : its name, such as "design".
    description : what it does.
    examples : command lines without the program's name, each with what it does.
    missing : what exit code 1 stands for.
    arguments : what stands after the options in the line of usage.
    """

    def __init__(
        self,
        command: str,
        description: str,
        *,
        examples: Sequence[tuple[str, str]],
        missing: str,
        arguments: str = "",
    ) -> None:
        name = program(command)
        super().__init__(
            prog=name,
            usage=f"{name} [OPTION ...]{arguments and ' '}{arguments}",
            description=description,
            epilog=_epilog(name, examples, missing),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.command = command
        self.kinds: dict[str, Kind] = {}
        self._groups: dict[str, argparse._ArgumentGroup] = {}

    def group(self, title: str) -> argparse._ArgumentGroup:
        """The group of options with this title, made on first use."""
        if title not in self._groups:
            self._groups[title] = self.add_argument_group(title)
        return self._groups[title]

    def value(
        self,
        group: str,
        name: str,
        kind: Kind,
        help: str,
        *,
        unit: str = "",
        default: Any = None,
        shown: str | None = None,
        metavar: str | None = None,
        **rest: Any,
    ) -> None:
        """Add an option or argument with a value; the help gets its kind, its unit and the default, or `shown`."""
        if shown is None:
            shown = NO_VALUE if default is None else _shown(default)
        choices = rest.get("choices")
        what = f"{kind.name} {', '.join(map(str, choices))}" if choices else kind.name
        facts = f"[{', '.join(filter(None, (what, unit)))}; default: {shown}]"
        action = self.group(group).add_argument(
            name,
            type=kind.of,
            default=default,
            metavar=metavar or kind.metavar or None,
            help=f"{help} {facts}".replace("%", "%%"),
            **rest,
        )
        self.kinds[action.dest] = kind

    def flag(self, group: str, name: str, help: str, *, default: bool | None = False) -> None:
        """Add an option without a value."""
        text = f"{help} [flag; default: off]".replace("%", "%%")
        action = self.group(group).add_argument(name, action="store_true", default=default, help=text)
        self.kinds[action.dest] = Kind("flag", bool, "bool", "")

    def finish(self, *, settings: bool) -> CommandParser:
        """Add what every command has last; `settings` where a file of settings is read."""
        if settings:
            words = f"TOML file with settings, in a table [{self.command}] or alone; options given here win"
            self.value(OUTPUT, "--config", FILE, words)
        self.flag(
            OUTPUT, "--json", "print one JSON document on standard output, and everything else on standard error"
        )
        volume = self.group(OUTPUT).add_mutually_exclusive_group()
        volume.add_argument(
            "--quiet",
            action="store_true",
            help="print nothing but errors, warnings and the document of --json [flag; default: off]",
        )
        volume.add_argument(
            "--verbose",
            action="store_true",
            help="tell more of what is done and how long it takes [flag; default: off]",
        )
        self.group(OUTPUT).add_argument("-h", "--help", action="help", help="show this help and end")
        return self

    def read(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Parse the command line; values of its --config file stand in where it has none.

        Raises
        ------
        ConfigError : naming file, line and value.
        """
        given: argparse.Namespace = self.parse_args(arguments)
        if given.config is None:
            return given
        unsettled = {"config", "json", "quiet", "verbose"}
        types = {dest: self._declared(dest) for dest in self.kinds if dest not in unsettled}
        values = read_settings(given.config, self.command, types)
        self.set_defaults(**{key: self._from_file(given.config, key, value) for key, value in values.items()})
        return self.parse_args(arguments, argparse.Namespace())

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse does it; an unknown option is named with the one that looks most like it."""
        found, unknown = self.parse_known_intermixed_args(args, namespace)
        if unknown:
            options = tuple(option for action in self._actions for option in action.option_strings)
            hint = nearest(unknown[0].partition("=")[0], options) if unknown[0].startswith("-") else ""
            self.error(f"unknown argument '{unknown[0]}'{hint}")
        return found

    def error(self, message: str) -> NoReturn:
        """End with one line and exit code 2."""
        self.exit(2, f"error: {message} ({self.prog} --help lists all options)\n")

    def _action(self, dest: str) -> argparse.Action:
        return next(action for action in self._actions if action.dest == dest)

    def _declared(self, dest: str) -> str:
        kind = self.kinds[dest].declared
        return f"tuple[{kind}, ...]" if self._action(dest).nargs in ("+", "*") else kind

    def _from_file(self, file: Path, key: str, value: Any) -> Any:
        """A value of a file as the option of its name has it, if the option would take it."""
        action, kind = self._action(key), self.kinds[key]
        repeated = action.nargs in ("+", "*")
        try:
            if kind.declared == "bool":
                return value
            if not repeated:
                text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
                return self._taken(action, kind, text)
            if not value and action.nargs == "+":
                raise argparse.ArgumentTypeError("the list is empty")
            return tuple(self._taken(action, kind, str(item)) for item in value)
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise ConfigError(f"{place_of(file, key, self.command)}: {key}: {error}") from None

    def _taken(self, action: argparse.Action, kind: Kind, text: str) -> Any:
        """A value as the command line takes it, which holds no zero byte."""
        if "\0" in text:
            raise argparse.ArgumentTypeError(f"{text!r} holds a zero byte")
        value = kind.of(text)
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentTypeError(f"{value!r} is not one of {', '.join(map(str, action.choices))}")
        return value


def split_options(parser: CommandParser) -> None:
    """Add the options that say how a table is read and split, as `design` has them as settings."""
    parser.value(DATA, "--seed", SEED, "seed of the table's split", default=0)
    parser.value(DATA, "--label", TEXT, "name of the class column", shown="the last", metavar="COLUMN")
    words = "what becomes of rows with missing cells"
    parser.value(DATA, "--missing", CHOICE, words, default="drop", choices=("drop", "error"), metavar="MISSING")
    parser.flag(DATA, "--official-split", "the data set's own test rows (pendigits, cluster_escapers)")
    parser.flag(DATA, "--group-duplicates", "equal rows on one side of the split")


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or NO_VALUE
    return f"{value:g}" if isinstance(value, float) else str(value)


def _epilog(name: str, examples: Sequence[tuple[str, str]], missing: str) -> str:
    width = max(len(line) for line, _ in examples)
    shown = [f"  {name} {line:{width}}  {words}" for line, words in examples]
    codes = [f"  {code:<4} {words.format(missing=missing)}" for code, words in EXIT_CODES.items()]
    return "\n".join(["examples:", *shown, "", "exit codes:", *codes])
