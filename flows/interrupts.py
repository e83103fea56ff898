"""Ctrl-C and SIGTERM: the process ends at once and cleanly, whatever its threads are waiting for.

Python raises KeyboardInterrupt in the main thread alone and then waits for the others. Here the tools that they
wait for are killed; what does not end by itself soon, such as a solver in the middle of a proof, is left behind.
A run folder is whole at every moment, so nothing is lost by that. SIGTERM, which is how a batch system ends a run,
would otherwise leave tools at work and temporary folders behind.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from hdl.tools import end_children

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}
USUAL: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
"""What Python does at these signals unless it is told otherwise."""
STANDARD_ERROR = 2
GRACE_S = 3.0
"""Seconds that threads have to end by themselves."""


class EndedBySignalError(KeyboardInterrupt):
    """The process was asked to end; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


@contextmanager
def ends_at_once(last_words: str) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM raise EndedBySignalError, and end the process with `last_words` where it must.

    Outside of the main thread, which alone has signals, and where a signal is ignored or handled already, nothing
    is changed.
    """
    pressed: list[int] = []
    ended = threading.Event()

    def leave() -> None:
        if not ended.is_set():
            os.write(STANDARD_ERROR, f"{last_words}\n".encode())
        os._exit(pressed[0])

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(CODES[signal.Signals(number)])
        if len(pressed) > 1:
            leave()
        watchdog = threading.Timer(GRACE_S, leave)
        watchdog.daemon = True
        watchdog.start()
        end_children()
        raise EndedBySignalError(pressed[0])

    in_main = threading.current_thread() is threading.main_thread()
    own = [number for number, usual in USUAL.items() if in_main and signal.getsignal(number) is usual]
    for number in own:
        signal.signal(number, interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        # A thread that was waited for may have passed on what it was interrupted by.
        raise EndedBySignalError(pressed[0]) if pressed else error from None
    finally:
        ended.set()
        for number in [] if pressed else own:
            signal.signal(number, USUAL[number])


@contextmanager
def asked_first(ask: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C call `ask` and nothing else; the next ones do what they did before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            ask()
        elif callable(before):
            before(number, frame)
        else:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
