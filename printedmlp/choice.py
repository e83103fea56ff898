"""Which circuits are kept: those that keep to the user's limits and that no other makes pointless.

Everything here is decided by figures of the training and validation rows. Nothing measured on the test rows is
looked at, the power that those rows cause included: candidates need not have met them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

AXES = ("merit", "area", "power")
"""More merit, less area and less power are better."""
TRUST = 1.5
"""Standard errors by which the training rows may lift a circuit above its validation score."""
POWER_GAIN = 0.03
"""A circuit that is better in power alone must be better by this share."""
ROBUST_GAIN = 0.005
"""A circuit that is better in the merit of its prints alone must be better by this much."""
ROUNDING = 1e-9


class Judged(Protocol):
    """What a circuit is chosen by; none of it is measured on the test rows."""

    @property
    def id(self) -> str:
        """Unique name."""

    @property
    def score(self) -> float:
        """Value of the metric that was chosen, on the validation rows."""

    @property
    def merit(self) -> float:
        """What circuits are compared by: see `merit_of`."""

    @property
    def area_cm2(self) -> float:
        """Cell area of the mapped netlist."""

    @property
    def power_mw_nominal(self) -> float:
        """Power at the nominal voltage in the states that training and validation rows cause."""


Circuit = TypeVar("Circuit", bound=Judged)


def merit_of(pooled: float, score: float, n_validation: int) -> float:
    """The metric on training and validation rows together, but not far above its value on the validation rows.

    A validation part of some dozens of rows chooses by luck among thousands of circuits; the training rows are
    more, but favour what learnt them by heart. So they count as long as the validation rows do not speak against
    it: the merit is at most `TRUST` standard errors of a share of so many rows above the score.

    Parameters
    ----------
    pooled : value of the metric on both parts together.
    score : its value on the validation rows, 0 to 1.
    n_validation : number of validation rows, at least 1.
    """
    return min(pooled, score + TRUST * math.sqrt(score * (1 - score) / n_validation))


@dataclass(frozen=True)
class Limits:
    """What a circuit must keep to whatever else it is good at; None sets no limit.

    Attributes
    ----------
    max_area_cm2 : largest cell area.
    max_power_mw : largest power at the nominal voltage, on the rows that choose.
    min_score : smallest validation value of the chosen metric.
    """

    max_area_cm2: float | None = None
    max_power_mw: float | None = None
    min_score: float | None = None

    def allows(self, circuit: Judged) -> bool:
        """Whether a circuit keeps to every limit."""
        return not self.misses(circuit)

    def misses(self, circuit: Judged) -> Mapping[str, float]:
        """By how much a circuit misses limits, as a share of each, by the name of the setting."""
        misses = {}
        if self.max_area_cm2 is not None and circuit.area_cm2 > self.max_area_cm2:
            misses["max_area"] = _excess(circuit.area_cm2, self.max_area_cm2)
        if self.max_power_mw is not None and circuit.power_mw_nominal > self.max_power_mw:
            misses["max_power"] = _excess(circuit.power_mw_nominal, self.max_power_mw)
        # Shares of rows are rounded: 9 of 10 must reach a limit of 0.9 however it was computed.
        if self.min_score is not None and circuit.score < self.min_score - ROUNDING:
            misses["min_accuracy"] = 1 - circuit.score / self.min_score
        return misses


def select_front(
    candidates: Sequence[Circuit],
    *,
    limits: Limits | None = None,
    axes: Sequence[str] = AXES,
    robustness: Callable[[Circuit], float] | None = None,
) -> list[Circuit]:
    """The circuits within the limits that are worth keeping, smallest first; empty where none keeps to them.

    A circuit goes if another one is no worse in every axis, and also if another is no worse in merit and area and
    the circuit saves less than 3 % of that one's power: the front would fill with copies that differ in one gate's
    power. Every point that is non-dominated in merit and area alone keeps a circuit. Of circuits equal in all axes
    the one best on the validation rows stays, then the one whose id sorts first; the order of the candidates does
    not matter.

    Parameters
    ----------
    candidates : what there is to choose from.
    limits : hard limits; None for none.
    axes : those of `AXES` that count; of the others nothing is looked at.
    robustness : a further axis, the merit that prints are expected to have; more is better, and a circuit that is
        better in it alone must be better by `ROBUST_GAIN`.
    """
    able = [c for c in candidates if limits is None or limits.allows(c)]
    keys = {c.id: (*_coordinates(c, axes), -robustness(c) if robustness else 0.0) for c in able}
    kept: list[Circuit] = []
    # Whatever makes a circuit pointless comes before it in this order, or is made pointless by what does.
    for circuit in sorted(able, key=lambda c: (*keys[c.id], -c.score, c.id)):
        if not any(_makes_pointless(keys[other.id], keys[circuit.id]) for other in kept):
            kept.append(circuit)
    return sorted(kept, key=lambda c: (c.area_cm2, keys[c.id]))


def nearest_miss(candidates: Sequence[Judged], limits: Limits) -> str:
    """Why nothing keeps to the limits, in a line: the circuit that misses them by the smallest share, and how."""
    if not candidates:
        return "there is no circuit to keep to the limits"

    def distance(circuit: Judged) -> tuple[float, float, str]:
        shares = limits.misses(circuit).values()
        return max(shares, default=0.0), sum(shares), circuit.id

    nearest = min(candidates, key=distance)
    words = {
        "max_area": f"{nearest.area_cm2:.4g} cm2 for max_area {limits.max_area_cm2} cm2",
        "max_power": f"{nearest.power_mw_nominal:.4g} mW for max_power {limits.max_power_mw} mW",
        "min_accuracy": f"validation {nearest.score:.4f} for min_accuracy {limits.min_score}",
    }
    missed = ", ".join(words[name] for name in limits.misses(nearest))
    return f"no circuit keeps to the limits; the nearest, {nearest.id}, has {missed}"


def _excess(value: float, limit: float) -> float:
    return value / limit - 1 if limit > 0 else math.inf


def _coordinates(circuit: Judged, axes: Sequence[str]) -> tuple[float, float, float]:
    """Merit, area and power, all to be minimised; 0 in the axes that do not count."""
    return (
        -circuit.merit if "merit" in axes else 0.0,
        circuit.area_cm2 if "area" in axes else 0.0,
        circuit.power_mw_nominal if "power" in axes else 0.0,
    )


def _makes_pointless(one: Sequence[float], other: Sequence[float]) -> bool:
    if one[3] > other[3] + ROBUST_GAIN:
        return False
    gain = one[2] - other[2]
    return one[0] <= other[0] and one[1] <= other[1] and (gain <= 0 or gain < POWER_GAIN * one[2])
