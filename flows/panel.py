"""What a page tells of one chosen circuit; a run's report and a comparison fill the same panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure with its unit, what else is to be known of it, and the entry of `flows.explained` about it."""

    term: str
    value: str
    note: str = ""
    about: str = ""


@dataclass(frozen=True)
class Share:
    """A part of a whole: its share, 0 to 1, draws a bar; `cells` are the texts of its other columns."""

    name: str
    share: float
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """Something that was tried to be shown of a circuit, whether it holds for certain, and how."""

    what: str
    holds: bool
    words: str


@dataclass(frozen=True)
class Link:
    """A file beside the page."""

    href: str
    text: str


@dataclass(frozen=True)
class Source:
    """A power source: whether it carries the circuit always on, and the highest rate on it."""

    name: str
    always_on: bool
    rate: str


@dataclass(frozen=True)
class Panel:
    """Everything about one circuit; what is not known is empty, and the page leaves it out.

    Attributes
    ----------
    key : unique on the page; safe in an id, an address and a script.
    series : of the mark beside the name.
    title, form : its name, and what it is.
    summary : the three or four figures that are read first, in one line.
    run : key of the run that it comes from; empty where the page has one.
    chosen : sentences on what chose it.
    headline, figures : the first few figures, and the others.
    files : its files.
    cell_types, parts, path_parts : cells by type; power by part of the classifier; delay along the longest path.
    power, path, sensors, prints, features_note : sentences.
    working : share of prints that work despite their defects, by device yield.
    sources : what carries it, weakest last; `carried` says which one does.
    features : each input that is read with the thresholds that matter.
    checks : what was simulated and proved, and what not.
    picture : its layout and schematic, from `flows.pictures`.
    """

    key: str
    series: str
    title: str
    form: str
    summary: str
    run: str = ""
    chosen: tuple[str, ...] = ()
    headline: tuple[Figure, ...] = ()
    figures: tuple[Figure, ...] = ()
    files: tuple[Link, ...] = ()
    cell_types: tuple[Share, ...] = ()
    parts: tuple[Share, ...] = ()
    power: str = ""
    carried: str = ""
    sources: tuple[Source, ...] = ()
    path: str = ""
    path_parts: tuple[Share, ...] = ()
    sensors: str = ""
    prints: str = ""
    working: tuple[Share, ...] = ()
    features: tuple[Figure, ...] = ()
    features_note: str = ""
    checks: tuple[Check, ...] = ()
    picture: Mapping[str, Any] | None = field(default=None)

    @property
    def always_on(self) -> list[str]:
        """Names of the sources that carry it always on."""
        return [source.name for source in self.sources if source.always_on]

    def to_json(self) -> dict[str, Any]:
        """What the page's script needs to know."""
        return {"series": self.series, "run": self.run, "sources": self.always_on, "words": self.summary}


def shares(
    names: Sequence[str], values: Sequence[float | None], cells: Sequence[Sequence[str]]
) -> tuple[Share, ...]:
    """Parts with their shares of the sum; the shares are 0 where the sum is."""
    known = [value or 0.0 for value in values]
    total = sum(known) or 1.0
    return tuple(
        Share(name, value / total, tuple(own)) for name, value, own in zip(names, known, cells, strict=True)
    )
