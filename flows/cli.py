"""How every command ends: 0 when it did its work, 2 with one line for a user's mistake, 130 when interrupted."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from printedmlp.errors import PrintedMLPError, PrintedMLPWarning

EXIT_OK = 0
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

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
            return EXIT_OK
    return EXIT_OK


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, PrintedMLPWarning):
        print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
