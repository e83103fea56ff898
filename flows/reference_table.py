"""What the studies of the float suite found, as a table in a terminal and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from printedmlp.errors import ConfigError
from printedmlp.reference.outcome import Measure, Outcome
from printedmlp.reference.registry import PAPERS

START, END = "<!-- results -->", "<!-- end of results -->"
HEAD = ("paper", "task", "data", "metric", "ours", "paper's own", "claims shown", "parameters", "seconds")
NUMBERS = {"ours", "parameters", "seconds"}


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """Columns as wide as they need to be; those named in `right` are right-aligned."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    aligned = [">" if name in set(right) else "<" for name in head]
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, aligned, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[str] = ()) -> str:
    """The same for a README; bars inside cells are escaped."""
    rule = ["---:" if name in set(right) else "---" for name in head]
    lines = [list(head), rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value: float, spread: float = 0.0) -> str:
    """A mean with its standard deviation, cut after the latter's first digit.

    >>> figure(0.97654, 0.0032), figure(0.00012345, 0.00003), figure(123.4, 20.0), figure(12.0)
    ('0.977 ± 0.003', '1.2e-04 ± 3e-05', '123 ± 20', '12')
    """
    if not spread:
        return f"{value:.3g}"
    place = math.floor(math.log10(spread))
    if place < -4 or place > 4:
        digits = max(0, math.floor(math.log10(abs(value))) - place) if value else 0
        return f"{value:.{digits}e} ± {spread:.0e}"
    return f"{value:.{max(0, -place)}f} ± {spread:.{max(0, -place)}f}"


def measure_rows(outcomes: Mapping[str, Outcome]) -> list[tuple[str, ...]]:
    """The cells of `HEAD`, one row a measure; a paper's name and how many of its claims showed on its first row."""
    rows = []
    for key, outcome in outcomes.items():
        shown = f"{sum(check.shown for check in outcome.checks)} of {len(outcome.checks)}"
        first = (PAPERS[key].title, shown)
        for measure in outcome.measures:
            rows.append(_measure_row(measure, *first))
            first = ("", "")
    return rows


def claims_text(outcome: Outcome) -> str:
    """Every claim of one paper with what was measured, one line each, then the notes."""
    lines = [
        f"{'shown    ' if check.shown else 'not shown'}  {check.claim}: {check.measured} ({check.bound})"
        for check in outcome.checks
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in outcome.notes)])


def readme_section(outcomes: Mapping[str, Outcome], n_seeds: int) -> str:
    """The generated part of the README: all measures, then each paper's claims and notes."""
    parts = [
        f"Mean ± standard deviation over {n_seeds} seed{'s' * (n_seeds != 1)}; seconds of training, one seed.",
        markdown_table(HEAD, measure_rows(outcomes), NUMBERS),
    ]
    for key, outcome in outcomes.items():
        claims = [
            (check.claim, check.measured, check.bound, "shown" if check.shown else "**not shown**")
            for check in outcome.checks
        ]
        parts += [f"### {PAPERS[key].title}", f"{PAPERS[key].citation}."]
        parts += [markdown_table(("claim", "measured", "bound", "outcome"), claims)] if claims else []
        parts += ["\n".join(f"* {note}" for note in outcome.notes)] if outcome.notes else []
    return "\n\n".join(parts)


def with_section(readme: str, section: str) -> str:
    """A README's text with what lies between its two markers replaced; ConfigError if they are not there."""
    head, start, rest = readme.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise ConfigError(f"README of the float suite: no place for the results ({START} ... {END})")
    return f"{head}{START}\n\n{section}\n\n{END}{tail}"


def _measure_row(measure: Measure, title: str, shown: str) -> tuple[str, ...]:
    return (
        title,
        measure.task,
        measure.data,
        measure.metric,
        figure(measure.mean, measure.spread),
        measure.published or "-",
        shown,
        f"{measure.parameters:,}".replace(",", " ") if measure.parameters else "-",
        f"{measure.seconds:.1f}" if measure.seconds else "-",
    )
