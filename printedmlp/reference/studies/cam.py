"""Coordinate-aware modulation at small scale: what grids between the layers give a network of coordinates."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes

from printedmlp.reference.fields import Picture, pixel_centres
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, LINES, letters, panels, pixels, save
from printedmlp.reference.studies.cam_runs import (
    FULL,
    IMAGES,
    QUICK,
    SHOWN,
    TONES,
    Fitted,
    Runs,
    on_field,
    on_image,
    on_line,
    step_ratio,
    target_pictures,
)
from printedmlp.reference.training import outputs

FIELD = "mottled balls in space"
DECIBEL = "PSNR in dB"
RIVALS = ("plain, wider", "grid first")


def run(context: Context) -> Outcome:
    """All experiments, the claims and the picture."""
    plan = QUICK if context.quick else FULL
    targets = target_pictures(plan)
    line, field = on_line(plan, context), on_field(plan, context)
    image, coloured = (on_image(plan, context, target) for target in targets)
    ratio = step_ratio(plan, context)
    picture(line, (image, coloured), field, targets, context.folder / "cam.png")
    names = [f"{target.name} {plan.side} x {plan.side}" for target in targets]
    names[1] += ", colour"
    return Outcome(
        (
            *_measures("ten tones", "MSE", line),
            *_measures(names[0], DECIBEL, image),
            *_measures(names[1], DECIBEL, coloured),
            *_measures(FIELD, f"{DECIBEL} at other points", field),
        ),
        checks(line, image, coloured, field, ratio),
        (_gains(image), _variances(image)),
    )


def checks(line: Runs, image: Runs, coloured: Runs, field: Runs, ratio: float) -> tuple[Check, ...]:
    """The claims against what was measured; `ratio` is that of the times of a step with and without modulation."""
    return (
        _spectral(line),
        _sharper(image),
        _stable(image),
        _overhead(image, ratio),
        _equal("image", image),
        _equal("coloured image", coloured),
        _equal("field", field),
    )


def _mean(found: Sequence[Fitted]) -> float:
    return statistics.fmean(one.figure for one in found)


def _measures(data: str, metric: str, runs: Runs) -> list[Measure]:
    return [
        Measure(
            "coordinates to values",
            f"{data}, {name}",
            metric,
            tuple(one.figure for one in found),
            "",
            found[0].parameters,
            statistics.fmean(one.history.seconds for one in found),
        )
        for name, found in runs.items()
    ]


def _spectral(line: Runs) -> Check:
    parts, worst = [], 0.0
    for label in ("linear", "ReLU"):
        pairs = [
            (cam.figure, plain.figure)
            for cam, plain in zip(line[f"CAM, {label}"], line[f"plain, {label}"], strict=True)
        ]
        parts.append(f"{label} " + ", ".join(f"{cam:.3f} / {plain:.2f}" for cam, plain in pairs))
        worst = max(worst, *(cam / plain for cam, plain in pairs))
    return Check(
        claim="modulation lifts the spectral bias",
        measured=f"MSE of CAM / plain: {'; '.join(parts)}",
        bound="at most 0.05 of the plain network's without encoding, every seed, linear and ReLU",
        shown=worst <= 0.05,
    )


def _sharper(image: Runs) -> Check:
    gains, sizes = [], []
    for base, modulated in (("plain", "CAM + norm"), ("Fourier", "Fourier + CAM + norm")):
        gains.append(_mean(image[modulated]) - _mean(image[base]))
        sizes.append(image[modulated][0].parameters / image[base][0].parameters - 1)
    return Check(
        claim="modulation with normalisation sharpens an image",
        measured=f"{gains[0]:+.1f} dB over plain, {gains[1]:+.1f} dB over Fourier features, "
        f"{sizes[0]:.0%} and {sizes[1]:.0%} more parameters",
        bound="at least 8 dB and at least 1 dB, with at most 20 % more parameters (means)",
        shown=gains[0] >= 8 and gains[1] >= 1 and max(sizes) <= 0.2,
    )


def _stable(image: Runs) -> Check:
    with_norm, without = _mean(image["Fourier + CAM + norm"]), _mean(image["Fourier + CAM"])
    return Check(
        claim="normalisation makes modulation stable",
        measured=f"Fourier + CAM {with_norm:.1f} dB with and {without:.1f} dB without it",
        bound="more than 3 dB better with it, grids at ten times the rate (means)",
        shown=with_norm - without > 3,
    )


def _overhead(image: Runs, ratio: float) -> Check:
    added = image["CAM"][0].parameters - image["plain"][0].parameters
    config = IMAGES["CAM"]
    expected = len(config.hidden) * 2 * prod(config.modulation)
    return Check(
        claim="modulation costs little",
        measured=f"{added:,} parameters more, {ratio:.2f} times the time of a step",
        bound=f"exactly layers * 2 * points of a grid = {expected:,}, below 2 times",
        shown=added == expected and ratio < 2,
    )


def _equal(data: str, runs: Runs) -> Check:
    ours, rivals = runs["CAM + norm"], [runs[name] for name in RIVALS]
    sizes = [found[0].parameters for found in (ours, *rivals)]
    figures = ", ".join(
        f"{name} {_mean(found):.1f} dB ({size:,})"
        for name, found, size in zip(("CAM + norm", *RIVALS), (ours, *rivals), sizes, strict=True)
    )
    near = max(abs(size / sizes[0] - 1) for size in sizes) <= 0.05
    return Check(
        claim=f"modulation beats networks of as many parameters, {data}",
        measured=figures,
        bound="parameters within 5 %, above the plain network and the grid in front of one (means)",
        shown=near and all(_mean(ours) > _mean(found) for found in rivals),
    )


def _gains(image: Runs) -> str:
    base = _mean(image["Fourier"])
    parts = ", ".join(
        f"{name} {_mean(image[name]) - base:+.1f}"
        for name in ("Fourier, wider", "Fourier + norm", "Fourier + CAM + norm")
    )
    return f"Where the gain over Fourier features comes from, in dB over their {base:.1f}: {parts}."


def _variances(image: Runs) -> str:
    with_norm, without = (
        statistics.fmean(one.variance for one in image[name]) for name in ("Fourier + CAM + norm", "Fourier + CAM")
    )
    return f"Variance of the last features: {with_norm:.3g} with normalisation, {without:.3g} without."


def picture(
    line: Runs, images: tuple[Runs, Runs], field: Runs, targets: tuple[Picture, Picture], path: Path
) -> Path:
    """The photographs and what networks make of them; tones, losses, grids and fidelity below."""
    figure, axes = panels(3, 5, width=2.6, height=2.7)
    for row, found, target in zip(axes, images, targets, strict=False):
        _copies(row, found, target)
    image, last = images[0], axes[2]
    _tones_panel(last[0], line)
    _loss_panel(last[1], image)
    grids = image["CAM + norm"][0].model.modulation.grids.detach()  # (layers, 2, rows, columns)
    for each, grid, name in zip(
        last[2:4], (grids[0, 0] - 1, grids[0, 1]), (r"$\gamma$ - 1", r"$\beta$"), strict=True
    ):
        pixels(each, grid, signed=True)
        each.set_title(f"{name}, layer 1", fontsize=9)
        each.set_xlabel(f"CAM + norm, up to {float(grid.abs().max()):.1f}")
    _bars(last[4], image, field)
    letters(list(axes.flat))
    return save(figure, path)


def _copies(axes: Sequence[Axes], runs: Runs, target: Picture) -> None:
    """The first seed's networks beside their target."""
    shape = target.values.shape
    _shown(axes[0], target.values, target.name, f"{shape[1]} x {shape[0]} pixels")
    points = pixel_centres(shape[0], shape[1])
    for each, name in zip(axes[1:], SHOWN, strict=True):
        found = runs[name][0]
        drawn = outputs(found.model, points).reshape(shape)
        _shown(each, drawn, name, f"{found.figure:.1f} dB, {found.parameters:,} parameters")


def _shown(axes: Axes, values: torch.Tensor, title: str, figures: str = "") -> None:
    axes.imshow(values.squeeze(2).numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(figures)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def _tones_panel(axes: Axes, line: Runs) -> None:
    names = ("plain, ReLU", "encoding, linear", "CAM, linear", "CAM, ReLU")
    for name, colour, style in zip(names, COLOURS, LINES, strict=False):
        errors = torch.stack([one.spectrum for one in line[name]]).mean(0)  # (10,)
        axes.plot(TONES, errors, style, color=colour, label=name)
    axes.set(xlabel="tone k", ylabel="relative error", ylim=(-0.05, 1.5))
    axes.legend(fontsize=6.5, ncols=2, loc="upper left")


def _loss_panel(axes: Axes, image: Runs) -> None:
    names = ("plain", "CAM + norm", "Fourier + CAM", "Fourier + CAM + norm")
    for name, colour, style in zip(names, COLOURS, LINES, strict=False):
        losses = np.mean([one.history.losses for one in image[name]], axis=0)
        axes.plot(np.arange(1, len(losses) + 1), losses, style, color=colour, label=name)
    axes.set(xlabel="step", ylabel="MSE, image", yscale="log")
    axes.legend(fontsize=7)


def _bars(axes: Axes, image: Runs, field: Runs) -> None:
    rows = [(name, found, COLOURS[5]) for name, found in image.items()]
    rows += [(f"field: {name}", found, COLOURS[4]) for name, found in field.items()]
    for place, (name, found, colour) in enumerate(rows[::-1]):
        axes.barh(place, _mean(found), color=colour)
        axes.plot([one.figure for one in found], [place] * len(found), "|", color="black")
        axes.text(0.5, place, name, fontsize=6.5, va="center")
    axes.set_yticks([])
    axes.set_xlabel("PSNR in dB")
