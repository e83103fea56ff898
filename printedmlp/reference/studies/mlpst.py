"""MLPST: do mixers forecast traffic as well as larger networks, what do their parts give, and what do they cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from printedmlp.reference.mlpst import MLPSTConfig, multiply_adds
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.studies.mlpst_runs import (
    AT_RANDOM,
    AVERAGE,
    CNN,
    FLAT,
    LAST,
    ONLY_CLOSENESS,
    OURS,
    OWN,
    PATCH,
    RIDGE,
    SQUEEZED,
    WITHOUT_CLOSENESS,
    Results,
    Scores,
    mean,
    results_of,
)
from printedmlp.reference.traffic import CHANNELS, CITY_LAGS, HOUR, SENSOR_DAY, SIDE

METRICS = {"city": "RMSE, an hour ahead", "sensors": "RMSE in mph, 15 minutes ahead"}
SIMPLE = (LAST, AVERAGE)
LINEAR = (OWN, RIDGE)
WHOLE = MLPSTConfig((SIDE // PATCH) ** 2, CHANNELS * PATCH**2, tuple(map(len, CITY_LAGS)))
"""The city's network."""
FACTORS = (1, 2, 4, 8)


class Growth(NamedTuple):
    """Multiply-adds of twice the steps, and of twice the patches, over those of the city's network.

    Attributes
    ----------
    steps, patches : with the units between the patches as they are.
    widened : twice the patches and twice the units between them.
    """

    steps: float
    patches: float
    widened: float


def run(context: Context) -> Outcome:
    """Forecast both data sets in every way, check the claims, draw the picture."""
    results = results_of(context)
    picture(results, context.folder / "mlpst.png")
    return Outcome(tuple(_measures(results)), checks(results, growth()), _notes(results))


def checks(results: Results, grown: Growth) -> tuple[Check, ...]:
    """The claims against what was measured."""
    city, sensors = results.city, results.sensors
    city_name, sensors_name = results.city_task.series.name, results.sensor_task.series.name
    return (
        _simple(city, city_name, 0.15),
        _larger(city, city_name, (FLAT, CNN)),
        _parts(city, city_name),
        _linear(city, city_name),
        _simple(sensors, sensors_name, 0.05),
        _larger(sensors, sensors_name, (FLAT,)),
        _between(sensors, sensors_name),
        _patches(sensors, sensors_name),
        _linear(sensors, sensors_name),
        _cost(grown),
    )


def growth() -> Growth:
    """Counted, not timed."""
    base = multiply_adds(WHOLE)
    return Growth(*(multiply_adds(_grown(kind, 2)) / base for kind in Growth._fields))


def _grown(kind: str, factor: int) -> MLPSTConfig:
    fixed = replace(WHOLE, space_hidden=WHOLE.hidden)
    if kind == "steps":
        return replace(fixed, lengths=tuple(factor * length for length in WHOLE.lengths))
    return replace(fixed if kind == "patches" else WHOLE, patches=factor * WHOLE.patches)


def _simple(scores: Scores, data: str, share: float) -> Check:
    ours, name = mean(scores[OURS]), min(SIMPLE, key=lambda name: mean(scores[name]))
    gain = 1 - ours / mean(scores[name])
    return Check(
        claim=f"{data}: better than what needs no training",
        measured=f"RMSE {ours:.2f} against {mean(scores[name]):.2f} of the {name}, {gain:.1%} less",
        bound=f"at least {share:.0%} below the better of {' and '.join(SIMPLE)}",
        shown=gain >= share,
    )


def _larger(scores: Scores, data: str, names: Sequence[str]) -> Check:
    ours, best = scores[OURS], min(names, key=lambda name: mean(scores[name]))
    smallest = min(scores[name][0].parameters for name in names)
    times = smallest / ours[0].parameters
    listed = ", ".join(f"{name} {mean(scores[name]):.2f} ({scores[name][0].parameters:,})" for name in names)
    return Check(
        claim=f"{data}: as good as larger networks",
        measured=f"RMSE {mean(ours):.2f} with {ours[0].parameters:,} parameters against {listed}",
        bound="at most 5% above the best of them, with at most a tenth of the smallest's parameters",
        shown=mean(ours) <= 1.05 * mean(scores[best]) and times >= 10,
    )


def _parts(scores: Scores, data: str) -> Check:
    worse = {name: _rise(scores, name) for name in (SQUEEZED, WITHOUT_CLOSENESS, ONLY_CLOSENESS)}
    return Check(
        claim=f"{data}: space and closeness are both needed",
        measured="; ".join(f"{name} {rise:+.1%}" for name, rise in worse.items()),
        bound="RMSE at least 5% higher with one unit between patches, and without closeness",
        shown=min(worse[SQUEEZED], worse[WITHOUT_CLOSENESS]) >= 0.05,
    )


def _between(scores: Scores, data: str) -> Check:
    rise = _rise(scores, SQUEEZED)
    return Check(
        claim=f"{data}: mixing between patches helps",
        measured=f"{SQUEEZED} {rise:+.1%}",
        bound="RMSE at least 1% higher with one unit between patches",
        shown=rise >= 0.01,
    )


def _patches(scores: Scores, data: str) -> Check:
    rise = _rise(scores, AT_RANDOM)
    return Check(
        claim=f"{data}: patches of places that behave alike help",
        measured=f"{AT_RANDOM} {rise:+.1%}",
        bound="RMSE at least 1% higher with patches at random",
        shown=rise >= 0.01,
    )


def _linear(scores: Scores, data: str) -> Check:
    rivals = [min(scores[name][i].rmse for name in LINEAR) for i in range(len(scores[OURS]))]
    won = sum(one.rmse < rival for one, rival in zip(scores[OURS], rivals, strict=True))
    listed = ", ".join(f"{name} {mean(scores[name]):.2f}" for name in LINEAR)
    return Check(
        claim=f"{data}: better than linear forecasts",
        measured=f"RMSE {mean(scores[OURS]):.2f} against {listed}; below both on {won} of {len(rivals)} seeds",
        bound="below both on every seed",
        shown=won == len(rivals),
    )


def _cost(grown: Growth) -> Check:
    return Check(
        claim="cost grows in proportion to steps and to patches",
        measured=f"multiply-adds x{grown.steps:.2f} for twice the steps, x{grown.patches:.2f} for the patches",
        bound="both 1.8 to 2.2, units between patches as they are",
        shown=all(1.8 <= ratio <= 2.2 for ratio in (grown.steps, grown.patches)),
    )


def _rise(scores: Scores, name: str) -> float:
    """Share by which the error of a variant lies above the whole network's."""
    return mean(scores[name]) / mean(scores[OURS]) - 1


def _measures(results: Results) -> list[Measure]:
    return [
        Measure(
            task=name,
            data=task.series.name,
            metric=METRICS[kind],
            values=tuple(each.rmse for each in found),
            parameters=found[0].parameters,
            seconds=fmean(each.seconds for each in found),
        )
        for kind, scores, task in (
            ("city", results.city, results.city_task),
            ("sensors", results.sensors, results.sensor_task),
        )
        for name, found in scores.items()
    ]


def _notes(results: Results) -> tuple[str, ...]:
    absolute = [
        f"{data}: " + ", ".join(f"{name} {fmean(each.mae for each in found):.2f}" for name, found in scores.items())
        for data, scores in (
            (results.city_task.series.name, results.city),
            (results.sensor_task.series.name, results.sensors),
        )
    ]
    return (
        f"Mean absolute error: {'; '.join(absolute)}.",
        f"The city's network takes {multiply_adds(WHOLE):,} multiply-adds a forecast; with twice the patches and "
        f"twice the units between them {growth().widened:.2f} times as many.",
        "Surges of the city are drawn at random: no forecast can know a new one.",
        "Road sensors: patches are groups of nine by correlation on training steps; intervals are 5 minutes, an "
        "hour and a day, for a week of data has no week before.",
    )


def picture(results: Results, path: Path) -> Path:
    """Errors on both data sets, by parameters, cost by size, a map and its forecast, a day of one sensor."""
    figure, axes = panels(2, 3, width=4.2, height=3.1)
    _bars(axes[0, 0], results.city, f"{METRICS['city']}, {results.city_task.series.name}")
    _bars(axes[0, 1], results.sensors, f"{METRICS['sensors']}, {results.sensor_task.series.name}")
    _by_parameters(axes[0, 2], results.city)
    _by_size(axes[1, 0])
    _maps(axes[1, 1], results)
    _sensor_day(axes[1, 2], results)
    letters(axes.flat)
    return save(figure, path)


def _bars(axes: Axes, scores: Scores, xlabel: str) -> None:
    """Means, with the names in the bars and a stroke a seed."""
    names = sorted(scores, key=lambda name: -mean(scores[name]))
    colours = [COLOURS[0] if name == OURS else COLOURS[5] if name.startswith(OURS) else "0.75" for name in names]
    axes.barh(names, [mean(scores[name]) for name in names], color=colours)
    for place, name in enumerate(names):
        axes.plot([one.rmse for one in scores[name]], [place] * len(scores[name]), "|", color="black")
        colour = "white" if name == OURS else "black"
        axes.text(0.02, place, name, transform=axes.get_yaxis_transform(), va="center", size=7, color=colour)
    axes.set_yticks([])
    axes.set_xlabel(xlabel)


def _by_parameters(axes: Axes, scores: Scores) -> None:
    for number, name in enumerate((OURS, OWN, RIDGE, FLAT, CNN)):
        found = scores[name]
        axes.plot(
            [one.parameters for one in found],
            [one.rmse for one in found],
            "os^Dv"[number],
            color=COLOURS[number],
            label=name,
            markersize=5,
        )
    axes.set(xscale="log", xlabel="parameters", ylabel=METRICS["city"])
    axes.legend(fontsize=7)


def _by_size(axes: Axes) -> None:
    base = multiply_adds(WHOLE)
    kinds = {"steps": "steps", "patches": "patches", "widened": "patches and units between them"}
    lines: dict[str, ArrayLike] = {
        label: [multiply_adds(_grown(kind, factor)) / base for factor in FACTORS] for kind, label in kinds.items()
    }
    curves(axes, FACTORS, lines, xlabel="times as many", ylabel="times the multiply-adds")
    axes.set(xscale="log", yscale="log", xticks=FACTORS, yticks=(*FACTORS, 16, 32))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(fontsize=7, loc="upper left")


def _maps(axes: Axes, results: Results) -> None:
    """In-flow above out-flow in the test step that the newest value misses most: before, as it came, forecast."""
    task = results.city_task
    forecast, last = (results.city[name][0].values for name in (OURS, LAST))
    row = int(np.abs(last - task.truth).sum(axis=1).argmax())
    shown = [
        np.pad(each[row].reshape(-1, SIDE, SIDE), 1, constant_values=np.nan)
        for each in (last, task.truth, forecast)
    ]
    image = axes.imshow(np.hstack([np.vstack(list(maps[1:-1])) for maps in shown]), cmap="viridis")
    axes.figure.colorbar(image, ax=axes, label="flow")
    wide = SIDE + 2
    axes.set_xticks([(place + 0.5) * wide - 0.5 for place in range(3)], ["hour before", "came", OURS])
    axes.set_yticks([(place + 0.5) * wide - 0.5 for place in range(2)], ["in", "out"])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(False)


def _sensor_day(axes: Axes, results: Results) -> None:
    """The last day of the sensor that varies most in it."""
    task, forecast = results.sensor_task, results.sensors[OURS][0].values
    truth = task.truth[-SENSOR_DAY:]
    place = int(truth.std(axis=0).argmax())
    hours = (task.test_steps[-SENSOR_DAY:] % SENSOR_DAY) / HOUR
    lines: dict[str, ArrayLike] = {"came": truth[:, place], OURS: forecast[-SENSOR_DAY:, place]}
    curves(axes, hours, lines, xlabel="hour of the last day", ylabel=f"mph, {task.series.name}")
    axes.set_xticks(range(0, 25, 4))
    axes.legend(fontsize=7, loc="lower left")
