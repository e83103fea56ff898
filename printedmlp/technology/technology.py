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

BUILT_IN = ("egfet",)
"""Names of the technologies that are part of the package."""
_Axes = tuple[tuple[float, ...], tuple[float, ...]]
_TABLES = ("cell_rise", "rise_transition", "cell_fall", "fall_transition")


@dataclass(frozen=True)
class Technology:
    """The mappable cells of a technology by name, and the voltages their figures are known at.

    ``cells`` holds combinational single-output cells only; ``other_cells`` lists the rest by name with their kind
    (latch, flip_flop, tristate), for which netlists have no use. Raises ConfigError when there is no cell at all.
    """

    name: str
    cells: Mapping[str, Cell]
    voltages: tuple[float, ...]
    nominal_voltage: float
    source: str = ""
    temperature_c: float = 25.0
    other_cells: Mapping[str, str] = field(default_factory=dict)

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
    axes = (_floats(data["delay_axes"]["slew_ns"]), _floats(data["delay_axes"]["load_pf"]))
    mappable = {n: c for n, c in data["cells"].items() if c["kind"] == "combinational"}
    return Technology(
        name=data["name"],
        cells={name: _cell(name, c, voltages, axes) for name, c in mappable.items()},
        voltages=voltages,
        nominal_voltage=float(data["nominal_voltage"]),
        source=data.get("source", ""),
        temperature_c=float(data.get("temperature_c", 25)),
        other_cells={n: c["kind"] for n, c in data["cells"].items() if n not in mappable},
    )


def _floats(values: list[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _cell(name: str, data: dict[str, Any], voltages: tuple[float, ...], axes: _Axes) -> Cell:
    inputs = tuple(data["inputs"])
    pins = [data["capacitance_pf"][pin] for pin in inputs]
    return Cell(
        name=name,
        area_mm2=float(data["area_um2"]) / 1e6,
        inputs=inputs,
        output=data["output"],
        function=data["function"],
        leakage_nw={v: _floats(data["leakage_nw"][str(v)]) for v in voltages},
        capacitance_pf={v: tuple(Capacitance(*_floats(pin[str(v)])) for pin in pins) for v in voltages},
        arcs=tuple(_arc(arc, voltages, axes) for arc in data["arcs"]),
        max_load_pf=float(data["max_load_pf"]),
        energies=switching_energies(data.get("energies", ()), inputs, voltages, axes[1]),
    )


def _arc(data: dict[str, Any], voltages: tuple[float, ...], axes: _Axes) -> Arc:
    return Arc(data["from"], data["sense"], {v: _arc_timing(data[str(v)], axes) for v in voltages})


def _arc_timing(data: dict[str, Any], axes: _Axes) -> ArcTiming:
    tables = {name: DelayTable(*axes, tuple(_floats(r) for r in data[name])) for name in _TABLES if name in data}
    return ArcTiming(**tables)
