"""gMLP on digits of 16 tokens: is a spatial gate enough for tokens to speak, and does depth pay?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from printedmlp.reference.gmlp import GMLP, PUBLISHED, GMLPConfig, counted_parameters, patches
from printedmlp.reference.outcome import Check, Context, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, pixels, save
from printedmlp.reference.studies.runs import (
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
from printedmlp.reference.training import Tensors, parameter_count

PATCH = 2
GRID = 4
BASE = GMLPConfig(n_tokens=GRID * GRID, token_size=PATCH * PATCH, n_classes=CLASSES)
DEPTHS = (1, 2, 4, 6)
NAMES = {
    "split": "spatial gating unit",
    "multiplicative": "gate without split",
    "linear": "linear mixing",
    "none": "no mixing",
}
VARIANTS = tuple(("split", depth) for depth in DEPTHS) + tuple((unit, BASE.depth) for unit in list(NAMES)[1:])
COUNTS = {"gMLP-Ti/16": 6, "gMLP-S/16": 20, "gMLP-B/16": 73}
"""Millions of parameters in the paper's table."""

Runs = Mapping[tuple[str, int], list[Run]]
"""One run a seed for each unit and depth."""


def run(context: Context) -> Outcome:
    """Train all variants, check the claims, draw the picture."""
    runs = {variant: [_trained(*variant, context, seed) for seed in context.seeds] for variant in VARIANTS}
    picture(runs, context.folder / "gmlp.png")
    return Outcome(
        measures=tuple(
            measure_of(f"{NAMES[unit]}, {depth} blocks", DIGITS, found) for (unit, depth), found in runs.items()
        ),
        checks=checks(runs),
        notes=(
            "Published for ImageNet: gMLP-S 79.6 % and gMLP-B 81.6 %, DeiT-S 79.8 % and DeiT-B 81.8 %.",
            "That gates beat linear mixing is a result on masked language models.",
        ),
    )


def checks(runs: Runs) -> tuple[Check, ...]:
    """The claims against what was measured."""
    return _sizes(), _mixing(runs), _depth(runs), _split(runs), _gating(runs)


def _trained(unit: str, depth: int, context: Context, seed: int) -> Run:
    config = replace(BASE, unit=unit, depth=depth)
    train, test = map(_tokens, digit_images(seed))
    epochs = 5 if context.quick else 30
    settings = settings_for(context, epochs, 64, 2e-3, weight_decay=0.05, schedule="one_cycle")
    return run_of(lambda: GMLP(config), Parts(train, test), settings, seed, smoothing=0.1)


def _tokens(data: Tensors) -> Tensors:
    return Tensors(patches(2 * data.x - 1, PATCH), data.y)  # (n, 16, 4)


def _sizes() -> Check:
    return sizes_check(
        claim="the published models have 6, 20 and 73 million parameters",
        bound="within a million, and the closed form exactly",
        published=PUBLISHED,
        make=GMLP,
        closed_form=counted_parameters,
        near=lambda name, count: abs(count / 1e6 - COUNTS[name]) < 1,
    )


def _mixing(runs: Runs) -> Check:
    gated, none = mean(runs["split", BASE.depth]), mean(runs["none", BASE.depth])
    return Check(
        claim="spatial gating alone lets tokens communicate",
        measured=f"{gated:.3f} with the unit, {none:.3f} without",
        bound=">= 0.97, and >= 0.15 above the network without",
        shown=gated >= 0.97 and gated - none >= 0.15,
    )


def _depth(runs: Runs) -> Check:
    one, two, four = (mean(runs["split", depth]) for depth in (1, 2, 4))
    return Check(
        claim="accuracy grows with depth",
        measured=f"1, 2, 4 blocks: {one:.3f}, {two:.3f}, {four:.3f}",
        bound="no step down by more than 0.01, 4 blocks >= 0.01 above 1",
        shown=min(two - one, four - two) >= -0.01 and four - one >= 0.01,
    )


def _split(runs: Runs) -> Check:
    split, whole = runs["split", BASE.depth], runs["multiplicative", BASE.depth]
    fewer, more = parameter_count(split[0].model), parameter_count(whole[0].model)
    return Check(
        claim="splitting the channels saves parameters and costs nothing",
        measured=f"{mean(split):.3f} with {fewer:,}, {mean(whole):.3f} with {more:,} parameters",
        bound="fewer parameters, at most 0.01 less accurate",
        shown=fewer < more and mean(split) >= mean(whole) - 0.01,
    )


def _gating(runs: Runs) -> Check:
    gated, linear = runs["multiplicative", BASE.depth], runs["linear", BASE.depth]
    won = sum(one.accuracy > other.accuracy for one, other in zip(gated, linear, strict=True))
    return Check(
        claim="multiplicative gating is better than linear mixing",
        measured=f"{mean(gated):.3f} against {mean(linear):.3f}, better on {won} of {len(gated)} seeds",
        bound="better on every seed and by 0.005 on average",
        shown=won == len(gated) and mean(gated) - mean(linear) >= 0.005,
    )


def picture(runs: Runs, path: Path) -> Path:
    """Accuracy by depth, learning curves, and what the tokens of each of four blocks look at."""
    figure, axes = panels(2, 3)
    first, second, *maps = axes.flat
    _by_depth(first, runs)
    losses: dict[str, ArrayLike] = {
        NAMES[unit]: [run.history.losses for run in runs[unit, BASE.depth]] for unit in NAMES
    }
    curves(
        second,
        range(1, len(runs["split", 1][0].history.losses) + 1),
        losses,
        xlabel="epoch",
        ylabel="training loss",
    )
    for number, (each, block) in enumerate(zip(maps, runs["split", BASE.depth][0].model.blocks, strict=True)):
        pixels(each, _looks(block.spatial.map.tokens.weight), title=f"W of block {number + 1}", signed=True)
        for line in range(1, GRID):
            each.axhline(line * GRID - 0.5, color="black", linewidth=0.5)
            each.axvline(line * GRID - 0.5, color="black", linewidth=0.5)
    letters(axes.flat)
    return save(figure, path)


def _by_depth(axes: Axes, runs: Runs) -> None:
    values = np.array([[run.accuracy for run in runs["split", depth]] for depth in DEPTHS]).T
    curves(axes, DEPTHS, {NAMES["split"]: values}, xlabel="blocks", ylabel="test accuracy")
    for number, unit in enumerate(list(NAMES)[1:], start=1):
        found = runs[unit, BASE.depth]
        beside = BASE.depth + 0.2 * number
        axes.scatter([beside] * len(found), [run.accuracy for run in found], color=COLOURS[number])
    axes.set_xticks(DEPTHS)


def _looks(weight: torch.Tensor) -> np.ndarray:
    """W (16, 16) as a grid of output tokens, each the 4 x 4 picture of its weights on the input tokens."""
    by_place = weight.detach().cpu().reshape(GRID, GRID, GRID, GRID)  # (row, column) of output, then of input
    return by_place.permute(0, 2, 1, 3).reshape(GRID**2, GRID**2).numpy()  # (16, 16)
