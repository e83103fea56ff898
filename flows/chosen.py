"""A circuit that was chosen, on its way to its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hdl.blocks import Blocks
from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.front import FrontPoint


@dataclass(frozen=True)
class Design:
    """A chosen circuit: its figures, classifier, cells and their parts, what the record adds, the mapping's log."""

    point: FrontPoint
    model: Classifier
    netlist: Netlist
    blocks: Blocks
    extra: dict[str, Any]
    log: Sequence[str] = ()
