"""How every command ends, and what it is called.

0 when it did its work; 1 when it ran and what it was asked for is missing or wrong, as its help says; 2 with one
line for a user's mistake, a missing tool or a file system that refuses; 130 when interrupted; 141 when nobody reads
its output any more; 143 when ended by SIGTERM.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import Any

from flows.interrupts import EXIT_INTERRUPTED, EndedBySignalError, ends_at_once
from flows.streams import discard_output, json_for, usable_streams
from printedmlp.errors import PrintedMLPError, PrintedMLPWarning, VerificationError, one_line

EXIT_OK = 0
EXIT_MISSING = 1
EXIT_USER_ERROR = 2
EXIT_PIPE = 141
GOES_ON = "interrupted; the same command goes on from here"
NOTHING_KEPT = "interrupted; nothing was written"

Command = Callable[[Sequence[str] | None], int | None]
called: ContextVar[str | None] = ContextVar("called", default=None)
"""What the dispatcher of commands was called as; None where a command runs as a module of its own."""


def program(command: str) -> str:
    """What a person typed to run a command, for its help: "printedmlp design" or "python -m flows.design"."""
    dispatcher = called.get()
    return f"{dispatcher} {command}" if dispatcher else f"python -m flows.{command}"


def run_command(
    command: Command, arguments: Sequence[str] | None = None, *, when_interrupted: str = GOES_ON
) -> int:
    """Run a command's main function and turn what it returns or raises into an exit code and one line of error.

    Parameters
    ----------
    command : returns an exit code, or None for 0.
    arguments : of the command line; None takes the process's.
    when_interrupted : the line after Ctrl-C or SIGTERM.
    """
    usable_streams()
    with warnings.catch_warnings():
        warnings.simplefilter("default", PrintedMLPWarning)
        warnings.showwarning = _show_warning
        try:
            with ends_at_once(when_interrupted):
                return _done(command, arguments)
        except PrintedMLPError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_MISSING if isinstance(error, VerificationError) else EXIT_USER_ERROR
        except KeyboardInterrupt as error:
            print(when_interrupted, file=sys.stderr)
            return error.code if isinstance(error, EndedBySignalError) else EXIT_INTERRUPTED
        except BrokenPipeError:
            discard_output()
            return EXIT_PIPE
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            print(f"error: {one_line(f'{place}{error.strerror or error}')}", file=sys.stderr)
            return EXIT_USER_ERROR
        except MemoryError:
            print("error: the memory of this machine is not enough for this input", file=sys.stderr)
            return EXIT_USER_ERROR


def _done(command: Command, arguments: Sequence[str] | None) -> int:
    """Run a command until the last of its words has left; only then is it known that somebody reads them."""
    try:
        code = command(arguments)
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return code or EXIT_OK


@contextmanager
def answer(*, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Keep standard output for the one JSON document of a command; what is printed inside goes to standard error.

    Yields what prints the document, or any other answer as it stands.
    """
    place = sys.stdout

    def tell(text: str) -> None:
        print(json_for(place, text) if as_json else text, end="", file=place, flush=True)

    with ExitStack() as stack:
        if as_json:
            stack.enter_context(redirect_stdout(sys.stderr))
        yield tell


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, PrintedMLPWarning):
        print(f"warning: {one_line(str(message))}", file=sys.stderr)
