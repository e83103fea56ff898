"""Compilation on first use, kept on disk where the machine allows it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit

from printedmlp.registry import cache_folder

Function = TypeVar("Function", bound=Callable[..., Any])


def cache_of_sources() -> str:
    """The folder for machine code of exactly these sources.

    Numba looks for changes only in the file of the function that is called, not in those of the functions that were
    compiled into it; so every state of the kernels has a cache of its own.
    """
    kernels = Path(__file__).parent
    # Kernels compile in the kinds of genes that the genome numbers.
    sources = [*sorted(kernels.glob("*.py")), kernels.parent / "genome.py"]
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    base = Path(config.CACHE_DIR) if config.CACHE_DIR else cache_folder() / "kernels"
    return str(base / digest[:16])


config.CACHE_DIR = cache_of_sources()


def compiled(function: Function) -> Function:
    """Compile `function` with numba when it is first called, without the interpreter lock.

    The machine code is cached in NUMBA_CACHE_DIR or the user's cache folder, beside the source where that cannot be
    written; where neither can, each process compiles anew.
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
