"""A technology's cells as the views other tools read: Liberty, genlib for ABC, and Verilog for simulators."""

from collections.abc import Iterable

from hdl.liberty_writer import liberty_text
from printedmlp.technology import Cell, Technology

__all__ = ["genlib_text", "liberty_text", "sum_of_products", "verilog_text"]

BUFFER = "_BUFFER_"
CONSTANTS = ("_CONST0_", "_CONST1_")
GENLIB_MAX_INPUTS = 6


def sum_of_products(cell: Cell, *, inverted: str, product: str, either: str) -> str:
    """The cell's function in the given operators: the sum of its minterms, or the complement of the others' sum."""
    if cell.truth_table in (0, (1 << cell.n_states) - 1):
        return str(cell.truth_table & 1)
    on = [state for state in range(cell.n_states) if cell.evaluate(state)]
    off = [state for state in range(cell.n_states) if not cell.evaluate(state)]
    terms = [
        product.join(pin if state >> i & 1 else inverted + pin for i, pin in enumerate(cell.inputs))
        for state in min(on, off, key=len)
    ]
    text = either.join(f"({term})" for term in terms)
    if len(on) <= len(off):
        return text
    return f"{inverted}{text}" if len(terms) == 1 else f"{inverted}({text})"


def genlib_text(technology: Technology, extra: Iterable[Cell] = ()) -> str:
    """The cells, and ``extra`` ones, as an ABC genlib: areas in mm2 and unit delays, as only area is to be traded.

    A buffer and the constants are added because ABC's mappers need them; no netlist keeps them.
    """
    area = max(cell.area_mm2 for cell in technology.cells.values())
    lines = [f"GATE {name} 0 Y=CONST{value};" for value, name in enumerate(CONSTANTS)]
    lines += [f"GATE {BUFFER} {area:.6f} Y=A; PIN * NONINV 1 999 1 0 1 0"]
    usable = (c for c in (*technology.cells.values(), *extra) if 1 <= len(c.inputs) <= GENLIB_MAX_INPUTS)
    lines += [_genlib_gate(cell) for cell in usable if cell.truth_table not in (0, (1 << cell.n_states) - 1)]
    return "\n".join(lines) + "\n"


def _genlib_gate(cell: Cell) -> str:
    function = sum_of_products(cell, inverted="!", product="*", either="+")
    return f"GATE {cell.name} {cell.area_mm2:.9f} {cell.output}={function}; PIN * UNKNOWN 1 999 1 0 1 0"


def verilog_text(technology: Technology) -> str:
    """Behavioural models of the cells in plain Verilog-2001, one module each, in alphabetical order."""
    return "\n".join(_verilog_module(technology.cells[name]) for name in sorted(technology.cells))


def _verilog_module(cell: Cell) -> str:
    function = sum_of_products(cell, inverted="~", product=" & ", either=" | ")
    value = f"1'b{function}" if function in "01" else function
    ports = ", ".join([f"input {pin}" for pin in cell.inputs] + [f"output {cell.output}"])
    return f"module {cell.name} ({ports});\n    assign {cell.output} = {value};\nendmodule\n"
