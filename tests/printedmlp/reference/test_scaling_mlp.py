import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.outcome import Context  # noqa: E402
from printedmlp.reference.scaling_mlp import (  # noqa: E402
    PUBLISHED,
    InvertedBlock,
    Lion,
    PowerLaw,
    ScalingConfig,
    ScalingMLP,
    StandardBlock,
    augmentation,
    averaged,
    compute,
    counted_parameters,
    crops,
    fit_power_law,
    lion,
    mix,
    slope,
    tabular_model,
    unbeaten,
)
from printedmlp.reference.studies import scaling_mlp as study  # noqa: E402
from printedmlp.reference.studies.runs import Parts, Run  # noqa: E402
from printedmlp.reference.studies.scaling_runs import SAMPLES, SIZES, Results, Sampled, Sized, balanced, prepared  # noqa: E402
from printedmlp.reference.studies.scaling_transfer import SHOTS, WAYS, transfer  # noqa: E402
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

TOY = ScalingConfig(n_inputs=12, n_classes=3, width=6, depth=2)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def started(make, seed=0):
    return built(make, seed).double()


@pytest.mark.parametrize(
    ("name", "count", "millions"),
    [
        ("B-6/Wi-256", 9_188_574, 9),
        ("B-12/Wi-256", 12_345_054, 12),
        ("B-6/Wi-512", 24_657_374, 24),
        ("B-12/Wi-512", 37_261_790, 37),
        ("B-6/Wi-1024", 74_469_342, 74),
        ("B-12/Wi-1024", 124_843_998, 124),
    ],
)
def test_published_sizes(name, count, millions):
    with torch.device("meta"):
        model = ScalingMLP(PUBLISHED[name])
    assert parameter_count(model) == counted_parameters(PUBLISHED[name]) == count
    assert count // 10**6 == millions


@pytest.mark.parametrize(
    ("depth", "width", "count"), [(1, 4, 466), (2, 8, 1_746), (4, 16, 9_850), (4, 32, 36_074), (6, 64, 204_106)]
)
def test_sizes_of_the_study(depth, width, count):
    assert parameter_count(ScalingMLP(ScalingConfig(64, 10, width, depth))) == count


def test_blocks_by_hand():
    """z = (1, -1) is its own norm; We z = (30, 10), of which gelu is the same; Wc makes it (40, -10)."""
    z = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    inverted = started(lambda: InvertedBlock(replace(TOY, width=2, expansion=1)))
    inverted.norm.eps = 0.0
    with torch.no_grad():
        inverted.expand.weight.copy_(torch.tensor([[30.0, 0.0], [0.0, -10.0]]))
        inverted.contract.weight.copy_(torch.tensor([[1.0, 1.0], [0.0, -1.0]]))
        inverted.expand.bias.zero_()
        inverted.contract.bias.copy_(torch.tensor([0.5, 0.0]))
    torch.testing.assert_close(inverted(z), torch.tensor([[41.5, -11.0]], dtype=torch.float64))
    standard = started(lambda: StandardBlock(replace(TOY, width=2, kind="standard", norm=False)))
    with torch.no_grad():
        standard.map.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 1.0]]))
        standard.map.bias.zero_()
    assert standard(z).tolist() == [[0.0, 2.0]]


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(12)), seed=st.integers(0, 1000), kind=st.sampled_from(["inverted", "standard"]))
def test_order_of_pixels_means_nothing(order, seed, kind):
    model, x = started(lambda: ScalingMLP(replace(TOY, kind=kind)), seed), drawn(4, 12, seed=seed)
    before = model(x)
    model.embedding.weight.data = model.embedding.weight.data[:, order]
    torch.testing.assert_close(model(x[:, order]), before)


@pytest.mark.parametrize("depth", [0, 3])
def test_without_blocks_or_with_dead_ones_the_network_is_linear(depth):
    model, x = started(lambda: ScalingMLP(replace(TOY, depth=depth))), drawn(4, 12)
    for block in model.blocks:
        nn.init.zeros_(block.contract.weight)
        nn.init.zeros_(block.contract.bias)
    weight = model.head.weight @ model.embedding.weight
    torch.testing.assert_close(model(x), x @ weight.T + model(torch.zeros_like(x)))
    assert torch.linalg.matrix_rank(weight) <= TOY.width


def test_without_norm_and_skip_it_is_an_ordinary_network():
    model, x = started(lambda: ScalingMLP(replace(TOY, expansion=1, norm=False, skip=False))), drawn(4, 12)
    layers = [model.embedding]
    for block in model.blocks:
        layers += [block.expand, nn.GELU(), block.contract]
    torch.testing.assert_close(model(x), nn.Sequential(*layers, model.head)(x))


def test_images_are_flattened_row_by_row():
    model, x = started(lambda: ScalingMLP(TOY)), drawn(4, 3, 4)
    torch.testing.assert_close(model(x), model(x.reshape(4, 12)))


def test_compute_is_what_torch_counts():
    model = started(lambda: ScalingMLP(TOY))
    with FlopCounterMode(display=False) as counter:
        model(drawn(5, 12))
    assert compute(TOY, 5, 1) == 3 * counter.get_total_flops()


def test_lion_by_hand():
    """From 1 with gradient 2 and decay 0.5: 1 * 0.95 - 0.1 = 0.85, momentum 0.02; then gradient -0.1 points down,
    0.9 * 0.02 - 0.1 * 0.1 > 0 all the same, so 0.85 * 0.95 - 0.1."""
    parameter = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimiser = Lion([parameter], 0.1, decay=0.5)
    for gradient, expected in ((2.0, 0.85), (-0.1, 0.7075)):
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimiser.step()
        assert parameter.item() == pytest.approx(expected, abs=1e-12)
    assert optimiser.state[parameter]["momentum"].item() == pytest.approx(0.99 * 0.02 - 0.01 * 0.1)


def test_lion_leaves_what_has_no_gradient():
    parameter = nn.Parameter(torch.ones(1))
    Lion([parameter], 0.1, decay=0.5).step()
    assert parameter.item() == 1.0


def test_crop_without_padding_is_the_image_and_with_it_a_shifted_one():
    images = drawn(50, 4, 5)
    assert torch.equal(crops(images, 0, 0.0, seeded(0)), images)
    cut = crops(images, 1, 9.0, seeded(0))
    padded = functional.pad(images, (1, 1, 1, 1), value=9.0)
    found = set()
    for before, after in zip(padded, cut, strict=True):
        at = [(r, c) for r in range(3) for c in range(3) if torch.equal(before[r : r + 4, c : c + 5], after)]
        assert len(at) == 1
        found |= set(at)
    assert len(found) == 9


def test_mixup_loss_is_the_mixed_loss():
    """A share of 1 is the plain loss; smoothing by 0.3 over 10 classes leaves 0.73 for the true one."""
    logits, y, partners = drawn(6, 10), torch.arange(6), torch.arange(6).flip(0)
    onehot = functional.one_hot(y, 10).double()
    for share in (1.0, 0.3):
        targets = mix(logits, onehot, share, partners)[1]
        mixed = functional.cross_entropy(logits, targets, label_smoothing=0.3)
        one, other = (functional.cross_entropy(logits, t, label_smoothing=0.3) for t in (y, y[partners]))
        torch.testing.assert_close(mixed, share * one + (1 - share) * other)
    smooth = 0.7 * onehot + 0.03
    assert smooth[0, 0].item() == pytest.approx(0.73)
    torch.testing.assert_close(
        functional.cross_entropy(logits, smooth), functional.cross_entropy(logits, y, label_smoothing=0.3)
    )


def test_augmentation_keeps_classes_or_mixes_them():
    x, y = drawn(8, 4, 4), torch.arange(8) % 3
    plain = augmentation(1, 0.0, n_classes=3)(x, y, seeded(0))
    assert torch.equal(plain[1], y)
    assert plain[0].shape == x.shape
    mixed = augmentation(1, 0.0, n_classes=3, mixup=0.8)
    targets = mixed(x, y, seeded(0))[1]
    assert targets.shape == (8, 3)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(8, dtype=torch.float64))
    assert torch.equal(targets, mixed(x, y, seeded(0))[1])
    assert not torch.equal(targets, mixed(x, y, seeded(1))[1])


def test_averaging_without_padding_is_the_answer():
    model, images = started(lambda: ScalingMLP(TOY)), drawn(4, 3, 4)
    answers = averaged(model, images, 0, 0.0, n_crops=3, generator=seeded(0))
    torch.testing.assert_close(answers, model(images).softmax(dim=1))
    wider = averaged(model, images, 1, 0.0, n_crops=3, generator=seeded(0))
    assert not torch.allclose(wider, answers)
    torch.testing.assert_close(wider.sum(dim=1), torch.ones(4, dtype=torch.float64))


@pytest.mark.parametrize("unit", [1.0, 1e12])
def test_law_is_found_again(unit):
    scale = np.geomspace(0.1, 1e4, 12)
    law = fit_power_law(scale * unit, 2 * (1 + scale) ** -0.3 + 0.05)
    assert law.alpha == pytest.approx(0.3, abs=1e-3)
    assert law.floor == pytest.approx(0.05, abs=1e-3)
    assert law.b / unit == pytest.approx(1, rel=1e-2)
    np.testing.assert_allclose(law(scale * unit), 2 * (1 + scale) ** -0.3 + 0.05, rtol=1e-4)


def test_law_of_samples_has_no_shift():
    n = np.array([40, 80, 160, 320, 640, 1257])
    law = fit_power_law(n, PowerLaw(10, 0, 0.9, 0.01)(n), shifted=False)
    assert (law.b, law.alpha, law.floor) == (0.0, pytest.approx(0.9, abs=1e-6), pytest.approx(0.01, abs=1e-6))
    assert slope(n, 7.0 * n**-0.8) == pytest.approx(-0.8)


def test_unbeaten_by_hand():
    assert unbeaten([4, 1, 2, 3, 2], [0.1, 0.5, 0.3, 0.3, 0.4]).tolist() == [1, 2, 0]


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="'bottle' is not one of inverted, standard"):
        replace(TOY, kind="bottle")


@pytest.mark.parametrize("kind", ["inverted", "standard"])
def test_gradients_are_those_of_finite_differences(kind):
    model = started(lambda: ScalingMLP(replace(TOY, kind=kind)))
    assert torch.autograd.gradcheck(model, (drawn(2, 12).requires_grad_(),))


def test_one_step_lowers_the_loss():
    model, x, y = built(lambda: tabular_model(7, 3), 0), drawn(40, 7).float(), torch.arange(40) % 3
    loss = cross_entropy()
    before = float(loss(model, x, y).detach())
    fit(model, loss, Tensors(x, y), None, Settings(1, 0, 1e-4), seed=0, make_optimiser=lion)
    assert float(loss(model, x, y).detach()) < before
    assert model(x).shape == (40, 3)


ERRORS = tuple(0.4 * 40 / n for n in SAMPLES)


def measured(
    plain=(0.5, 0.9, 0.97, 0.98, 0.99), shifted=(0.3, 0.5, 0.8, 0.9, 0.98), errors=ERRORS, gain=0.01, tuned=0.9
):
    """Two seeds that show every claim unless something is changed."""
    paths = [tuple(0.9 - 0.8 * s * step / 9 for step in range(1, 10)) for s in shifted]
    sizes = {}
    for number, config in enumerate(SIZES):
        sizes[config, False] = [Sized(plain[number], 0.4, paths[0], 1.0)] * 2
        sizes[config, True] = [Sized(plain[number] - 0.005, shifted[number], paths[number], 1.0)] * 2
    samples = {n: [Sampled(error, 0.9, 0.9 + gain, 1.0)] * 2 for n, error in zip(SAMPLES, errors, strict=True)}
    adapted = {(k, way): Run(None, tuned if way == "fine-tuned" else 0.8, History()) for k in SHOTS for way in WAYS}
    return Results(sizes, samples, [adapted] * 2)


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"plain": (0.5, 0.9, 0.97, 0.96, 0.99)}, [1]),
        ({"shifted": (0.3, 0.5, 0.5, 0.9, 0.98)}, [1]),
        ({"shifted": (0.3, 0.4, 0.5, 0.6, 0.69)}, [2]),
        ({"errors": (0.4, 0.3, 0.22, 0.17, 0.1, 0.05)}, [3]),
        ({"errors": (*ERRORS[:4], 0.03, 0.04)}, [3]),
        ({"gain": -0.01}, [4]),
        ({"tuned": 0.79}, [5]),
    ],
)
def test_claims_are_shown_or_not(changed, missing):
    checks = study.checks(measured(**changed))
    assert [number for number, check in enumerate(checks) if not check.shown] == missing


def test_laws_of_the_study():
    assert study.law_of_samples(measured()).alpha == pytest.approx(1, abs=1e-3)
    assert study.law_of_compute(measured()).floor < 0.12


def test_transfer_adapts_a_network_in_every_way(tmp_path):
    images, y = drawn(60, 8, 8).float(), torch.arange(60) % 10
    parts = Parts(Tensors(images, y), Tensors(images, y))
    found = transfer(parts, 0.0, Context((0,), quick=True, device="cpu", folder=tmp_path), 0)
    assert set(found) == {(k, way) for k in SHOTS for way in WAYS}
    probed, tuned = (found[SHOTS[0], way].model for way in ("linear probe", "fine-tuned"))
    assert torch.equal(probed.embedding.weight, found[SHOTS[1], "linear probe"].model.embedding.weight)
    assert not torch.equal(tuned.embedding.weight, probed.embedding.weight)
    assert all(run.model.head.out_features == 4 for run in found.values())


def test_samples_are_balanced_and_nested():
    y = prepared(0).parts.train.y
    assert len(y) == SAMPLES[-1]
    for n in SAMPLES[:-1]:
        rows = balanced(y, n, 0)
        assert len(rows.unique()) == n
        counts = y[rows].bincount()
        assert counts.max() - counts.min() <= 1
        assert torch.equal(rows, balanced(y, 1000, 0)[:n])
    assert balanced(y, SAMPLES[-1], 0).sort().values.tolist() == list(range(SAMPLES[-1]))
