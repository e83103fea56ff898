"""What every number on the pages says, and how it comes about: a sentence each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Explained:
    """One number: key of its entry, name, what it says, and the protocol behind it."""

    key: str
    term: str
    meaning: str
    protocol: str


SCORES = (
    Explained(
        "accuracy",
        "Test accuracy",
        "Share of the test rows that the circuit answers right.",
        "The mapped netlist itself is simulated on rows that trained and chose nothing; an answer that is no class "
        "is wrong.",
    ),
    Explained(
        "interval",
        "95 % interval",
        "Where the accuracy on endlessly many rows of this kind probably lies.",
        "Wilson's interval of a share from the n test rows; two circuits whose intervals overlap are hardly told "
        "apart.",
    ),
    Explained(
        "balanced",
        "Balanced accuracy",
        "The mean of the classes' recalls, so that a rare class counts as much as a frequent one.",
        "Over the classes among the test rows.",
    ),
    Explained(
        "f1",
        "Macro F1",
        "The mean of the classes' F1 values, which fall with rows missed and with rows claimed wrongly.",
        "Over the classes among the test rows; a class that is never answered counts 0.",
    ),
    Explained(
        "classes",
        "Classes answered",
        "How many of the classes the circuit ever answers.",
        "Counted on the test rows; fewer than all shows a circuit that gave a class up.",
    ),
    Explained(
        "majority",
        "Majority line",
        "What always answering the most frequent training class would score.",
        "On the same test rows; a circuit is worth no more than its lead over this line.",
    ),
    Explained(
        "validation",
        "Validation score",
        "The chosen metric on rows that trained nothing but helped to choose.",
        "Losses of it, in percentage points, are counted from the exact baseline's.",
    ),
)
CHOICE = (
    Explained(
        "merit",
        "Merit",
        "What circuits are compared by beside their size.",
        "The chosen metric on training and validation rows together, but only a little above that on the "
        "validation rows alone.",
    ),
    Explained(
        "factor",
        "Exact ÷ circuit",
        "How many times smaller a figure is than the exact baseline's.",
        "Both went through the same synthesis to the same cells.",
    ),
)
PRINTS = Explained(
    "prints",
    "Merit of prints",
    "The merit that prints of a circuit are expected to have on average if each device works with the stated "
    "probability.",
    "Estimated from what every single stuck-at fault costs on the training and validation rows, and only a little "
    "above the same on the validation rows alone; test rows have no part in it.",
)
WORKING = Explained(
    "working",
    "Working prints",
    "Share of prints that lose no more than the stated accuracy against the circuit without faults.",
    "Devices fail at random at each device yield, independently of each other, and every print drawn answers the "
    "test rows; the interval is Wilson's.",
)
COSTS = (
    Explained(
        "area",
        "Cell area",
        "Sum of the areas of the printed cells, in cm².",
        "Without routing and without the sensors' front end.",
    ),
    Explained(
        "cells",
        "Cells",
        "How many printed gates the netlist has, by type.",
        "Counted in netlist.v as it was proved and simulated.",
    ),
    Explained(
        "comparators",
        "Comparators, features and thresholds used",
        "How many thresholds of how many inputs change the circuit's answer.",
        "Simulation finds those that do, and ABC proves that the rest do not.",
    ),
    Explained(
        "system",
        "Area with sensors",
        "The classifier together with what turns sensors' voltages into its input bits.",
        "Full converters by the range of published figures, pruned ones by the comparators and gates that this "
        "circuit needs.",
    ),
)
POWER = (
    Explained(
        "power",
        "Static power",
        "What the circuit draws while nothing changes, in mW.",
        "Every cell's figure in each input state, weighted by how often the test rows cause that state.",
    ),
    Explained(
        "switching",
        "Power with switching",
        "Static power and what changing signals add at the stated rate.",
        "Transitions from each test row to the next with the energy of the cells' tables and half of C V² for what "
        "is driven; glitches are not counted.",
    ),
    Explained(
        "energy",
        "Energy of a classification",
        "What one answer takes if the circuit is on only for its longest path.",
        "Static power times delay, and the switching of one row where it is known.",
    ),
    Explained(
        "source",
        "Power source",
        "Which printed source carries the circuit, always on or switched on for each sample.",
        "Its power against the sources' usual ratings, the classifier alone; losses of switch and conversion are "
        "not counted.",
    ),
    Explained(
        "parts",
        "Power by part",
        "How the static power is split among the parts of the classifier.",
        "A network's parts are found by function, a tree's by the feature that a comparator reads, and gates "
        "without parts by the output that they serve.",
    ),
)
DELAY = (
    Explained(
        "delay",
        "Delay and rate",
        "Time of the longest path from an input to the class, and its inverse.",
        "By the cells' delay tables at the load of every output, none of them assumed false.",
    ),
)
PROOF = (
    Explained(
        "proof",
        "Simulated and proved",
        "Whether the netlist gives the classifier's answer on vectors, and whether it does so on every input.",
        "RTL and netlist run beside the integer classifier; ABC proves Verilog equal to netlist, and another route "
        "proves the netlist equal to the integers; “not proved” means that the time ran out.",
    ),
)
LAYOUT = (
    Explained(
        "layout",
        "Layout",
        "An estimate of a printed sheet, to scale.",
        "Cells in rows, placed by annealing on the length of the wires; nothing is routed, and it is no sign-off.",
    ),
)


def explained(
    *,
    power: bool,
    delay: bool,
    sensors: bool,
    pictures: bool,
    prints: bool = False,
    working: bool = False,
) -> list[Explained]:
    """The entries for what a page holds."""
    missing: Collection[str] = () if sensors else ("comparators", "system")
    costs = [entry for entry in COSTS if entry.key not in missing]
    return [
        *SCORES,
        *CHOICE,
        *((PRINTS,) if prints else ()),
        *((WORKING,) if working else ()),
        *costs,
        *(POWER if power else ()),
        *(DELAY if delay else ()),
        *PROOF,
        *(LAYOUT if pictures else ()),
    ]
