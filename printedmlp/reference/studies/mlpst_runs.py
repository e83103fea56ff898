"""Experiments on MLPST: forecasts of a synthetic city and of a week of road sensors, by it and by its rivals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.mlpst import MLPST, MLPSTConfig, grid_places
from printedmlp.reference.outcome import Context
from printedmlp.reference.traffic import (
    CHANNELS,
    SIDE,
    Floats,
    Task,
    city,
    like_groups,
    sensor_week,
    task_of,
)
from printedmlp.reference.traffic_rivals import (
    Forecast,
    ResidualCNN,
    historical_average,
    last_value,
    own_past,
    ridge,
)
from printedmlp.reference.training import (
    Settings,
    built,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
)

PATCH = 2
"""Cells along an edge of the city's patches."""
GROUP = 9
"""Sensors of a patch."""
HIDDEN = (256, 256)
"""Of the flat network."""
CLOSENESS, PERIOD, TREND = range(3)

OURS = "MLPST"
SQUEEZED = "MLPST, one unit between patches"
WITHOUT_CLOSENESS = "MLPST without closeness"
ONLY_CLOSENESS = "MLPST, closeness only"
AT_RANDOM = "MLPST, patches at random"
FLAT, CNN = "flat MLP", "residual CNN"
LAST, AVERAGE = "last value", "historical average"
OWN, RIDGE = "linear, own past", "linear, all places"
RULES: dict[str, Callable[[Task], Forecast]] = {
    LAST: last_value,
    AVERAGE: historical_average,
    OWN: own_past,
    RIDGE: ridge,
}


@dataclass(frozen=True)
class Score:
    """What a forecast of the test rows is worth.

    Attributes
    ----------
    rmse, mae : over all rows and places, in the series' own units.
    parameters, seconds : trained numbers, and how long that took.
    values : the forecast (rows, V).
    """

    rmse: float
    mae: float
    parameters: int
    seconds: float
    values: Floats


Scores = Mapping[str, Sequence[Score]]
"""One score a seed by forecaster."""


@dataclass(frozen=True)
class Results:
    """Scores of both data sets, and the tasks of the first seed."""

    city: Scores
    sensors: Scores
    city_task: Task
    sensor_task: Task


class Entry(NamedTuple):
    """A network, what it is trained on and its learning rate."""

    task: Task
    make: Callable[[], nn.Module]
    rate: float


def results_of(context: Context) -> Results:
    """Every forecaster on both data sets, once a seed; the city and a stand-in are drawn anew for each seed."""
    days, city_epochs, sensor_epochs = (42, 3, 3) if context.quick else (70, 40, 25)
    cities = [task_of(city(np.random.default_rng(seed), days)) for seed in context.seeds]
    weeks = [task_of(sensor_week(np.random.default_rng(seed))) for seed in context.seeds]
    return Results(
        _by_name(cities, city_entries, city_epochs, context),
        _by_name(weeks, sensor_entries, sensor_epochs, context),
        cities[0],
        weeks[0],
    )


def city_entries(task: Task, _: int) -> dict[str, Entry]:
    """The networks for the city; none of them draws anything."""
    places = grid_places(CHANNELS, SIDE, SIDE, PATCH)
    recent, without = task.only([CLOSENESS]), task.only([PERIOD, TREND])
    return {
        OURS: _mixers(task, places),
        SQUEEZED: _mixers(task, places, space_hidden=1),
        WITHOUT_CLOSENESS: _mixers(without, places),
        ONLY_CLOSENESS: _mixers(recent, places),
        FLAT: _flat(task),
        CNN: Entry(task, lambda: ResidualCNN(_lengths(task)), 1e-3),
    }


def sensor_entries(task: Task, seed: int) -> dict[str, Entry]:
    """The networks for road sensors; the seed also draws the patches at random."""
    known = task.series.values[: task.first + len(task.train.y)]
    alike = like_groups(known, GROUP)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(alike.numel()))
    return {
        OURS: _mixers(task, alike),
        SQUEEZED: _mixers(task, alike, space_hidden=1),
        AT_RANDOM: _mixers(task, order.reshape(alike.shape)),
        FLAT: _flat(task),
    }


def config_of(task: Task, places: Tensor, space_hidden: int = 0) -> MLPSTConfig:
    """The sizes of a network for a task."""
    patches, patch_size = places.shape
    return MLPSTConfig(patches, patch_size, _lengths(task), space_hidden=space_hidden)


def mean(scores: Sequence[Score]) -> float:
    """Mean RMSE over the seeds."""
    return statistics.fmean(score.rmse for score in scores)


def score_of(task: Task, forecast: Forecast, seconds: float = 0.0) -> Score:
    """Compare a forecast with what came; rounded, for sums differ in their last bits from call to call."""
    missed = forecast.values - task.truth  # (rows, V)
    rmse, mae = float(np.sqrt(np.square(missed).mean())), float(np.abs(missed).mean())
    return Score(round(rmse, 9), round(mae, 9), forecast.parameters, seconds, forecast.values)


def _by_name(
    tasks: Sequence[Task], entries: Callable[[Task, int], dict[str, Entry]], epochs: int, context: Context
) -> Scores:
    each = [
        _scores(task, entries(task, seed), epochs, seed, context)
        for task, seed in zip(tasks, context.seeds, strict=True)
    ]
    return {name: [scores[name] for scores in each] for name in each[0]}


def _scores(task: Task, entries: dict[str, Entry], epochs: int, seed: int, context: Context) -> dict[str, Score]:
    ruled = {name: score_of(task, rule(task)) for name, rule in RULES.items()}
    return ruled | {name: _trained(entry, epochs, seed, context) for name, entry in entries.items()}


def _trained(entry: Entry, epochs: int, seed: int, context: Context) -> Score:
    """Train with the weights of the best validation epoch, then answer the test rows."""
    task, model = entry.task, built(entry.make, seed)
    settings = Settings(epochs, 32, entry.rate, schedule="cosine", device=context.device)
    history = fit(model, mean_squared_error, task.train, task.validation, settings, seed=seed)
    answers = task.own_units(outputs(model, task.test.x))
    return score_of(task, Forecast(answers, parameter_count(model)), history.seconds)


def _mixers(task: Task, places: Tensor, space_hidden: int = 0) -> Entry:
    config = config_of(task, places, space_hidden)
    return Entry(task, lambda: MLPST(config, places), 5e-3)


def _flat(task: Task) -> Entry:
    inputs, outs = task.train.x[0].numel(), task.train.y.shape[1]
    return Entry(task, lambda: MLP(Config(inputs, outs, HIDDEN, "relu")), 1e-3)


def _lengths(task: Task) -> tuple[int, ...]:
    return tuple(map(len, task.lags))
