"""Traffic as a table of steps by places: a synthetic city, a week of road sensors, and forecasting tasks of them.

The city is a map of arrivals and departures: commuting between a centre and two residential quarters, leisure in a
third place, and trips at random whose arrivals follow in the cell opposite. The road sensors are those of Los
Angeles (METR-LA: Jagadish et al. 2014; Li, Yu, Shahabi, Liu, ICLR 2018), or `roads` where that file is not at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from printedmlp.errors import ConfigError, DataError
from printedmlp.reference.datasets import suite_array, suite_path
from printedmlp.reference.training import Tensors

Floats = NDArray[np.float64]
Lags = tuple[tuple[int, ...], ...]

SIDE, CHANNELS, DAY = 8, 2, 24
"""Of the city: cells along an edge, in-flow and out-flow, steps a day."""
CITY_LAGS: Lags = ((4, 3, 2, 1), (2 * DAY, DAY), (14 * DAY, 7 * DAY))
"""Closeness, period (days) and trend (weeks)."""
SENSOR_DAY, HOUR = 288, 12
SENSOR_LAGS: Lags = ((6, 5, 4, 3), (2 * HOUR, HOUR), (SENSOR_DAY,))
"""A forecast of 15 minutes from steps of 5, from hours and from the day before; a week has no week before."""
SENSOR_FILE = "metr_la_week.npz"
N_ROADS, ON_ROAD = 8, 9
FRACTIONS = (0.7, 0.1)
"""Shares of rows to train on and to validate with; the last ones are for the test."""


@dataclass(frozen=True)
class Series:
    """Traffic at all places, step after step.

    Attributes
    ----------
    name : for tables.
    values : (steps, V).
    lags : of each interval, the oldest first: a step is forecast from those that many steps before it.
    period, periods : traffic repeats after `period` steps; a historical average takes up to `periods` of them.
    centred : whether networks see standard deviations from the mean, or shares of the maximum.
    """

    name: str
    values: Floats
    lags: Lags
    period: int
    periods: int
    centred: bool = False


@dataclass(frozen=True)
class Task:
    """A series as rows: inputs (rows, T, V) and targets (rows, V), float32, in networks' units.

    Attributes
    ----------
    lags : of each interval; T of them in all.
    first : step of the first target; the rows of `train`, `validation` and `test` follow one another.
    offset, unit : a value is `offset + unit * what networks see`.
    """

    series: Series
    lags: Lags
    first: int
    train: Tensors
    validation: Tensors
    test: Tensors
    offset: float
    unit: float

    @property
    def test_steps(self) -> NDArray[np.int64]:
        """Steps of the test rows."""
        steps = len(self.series.values)
        return np.arange(steps - len(self.test.y), steps)

    @property
    def truth(self) -> Floats:
        """What is to be forecast in the test rows, (rows, V), in the series' own units."""
        return self.series.values[self.test_steps]

    def own_units(self, answers: Tensor) -> Floats:
        """Networks' answers (rows, V) in the series' own units."""
        return self.offset + self.unit * answers.double().cpu().numpy()

    def only(self, intervals: Sequence[int]) -> Task:
        """The same rows with some of the intervals."""
        ends = np.cumsum([0, *map(len, self.lags)])
        kept = torch.cat([torch.arange(ends[i], ends[i + 1]) for i in intervals])
        train, validation, test = (
            Tensors(part.x[:, kept], part.y) for part in (self.train, self.validation, self.test)
        )
        lags = tuple(self.lags[i] for i in intervals)
        return replace(self, lags=lags, train=train, validation=validation, test=test)


def task_of(series: Series) -> Task:
    """Rows of a series in the order of time; scaled by what is known when training ends.

    Raises
    ------
    ConfigError : the series is too short for its lags.
    """
    first = max(max(each) for each in series.lags)
    n = len(series.values) - first
    n_train, n_validation = (int(share * n) for share in FRACTIONS)
    if min(n_train, n_validation) < 1:
        raise ConfigError(f"{series.name}: {len(series.values)} steps are too few for a lag of {first}")
    known = series.values[: first + n_train]
    offset, unit = (known.mean(), known.std()) if series.centred else (0.0, known.max())
    rows = windows((series.values - offset) / unit, series.lags)
    end = n_train + n_validation
    train, validation, test = (rows.rows(torch.arange(*ends)) for ends in ((0, n_train), (n_train, end), (end, n)))
    return Task(series, series.lags, first, train, validation, test, float(offset), float(unit))


def windows(values: Floats, lags: Lags) -> Tensors:
    """All rows of (steps, V): inputs (rows, T, V), interval after interval, and targets (rows, V), float32."""
    flat = [lag for each in lags for lag in each]
    assert min(flat) >= 1, "the step that is forecast must not be among the inputs"
    steps = np.arange(max(flat), len(values))
    inputs = np.stack([values[steps - lag] for lag in flat], axis=1)
    return Tensors(torch.from_numpy(inputs).float(), torch.from_numpy(values[steps]).float())


def city(rng: np.random.Generator, days: int = 70) -> Series:
    """Flows of a city of 8 x 8 cells by the hour, (24 days, 128): in-flow, then out-flow."""
    t = np.arange(DAY * days)
    centre, homes = _field(3.5, 3.5, 1.6), _field(1, 1, 1.8) + _field(6, 6, 1.8)
    leisure = _field(1.5, 6, 1.5)
    work = np.where(_weekend(t), 0.3, 1.0)
    to_work, home, out = work * _peak(t, 8, 1.5), work * _peak(t, 18, 1.8), _leisure_hours(t)
    arriving = 0.15 + _spread(to_work, centre) + _spread(home, homes) + _spread(out, leisure)
    leaving = 0.15 + _spread(home, centre) + _spread(to_work, homes) + 0.8 * _spread(_leisure_hours(t - 2), leisure)
    flows = np.stack([arriving, leaving], axis=1) + _random_trips(len(t), rng)  # (steps, 2, 8, 8)
    flows = 100 * np.maximum(flows * (1 + 0.05 * rng.standard_normal(flows.shape)), 0)
    return Series("synthetic city", flows.reshape(len(t), -1), CITY_LAGS, period=7 * DAY, periods=2)


def sensor_week(rng: np.random.Generator) -> Series:
    """The week of road sensors where its file is at hand, else its stand-in."""
    try:
        suite_path(SENSOR_FILE)
    except DataError:
        return roads(rng)
    return metr_la()


def metr_la() -> Series:
    """Speeds (2016, 207) in miles an hour of the week from 1 March 2012 in steps of 5 minutes.

    Raises
    ------
    DataError : the file is not at hand.
    """
    (speeds,) = suite_array(SENSOR_FILE, "speed_mph")
    return _sensors("METR-LA, a week", speeds.astype(np.float64))


def roads(rng: np.random.Generator, days: int = 7) -> Series:
    """Stand-in for METR-LA: speeds (288 days, 72) of eight roads of nine sensors in an order drawn at random.

    A road's rush hours hold it up to a depth of its own. Accidents add to the jam at one sensor; of a jam 62 % stay
    for another step and 30 % move on to the sensor before, against the traffic.
    """
    t = np.arange(SENSOR_DAY * days)
    hours = t / HOUR
    rush = sum(
        rng.uniform(5, 25, N_ROADS) * _peak(hours, hour, 1.0)[:, None] for hour in (7.5, 17.0)
    )  # (steps, roads)
    rush = rush * np.where(_weekend(t // HOUR), 0.3, 1.0)[:, None]
    jam, jams = np.zeros((N_ROADS, ON_ROAD)), []
    for _ in t:
        accidents = (rng.random(jam.shape) < 0.002) * rng.uniform(15, 40, jam.shape)
        jam = 0.62 * jam + 0.30 * np.roll(np.pad(jam, ((0, 0), (0, 1))), -1, axis=1)[:, :-1] + accidents
        jams.append(jam)
    free = rng.uniform(55, 68, jam.shape)
    speeds = free - rush[:, :, None] - np.array(jams) + 1.5 * rng.standard_normal((len(t), *jam.shape))
    shuffled = np.clip(speeds, 3, 70).reshape(len(t), -1)[:, rng.permutation(jam.size)]
    return _sensors("synthetic roads", shuffled)


def like_groups(values: Floats, size: int) -> Tensor:
    """Places in groups of equal size whose values rise and fall together: (V / size, size) int64.

    A group starts with the free place least correlated with the free ones, and takes the free place most
    correlated with its members until it is full. Give training steps (steps, V) only.

    Raises
    ------
    ConfigError : groups of this size do not come out even.
    """
    alike = np.atleast_2d(np.corrcoef(values, rowvar=False))  # (V, V)
    if len(alike) % size:
        raise ConfigError(f"{len(alike)} places do not make groups of {size}")
    free, groups = np.arange(len(alike)), []
    while len(free):
        group = [free[alike[free][:, free].sum(axis=1).argmin()]]
        while len(group) < size:
            left = np.setdiff1d(free, group)
            group.append(left[alike[left][:, group].sum(axis=1).argmax()])
        free = np.setdiff1d(free, group)
        groups.append(np.array(group))
    return torch.from_numpy(np.array(groups))


def _sensors(name: str, values: Floats) -> Series:
    return Series(name, values, SENSOR_LAGS, period=SENSOR_DAY, periods=len(values), centred=True)


def _field(row: float, column: float, spread: float) -> Floats:
    """A bump on the map, (8, 8)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    bump: Floats = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * spread**2))
    return bump


def _spread(strength: Floats, field: Floats) -> Floats:
    return strength[:, None, None] * field  # (steps, 8, 8)


def _peak(hours: NDArray[np.integer] | Floats, centre: float, spread: float) -> Floats:
    """A bump of every day."""
    apart = np.abs(hours % DAY - centre)
    bump: Floats = np.exp(-(np.minimum(apart, DAY - apart) ** 2) / (2 * spread**2))
    return bump


def _weekend(hours: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (hours // DAY) % 7 >= 5


def _leisure_hours(hours: NDArray[np.int64]) -> Floats:
    return np.where(_weekend(hours), 1.2, 0.4) * _peak(hours, 15, 3)


def _random_trips(steps: int, rng: np.random.Generator) -> Floats:
    """Departures at random cells, arrivals an hour and two later in the opposite ones: (steps, 2, 8, 8)."""
    flows = np.zeros((steps + 2, CHANNELS, SIDE, SIDE))
    for t, trips in enumerate(rng.poisson(0.6, steps)):
        for _ in range(trips):
            row, column = rng.integers(SIDE, size=2)
            size = rng.uniform(0.5, 1.2)
            here, there = _field(row, column, 0.8), _field(SIDE - 1 - row, SIDE - 1 - column, 0.8)
            flows[t, 1] += size * here
            flows[t + 1, 1] += size / 2 * here
            flows[t + 1, 0] += 0.7 * size * there
            flows[t + 2, 0] += 0.3 * size * there
    return flows[:steps]
