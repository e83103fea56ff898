import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from printedmlp.reference.feature_diversity import (  # noqa: E402
    DeepConfig,
    DeepMLP,
    Dynamics,
    Probe,
    condensation,
    dead_features,
    similarity,
)
from printedmlp.reference.studies import feature_diversity as study  # noqa: E402
from printedmlp.reference.studies.feature_diversity import Runs  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    Settings,
    Tensors,
    cross_entropy,
    fit,
    parameter_count,
    seeded,
)

LABELS = torch.tensor([0, 0, 1, 1])


def network(seed=0, **changes):
    return DeepMLP(
        DeepConfig(**{"inputs": 6, "classes": 3, "width": 8, "depth": 4} | changes), generator=seeded(seed)
    )


def data(n=60, inputs=6, classes=3):
    x = torch.randn(n, inputs, generator=seeded(1))
    return Tensors(x, x[:, :classes].argmax(1))


def trained(model, *, epochs=5, **settings):
    recipe = Settings(epochs=epochs, batch_size=20, learning_rate=0.1, optimiser="sgd", **settings)
    history = fit(model, cross_entropy(), data(), None, recipe, seed=0)
    return history, torch.cat([p.detach().flatten() for p in model.parameters()])


def test_similarity_by_hand():
    features = torch.tensor([[1.0, 0], [0, 1], [1, 0], [1, 1]])
    half = 0.5**0.5
    assert similarity(features, LABELS) == pytest.approx((1 + half + 0 + half) / 4)
    assert similarity(features, LABELS, same_class=True) == pytest.approx((0 + half) / 2)


def test_equal_features_are_alike_and_orthogonal_ones_are_not():
    assert similarity(torch.ones(4, 5), LABELS) == pytest.approx(1)
    assert similarity(torch.eye(4), LABELS) == 0
    assert similarity(torch.zeros(4, 5), LABELS) == 0
    assert dead_features(torch.tensor([[0.0, 0], [0, 1], [1e-30, 0]])) == 2


def test_similarity_does_not_see_the_length_of_features():
    features = torch.rand(4, 5, generator=seeded(0)) - 0.3
    scaled = features * torch.tensor([[1.0], [20], [0.01], [5]])
    assert similarity(scaled, LABELS) == pytest.approx(similarity(features, LABELS), abs=1e-6)


def test_condensation():
    assert condensation(torch.outer(torch.tensor([1.0, -2, 3]), torch.tensor([0.5, 1]))) == pytest.approx(1)
    assert condensation(torch.eye(4)) == pytest.approx(0.25)
    assert condensation(torch.zeros(3, 3)) == 0
    assert math.isnan(condensation(torch.full((2, 2), math.nan)))


def test_update_of_inputs_along_one_direction_stays_along_it():
    direction = torch.tensor([1.0, -2, 0.5, 3, 0, 1])
    x = torch.randn(60, 1, generator=seeded(2)) * direction
    model = network(depth=3)
    before = model.linear[0].weight.detach().clone()
    recipe = Settings(epochs=20, batch_size=20, learning_rate=0.5, optimiser="sgd")
    fit(model, cross_entropy(), Tensors(x, (x[:, 0] > 0).long()), None, recipe, seed=0)
    update = model.linear[0].weight.detach() - before
    assert condensation(update) == pytest.approx(1, abs=1e-5)
    assert torch.allclose(update, torch.outer(update @ direction, direction) / direction.square().sum(), atol=1e-5)


def test_update_is_the_product_of_errors_and_features():
    model, (x, y) = network(depth=2), data()
    hidden = model.features(x)[0].detach()
    error = (torch.softmax(model(x), 1) - nn.functional.one_hot(y, 3)).detach()
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), [model.linear[1].weight])
    assert torch.allclose(gradient, error.T @ hidden / len(x), atol=1e-7)


def test_a_network_without_output_weights_is_stuck_at_log_c():
    model, (x, y) = network(classes=10), data(classes=6)
    nn.init.zeros_(model.linear[-1].weight)
    loss = nn.functional.cross_entropy(model(x), y)
    assert float(loss.detach()) == pytest.approx(math.log(10))
    hidden = [p for layer in model.linear[:-1] for p in layer.parameters()]
    assert not any(gradient.any() for gradient in torch.autograd.grad(loss, hidden))


def test_depth_one_is_a_linear_classifier_without_a_first_phase():
    model = network(depth=1)
    x, y = data()
    assert model.features(x) == []
    assert torch.equal(model(x), model.linear[0](x))
    probe = Probe(model, x, y, 1)
    recipe = Settings(epochs=1, batch_size=0, learning_rate=0.1, optimiser="sgd")
    fit(model, cross_entropy(), Tensors(x, y), None, recipe, seed=0, after_step=probe)
    assert probe.dynamics.losses[1] < probe.dynamics.losses[0]
    assert probe.dynamics.last == []


def test_parameters():
    with torch.device("meta"):
        assert parameter_count(DeepMLP(DeepConfig(64, 10))) == 6 * 64 * 65 + 650
        assert parameter_count(DeepMLP(DeepConfig(64, 10, batch_norm=True))) == 6 * 64 * 65 + 650 + 6 * 128


def test_no_momentum_and_no_decay_are_plain_steps():
    model = network()
    history, weights = trained(model)
    assert history.losses[-1] < history.losses[0]
    by_hand = network()
    generator = seeded(0)
    x, y = data()
    for _ in range(5):
        for rows in torch.randperm(60, generator=generator).split(20):
            loss = nn.functional.cross_entropy(by_hand(x[rows]), y[rows])
            for p, gradient in zip(
                by_hand.parameters(), torch.autograd.grad(loss, list(by_hand.parameters())), strict=True
            ):
                p.data -= 0.1 * gradient
    assert torch.allclose(weights, torch.cat([p.detach().flatten() for p in by_hand.parameters()]), atol=1e-6)
    assert torch.equal(trained(network(), momentum=0.0, weight_decay=0.0)[1], weights)
    assert not torch.allclose(trained(network(), momentum=0.9)[1], weights)


def test_batch_norm_takes_the_statistics_at_hand():
    model, (x, _) = network(batch_norm=True), data()
    before = model.train()(x)
    assert torch.equal(model.eval()(x), before)
    assert similarity(model.features(x)[-1], data().y) < similarity(network().features(x)[-1], data().y)


def test_probe_looks_when_it_is_time():
    model, (x, y) = network(), data()
    probe = Probe(model, x, y, 3)
    recipe = Settings(epochs=4, batch_size=20, learning_rate=0.1, optimiser="sgd")
    fit(model, cross_entropy(), Tensors(x, y), None, recipe, seed=0, after_step=probe)
    seen = probe.dynamics
    assert seen.steps == [0, 3, 6, 9, 12]
    assert seen.last[-1] == pytest.approx(similarity(model.features(x)[-1].detach(), y))
    assert len(seen.losses) == len(seen.last_same) == len(seen.middle) == len(seen.dead) == 5
    assert len(seen.condensed) == 4
    assert all(0 < share <= 1 + 1e-6 for share in seen.condensed)


def test_end_and_peak_of_the_first_phase():
    seen = Dynamics(10, [0, 10, 20, 30], [2.3, 2.3, 2.0, 0.1], [0.5, 0.8, 0.7, 0.9])
    assert seen.end_of_first_phase == 20
    assert seen.phase_peak() == (0.8, 10)
    stuck = Dynamics(10, [0, 10], [2.3, 2.3], [0.5, 0.9])
    assert stuck.end_of_first_phase is None
    assert stuck.phase_peak() == (0.9, 10)


def claims(end=900, last=0.4, peak_step=300, final=0.1, **ends):
    """Which claims are shown; found as stated unless changed; `ends` by variant, blanks as underscores."""

    def runs(end, alike):
        dynamics = Dynamics(10, [0, peak_step, end, 2500], [2.3, 2.3, 2.0, final], alike)
        return Runs((dynamics,), 2500, 1, 1.0)

    given = {name.replace(" ", "_").split("(")[0].split(".")[0]: name for name in study.VARIANTS}
    by_name = {name: runs(10, [0.5, 0.5, 0.5, 0.1]) for name in study.VARIANTS}
    by_name["base"] = runs(end, [0.7, 0.95, 0.6, last])
    by_name["depth 6"] = runs(300, [0.7, 0.8, 0.6, 0.3])
    by_name["depth 4"] = runs(100, [0.7, 0.8, 0.6, 0.3])
    for name, value in ends.items():
        by_name[given[name]] = runs(value, [0.5, 0.6, 0.5, 0.1])
    return [check.shown for check in study.checks(by_name)]


def test_every_claim_can_fail():
    assert claims() == [True] * 9
    assert claims(final=0.7) == [False] + [True] * 8
    assert claims(last=0.8) == [True, False] + [True] * 7
    assert claims(end=450) == [False] + [True] * 8
    assert claims(peak_step=950) == [True, False] + [True] * 7
    assert claims(depth_6=120)[2] is False
    assert claims(momentum_0=500)[5] is False
    assert claims(**{"L2_1e-3": 1000})[6] is False
    assert claims(batch_normalisation=200)[3] is False
    assert claims(batch_normalisation=400)[7] is False
