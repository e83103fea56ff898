"""How every command ends.

0 when it did its work, 2 with one line for a user's mistake or a file system that refuses, 130 when interrupted,
141 when nobody reads its output any more.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from printedmlp.errors import PrintedMLPError, PrintedMLPWarning, one_line

EXIT_OK = 0
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141

Command = Callable[[Sequence[str] | None], None]


def run_command(command: Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command's main function and turn what it raises into an exit code and one line on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", PrintedMLPWarning)
        warnings.showwarning = _show_warning
        try:
            command(arguments)
        except PrintedMLPError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_USER_ERROR
        except KeyboardInterrupt:
            print("interrupted; the same command goes on from here", file=sys.stderr)
            return EXIT_INTERRUPTED
        except BrokenPipeError:
            _discard_output()
            return EXIT_PIPE
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            print(f"error: {one_line(f'{place}{error.strerror or error}')}", file=sys.stderr)
            return EXIT_USER_ERROR
        except MemoryError:
            print("error: the memory of this machine is not enough for this input", file=sys.stderr)
            return EXIT_USER_ERROR
    return EXIT_OK


def _discard_output() -> None:
    """Nobody reads standard output any more; without this, Python complains when it closes it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, PrintedMLPWarning):
        print(f"warning: {one_line(str(message))}", file=sys.stderr)
