"""What can feed a printed circuit, how often it may then classify, and how long a battery lasts.

The ratings are those that works on printed classifiers agree on (Mubarik et al., MICRO 2020; Afentaki et al.,
DATE 2024, and the works they compare with). A source carries a circuit that is always on if it draws no more than
the rating. A circuit that is switched on for the time of its longest path once a sample draws on average its energy
for a classification times the sample rate; a capacitor then has to give what it draws above the rating while it is
on. What the switch, the start and the conversion of voltages lose is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from printedmlp.errors import ConfigError

LONGEST_HOURS = 10 * 24 * 365.25
DEFAULT_RATE_HZ = 5.0
RATES_HZ = (1e-9, 1e9)
CAPACITIES_MAH = (1e-9, 1e9)
VOLTAGES_V = (1e-9, 1e3)
"""What may be asked for of samples a second and of a battery."""
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


USUAL = Use()


def use_of(rate_hz: float, battery_mah: float | None, battery_v: float | None) -> Use:
    """A use from what a user stated; ConfigError where only half of a battery is stated."""
    if (battery_mah is None) != (battery_v is None):
        missing, given = ("battery_v", "battery_mah") if battery_v is None else ("battery_mah", "battery_v")
        raise ConfigError(f"{missing}: a battery needs it beside {given}")
    return Use(rate_hz, Battery(battery_mah, battery_v) if battery_mah and battery_v else None)


def energy_uj(static_mw: float, delay_ms: float, switching_uj: float = 0.0) -> float:
    """Energy of one classification in microjoules: the circuit is on for the time of its longest path."""
    return static_mw * delay_ms + switching_uj


def feasibility(
    static_mw: float | None, delay_ms: float | None, use: Use, switching_uj: float | None = None
) -> dict[str, Any] | None:
    """What carries a circuit and for how long, JSON-ready; None without a figure of its static power.

    A circuit too slow for the rate that is wished is counted at the highest one it reaches.

    Parameters
    ----------
    static_mw, delay_ms : static power and longest path.
    use : rate and battery that are wished.
    switching_uj : energy of a new sample beside static power; None where it is not known, and not counted then.

    Returns
    -------
    Keys: "power_mw", always on at that rate, and "switching_mw" of it; "energy_uj" of a classification;
    "max_rate_hz", the inverse of the delay; "rate_hz", the wish, and "reaches_rate"; "duty_cycled_mw" at that rate;
    "sources", each with whether it carries the circuit "always_on" and the highest rates "always_on_hz" and
    "duty_cycled_hz"; "battery" with its hours, or None. Entries that need a delay are None without one; a rate is
    None where the circuit has no path, and 0 where it is not carried.
    """
    if static_mw is None:
        return None
    load = _Load(static_mw, delay_ms, switching_uj or 0.0)
    max_hz = load.max_hz
    rate_hz = use.rate_hz if max_hz is None else min(use.rate_hz, max_hz)
    power_mw = load.always_on_mw(rate_hz)
    at_rate = None if load.energy_uj is None else min(power_mw, load.energy_uj * rate_hz / 1000)
    return {
        "power_mw": power_mw,
        "switching_mw": None if switching_uj is None else switching_uj * rate_hz / 1000,
        "energy_uj": load.energy_uj,
        "max_rate_hz": max_hz,
        "rate_hz": use.rate_hz,
        "reaches_rate": None if delay_ms is None else max_hz is None or use.rate_hz <= max_hz,
        "duty_cycled_mw": at_rate,
        "sources": [_carried(source, load, power_mw) for source in POWER_SOURCES],
        "battery": _battery(use.battery, power_mw, at_rate) if use.battery else None,
    }


@dataclass(frozen=True)
class _Load:
    """What a circuit asks of a source: static power, and the energy in microjoules of each new sample."""

    static_mw: float
    delay_ms: float | None
    switching_uj: float

    @property
    def max_hz(self) -> float | None:
        return 1000 / self.delay_ms if self.delay_ms else None

    @property
    def energy_uj(self) -> float | None:
        return None if self.delay_ms is None else energy_uj(self.static_mw, self.delay_ms, self.switching_uj)

    def always_on_mw(self, rate_hz: float) -> float:
        return self.static_mw + self.switching_uj * rate_hz / 1000


def _carried(source: PowerSource, load: _Load, power_mw: float) -> dict[str, Any]:
    room = source.power_mw - load.static_mw
    return {
        "name": source.name,
        "always_on": power_mw <= source.power_mw,
        "always_on_hz": _highest_hz(load, room, load.switching_uj) if room >= 0 else 0.0,
        "duty_cycled_hz": _highest_hz(load, source.power_mw, load.energy_uj),
    }


def _highest_hz(load: _Load, power_mw: float, per_sample_uj: float | None) -> float | None:
    """Highest rate at which samples of that energy draw no more than a power; None where no rate is known."""
    if load.max_hz is None:
        return None
    return min(load.max_hz, 1000 * power_mw / per_sample_uj) if per_sample_uj else load.max_hz


def _battery(battery: Battery, power_mw: float, at_rate_mw: float | None) -> dict[str, Any]:
    return {
        "capacity_mah": battery.capacity_mah,
        "voltage": battery.voltage,
        "always_on_hours": battery.hours(power_mw),
        "duty_cycled_hours": None if at_rate_mw is None else battery.hours(at_rate_mw),
    }


def weakest_source(figures: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Entry of the weakest source that carries a circuit always on in its `feasibility`; None if none does."""
    carried = [source for source in figures["sources"] if source["always_on"]]
    return carried[-1] if carried else None


def duration(hours: float | None) -> str:
    """A time in words of two or three digits, from minutes to years; beyond ten no battery keeps its charge."""
    if hours is None or hours > LONGEST_HOURS:
        return "over 10 years"
    for unit, length in (("years", 24 * 365.25), ("days", 24.0), ("h", 1.0)):
        if hours >= 2 * length:
            return f"{hours / length:.3g} {unit}"
    return f"{hours * 60:.3g} min"
