"""What a cell draws from its supply when its output moves, beside what charges its load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from printedmlp.errors import ConfigError
from printedmlp.technology.function import truth_table


@dataclass(frozen=True)
class EdgeEnergies:
    """Energy in pJ of a rising and of a falling output, at each of the loads."""

    load_pf: tuple[float, ...]
    rise_pj: tuple[float, ...]
    fall_pj: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.load_pf) == len(self.rise_pj) == len(self.fall_pj) > 0:
            raise ConfigError(f"energies: not one rising and one falling figure for {len(self.load_pf)} loads")


@dataclass(frozen=True)
class SwitchingEnergy:
    """Energies when input `pin` moves the output while the cell is in one of `states`.

    Bit s of `states` is set where they hold in input state s; `by_voltage` is keyed by supply voltage in V.
    """

    pin: str
    states: int
    by_voltage: Mapping[float, EdgeEnergies]


def switching_energies(
    entries: Sequence[Mapping[str, Any]], inputs: Sequence[str], voltages: Sequence[float], loads: tuple[float, ...]
) -> tuple[SwitchingEnergy, ...]:
    """The entries of one cell in a technology's file; ConfigError for a pin that the cell does not have."""
    return tuple(_energy(entry, inputs, voltages, loads) for entry in entries)


def _energy(
    entry: Mapping[str, Any], inputs: Sequence[str], voltages: Sequence[float], loads: tuple[float, ...]
) -> SwitchingEnergy:
    pin = entry["pin"]
    if pin not in inputs:
        raise ConfigError(f"energies: '{pin}' is not an input of the cell")
    tables = {float(key): table for key, table in entry.items() if isinstance(table, dict)}
    edges = {
        v: EdgeEnergies(loads, _floats(tables[v]["rise_pj"]), _floats(tables[v]["fall_pj"]))
        for v in voltages
        if v in tables
    }
    return SwitchingEnergy(pin, truth_table(entry.get("when", "1"), inputs), edges)


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
