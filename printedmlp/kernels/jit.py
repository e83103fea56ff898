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


def compiled_lean(function: Function) -> Function:
    """As `compiled`, for loops that allocate nothing: without the reference counts that numba keeps of array views.

    On short loops over arrays that come in tuples, counting costs more than the loops.
    """
    try:
        result: Function = njit(nogil=True, cache=True, _nrt=False)(function)
    except RuntimeError:
        result = njit(nogil=True, _nrt=False)(function)
    return result


def inlined_lean(function: Function) -> Function:
    """Compile a part of a `compiled_lean` function, with which it is cached."""
    result: Function = njit(nogil=True, _nrt=False)(function)
    return result
