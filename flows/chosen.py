"""A circuit that was chosen, on its way to its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.front import FrontPoint


@dataclass(frozen=True)
class Design:
    """A chosen circuit: its figures, classifier and cells, what the record adds, and the log of its mapping."""

    point: FrontPoint
    model: Classifier
    netlist: Netlist
    extra: dict[str, Any]
    log: Sequence[str] = ()
