"""What can feed a printed circuit, how often it may then classify, and how long a battery lasts.

The ratings are those that works on printed classifiers agree on (Mubarik et al., MICRO 2020; Afentaki et al.,
DATE 2024, and the works they compare with). A source carries a circuit that is always on if it draws no more than
the rating. A circuit that is switched on for the time of its longest path once a sample draws on average its energy
for a classification times the sample rate; a capacitor then has to give what it draws above the rating while it is
on. What the switch, the start and the conversion of voltages lose is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from printedmlp.errors import ConfigError

LONGEST_HOURS = 10 * 24 * 365.25
DEFAULT_RATE_HZ = 5.0
"""Printed classifiers are usually clocked at 5 to 20 Hz."""


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


@dataclass(frozen=True)
class Battery:
    """A battery as its data sheet states it: capacity in mAh and voltage in V, both above 0."""

    capacity_mah: float
    voltage: float

    def __post_init__(self) -> None:
        if not (self.capacity_mah > 0 and self.voltage > 0):
            raise ConfigError(f"battery: {self.capacity_mah:g} mAh at {self.voltage:g} V must both be above 0")

    def hours(self, power_mw: float) -> float | None:
        """How long it lasts at a mean power; None for a circuit that draws nothing."""
        return self.capacity_mah * self.voltage / power_mw if power_mw > 0 else None


@dataclass(frozen=True)
class Use:
    """How a circuit is to be used: samples a second that are classified, and the battery it has, if any."""

    rate_hz: float = DEFAULT_RATE_HZ
    battery: Battery | None = None


def use_of(rate_hz: float, battery_mah: float | None, battery_v: float | None) -> Use:
    """A use from what a user stated; ConfigError where only half of a battery is stated."""
    if (battery_mah is None) != (battery_v is None):
        missing, given = ("battery_v", "battery_mah") if battery_v is None else ("battery_mah", "battery_v")
        raise ConfigError(f"{missing}: a battery needs it beside {given}")
    return Use(rate_hz, Battery(battery_mah, battery_v) if battery_mah and battery_v else None)


def energy_uj(power_mw: float, delay_ms: float) -> float:
    """Energy of one classification in microjoules: the circuit is on for the time of its longest path."""
    return power_mw * delay_ms


def duty_cycled_mw(power_mw: float, delay_ms: float, rate_hz: float) -> float:
    """Mean power at a sample rate of a circuit that is off between samples, at most its power when always on."""
    return power_mw * min(1.0, rate_hz * delay_ms / 1000)


def feasibility(power_mw: float | None, delay_ms: float | None, use: Use) -> dict[str, Any] | None:
    """What carries a circuit and for how long, JSON-ready; None without a figure of its power.

    Keys: "power_mw"; "energy_uj" of a classification; "max_rate_hz", the inverse of the delay; "rate_hz", the
    wish, and "reaches_rate"; "duty_cycled_mw" at that rate; "sources", each with whether it carries the circuit
    "always_on" and the highest rates "always_on_hz" and "duty_cycled_hz"; "battery" with its hours, or None.
    Entries that need a delay are None without one; a rate is None where the circuit has no path, and 0 where it
    is not carried.
    """
    if power_mw is None:
        return None
    max_hz = 1000 / delay_ms if delay_ms else None
    at_rate = None if delay_ms is None else duty_cycled_mw(power_mw, delay_ms, use.rate_hz)
    return {
        "power_mw": power_mw,
        "energy_uj": None if delay_ms is None else energy_uj(power_mw, delay_ms),
        "max_rate_hz": max_hz,
        "rate_hz": use.rate_hz,
        "reaches_rate": None if delay_ms is None else max_hz is None or use.rate_hz <= max_hz,
        "duty_cycled_mw": at_rate,
        "sources": [_carried(source, power_mw, delay_ms) for source in POWER_SOURCES],
        "battery": _battery(use.battery, power_mw, at_rate) if use.battery else None,
    }


def _carried(source: PowerSource, power_mw: float, delay_ms: float | None) -> dict[str, Any]:
    always_on = power_mw <= source.power_mw
    max_hz = 1000 / delay_ms if delay_ms else None
    slower = source.power_mw / energy_uj(power_mw, delay_ms) * 1000 if delay_ms and power_mw else None
    return {
        "name": source.name,
        "always_on": always_on,
        "always_on_hz": max_hz if always_on else 0.0,
        "duty_cycled_hz": max_hz if always_on else slower,
    }


def _battery(battery: Battery, power_mw: float, at_rate_mw: float | None) -> dict[str, Any]:
    return {
        "capacity_mah": battery.capacity_mah,
        "voltage": battery.voltage,
        "always_on_hours": battery.hours(power_mw),
        "duty_cycled_hours": None if at_rate_mw is None else battery.hours(at_rate_mw),
    }


def weakest_source(figures: dict[str, Any]) -> str | None:
    """Name of the weakest source that carries a circuit always on, by its `feasibility`; None if none does."""
    carried = [source["name"] for source in figures["sources"] if source["always_on"]]
    return carried[-1] if carried else None


def duration(hours: float | None) -> str:
    """A time in words of two or three digits, from minutes to years; beyond ten no battery keeps its charge."""
    if hours is None or hours > LONGEST_HOURS:
        return "over 10 years"
    for unit, length in (("years", 24 * 365.25), ("days", 24.0), ("h", 1.0)):
        if hours >= 2 * length:
            return f"{hours / length:.3g} {unit}"
    return f"{hours * 60:.3g} min"
