"""How many processors there are to use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_MOST: ContextVar[int | None] = ContextVar("most cores", default=None)


def available_cores() -> int:
    """Cores this process may run on, and no more than `at_most` allows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = _MOST.get()
    return cores if most is None else min(cores, most)


@contextmanager
def at_most(cores: int) -> Iterator[None]:
    """Let what the block calls use no more than so many cores, at least one; threads that it starts do not know."""
    token = _MOST.set(max(1, cores))
    try:
        yield
    finally:
        _MOST.reset(token)
