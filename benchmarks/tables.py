"""Tables of the benchmarks: Markdown, means with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Mean with the smallest and the largest value; a dash for no values."""
    if not values:
        return "–"
    return f"{form(statistics.fmean(values))} ({form(min(values))} to {form(max(values))})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| ---: " * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
