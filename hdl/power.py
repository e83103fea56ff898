"""Static power of a netlist, weighted by the states its cells are really in.

A printed gate draws its large current while its output is low, so the figure depends on the data: every cell's
leakage is averaged over the input states it sees while the rows of a data set pass through the circuit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit import Netlist, input_bits_of, simulate, state_probabilities
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology

_MW_PER_NW = 1e-6


def static_power_mw(
    netlist: Netlist, technology: Technology, X: NDArray[np.uint8], input_bits: int
) -> dict[float, float]:
    """Mean static power in mW at every voltage of the technology, over the rows of X.

    X : (n_samples, n_features) input codes. Raises ConfigError when there is no row, when the codes do not fit
    the netlist's inputs, or when a cell used has no leakage figures.
    """
    probabilities = _state_probabilities(netlist, technology, X, input_bits)
    voltages = technology.voltages
    return {v: sum(_leakages(netlist, technology, probabilities, v)) * _MW_PER_NW for v in voltages}


def power_by_cell_mw(
    netlist: Netlist, technology: Technology, X: NDArray[np.uint8], input_bits: int, voltage: float
) -> dict[str, float]:
    """Mean static power in mW at one voltage, split by cell name; the values add up to ``static_power_mw``."""
    if voltage not in technology.voltages:
        raise ConfigError(f"technology '{technology.name}' has no figures at {voltage} V")
    probabilities = _state_probabilities(netlist, technology, X, input_bits)
    result = dict.fromkeys(netlist.cell_counts(), 0.0)
    leakages = _leakages(netlist, technology, probabilities, voltage)
    for instance, leakage in zip(netlist.instances, leakages, strict=True):
        result[instance.cell] += leakage * _MW_PER_NW
    return result


def _state_probabilities(
    netlist: Netlist, technology: Technology, X: NDArray[np.uint8], input_bits: int
) -> list[tuple[float, ...]]:
    X = np.asarray(X)
    if X.ndim != 2 or not len(X):
        raise ConfigError(f"power needs at least one row of input codes, not an array of shape {X.shape}")
    if X.shape[1] * input_bits != netlist.n_inputs:
        raise ConfigError(
            f"{X.shape[1]} features of {input_bits} bits do not fit a circuit of {netlist.n_inputs} input bits"
        )
    values = simulate(netlist, technology, input_bits_of(X, input_bits), len(X))
    return state_probabilities(netlist, technology, values, len(X))


def _leakages(
    netlist: Netlist, technology: Technology, probabilities: Sequence[tuple[float, ...]], voltage: float
) -> list[float]:
    """Mean leakage in nW of every instance."""
    tables = {name: technology.cell(name).leakage_nw.get(voltage) for name in netlist.cell_counts()}
    for name, table in tables.items():
        if table is None:
            raise ConfigError(f"technology '{technology.name}': cell {name} has no leakage figures at {voltage} V")
    return [
        sum(p * leakage for p, leakage in zip(shares, tables[instance.cell] or (), strict=True))
        for instance, shares in zip(netlist.instances, probabilities, strict=True)
    ]
