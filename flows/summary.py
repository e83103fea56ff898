"""The front in a terminal: one line a circuit, and the stages side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.feasible import feasibility_table
from flows.front_ends import system_words
from flows.proofs import proof_count
from flows.wording import METRIC_NAMES, factor, significant
from printedmlp.front import FrontPoint, Level, stages_side_by_side
from printedmlp.technology import Technology

HEAD = f"{'circuit':10} {'stage':8} {'validation':>10} {'test':>7} {'95 % interval':>15} {'area cm2':>9} " + (
    f"{'power mW':>9} {'delay ms':>9} {'cells':>6} {'area /':>8}"
)
COLUMN = 22


def summary_text(front: Mapping[str, Any], technology: Technology) -> str:
    """The front as a table, then each stage's smallest circuit at every level.

    Validation and test are values of the chosen metric, the interval is that of the accuracy, power and delay are
    at the nominal voltage.

    Parameters
    ----------
    front : the run's front.json.
    technology : the cells, for the nominal voltage.
    """
    voltage = f"{technology.nominal_voltage:g}"
    textbook, exact, *points = (
        FrontPoint.from_json(record) for record in (front["textbook"], front["exact"], *front["front"])
    )
    others = [FrontPoint.from_json(record) for record in front.get("others", [])]
    rows = [_row(point, exact, voltage) for point in (textbook, exact, *points)]
    carried = _carried([front["exact"], *front["front"]], voltage)
    notes = [_note(exact, voltage), *_proofs(front)]
    return "\n".join([HEAD, *rows, *notes, *_stages([*points, *others], exact), *carried])


def _row(point: FrontPoint, exact: FrontPoint, voltage: str) -> str:
    low, high = point.test.interval
    return (
        f"{point.id:10} {point.stage:8} {point.score:>10.1%} {point.test_score:>7.1%} "
        f"{f'{low:.1%}-{high:.1%}':>15} {significant(point.area_cm2):>9} "
        f"{significant(point.power_at(voltage)):>9} {significant(point.delay_ms[voltage]):>9} "
        f"{point.cells:>6} {factor(exact.area_cm2, point.area_cm2):>8}"
    )


def _note(exact: FrontPoint, voltage: str) -> str:
    majority = f"majority class: {exact.test.majority_value(exact.metric):.1%} of {exact.test.n} test rows"
    chosen = (
        ""
        if exact.metric == "accuracy"
        else (f"; validation and test are {METRIC_NAMES[exact.metric]}, the interval is that of the accuracy")
    )
    known = [name for name, figure in _nominal(exact, voltage).items() if figure is not None]
    return majority + (f"; {' and '.join(known)} at {voltage} V" if known else "") + chosen


def _nominal(point: FrontPoint, voltage: str) -> dict[str, float | None]:
    return {"static power": point.power_at(voltage), "delay": point.delay_ms[voltage]}


def _proofs(front: Mapping[str, Any]) -> list[str]:
    words = proof_count([front["textbook"], front["exact"], *front["front"], *front.get("others", [])])
    return [words] if words else []


def _stages(points: list[FrontPoint], exact: FrontPoint) -> list[str]:
    """A line a level, a column a stage: area and test score of its smallest circuit; nothing without circuits."""
    levels = stages_side_by_side(points, exact)
    stages = list(levels[0].smallest)
    if not stages:
        return []
    head = f"{'smallest circuit':18}" + "".join(f"{stage:>{COLUMN}}" for stage in stages)
    return ["", head.rstrip(), *(_level(level) for level in levels)]


def _carried(records: Sequence[Mapping[str, Any]], voltage: str) -> list[str]:
    """What carries each circuit, and what it is with its sensors; nothing without figures."""
    table = feasibility_table(records, voltage)
    lines = ["", *table] if table else []
    sensors = [f"{record['id']:10} {words}" for record in records if (words := system_words(record))]
    return [*lines, "", f"with the sensors, static power at {voltage} V", *sensors] if sensors else lines


def _level(level: Level) -> str:
    name = "best validation" if level.loss is None else f"{level.loss:g} % loss"
    cells = (
        "-" if p is None else f"{significant(p.area_cm2)} cm2, {p.test_score:.1%}" for p in level.smallest.values()
    )
    return f"{name:18}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)
