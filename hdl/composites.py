"""Exclusive-or built from four equal gates, offered to the mapper as if it were one cell.

Where four NAND2 are smaller than the XOR2 cell, as in EGFET, mappers that only cover a graph with cells do not find
the form, because its gates share a net. After mapping each one is replaced by its gates; one of them computes what
the carry of a full adder needs as well, so sharing equal gates afterwards gives the full adder of nine NAND2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import Cell, Technology

_NAND2, _NOR2 = 0b0111, 0b0001


@dataclass(frozen=True)
class Composite:
    """A cell that exists only during mapping, and the two-input circuit it stands for."""

    cell: Cell
    body: Netlist


def composites(technology: Technology) -> Mapping[str, Composite]:
    """The exclusive-or of four NAND2 and the exclusive-nor of four NOR2, as far as the technology has them."""
    found = {}
    for table, name, function in ((_NAND2, "_XOR_", "A ^ B"), (_NOR2, "_XNOR_", "!(A ^ B)")):
        for gate in technology.cells_with_function(2, table)[:1]:
            cell = Cell(name, 4 * gate.area_mm2, ("A", "B"), "Y", function)
            found[name] = Composite(cell, four_gates(gate.name))
    return found


def four_gates(gate: str) -> Netlist:
    """g(g(a, m), g(m, b)) with m = g(a, b)."""
    pins = ((2, 3), (2, 4), (4, 3), (5, 6))
    return Netlist(2, tuple(Instance(gate, nets) for nets in pins), (7,))
