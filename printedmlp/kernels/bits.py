"""Population count and a small random generator for compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from printedmlp.kernels.jit import inlined_lean

Array = NDArray[Any]


@intrinsic
def popcount(typing_context: Any, word: Any) -> Any:
    """Number of ones in an unsigned 64-bit word, as one machine instruction; vectorised where the machine can."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@inlined_lean
def next_word(state: Array) -> Any:
    """The next 64 random bits of xorshift64* (Vigna, ACM TOMS 42, 2016); state is (1,) uint64 and never zero."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(0x2545F4914F6CDD1D)


@inlined_lean
def below(state: Array, n: int) -> Any:
    """A random integer in 0 .. n - 1, for n up to 2^31."""
    return np.int64(((next_word(state) >> np.uint64(33)) * np.uint64(n)) >> np.uint64(31))


@inlined_lean
def uniform(state: Array) -> Any:
    """A random float in (0, 1]."""
    return (np.float64(next_word(state) >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)
