import pytest

torch = pytest.importorskip("torch")

import math  # noqa: E402

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from printedmlp.reference.distillation import (  # noqa: E402
    Recipe,
    entropy,
    fit_nodes,
    median_seconds,
    share_right,
    soft_label_kl,
)
from printedmlp.reference.training import built, seeded  # noqa: E402

X = torch.randn(60, 5, generator=seeded(0))
Y = (X[:, 0] > 0).long()
TRAIN, VALIDATION = torch.arange(20), torch.arange(20, 60)


def trained(recipe, *, y=Y, dropout=0.0, seed=0):
    model = built(lambda: nn.Sequential(nn.Dropout(dropout), nn.Linear(5, 2)), 0)

    def loss(_epoch):
        return functional.cross_entropy(model(X)[TRAIN], Y[TRAIN])

    return model, fit_nodes(model, loss, lambda: model(X), y, VALIDATION, recipe, seed=seed)


def test_entropy_of_uniform_and_certain():
    logits = torch.stack([torch.zeros(7), torch.tensor([0.0, 1e4, 0, 0, 0, 0, 0])])
    torch.testing.assert_close(entropy(logits), torch.tensor([math.log(7), 0.0]))


def test_kl_by_hand():
    """Teacher (3/4, 1/4), student (1/2, 1/2); at temperature 1/2 the teacher is (9/10, 1/10)."""
    teacher, student = torch.tensor([[math.log(3), 0.0]]), torch.zeros(1, 2)
    assert float(soft_label_kl(student, teacher)) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert float(soft_label_kl(student, teacher, 0.5)) == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2))
    assert float(soft_label_kl(teacher, student)) == pytest.approx(0.5 * math.log(2 / 3) + 0.5 * math.log(2))


def test_kl_of_equals_is_zero():
    logits = torch.randn(9, 4, generator=seeded(1))
    torch.testing.assert_close(soft_label_kl(logits + 3, logits), torch.zeros(9), atol=1e-6, rtol=0)


def test_training_lowers_the_loss_and_keeps_the_first_best_epoch():
    model, history = trained(Recipe(100))
    curve = history.validation_accuracies
    assert history.losses[-1] < history.losses[0]
    assert history.best_epoch == curve.index(max(curve)) + 1
    assert share_right(model(X), Y, VALIDATION) == max(curve)
    assert not model.training


def test_patience_stops_it():
    _, history = trained(Recipe(100, patience=7), y=1 - Y)
    assert len(history.losses) == history.best_epoch + 7 < 100


def test_the_seed_decides_what_is_dropped():
    curves = [trained(Recipe(5), dropout=0.5, seed=seed)[1].losses for seed in (0, 0, 1)]
    assert curves[0] == curves[1] != curves[2]


def test_classes_beside_the_validation_nodes_are_not_read():
    hidden = Y.clone()
    hidden[TRAIN] = 7
    assert trained(Recipe(9), y=hidden)[1].validation_accuracies == trained(Recipe(9))[1].validation_accuracies


def test_weight_decay_is_felt():
    norms = [float(trained(Recipe(80, weight_decay=decay))[0][1].weight.detach().norm()) for decay in (0.0, 1.0)]
    assert norms[1] < 0.7 * norms[0]


def test_the_timer_calls_once_more_than_it_counts():
    calls = []
    assert median_seconds(lambda: calls.append(torch.is_grad_enabled()), 5) >= 0
    assert calls == [False] * 6
