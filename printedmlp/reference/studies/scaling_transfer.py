"""Transfer of a scaling MLP: from the digits 0 to 5 to a few images each of 6 to 9."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD, Optimizer

from printedmlp.reference.outcome import Context
from printedmlp.reference.scaling_mlp import ScalingConfig, ScalingMLP, augmentation, lion
from printedmlp.reference.studies.runs import CLASSES, SIDE, Parts, Run, run_of, settings_for
from printedmlp.reference.training import MakeOptimiser, Settings, Tensors, seeded

FIRST_NEW = 6
CONFIG = ScalingConfig(SIDE * SIDE, FIRST_NEW, width=32, depth=4)
SHOTS = (2, 5, 10)
SMOOTHING = 0.3
RATE, STEPS = 3e-4, 150
HEAD_RATE, BODY_RATE, MOMENTUM = 0.05, 0.005, 0.9

Adapted = dict[tuple[int, str], Run]
"""By images a class and way of training."""


def transfer(parts: Parts, empty: float, context: Context, seed: int) -> Adapted:
    """Networks for the new digits.

    Parameters
    ----------
    parts : all digits, standardised.
    empty : value of an empty pixel, for the crops of pre-training.
    """
    settings = settings_for(context, 10 if context.quick else 40, 128, RATE)
    augment = augmentation(1, empty, n_classes=FIRST_NEW)
    old, new = Parts(*map(_old, parts)), Parts(*map(_new, parts))
    known = run_of(
        lambda: ScalingMLP(CONFIG), old, settings, seed, smoothing=SMOOTHING, augment=augment, make_optimiser=lion
    ).model.state_dict()
    return {
        (shots, way): _adapted(way, known, Parts(_few(new.train, shots, seed), new.test), context, seed)
        for shots in SHOTS
        for way in WAYS
    }


def _old(data: Tensors) -> Tensors:
    return data.rows(data.y < FIRST_NEW)


def _new(data: Tensors) -> Tensors:
    chosen = data.rows(data.y >= FIRST_NEW)
    return Tensors(chosen.x, chosen.y - FIRST_NEW)


def _few(data: Tensors, shots: int, seed: int) -> Tensors:
    """The first images of each class in an order that the seed decides."""
    order = torch.randperm(len(data.y), generator=seeded(seed))
    return data.rows(torch.cat([order[data.y[order] == label][:shots] for label in data.y.unique()]))


def _adapted(way: str, known: dict[str, torch.Tensor], few: Parts, context: Context, seed: int) -> Run:
    def make() -> nn.Module:
        model = ScalingMLP(CONFIG)
        if way != SCRATCH:
            model.load_state_dict(known)
        model.head = nn.Linear(CONFIG.width, CLASSES - FIRST_NEW)
        return model

    settings = settings_for(context, STEPS, 0, RATE)
    return run_of(make, few, settings, seed, smoothing=SMOOTHING, make_optimiser=WAYS[way])


def _fine_tuning(model: nn.Module, settings: Settings) -> Optimizer:
    """Gradient descent with a slower body than head."""
    head = [p for name, p in model.named_parameters() if name.startswith("head.")]
    body = [p for name, p in model.named_parameters() if not name.startswith("head.")]
    return SGD([{"params": head, "lr": HEAD_RATE}, {"params": body, "lr": BODY_RATE}], momentum=MOMENTUM)


def _probing(model: nn.Module, settings: Settings) -> Optimizer:
    """Gradient descent on the head alone."""
    return SGD([p for name, p in model.named_parameters() if name.startswith("head.")], HEAD_RATE, MOMENTUM)


TUNED, SCRATCH, PROBE = "fine-tuned", "from scratch", "linear probe"
WAYS: dict[str, MakeOptimiser] = {TUNED: _fine_tuning, SCRATCH: lion, PROBE: _probing}
