import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.ms_mlp import (  # noqa: E402
    MSMLP,
    PUBLISHED,
    SHIFTS,
    Block,
    ChannelNorm,
    MSMLPConfig,
    ShiftedMix,
    counted_parameters,
    group_sizes,
    reach,
)
from printedmlp.reference.studies import ms_mlp as study  # noqa: E402
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

KERNELS = (1, 1, 3, 5, 7)
STILL = (0, 0, 0, 0, 0)
POINTS = (1, 1, 1, 1, 1)
TOY = MSMLPConfig(1, 3, (10, 10), (1, 1), ((3, 1, 1, 1, 3), (1, 1, 3, 1, 1)), gamma=0.1)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def started(make, seed=0):
    return built(make, seed).double()


def block(shifts=SHIFTS, kernels=KERNELS, channels=10, gamma=1.0, seed=0):
    return started(lambda: Block(channels, shifts, kernels, gamma), seed)


def span(picture, axis):
    """First and last row (axis 0) or column (axis 1) that is not zero."""
    lit = torch.nonzero(picture.abs().sum(dim=1 - axis) > 1e-12).flatten().tolist()
    assert lit == list(range(lit[0], lit[-1] + 1))
    return lit[0], lit[-1]


@pytest.mark.parametrize("axis", [3, 2])
def test_impulse_by_hand(axis):
    """At (7, 7) of 15 x 15: group i lights its kernel's square around 7 and, along the axis, 7 + its shift."""
    branch = started(lambda: ShiftedMix(5, SHIFTS, KERNELS, axis))
    for mixer in branch.mixers:
        nn.init.ones_(mixer.weight)
        nn.init.zeros_(mixer.bias)
    image = torch.zeros(1, 5, 15, 15, dtype=torch.float64)
    image[..., 7, 7] = 1
    answer = branch(image)[0]
    still, shifted = (0, 1) if axis == 3 else (1, 0)
    assert [span(group, still) for group in answer] == [(7, 7), (7, 7), (6, 8), (5, 9), (4, 10)]
    assert [span(group, shifted) for group in answer] == [(5, 5), (6, 6), (6, 8), (6, 10), (6, 12)]


@pytest.mark.parametrize(("name", "count"), [("Tiny", 28_656_232), ("Small", 50_303_752), ("Base", 88_696_792)])
def test_published_sizes(name, count):
    with torch.device("meta"):
        model = MSMLP(PUBLISHED[name])
    assert parameter_count(model) == counted_parameters(PUBLISHED[name]) == count


@pytest.mark.parametrize(
    "config", [TOY, replace(TOY, stem_norm=False), MSMLPConfig(2, 4, (9, 14), (2, 1), (KERNELS, POINTS), patch=2)]
)
def test_sizes_of_toys(config):
    assert parameter_count(MSMLP(config)) == counted_parameters(config)


def test_groups_by_hand():
    assert [group_sizes(width, 5) for width in (96, 128, 192)] == [
        [20] * 4 + [16],
        [26] * 4 + [24],
        [39] * 4 + [36],
    ]
    assert [group_sizes(width, 5) for width in (384, 768)] == [[77] * 4 + [76], [154] * 4 + [152]]
    with pytest.raises(ConfigError, match="6 channels make 3 groups, not 5"):
        group_sizes(6, 5)


def test_without_scale_the_block_is_the_identity():
    X = drawn(2, 10, 6, 6)
    assert torch.equal(block(gamma=0.0)(X), X)
    assert not torch.allclose(block()(X), X)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(12)), seed=st.integers(0, 1000))
def test_without_shifts_and_kernels_it_is_a_network_of_single_pixels(order, seed):
    made, X = block(STILL, POINTS, seed=seed), drawn(2, 10, 3, 4, seed=seed)
    renamed = X.flatten(2)[..., order].reshape(X.shape)
    torch.testing.assert_close(made(renamed), made(X).flatten(2)[..., order].reshape(X.shape))
    pixel = X[:, :, :1, :1]
    torch.testing.assert_close(made(pixel), made(X)[:, :, :1, :1])


def test_shifts_look_at_other_pixels():
    X = drawn(2, 10, 3, 4)
    flipped = block(SHIFTS, POINTS)(X.flip(3)).flip(3)
    assert not torch.allclose(flipped, block(SHIFTS, POINTS)(X))


@settings(max_examples=10, deadline=None)
@given(down=st.integers(-5, 5), right=st.integers(-5, 5))
def test_rolled_image_gives_the_rolled_answer(down, right):
    made, X = block(SHIFTS, POINTS), drawn(2, 10, 6, 7)
    torch.testing.assert_close(made(X.roll((down, right), (2, 3))), made(X).roll((down, right), (2, 3)))


def test_shifts_do_nothing_to_a_constant_image_away_from_its_border():
    X = drawn(1, 10, 1, 1).expand(1, 10, 11, 11)
    moved, still = block(seed=1), block(STILL, seed=1)
    torch.testing.assert_close(moved(X)[..., 3:8, 3:8], still(X)[..., 3:8, 3:8])


@pytest.mark.parametrize(
    ("shifts", "kernels", "n_blocks"),
    [(SHIFTS, KERNELS, 1), (SHIFTS, POINTS, 1), (STILL, (3,) * 5, 1), (SHIFTS, (1, 1, 3, 1, 1), 2)],
)
def test_reach_is_where_gradients_come_from(shifts, kernels, n_blocks):
    layers = nn.Sequential(*(block(shifts, kernels, seed=number) for number in range(n_blocks)))
    X = drawn(1, 10, 17, 17).requires_grad_()
    layers(X)[..., 8, 8].square().sum().backward()
    assert X.grad is not None
    found = {(row - 8, column - 8) for _, row, column in torch.nonzero(X.grad[0]).tolist()}
    assert found == reach(shifts, kernels, n_blocks)


def test_reach_by_hand():
    assert reach((0,), (1,)) == {(0, 0)}
    assert reach((2,), (1,)) == {(0, 0), (-2, 0), (0, -2)}
    assert reach((0,), (3,), 2) == {(row, column) for row in range(-2, 3) for column in range(-2, 3)}


def test_norm_is_over_the_channels_of_a_pixel():
    x = drawn(2, 6, 3, 4)
    answer = started(lambda: ChannelNorm(6))(x)
    torch.testing.assert_close(answer.mean(dim=1), torch.zeros(2, 3, 4, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        answer.var(dim=1, correction=0), torch.ones(2, 3, 4, dtype=torch.float64), atol=1e-4, rtol=0
    )


def test_pooling_and_stages():
    images = drawn(2, 1, 8, 8)
    model = started(lambda: MSMLP(TOY))
    assert model(images).shape == (2, 3)
    assert model.stages[1](model.halvings[0](model.stem(images))).shape == (2, 10, 4, 4)
    other = started(lambda: MSMLP(replace(TOY, pool="max")))
    assert not torch.allclose(model(images), other(images))


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="stages: widths"):
        replace(TOY, depths=(1,))
    with pytest.raises(ConfigError, match=r"\(1, 1, 2, 1, 1\) are not 5 odd sizes"):
        replace(TOY, kernels=((1, 1, 2, 1, 1), POINTS))
    with pytest.raises(ConfigError, match="'min' is not one of mean, max"):
        replace(TOY, pool="min")


def test_gradients_are_those_of_finite_differences():
    made = block((-1, 1), (1, 3), channels=2)
    assert torch.autograd.gradcheck(made, (drawn(1, 2, 3, 3).requires_grad_(),))


def test_one_step_lowers_the_loss():
    model, x, y = built(lambda: MSMLP(TOY), 0), drawn(12, 1, 8, 8).float(), torch.arange(12) % 3
    loss = cross_entropy()
    before = float(loss(model, x, y).detach())
    fit(model, loss, Tensors(x, y), None, Settings(1, 0, 1e-3), seed=0)
    assert float(loss(model, x, y).detach()) < before


def test_pairs_are_two_pixels_3_or_4_apart():
    x, y = study.pairs(200, np.random.default_rng(0))
    assert x.shape == (200, 1, 10, 10)
    assert y.sum() == 100
    directions = set()
    for image, label in zip(x[:, 0], y, strict=True):
        (top, left), (bottom, right) = torch.nonzero(image).tolist()
        assert sorted((bottom - top, right - left)) == [0, 3 + label]
        assert min(top, left) >= 2
        assert max(bottom, right) <= 7
        directions.add(bottom == top)
    assert directions == {False, True}
    again = study.pairs(200, np.random.default_rng(0))
    assert torch.equal(x, again.x)


def measured(names, accuracies):
    """Three runs of each variant; the models play no part in the claims."""
    return {name: [Run(None, accuracies[name], History())] * 3 for name in names}


GOOD_PAIRS = {"mix and shift": 1.0, "shift only": 1.0, "mix only": 0.5, "mix only, two blocks": 0.5, "neither": 0.5}
GOOD_DIGITS = {
    "mix and shift": 0.98,
    "mix and shift, released order": 0.98,
    "mix only": 0.97,
    "shift only": 0.85,
    "neither": 0.55,
}


@pytest.mark.parametrize(
    ("pairs", "digits", "missing"),
    [
        ({}, {}, []),
        ({"shift only": 0.94}, {}, [1]),
        ({"mix only": 0.61}, {}, [1]),
        ({}, {"shift only": 0.94}, [2]),
        ({}, {"neither": 0.75}, [2]),
        ({}, {"mix and shift": 0.955, "mix only": 0.9}, [2]),
        ({}, {"mix only": 0.978}, [3]),
    ],
)
def test_claims_are_shown_or_not(pairs, digits, missing):
    reaching = measured(study.REACHING, GOOD_PAIRS | pairs)
    reading = measured(study.READING, GOOD_DIGITS | digits)
    checks = study.checks(reaching, reading)
    assert [number for number, check in enumerate(checks) if not check.shown] == missing
