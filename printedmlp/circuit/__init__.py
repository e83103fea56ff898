"""Gate-level circuits as data, and their bit-parallel simulation; no tool is involved."""

from printedmlp.circuit.netlist import Instance, Netlist
from printedmlp.circuit.simplify import drop_unread, share_gates
from printedmlp.circuit.simulate import classes, input_bits_of, simulate, state_probabilities

__all__ = [
    "Instance",
    "Netlist",
    "classes",
    "drop_unread",
    "input_bits_of",
    "share_gates",
    "simulate",
    "state_probabilities",
]
