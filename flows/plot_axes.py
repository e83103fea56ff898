"""What the report's pictures show: marks, what is along x, and where data lie in pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.chosen_by import CLASSIFIER, SYSTEM
from printedmlp.power_sources import POWER_SOURCES

WIDTH, HEIGHT = 560, 430
LEFT, RIGHT, TOP, BOTTOM = 68, 16, 28, 54
PROHIBITIVE_CM2 = 20.0
"""Above about 20 cm2 the literature calls a printed circuit prohibitive."""
FAR_BELOW = 0.15
"""A majority line further below the circuits than this is named at the foot of the picture instead of drawn."""
SMALLEST_DECADE = -5
AREA, POWER, DELAY, PRINTS = "area", "power", "delay", "prints"


@dataclass(frozen=True)
class Mark:
    """One circuit in the pictures; a figure that is not known is None, and a picture along it has no such mark.

    Attributes
    ----------
    label : its id.
    stage : one of `flows.plot.OUTLINES`, which decides shape and colour.
    area_cm2, power_mw, delay_ms : of the classifier alone.
    test, validation : values of the chosen metric, as fractions.
        None where nothing was validated.
    interval : 95 % interval of `test`; None where there is none for the metric.
    on_front : whether it is on the front of all stages; the others are drawn hollow.
    on_stage_front : whether its stage's line goes through it.
    line : tells apart the lines of one stage.
    name : written beside the mark; the baselines' stands there without.
    system_cm2 : with the sensors' front end.
    printed_merit : what prints are expected to be worth, as a fraction.
    target : id of the part of the page that tells more of it; empty where there is none.
    """

    label: str
    stage: str
    area_cm2: float | None
    power_mw: float | None
    test: float
    validation: float | None
    interval: tuple[float, float] | None = None
    on_front: bool = True
    on_stage_front: bool = True
    line: str = ""
    name: str = ""
    delay_ms: float | None = None
    system_cm2: float | None = None
    printed_merit: float | None = None
    target: str = ""


@dataclass(frozen=True)
class Axis:
    """What a picture shows along x, costs on a log scale and shares on an even one.

    Attributes
    ----------
    key : one of `AREA`, `POWER`, `DELAY`, `PRINTS` and `SYSTEM`.
    name : in a word or two.
    label : with the unit.
    unit : of the values, or what a share is of.
    value : a mark's place, None where it has none.
    bounds : places of upright lines and what is written along them, on the side that it holds for.
    beyond : whether that is the right side, where values are larger.
    lines : whether each stage's front is joined; a front is one only along the figure that it was chosen by.
    share : whether the values are shares.
    """

    key: str
    name: str
    label: str
    unit: str
    value: Callable[[Mark], float | None]
    bounds: tuple[tuple[float, str], ...] = ()
    beyond: bool = True
    lines: bool = False
    share: bool = False

    def of(self, mark: Mark) -> float:
        """Place of a mark that is in the picture."""
        value = self.value(mark)
        assert value is not None
        return value

    def words(self, mark: Mark) -> str:
        """The value of a mark that is in the picture."""
        return f"{self.of(mark):.1%} {self.unit}" if self.share else f"{self.of(mark):.4g} {self.unit}"


def area_axis(*, lines: bool = True) -> Axis:
    """Cell area in cm2."""
    bounds = ((PROHIBITIVE_CM2, "above 20 cm²: prohibitive"),)
    label = "cell area (cm²), log scale"
    return Axis(AREA, "area", label, "cm²", lambda mark: mark.area_cm2, bounds, lines=lines)


def power_axis(voltage: str) -> Axis:
    """Power in mW at a voltage, with what printed sources carry."""
    bounds = tuple((source.power_mw, source.name) for source in POWER_SOURCES)
    label = f"power at {voltage} V (mW), log scale"
    return Axis(POWER, "power", label, "mW", lambda mark: mark.power_mw, bounds, beyond=False)


def delay_axis(voltage: str) -> Axis:
    """Longest path in ms at a voltage."""
    label = f"delay at {voltage} V (ms), log scale"
    return Axis(DELAY, "delay", label, "ms", lambda mark: mark.delay_ms)


def system_axis(*, lines: bool = False) -> Axis:
    """Area in cm2 of the classifier and the sensors' front end that it needs."""
    bounds = ((PROHIBITIVE_CM2, "above 20 cm²: prohibitive"),)
    label = "area with sensors (cm²), log scale"
    return Axis(SYSTEM, "system area", label, "cm²", lambda mark: mark.system_cm2, bounds, lines=lines)


def prints_axis(device_yield: float) -> Axis:
    """Merit that prints are expected to have at a device yield."""
    label = f"expected merit of prints at device yield {device_yield:g}"
    return Axis(PRINTS, "prints", label, "expected of prints", lambda mark: mark.printed_merit, share=True)


def ordered_axes(voltage: str, decisive: str, device_yield: float | None = None) -> list[Axis]:
    """All axes, that of the area which decided first, and with lines; see `flows.chosen_by`.

    The merit of prints is the last where a device yield is given.
    """
    area, system = area_axis(lines=decisive == CLASSIFIER), system_axis(lines=decisive == SYSTEM)
    others = [power_axis(voltage), delay_axis(voltage)]
    axes = [system, area, *others] if decisive == SYSTEM else [area, *others, system]
    return axes if device_yield is None else [*axes, prints_axis(device_yield)]


@dataclass(frozen=True)
class Scale:
    """Data to pixels: score on y; on x the log10 of a cost between decades, or a share between `shares`."""

    decades: tuple[int, int]
    scores: tuple[float, float]
    shares: tuple[float, float] | None = None

    @classmethod
    def of(cls, marks: Sequence[Mark], axis: Axis, majority: float) -> Scale:
        """The scale on which all marks are inside the picture."""
        values = [axis.of(m) for m in marks if axis.of(m) > 0] or [1.0]
        ends = min(map(axis.of, marks)), max(map(axis.of, marks))
        first = max(SMALLEST_DECADE, math.floor(math.log10(min(values))))
        last = max(first + 1, math.ceil(math.log10(max(values) * 1.15)))
        shown = [v for m in marks for v in (m.test, *whisker_ends(m))]
        lowest = min(shown)
        lowest = min(lowest, majority) if majority > lowest - FAR_BELOW else lowest
        return cls((first, last), _share_ends(lowest, max(shown)), _share_ends(*ends) if axis.share else None)

    def x(self, value: float) -> float:
        """Pixel column of a value; what is left of a log axis sits on it."""
        if self.shares:
            low, high = self.shares
            place = (value - low) / (high - low)
        else:
            first, last = self.decades
            place = (math.log10(max(value, 10.0**first)) - first) / (last - first)
        return LEFT + place * (WIDTH - LEFT - RIGHT)

    def y(self, score: float) -> float:
        """Pixel row of a score."""
        low, high = self.scores
        return TOP + (high - score) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _share_ends(least: float, most: float) -> tuple[float, float]:
    """Ends of an axis of shares, at twentieths with some room for the marks."""
    low = max(0.0, math.floor((least - 0.01) * 20) / 20)
    high = min(1.0, math.ceil((most + 0.005) * 20) / 20)
    return low, max(high, low + 0.05)


def share_ticks(low: float, high: float) -> list[float]:
    """Where an axis of shares has its ticks."""
    step = 0.05 if high - low <= 0.4 else 0.1
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def whisker_ends(mark: Mark) -> tuple[float, ...]:
    """Ends of the interval that is drawn, if one is."""
    return mark.interval if mark.interval is not None and mark.on_front else ()
