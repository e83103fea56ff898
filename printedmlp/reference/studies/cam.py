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
    TONES,
    Fitted,
    Runs,
    on_field,
    on_image,
    on_line,
    step_ratio,
    target_picture,
)
from printedmlp.reference.training import outputs

FIELD = "mottled balls in space"
SHOWN = ("plain, wider", "grid first", "CAM + norm", "Fourier + CAM + norm")
RIVALS = ("plain, wider", "grid first")


def run(context: Context) -> Outcome:
    """All experiments, the claims and the picture."""
    plan = QUICK if context.quick else FULL
    target = target_picture(plan)
    line, image, field = on_line(plan, context), on_image(plan, context, target), on_field(plan, context)
    ratio = step_ratio(plan, context)
    picture(line, image, field, target, context.folder / "cam.png")
    name = f"{target.name} {plan.side} x {plan.side}"
    return Outcome(
        (
            *_measures("ten tones", "MSE", line),
            *_measures(name, "PSNR in dB", image),
            *_measures(FIELD, "PSNR in dB at other points", field),
        ),
        checks(line, image, field, ratio),
        (_gains(image), _variances(image)),
    )


def checks(line: Runs, image: Runs, field: Runs, ratio: float) -> tuple[Check, ...]:
    """The claims against what was measured; `ratio` is that of the times of a step with and without modulation."""
    return (
        _spectral(line),
        _sharper(image),
        _stable(image),
        _overhead(image, ratio),
        _equal("image", image),
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


def picture(line: Runs, image: Runs, field: Runs, target: Picture, path: Path) -> Path:
    """The photograph and what networks make of it; tones, losses, grids and fidelity below."""
    figure, axes = panels(2, 5, width=2.7, height=2.6)
    _shown(axes[0, 0], target.values[..., 0], f"{target.name}, target")
    for each, name in zip(axes[0, 1:], SHOWN, strict=True):
        found = image[name][0]
        height, width = target.values.shape[:2]
        drawn = outputs(found.model, pixel_centres(height, width)).reshape(height, width)
        _shown(each, drawn, f"{name}\n{found.figure:.1f} dB, {found.parameters:,} parameters")
    _tones_panel(axes[1, 0], line)
    _loss_panel(axes[1, 1], image)
    grids = image["CAM + norm"][0].model.modulation.grids.detach()  # (layers, 2, rows, columns)
    for each, grid, name in zip(axes[1, 2:4], grids[0], (r"$\gamma$", r"$\beta$"), strict=True):
        pixels(each, grid - (1 if "gamma" in name else 0), signed=True)
        each.set_title(f"{name}{' - 1' if 'gamma' in name else ''} of layer 1, CAM + norm", fontsize=9)
    _bars(axes[1, 4], image, field)
    letters(list(axes.flat))
    return save(figure, path)


def _shown(axes: Axes, values: torch.Tensor, title: str) -> None:
    axes.imshow(values.numpy(), cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def _tones_panel(axes: Axes, line: Runs) -> None:
    names = ("plain, ReLU", "encoding, linear", "CAM, linear", "CAM, ReLU")
    for name, colour, style in zip(names, COLOURS, LINES, strict=False):
        errors = torch.stack([one.spectrum for one in line[name]]).mean(0)  # (10,)
        axes.plot(TONES, errors, style, color=colour, label=name)
    axes.set(xlabel="tone k", ylabel="relative error", ylim=(-0.05, 1.4))
    axes.legend(fontsize=7, ncols=2)


def _loss_panel(axes: Axes, image: Runs) -> None:
    names = ("plain", "CAM + norm", "Fourier + CAM", "Fourier + CAM + norm")
    for name, colour, style in zip(names, COLOURS, LINES, strict=False):
        losses = np.mean([one.history.losses for one in image[name]], axis=0)
        axes.plot(np.arange(1, len(losses) + 1), losses, style, color=colour, label=name)
    axes.set(xlabel="step", ylabel="MSE, image", yscale="log")
    axes.legend(fontsize=7)


def _bars(axes: Axes, image: Runs, field: Runs) -> None:
    rows = [(f"image: {name}", found, COLOURS[5]) for name, found in image.items()]
    rows += [(f"field: {name}", found, COLOURS[4]) for name, found in field.items()]
    names = [name for name, _, _ in rows][::-1]
    for place, (_, found, colour) in enumerate(rows[::-1]):
        axes.barh(place, _mean(found), color=colour)
        axes.plot([one.figure for one in found], [place] * len(found), "|", color="black")
    axes.set_yticks(range(len(rows)), names, fontsize=7)
    axes.set_xlabel("PSNR in dB")
