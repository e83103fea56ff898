"""Any Liberty library as a technology: its combinational cells with one output, and why the others are left out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low

from hdl.liberty_syntax import Group, parse_liberty
from hdl.liberty_writer import MAPPING_ONLY
from hdl.timing import line_value
from printedmlp.errors import ConfigError, DataError
from printedmlp.files import MEBIBYTE, read_bytes
from printedmlp.technology import (
    Arc,
    ArcTiming,
    Capacitance,
    Cell,
    DelayTable,
    EdgeEnergies,
    SwitchingEnergy,
    Technology,
    truth_table,
)

MM2_PER_UM2 = 1e-6
MOST_BYTES = 64 * MEBIBYTE
MAX_INPUTS = 8
_EXPONENTS = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3}
_STORING = ("ff", "latch", "ff_bank", "latch_bank", "statetable", "test_cell", "bus", "bundle")
_TABLES = ("cell_rise", "rise_transition", "cell_fall", "fall_transition")
_TYPES = {
    "": _TABLES,
    "combinational": _TABLES,
    "combinational_rise": _TABLES[:2],
    "combinational_fall": _TABLES[2:],
}
_LOAD = "total_output_net_capacitance"
_SLEWS = ("input_net_transition", "input_transition_time")
_TEMPLATES = ("lu_table_template", "power_lut_template")


@dataclass(frozen=True)
class _Context:
    """What a cell's figures depend on: units of the library, its table templates, and how to name the place."""

    place: str
    library: Group
    voltage: float
    mm2: float
    ns: float
    pf: float
    nw: float

    def error(self, group: Group, what: str) -> ConfigError:
        return ConfigError(f"{self.place} line {group.line}, {group.kind} '{group.name}': {what}")

    def number(self, group: Group, attribute: str, default: str = "") -> float:
        text = group.get(attribute, default)
        try:
            return float(text)
        except ValueError:
            what = f"{attribute} '{text}' is not a number" if text else f"{attribute} is missing"
            raise self.error(group, what) from None


def read_liberty(path: str | Path, *, mm2_per_area_unit: float = MM2_PER_UM2) -> Technology:
    """The library in a Liberty file, at its nominal voltage.

    Areas are taken to be in um2 unless ``mm2_per_area_unit`` says otherwise. Output bits are loaded with the median
    of the cells' input capacitances. Cells without leakage, capacitance or
    delay tables are kept; power and timing then say what is missing. Raises ConfigError with file, line and cell.
    """
    path = Path(path)
    try:
        text = read_bytes(path, MOST_BYTES, "Liberty file").decode("utf-8", "replace")
    except DataError as error:
        raise ConfigError(f"Liberty file: {error}") from None
    library = parse_liberty(text, path.name)
    context = _context(library, path.name, mm2_per_area_unit)
    cells: dict[str, Cell] = {}
    others: dict[str, str] = {}
    for group in library.all("cell"):
        if kind := _left_out(group):
            others[group.name] = kind
        else:
            cells[group.name] = _cell(group, context)
    if not cells:
        raise ConfigError(f"{path.name}: no combinational cell with one output")
    temperature = context.number(library, "nom_temperature", "25")
    name, voltage = library.name or path.stem, context.voltage
    source, load_pf = f"Liberty file {path.name}", _output_load_pf(cells.values())
    return Technology(name, cells, (voltage,), voltage, source, temperature, others, output_load_pf=load_pf)


def _output_load_pf(cells: Iterable[Cell]) -> float:
    """The median pin of the library as the load of an output bit, where the capacitance of pins is known."""
    loads = [pin.mean for cell in cells for pins in cell.capacitance_pf.values() for pin in pins]
    return median_low(loads) if loads else Technology.output_load_pf


def _context(library: Group, place: str, mm2: float) -> _Context:
    load = library.attributes.get("capacitive_load_unit", ("1", "pf"))
    if len(load) != 2:
        raise ConfigError(f"{place}: capacitive_load_unit needs two values, a number and a unit")
    time = _unit(library.get("time_unit", "1ns"), "n", "s", place)
    leakage = _unit(library.get("leakage_power_unit", "1nW"), "n", "w", place)
    capacitance = _unit("".join(load), "p", "f", place)
    units = _Context(place, library, 0.0, mm2, time, capacitance, leakage)
    return replace(units, voltage=units.number(library, "nom_voltage", "1.0"))


def _unit(text: str, prefix: str, symbol: str, place: str) -> float:
    """How many of ours, ``prefix`` and ``symbol``, a unit such as "10ps" is."""
    match = re.fullmatch(rf"\s*(\d+\.?\d*)?\s*([fpnumk]?){symbol}\s*", text.lower())
    if match is None:
        raise ConfigError(f"{place}: unit '{text}' is not understood")
    return float(match[1] or 1) * 10.0 ** (_EXPONENTS[match[2]] - _EXPONENTS[prefix])


def _left_out(cell: Group) -> str:
    """Why a cell cannot be mapped to, empty when it can."""
    if cell.get(MAPPING_ONLY) == "true" or cell.get("dont_use") == "true":
        return "not to be used"
    if any(group.kind in _STORING for group in cell.groups):
        return "not combinational"
    outputs = [pin for pin in cell.all("pin") if pin.get("direction") == "output"]
    if len(outputs) != 1 or any(pin.get("direction") == "inout" for pin in cell.all("pin")):
        return f"{len(outputs)} outputs"
    if "function" not in outputs[0].attributes or "three_state" in outputs[0].attributes:
        return "no plain function"
    n_inputs = sum(pin.get("direction") == "input" for pin in cell.all("pin"))
    return "" if 1 <= n_inputs <= MAX_INPUTS else f"{n_inputs} inputs"


def _cell(group: Group, context: _Context) -> Cell:
    pins = [pin for pin in group.all("pin") if pin.get("direction") == "input"]
    output = next(pin for pin in group.all("pin") if pin.get("direction") == "output")
    inputs = tuple(pin.name for pin in pins)
    try:
        table = truth_table(output.get("function"), inputs)
        leakage = _leakage(group, inputs, output.name, table, context)
    except ConfigError as error:
        raise context.error(group, str(error)) from None
    has_load = "max_capacitance" in output.attributes
    capacitance = [_capacitance(pin, context) for pin in pins]
    return Cell(
        name=group.name,
        area_mm2=round(context.number(group, "area") * context.mm2, 12),
        inputs=inputs,
        output=output.name,
        function=output.get("function"),
        leakage_nw={context.voltage: leakage} if leakage else {},
        capacitance_pf={context.voltage: tuple(c for c in capacitance if c)} if all(capacitance) else {},
        arcs=tuple(arc for timing in output.all("timing") for arc in _arcs(timing, inputs, context)),
        max_load_pf=context.number(output, "max_capacitance") * context.pf if has_load else None,
        leakage_is_mean=bool(leakage) and not group.all("leakage_power"),
        energies=_known_energies(group, output, inputs, context),
    )


def _leakage(
    group: Group, inputs: tuple[str, ...], output: str, table: int, context: _Context
) -> tuple[float, ...] | None:
    """nW by input state: the first entry whose condition holds, else the cell's figure; None when there is none."""
    entries = [
        (_states(entry.get("when", "1"), inputs, output, table), context.number(entry, "value") * context.nw)
        for entry in group.all("leakage_power")
    ]
    general = context.library.get("default_cell_leakage_power")
    if "cell_leakage_power" in group.attributes or general:
        entries.append((-1, context.number(group, "cell_leakage_power", general) * context.nw))
    found = [next((value for states, value in entries if states >> s & 1), None) for s in range(1 << len(inputs))]
    known = [value for value in found if value is not None]
    return tuple(known) if len(known) == len(found) else None


def _states(condition: str, inputs: tuple[str, ...], output: str, table: int) -> int:
    """Bit s is set when the condition, which may name the output, holds in input state s."""
    wide = truth_table(condition, (*inputs, output))
    n_states = 1 << len(inputs)
    return sum((wide >> (s | (table >> s & 1) * n_states) & 1) << s for s in range(n_states))


def _capacitance(pin: Group, context: _Context) -> Capacitance | None:
    known = context.library.get("default_input_pin_cap")
    mean = pin.get("capacitance", known) or pin.get("rise_capacitance")
    if not mean:
        return None
    rise, fall = (context.number(pin, f"{edge}_capacitance", mean) for edge in ("rise", "fall"))
    return Capacitance(context.number(pin, "capacitance", mean) * context.pf, rise * context.pf, fall * context.pf)


def _arcs(timing: Group, inputs: tuple[str, ...], context: _Context) -> list[Arc]:
    tables = _TYPES.get(timing.get("timing_type"))
    if tables is None:
        return []
    found = {name: _table(g, context) for name in tables for g in timing.all(name)[:1]}
    pins = [pin for pin in timing.get("related_pin").split() if pin in inputs]
    sense = timing.get("timing_sense", "non_unate")
    if sense not in ("positive_unate", "negative_unate", "non_unate"):
        raise context.error(timing, f"timing_sense '{sense}' is not known")
    return [Arc(pin, sense, {context.voltage: ArcTiming(**found)}) for pin in pins] if found else []


def _known_energies(
    cell: Group, output: Group, inputs: tuple[str, ...], context: _Context
) -> tuple[SwitchingEnergy, ...]:
    """A cell's energies; none where a table is of a form we do not read, since all else of the cell can be used."""
    try:
        return tuple(_energies(cell, output, inputs, context))
    except ConfigError:
        return ()


def _energies(cell: Group, output: Group, inputs: tuple[str, ...], context: _Context) -> Iterator[SwitchingEnergy]:
    """What the tables of the supply say; those of ground are the same charge on its way out.

    Energies are in units of capacitance times V^2, read at the slowest input transition.
    """
    ground = {pin.name for pin in cell.all("pg_pin") if pin.get("pg_type") != "primary_power"}
    for group in output.all("internal_power"):
        tables = [(group.all(f"{edge}_power") or group.all("power"))[:1] for edge in ("rise", "fall")]
        if group.get("related_pg_pin") in ground or not all(tables):
            continue
        rise, fall = (_table(found[0], context) for found in tables)
        scale = context.pf / context.ns
        rises = tuple(value * scale for value in rise.values_ns[-1])
        falls = tuple(line_value(fall.load_pf, fall.values_ns[-1], load) * scale for load in rise.load_pf)
        edges = {context.voltage: EdgeEnergies(rise.load_pf, rises, falls)}
        for pin in group.get("related_pin").split():
            if pin in inputs:
                yield SwitchingEnergy(pin, truth_table(group.get("when", "1"), inputs), edges)


def _table(group: Group, context: _Context) -> DelayTable:
    """A table of one or two axes as rows of slew, columns of load; an absent axis has the one entry 0."""
    templates = [g for kind in _TEMPLATES for g in context.library.all(kind) if g.name == group.name]
    names = [templates[0].get(f"variable_{k}") for k in (1, 2)] if templates else ["", ""]
    if unknown := [name for name in names if name not in ("", _LOAD, *_SLEWS)]:
        raise context.error(group, f"axis '{unknown[0]}' is not supported")
    axes = {name: _axis(group, k, templates, context) for k, name in enumerate(names, start=1) if name}
    values = _floats(group, "values", context)
    slew = next((axes[name] for name in _SLEWS if name in axes), (0.0,))
    load = axes.get(_LOAD, (0.0,))
    if len(values) != len(slew) * len(load):
        raise context.error(group, f"{len(values)} values for {len(slew)} by {len(load)} entries")
    load_first = names[0] == _LOAD
    step_slew, step_load = (1, len(slew)) if load_first else (len(load), 1)
    rows = tuple(
        tuple(values[i * step_slew + j * step_load] * context.ns for j in range(len(load)))
        for i in range(len(slew))
    )
    return DelayTable(tuple(s * context.ns for s in slew), tuple(c * context.pf for c in load), rows)


def _axis(group: Group, k: int, templates: list[Group], context: _Context) -> tuple[float, ...]:
    owner = group if f"index_{k}" in group.attributes else templates[0]
    return _floats(owner, f"index_{k}", context)


def _floats(group: Group, attribute: str, context: _Context) -> tuple[float, ...]:
    text = " ".join(group.attributes.get(attribute, ())).replace(",", " ")
    try:
        return tuple(float(word) for word in text.split())
    except ValueError as error:
        raise context.error(group, f"{attribute}: {error}") from None
