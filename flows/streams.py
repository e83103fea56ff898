"""The standard streams as a caller may leave them: closed, read by nobody, of an encoding that lacks our signs."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def usable_streams() -> None:
    """Let streams that are closed lead nowhere, and no character of a name or a sign end a command.

    A closed stream's number would else be that of the next file that is opened, and what is meant for the stream
    would be written there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Workers that are started later need them as much.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def discard_output() -> None:
    """Nobody reads standard output any more; without this, Python complains when it closes it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def json_for(stream: TextIO, text: str) -> str:
    """JSON text in characters that the stream can write; those that it cannot are escaped, and mean the same."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return NOT_ASCII.sub(lambda found: json.dumps(found.group())[1:-1], text)
    return text
