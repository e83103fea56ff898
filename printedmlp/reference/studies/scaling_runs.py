"""The training runs of the scaling study: sizes with and without augmentation, and numbers of samples.

"Shifted" images are test images through one random crop: a network that knows nothing of images has to learn that
they show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from printedmlp.reference.outcome import Context
from printedmlp.reference.scaling_mlp import ScalingConfig, ScalingMLP, augmentation, averaged, crops, lion
from printedmlp.reference.studies.runs import CLASSES, SIDE, Parts, digit_images, run_of, settings_for
from printedmlp.reference.studies.scaling_transfer import Adapted, transfer
from printedmlp.reference.training import Settings, Tensors, accuracy, built, seeded

SIZES = tuple(
    ScalingConfig(SIDE * SIDE, CLASSES, width, depth)
    for depth, width in ((1, 4), (2, 8), (4, 16), (4, 32), (6, 64))
)
MIDDLE, LARGEST = SIZES[3], SIZES[4]
SAMPLES = (40, 80, 160, 320, 640, 1258)
"""The last is all of them. None leaves a last batch of few rows: LION's step on it is as long as on a whole one."""
EPOCHS = 40
SMOOTHING, MIXUP, PADDING, N_CROPS = 0.3, 0.8, 1, 50
LOOKS = (1, 2, 3, 5, 8, 12, 20, 30, 40)
"""Epochs after which the error on shifted images is noted."""


class Sized(NamedTuple):
    """One size on one seed: accuracies on plain and shifted images, errors on shifted ones after `LOOKS` epochs."""

    plain: float
    shifted: float
    path: tuple[float, ...]
    seconds: float


class Sampled(NamedTuple):
    """One number of samples on one seed: error on shifted images, accuracies of one look and of averaged crops."""

    error: float
    once: float
    averaged: float
    seconds: float


class Prepared(NamedTuple):
    """Digits of mean 0 and deviation 1 over all training pixels, an empty pixel's value, shifted test images."""

    parts: Parts
    empty: float
    shifted: Tensors


@dataclass(frozen=True)
class Results:
    """Everything that is measured, one entry a seed.

    Attributes
    ----------
    sizes : by size and whether the training images were augmented.
    samples : by number of training samples.
    transfers : networks for new digits.
    """

    sizes: Mapping[tuple[ScalingConfig, bool], list[Sized]]
    samples: Mapping[int, list[Sampled]]
    transfers: list[Adapted]


def results_of(context: Context) -> Results:
    """Train everything."""
    data = {seed: prepared(seed) for seed in context.seeds}
    return Results(
        sizes={
            (config, augmented): [_sized(config, augmented, data[seed], context, seed) for seed in data]
            for config in SIZES
            for augmented in (False, True)
        },
        samples={n: [_sampled(n, data[seed], context, seed) for seed in data] for n in SAMPLES},
        transfers=[transfer(data[seed].parts, data[seed].empty, context, seed) for seed in data],
    )


def prepared(seed: int) -> Prepared:
    """The digits of a seed."""
    raw = digit_images(seed)
    mean, deviation = raw.train.x.mean(), raw.train.x.std()
    parts = Parts(*(Tensors((part.x - mean) / deviation, part.y) for part in raw))
    empty = float(-mean / deviation)
    shifted = crops(parts.test.x, PADDING, empty, seeded(seed))
    return Prepared(parts, empty, Tensors(shifted, parts.test.y))


def balanced(y: Tensor, n: int, seed: int) -> Tensor:
    """Exactly n row numbers, as many of each class (n_rows,) as can be; those of a smaller n come first."""
    order = torch.randperm(len(y), generator=seeded(seed))
    place = torch.empty(len(y), dtype=torch.int64)  # of a row among those of its class
    for label in y.unique():
        members = order[y[order] == label]
        place[members] = torch.arange(len(members))
    return order[place[order].argsort(stable=True)][:n]


def epochs_for(n_samples: int) -> int:
    """Passes over few samples: about as many steps as on all of them."""
    return 150 if n_samples < 320 else round(EPOCHS * SAMPLES[-1] / n_samples)


def _settings(context: Context, epochs: int) -> Settings:
    return settings_for(context, max(1, epochs // 4) if context.quick else epochs, 128, 3e-4)


def _sized(config: ScalingConfig, augmented: bool, data: Prepared, context: Context, seed: int) -> Sized:
    model, path = built(lambda: ScalingMLP(config), seed), list[float]()

    def look(epoch: int) -> None:
        if epoch in LOOKS:
            path.append(1 - accuracy(model, data.shifted))

    run = run_of(
        lambda: model,
        data.parts,
        _settings(context, EPOCHS),
        seed,
        smoothing=SMOOTHING,
        augment=augmentation(PADDING, data.empty, n_classes=CLASSES, mixup=MIXUP) if augmented else None,
        make_optimiser=lion,
        after_epoch=look,
    )
    return Sized(run.accuracy, accuracy(model, data.shifted), tuple(path), run.history.seconds)


def _sampled(n: int, data: Prepared, context: Context, seed: int) -> Sampled:
    """The middle size on n samples, with crops."""
    train, test = data.parts
    run = run_of(
        lambda: ScalingMLP(MIDDLE),
        Parts(train.rows(balanced(train.y, n, seed)), test),
        _settings(context, epochs_for(n)),
        seed,
        smoothing=SMOOTHING,
        augment=augmentation(PADDING, data.empty, n_classes=CLASSES),
        make_optimiser=lion,
    )
    answers = averaged(run.model, test.x, PADDING, data.empty, n_crops=N_CROPS, generator=seeded(seed))
    right = float((answers.argmax(dim=1).cpu() == test.y).double().mean())
    return Sampled(1 - accuracy(run.model, data.shifted), run.accuracy, right, run.history.seconds)
