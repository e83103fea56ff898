"""What a cell draws from its supply when its output moves, beside what charges its load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from printedmlp.errors import ConfigError
from printedmlp.technology.entries import Entries
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
    entries: Sequence[Entries], inputs: Sequence[str], voltages: Sequence[float], loads: tuple[float, ...]
) -> tuple[SwitchingEnergy, ...]:
    """The entries of one cell in a technology's file; ConfigError for a pin that the cell does not have."""
    return tuple(_energy(entry, inputs, voltages, loads) for entry in entries)


def _energy(
    entry: Entries, inputs: Sequence[str], voltages: Sequence[float], loads: tuple[float, ...]
) -> SwitchingEnergy:
    pin = entry.text("pin")
    if pin not in inputs:
        raise entry.error("pin", f"'{pin}' is not an input of the cell")
    states = truth_table(entry.function("when", inputs, "1"), inputs)
    tables = Entries({key: value for key, value in entry.data.items() if key not in ("pin", "when")}, entry.place)
    edges = {v: _edges(tables.table(key), loads) for v, key in tables.by_voltage(voltages).items()}
    return SwitchingEnergy(pin, states, edges)


def _edges(entry: Entries, loads: tuple[float, ...]) -> EdgeEnergies:
    rise, fall = (entry.numbers(key, count=len(loads)) for key in ("rise_pj", "fall_pj"))
    return EdgeEnergies(loads, rise, fall)
