"""Compilation on first use, kept on disk where the machine allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile `function` with numba when it is first called, without the interpreter lock.

    The machine code is cached in NUMBA_CACHE_DIR, or beside the source when that is writable, or in the user's
    cache folder; where none of them can be written, each process compiles anew.
    """
    try:
        result: Function = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba found no place to cache in
        result = njit(nogil=True)(function)
    return result


def inlined(function: Function) -> Function:
    """Compile a part of a `compiled` function, with which it is cached."""
    result: Function = njit(nogil=True)(function)
    return result
