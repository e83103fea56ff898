"""What the studies of image models share: the digits in one form, one training run, its figures for the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn

from printedmlp.reference.datasets import digits, stratified
from printedmlp.reference.outcome import Check, Context, Measure
from printedmlp.reference.training import (
    History,
    Settings,
    Tensors,
    accuracy,
    built,
    cross_entropy,
    fit,
    parameter_count,
)

Config = TypeVar("Config")

SIDE = 8
CLASSES = 10
DIGITS = "scikit-learn digits"
ACCURACY = "test accuracy"


class Parts(NamedTuple):
    """Rows to train on and rows to test on."""

    train: Tensors
    test: Tensors


def digit_images(seed: int) -> Parts:
    """Images (n, 8, 8) float32 in 0 .. 1 and classes, 70 % of each class to train on and 30 % to test on."""
    data = digits()
    images = torch.from_numpy(data.x).reshape(-1, SIDE, SIDE) / 16  # (1797, 8, 8)
    classes = torch.from_numpy(data.y)
    return Parts(*(Tensors(images[rows], classes[rows]) for rows in stratified(data.y, (0.7, 0.3), seed)))


@dataclass(frozen=True)
class Run:
    """A trained model, what it reached on test rows and how it got there."""

    model: Any
    accuracy: float
    history: History


def run_of(
    make: Callable[[], nn.Module],
    parts: Parts,
    settings: Settings,
    seed: int,
    *,
    smoothing: float = 0.0,
    **hooks: Any,
) -> Run:
    """Train for a number of epochs fixed beforehand; `hooks` are those of `training.fit`."""
    model = built(make, seed)
    history = fit(model, cross_entropy(smoothing), parts.train, None, settings, seed=seed, **hooks)
    return Run(model, accuracy(model, parts.test), history)


def measure_of(task: str, data: str, runs: Sequence[Run], published: str = "") -> Measure:
    """The accuracies of one model over the seeds."""
    return Measure(
        task=task,
        data=data,
        metric=ACCURACY,
        values=tuple(run.accuracy for run in runs),
        published=published,
        parameters=parameter_count(runs[0].model),
        seconds=statistics.fmean(run.history.seconds for run in runs),
    )


def mean(runs: Sequence[Run]) -> float:
    """Mean accuracy over the seeds."""
    return statistics.fmean(run.accuracy for run in runs)


def sizes_check(
    claim: str,
    bound: str,
    published: Mapping[str, Config],
    make: Callable[[Config], nn.Module],
    closed_form: Callable[[Config], int],
    near: Callable[[str, int], bool],
) -> Check:
    """Parameters of the published models, built on the meta device: exactly the closed form, and near the paper's.

    Parameters
    ----------
    near : whether a model's name and number of parameters agree with what the paper says.
    """
    counts = {}
    for name, config in published.items():
        with torch.device("meta"):
            counts[name] = parameter_count(make(config))
    return Check(
        claim=claim,
        measured=", ".join(f"{name} {count:,}" for name, count in counts.items()),
        bound=bound,
        shown=all(count == closed_form(published[name]) and near(name, count) for name, count in counts.items()),
    )


def settings_for(context: Context, epochs: int, batch_size: int, rate: float, **others: Any) -> Settings:
    """Settings on the study's device."""
    return Settings(epochs, batch_size, rate, device=context.device, **others)
