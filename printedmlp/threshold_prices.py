"""What a threshold of an input costs a circuit whose inputs are comparators' outputs.

A comparator takes little area and, the more the higher its level, much power; a gate takes both. To be weighed
against gates in one figure, a comparator's power counts as the area of the gates that draw as much: of the smallest
NAND2, output low half of the time. A share says how much of the price is power, the rest is area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from printedmlp.errors import ConfigError
from printedmlp.technology import Technology

NAND = 0b0111
UW_PER_NW = 1e-3
POWER_SHARES = (0.5, 1.0, 0.0)
"""Shares of power in the price that searches take in turn: both alike, power alone, area alone."""


@dataclass(frozen=True)
class ThresholdPrices:
    """Prices of one input's comparators.

    Attributes
    ----------
    levels_mm2 : of a comparator at each level, level 1 first, in mm2 of gates.
    first_mm2 : what an input's first comparator costs more than a further one, its ladder.
    levels_uw : power of a comparator at each level, uW; 0 where the technology has no figures of power.
    """

    levels_mm2: tuple[float, ...]
    first_mm2: float
    levels_uw: tuple[float, ...]

    @classmethod
    def of(cls, technology: Technology, input_bits: int, power_share: float) -> ThresholdPrices:
        """Prices of a technology's comparators for inputs of so many bits, power weighing `power_share`, 0 to 1.

        Raises
        ------
        ConfigError : the technology has no figures of comparators, or none for so many bits.
        """
        figures = technology.front_end
        if figures is None or not figures.covers(input_bits):
            raise ConfigError(f"technology '{technology.name}' has no comparators for inputs of {input_bits} bits")
        weight = power_share * mm2_per_uw(technology)
        area = 1.0 - power_share
        powers = figures.comparator_uw[(1 << figures.bits - input_bits) - 1 :: 1 << figures.bits - input_bits]
        prices = tuple(area * figures.further_mm2 + weight * power for power in powers)
        return cls(prices, area * (figures.first_mm2 - figures.further_mm2), powers)


def mm2_per_uw(technology: Technology) -> float:
    """Area of the smallest NAND2 over its power, output low half of the time; 0 without figures of power.

    Raises
    ------
    ConfigError : the technology has no NAND2.
    """
    if technology.without_power:
        return 0.0
    cells = technology.cells_with_function(2, NAND)
    if not cells:
        raise ConfigError(f"technology '{technology.name}' has no NAND2, which powers are compared with")
    leaks = np.array(cells[0].leakage_nw[technology.nominal_voltage])
    high = np.array([NAND >> state & 1 for state in range(4)], dtype=bool)
    return float(cells[0].area_mm2 / (UW_PER_NW * (leaks[high].mean() + leaks[~high].mean()) / 2))


def power_shares(technology: Technology) -> tuple[float, ...]:
    """The shares of power that searches take in turn; area alone without figures of power."""
    return (0.0,) if technology.without_power else POWER_SHARES
