"""Power of a netlist: static, weighted by the states its cells are really in, and switching at a rate of rows.

A printed gate draws its large current while its output is low, so the figure depends on the data: every cell's
leakage is averaged over the input states it sees while the rows of a data set pass through the circuit. What the
transitions between rows cost is in ``hdl.switching``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hdl.switching import SwitchingEnergies, switching_energies
from printedmlp.circuit import Netlist, input_bits_of, simulate, state_probabilities
from printedmlp.errors import ConfigError
from printedmlp.technology import Technology

_MW_PER_NW = 1e-6
_MW_PER_PW = 1e-9


@dataclass(frozen=True)
class Power:
    """Mean power in mW of a circuit or a part of it at one voltage and rate.

    static_mw : drawn in the states between transitions. internal_mw : drawn by the cells that switch.
    load_mw : spent on the pins and outputs they drive. glitches_mw : what nets that move several times before they
    settle add, estimated with gates of equal delay; not in the totals. All but the first are None where the
    technology has no figures for them, the last where nobody asked for it.
    """

    static_mw: float
    internal_mw: float | None
    load_mw: float | None
    glitches_mw: float | None = None

    @property
    def switching_mw(self) -> float | None:
        """All that transitions cost; None where a part of it is not known."""
        return None if self.internal_mw is None or self.load_mw is None else self.internal_mw + self.load_mw

    @property
    def total_mw(self) -> float | None:
        """Static and switching power; None where the latter is not known."""
        return None if self.switching_mw is None else self.static_mw + self.switching_mw

    @property
    def leakage_share(self) -> float | None:
        """Share of static power in the total; None where that is not known or nothing."""
        return self.static_mw / self.total_mw if self.total_mw else None

    @property
    def leakage_share_with_glitches(self) -> float | None:
        """The same with the estimated glitches in the total."""
        if not self.total_mw or self.glitches_mw is None:
            return None
        return self.static_mw / (self.total_mw + self.glitches_mw)


@dataclass(frozen=True)
class PowerProfile:
    """What every instance draws on given rows, from which power at any rate and of any part follows.

    static_nw : mean static power in nW by supply voltage, (n_instances,). switching : energies a row.
    """

    static_nw: Mapping[float, NDArray[np.float64]]
    switching: SwitchingEnergies

    def at(self, voltage: float, rate_hz: float) -> Power:
        """Power of the whole circuit; ConfigError at a voltage without figures."""
        return self.of(np.arange(len(self.switching.toggles)), voltage, rate_hz)

    def of(self, instances: NDArray[np.int64], voltage: float, rate_hz: float) -> Power:
        """Power of the instances of those numbers; ConfigError at a voltage without figures."""
        if voltage not in self.static_nw:
            raise ConfigError(f"no power at {voltage} V")
        energies = (self.switching.internal_pj, self.switching.load_pj, self.switching.glitches_pj)
        found = [energy.get(voltage) for energy in energies]
        parts = [None if e is None else float(e[instances].sum()) * rate_hz * _MW_PER_PW for e in found]
        return Power(float(self.static_nw[voltage][instances].sum()) * _MW_PER_NW, *parts)

    def split(self, labels: Sequence[str], voltage: float, rate_hz: float) -> dict[str, Power]:
        """Power of the instances of each label, in the order in which the labels first occur."""
        places: dict[str, list[int]] = {}
        for instance, label in enumerate(labels):
            places.setdefault(label, []).append(instance)
        return {label: self.of(np.array(own), voltage, rate_hz) for label, own in places.items()}


def power_profile(
    netlist: Netlist,
    technology: Technology,
    X: NDArray[np.uint8],
    input_bits: int,
    *,
    output_load_pf: float | None = None,
    glitches: bool = False,
) -> PowerProfile:
    """What every instance draws while the rows of X pass through the circuit in their order.

    X : (n_samples, n_features) input codes. glitches : whether to estimate those too. Raises ConfigError as
    ``static_power_mw`` does.
    """
    values = _simulated(netlist, technology, X, input_bits)
    states = state_probabilities(netlist, technology, values, len(X))
    static = {v: np.array(_leakages(netlist, technology, states, v)) for v in technology.voltages}
    energies = switching_energies(
        netlist, technology, values, len(X), output_load_pf=output_load_pf, glitches=glitches
    )
    return PowerProfile(static, energies)


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
    return state_probabilities(netlist, technology, _simulated(netlist, technology, X, input_bits), len(X))


def _simulated(netlist: Netlist, technology: Technology, X: NDArray[np.uint8], input_bits: int) -> list[int]:
    """Signal of every net over the rows of X."""
    X = np.asarray(X)
    if X.ndim != 2 or not len(X):
        raise ConfigError(f"power needs at least one row of input codes, not an array of shape {X.shape}")
    if X.shape[1] * input_bits != netlist.n_inputs:
        raise ConfigError(
            f"{X.shape[1]} features of {input_bits} bits do not fit a circuit of {netlist.n_inputs} input bits"
        )
    return simulate(netlist, technology, input_bits_of(X, input_bits), len(X))


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
