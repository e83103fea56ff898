"""A technology is a named set of cells, read from a TOML file of the form of egfet.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from printedmlp.errors import ConfigError
from printedmlp.technology.cell import Arc, ArcTiming, Capacitance, Cell, DelayTable
from printedmlp.technology.energy import switching_energies
from printedmlp.technology.front_end import FrontEndFigures, front_end_figures

BUILT_IN = ("egfet", "cnt_tft")
"""Names of the technologies that are part of the package."""
_Axes = tuple[tuple[float, ...], tuple[float, ...]]
_TABLES = ("cell_rise", "rise_transition", "cell_fall", "fall_transition")
_SENSES = ("positive_unate", "negative_unate", "non_unate")
_NUMBERS = ("temperature_c", "output_load_pf", "input_slew_ns")


@dataclass(frozen=True)
class Technology:
    """The mappable cells of a technology by name, and the voltages their figures are known at.

    ``cells`` holds combinational single-output cells only; ``other_cells`` lists the rest by name with their kind
    (latch, flip_flop, tristate), for which netlists have no use. Area and function of every cell are known, power
    and delay may not be. ``output_load_pf`` loads every output bit and should be about one gate input;
    ``input_slew_ns`` is the transition time of the input bits. ``front_end`` is at the nominal voltage, None where
    nothing is known of it. Raises ConfigError when there is no cell at all.
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
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"technology '{path}': {error}") from None
    return _parse(text, str(path))


@cache
def _load_built_in(name: str) -> Technology:
    path = Path(__file__).with_name(f"{name}.toml")
    return _parse(path.read_text(encoding="utf-8"), path.name)


def _parse(text: str, place: str) -> Technology:
    try:
        data = tomllib.loads(text)
        return _technology(data)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{place}: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    except KeyError as error:
        raise ConfigError(f"{place}: entry {error} is missing") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{place}: malformed entry ({error})") from None


def _technology(data: dict[str, Any]) -> Technology:
    voltages = tuple(float(v) for v in data["voltages"])
    delay_axes = data.get("delay_axes")
    axes = (_floats(delay_axes["slew_ns"]), _floats(delay_axes["load_pf"])) if delay_axes else None
    mappable = {n: c for n, c in data["cells"].items() if c["kind"] == "combinational"}
    given = {key: float(data[key]) for key in _NUMBERS if key in data}
    return Technology(
        name=data["name"],
        cells={name: _cell(name, c, voltages, axes) for name, c in mappable.items()},
        voltages=voltages,
        nominal_voltage=float(data["nominal_voltage"]),
        source=data.get("source", ""),
        other_cells={n: c["kind"] for n, c in data["cells"].items() if n not in mappable},
        front_end=front_end_figures(data.get("front_end")),
        **given,
    )


def _floats(values: list[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _by_voltage(table: Mapping[str, Any], voltages: tuple[float, ...]) -> dict[float, Any]:
    """The entries of a table whose keys are voltages, such as "0.6" or "3", as far as it has them."""
    found = {float(key): value for key, value in table.items()}
    return {v: found[v] for v in voltages if v in found}


def _cell(name: str, data: dict[str, Any], voltages: tuple[float, ...], axes: _Axes | None) -> Cell:
    inputs = tuple(data["inputs"])
    if (arcs := data.get("arcs")) and axes is None:
        raise ConfigError(f"cell {name} has delay tables, but [delay_axes] is missing")
    if (energies := data.get("energies")) and axes is None:
        raise ConfigError(f"cell {name} has energies, but the loads of [delay_axes] are missing")
    by_state = _by_voltage(data.get("leakage_nw", {}), voltages)
    mean = _by_voltage(data.get("mean_leakage_nw", {}), voltages)
    leakage = {v: _floats([figure] * (1 << len(inputs))) for v, figure in mean.items()}
    leakage |= {v: _floats(figures) for v, figures in by_state.items()}
    load = data.get("max_load_pf")
    return Cell(
        name=name,
        area_mm2=_area_mm2(data),
        inputs=inputs,
        output=data["output"],
        function=data["function"],
        leakage_nw=leakage,
        capacitance_pf=_capacitances(data.get("capacitance_pf", {}), inputs, voltages),
        arcs=tuple(_arc(arc, inputs, voltages, axes) for arc in arcs) if arcs and axes else (),
        max_load_pf=float(load) if load is not None else None,
        leakage_is_mean=bool(leakage) and not by_state,
        energies=switching_energies(energies, inputs, voltages, axes[1]) if energies and axes else (),
    )


def _area_mm2(data: dict[str, Any]) -> float:
    return float(data["area_mm2"]) if "area_mm2" in data else float(data["area_um2"]) / 1e6


def _capacitances(
    pins: dict[str, Any], inputs: tuple[str, ...], voltages: tuple[float, ...]
) -> dict[float, tuple[Capacitance, ...]]:
    """Capacitances of all inputs at the voltages at which every input has one."""
    known = [_by_voltage(pins.get(pin, {}), voltages) for pin in inputs]
    return {
        v: tuple(Capacitance(*_floats(pin[v])) for pin in known) for v in voltages if all(v in k for k in known)
    }


def _arc(data: dict[str, Any], inputs: tuple[str, ...], voltages: tuple[float, ...], axes: _Axes) -> Arc:
    tables = {key: table for key, table in data.items() if isinstance(table, dict)}
    timing = {v: _arc_timing(table, axes) for v, table in _by_voltage(tables, voltages).items()}
    if data["from"] not in inputs:
        raise ConfigError(f"an arc begins at '{data['from']}', which is not an input")
    if data["sense"] not in _SENSES:
        raise ConfigError(f"sense '{data['sense']}' is not one of {', '.join(_SENSES)}")
    return Arc(data["from"], data["sense"], timing)


def _arc_timing(data: dict[str, Any], axes: _Axes) -> ArcTiming:
    tables = {name: DelayTable(*axes, tuple(_floats(r) for r in data[name])) for name in _TABLES if name in data}
    if any(len(t.values_ns) != len(axes[0]) or {*map(len, t.values_ns)} != {len(axes[1])} for t in tables.values()):
        raise ConfigError(f"a delay table is not {len(axes[0])} rows of {len(axes[1])} figures")
    return ArcTiming(**tables)
