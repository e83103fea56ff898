"""MS-MLP: a test that only reach can pass, and digits, where near pixels are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from printedmlp.reference.ms_mlp import MSMLP, PUBLISHED, SHIFTS, MSMLPConfig, counted_parameters, reach
from printedmlp.reference.outcome import Check, Context, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, pixels, save
from printedmlp.reference.studies.runs import (
    ACCURACY,
    CLASSES,
    DIGITS,
    Parts,
    Run,
    digit_images,
    mean,
    measure_of,
    run_of,
    settings_for,
    sizes_check,
)
from printedmlp.reference.training import Tensors

STILL, POINTS = (0,) * len(SHIFTS), (1,) * len(SHIFTS)
SIZE, GAPS = 10, (3, 4)
REACH = f"two pixels {GAPS[0]} or {GAPS[1]} apart"
N_TRAIN, N_TEST = 1500, 600

PAIRS = MSMLPConfig(1, 2, (30,), (1,), ((3, 3, 1, 3, 3),), stem_norm=False, gamma=0.1, pool="max")
REACHING = {
    "mix and shift": PAIRS,
    "shift only": replace(PAIRS, kernels=(POINTS,)),
    "mix only": replace(PAIRS, shifts=STILL, kernels=((3,) * 5,)),
    "mix only, two blocks": replace(PAIRS, shifts=STILL, kernels=((3,) * 5,), depths=(2,)),
    "neither": replace(PAIRS, shifts=STILL, kernels=(POINTS,)),
}
IMAGES = MSMLPConfig(1, CLASSES, (20, 40), (1, 2), ((5, 3, 1, 3, 5), (3, 3, 1, 3, 3)), gamma=0.1)
READING = {
    "mix and shift": IMAGES,
    "mix and shift, released order": replace(IMAGES, kernels=((1, 1, 3, 5, 5), (1, 3, 3, 3, 3))),
    "mix only": replace(IMAGES, shifts=STILL),
    "shift only": replace(IMAGES, kernels=(POINTS, POINTS)),
    "neither": replace(IMAGES, shifts=STILL, kernels=(POINTS, POINTS)),
}
PUBLISHED_TOP_1 = "83.8 % on ImageNet, Base"

Runs = Mapping[str, Sequence[Run]]
"""One run a seed by variant."""


def run(context: Context) -> Outcome:
    """Train all variants on both tasks, check the claims, draw the picture."""
    reaching = {
        name: [_paired(config, context, seed) for seed in context.seeds] for name, config in REACHING.items()
    }
    reading = {name: [_read(config, context, seed) for seed in context.seeds] for name, config in READING.items()}
    picture(reaching, reading, context.folder / "ms_mlp.png")
    return Outcome(
        measures=(
            *(measure_of(name, REACH, runs) for name, runs in reaching.items()),
            *(
                measure_of(name, DIGITS, runs, PUBLISHED_TOP_1 if name == "mix and shift" else "")
                for name, runs in reading.items()
            ),
        ),
        checks=checks(reaching, reading),
        notes=(
            "Two blocks of 3 x 3 kernels see both pixels from between them; whether they learn it is measured.",
            "Kernels grow with the distance of the shift, in the released order with its index.",
        ),
    )


def checks(reaching: Runs, reading: Runs) -> tuple[Check, ...]:
    """The claims against what was measured on pairs of pixels and on digits."""
    return _sizes(), _reach(reaching), _order(reading), _both(reading)


def pairs(n: int, rng: np.random.Generator) -> Tensors:
    """Images (n, 1, 10, 10), two pixels lit in a row or a column away from the border; class 1 where 4 apart."""
    images = np.zeros((n, SIZE, SIZE), dtype=np.float32)
    classes = rng.permutation(np.arange(n) % 2)
    for image, gap in zip(images, np.take(GAPS, classes), strict=True):
        line, start = rng.integers(2, SIZE - 2), rng.integers(2, SIZE - gap - 2)
        across = image if rng.random() < 0.5 else image.T
        across[line, [start, start + gap]] = 1
    return Tensors(torch.from_numpy(images)[:, None], torch.from_numpy(classes))


def _paired(config: MSMLPConfig, context: Context, seed: int) -> Run:
    rng = np.random.default_rng(seed)
    parts = Parts(pairs(N_TRAIN, rng), pairs(N_TEST, rng))
    epochs = 3 if context.quick else 25
    settings = settings_for(context, epochs, 64, 5e-3, weight_decay=0.01, schedule="one_cycle")
    return run_of(lambda: MSMLP(config), parts, settings, seed)


def _read(config: MSMLPConfig, context: Context, seed: int) -> Run:
    parts = Parts(*(Tensors(2 * part.x[:, None] - 1, part.y) for part in digit_images(seed)))  # (n, 1, 8, 8)
    epochs = 3 if context.quick else 15
    settings = settings_for(context, epochs, 64, 4e-3, weight_decay=0.05, schedule="one_cycle")
    return run_of(lambda: MSMLP(config), parts, settings, seed, smoothing=0.1)


def _sizes() -> Check:
    expected = dict(zip(PUBLISHED, (28, 50, 88), strict=True))
    return sizes_check(
        claim="the released models have 28, 50 and 88 million parameters (the paper's abstract: 85)",
        bound="rounded down to millions, and the closed form exactly",
        published=PUBLISHED,
        make=MSMLP,
        closed_form=counted_parameters,
        near=lambda name, count: count // 10**6 == expected[name],
    )


def _reach(reaching: Runs) -> Check:
    both, shift, mix = (mean(reaching[name]) for name in ("mix and shift", "shift only", "mix only"))
    return Check(
        claim="shifts reach what one block's kernels do not",
        measured=f"{REACH}: mix and shift {both:.3f}, shift only {shift:.3f}, mix only {mix:.3f}",
        bound="with shifts >= 0.95, mix only <= 0.6",
        shown=min(both, shift) >= 0.95 and mix <= 0.6,
    )


def _order(reading: Runs) -> Check:
    both, shift, neither = (mean(reading[name]) for name in ("mix and shift", "shift only", "neither"))
    return Check(
        claim="mixing and shifting each help",
        measured=f"digits: mix and shift {both:.3f}, shift only {shift:.3f}, neither {neither:.3f}",
        bound="mix and shift >= 0.96 and >= 0.05 above shift only, that >= 0.15 above neither",
        shown=both >= 0.96 and both - shift >= 0.05 and shift - neither >= 0.15,
    )


def _both(reading: Runs) -> Check:
    both, mix = reading["mix and shift"], reading["mix only"]
    won = sum(one.accuracy > other.accuracy for one, other in zip(both, mix, strict=True))
    return Check(
        claim="shifting helps images beside mixing",
        measured=f"digits: {mean(both):.3f} against {mean(mix):.3f}, better on {won} of {len(both)} seeds",
        bound="better on every seed and by 0.005 on average",
        shown=won == len(both) and mean(both) - mean(mix) >= 0.005,
    )


def picture(reaching: Runs, reading: Runs, path: Path) -> Path:
    """What one block sees by mixing, shifting and both; learning curves of the pairs; accuracies of both tasks."""
    figure, axes = panels(2, 3)
    for number, name in enumerate(("mix only", "shift only", "mix and shift")):
        pixels(axes[0, number], _seen(REACHING[name]), title=name)
        axes[0, number].plot(GAPS[1] + 1, GAPS[1] + 1, "s", color=COLOURS[1], markersize=3)
    losses: dict[str, ArrayLike] = {name: [one.history.losses for one in runs] for name, runs in reaching.items()}
    epochs = range(1, len(reaching["neither"][0].history.losses) + 1)
    curves(axes[1, 0], epochs, losses, xlabel="epoch", ylabel="training loss")
    axes[1, 0].legend(loc="center right", fontsize=8)
    _bars(axes[1, 1], reaching, f"{ACCURACY}, {REACH}")
    _bars(axes[1, 2], reading, f"{ACCURACY}, digits")
    letters(axes.flat)
    return save(figure, path)


def _seen(config: MSMLPConfig) -> NDArray[np.float64]:
    """(11, 11): 1 where the value of the middle pixel comes from after one block."""
    middle = GAPS[1] + 1
    seen = np.zeros((2 * middle + 1, 2 * middle + 1))
    for row, column in reach(config.shifts, config.kernels[0]):
        seen[middle + row, middle + column] = 1
    return seen


def _bars(axes: Axes, runs: Runs, xlabel: str) -> None:
    names = list(runs)[::-1]
    axes.barh(names, [mean(runs[name]) for name in names], color=COLOURS[5])
    for name in names:
        axes.plot([one.accuracy for one in runs[name]], [name] * len(runs[name]), "|", color="black")
    axes.set_xlabel(xlabel)
    axes.set_xlim(0, 1.02)
