import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.gmlp import (  # noqa: E402
    GMLP,
    PUBLISHED,
    UNITS,
    Block,
    GMLPConfig,
    SpatialMap,
    SpatialUnit,
    counted_parameters,
    patches,
    tabular_model,
)
from printedmlp.reference.studies import gmlp as study  # noqa: E402
from printedmlp.reference.studies.runs import Run  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    History,
    Settings,
    Tensors,
    built,
    cross_entropy,
    fit,
    parameter_count,
    seeded,
)

TOY = GMLPConfig(n_tokens=16, token_size=4, n_classes=10)
SMALL = GMLPConfig(n_tokens=5, token_size=3, n_classes=4, width=6, ffn=8, depth=1)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def started(make, seed=0):
    return built(make, seed).double()


def block(config=SMALL, seed=0, weights=True):
    """A block in float64; with `weights` its W is far from its start at about 0."""
    made = started(lambda: Block(config), seed)
    if weights and config.unit != "none":
        nn.init.normal_(made.spatial.map.tokens.weight, generator=seeded(seed + 1))
    return made


def test_spatial_map_by_hand():
    """Two tokens (1, 3) and (6, 2) normalise to (-1, 1) and (1, -1); W = [[1, 2], [0, 1]] and b = (1, 10)."""
    unit = SpatialMap(2, 2, weight_std=0.0).double()
    unit.norm.eps = 0.0
    with torch.no_grad():
        unit.tokens.weight.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
        unit.tokens.bias.copy_(torch.tensor([1.0, 10.0]))
    answer = unit(torch.tensor([[[1.0, 3.0], [6.0, 2.0]]], dtype=torch.float64))
    assert answer.squeeze(0).tolist() == [[2.0, 0.0], [11.0, 9.0]]


@pytest.mark.parametrize(
    ("name", "count"), [("gMLP-Ti/16", 5_867_328), ("gMLP-S/16", 19_422_656), ("gMLP-B/16", 73_075_392)]
)
def test_published_sizes(name, count):
    with torch.device("meta"):
        model = GMLP(PUBLISHED[name])
    assert parameter_count(model) == counted_parameters(PUBLISHED[name]) == count


@pytest.mark.parametrize(("depth", "count"), [(1, 7_322), (2, 14_090), (4, 27_626), (6, 41_162)])
def test_sizes_of_the_study(depth, count):
    config = replace(TOY, depth=depth)
    assert parameter_count(GMLP(config)) == counted_parameters(config) == count


def test_sizes_of_the_ablations():
    counts = {unit: parameter_count(GMLP(replace(TOY, unit=unit))) for unit in UNITS}
    assert counts == {"split": 27_626, "multiplicative": 36_330, "linear": 36_330, "none": 34_218}


def test_closed_gate_is_a_token_wise_network():
    made, X = block(weights=False), drawn(3, 5, 6)
    nn.init.zeros_(made.spatial.map.tokens.weight)
    kept = functional.gelu(made.widen(made.norm(X)))[..., :4]
    torch.testing.assert_close(made(X), X + made.narrow(kept))


def test_start_is_nearly_the_closed_gate_and_a_start_of_b_at_0_would_not_be():
    made, X = started(lambda: Block(SMALL)), drawn(3, 5, 6)
    kept = functional.gelu(made.widen(made.norm(X)))[..., :4]
    torch.testing.assert_close(made(X), X + made.narrow(kept), atol=0.02, rtol=0)
    nn.init.zeros_(made.spatial.map.tokens.bias)
    assert (made.spatial(functional.gelu(made.widen(made.norm(X)))) - kept).abs().max() > 0.1


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(5)), seed=st.integers(0, 1000), unit=st.sampled_from(UNITS))
def test_tokens_can_be_renamed(order, seed, unit):
    made, X = block(replace(SMALL, unit=unit), seed), drawn(2, 5, 6, seed=seed)
    before = made(X)[:, order]
    if unit != "none":
        tokens = made.spatial.map.tokens
        tokens.weight.data = tokens.weight.data[order][:, order]
        tokens.bias.data = tokens.bias.data[order]
    torch.testing.assert_close(made(X[:, order]), before)


@pytest.mark.parametrize("unit", UNITS)
def test_only_w_beside_the_diagonal_lets_tokens_speak(unit):
    made = block(replace(SMALL, unit=unit))

    def hearing():
        """(5, 5) of booleans: whether output token i depends on input token j."""
        slopes = torch.autograd.functional.jacobian(lambda X: made(X[None])[0].sum(dim=1), drawn(5, 6))
        return slopes.abs().sum(dim=2) > 1e-12

    alone = torch.eye(5, dtype=torch.bool)
    if unit == "none":
        assert torch.equal(hearing(), alone)
        return
    assert hearing().all()
    weight = made.spatial.map.tokens.weight
    weight.data = torch.diag(torch.diag(weight.data))
    assert torch.equal(hearing(), alone)


def test_gate_is_bilinear_but_for_its_offset():
    unit = started(lambda: SpatialUnit(SMALL))
    unit.map.norm = nn.Identity()
    nn.init.normal_(unit.map.tokens.weight, generator=seeded(0))
    kept, gate = drawn(2, 5, 4), drawn(2, 5, 4, seed=1)
    once, twice = unit(torch.cat([kept, gate], -1)), unit(torch.cat([kept, 2 * gate], -1))
    torch.testing.assert_close(twice - once, once - kept * 1.0)


def test_one_token_is_a_plain_network():
    config = replace(SMALL, n_tokens=1, unit="split")
    model = started(lambda: GMLP(config))
    nn.init.zeros_(model.blocks[0].spatial.map.tokens.weight)
    x, first = drawn(4, 1, 3), model.blocks[0]
    X = model.stem(x[:, 0])
    X = X + first.narrow(functional.gelu(first.widen(first.norm(X)))[:, :4])
    torch.testing.assert_close(model(x), model.head(model.norm(X)))


def test_patches_by_hand():
    image = torch.arange(16.0).reshape(1, 4, 4)
    assert patches(image, 2)[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    with pytest.raises(ConfigError, match="3 x 3 do not tile 4 x 4"):
        patches(image, 3)


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="'gate' is not one of split"):
        replace(SMALL, unit="gate")
    with pytest.raises(ConfigError, match="7 channels cannot be split"):
        replace(SMALL, ffn=7)


def test_gradients_are_those_of_finite_differences():
    made = block(replace(SMALL, ffn=4))
    assert torch.autograd.gradcheck(made, (drawn(1, 5, 6).requires_grad_(),))


def test_one_step_lowers_the_loss():
    model, x, y = built(lambda: tabular_model(7, 3), 0), drawn(40, 7).float(), torch.arange(40) % 3
    loss = cross_entropy()
    before = float(loss(model, x, y).detach())
    fit(model, loss, Tensors(x, y), None, Settings(1, 0, 1e-3), seed=0)
    assert float(loss(model, x, y).detach()) < before
    assert model(x).shape == (40, 3)


def measured(**changed):
    """Three runs of each variant of the study that show every claim, but for the accuracies given by name."""
    accuracies = {"split1": 0.95, "split2": 0.96, "split4": 0.98, "split6": 0.98}
    accuracies |= {"multiplicative4": 0.985, "linear4": 0.97, "none4": 0.7} | changed
    return {
        (unit, depth): [
            Run(GMLP(replace(study.BASE, unit=unit, depth=depth)), accuracies[f"{unit}{depth}"], History())
            for _ in range(3)
        ]
        for unit, depth in study.VARIANTS
    }


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"split4": 0.965, "split1": 0.95}, [1, 3]),
        ({"none4": 0.84}, [1]),
        ({"split2": 0.94}, []),
        ({"split2": 0.93}, [2]),
        ({"split1": 0.975}, [2]),
        ({"multiplicative4": 0.995, "linear4": 0.99}, [3]),
        ({"linear4": 0.984}, [4]),
        ({"linear4": 0.99}, [4]),
    ],
)
def test_claims_are_shown_or_not(changed, missing):
    checks = study.checks(measured(**changed))
    assert [number for number, check in enumerate(checks) if not check.shown] == missing
