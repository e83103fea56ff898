"""By which area a run's circuits were chosen: the classifier's alone, or that of the whole system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from printedmlp.front import FRONT_ENDS

KEY = "chosen_by"
CLASSIFIER, SYSTEM = "classifier", "system"
Figures = Mapping[str, Any]


def chosen_by(front: Figures) -> str:
    """Which it was, from front.json; the classifier's in one from before it was written down."""
    return str(front.get(KEY, CLASSIFIER))


def system_area(system: Figures | None) -> float | None:
    """Area in cm2 with the cheapest front end that is known: comparators alone, or else pruned converters."""
    known = [(system or {}).get(kind) for kind in reversed(FRONT_ENDS[1:])]
    return next((float(figures["area_cm2"]) for figures in known if figures), None)
