"""A technology at one voltage, written as a Liberty file."""

from collections.abc import Iterable, Iterator

from printedmlp.errors import ConfigError
from printedmlp.technology import Arc, ArcTiming, Cell, DelayTable, Technology

MAPPING_ONLY = "mapping_only"
"""Attribute of the buffer cell, which exists because mappers ask for one; readers of ours leave it out."""

Axes = tuple[tuple[float, ...], tuple[float, ...]]
_TABLES = ("cell_rise", "rise_transition", "cell_fall", "fall_transition")


def liberty_text(technology: Technology, voltage: float) -> str:
    """The mappable cells as a complete Liberty library at ``voltage``: um2, ns, pF, nW.

    Raises ConfigError when the technology has no figures at that voltage.
    """
    if voltage not in technology.voltages:
        raise ConfigError(f"technology '{technology.name}' has no figures at {voltage} V")
    templates = _templates(technology, voltage)
    lines = [*_header(technology, voltage, templates)]
    for name in sorted(technology.cells):
        lines += _cell(technology.cells[name], voltage, templates)
    return "\n".join([*lines, *_buffer(technology), "}"]) + "\n"


def _number(value: float) -> str:
    return repr(float(value))


def _numbers(values: Iterable[float]) -> str:
    return '"' + ", ".join(_number(v) for v in values) + '"'


def _templates(technology: Technology, voltage: float) -> dict[Axes, str]:
    """A template for every pair of axes that a table has, in order of appearance."""
    found = {
        (table.slew_ns, table.load_pf): ""
        for _, cell in sorted(technology.cells.items())
        for arc in cell.arcs
        if voltage in arc.timing
        for _, table in _tables(arc.timing[voltage])
    }
    return {axes: f"delay_{k}" for k, axes in enumerate(found)}


def _tables(timing: ArcTiming) -> Iterator[tuple[str, DelayTable]]:
    tables = ((name, getattr(timing, name)) for name in _TABLES)
    return ((name, table) for name, table in tables if table is not None)


def _header(technology: Technology, voltage: float, templates: dict[Axes, str]) -> Iterator[str]:
    source = technology.source.replace("*/", "* /")
    yield f"library ({technology.name}) {{"
    yield f"  /* Figures: {source} */"
    yield "  delay_model : table_lookup;"
    yield '  time_unit : "1ns";'
    yield '  voltage_unit : "1V";'
    yield '  current_unit : "1mA";'
    yield '  pulling_resistance_unit : "1kohm";'
    yield '  leakage_power_unit : "1nW";'
    yield "  capacitive_load_unit (1, pf);"
    yield f"  nom_voltage : {_number(voltage)};"
    yield f"  nom_temperature : {_number(technology.temperature_c)};"
    yield "  nom_process : 1.0;"
    yield f"  define ({MAPPING_ONLY}, cell, boolean);"
    for (slew_ns, load_pf), name in templates.items():
        yield f"  lu_table_template ({name}) {{"
        yield "    variable_1 : input_net_transition;"
        yield "    variable_2 : total_output_net_capacitance;"
        yield f"    index_1 ({_numbers(slew_ns)});"
        yield f"    index_2 ({_numbers(load_pf)});"
        yield "  }"


def _cell(cell: Cell, voltage: float, templates: dict[Axes, str]) -> Iterator[str]:
    yield f"  cell ({cell.name}) {{"
    yield f"    area : {_number(round(cell.area_mm2 * 1e6, 6))};"
    leakage = cell.leakage_nw.get(voltage, ())
    if leakage:
        yield f"    cell_leakage_power : {_number(sum(leakage) / len(leakage))};"
    for state, value in enumerate(leakage):
        condition = " & ".join(pin if state >> i & 1 else f"!{pin}" for i, pin in enumerate(cell.inputs))
        yield f'    leakage_power () {{ when : "{condition}"; value : {_number(value)}; }}'
    for i, pin in enumerate(cell.inputs):
        yield f"    pin ({pin}) {{"
        yield "      direction : input;"
        if voltage in cell.capacitance_pf:
            mean, rise, fall = cell.capacitance_pf[voltage][i]
            yield f"      capacitance : {_number(mean)};"
            yield f"      rise_capacitance : {_number(rise)};"
            yield f"      fall_capacitance : {_number(fall)};"
        yield "    }"
    yield from _output(cell, voltage, templates)
    yield "  }"


def _output(cell: Cell, voltage: float, templates: dict[Axes, str]) -> Iterator[str]:
    yield f"    pin ({cell.output}) {{"
    yield "      direction : output;"
    yield f'      function : "{cell.function}";'
    if cell.max_load_pf is not None:
        yield f"      max_capacitance : {_number(cell.max_load_pf)};"
    for arc in cell.arcs:
        if voltage in arc.timing:
            yield from _arc(arc, arc.timing[voltage], templates)
    yield "    }"


def _arc(arc: Arc, timing: ArcTiming, templates: dict[Axes, str]) -> Iterator[str]:
    yield "      timing () {"
    yield f'        related_pin : "{arc.input}";'
    yield "        timing_type : combinational;"
    yield f"        timing_sense : {arc.sense};"
    for name, table in _tables(timing):
        rows = ", ".join(_numbers(row) for row in table.values_ns)
        yield f"        {name} ({templates[table.slew_ns, table.load_pf]}) {{ values ({rows}); }}"
    yield "      }"


def _buffer(technology: Technology) -> Iterator[str]:
    area = max(cell.area_mm2 for cell in technology.cells.values()) * 1e6
    yield "  /* Not a cell that can be printed: mappers need a buffer, and no netlist may keep it. */"
    yield "  cell (_BUFFER_) {"
    yield f"    {MAPPING_ONLY} : true;"
    yield f"    area : {_number(round(area, 6))};"
    yield "    pin (A) { direction : input; capacitance : 0.0; }"
    yield '    pin (Y) { direction : output; function : "A"; }'
    yield "  }"
