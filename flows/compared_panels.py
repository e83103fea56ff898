"""The panels and pictures of a comparison's page, with the parts that a run's report is made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from flows import compare_text as text
from flows.compare_plot import axes_of, key_of, majority_of, marks_of, shown_series
from flows.compared_levels import BEST
from flows.compared_row import OTHERS, PUBLISHED, Row
from flows.comparison import Comparison, series_name
from flows.explorer import Explorer, plots_of
from flows.mapping import BASELINES
from flows.panel import Check, Figure, Link, Panel, Source
from flows.report_panels import FILES, SENSOR_WORDS
from flows.wording import interval_words, listed, significant
from hdl.proof import PROVED
from printedmlp.power_sources import POWER_SOURCES, feasible_sources
from printedmlp.units import with_unit

USUAL_LOSS = 1.0
"""Loss of the circuit that is shown first."""


def explorer_of(found: Comparison, name: str, out: Path) -> Explorer:
    """The circuits of a data set; `out` is where the page will lie, for the links."""
    rows = found.keyed(name)
    series = [one for one in shown_series(found) if one in {row.series for _, row in rows}]
    runs = {str(place): _run_name(run) for place, run in enumerate(found.runs, 1) if run["data_set"] == name}
    return Explorer(
        name=name,
        plots=plots_of(marks_of(found, name), axes_of(found), metric="accuracy", majority=majority_of(found, name)),
        keys={one: Markup(key_of(one)) for one in series},
        names={one: series_name(one) for one in series},
        panels=[_panel(found, key, row, out) for key, row in rows],
        first=_first(rows),
        runs=runs,
    )


def _run_name(run: Mapping[str, Any]) -> str:
    return " · ".join(filter(None, (Path(run["folder"]).name, run["variant"])))


def _first(rows: list[tuple[str, Row]]) -> str:
    """The smallest circuit found that loses next to nothing, or else the first."""
    able = [
        (row.deciding_cm2, key) for key, row in rows if USUAL_LOSS in row.levels and row.series not in BASELINES
    ]
    return min(able)[1] if able else rows[0][0]


def _panel(found: Comparison, key: str, row: Row, out: Path) -> Panel:
    drawn = _drawn(found, row)
    sources = () if drawn is None else _sources(drawn)
    return Panel(
        key=key,
        series=row.series,
        title=row.id,
        form=row.form,
        summary=_summary(found, row),
        run=str(found.place_of(row) or ""),
        chosen=tuple(_chosen(row)),
        headline=tuple(_headline(found, row)),
        figures=tuple(_figures(found, row)),
        files=tuple(_files(row, out)),
        carried=_carried(drawn, sources),
        sources=sources,
        checks=() if row.proof is None else (_check(row),),
    )


def _drawn(found: Comparison, row: Row) -> float | None:
    """Power in mW with switching, as far as it is known, at the nominal voltage."""
    total = (row.figures["total_mw"] or {}).get(found.nominal)
    return text.power(row.figures, found.nominal, found.nominal) if total is None else float(total)


def _sources(drawn: float) -> tuple[Source, ...]:
    able = feasible_sources(drawn)
    return tuple(Source(s.name, s in able, f"gives {s.power_mw:g} mW") for s in POWER_SOURCES)


def _carried(drawn: float | None, sources: tuple[Source, ...]) -> str:
    able = [source.name for source in sources if source.always_on]
    if drawn is None:
        return ""
    return f"Carried always on by a {able[-1]}." if able else "No printed source carries it always on."


def _summary(found: Comparison, row: Row) -> str:
    power = text.power(row.figures, found.nominal, found.nominal)
    figures = [f"test {row.accuracy:.1%}", f"{significant(row.area_cm2)} cm²"]
    return " · ".join(figures + ([] if power is None else [f"{significant(power)} mW"]))


def _chosen(row: Row) -> list[str]:
    """What makes a circuit stand in the comparison."""
    if row.series in BASELINES:
        return ["Nothing chose it: it is the exact network of its run."]
    if row.series in OTHERS:
        return ["As others report it; nothing was measured here."] if row.series == PUBLISHED else []
    told = ["On its series' own front by training and validation rows."]
    losses = [f"{loss:g}" for loss in row.levels if loss != BEST]
    told += ["Its series' best validation score."] if BEST in row.levels else []
    many = "" if losses == ["1"] else "s"
    return told + ([f"The smallest of its series within {listed(losses)} point{many} of loss."] if losses else [])


def _headline(found: Comparison, row: Row) -> list[Figure]:
    own, nominal = row.figures, found.nominal
    interval = f"{interval_words(own['interval'])}, n = {own['n']}" if own["interval"] else ""
    figures = [
        Figure("test accuracy", f"{row.accuracy:.1%}", interval, "accuracy"),
        Figure("cell area", f"{significant(row.area_cm2)} cm²", "", "area"),
    ]
    power = text.power(own, nominal, nominal)
    if power is not None:
        figures.append(Figure(f"static power, {nominal} V", f"{significant(power)} mW", "", "power"))
    delay = own["delay_ms"][nominal] if own["delay_ms"] else None
    if delay is not None:
        rate = f"at most {with_unit(own['max_rate_hz'], 'Hz')}" if own["max_rate_hz"] else "never waits"
        figures.append(Figure(f"delay, {nominal} V", with_unit(delay, "ms", micro="µ"), rate, "delay"))
    return figures


def _figures(found: Comparison, row: Row) -> list[Figure]:
    """The other figures, those that are known."""
    own = row.figures
    lowest = text.power(own, found.ends[-1], found.nominal) if len(found.ends) > 1 else None
    told = [
        ("balanced accuracy", _percent(own["balanced_accuracy"]), "balanced"),
        ("macro F1", _percent(own["macro_f1"]), "f1"),
        ("validation score", _percent(row.validation), "validation"),
        ("merit", _percent(row.merit), "merit"),
        ("cells", "" if own["cells"] is None else str(own["cells"]), "cells"),
        (f"static power, {found.ends[-1]} V", "" if lowest is None else f"{significant(lowest)} mW", "power"),
        *(
            (f"with {SENSOR_WORDS[kind]}", _square(text.system_area(own, kind)), "system")
            for kind in found.front_ends
        ),
        ("run", row.run or "", ""),
        ("seed", "" if row.seed is None else str(row.seed), ""),
        ("source", row.source, ""),
    ]
    return [Figure(term, value, "", about) for term, value, about in told if value]


def _percent(value: float | None) -> str:
    return "" if value is None else text.percent(value)


def _square(value: float | None) -> str:
    return "" if value is None else f"{significant(value)} cm²"


def _check(row: Row) -> Check:
    assert row.proof is not None
    return Check("proved to be its classifier", row.proof["verdict"] == PROVED, row.proof["words"])


def _files(row: Row, out: Path) -> list[Link]:
    """A design's files, and its run's report opened at it, where there are any."""
    if row.folder is None:
        return []
    folder = Path(row.folder)
    if row.series in OTHERS:
        return [Link(link(folder, out) + "/", "folder")]
    report = folder.parent.parent / "report.html"
    told = [Link(f"{link(report, out)}#{quote(folder.name)}", "in its run's report")] if report.is_file() else []
    return told + [Link(link(folder / file, out), words) for file, words in FILES.items()]


def link(path: Path, out: Path) -> str:
    """From the page to a file or folder."""
    return quote(Path(os.path.relpath(path, out)).as_posix())
