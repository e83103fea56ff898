"""Delay and power of prints whose cells differ: every cell's own factors, drawn from a log-normal spread.

A factor is exp(sigma z) with z normal: its median is 1 and the logarithm's standard deviation is sigma. Cells are
independent, one factor stretches all delays of a cell and another scales its static power in every state. How large
sigma is depends on the printer and is not known here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdl.power import PowerProfile
from hdl.timing import arc_delays
from printedmlp.circuit import Netlist
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology

Floats = NDArray[np.float64]
_NS_PER_MS, _MW_PER_NW = 1e6, 1e-6


def log_normal_factors(sigma: float, prints: int, cells: int, rng: np.random.Generator) -> Floats:
    """(prints, cells) factors; ConfigError for a sigma that is negative or no number."""
    if not 0 <= sigma < np.inf:
        raise ConfigError(f"sigma: {sigma} is not a number of 0 or more")
    return np.asarray(np.exp(sigma * rng.standard_normal((prints, cells))))


def delays_ms(netlist: Netlist, technology: Technology, voltage: float, factors: Floats) -> Floats:
    """(prints,) longest path in ms of every print, the delays of cell k being the tables' times factors[:, k].

    Transitions are those of the nominal print. With factors of 1 it is the delay of `critical_path`. Raises
    ConfigError as that does.
    """
    never = np.full(len(factors), -np.inf)
    start = np.zeros(len(factors))
    arrivals = [(never, never)] * 2 + [(start, start)] * netlist.n_inputs
    for k, arcs in enumerate(arc_delays(netlist, technology, voltage)):
        latest = [never, never]
        for net, cause, edge, delay_ns in arcs:
            latest[edge] = np.maximum(latest[edge], arrivals[net][cause] + delay_ns * factors[:, k])
        arrivals.append((latest[0], latest[1]))
    ends = [arrivals[net][edge] for net in netlist.outputs for edge in (0, 1)]
    return np.asarray(np.max([start, *ends], axis=0) / _NS_PER_MS)


def static_powers_mw(profile: PowerProfile, voltage: float, factors: Floats) -> Floats:
    """(prints,) static power in mW of every print, that of cell k times factors[:, k]."""
    return factors @ profile.static_nw[voltage] * _MW_PER_NW
