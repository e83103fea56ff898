import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from torch import nn  # noqa: E402

from printedmlp.reference.mlp import MLP, Config  # noqa: E402
from printedmlp.reference.spectral_bias import (  # noqa: E402
    CoordinateConfig,
    CoordinateMLP,
    boundary_distance,
    confusion,
    dead_units,
    frequency_error,
    hamming,
    inradius,
    patterns,
    positional_encoding,
    regions,
    spectral_norms,
    tones,
)
from printedmlp.reference.studies import spectral_bias as study  # noqa: E402
from printedmlp.reference.studies.spectral_bias_runs import EVERY, IMAGE, SIGNAL, UNIT, Result  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    parameter_count,
    seeded,
)


def network(*, seed=0, **changes):
    config = replace(CoordinateConfig(1, (16, 16), 1), **changes)
    model = built(lambda: CoordinateMLP(config), seed)
    assert isinstance(model, CoordinateMLP)
    return model


def hinges(*kinks):
    """One hidden layer that bends at each of the places."""
    model = network(hidden=(len(kinks),))
    parameters = dict(model.named_parameters())
    parameters["linears.0.weight"].data = torch.ones(len(kinks), 1)
    parameters["linears.0.bias"].data = -torch.tensor(kinks)
    return model


def line(n):
    return (torch.arange(n)[:, None] + 0.5) / n


PAIR = torch.tensor([[0, 1]])


def test_one_unit_by_hand():
    model, points = hinges(0.5), torch.tensor([[0.4], [0.6]])
    assert patterns(model, points).tolist() == [[False], [True]]
    assert regions(patterns(model, line(100))) == 2
    assert hamming(patterns(model, points), PAIR) == 1
    assert boundary_distance(model, points).tolist() == pytest.approx([0.1, 0.1])
    assert inradius(model, points[0], 0.0, 1.0) == pytest.approx(0.25)


def test_regions_of_one_layer_are_one_more_than_its_kinks():
    kinks = (0.1, 0.25, 0.3, 0.8, 0.95)
    assert regions(patterns(hinges(*kinks), line(1000))) == 6
    assert inradius(hinges(*kinks), torch.tensor([0.5]), 0.0, 1.0) == pytest.approx(0.25)


def test_dead_units():
    assert dead_units(patterns(hinges(0.5, 2.0, -1.0), line(50))) == 1


def test_encoding_by_hand():
    zero = positional_encoding(torch.zeros(1, 2), 3)
    assert zero.tolist() == [[0, 1] * 6]
    half = positional_encoding(torch.tensor([[0.5]]), 2)
    assert half[0].tolist() == pytest.approx([1, 0, 0, -1], abs=1e-6)
    points = torch.rand(20, 2, generator=seeded(0))
    assert torch.allclose(positional_encoding(points, 5).square().sum(1), torch.tensor(10.0))
    assert positional_encoding(points, 0) is points


def test_without_encoding_it_is_a_plain_mlp():
    model, plain = network(axes=2, outputs=3), MLP(Config(2, 3, (16, 16), "relu"))
    plain.load_state_dict(model.state_dict())
    points = torch.rand(9, 2, generator=seeded(0))
    assert torch.allclose(model(points), plain(points), atol=1e-7)


def test_parameters():
    with torch.device("meta"):
        raw = parameter_count(CoordinateMLP(CoordinateConfig(1, (64,) * 4, 1)))
        encoded = parameter_count(CoordinateMLP(CoordinateConfig(2, (128, 128), 3, frequencies=5)))
    assert raw == 128 + 3 * 64 * 65 + 65
    assert encoded == 128 * 21 + 128 * 129 + 3 * 129


def test_the_output_is_affine_within_a_region():
    model, points = network(hidden=(4, 4)), line(400)
    bits = patterns(model, points)
    same = ((bits[:-2] == bits[1:-1]) & (bits[1:-1] == bits[2:])).all(1)
    bend = model(points).detach().double().flatten()
    assert int(same.sum()) > 300
    assert float((bend[:-2] - 2 * bend[1:-1] + bend[2:])[same].abs().max()) < 1e-6


def test_a_point_is_never_confused_with_itself_unless_its_residual_turns():
    model = network()
    points = torch.tensor([[0.3], [0.3]])
    value = model(points[:1]).detach()
    assert float(confusion(model, points, torch.cat([value + 1, value + 2]), PAIR)) == pytest.approx(1)
    assert float(confusion(model, points, torch.cat([value + 1, value - 2]), PAIR)) == pytest.approx(-1)
    assert float(confusion(model, points, torch.cat([value + 1, value + 1]), torch.tensor([[0, 0]]))) == 1.0


def test_confusion_of_a_linear_layer():
    model = network(axes=2, hidden=())
    points, y = torch.tensor([[1.0, 2.0], [-3.0, 0.5]]), torch.tensor([[4.0], [-7.0]])
    residual = (model(points) - y).detach().flatten()
    one, two = torch.cat([points, torch.ones(2, 1)], dim=1)
    expected = torch.sign(residual[0] * residual[1]) * (one @ two) / (one.norm() * two.norm())
    assert float(confusion(model, points, y, PAIR)) == pytest.approx(float(expected), abs=1e-6)


def test_confusion_agrees_with_one_backward_pass_a_point():
    model, points = network(frequencies=2, outputs=2), torch.rand(5, 1, generator=seeded(0))
    y, pairs = torch.randn(5, 2, generator=seeded(1)), torch.tensor([[0, 3], [4, 1]])
    rows = [
        torch.cat(
            [g.flatten() for g in torch.autograd.grad((model(p[None]) - v).square().sum(), model.parameters())]
        )
        for p, v in zip(points, y, strict=True)
    ]
    expected = [float(nn.functional.cosine_similarity(rows[a], rows[b], dim=0)) for a, b in pairs.tolist()]
    assert confusion(model, points, y, pairs).tolist() == pytest.approx(expected, abs=1e-5)


def test_spectral_norms_bound_the_slope_and_survive_rescaling():
    model, points = network(hidden=(16,)), line(50)
    before = spectral_norms(model)
    slope = (model(points)[1:] - model(points)[:-1]).detach().abs() * 50
    assert float(slope.max()) <= before[0] * before[1] * (1 + 1e-4)
    parameters = dict(model.named_parameters())
    parameters["linears.0.weight"].data *= 3
    parameters["linears.1.weight"].data /= 3
    after = spectral_norms(model)
    assert after[0] * after[1] == pytest.approx(before[0] * before[1])


def test_error_by_frequency():
    ks = torch.tensor([3, 7])
    _, low = tones(64, ks[:1], torch.tensor([0.2]))
    t, both = tones(64, ks, torch.tensor([0.2, 0.6]))
    assert frequency_error(low.flatten(), both.flatten(), ks).tolist() == pytest.approx([0, 1], abs=1e-5)
    assert t[:3, 0].tolist() == [0, 1 / 64, 2 / 64]
    assert float(both.square().mean()) == pytest.approx(1.0)


def test_encoding_lowers_the_loss_further():
    t, y = tones(128, torch.tensor([2, 9]), torch.tensor([0.1, 0.5]))
    losses = {}
    for frequencies in (0, 5):
        recipe = Settings(epochs=150, batch_size=0, learning_rate=3e-3)
        history = fit(network(frequencies=frequencies), mean_squared_error, Tensors(t, y), None, recipe, seed=0)
        assert history.losses[1] < history.losses[0]
        losses[frequencies] = history.losses[-1]
    assert losses[5] < 0.2 * losses[0]


def claims(**changes):
    """Which claims are shown; found as stated unless the raw coordinates' results are changed."""

    def result(place, frequencies):
        spectrum = torch.linspace(0.1, 1.0, 10).repeat(200 // EVERY, 1) if frequencies else torch.ones(8, 10)
        cosines = torch.tensor([1.0, -1.0] * 5) * (1 if not frequencies else 0.5)
        return Result(10.0**-place, 10 + place, 4.0**place, 50.0, 3, 0.1, 5.0, cosines, spectrum, 1, 1.0)

    one, two = (
        {name: [result(place, found[name])] for place, name in enumerate(found)} for found in (SIGNAL, IMAGE)
    )
    one[UNIT] = [replace(one[UNIT][0], **changes)]
    return [check.shown for check in study.checks(one, two)]


def test_every_claim_can_fail():
    assert claims() == [True] * 7
    broken = [
        claims(mse=0.01),
        claims(local=30.0),
        claims(regions=12),
        claims(spectrum=torch.full((8, 10), 0.7)),
        claims(confusions=torch.tensor([0.2, -0.2])),
    ]
    assert [found.index(False) for found in broken] == [0, 2, 2, 5, 6]
    assert [found.count(False) for found in broken] == [1] * 5
