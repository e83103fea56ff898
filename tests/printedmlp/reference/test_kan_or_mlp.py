import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402
from itertools import pairwise  # noqa: E402

from printedmlp.reference.kan import KANConfig, bspline_basis, fit_coefficients  # noqa: E402
from printedmlp.reference.kan_or_mlp import (  # noqa: E402
    Cost,
    FixedKANLayer,
    SplineActivation,
    SplineConfig,
    SplineMLP,
    average_accuracy,
    backward_transfer,
    fixed_kan,
    kan_cost,
    mlp_cost,
    spline_mlp_cost,
    tabular_model,
)
from printedmlp.reference.mlp import MLP, Config  # noqa: E402
from printedmlp.reference.studies import kan_or_mlp as study  # noqa: E402
from printedmlp.reference.studies.kan_or_mlp_runs import (  # noqa: E402
    CONTINUAL,
    FORMULA,
    KAN4,
    MLP32,
    TABLES,
    Forgetting,
    Score,
)
from printedmlp.reference.training import (  # noqa: E402
    Settings,
    Tensors,
    built,
    cross_entropy,
    fit,
    parameter_count,
    seeded,
)


@pytest.mark.parametrize(
    ("widths", "activation", "cost"),
    [
        ((784, 32, 10), "relu", Cost(25450, 50858)),
        ((784, 32, 10), "gelu", Cost(25450, 51404)),
        ((784, 1024, 10), "relu", Cost(814090, 1627146)),
        ((784, 1024, 10), "gelu", Cost(814090, 1640588)),
        ((7, 32, 2), "relu", Cost(322, 610)),
    ],
)
def test_published_costs_of_mlps(widths, activation, cost):
    assert mlp_cost(widths, activation) == cost
    with torch.device("meta"):
        assert parameter_count(MLP(Config(widths[0], widths[-1], widths[1:-1], "gelu"))) == cost.parameters


@pytest.mark.parametrize(
    ("widths", "grid", "order", "base", "cost"),
    [
        ((784, 2, 10), 3, 2, "zero", Cost(11128, 174680)),
        ((784, 2, 10), 3, 2, "identity", Cost(12716, 177856)),
        ((784, 2, 10), 3, 2, "silu", Cost(12716, 181786)),
        ((784, 2, 10), 20, 2, "zero", Cost(38124, 714600)),
        ((7, 8, 2), 3, 3, "silu", Cost(658, 14763)),
    ],
)
def test_published_costs_of_kans(widths, grid, order, base, cost):
    assert kan_cost(widths, grid, order, base) == cost
    edges = sum(n * m for n, m in pairwise(widths))
    model = built(lambda: fixed_kan(KANConfig(widths, grid=grid, order=order, base=base)), 0)
    assert parameter_count(model) == cost.parameters - edges, "the formula charges an edge one number too many"


def test_costs_of_spline_mlps():
    assert spline_mlp_cost((5, 4, 3), 5, 3) == Cost(39 + 7 * 8, 64 + 7 * 258)
    assert spline_mlp_cost((5, 4, 3), 5, 3, first=True) == Cost(39 + 9 * 8, 64 + 9 * 258)
    assert parameter_count(SplineMLP((5, 4, 3), SplineConfig())) == 39 + 4 * 8, "no spline behind the last layer"
    assert parameter_count(SplineMLP((5, 4, 3), SplineConfig(), first=True)) == 39 + 9 * 8


def test_spline_activation_is_a_spline_a_neuron():
    layer = SplineActivation(3, SplineConfig(noise=5.0), generator=seeded(0))
    z = torch.randn(20, 3, generator=seeded(1))
    for neuron in range(3):
        basis = bspline_basis(z[:, neuron : neuron + 1], layer.knots, 3)[:, 0]
        assert torch.allclose(layer(z)[:, neuron], basis @ layer.coefficients[neuron], atol=1e-6)
    assert not layer(torch.full((1, 3), 99.0)).any()


def test_splines_fitted_to_the_identity_leave_a_linear_map():
    model = SplineMLP((2, 4, 3), SplineConfig())
    first, splines, last = model.layers
    assert isinstance(splines, SplineActivation)
    places = torch.linspace(-3.9, 3.9, 200)[:, None]
    line = fit_coefficients(places, places[:, :, None].repeat(1, 1, 4), splines.knots, 3)[0]
    splines.coefficients.data = line
    x = torch.rand(30, 2, generator=seeded(0))
    assert torch.allclose(model(x), last(first(x)), atol=1e-5)


def test_a_kan_of_identity_bases_without_splines_is_linear():
    layer = FixedKANLayer(4, 3, KANConfig((4, 3), base="identity"))
    layer.coefficients.data.zero_()
    x = torch.randn(10, 4, generator=seeded(0))
    assert torch.allclose(layer(x), x @ layer.base_weight + layer.bias, atol=1e-6)


def test_a_narrow_grid_without_base_hears_nothing_of_far_inputs():
    config = KANConfig((4, 3), base="zero", noise=5.0)
    far = torch.full((1, 4), 3.5)
    assert not built(lambda: fixed_kan(config), 0)(far).any()
    assert built(lambda: fixed_kan(replace(config, low=-4.0, high=4.0)), 0)(far).any()


def test_forgetting_by_hand():
    history = torch.tensor([[0.9, 0.0, 0.0], [0.5, 0.8, 0.0], [0.3, 0.2, 1.0]])
    assert average_accuracy(history) == pytest.approx(0.5)
    assert backward_transfer(history) == pytest.approx((-0.6 - 0.6) / 2)
    assert backward_transfer(history, with_last=True) == pytest.approx(-0.4)
    frozen = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    assert backward_transfer(frozen) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: tabular_model(6, 3),
        lambda: SplineMLP((6, 8, 3), SplineConfig(), first=True),
        lambda: fixed_kan(KANConfig((6, 4, 3), grid=5, low=-4.0, high=4.0, noise=0.1)),
    ],
)
def test_training_lowers_the_loss(make):
    model = built(make, 0)
    x = torch.randn(100, 6, generator=seeded(0))
    history = fit(model, cross_entropy(), Tensors(x, x[:, :3].argmax(1)), None, Settings(30, 0, 1e-2), seed=0)
    assert history.losses[1] < history.losses[0]
    assert history.losses[-1] < 0.97 * history.losses[0]
    assert all(p.grad is not None and bool(p.grad.any()) for p in model.parameters())
    assert model(x).shape == (100, 3)
    assert model(x).dtype == torch.float32


def test_gradients():
    model = built(lambda: SplineMLP((2, 3, 1), SplineConfig(noise=3.0)), 0).double()
    x = torch.randn(4, 2, generator=seeded(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(model, (x,))


def claims(digits=0.9, wine=0.96, kan=1e-4, spline=5e-5, lost=0.6):
    """Which claims are shown; found as stated unless changed."""
    paired = {(MLP32, name): Score((0.95,), 1, 1.0) for name in TABLES}
    paired |= {
        (KAN4, name): Score((score,), 1, 1.0) for name, score in zip(TABLES, (digits, 0.95, wine), strict=True)
    }
    errors = (kan, 2e-3, 1e-3, spline, 1e-2)
    formula = {design: Score((error,), 1, 1.0) for design, error in zip(FORMULA, errors, strict=True)}
    kept = torch.tensor([[0.9, 0.0], [0.9, 0.9]])
    turns = {
        design: Forgetting((kept - lost * (design == KAN4) * torch.eye(2).flip(1),), 1, 1.0) for design in CONTINUAL
    }
    return [check.shown for check in study.checks(paired, formula, turns)]


def test_every_claim_can_fail():
    assert claims() == [True] * 9
    broken = [claims(digits=0.93), claims(wine=0.9), claims(kan=4e-4), claims(spline=1e-3), claims(lost=0.1)]
    assert [found.index(False) for found in broken] == [0, 2, 3, 5, 6]
    assert [found.count(False) for found in broken] == [1] * 5
    assert claims(spline=3e-3)[4] is False
