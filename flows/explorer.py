"""What makes a page explorable: its style, its one script, and the plots, panels and filters of both pages."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from flows.panel import Panel
from flows.plot import score_svg
from flows.plot_axes import Axis, Mark
from printedmlp.power_sources import POWER_SOURCES

TEMPLATES = Path(__file__).with_name("templates")
PLOT_STYLE = "plot.css"
STYLES = (PLOT_STYLE, "report.css", "explore.css", "print.css")
"""Style sheets of every page, in order; a page may add its own."""
SCRIPT = "explore.js"


@dataclass(frozen=True)
class Plot:
    """One picture of the circuits."""

    key: str
    name: str
    svg: Markup


@dataclass(frozen=True)
class Explorer:
    """Circuits that are explored together.

    Attributes
    ----------
    name : tells the explorers of a page apart.
    plots : the same circuits along several figures, what chose them first.
    keys : legend: mark by series.
    names : what a person calls the series.
    panels : of all circuits, in the order of the table.
    first : key of the circuit that is shown first.
    runs : what a person calls the runs, by key; empty for one.
    """

    name: str
    plots: Sequence[Plot]
    keys: Mapping[str, Markup]
    names: Mapping[str, str]
    panels: Sequence[Panel]
    first: str
    runs: Mapping[str, str]

    @property
    def sources(self) -> list[str]:
        """The power sources that carry some of the circuits always on, strongest first."""
        able = {name for panel in self.panels for name in panel.always_on}
        return [source.name for source in POWER_SOURCES if source.name in able]


def plots_of(marks: Sequence[Mark], axes: Iterable[Axis], *, metric: str, majority: float) -> list[Plot]:
    """A picture along each of the axes that some circuit has a figure for."""
    return [
        Plot(axis.key, axis.name, Markup(score_svg(marks, axis, metric=metric, majority=majority)))
        for axis in axes
        if any(axis.value(mark) is not None for mark in marks)
    ]


def render(template: str, explorers: Sequence[Explorer], styles: Sequence[str] = (), **values: Any) -> str:
    """Fill a page, which stands alone: style and script are inside, and nothing else may be loaded or run.

    Parameters
    ----------
    template : of flows/templates.
    explorers : on the page.
    styles : sheets beside `STYLES`.
    values : what the template asks for besides.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = text_of(SCRIPT)
    return environment.get_template(template).render(
        style=Markup("\n".join(text_of(name) for name in (*STYLES, *styles))),
        script=Markup(script),
        policy=policy(script),
        circuits={panel.key: panel.to_json() for explorer in explorers for panel in explorer.panels},
        **values,
    )


def text_of(name: str) -> str:
    """Text of a file of flows/templates."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def policy(script: str) -> str:
    """The page's Content-Security-Policy: its script by hash, its styles, pictures inside it, and nothing else.

    Names in a user's table could do no harm even if one of them were not escaped.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    allowed = f"script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
