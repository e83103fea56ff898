"""`printedmlp COMMAND ...`: all commands by one name; `python -m flows COMMAND ...` is the same.

Nothing of a command is imported before it is called for, so that help and typing mistakes are answered at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec

from flows.cli import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_PIPE,
    EXIT_USER_ERROR,
    GOES_ON,
    NOTHING_KEPT,
    called,
    run_command,
)
from flows.streams import discard_output, usable_streams

SCRIPT = "printedmlp"
MODULE = "python -m flows"


@dataclass(frozen=True)
class Entry:
    """One command: the module whose `main` it is, what it does, its extra, and the line after Ctrl-C."""

    module: str
    summary: str
    extra: str | None = None
    when_interrupted: str = GOES_ON


COMMANDS = {
    "design": Entry("flows.design", "from a table to a folder of verified printed classifiers"),
    "measure": Entry(
        "flows.measure", "accuracy, area, power and delay of anyone's circuit", when_interrupted=NOTHING_KEPT
    ),
    "compare": Entry(
        "flows.compare", "runs, anyone's Verilog and published figures side by side", when_interrupted=NOTHING_KEPT
    ),
    "reference": Entry("flows.reference", "what float networks reach, and papers' claims tried", "reference"),
    "sweep": Entry("flows.sweep", "many tables, splits and settings on many workers", "sweep"),
    "defects": Entry("flows.defects", "what printing defects do to a circuit", when_interrupted=NOTHING_KEPT),
    "doctor": Entry(
        "flows.doctor", "what is found on this machine and what is missing", when_interrupted=NOTHING_KEPT
    ),
}


def available() -> dict[str, Entry]:
    """The commands whose modules are there, by name."""
    return {name: entry for name, entry in COMMANDS.items() if find_spec(entry.module)}


def main(arguments: Sequence[str] | None = None, *, name: str = SCRIPT) -> int:
    """Run one command, or answer --help or --version; returns the exit code."""
    usable_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    first, rest = (given[0], given[1:]) if given else ("", [])
    commands = available()
    if not first:
        print(help_text(name, commands), file=sys.stderr)
        return EXIT_USER_ERROR
    if first in ("-h", "--help"):
        return _say(help_text(name, commands))
    if first == "--version":
        return _say(f"{SCRIPT} {_version()}")
    if first not in commands:
        return _unknown(name, first, commands)
    return _call(name, first, commands[first], rest)


def help_text(name: str, commands: dict[str, Entry]) -> str:
    """What `--help` prints."""
    lines = [f"  {command:10} {entry.summary}" for command, entry in commands.items()]
    return "\n".join(
        [
            f"usage: {name} COMMAND [OPTION ...]",
            "",
            "From a table of numbers to a verified machine-learning circuit that can be printed.",
            "",
            "commands:",
            *lines,
            "",
            f"  {name} COMMAND --help   options of a command, with types, units and defaults",
            f"  {name} --version        the version",
        ]
    )


def _say(text: str) -> int:
    """Answer in words that somebody may have stopped reading."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        discard_output()
        return EXIT_PIPE
    return EXIT_OK


def _call(name: str, command: str, entry: Entry, arguments: Sequence[str]) -> int:
    token = called.set(name)
    try:
        module = import_module(entry.module)
        return run_command(module.main, arguments, when_interrupted=entry.when_interrupted)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("flows", "sim", "hdl", "printedmlp"):
            raise
        remedy = f"pip install 'printedmlp[{entry.extra}]'" if entry.extra else "pip install printedmlp"
        print(f"error: {command} needs the package '{error.name}': {remedy}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    finally:
        called.reset(token)


def _unknown(name: str, word: str, commands: dict[str, Entry]) -> int:
    from flows.settings_file import nearest

    hint = nearest(word, tuple(commands)) or f"; commands are {', '.join(commands)}"
    kind = "option" if word.startswith("-") else "command"
    print(f"error: no {kind} '{word}'{hint} ({name} --help)", file=sys.stderr)
    return EXIT_USER_ERROR


def _version() -> str:
    try:
        return metadata.version(SCRIPT)
    except metadata.PackageNotFoundError:
        return "(not installed)"
