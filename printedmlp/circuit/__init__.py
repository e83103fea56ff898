"""Gate-level circuits as data, and their bit-parallel simulation; no tool is involved."""

from printedmlp.circuit.netlist import Instance, Netlist
from printedmlp.circuit.simulate import classes, input_bits_of, simulate, state_probabilities

__all__ = ["Instance", "Netlist", "classes", "input_bits_of", "simulate", "state_probabilities"]
