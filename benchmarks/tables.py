"""What the benchmarks share: Markdown tables, means with their spread, records of kept runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Mean with the smallest and the largest value; a dash for no values."""
    if not values:
        return "–"
    return f"{form(statistics.fmean(values))} ({form(min(values))} to {form(max(values))})"


def shares(values: Sequence[float], sign: str = "") -> str:
    """Mean and standard deviation in percent; a dash for no values, "+" for `sign` shows gains as such."""
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):.1%}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):{sign}.1%}{deviation}"


def read_json(folder: Path, *parts: str) -> Any:
    """What a file of a run folder holds."""
    return json.loads(folder.joinpath(*parts).read_text(encoding="utf-8"))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| ---: " * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
