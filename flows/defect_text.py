"""Defects of circuits in a terminal: a line for each, then what the most critical gates are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.compare_text import percent, table
from flows.wording import significant

Record = Mapping[str, Any]
NAMED = 3
"""Critical gates of a circuit that the terminal names."""


def defects_text(found: Mapping[str, Record], source: str) -> str:
    """The figures of circuits by name, on one set of rows.

    Parameters
    ----------
    source : what the rows are.
    """
    first = next(iter(found.values()))
    loss = first["settings"]["loss"]
    lines = [
        f"{source}: {first['rows']} rows; a print works if it loses at most {loss:.1%} of accuracy",
        "",
        *table(head_of(first), [cells_of(name, record) for name, record in found.items()]).splitlines(),
        "",
        *(f"{name}: {words}" for name, record in found.items() if (words := critical_words(record))),
        "",
        *assumption_words(first),
    ]
    return "\n".join(lines) + "\n"


def head_of(record: Record) -> list[str]:
    """Names of the columns of `cells_of`."""
    yields = [f"works at {found['device_yield']:g}" for found in record["yields"]]
    fixed = ["circuit", "cells", "devices", "accuracy", "faults", "collapsed", "silent", "mean", "worst"]
    return [*fixed, *yields, "1 failed", "delay ms", "power mW", "thresholds off"]


def cells_of(name: str, record: Record) -> list[str]:
    """One circuit's figures in words."""
    single, failed = record["single_faults"], record["failed_devices"]
    variation, spread = record["variation"], single["accuracy"]
    return [
        name,
        str(record["cells"]),
        str(record["devices"]["total"]),
        percent(record["accuracy"]),
        str(single["faults"]),
        str(single["collapsed"]),
        percent(single["silent"]),
        percent(spread["mean"] if spread else None),
        percent(spread["least"] if spread else None),
        *(yield_words(found) for found in record["yields"]),
        percent(failed[0]["accuracy"]["mean"] if failed else None),
        *(_range(variation[figure]) for figure in ("delay_ms", "static_power_mw")),
        percent(record["thresholds"]["accuracy"]["mean"]),
    ]


def yield_words(found: Record) -> str:
    """Share of working prints with its 95 % interval."""
    low, high = found["interval"]
    return f"{found['working']:.1%} ({low:.1%}-{high:.1%})"


def _range(figure: Record | None) -> str:
    """From the twentieth to the nineteen twentieths of the prints."""
    if figure is None:
        return "–"
    marks = figure["quantiles"]
    return f"{significant(marks['0.05'])}-{significant(marks['0.95'])}"


def critical_words(record: Record, n: int = NAMED) -> str:
    """The most critical gates in one line; empty for a circuit without cells."""
    gates: Sequence[Record] = record["critical"][:n]
    words = [f"{g['instance']} ({g['cell']}, {g['part']}) {g['mean_drop']:.1%}" for g in gates]
    return f"most is lost with a failed device of {', '.join(words)}" if words else ""


def assumption_words(record: Record) -> list[str]:
    """What the figures rest on, in lines."""
    settings, devices = record["settings"], record["devices"]
    counted = devices["source"] or "not given by the technology"
    guessed = f"; assumed for {', '.join(devices['assumed_cells'])}" if devices["assumed_cells"] else ""
    return [
        f"devices a cell: {counted}{guessed}",
        "assumed: devices fail independently, as stuck inputs and outputs; delay and power of cells log-normal, "
        f"sigma {settings['sigma']:g}; comparators off by {settings['threshold_sigma']:g} steps; "
        f"{settings['draws']} draws, seed {settings['seed']}",
        "mean and worst: accuracy over all single stuck-at faults; silent: faults that change no answer; delay and "
        "power: 5 % to 95 % of the prints",
    ]
