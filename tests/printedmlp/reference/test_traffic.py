"""Traffic data and what forecasts are compared with: no look ahead, rules by hand, planted groups and maps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from printedmlp.errors import ConfigError, DataError  # noqa: E402
from printedmlp.reference.traffic import (  # noqa: E402
    CITY_LAGS,
    SENSOR_LAGS,
    SIDE,
    Series,
    city,
    like_groups,
    metr_la,
    roads,
    sensor_week,
    task_of,
    windows,
)
from printedmlp.reference.traffic_rivals import (  # noqa: E402
    ResidualBlock,
    ResidualCNN,
    at_lag,
    historical_average,
    last_value,
    own_past,
    ridge,
)
from printedmlp.reference.training import parameter_count  # noqa: E402

LAGS = ((2, 1), (4,))


def series(values, **changed):
    return replace(Series("toy", np.asarray(values, dtype=np.float64), LAGS, period=4, periods=2), **changed)


def noise(steps, places, seed=0):
    return np.random.default_rng(seed).standard_normal((steps, places))


def rmse(forecast, task):
    return float(np.sqrt(np.square(forecast.values - task.truth).mean()))


@pytest.fixture
def no_data(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)


def test_windows_by_hand():
    """Steps 0, 10, .. 50 at one place, lags 2, 1 and 4: the first step that can be forecast is 4."""
    rows = windows(np.arange(0.0, 60.0, 10.0)[:, None], LAGS)
    assert rows.x[..., 0].tolist() == [[20, 30, 0], [30, 40, 10]]
    assert rows.y.tolist() == [[40], [50]]


def test_the_step_that_is_forecast_is_never_an_input():
    with pytest.raises(AssertionError, match="must not be among the inputs"):
        windows(np.zeros((9, 1)), ((1, 0),))
    values = noise(12, 2)
    before = windows(values, LAGS).x[3]
    values[4 + 3 :] = 99
    assert torch.equal(windows(values, LAGS).x[3], before)


def test_rows_follow_in_time_and_are_scaled_by_what_training_knows():
    values = noise(104, 3) + 5
    for centred in (False, True):
        task = task_of(series(values, centred=centred))
        assert [len(part.y) for part in (task.train, task.validation, task.test)] == [70, 10, 20]
        assert (task.test_steps[0], task.test_steps[-1]) == (84, 103)
        np.testing.assert_array_equal(task.truth, values[84:])
        np.testing.assert_allclose(task.own_units(task.test.y), values[84:], rtol=1e-5)
        later = values.copy()
        later[74:] *= 100
        other = task_of(series(later, centred=centred))
        assert (other.offset, other.unit) == (task.offset, task.unit)
        assert torch.equal(other.train.x, task.train.x)


def test_scales_by_hand():
    values = np.tile([[1.0], [3.0]], (10, 1))
    assert (task_of(series(values)).offset, task_of(series(values)).unit) == (0, 3)
    assert task_of(series(values, centred=True)).offset == pytest.approx(2, abs=0.1)


def test_some_intervals_of_the_same_rows():
    task = task_of(series(noise(60, 2)))
    days = task.only([1])
    assert (days.lags, len(days.test.y)) == ((LAGS[1],), len(task.test.y))
    assert torch.equal(days.train.x, task.train.x[:, 2:])
    assert torch.equal(task.only([0]).test.x, task.test.x[:, :2])


def test_too_short_a_series_is_refused():
    with pytest.raises(ConfigError, match="toy: 9 steps are too few for a lag of 4"):
        task_of(series(noise(9, 1)))


def test_the_city_has_hours_and_weekends_and_is_seeded():
    flows = city(np.random.default_rng(0), days=70)
    assert flows.values.shape == (1680, 2 * SIDE * SIDE)
    assert flows.lags == CITY_LAGS == ((4, 3, 2, 1), (48, 24), (336, 168))
    assert flows.values.min() >= 0
    by_hour = flows.values.reshape(70, 24, 2, SIDE, SIDE)
    weekday = np.arange(70) % 7 < 5
    centre = by_hour[:, :, :, 3:5, 3:5].mean(axis=(3, 4))  # (day, hour, in and out)
    assert centre[weekday].mean(axis=0).argmax(axis=0).tolist() == [8, 18]
    assert centre[weekday, 8, 0].mean() > 2 * centre[~weekday, 8, 0].mean()
    again = city(np.random.default_rng(0), days=70).values
    assert np.array_equal(again, flows.values)
    assert not np.array_equal(city(np.random.default_rng(1), days=70).values, again)


def test_departures_of_the_city_arrive_an_hour_later_in_the_cell_opposite():
    flows = city(np.random.default_rng(0), days=70).values.reshape(70, 24, 2, SIDE, SIDE)
    weeks = flows.reshape(10, 7, 24, 2, SIDE, SIDE)
    surprise = (weeks - np.median(weeks, axis=0)).reshape(1680, 2, SIDE, SIDE)
    out, arriving = surprise[:-1, 1], surprise[1:, 0]

    def related(maps):
        return np.corrcoef(out.ravel(), maps.ravel())[0, 1]

    assert related(arriving[:, ::-1, ::-1]) > 0.5
    assert abs(related(arriving)) < 0.2


def test_simple_rules_reach_what_is_known_of_the_city():
    """14.4 and 15.5 were measured with another order of draws."""
    task = task_of(city(np.random.default_rng(0)))
    assert rmse(historical_average(task), task) == pytest.approx(14.4, abs=1.5)
    assert rmse(last_value(task), task) == pytest.approx(15.5, abs=1.5)


def test_roads_are_jams_that_wander_and_seeded():
    week = roads(np.random.default_rng(0), days=2)
    assert week.values.shape == (576, 72)
    assert 3 <= week.values.min() < 25 < 65 < week.values.max() <= 70
    assert week.lags == SENSOR_LAGS
    assert np.array_equal(roads(np.random.default_rng(0), days=2).values, week.values)


def test_sensors_are_the_file_or_else_the_stand_in(tmp_path, monkeypatch, no_data):
    assert sensor_week(np.random.default_rng(0)).name == "synthetic roads"
    with pytest.raises(DataError, match=r"metr_la_week\.npz: set PRINTEDMLP_DATA"):
        metr_la()
    (tmp_path / "suite").mkdir()
    np.savez(tmp_path / "suite" / "metr_la_week.npz", speed_mph=np.full((5, 3), 60, dtype=np.float32))
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    week = sensor_week(np.random.default_rng(0))
    assert (week.name, week.values.shape, week.values.dtype) == ("METR-LA, a week", (5, 3), np.float64)


def test_a_broken_file_is_named_and_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "metr_la_week.npz").write_bytes(b"nonsense")
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    with pytest.raises(DataError, match="cannot be read"):
        sensor_week(np.random.default_rng(0))


def test_planted_groups_are_found():
    causes = noise(500, 4, seed=1)
    order = np.random.default_rng(2).permutation(12)
    values = (np.repeat(causes, 3, axis=1) + 0.3 * noise(500, 12))[:, order]
    groups = like_groups(values, 3)
    assert {tuple(sorted(order[group] // 3)) for group in groups.numpy()} == {(i, i, i) for i in range(4)}
    assert sorted(groups.flatten().tolist()) == list(range(12))
    with pytest.raises(ConfigError, match="12 places do not make groups of 5"):
        like_groups(values, 5)


def test_rules_by_hand():
    """Two places that count up and down: the last value is 1 behind, the average of 4 and 8 before is 6 behind."""
    t = np.arange(60.0)
    task = task_of(series(np.stack([t, -t], axis=1)))
    assert (last_value(task).values - task.truth).tolist() == [[-1, 1]] * len(task.truth)
    assert (historical_average(task).values - task.truth).tolist() == [[-6, 6]] * len(task.truth)
    assert (at_lag(task, 3).values - task.truth)[0].tolist() == [-3, 3]


def test_an_average_takes_only_periods_that_there_are():
    task = task_of(series(np.arange(40.0)[:, None], period=12, periods=9))
    behind = (task.truth - historical_average(task).values)[:, 0]
    assert behind.tolist() == [np.mean(np.arange(12, step + 1, 12)) for step in task.test_steps]


def test_what_repeats_is_known_from_the_period_before():
    task = task_of(series(np.tile(noise(4, 3), (20, 1))))
    assert rmse(historical_average(task), task) == 0
    assert rmse(at_lag(task, 4), task) == 0
    assert rmse(last_value(task), task) > 0.5


def test_the_sensors_last_value_is_as_old_as_the_forecast_is_far():
    task = task_of(roads(np.random.default_rng(0), days=2))
    np.testing.assert_array_equal(last_value(task).values, task.series.values[task.test_steps - 3])


def recursive(weights, places=4, steps=400):
    """Each place from its own values 1, 2 and 4 steps before, and a little noise."""
    values, drawn = np.zeros((steps, places)), noise(steps, places)
    for t in range(4, steps):
        values[t] = weights @ values[[t - 2, t - 1, t - 4]] + drawn[t]
    return task_of(series(values, centred=True))


def test_own_past_finds_a_planted_recursion():
    weights = np.array([0.2, 0.5, -0.3])
    task = recursive(weights)
    forecast = own_past(task)
    assert forecast.parameters == 4
    expected = np.tensordot(weights, task.series.values[task.test_steps[:, None] - [2, 1, 4]], axes=(0, 1))
    np.testing.assert_allclose(forecast.values, expected, atol=0.15)


def test_ridge_finds_a_planted_map_between_places():
    values, mix = noise(600, 4), np.roll(np.eye(4), 1, axis=0)
    for t in range(1, 600):
        values[t] += 3 * mix @ values[t - 1] / (1 + np.abs(values[t - 1]).max())
    task = task_of(series(values, centred=True))
    assert rmse(ridge(task), task) < 0.8 * rmse(own_past(task), task)
    assert ridge(task).parameters == (3 * 4 + 1) * 4


def test_linear_forecasts_learn_nothing_from_test_rows():
    task = recursive(np.array([0.2, 0.5, -0.3]))
    shuffled = replace(task, test=task.test._replace(y=task.test.y.flip(0)))
    for rule in (own_past, ridge):
        np.testing.assert_allclose(rule(task).values, rule(shuffled).values, rtol=1e-9, atol=1e-12)


def test_the_penalty_is_chosen_on_validation_rows():
    task = task_of(series(noise(120, 20), centred=True))
    assert rmse(ridge(task), task) < 1.15
    easy = replace(task, validation=task.train)
    assert rmse(ridge(easy), easy) > 1.3


def test_the_network_of_convolutions():
    model = ResidualCNN((4, 2, 2))
    assert parameter_count(model) == 117_798
    x = torch.randn(3, 8, 128)
    assert model(x).shape == (3, 128)
    block = next(module for module in model.modules() if isinstance(module, ResidualBlock))
    torch.nn.init.zeros_(block.second.weight)
    torch.nn.init.zeros_(block.second.bias)
    maps = torch.randn(2, 32, 8, 8)
    assert torch.equal(block(maps), maps)
