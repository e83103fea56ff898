"""What carries a circuit and for how long: the record of its figures, and the words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from printedmlp.power_sources import Use, duration, feasibility, weakest_source
from printedmlp.technology import Technology

Figures = Mapping[str, Any]
NOTHING = "–"


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
        parts[0] += f", up to {three(source['always_on_hz'])} Hz" if source else ""
        parts.append(f"{three(figures['energy_uj'])} uJ a classification")
        parts.append(_rate_words(figures))
    if battery := figures["battery"]:
        parts.append(battery_words(battery, figures["rate_hz"]))
    return "; ".join(parts)


def _rate_words(figures: Figures) -> str:
    if not figures["reaches_rate"]:
        return f"too slow for {figures['rate_hz']:g} Hz"
    return f"{three(figures['duty_cycled_mw'])} mW if on only to classify at {figures['rate_hz']:g} Hz"


def battery_words(battery: Figures, rate_hz: float) -> str:
    """How long the stated battery lasts always on, and on only to classify."""
    words = (
        f"{battery['capacity_mah']:g} mAh at {battery['voltage']:g} V last {duration(battery['always_on_hours'])}"
    )
    cycled = battery["duty_cycled_hours"]
    return words if cycled is None else f"{words} always on, {duration(cycled)} at {rate_hz:g} Hz"


def carried_cells(figures: Figures | None) -> dict[str, Any]:
    """Cells of the report's table: "drawn", "energy", "cycled_power", "carried" by source, and "lives"."""
    if figures is None:
        return {"drawn": NOTHING, "energy": NOTHING, "cycled_power": NOTHING, "carried": [], "lives": []}
    battery = figures["battery"]
    lives = [duration(battery[key]) for key in ("always_on_hours", "duty_cycled_hours")] if battery else []
    return {
        "drawn": _with_unit(figures["power_mw"], "mW"),
        "energy": _with_unit(figures["energy_uj"], "µJ"),
        "cycled_power": _cycled(figures),
        "carried": [_cell(source) for source in figures["sources"]],
        "lives": lives,
    }


def _cycled(figures: Figures) -> str:
    return _with_unit(figures["duty_cycled_mw"], "mW") if figures["reaches_rate"] else NOTHING


def _cell(source: Figures) -> tuple[str, str]:
    """The class of a cell and its text: the rate at which a source carries a circuit."""
    if source["always_on"]:
        return "yes", _with_unit(source["always_on_hz"], "Hz") if source["always_on_hz"] else "yes"
    return "no", _with_unit(source["duty_cycled_hz"], "Hz") if source["duty_cycled_hz"] else "no"


def _with_unit(value: float | None, unit: str) -> str:
    return NOTHING if value is None else f"{three(value)} {unit}"


def three(value: float) -> str:
    """Three significant digits, 1000 and not 1e+03."""
    return f"{float(f'{value:.3g}'):g}"
