"""What a printing technology offers: its cells and their figures.

``load_technology("egfet")`` gives the built-in one; any other comes from a file of the same form as egfet.toml,
or from a Liberty file through ``hdl.liberty``.
"""

from printedmlp.technology.cell import Arc, ArcTiming, Capacitance, Cell, DelayTable
from printedmlp.technology.energy import EdgeEnergies, SwitchingEnergy
from printedmlp.technology.function import truth_table, variable_table
from printedmlp.technology.technology import BUILT_IN, Technology, load_technology

__all__ = [
    "BUILT_IN",
    "Arc",
    "ArcTiming",
    "Capacitance",
    "Cell",
    "DelayTable",
    "EdgeEnergies",
    "SwitchingEnergy",
    "Technology",
    "load_technology",
    "truth_table",
    "variable_table",
]
