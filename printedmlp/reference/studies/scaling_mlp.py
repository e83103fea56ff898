"""Scaling MLPs on digits: size, augmentation and samples against error, crops at test time, transfer."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from numpy.typing import ArrayLike, NDArray

from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.scaling_mlp import (
    PUBLISHED,
    PowerLaw,
    ScalingConfig,
    ScalingMLP,
    compute,
    counted_parameters,
    fit_power_law,
    slope,
    unbeaten,
)
from printedmlp.reference.studies.runs import ACCURACY, DIGITS, measure_of, sizes_check
from printedmlp.reference.studies.scaling_runs import (
    LARGEST,
    LOOKS,
    MIDDLE,
    N_CROPS,
    SAMPLES,
    SIZES,
    Results,
    Sized,
    results_of,
)
from printedmlp.reference.studies.scaling_transfer import SCRATCH, SHOTS, TUNED, WAYS

STRAIGHT = 4
"""The slope is measured over this many of the first samples, where errors are far from their floor."""
TRANSFERRED = "95.5 % on CIFAR10, B-12/Wi-1024 averaged over crops"
MEDIUM_SHOTS = SHOTS[1]


def run(context: Context) -> Outcome:
    """Train over sizes, samples and ways of transfer, check the claims, draw the picture."""
    results = results_of(context)
    picture(results, context.folder / "scaling_mlp.png")
    by_compute, by_samples = law_of_compute(results), law_of_samples(results)
    return Outcome(
        measures=tuple(_measures(results)),
        checks=checks(results),
        notes=(
            f"Error on shifted images by FLOPs C: {_text(by_compute)}; the paper has alpha 0.12 to 0.35.",
            f"Error on shifted images by samples N: {_text(by_samples)}; the paper has about 0.35.",
        ),
    )


def checks(results: Results) -> tuple[Check, ...]:
    """The claims against what was measured."""
    return (
        _counts(),
        _by_size(results),
        _augmented(results),
        _law(results),
        _averaging(results),
        _transfer(results),
    )


def law_of_compute(results: Results) -> PowerLaw:
    """E(C) along the runs of all sizes that no other one beats at less compute."""
    scale, errors = (np.concatenate(parts) for parts in zip(*map(list, _paths(results).values()), strict=True))
    front = unbeaten(scale, errors)
    return fit_power_law(scale[front], errors[front])


def law_of_samples(results: Results) -> PowerLaw:
    """E(N) of the middle size."""
    return fit_power_law(SAMPLES, _errors(results), shifted=False)


def _text(law: PowerLaw) -> str:
    shift = f" + {law.b:.2g}" if law.b else ""
    return f"{law.a:.3g} (x{shift})^-{law.alpha:.2f} + {law.floor:.3f}"


def _errors(results: Results) -> list[float]:
    return [fmean(one.error for one in results.samples[n]) for n in SAMPLES]


def _paths(results: Results) -> dict[ScalingConfig, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Compute and mean error on shifted images of each size as it is trained with augmentation."""
    found = {}
    for config in SIZES:
        errors = np.mean([one.path for one in results.sizes[config, True]], axis=0)
        epochs = LOOKS[: len(errors)]
        found[config] = (np.array([compute(config, SAMPLES[-1], each) for each in epochs]), errors)
    return found


def _mean(runs: list[Sized], part: str) -> float:
    return fmean(getattr(one, part) for one in runs)


def _measures(results: Results) -> list[Measure]:
    """Plain training on plain images and augmented training on shifted ones for each size, the rest in part."""
    found = []
    for (config, augmented), runs in results.sizes.items():
        task = f"{config.name}, {'crops and MixUp' if augmented else 'no augmentation'}"
        for shifted in (False, True):
            if augmented == shifted or config == LARGEST:
                values = tuple(one.shifted if shifted else one.plain for one in runs)
                data, size = DIGITS + ", shifted" * shifted, counted_parameters(config)
                found.append(Measure(task, data, ACCURACY, values, "", size, _mean(runs, "seconds")))
    each, size = results.samples[SAMPLES[-1]], counted_parameters(MIDDLE)
    for way, part in (("crops, one look", "once"), (f"crops, averaged over {N_CROPS}", "averaged")):
        values = tuple(getattr(one, part) for one in each)
        seconds = fmean(one.seconds for one in each)
        found.append(Measure(f"{MIDDLE.name}, {way}", DIGITS, ACCURACY, values, "", size, seconds))
    for way in WAYS:
        runs_of_way = [one[MEDIUM_SHOTS, way] for one in results.transfers]
        data = f"digits 6 to 9, {MEDIUM_SHOTS} images each"
        found.append(measure_of(f"{MIDDLE.name}, {way}", data, runs_of_way, TRANSFERRED if way == TUNED else ""))
    return found


def _counts() -> Check:
    expected = dict(zip(PUBLISHED, (9, 12, 24, 37, 74, 124), strict=True))
    return sizes_check(
        claim="the published models have 9, 12, 24, 37, 74 and 124 million parameters",
        bound="rounded down to millions, and the closed form exactly",
        published=PUBLISHED,
        make=ScalingMLP,
        closed_form=counted_parameters,
        near=lambda name, count: count // 10**6 == expected[name],
    )


def _by_size(results: Results) -> Check:
    plain = [_mean(results.sizes[config, False], "plain") for config in SIZES]
    shifted = [_mean(results.sizes[config, True], "shifted") for config in SIZES]
    return Check(
        claim="accuracy grows with size",
        measured=f"plain {_list(plain)}; augmented, on shifted images {_list(shifted)}",
        bound="no step down by more than 0.005 on plain images, every step up on shifted ones",
        shown=bool(min(np.diff(plain)) >= -0.005 and min(np.diff(shifted)) > 0),
    )


def _augmented(results: Results) -> Check:
    without, with_it = results.sizes[LARGEST, False], results.sizes[LARGEST, True]
    gain = _mean(with_it, "shifted") - _mean(without, "shifted")
    loss = _mean(without, "plain") - _mean(with_it, "plain")
    return Check(
        claim="augmentation makes up for what the network does not know of images",
        measured=f"{LARGEST.name}: {gain:+.3f} on shifted images, {-loss:+.3f} on plain ones",
        bound=">= 0.30 gained, at most 0.01 lost (the paper: about 0.20 from scratch)",
        shown=gain >= 0.30 and loss <= 0.01,
    )


def _law(results: Results) -> Check:
    errors = _errors(results)
    steep = slope(SAMPLES[:STRAIGHT], errors[:STRAIGHT])
    return Check(
        claim="error follows a power law of the number of samples",
        measured=f"slope {steep:.2f} over {SAMPLES[0]} to {SAMPLES[STRAIGHT - 1]} samples; errors {_list(errors)}",
        bound="slope -1.3 to -0.6, error falling at every step",
        shown=bool(-1.3 <= steep <= -0.6 and max(np.diff(errors)) < 0),
    )


def _averaging(results: Results) -> Check:
    gains = [fmean(one.averaged - one.once for one in results.samples[n]) for n in SAMPLES]
    return Check(
        claim="averaging over crops of the tested image helps",
        measured="gains " + ", ".join(f"{gain:+.3f}" for gain in gains),
        bound="no loss at any number of samples",
        shown=min(gains) >= 0,
    )


def _transfer(results: Results) -> Check:
    by_way = {
        way: [fmean(one[shots, way].accuracy for one in results.transfers) for shots in SHOTS]
        for way in (TUNED, SCRATCH)
    }
    return Check(
        claim="pre-training helps where images are few",
        measured=f"2, 5, 10 images a class: {TUNED} {_list(by_way[TUNED])}, {SCRATCH} {_list(by_way[SCRATCH])}",
        bound="fine-tuned above from scratch at 2 and at 5 images a class",
        shown=all(tuned > scratch for tuned, scratch in list(zip(*by_way.values(), strict=True))[:2]),
    )


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def picture(results: Results, path: Path) -> Path:
    """Accuracy by size, error by compute with its law, error by samples with its law, transfer."""
    figure, axes = panels(2, 2, width=4.2, height=3.2)
    _draw_sizes(axes[0, 0], results)
    _draw_compute(axes[0, 1], results)
    _draw_samples(axes[1, 0], results)
    by_way: dict[str, ArrayLike] = {
        way: [[one[shots, way].accuracy for shots in SHOTS] for one in results.transfers] for way in WAYS
    }
    curves(axes[1, 1], SHOTS, by_way, xlabel="images a class of the new digits 6 to 9", ylabel=ACCURACY)
    axes[1, 1].set_xticks(SHOTS)
    letters(axes.flat)
    return save(figure, path)


def _draw_sizes(axes: Axes, results: Results) -> None:
    counts = [counted_parameters(config) for config in SIZES]
    lines: dict[str, ArrayLike] = {}
    for augmented in (True, False):
        for part in ("shifted", "plain"):
            rows = [[getattr(one, part) for one in results.sizes[config, augmented]] for config in SIZES]
            lines[f"{part} images, {'crops and MixUp' if augmented else 'no augmentation'}"] = np.transpose(rows)
    curves(axes, counts, lines, xlabel="parameters", ylabel=ACCURACY)
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
    axes.legend(loc="lower right", fontsize=7)


def _draw_compute(axes: Axes, results: Results) -> None:
    paths, law = _paths(results), law_of_compute(results)
    for number, (config, (scale, errors)) in enumerate(paths.items()):
        axes.plot(scale, errors, color=COLOURS[number], marker=".", label=config.name)
    scale = np.concatenate([scale for scale, _ in paths.values()])
    grid = np.geomspace(scale.min(), scale.max())
    axes.plot(grid, law(grid), color="black", linestyle="--", label=f"law, $\\alpha$ = {law.alpha:.2f}")
    _logarithmic(axes, "FLOPs of training")


def _draw_samples(axes: Axes, results: Results) -> None:
    values, law = [[one.error for one in results.samples[n]] for n in SAMPLES], law_of_samples(results)
    grid = np.geomspace(SAMPLES[0], SAMPLES[-1])
    axes.plot(np.repeat(SAMPLES, len(values[0])), np.ravel(values), ".", color=COLOURS[0], label=MIDDLE.name)
    axes.plot(grid, law(grid), color="black", linestyle="--", label=f"law, $\\alpha$ = {law.alpha:.2f}")
    _logarithmic(axes, "training samples")


def _logarithmic(axes: Axes, xlabel: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("error on shifted images")
    axes.legend()
