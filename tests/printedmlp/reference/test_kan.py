import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from printedmlp.reference.kan import (  # noqa: E402
    KAN,
    KANConfig,
    KANLayer,
    bspline_basis,
    extended,
    fit_coefficients,
    kept_nodes,
    pruned,
    sample_knots,
    sparsity,
    tabular_model,
)
from printedmlp.reference.kan_formula import LIBRARY, Snap, choose, formula_of, snap  # noqa: E402
from printedmlp.reference.studies import kan as study  # noqa: E402
from printedmlp.reference.studies.kan_runs import Reading, Staircase  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    parameter_count,
    seeded,
)

WIDE = torch.float64


def uniform(n, features, seed=0):
    return torch.rand(n, features, generator=seeded(seed), dtype=WIDE) * 2 - 1


def small(seed=0, **changes):
    return KAN(replace(KANConfig((2, 5, 1)), **changes), generator=seeded(seed), dtype=WIDE)


def test_hats_by_hand():
    knots = extended(torch.tensor([[0.0, 1.0, 2.0]]), 1)
    assert knots.tolist() == [[-1, 0, 1, 2, 3]]
    basis = bspline_basis(torch.tensor([[0.25], [1.5]]), knots, 1)
    assert basis[:, 0].tolist() == [[0.75, 0.25, 0], [0, 0.5, 0.5]]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 4), st.integers(0, 100))
def test_basis_is_a_partition_of_unity(grid, order, seed):
    knots = sample_knots(uniform(50, 2, seed), grid, order)
    inside = knots[:, order] + (knots[:, order + grid] - knots[:, order]) * torch.rand(40, 1, dtype=WIDE) * 0.999
    basis = bspline_basis(inside, knots, order)
    assert basis.shape == (40, 2, grid + order)
    assert torch.allclose(basis.sum(-1), torch.ones(40, 2, dtype=WIDE), atol=1e-12)
    assert (basis >= 0).all()
    assert int((basis > 0).sum(-1).max()) <= order + 1


def test_basis_vanishes_outside_its_knots():
    knots = extended(torch.linspace(-1, 1, 4)[None], 3)
    assert not bspline_basis(torch.tensor([[-9.0], [9.0]]), knots, 3).any()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_splines_hold_polynomials_up_to_their_order(order):
    x = uniform(300, 1)
    y = (x**order - 0.3 * x + 2).unsqueeze(-1)
    knots = sample_knots(x, 4, order)
    again = torch.einsum("bik,iok->bio", bspline_basis(x, knots, order), fit_coefficients(x, y, knots, order))
    assert torch.allclose(again, y, atol=1e-10)


def test_cubic_splines_gain_sixteenfold_when_the_grid_doubles():
    x = torch.linspace(-1, 1, 4001, dtype=WIDE)[:-1, None]
    y = torch.sin(3 * x).unsqueeze(-1)
    errors = []
    for grid in (5, 10, 20, 40, 80):
        knots = extended(torch.linspace(-1, 1, grid + 1, dtype=WIDE)[None], 3)
        again = torch.einsum("bik,iok->bio", bspline_basis(x, knots, 3), fit_coefficients(x, y, knots, 3))
        errors.append(float((again - y).square().mean().sqrt()))
    assert errors == pytest.approx([2.14e-3, 9.79e-5, 5.53e-6, 3.36e-7, 2.09e-8], rel=0.01)
    assert errors[3] / errors[4] == pytest.approx(16, rel=0.02)


@pytest.mark.parametrize(("grid", "count"), [(3, 120), (10, 225), (20, 375), (100, 1575)])
def test_parameters_of_the_published_shape(grid, count):
    assert parameter_count(small(grid=grid)) == 15 * (grid + 3) + 2 * 15 == count


def test_two_ways_to_add_the_edges_agree():
    model, x = small(), uniform(20, 2)
    for base in ("silu", "identity", "zero"):
        layer = KANLayer(2, 5, KANConfig((2, 5), base=base), generator=seeded(1), dtype=WIDE)
        layer.mask[1, 2] = 0
        assert torch.allclose(layer(x), layer.edges(x).sum(1), atol=1e-12)
    assert torch.allclose(model(x), model.edges(x)[-1].sum(1), atol=1e-12)


def test_without_splines_it_is_a_linear_layer():
    x = uniform(20, 2)
    for base, before in (("identity", nn.Identity()), ("silu", nn.SiLU())):
        layer = KANLayer(2, 5, KANConfig((2, 5), base=base), generator=seeded(1), dtype=WIDE)
        nn.init.zeros_(layer.spline_weight)
        assert torch.allclose(layer(x), before(x) @ layer.base_weight, atol=1e-12)


def test_far_outside_the_grid_only_the_base_is_left():
    layer = KANLayer(2, 3, KANConfig((2, 3)), generator=seeded(0), dtype=WIDE)
    far = torch.full((1, 2), 50.0, dtype=WIDE)
    assert torch.allclose(layer(far), nn.functional.silu(far) @ layer.base_weight)
    (gradient,) = torch.autograd.grad(layer(far).sum(), [layer.coefficients])
    assert not gradient.any()


def test_grid_extension_keeps_the_function_where_grids_nest():
    model, x = small(low=-3.0, high=3.0, noise=5.0), uniform(500, 2)
    before = model(x)
    model.refine(x, 6)
    assert parameter_count(model) == 15 * (6 + 5)
    assert torch.allclose(model(x), before, atol=1e-10)


def test_moving_knots_to_the_samples_nearly_keeps_a_smooth_function():
    model, x = small(noise=0.1, grid=10), 3 * uniform(500, 2)
    before = model(x)
    model.follow_samples(x)
    assert torch.allclose(model(x), before, atol=0.05)
    assert (model.layers[0].knots[:, 3] < x.min(0).values).all()
    assert (model.layers[0].knots[:, -4] > x.max(0).values).all()


def test_sample_knots_increase_even_for_a_constant_input():
    x = torch.cat([torch.zeros(30, 1, dtype=WIDE), uniform(30, 1).round()], dim=1)
    assert (sample_knots(x, 5, 3).diff(dim=1) > 0).all()


def test_order_of_hidden_nodes_does_not_matter():
    model, x = small(), uniform(30, 2)
    before, order = model(x), torch.tensor([3, 1, 4, 0, 2])
    for name in ("coefficients", "base_weight", "spline_weight"):
        first, second = getattr(model.layers[0], name), getattr(model.layers[1], name)
        first.data, second.data = first.data[:, order], second.data[order]
    assert torch.allclose(model(x), before, atol=1e-12)


def test_pruning_a_silent_node_changes_nothing():
    model, x = small(noise=3.0), uniform(200, 2)
    with torch.no_grad():
        model.layers[1].mask[3] = 0
    (kept,) = kept_nodes(model, x, 1e-6)
    assert kept.tolist() == [0, 1, 2, 4]
    smaller = pruned(model, x, 1e-6)
    assert smaller.config.widths == (2, 4, 1)
    assert torch.allclose(smaller(x), model(x), atol=1e-12)


def test_sparsity_by_hand():
    edges = torch.tensor([[[1.0, 0.0], [0.0, -1.0]], [[3.0, 0.0], [0.0, 3.0]]])
    assert float(sparsity([edges], 1.0, 0.0)) == pytest.approx(4)
    assert float(sparsity([edges], 0.0, 1.0)) == pytest.approx(float(torch.log(torch.tensor(2.0))))


def test_gradients():
    model, x = small(noise=1.0), uniform(3, 2)
    coefficients = model.layers[0].coefficients

    def output(values):
        return torch.func.functional_call(model, {"layers.0.coefficients": values}, (x,))

    assert torch.autograd.gradcheck(output, (coefficients.detach().clone().requires_grad_(),))


def test_training_lowers_the_loss():
    x = uniform(200, 2)
    train = Tensors(x, torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2))
    recipe = Settings(epochs=4, batch_size=0, learning_rate=1.0, optimiser="lbfgs")
    history = fit(small(), mean_squared_error, train, None, recipe, seed=0)
    assert history.losses[1] < history.losses[0]
    assert history.losses[-1] < 0.2 * history.losses[0]


@pytest.mark.parametrize("name", ["x", "x^2", "exp", "sin", "tanh"])
def test_snap_finds_the_function_it_was_sampled_from(name):
    x = uniform(100, 1).flatten()
    found = snap(x, 2.5 * LIBRARY[name](1.7 * x + 0.4) - 1, name)
    assert found.r2 > 0.99999
    assert choose(x, 2.5 * LIBRARY[name](1.7 * x + 0.4) - 1).r2 > 0.998


def test_the_simpler_function_is_preferred():
    x = uniform(100, 1).flatten()
    assert choose(x, 3 * x - 1).name == "x"
    assert choose(x, (x - 0.1).square()).name == "x^2"
    assert choose(x, torch.sin(3 * x)).name == "sin"
    assert choose(x, torch.exp(1.5 * x)).name == "exp"


def test_formula_of_a_network_of_known_edges():
    x = uniform(100, 2)
    with torch.no_grad():
        model = KAN(KANConfig((2, 1, 1), grid=20, low=-4.0, high=4.0), generator=seeded(0), dtype=WIDE)
        for layer in model.layers:
            layer.base_weight.zero_()
            layer.spline_weight.fill_(1)
        first, second = model.layers
        inner = torch.stack([torch.sin(3 * x[:, :1]), x[:, 1:].square()], dim=1)
        first.coefficients.copy_(fit_coefficients(x, inner, first.knots, 3))
        node = first(x)
        second.coefficients.copy_(fit_coefficients(node, torch.exp(node).unsqueeze(-1), second.knots, 3))
    formula, edges = formula_of(model, x)
    assert [edge.name for edge in edges] == ["sin", "x^2", "exp"]
    expected = torch.exp(torch.sin(3 * x[:, :1]) + x[:, 1:].square())
    assert torch.allclose(formula(x), expected, atol=0.02)


def test_tabular_model_gives_logits():
    model = built(lambda: tabular_model(7, 3), 0)
    assert model(torch.randn(5, 7)).shape == (5, 3)
    assert model(torch.randn(5, 7)).dtype == torch.float32


def claims(fine=0.001, mlp=0.01, local=1e-5, dense=1.0, kept=(1, 3), names=("sin", "x^2", "exp"), r2=0.999):
    """Which claims are shown; found as stated unless changed."""
    stairs = [Staircase((3, 10, 20), test=[0.02, 0.002, fine])]
    edges = [Snap(name, 1, 0, 1, 0, r2) for name in names]
    best = Reading(1, 0.1, small(), edges)
    found = study.checks(stairs, {(8,): [(mlp, 1, 1.0)]}, [[0, local]], [[0, dense]], list(kept), best)
    return [check.shown for check in found]


def test_every_claim_can_fail():
    assert claims() == [True] * 5
    broken = [
        claims(fine=0.02 * 0.16),
        claims(mlp=0.001),
        claims(local=0.01),
        claims(kept=(1, 4)),
        claims(names=("sin", "sin", "exp")),
    ]
    assert [found.index(False) for found in broken] == [0, 1, 2, 3, 4]
    assert [found.count(False) for found in broken] == [1] * 5
    assert claims(dense=0.05)[2] is False
    assert claims(kept=(0, 1))[3] is False
    assert claims(r2=0.99)[4] is False
