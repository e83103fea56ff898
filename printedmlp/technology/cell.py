"""Standard cells as data: area, function, leakage by state, capacitance and delay tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from printedmlp.errors import ConfigError
from printedmlp.technology.energy import SwitchingEnergy
from printedmlp.technology.function import truth_table


class Capacitance(NamedTuple):
    """Input capacitance of a pin in pF: the mean figure, and the figures for a rising and a falling edge."""

    mean: float
    rise: float
    fall: float


@dataclass(frozen=True)
class DelayTable:
    """One characterised surface: ``values_ns[i][j]`` at input transition ``slew_ns[i]`` and load ``load_pf[j]``."""

    slew_ns: tuple[float, ...]
    load_pf: tuple[float, ...]
    values_ns: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ArcTiming:
    """Delay and output transition of one arc at one voltage; None where the output does not move that way."""

    cell_rise: DelayTable | None = None
    rise_transition: DelayTable | None = None
    cell_fall: DelayTable | None = None
    fall_transition: DelayTable | None = None


@dataclass(frozen=True)
class Arc:
    """A timing arc from an input pin to the output; ``sense`` is positive_unate, negative_unate or non_unate."""

    input: str
    sense: str
    timing: Mapping[float, ArcTiming]

    def edges(self, voltage: float) -> tuple[str, ...]:
        """Edges of the output, "rise" and "fall", of which delay and transition are known at a voltage."""
        found = self.timing.get(voltage, ArcTiming())
        pairs = {
            "rise": (found.cell_rise, found.rise_transition),
            "fall": (found.cell_fall, found.fall_transition),
        }
        return tuple(edge for edge, tables in pairs.items() if None not in tables)


@dataclass(frozen=True)
class Cell:
    """A combinational cell with one output.

    ``truth_table`` has bit s set when the output is 1 in input state s; bit i of s is the value of ``inputs[i]``.
    ``leakage_nw[v][s]`` is the static power in nW at voltage v in state s; ``capacitance_pf[v][i]`` belongs to
    ``inputs[i]``. Mappings are empty where a library does not say; ``leakage_is_mean`` tells that one mean figure
    stands for every state. ``devices`` counts transistors and resistors, None where nobody says.
    """

    name: str
    area_mm2: float
    inputs: tuple[str, ...]
    output: str
    function: str
    leakage_nw: Mapping[float, tuple[float, ...]] = field(default_factory=dict)
    capacitance_pf: Mapping[float, tuple[Capacitance, ...]] = field(default_factory=dict)
    arcs: tuple[Arc, ...] = ()
    max_load_pf: float | None = None
    leakage_is_mean: bool = False
    energies: tuple[SwitchingEnergy, ...] = ()
    devices: int | None = None
    truth_table: int = field(init=False)

    def __post_init__(self) -> None:
        if not self.area_mm2 >= 0:
            raise ConfigError(f"cell {self.name}: area {self.area_mm2} mm2 is negative")
        for voltage, leakage in self.leakage_nw.items():
            if len(leakage) != self.n_states:
                raise ConfigError(f"cell {self.name} at {voltage} V: not {self.n_states} leakage figures")
        object.__setattr__(self, "truth_table", truth_table(self.function, self.inputs))

    @property
    def n_states(self) -> int:
        """Number of input states, 2 ** number of inputs."""
        return 1 << len(self.inputs)

    def has_power(self, voltage: float) -> bool:
        """Whether its static power is known at a voltage."""
        return voltage in self.leakage_nw

    def has_delay(self, voltage: float) -> bool:
        """Whether capacitances are known at a voltage, and delay and transition of both edges from every input."""
        return voltage in self.capacitance_pf and not self.untimed(voltage)

    def untimed(self, voltage: float) -> tuple[str, ...]:
        """Inputs from which delay or transition of an edge is not known at a voltage."""
        known = {(arc.input, edge) for arc in self.arcs for edge in arc.edges(voltage)}
        return tuple(pin for pin in self.inputs if not {(pin, "rise"), (pin, "fall")} <= known)

    def evaluate(self, state: int) -> int:
        """Output, 0 or 1, in input state ``state``."""
        return self.truth_table >> state & 1
