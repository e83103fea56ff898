"""A technology is a named set of cells, read from a TOML file of the form of egfet.toml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from printedmlp.errors import ConfigError, DataError
from printedmlp.files import MOST_TOML, parse_toml, read_text
from printedmlp.technology.cell import Arc, ArcTiming, Capacitance, Cell, DelayTable
from printedmlp.technology.energy import switching_energies
from printedmlp.technology.entries import Entries
from printedmlp.technology.front_end import FrontEndFigures, front_end_figures

BUILT_IN = ("egfet", "cnt_tft")
"""Names of the technologies that are part of the package."""
_Axes = tuple[tuple[float, ...], tuple[float, ...]]
_TABLES = ("cell_rise", "rise_transition", "cell_fall", "fall_transition")
_SENSES = ("positive_unate", "negative_unate", "non_unate")
_NUMBERS = {"temperature_c": -273.15, "output_load_pf": 0.0, "input_slew_ns": 0.0}
_ARC_WORDS = ("from", "to", "sense", "type")
_NAME = re.compile(r"[A-Za-z_]\w*")
LEAST_VOLTAGE = 1e-3
UM2_PER_MM2 = 1e6


@dataclass(frozen=True)
class Technology:
    """The mappable cells of a technology by name, and the voltages their figures are known at.

    ``cells`` holds combinational single-output cells only; ``other_cells`` lists the rest by name with their kind
    (latch, flip_flop, tristate), for which netlists have no use. Area and function of every cell are known, power
    and delay may not be. ``output_load_pf`` loads every output bit and should be about one gate input;
    ``input_slew_ns`` is the transition time of the input bits. ``front_end`` is at the nominal voltage, None where
    nothing is known of it. ``devices_source`` says where the cells' numbers of devices come from. Raises
    ConfigError when there is no cell at all.
    """

    name: str
    cells: Mapping[str, Cell]
    voltages: tuple[float, ...]
    nominal_voltage: float
    source: str = ""
    temperature_c: float = 25.0
    other_cells: Mapping[str, str] = field(default_factory=dict)
    output_load_pf: float = 100.0
    input_slew_ns: float = 1e6
    front_end: FrontEndFigures | None = None
    devices_source: str = ""

    def __post_init__(self) -> None:
        if not self.cells:
            raise ConfigError(f"technology '{self.name}' has no combinational cell with one output")
        if self.nominal_voltage not in self.voltages:
            raise ConfigError(f"technology '{self.name}' has no figures at {self.nominal_voltage} V")

    def cell(self, name: str) -> Cell:
        """The cell called ``name``; ConfigError when the technology has none."""
        try:
            return self.cells[name]
        except KeyError:
            kind = self.other_cells.get(name, "not a cell of it")
            raise ConfigError(f"technology '{self.name}' cannot map to '{name}': {kind}") from None

    @property
    def without_power(self) -> tuple[str, ...]:
        """Names of the cells whose static power is not known at every voltage."""
        return tuple(c.name for c in self.cells.values() if not all(map(c.has_power, self.voltages)))

    @property
    def without_delay(self) -> tuple[str, ...]:
        """Names of the cells whose delays are not known at every voltage."""
        return tuple(c.name for c in self.cells.values() if not all(map(c.has_delay, self.voltages)))

    @property
    def with_mean_power(self) -> tuple[str, ...]:
        """Names of the cells whose static power is known, but not by state."""
        return tuple(c.name for c in self.cells.values() if c.leakage_is_mean)

    def cells_with_function(self, n_inputs: int, table: int) -> tuple[Cell, ...]:
        """Cells of ``n_inputs`` inputs with this truth table, smallest area first."""
        found = (c for c in self.cells.values() if len(c.inputs) == n_inputs and c.truth_table == table)
        return tuple(sorted(found, key=lambda c: (c.area_mm2, c.name)))


def load_technology(name_or_path: str | Path) -> Technology:
    """The built-in technology of that name, or the one described by a TOML file.

    Raises ConfigError, naming file and entry, when it cannot be read.
    """
    if str(name_or_path) in BUILT_IN:
        return _load_built_in(str(name_or_path))
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise ConfigError(f"technology '{name_or_path}': neither built in ({', '.join(BUILT_IN)}) nor a .toml file")
    try:
        text = read_text(path, MOST_TOML, "technology")
    except DataError as error:
        raise ConfigError(f"technology: {error}") from None
    return _parse(text, str(path))


@cache
def _load_built_in(name: str) -> Technology:
    path = Path(__file__).with_name(f"{name}.toml")
    return _parse(path.read_text(encoding="utf-8"), path.name)


def _parse(text: str, place: str) -> Technology:
    try:
        return _technology(Entries(parse_toml(text)))
    except (ValueError, ConfigError) as error:
        raise ConfigError(f"{place}: {error}") from None


def _technology(entries: Entries) -> Technology:
    voltages = entries.numbers("voltages", least=LEAST_VOLTAGE)
    if len(set(voltages)) < len(voltages):
        raise entries.wrong("voltages", "a list of different voltages")
    cells = entries.table("cells")
    tables = {name: cells.table(name) for name in cells.data}
    mappable = {name: table for name, table in tables.items() if table.text("kind") == "combinational"}
    axes = _axes(entries.table("delay_axes"))
    front_end = entries.table("front_end")
    return Technology(
        name=entries.text("name"),
        cells={name: _cell(name, table, voltages, axes) for name, table in mappable.items()},
        voltages=voltages,
        nominal_voltage=entries.number("nominal_voltage"),
        source=entries.text("source", ""),
        other_cells={name: table.text("kind") for name, table in tables.items() if name not in mappable},
        front_end=front_end_figures(front_end) if front_end.data else None,
        devices_source=entries.text("devices_source", ""),
        **{key: entries.number(key, least=least) for key, least in _NUMBERS.items() if key in entries.data},
    )


def _axes(entries: Entries) -> _Axes | None:
    return (entries.rising("slew_ns"), entries.rising("load_pf")) if entries.data else None


def _cell(name: str, entries: Entries, voltages: tuple[float, ...], axes: _Axes | None) -> Cell:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{entries.place}: '{name}' cannot be the name of a cell in Verilog")
    inputs, output = entries.pins("inputs"), entries.text("output")
    if output in inputs or not _NAME.fullmatch(output):
        raise entries.wrong("output", "the name of a pin beside the inputs")
    arcs, energies = entries.tables("arcs"), entries.tables("energies")
    if (arcs or energies) and axes is None:
        raise entries.error("arcs" if arcs else "energies", "[delay_axes] is missing")
    leakage, by_state = _leakage(entries, 1 << len(inputs), voltages)
    load = {"max_load_pf": entries.number("max_load_pf", least=0)} if "max_load_pf" in entries.data else {}
    return Cell(
        name=name,
        area_mm2=_area_mm2(entries),
        inputs=inputs,
        output=output,
        function=entries.function("function", inputs),
        leakage_nw=leakage,
        capacitance_pf=_capacitances(entries.table("capacitance_pf"), inputs, voltages),
        arcs=tuple(_arc(arc, inputs, voltages, axes) for arc in arcs) if axes else (),
        leakage_is_mean=bool(leakage) and not by_state,
        energies=switching_energies(energies, inputs, voltages, axes[1]) if axes else (),
        devices=_devices(entries),
        **load,
    )


def _devices(entries: Entries) -> int | None:
    if "devices" not in entries.data:
        return None
    found = entries.number("devices", least=1)
    if found != int(found):
        raise entries.wrong("devices", "a whole number")
    return int(found)


def _leakage(
    entries: Entries, n_states: int, voltages: tuple[float, ...]
) -> tuple[dict[float, tuple[float, ...]], bool]:
    """Figures of all states by voltage, and whether there are any that were given by state."""
    mean, by_state = entries.table("mean_leakage_nw"), entries.table("leakage_nw")
    found = {v: (mean.number(key, least=0),) * n_states for v, key in mean.by_voltage(voltages).items()}
    own = {v: by_state.numbers(key, count=n_states, least=0) for v, key in by_state.by_voltage(voltages).items()}
    return {**found, **own}, bool(own)


def _area_mm2(entries: Entries) -> float:
    if "area_um2" in entries.data and "area_mm2" not in entries.data:
        return entries.number("area_um2", least=0) / UM2_PER_MM2
    return entries.number("area_mm2", least=0)


def _capacitances(
    entries: Entries, inputs: tuple[str, ...], voltages: tuple[float, ...]
) -> dict[float, tuple[Capacitance, ...]]:
    """Capacitances of all inputs at the voltages at which every input has one."""
    if others := set(entries.data) - set(inputs):
        raise entries.error(min(others), "is not an input")
    known = [_capacitance(entries.table(pin), voltages) for pin in inputs]
    return {v: tuple(pin[v] for pin in known) for v in voltages if all(v in pin for pin in known)}


def _capacitance(pin: Entries, voltages: tuple[float, ...]) -> dict[float, Capacitance]:
    return {v: Capacitance(*pin.numbers(key, count=3, least=0)) for v, key in pin.by_voltage(voltages).items()}


def _arc(entries: Entries, inputs: tuple[str, ...], voltages: tuple[float, ...], axes: _Axes) -> Arc:
    begin, sense = entries.text("from"), entries.text("sense")
    if begin not in inputs:
        raise entries.error("from", f"the arc begins at '{begin}', which is not an input")
    if sense not in _SENSES:
        raise entries.error("sense", f"sense '{sense}' is not one of {', '.join(_SENSES)}")
    tables = Entries({key: value for key, value in entries.data.items() if key not in _ARC_WORDS}, entries.place)
    timing = {v: _arc_timing(tables.table(key), axes) for v, key in tables.by_voltage(voltages).items()}
    return Arc(begin, sense, timing)


def _arc_timing(entries: Entries, axes: _Axes) -> ArcTiming:
    size = len(axes[0]), len(axes[1])
    found = {name: DelayTable(*axes, entries.rows(name, *size)) for name in _TABLES if name in entries.data}
    for edge in ("rise", "fall"):
        if (f"cell_{edge}" in found) != (f"{edge}_transition" in found):
            raise ConfigError(f"{entries.place}: cell_{edge} and {edge}_transition go together")
    return ArcTiming(**found)
