import pytest

torch = pytest.importorskip("torch")

import math  # noqa: E402
from dataclasses import replace  # noqa: E402

from printedmlp.reference.cam import (  # noqa: E402
    CAM,
    PAPER_IMAGE,
    CAMConfig,
    Modulation,
    counted_parameters,
    image_recipe,
    interpolated,
    normalised,
)
from printedmlp.reference.mlp import MLP, Config  # noqa: E402
from printedmlp.reference.studies import cam as study  # noqa: E402
from printedmlp.reference.studies.cam_runs import COLOURED, FIELDS, IMAGES, LINES, Fitted, field_points  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    History,
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    parameter_count,
    seeded,
)

TOY = CAMConfig(2, 3, (8, 8), (4, 5))
LINE = CAMConfig(1, 1, (64,) * 4, bounded=False)


def network(config=TOY, seed=0):
    model = built(lambda: CAM(config), seed)
    assert isinstance(model, CAM)
    return model


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed))


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (LINE, 12_673),
        (replace(LINE, octaves=16), 14_721),
        (replace(LINE, modulation=(64,)), 13_185),
        (replace(LINE, octaves=16, modulation=(64,)), 15_233),
        (CAMConfig(2, 1), 8_577),
        (CAMConfig(2, 1, modulation=(16, 16), normalised=True), 10_113),
        (CAMConfig(2, 1, features=6, feature_grid=(16, 16)), 10_369),
        (CAMConfig(2, 1, fourier=32), 12_545),
        (CAMConfig(2, 1, fourier=32, modulation=(16, 16)), 14_081),
        (replace(PAPER_IMAGE, modulation=()), 263_683),
        (PAPER_IMAGE, 269_827),
    ],
)
def test_sizes(config, count):
    assert parameter_count(network(config)) == counted_parameters(config) == count


def test_at_the_start_it_is_the_plain_network():
    model, plain = network(), MLP(Config(2, 3, (8, 8), "relu"))
    plain.load_state_dict({name: value for name, value in model.state_dict().items() if "linears" in name})
    x = drawn(50, 2)
    torch.testing.assert_close(model(x), plain(x).sigmoid(), atol=1e-6, rtol=0)
    with torch.no_grad():
        model.modulation.grids[1, 0] = 1.1
    assert (model(x) - plain(x).sigmoid()).abs().max() > 1e-3


def test_gamma_0_forgets_the_features():
    model = network()
    with torch.no_grad():
        model.modulation.grids[:, 0] = 0
        model.modulation.grids[0, 1] = 0.7
        model.modulation.grids[1, 1] = -0.7
    first, second = model.hidden(drawn(20, 2))
    assert torch.allclose(first, torch.tensor(0.7))
    assert (second == 0).all()


def test_constant_grids_scale_the_weights():
    model, plain = network(), network(replace(TOY, modulation=()))
    g, b = (1.5, 0.5), (0.2, -0.1)
    with torch.no_grad():
        for layer in range(2):
            model.modulation.grids[layer, 0], model.modulation.grids[layer, 1] = g[layer], b[layer]
            plain.linears[layer].weight.copy_(model.linears[layer].weight * g[layer])
            plain.linears[layer].bias.copy_(model.linears[layer].bias * g[layer] + b[layer])
        plain.linears[2].load_state_dict(model.linears[2].state_dict())
    x = drawn(30, 2)
    torch.testing.assert_close(model(x), plain(x), atol=1e-6, rtol=0)


def test_grids_meet_their_points_and_are_straight_between():
    grid = drawn(1, 3, 4)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 3), torch.linspace(0, 1, 4), indexing="ij")
    at = interpolated(grid, torch.stack([columns.flatten(), rows.flatten()], dim=1))
    torch.testing.assert_close(at[:, 0], grid.flatten(), atol=1e-6, rtol=0)
    between = interpolated(grid, torch.tensor([[1 / 6, 0.5]]))
    assert float(between) == pytest.approx(float(grid[0, 1, :2].mean()), abs=1e-6)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_grids_of_any_number_of_axes_hold_a_slope_and_go_on_beyond_the_border(axes):
    """A grid that rises along the last of its axes, which is the first coordinate."""
    grid = torch.linspace(2, 4, 5).expand(1, *[3] * (axes - 1), 5)
    x = drawn(40, axes)
    torch.testing.assert_close(interpolated(grid, x)[:, 0], 2 + 2 * x[:, 0], atol=1e-5, rtol=0)
    beyond = torch.full((1, axes), 1.3)
    assert float(interpolated(grid, beyond)) == pytest.approx(4)


def test_every_layer_has_its_own_pair():
    modulation = Modulation(3, (4, 4))
    with torch.no_grad():
        modulation.grids.copy_(torch.arange(6.0).reshape(3, 2, 1, 1).expand(3, 2, 4, 4))
    values = modulation(drawn(7, 2))
    assert values.shape == (3, 2, 7, 1)
    assert values[:, :, 0, 0].flatten().tolist() == pytest.approx(list(range(6)))


def test_normalised_features_and_what_they_do_not_see():
    z = drawn(20, 16) * 5 + 3
    out = normalised(z)
    assert out.mean(1).abs().max() < 1e-5
    torch.testing.assert_close(out.var(1, correction=0), torch.ones(20), atol=1e-4, rtol=0)
    torch.testing.assert_close(normalised(7 * z), out, atol=1e-4, rtol=0)
    torch.testing.assert_close(normalised(z[3:4])[0], out[3], atol=1e-6, rtol=0)


def test_scale_of_a_layer_is_lost_in_the_normalisation():
    model, x = network(replace(TOY, normalised=True)), drawn(30, 2)
    before = model(x)
    with torch.no_grad():
        model.linears[0].weight *= 30
        model.linears[0].bias *= 30
    torch.testing.assert_close(model(x), before, atol=5e-3, rtol=0)
    with torch.no_grad():
        model.linears[0].weight *= -1
    assert (model(x) - before).abs().max() > 0.02


def test_hidden_channels_can_be_renamed():
    model, x = network(replace(TOY, normalised=True)), drawn(30, 2)
    with torch.no_grad():
        model.modulation.grids += drawn(*model.modulation.grids.shape)
        before = model(x)
        order = torch.tensor([3, 0, 7, 1, 2, 6, 5, 4])
        first, second = model.linears[0], model.linears[1]
        first.weight.copy_(first.weight[order])
        first.bias.copy_(first.bias[order])
        second.weight.copy_(second.weight[:, order])
    torch.testing.assert_close(model(x), before, atol=1e-6, rtol=0)


def test_encodings_by_hand():
    x = torch.tensor([[0.25]])
    octaves = network(replace(LINE, octaves=2)).encode(x)
    assert octaves[0].tolist() == pytest.approx(
        [0.25, math.sin(0.25), math.sin(0.5), math.cos(0.25), math.cos(0.5)]
    )
    fourier = network(CAMConfig(2, 1, fourier=5))
    assert fourier.encode(drawn(9, 2)).square().sum(1).tolist() == pytest.approx([5.0] * 9, abs=1e-4)
    assert "frequencies" not in dict(fourier.named_parameters())
    plain = network(replace(TOY, modulation=()))
    assert torch.equal(plain.encode(drawn(9, 2)), drawn(9, 2))


def test_a_grid_of_features_stands_before_the_network():
    model = network(CAMConfig(2, 1, features=3, feature_grid=(4, 4)))
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(model.encode(x), torch.stack([model.features[:, 0, 0], model.features[:, 0, 3]]))


def test_grids_learn_ten_times_as_fast():
    optimiser = image_recipe(100).make(network(), Settings(1, 0, 1e-3))
    rates = {group["lr"]: [p.ndim for p in group["params"]] for group in optimiser.param_groups}
    assert rates[1e-2] == [4]
    assert sorted(rates) == [1e-3, 1e-2]
    assert all(group["weight_decay"] == 0 for group in optimiser.param_groups)


def test_gradients_reach_grids_and_weights_and_lower_the_loss():
    model, x = network(), drawn(64, 2)
    y = torch.sin(6 * x).prod(1, keepdim=True).expand(64, 3).abs()
    recipe = Settings(30, 0, 1e-2)
    history = fit(model, mean_squared_error, Tensors(x, y), None, recipe, seed=0, **image_recipe(30).hooks)
    assert history.losses[-1] < 0.9 * history.losses[0]
    assert (model.modulation.grids[:, 0] - 1).abs().max() > 0.01
    assert model.modulation.grids[:, 1].abs().max() > 0.01


def test_the_field_has_an_inside_and_an_outside():
    points = field_points(4000, 0)
    assert points.x.shape == (4000, 3)
    assert points.y.shape == (4000, 4)
    assert float(points.y.min()) >= 0
    assert float(points.y.max()) <= 1
    assert 0.02 < float((points.y[:, 3] > 0.5).double().mean()) < 0.2
    assert float(points.y[points.y[:, 3] == 0].abs().max()) == 0


def test_networks_of_as_many_parameters():
    for configs in (IMAGES, COLOURED, FIELDS):
        ours = counted_parameters(configs["CAM + norm"])
        for name in ("plain, wider", "grid first"):
            assert abs(counted_parameters(configs[name]) / ours - 1) <= 0.05


DB = {
    "plain": 19.7,
    "plain, wider": 20.0,
    "norm": 24.7,
    "grid first": 30.0,
    "CAM": 31.2,
    "CAM + norm": 32.3,
    "Fourier": 38.6,
    "Fourier, wider": 39.0,
    "Fourier + norm": 42.7,
    "Fourier + CAM": 19.6,
    "Fourier + CAM + norm": 43.3,
}


def claims(*, ratio=1.5, line=None, extra=0, larger=1.0, coloured=None, field=None, **image):
    """Which claims are shown by these figures; as published unless changed."""

    def found(figure, parameters):
        return [Fitted(None, figure, History(), parameters, torch.empty(0), 1.0)] * 2

    errors = {name: 0.05 if name.startswith("CAM") else 4.0 for name in LINES} | (line or {})
    names = {name.replace(" ", "_").replace(",", "").replace("+", "and"): name for name in DB}
    figures = DB | {names[key]: value for key, value in image.items()}
    sizes = {name: counted_parameters(config) for name, config in IMAGES.items()}
    sizes["CAM"] += extra
    sizes["Fourier + CAM + norm"] *= larger
    equal = {"plain, wider": 25.0, "grid first": 28.0, "CAM + norm": 30.0}
    checks = study.checks(
        {name: found(error, 1) for name, error in errors.items()},
        {name: found(figure, sizes[name]) for name, figure in figures.items()},
        {name: found(figure, 100) for name, figure in (equal | (coloured or {})).items()},
        {name: found(figure, 100) for name, figure in (equal | (field or {})).items()},
        ratio,
    )
    return [number for number, check in enumerate(checks) if not check.shown]


def test_every_claim_can_fail():
    assert claims() == []
    assert claims(line={"CAM, linear": 0.21}) == [0]
    assert claims(line={"CAM, ReLU": 0.21}) == [0]
    assert claims(plain=24.5) == [1]
    assert claims(Fourier=42.5) == [1]
    assert claims(larger=1.08) == [1]
    assert claims(Fourier_and_CAM=40.5) == [2]
    assert claims(ratio=2.1) == [3]
    assert claims(extra=1) == [3]
    assert claims(grid_first=32.4) == [4]
    assert claims(plain_wider=32.4) == [4]
    assert claims(coloured={"grid first": 30.1}) == [5]
    assert claims(field={"grid first": 30.1}) == [6]
    assert claims(field={"plain, wider": 30.1}) == [6]


def test_unequal_networks_prove_nothing():
    runs = {
        name: [Fitted(None, figure, History(), size, torch.empty(0), 1.0)]
        for name, figure, size in (("CAM + norm", 30.0, 100), ("plain, wider", 20.0, 94), ("grid first", 20.0, 100))
    }
    assert not study._equal("field", runs).shown
