"""What the papers that distil graph networks into perceptrons share: the full-batch loop, soft labels, timing.

Soft labels: G. Hinton, O. Vinyals, J. Dean, 2015, arXiv:1503.02531.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from printedmlp.reference.training import History


@dataclass(frozen=True)
class Recipe:
    """How a network is trained on all nodes at once, with Adam.

    Attributes
    ----------
    epochs : at most so many steps.
    learning_rate : of Adam.
    weight_decay : an L2 penalty on every parameter, as in Adam's own option.
    patience : epochs without a better validation accuracy after which it stops; 0 for never.
    """

    epochs: int
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    patience: int = 0


def fit_nodes(
    model: nn.Module,
    loss: Callable[[int], Tensor],
    answers: Callable[[], Tensor],
    y: Tensor,
    validation: Tensor,
    recipe: Recipe,
    *,
    seed: int,
) -> History:
    """Train a model in place and put back the weights of the first epoch that was best on the validation nodes.

    Parameters
    ----------
    loss : epoch, from 1, to the scalar that is lowered; called in training mode.
    answers : the logits (n, n_classes) of all nodes; called in evaluation mode without gradients.
    y : (n,) classes, of which only those of the validation nodes are read.
    validation : node numbers.
    seed : decides what the model and the loss draw (dropout, sampling).
    """
    started, history = time.perf_counter(), History()
    optimiser = Adam(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    best, weights = -1.0, copy.deepcopy(model.state_dict())
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for epoch in range(1, recipe.epochs + 1):
            model.train()
            optimiser.zero_grad()
            value = loss(epoch)
            value.backward()
            optimiser.step()
            history.losses.append(float(value.detach()))
            history.validation_accuracies.append(share_right(evaluated(model, answers), y, validation))
            if history.validation_accuracies[-1] > best:
                best, history.best_epoch = history.validation_accuracies[-1], epoch
                weights = copy.deepcopy(model.state_dict())
            if recipe.patience and epoch - history.best_epoch >= recipe.patience:
                break
    model.load_state_dict(weights)
    model.eval()
    history.seconds = time.perf_counter() - started
    return history


def evaluated(model: nn.Module, answers: Callable[[], Tensor]) -> Tensor:
    """What `answers` gives in evaluation mode, in which the model is left, and without gradients."""
    model.eval()
    with torch.no_grad():
        return answers()


def share_right(logits: Tensor, y: Tensor, rows: Tensor) -> float:
    """Share of the rows whose largest logit is their class."""
    return float((logits[rows].argmax(dim=1) == y[rows]).double().mean())


def soft_label_kl(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(softmax(teacher / T) || softmax(student / T)) of each row (n,); no factor T^2.

    Parameters
    ----------
    student, teacher : logits (n, n_classes).
    """
    q = functional.log_softmax(student / temperature, dim=1)  # (n, n_classes)
    p = functional.log_softmax(teacher / temperature, dim=1)  # (n, n_classes)
    return functional.kl_div(q, p, log_target=True, reduction="none").sum(dim=1)


def entropy(logits: Tensor) -> Tensor:
    """Shannon entropy in nats (n,) of the softmax of (n, n_classes) logits."""
    logs = functional.log_softmax(logits, dim=1)  # (n, n_classes)
    return -(logs.exp() * logs).sum(dim=1)


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall-clock time of so many calls, after one that does not count, without gradients."""
    times = []
    with torch.no_grad():
        call()
        for _ in range(repeats):
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return statistics.median(times)
