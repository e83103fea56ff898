"""The loop: seeded, best on validation, every optimiser, what it refuses."""

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from printedmlp.errors import ConfigError
from printedmlp.reference.training import (
    Settings,
    Tensors,
    accuracy,
    built,
    cross_entropy,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
    pick_device,
    seeded,
    weights_and_others,
)


def two_clouds(n=60, seed=0):
    y = torch.arange(n) % 2
    x = torch.randn(n, 2, generator=seeded(seed)) + 3 * y[:, None] - 1.5
    return Tensors(x, y)


def linear():
    return built(lambda: nn.Linear(2, 2), 1)


def net():
    return built(lambda: nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 2)), 1)


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def test_one_step_of_plain_descent_by_hand():
    # y = w x with w = 0, x = 2, target 1: loss 1, gradient 2 (0 - 1) 2 = -4, so w = 0 + 0.1 * 4.
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    data = Tensors(torch.tensor([[2.0]]), torch.tensor([[1.0]]))
    history = fit(model, mean_squared_error, data, None, Settings(1, 0, 0.1, optimiser="sgd"), seed=0)
    assert history.losses == [1.0]
    assert model.weight.item() == pytest.approx(0.4)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
@pytest.mark.parametrize("optimiser", ["adamw", "sgd", "lbfgs"])
def test_every_optimiser_and_schedule_lowers_the_loss(optimiser, schedule):
    history = fit(
        linear(),
        cross_entropy(),
        two_clouds(),
        None,
        Settings(10, 16, 0.05, schedule=schedule, optimiser=optimiser),
        seed=0,
    )
    assert history.losses[-1] < 0.8 * history.losses[0]
    assert history.best_epoch == len(history.losses) == 10
    assert history.validation_losses == []


def test_lbfgs_finds_the_bottom_of_a_narrow_valley():
    data = Tensors(torch.tensor([[1.0, 0.0], [1.0, 0.02]]), torch.tensor([[1.0], [2.0]]))
    model = torch.nn.Linear(2, 1, bias=False)
    history = fit(model, mean_squared_error, data, None, Settings(6, 0, 1.0, optimiser="lbfgs"), seed=0)
    assert history.losses[-1] < 1e-6
    assert model.weight.detach().flatten().tolist() == pytest.approx([1.0, 50.0], rel=1e-2)


def test_same_seed_same_weights_and_another_seed_others():
    found: list[torch.Tensor] = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(found))
        model = net()
        fit(model, cross_entropy(), two_clouds(), None, Settings(3, 16, 0.01), seed=seed)
        found.append(weights(model))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_training_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fit(net(), cross_entropy(), two_clouds(), None, Settings(2, 16, 0.01), seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_the_best_validation_epoch_is_put_back():
    # Trained towards the wrong answers, the model is best on validation rows after its first epoch.
    model, data = linear(), two_clouds()
    wrong = Tensors(data.x, 1 - data.y)
    settings = Settings(8, 0, 0.5, optimiser="sgd")
    after = []
    history = fit(
        model, cross_entropy(), wrong, data, settings, seed=0, after_epoch=lambda _: after.append(weights(model))
    )
    best = max(range(8), key=lambda e: (history.validation_accuracies[e], -history.validation_losses[e]))
    assert history.best_epoch == best + 1 < 8
    assert torch.equal(weights(model), after[best])
    assert not torch.equal(weights(model), after[-1])


def test_regression_is_chosen_by_the_loss():
    x = torch.linspace(-1, 1, 20)[:, None]
    data = Tensors(x, 3 * x)
    model = built(lambda: nn.Linear(1, 1), 0)
    history = fit(model, mean_squared_error, data, data, Settings(20, 0, 0.1, optimiser="sgd"), seed=0)
    assert history.validation_accuracies == []
    assert history.best_epoch == 20
    assert history.validation_losses == sorted(history.validation_losses, reverse=True)


def rates_of(schedule):
    """The learning rate after every of 15 steps."""
    made: list[torch.optim.Optimizer] = []
    rates: list[float] = []

    def make(model, settings):
        made.append(torch.optim.SGD(model.parameters(), lr=settings.learning_rate, momentum=0.9))
        return made[0]

    fit(
        linear(),
        cross_entropy(),
        two_clouds(),
        None,
        Settings(5, 20, 0.1, schedule=schedule),
        seed=0,
        make_optimiser=make,
        after_step=lambda _: rates.append(made[0].param_groups[0]["lr"]),
    )
    return rates


def test_the_schedules_run_over_all_steps():
    assert rates_of("constant") == [0.1] * 15
    cosine, one_cycle = rates_of("cosine"), rates_of("one_cycle")
    assert cosine == sorted(cosine, reverse=True)
    assert (len(cosine), cosine[-1]) == (15, pytest.approx(0, abs=1e-9))
    assert max(one_cycle) == pytest.approx(0.1, rel=0.03)
    assert one_cycle[0] < 0.03 > one_cycle[-1]


def test_augmentation_sees_every_batch_and_its_result_is_trained_on():
    seen = []

    def flipped(x, y, generator):
        seen.append(len(x))
        return x, 1 - y

    model, data = linear(), two_clouds()
    fit(model, cross_entropy(), data, None, Settings(20, 40, 0.1), seed=0, augment=flipped)
    assert seen == [40, 20] * 20
    assert accuracy(model, data) < 0.2


def test_weight_decay_spares_biases():
    model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    decayed, spared = weights_and_others(model)
    assert [tuple(p.shape) for p in decayed] == [(3, 2)]
    assert [tuple(p.shape) for p in spared] == [(3,), (3,), (3,)]


def test_decay_shrinks_weights_where_nothing_is_learnt():
    model = nn.Linear(2, 2)
    before = weights(model).clone()
    zero = Tensors(torch.zeros(4, 2), torch.zeros(4, 2))
    fit(model, lambda m, x, y: 0 * m(x).sum(), zero, None, Settings(3, 0, 0.1, weight_decay=0.5), seed=0)
    assert torch.allclose(weights(model)[:4], before[:4] * 0.95**3)
    assert torch.equal(weights(model)[4:], before[4:])


def test_clipping_bounds_the_step():
    model = nn.Linear(1, 1, bias=False)
    start = model.weight.item()
    data = Tensors(torch.tensor([[100.0]]), torch.tensor([[1e4]]))
    fit(model, mean_squared_error, data, None, Settings(1, 0, 0.1, optimiser="sgd", clip=1.0), seed=0)
    assert abs(model.weight.item() - start) == pytest.approx(0.1, rel=1e-3)


def test_outputs_are_those_of_evaluation_mode_and_the_mode_stays():
    model = net().train()
    x = two_clouds().x
    assert torch.equal(outputs(model, x), outputs(model, x))
    assert model.training


def test_accuracy_by_hand():
    model = nn.Identity()
    data = Tensors(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 1.0]]), torch.tensor([0, 1, 0, 0]))
    assert accuracy(model, data) == 0.75


def test_parameters_are_counted_without_memory():
    with torch.device("meta"):
        assert parameter_count(nn.Linear(1000, 1000)) == 1_001_000
    frozen = nn.Linear(2, 2)
    frozen.bias.requires_grad_(False)
    assert parameter_count(frozen) == 4


def test_what_cannot_be_is_refused_in_one_line():
    with pytest.raises(ConfigError, match="schedule: 'linear' is not one of constant"):
        Settings(1, 1, 0.1, schedule="linear")
    with pytest.raises(ConfigError, match="optimiser: 'adam' is not one of adamw"):
        Settings(1, 1, 0.1, optimiser="adam")
    with pytest.raises(ConfigError, match="epochs -1"):
        Settings(-1, 1, 0.1)
    with pytest.raises(ConfigError, match="device: 'tpu' is not one of"):
        pick_device("tpu")


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto").type == "cpu"
    with pytest.raises(ConfigError, match="cuda is not available here"):
        pick_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device")
def test_cuda_learns_the_same_task():
    model, data = linear(), two_clouds()
    fit(model, cross_entropy(), data, data, Settings(20, 16, 0.05, device="cuda"), seed=0)
    assert accuracy(model, data) > 0.9
