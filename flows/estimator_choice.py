"""Which circuit of a front becomes the estimator's classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flows.printed_design import PrintedDesign
from printedmlp.choice import ROUNDING
from printedmlp.errors import EstimatorError

Rule = Callable[[list[PrintedDesign]], PrintedDesign]
AREA, POWER, MERIT = "area", "power", "merit"
RULES = (AREA, POWER, MERIT)


def chosen(front: Sequence[PrintedDesign], rule: str | Rule, max_loss: float) -> PrintedDesign:
    """The circuit that a rule takes; merit, area and power are all that the named rules look at.

    Parameters
    ----------
    front : at least one circuit.
    rule : "area" or "power" takes the least of it among circuits whose merit is at most `max_loss` below the best;
        "merit" the best merit. Ties go to less area, then less power. A function chooses by itself.

    Raises
    ------
    EstimatorError : the function returned something that is not of the front, or power has no figures.
    """
    if callable(rule):
        found = rule(list(front))
        if not any(found is design for design in front):
            raise EstimatorError("choose: the function returned no circuit of the front")
        return found
    if rule == POWER and any(design.power_mw is None for design in front):
        raise EstimatorError("choose: 'power' needs a technology with power figures")
    least = max(design.merit for design in front) - (0.0 if rule == MERIT else max_loss) - ROUNDING
    able = [design for design in front if design.merit >= least]
    return min(able, key=lambda d: _sizes(d) if rule != POWER else _sizes(d)[::-1])


def _sizes(design: PrintedDesign) -> tuple[float, float]:
    return design.area_cm2, design.power_mw or 0.0
