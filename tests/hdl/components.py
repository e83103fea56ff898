"""Amaranth components as Python functions, for tests."""

import warnings

import numpy as np
from amaranth.sim import Simulator


def outputs(component, port, inputs):
    """Values of an output port, int64 (n,), for input ports given as equally long arrays of unsigned words."""
    n = max((len(column) for column in inputs.values()), default=1)
    result = np.zeros(n, dtype=np.int64)

    async def bench(context):
        for t in range(n):
            for name, column in inputs.items():
                context.set(getattr(component, name), int(column[t]))
            result[t] = context.get(getattr(component, port))

    simulator = Simulator(component)
    simulator.add_testbench(bench)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simulator.run()
    return result


def word(values, bounds):
    """Values as the words their bounds ask for: two's complement when the low bound is negative."""
    low, high = bounds
    width = high.bit_length() if low >= 0 else max((~low).bit_length(), max(high, 0).bit_length()) + 1
    return np.asarray(values) & (1 << width) - 1
