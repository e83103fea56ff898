import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.mlp import MLP, Config  # noqa: E402
from printedmlp.reference.mlpst import (  # noqa: E402
    MLPST,
    MixerLayer,
    MLPSTConfig,
    TimeMixer,
    counted_multiply_adds,
    counted_parameters,
    grid_places,
    multiply_adds,
    patched,
    unpatched,
)
from printedmlp.reference.outcome import Context  # noqa: E402
from printedmlp.reference.studies import mlpst as study  # noqa: E402
from printedmlp.reference.studies import mlpst_runs as runs  # noqa: E402
from printedmlp.reference.studies.mlpst_runs import Results, Score  # noqa: E402
from printedmlp.reference.traffic import city, roads, task_of  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    parameter_count,
    seeded,
)

CITY = study.WHOLE
SMALL = MLPSTConfig(patches=4, patch_size=3, lengths=(3, 2, 2), width=5, depth=2)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def started(make, seed=0):
    return built(make, seed).double()


def in_order(config):
    return torch.arange(config.patches * config.patch_size).reshape(config.patches, config.patch_size)


def small(config=SMALL, seed=0):
    return started(lambda: MLPST(config, in_order(config)), seed)


def silence(layer, *maps):
    """Zero the last linear of a mixer layer's maps."""
    for name in maps or ("tokens", "channels"):
        last = getattr(layer, name)[2]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)


def silenced(model):
    for layer in model.modules():
        if isinstance(layer, MixerLayer):
            silence(layer)
    return model


def test_token_map_by_hand():
    """Tokens (1, 3) and (6, 2) normalise to (-1, 1) and (1, -1); W1 = [1, 2] gives 1 and -1 by channel, ReLU 1 and
    0, and W2 = [1, 10]^T adds (1, 0) and (10, 0)."""
    layer = MixerLayer(2, 2, 1).double()
    layer.token_norm.eps = 0.0
    layer.tokens[1] = nn.ReLU()
    for linear, weight in ((layer.tokens[0], [[1.0, 2.0]]), (layer.tokens[2], [[1.0], [10.0]])):
        linear.weight.data = torch.tensor(weight, dtype=torch.float64)
        linear.bias.data = torch.zeros(len(weight), dtype=torch.float64)
    silence(layer, "channels")
    answer = layer(torch.tensor([[1.0, 3.0], [6.0, 2.0]], dtype=torch.float64))
    assert answer.tolist() == [[2, 3], [16, 2]]


@pytest.mark.parametrize(
    ("side", "changed", "count"),
    [
        (2, {}, 8_488),
        (1, {}, 39_106),
        (2, {"space_hidden": 1}, 6_442),
        (2, {"lengths": (2, 2)}, 7_144),
    ],
)
def test_sizes(side, changed, count):
    places = grid_places(2, 8, 8, side)
    config = replace(CITY, patches=len(places), patch_size=places.shape[1], **changed)
    assert parameter_count(MLPST(config, places)) == counted_parameters(config) == count


def test_size_of_the_flat_network():
    task = task_of(city(np.random.default_rng(0), days=20))
    made = runs.city_entries(task, 0)[runs.FLAT].make()
    assert isinstance(made, MLP)
    assert parameter_count(made) == 361_088


def test_multiply_adds_by_hand():
    """One patch, value, channel, step and unit: 1 to embed, 2 + 4 in space, 4 + 4 + 1 in time, 1 to fuse."""
    assert multiply_adds(MLPSTConfig(1, 1, (1,), width=1, depth=1, space_hidden=1)) == 17


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    hidden=st.integers(0, 3),
)
def test_closed_forms_are_what_hooks_count(sizes, lengths, hidden):
    patches, patch_size, width, depth = sizes
    config = MLPSTConfig(patches, patch_size, tuple(lengths), width, depth, hidden)
    model = MLPST(config, in_order(config))
    x = torch.zeros(1, config.steps, patches * patch_size)
    assert counted_multiply_adds(model, x) == multiply_adds(config)
    assert parameter_count(model) == counted_parameters(config)


def test_hooks_count_plain_networks_and_convolutions_and_go():
    assert counted_multiply_adds(MLP(Config(6, 2, (5,))), torch.zeros(1, 6)) == 6 * 5 + 5 * 2
    convolution = nn.Conv2d(2, 3, 3, padding=1)
    assert counted_multiply_adds(convolution, torch.zeros(1, 2, 4, 4)) == 16 * 3 * 2 * 9
    assert not convolution._forward_hooks


@settings(max_examples=20, deadline=None)
@given(channels=st.integers(1, 3), rows=st.integers(1, 3), columns=st.integers(1, 3), side=st.integers(1, 3))
def test_unpatching_undoes_patching(channels, rows, columns, side):
    places = grid_places(channels, rows * side, columns * side, side)
    x = drawn(2, 3, channels * rows * columns * side * side)
    assert torch.equal(unpatched(patched(x, places), places.flatten().argsort()), x)


def test_patches_by_hand():
    """Two channels of 2 x 4 cells: the left and the right half, both channels of each."""
    assert grid_places(2, 2, 4, 2).tolist() == [[0, 1, 4, 5, 8, 9, 12, 13], [2, 3, 6, 7, 10, 11, 14, 15]]
    with pytest.raises(ConfigError, match="3 x 3 do not tile 8 x 9"):
        grid_places(1, 8, 9, 3)


def test_with_silent_mixers_it_is_linear():
    model, x = silenced(small()), drawn(2, 7, 12)
    zero = model(torch.zeros_like(x))
    torch.testing.assert_close(model(x) + model(2 * x) - zero, model(3 * x))
    embedded = model.embed(x.reshape(2, 7, 4, 3))
    means = [part.mean(dim=1) for part in embedded.split((3, 2, 2), dim=1)]
    torch.testing.assert_close(model(x), model.fuse(torch.cat(means, -1)).flatten(1))
    loud, nothing = small(), torch.zeros_like(x)
    assert not torch.allclose(loud(x) + loud(2 * x) - loud(nothing), loud(3 * x))


def test_one_patch_and_steps_alone_are_a_residual_network():
    config = MLPSTConfig(1, 12, (1, 1), width=5, depth=1)
    model, x = small(config), drawn(3, 2, 12)

    def residual(layer, z):
        z = z + layer.tokens(layer.token_norm(z)[..., None])[..., 0]
        return z + layer.channels(layer.channel_norm(z))

    z = [residual(model.space[0], model.embed(step)) for step in x.unbind(1)]
    z = [mix.sum.weight.item() * residual(mix.layer, each) for mix, each in zip(model.time, z, strict=True)]
    torch.testing.assert_close(model(x), model.fuse(torch.cat(z, -1)))


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(4)), seed=st.integers(0, 1000))
def test_patches_can_be_renamed(order, seed):
    model, x = small(seed=seed), drawn(2, 7, 12, seed=seed)
    before = model(x).reshape(2, 4, 3)[:, order]
    for layer in model.space:
        first, _, second = layer.tokens
        first.weight.data = first.weight.data[:, order]
        second.weight.data, second.bias.data = second.weight.data[order], second.bias.data[order]
    renamed = x.reshape(2, 7, 4, 3)[:, :, order].reshape(x.shape)
    torch.testing.assert_close(model(renamed).reshape(2, 4, 3), before)


def heard(model):
    """(4, 4) of booleans: whether the forecast of patch i depends on earlier values of patch j."""
    slopes = torch.autograd.functional.jacobian(lambda x: model(x[None])[0], drawn(7, 12))  # (12, 7, 12)
    return slopes.abs().sum(dim=1).reshape(4, 3, 4, 3).sum(dim=(1, 3)) > 1e-12


def test_only_token_maps_let_patches_speak():
    model = small()
    assert heard(model).all()
    for layer in model.space:
        silence(layer, "tokens")
    assert torch.equal(heard(model), torch.eye(4, dtype=torch.bool))


def test_rows_of_a_batch_do_not_speak():
    model, x = small(), drawn(3, 7, 12)
    torch.testing.assert_close(model(x)[1:2], model(x[1:2]))


def test_steps_speak_within_an_interval():
    mix, Z = started(lambda: TimeMixer(3, 5)), drawn(1, 3, 2, 5)
    alone = sum(mix(Z * mask[None, :, None, None]) for mask in torch.eye(3, dtype=torch.float64))
    assert not torch.allclose(mix(Z), alone)
    silence(mix.layer)
    torch.testing.assert_close(mix(Z), Z.mean(dim=1))


def test_places_in_any_order_come_back_to_their_place():
    order = torch.randperm(12, generator=seeded(1)).reshape(4, 3)
    shuffled, plain, x = small(), small(), drawn(2, 7, 12)
    moved = started(lambda: MLPST(SMALL, order))
    moved.load_state_dict({**shuffled.state_dict(), "places": order, "inverse": order.flatten().argsort()})
    answer = torch.empty(2, 12, dtype=torch.float64)
    answer[:, order.flatten()] = plain(x[..., order.flatten()])
    torch.testing.assert_close(moved(x), answer)


def test_what_repeats_weekly_can_be_forecast_without_error():
    """All weight on the newest step of the last interval, identities around it."""
    config = replace(SMALL, width=3)
    model = silenced(small(config))
    with torch.no_grad():
        model.embed.weight.copy_(torch.eye(3))
        model.time[2].sum.weight.copy_(torch.tensor([[0.0, 1.0]]))
        model.fuse.weight.copy_(torch.cat([torch.zeros(3, 6), torch.eye(3)], dim=1))
        for linear in (model.embed, model.fuse):
            linear.bias.zero_()
    x = drawn(4, 7, 12)
    torch.testing.assert_close(model(x), x[:, -1])


def test_an_interval_that_tells_nothing_loses_its_say():
    x = drawn(96, 7, 12)
    model = small(replace(SMALL, depth=1))

    def say(interval):
        rows = x.clone().requires_grad_()
        model(rows).square().sum().backward()
        return float(rows.grad.split((3, 2, 2), dim=1)[interval].square().mean().sqrt())

    before = say(0) / say(1)
    data = Tensors(x, x[:, 4] + 0.5 * x[:, 3])
    fit(model, mean_squared_error, data, None, Settings(60, 0, 2e-2, schedule="cosine"), seed=0)
    assert say(0) / say(1) < 0.2 * before


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"lengths: \(3, 0\)"):
        replace(SMALL, lengths=(3, 0))
    twice = in_order(SMALL)
    twice[0, 0] = 5
    with pytest.raises(ConfigError, match="not 4 patches of 3, each place once"):
        MLPST(SMALL, twice)


def test_gradients_are_those_of_finite_differences():
    config = MLPSTConfig(2, 2, (2, 1), width=3, depth=1)
    assert torch.autograd.gradcheck(small(config), (drawn(1, 3, 4).requires_grad_(),))


def test_one_step_lowers_the_loss():
    model, x, y = built(lambda: MLPST(SMALL, in_order(SMALL)), 0), drawn(20, 7, 12).float(), drawn(20, 12).float()
    before = float(mean_squared_error(model, x, y).detach())
    fit(model, mean_squared_error, Tensors(x, y), None, Settings(1, 0, 1e-3), seed=0)
    assert float(mean_squared_error(model, x, y).detach()) < before


def test_cost_is_linear_with_fixed_units_only():
    grown = study.growth()
    assert 1.8 < grown.steps < 2.2
    assert grown.patches == pytest.approx(2, abs=1e-9)
    assert grown.widened > 2.4


def test_a_score_by_hand_and_without_last_bits(tasks):
    task = tasks[1]
    missed = np.full_like(task.truth, 2.0)
    missed[::2] = -4
    found = runs.score_of(task, runs.Forecast(task.truth + missed, 7))
    assert (found.mae, found.rmse, found.parameters) == (
        pytest.approx(3, abs=0.02),
        pytest.approx(10**0.5, abs=0.02),
        7,
    )
    nearly = runs.score_of(task, runs.Forecast(task.truth + missed * (1 + 1e-14)))
    assert nearly.rmse == found.rmse


def score(rmse, parameters=8_488):
    return Score(rmse, rmse / 2, parameters, 1.0, np.zeros((1, 1)))


CITY_RMSE = {
    runs.LAST: 15.0,
    runs.AVERAGE: 14.0,
    runs.OWN: 12.0,
    runs.RIDGE: 11.5,
    runs.OURS: 11.0,
    runs.SQUEEZED: 12.0,
    runs.WITHOUT_CLOSENESS: 12.5,
    runs.ONLY_CLOSENESS: 11.2,
    runs.FLAT: 10.9,
    runs.CNN: 10.8,
}
SENSOR_RMSE = {
    runs.LAST: 6.0,
    runs.AVERAGE: 8.0,
    runs.OWN: 5.8,
    runs.RIDGE: 5.9,
    runs.OURS: 5.5,
    runs.SQUEEZED: 5.7,
    runs.AT_RANDOM: 5.7,
    runs.FLAT: 5.5,
}
SIZES = {runs.FLAT: 361_088, runs.CNN: 117_798}


@pytest.fixture(scope="module")
def tasks():
    rng = np.random.default_rng(0)
    return task_of(city(rng, days=16)), task_of(roads(rng, days=2))


def measured(tasks, changed_city, changed_sensors, **sizes):
    """Three equal scores of every forecaster."""
    made = [
        {name: [score(rmse, {**SIZES, **sizes}.get(name, 8_488))] * 3 for name, rmse in rmses.items()}
        for rmses in (CITY_RMSE | changed_city, SENSOR_RMSE | changed_sensors)
    ]
    return Results(made[0], made[1], *tasks)


def missing(checks):
    return [number for number, check in enumerate(checks) if not check.shown]


FINE = study.Growth(2.06, 2.0, 2.9)


@pytest.mark.parametrize(
    ("changed_city", "changed_sensors", "expected"),
    [
        ({}, {}, []),
        ({runs.AVERAGE: 12.9}, {}, [0]),
        ({runs.LAST: 12.9}, {}, [0]),
        ({runs.CNN: 10.4}, {}, [1]),
        ({runs.FLAT: 10.4}, {}, [1]),
        ({runs.SQUEEZED: 11.5}, {}, [2]),
        ({runs.WITHOUT_CLOSENESS: 11.5}, {}, [2]),
        ({runs.ONLY_CLOSENESS: 10.9}, {}, []),
        ({runs.OWN: 10.9}, {}, [3]),
        ({runs.RIDGE: 11.0}, {}, [3]),
        ({}, {runs.LAST: 5.7, runs.OWN: 5.6}, [4]),
        ({}, {runs.AVERAGE: 5.7}, [4]),
        ({}, {runs.FLAT: 5.2}, [5]),
        ({}, {runs.SQUEEZED: 5.5}, [6]),
        ({}, {runs.AT_RANDOM: 5.5}, [7]),
        ({}, {runs.RIDGE: 5.4}, [8]),
        ({}, {runs.OWN: 5.4}, [8]),
    ],
)
def test_claims_are_shown_or_not(tasks, changed_city, changed_sensors, expected):
    assert missing(study.checks(measured(tasks, changed_city, changed_sensors), FINE)) == expected


def test_a_network_of_more_than_a_tenth_is_no_smaller_one(tasks):
    results = measured(tasks, {}, {}, **{runs.CNN: 84_000})
    assert missing(study.checks(results, FINE)) == [1]
    results = measured(tasks, {}, {}, **{runs.FLAT: 84_000, runs.CNN: 117_798})
    assert missing(study.checks(results, FINE)) == [1, 5]


def test_one_seed_above_a_linear_forecast_is_enough_to_fail(tasks):
    results = measured(tasks, {}, {})
    worse = {**results.city, runs.OURS: [score(11.0), score(11.6), score(10.4)]}
    assert missing(study.checks(replace(results, city=worse), FINE)) == [3]


@pytest.mark.parametrize("grown", [FINE._replace(steps=2.25), FINE._replace(patches=2.9), FINE._replace(steps=1.5)])
def test_a_cost_that_grows_faster_is_not_linear(tasks, grown):
    assert missing(study.checks(measured(tasks, {}, {}), grown)) == [9]


def test_the_study_runs_on_little_data(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "city", lambda rng, days: city(rng, 16))
    monkeypatch.setattr(runs, "sensor_week", lambda rng: roads(rng, 2))
    outcome = study.run(Context((0, 1), True, "cpu", tmp_path))
    assert (tmp_path / "mlpst.png").is_file()
    assert len(outcome.checks) == 10
    assert [len(each.values) for each in outcome.measures] == [2] * 18
    by_name = {(each.data, each.task): each for each in outcome.measures}
    assert by_name["synthetic city", runs.OURS].parameters == 8_488
    assert all(0 < value < 1000 for each in outcome.measures for value in each.values)
