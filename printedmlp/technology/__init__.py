"""What a printing technology offers: its cells and their figures.

``load_technology("egfet")`` and ``load_technology("cnt_tft")`` give the built-in ones; any other comes from a file
of the same form, which docs/technology.md explains, or from a Liberty file through ``hdl.liberty``.
"""

from printedmlp.technology.cell import Arc, ArcTiming, Capacitance, Cell, DelayTable
from printedmlp.technology.energy import EdgeEnergies, SwitchingEnergy
from printedmlp.technology.front_end import FrontEndFigures
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
    "FrontEndFigures",
    "SwitchingEnergy",
    "Technology",
    "load_technology",
    "truth_table",
    "variable_table",
]
