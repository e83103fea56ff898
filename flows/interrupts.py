"""Ctrl-C: the process ends at once and cleanly, whatever its threads are waiting for.

Python raises KeyboardInterrupt in the main thread alone and then waits for the others. Here the tools that they
wait for are killed; what does not end by itself soon, such as a solver in the middle of a proof, is left behind.
A run folder is whole at every moment, so nothing is lost by that.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from hdl.tools import end_children

EXIT_INTERRUPTED = 130
STANDARD_ERROR = 2
GRACE_S = 3.0
"""Seconds that threads have to end by themselves."""
_slow: list[tuple[float, Callable[[], object]]] = []


@contextmanager
def ends_at_once(last_words: str) -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, and end the process with `last_words` and exit code 130 where it must.

    Outside of the main thread, which alone has signals, and where Ctrl-C is ignored or handled already, nothing is
    changed.
    """

    pressed, ended = threading.Event(), threading.Event()

    def leave() -> None:
        for _, last in _slow:
            with suppress(Exception):
                last()
        if not ended.is_set():
            os.write(STANDARD_ERROR, f"{last_words}\n".encode())
        os._exit(EXIT_INTERRUPTED)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            leave()
        pressed.set()
        watchdog = threading.Timer(max([GRACE_S, *(seconds for seconds, _ in _slow)]), leave)
        watchdog.daemon = True
        watchdog.start()
        end_children()
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        ended.set()
        if not pressed.is_set():
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def slow_to_end(seconds: float, last: Callable[[], object]) -> Iterator[None]:
    """Give what is inside so many seconds to end after Ctrl-C; `last` is called if the process must end before."""
    _slow.append((seconds, last))
    try:
        yield
    finally:
        _slow.remove((seconds, last))


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
