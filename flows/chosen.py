"""A circuit that was chosen, on its way to its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.front import FrontPoint


@dataclass(frozen=True)
class Design:
    """A chosen circuit: its figures, its classifier, its cells, and what the record adds."""

    point: FrontPoint
    model: Classifier
    netlist: Netlist
    extra: dict[str, Any]
