"""A circuit with its sensor front end: the record of its figures, and the words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.feasible import NOTHING
from hdl.front_end import Cost, front_end, system
from hdl.thresholds import needed_thresholds
from printedmlp.circuit import Netlist
from printedmlp.front import FRONT_ENDS
from printedmlp.technology import Technology
from printedmlp.units import three
from printedmlp.vectors import Vectors

Figures = Mapping[str, Any]


def front_ends_of(
    netlist: Netlist, technology: Technology, vectors: Vectors, input_bits: int, power_mw: float | None
) -> dict[str, Any]:
    """ "front_end" of `hdl.front_end` and "system", that with the classifier; both None where nothing is known.

    Parameters
    ----------
    power_mw : of the classifier at the nominal voltage, None where it is not known.
    """
    if technology.front_end is None or not technology.front_end.covers(input_bits):
        return {"front_end": None, "system": None}
    thresholds = needed_thresholds(netlist, technology, vectors.codes, input_bits)
    found = front_end(thresholds, technology, vectors.codes, input_bits)
    assert found is not None
    classifier = Cost(netlist.area_cm2(technology), power_mw)
    systems = {kind: system(classifier, found[kind]) for kind in ("full", "pruned")}
    return {"front_end": found, "system": {"comparators": found["comparators"], **systems}}


def system_words(record: Figures) -> str:
    """Comparators, and area and power with every kind of front end, in one line; empty without figures."""
    found = record.get("system")
    if not found:
        return ""
    kinds = [f"{kind} {_pair(found[kind])}" for kind in FRONT_ENDS if found.get(kind)]
    n = found["comparators"]
    return "; ".join([f"{n} comparator{'' if n == 1 else 's'}", *kinds])


def _pair(figures: Figures) -> str:
    power, words = figures["power_mw"], _plain(figures)
    if "most" in figures:
        return f"{words} at least"
    if "gates" in figures:
        words += f", of it gates {_plain(figures['gates'])}"
    return f"{words} ({figures['carried_by'] or 'no printed source'})" if power is not None else words


def _plain(figures: Figures) -> str:
    power = figures["power_mw"]
    return f"{three(figures['area_cm2'])} cm2" + (f", {three(power)} mW" if power is not None else "")


def system_cells(record: Figures, thermometer: bool) -> dict[str, Any] | None:
    """The record as cells of the report's table, perhaps with the second form; None without figures."""
    found, converters = record.get("system"), record.get("front_end")
    if not found or not converters:
        return None
    kinds = FRONT_ENDS if thermometer else FRONT_ENDS[:2]
    columns = [found.get(kind) for kind in kinds]
    if thermometer:
        columns.append((found.get(FRONT_ENDS[-1]) or {}).get("gates"))
    doubt = f" ({converters['undecided']} unproved)" if converters["undecided"] else ""
    return {
        "sources": [(found.get(kind) or {}).get("carried_by") or "none" for kind in kinds[1:]],
        "inputs": converters["inputs"],
        "comparators": f"{converters['comparators']}{doubt}",
        "figures": [_range(of, figure) for of in columns for figure in ("area_cm2", "power_mw")],
    }


def _range(figures: Figures | None, figure: str) -> str:
    if figures is None or figures[figure] is None:
        return NOTHING
    most = figures.get("most")
    return three(figures[figure]) + (f"–{three(most[figure])}" if most else "")
