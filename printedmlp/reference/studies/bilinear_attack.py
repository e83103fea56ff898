"""Adversarial masks on digits, made from the weights of a bilinear network and laid over test images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from printedmlp.reference.bilinear_mlp import BilinearMLP, eigenfeatures, interactions, masks, opposed
from printedmlp.reference.studies.runs import Parts
from printedmlp.reference.training import Tensors, outputs, seeded

STRENGTHS = (0.0, 0.1, 0.2, 0.3)
LISTED = 3
"""Eigenvectors of each class that a mask leaves still, but for its own."""
N_PERMUTED = 5


@dataclass(frozen=True)
class Attack:
    """What one network's masks do to test images of other classes, a mean over the masks of all classes.

    Attributes
    ----------
    masked, permuted : accuracies by strength, with the masks and with masks whose pixels are permuted.
    taken, taken_permuted : shares of images that are taken for the mask's class at the greatest strength.
    prevailing : number of masks whose class is the most frequent wrong answer at the greatest strength.
    masks : (C, I) of the top eigenfeature of each class, mean 0 and deviation 1.
    """

    masked: tuple[float, ...]
    permuted: tuple[float, ...]
    taken: float
    taken_permuted: float
    prevailing: int
    masks: Tensor


def class_masks(model: BilinearMLP, train: Tensors) -> Tensor:
    """(C, I), signs chosen on training images of the other classes."""
    made = masks(model, eigenfeatures(interactions(model)), LISTED)[:, 0].cpu()  # (C, I)
    return torch.stack([opposed(mask, train.x[train.y != label]) for label, mask in enumerate(made)])  # (C, I)


def attack(model: BilinearMLP, parts: Parts, seed: int) -> Attack:
    """Lay every class's mask over the test images of the other classes."""
    made, generator, test = class_masks(model, parts.train), seeded(seed), parts.test
    mixed = [made[:, torch.randperm(made.shape[1], generator=generator)] for _ in range(N_PERMUTED)]
    own = [_answers(model, test.x, [made], strength) for strength in STRENGTHS]
    other = [_answers(model, test.x, mixed, strength) for strength in STRENGTHS]
    return Attack(
        masked=tuple(_accuracy(answers, test.y) for answers in own),
        permuted=tuple(_accuracy(answers, test.y) for answers in other),
        taken=_taken(own[-1], test.y),
        taken_permuted=_taken(other[-1], test.y),
        prevailing=_prevailing(own[-1][0], test.y),
        masks=made,
    )


def _answers(model: BilinearMLP, x: Tensor, sets: list[Tensor], strength: float) -> Tensor:
    """Classes (S, C, n) that the model sees in n images under each mask of S sets (C, I)."""
    seen = [
        torch.stack([outputs(model, x + strength * mask).argmax(dim=1).cpu() for mask in made]) for made in sets
    ]
    return torch.stack(seen)  # (S, C, n)


def _others(n_classes: int, truth: Tensor) -> Tensor:
    """(C, n) of booleans: image n is of another class than mask c."""
    return truth != torch.arange(n_classes)[:, None]  # (C, n)


def _accuracy(answers: Tensor, truth: Tensor) -> float:
    return float((answers == truth)[:, _others(answers.shape[1], truth)].double().mean())


def _taken(answers: Tensor, truth: Tensor) -> float:
    """Share of the other classes' images that are taken for the mask's class."""
    n_classes = answers.shape[1]
    return float((answers == torch.arange(n_classes)[:, None])[:, _others(n_classes, truth)].double().mean())


def _prevailing(answers: Tensor, truth: Tensor) -> int:
    """Number of masks whose class is the most frequent wrong one of their answers (C, n)."""
    wrong = _others(len(answers), truth) & (answers != truth)  # (C, n)
    counts = [
        torch.bincount(row[missed], minlength=len(answers)) for row, missed in zip(answers, wrong, strict=True)
    ]
    return sum(int(count.argmax()) == label and int(count[label]) > 0 for label, count in enumerate(counts))
