"""What carries a circuit and for how long: the record of its figures, and the words for a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from printedmlp.power_sources import Use, duration, feasibility, weakest_source
from printedmlp.technology import Technology
from printedmlp.units import with_unit

Figures = Mapping[str, Any]
NOTHING = "–"
TOO_SLOW = "too slow"
STATIC_ONLY = "static power only, switching is not known"


def feasibility_of(figures: Figures, technology: Technology, use: Use) -> dict[str, Any] | None:
    """`feasibility` of a circuit by its figures of power and delay at the technology's nominal voltage."""
    voltage = f"{technology.nominal_voltage:g}"
    energy_nj = figures["power"]["switching_nj_per_row"][voltage] if figures["power"] else None
    switching_uj = None if energy_nj is None else energy_nj / 1000
    return feasibility(figures["power_mw"][voltage], figures["delay_ms"][voltage], use, switching_uj)


def feasibility_words(record: Figures) -> str:
    """The weakest source that carries it, energy, and a battery's life, in one line; empty without figures."""
    figures = record.get("feasibility")
    if figures is None:
        return ""
    source = weakest_source(figures)
    parts = [f"{source['name']}, always on" if source else "no printed source carries it always on"]
    if figures["max_rate_hz"]:
        parts[0] += f", up to {with_unit(source['always_on_hz'], 'Hz')}" if source else ""
        parts.append(f"{with_unit(figures['energy_uj'], 'uJ')} a classification")
        parts.append(_rate_words(figures))
    if figures["battery"]:
        parts.append(battery_words(figures))
    if figures["switching_mw"] is None:
        parts.append(STATIC_ONLY)
    return "; ".join(parts)


def _rate_words(figures: Figures) -> str:
    if not figures["reaches_rate"]:
        return f"{TOO_SLOW} for {figures['rate_hz']:g} Hz"
    return f"{with_unit(figures['duty_cycled_mw'], 'mW')} if on only to classify at {figures['rate_hz']:g} Hz"


def battery_words(figures: Figures) -> str:
    """How long the stated battery lasts always on, and on only to classify where that is fast enough."""
    battery = figures["battery"]
    words = (
        f"{battery['capacity_mah']:g} mAh at {battery['voltage']:g} V last {duration(battery['always_on_hours'])}"
    )
    if not figures["reaches_rate"]:
        return words
    return f"{words} always on, {duration(battery['duty_cycled_hours'])} at {figures['rate_hz']:g} Hz"


def feasibility_table(records: Sequence[Figures], voltage: str) -> list[str]:
    """What `feasibility_words` says of each circuit, as lines of a table; none where no circuit has figures."""
    known = [(record["id"], record["feasibility"]) for record in records if record.get("feasibility")]
    if not known:
        return []
    first = known[0][1]
    battery, at_rate = first["battery"], f"at {first['rate_hz']:g} Hz"
    title = [f"power source at {voltage} V, classifier alone"]
    title += ["mean power if on only to classify"] if first["energy_uj"] is not None else []
    title += [f"life of {battery['capacity_mah']:g} mAh at {battery['voltage']:g} V"] if battery else []
    title += [STATIC_ONLY] if first["switching_mw"] is None else []
    head = ["circuit", "always on from", "up to", "energy each", f"mean power {at_rate}"]
    head += ["life always on", f"life {at_rate}"] if battery else []
    rows = [[name, *_row(figures)] for name, figures in known]
    told = [place for place in range(len(head)) if any(row[place] != NOTHING for row in rows)]
    return ["; ".join(title), *_aligned([[row[place] for place in told] for row in (head, *rows)])]


def _row(figures: Figures) -> list[str]:
    source, cells = weakest_source(figures), carried_cells(figures)
    highest = source["always_on_hz"] if source else None
    fastest = with_unit(highest, "Hz") if highest else NOTHING
    return [source["name"] if source else "none", fastest, cells["energy"], cells["cycled_power"], *cells["lives"]]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of equal columns, the first two to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(cells, widths)).rstrip() for cells in rows]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def carried_cells(figures: Figures | None, *, micro: str = "u") -> dict[str, Any]:
    """Cells of a table: "drawn", "energy", "cycled_power", "carried" by source, and "lives" of the battery.

    micro : how the prefix of units for millionths is written.
    """
    if figures is None:
        return {"drawn": NOTHING, "energy": NOTHING, "cycled_power": NOTHING, "carried": [], "lives": []}
    energy = figures["energy_uj"]
    return {
        "drawn": with_unit(figures["power_mw"], "mW", micro=micro),
        "energy": NOTHING if energy is None else with_unit(energy, "uJ", micro=micro),
        "cycled_power": _at_rate(figures, lambda: with_unit(figures["duty_cycled_mw"], "mW", micro=micro)),
        "carried": [_cell(source) for source in figures["sources"]],
        "lives": _lives(figures) if figures["battery"] else [],
    }


def _lives(figures: Figures) -> list[str]:
    battery = figures["battery"]
    cycled = _at_rate(figures, lambda: duration(battery["duty_cycled_hours"]))
    return [duration(battery["always_on_hours"]), cycled]


def _at_rate(figures: Figures, told: Callable[[], str]) -> str:
    """What is told at the rate that is wished, where the delay is known and short enough."""
    if figures["reaches_rate"] is None:
        return NOTHING
    return told() if figures["reaches_rate"] else TOO_SLOW


def _cell(source: Figures) -> tuple[str, str]:
    """The class of a cell and its text: the rate at which a source carries a circuit."""
    if source["always_on"]:
        return "yes", with_unit(source["always_on_hz"], "Hz") if source["always_on_hz"] else "yes"
    return "no", with_unit(source["duty_cycled_hz"], "Hz") if source["duty_cycled_hz"] else "no"
