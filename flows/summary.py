"""The front in a terminal: one line a circuit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.report import factor, significant
from printedmlp.technology import Technology

HEAD = f"{'circuit':10} {'validation':>10} {'test':>7} {'95 % interval':>15} {'area cm2':>9} {'power mW':>9} " + (
    f"{'delay ms':>9} {'cells':>6} {'area /':>8}"
)


def summary_text(front: Mapping[str, Any], technology: Technology) -> str:
    """The exact baseline and the front as a table, with power and delay at the nominal voltage."""
    exact, voltage = front["exact"], f"{technology.nominal_voltage:g}"
    rows = [_row(point, exact["area_cm2"], voltage) for point in (front["textbook"], exact, *front["front"])]
    majority = f"majority class: {exact['majority_accuracy']:.1%} of {exact['n']} test rows"
    note = f"{majority}; power and delay at {voltage} V"
    return "\n".join([HEAD, *rows, note])


def _row(point: Mapping[str, Any], exact_area_cm2: float, voltage: str) -> str:
    low, high = point["interval"]
    return (
        f"{point['id']:10} {point['validation_accuracy']:>10.1%} {point['accuracy']:>7.1%} "
        f"{f'{low:.1%}-{high:.1%}':>15} {significant(point['area_cm2']):>9} "
        f"{significant(point['power_mw'][voltage]):>9} {significant(point['delay_ms'][voltage]):>9} "
        f"{point['cells']:>6} {factor(exact_area_cm2, point['area_cm2']):>8}"
    )
