"""What can feed a printed circuit: the sources the printed-classifier literature counts with.

The ratings are those that works on printed classifiers agree on (Mubarik et al., MICRO 2020; Afentaki et al.,
DATE 2024, and the works they compare with); a source carries a circuit that draws no more than its rating.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PowerSource:
    """A printed source and the power it delivers, in mW."""

    name: str
    power_mw: float


POWER_SOURCES = (
    PowerSource("Molex printed battery", 30.0),
    PowerSource("Zinergy printed battery", 15.0),
    PowerSource("Blue Spark printed battery", 3.0),
    PowerSource("printed energy harvester", 0.1),
)
"""Strongest first. Blue Spark is quoted with 3 to 6 mW; the lower figure is used."""


def feasible_sources(power_mw: float) -> tuple[PowerSource, ...]:
    """Sources that carry a circuit drawing `power_mw`, strongest first; none if it draws too much."""
    return tuple(source for source in POWER_SOURCES if power_mw <= source.power_mw)
