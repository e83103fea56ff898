"""What is known of a technology's cells beyond area and function, in words."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.technology.technology import Technology


def figures_known(technology: Technology) -> str:
    """Cells, voltages, and which of power and delay are known, in one line."""
    voltages = "/".join(f"{voltage:g}" for voltage in technology.voltages)
    known = (_power(technology), _delay(technology), *(["sensor front end"] if technology.front_end else []))
    return f"{len(technology.cells)} cells, {voltages} V, {', '.join(known)}"


def missing_figures(technology: Technology) -> list[str]:
    """A line for each kind of figure that some cell lacks; circuits of the technology are then shown without it."""
    kinds = (("static power", technology.without_power), ("delay", technology.without_delay))
    return [
        f"technology '{technology.name}': no {kind} figures for {_names(cells)}; {kind} is left out"
        for kind, cells in kinds
        if cells
    ]


def _power(technology: Technology) -> str:
    if technology.without_power:
        return "no power figures"
    mean = technology.with_mean_power
    return f"power by state, mean for {_names(mean)}" if mean else "power by state"


def _delay(technology: Technology) -> str:
    return "no delay figures" if technology.without_delay else "delays"


def _names(cells: Sequence[str]) -> str:
    return ", ".join(cells) if len(cells) <= 4 else f"{', '.join(cells[:3])} and {len(cells) - 3} more"
