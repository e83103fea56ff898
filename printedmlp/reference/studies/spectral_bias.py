"""Spectral bias at small scale: the tones that a network of coordinates learns, and how it parts neighbours.

A sum of ten tones and an image of noise, learned from raw coordinates and from encoded ones.
"""

from __future__ import annotations

import statistics
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, LINES, letters, panels, save
from printedmlp.reference.studies.spectral_bias_runs import (
    CENTRED,
    EVERY,
    SIGNAL,
    TONES,
    UNIT,
    Result,
    Results,
    on_image,
    on_signal,
)


def run(context: Context) -> Outcome:
    """Both experiments and the picture."""
    steps, epochs = (200, 40) if context.quick else (1500, 600)
    one, two = on_signal(steps, context), on_image(epochs, context)
    picture(one, two, context.folder / "spectral_bias.png")
    return Outcome(
        (*_measures("ten tones", one), *_measures("noise image", two)),
        checks(one, two),
        (_note("ten tones", one), _note("noise image", two)),
    )


def checks(one: Results, two: Results) -> tuple[Check, ...]:
    """The paper's claims, from the networks of the tones and of the image."""
    both = (("ten tones", one), ("noise image", two))
    return (
        *(_errors(name, found) for name, found in both),
        *(_distances(name, found) for name, found in both),
        _order(one),
        _unlearned(one),
        _confused(one),
    )


def _mean(results: list[Result], name: str) -> float:
    return statistics.fmean(getattr(result, name) for result in results)


def _measures(data: str, found: Results) -> list[Measure]:
    return [
        Measure(
            "coordinates to values",
            f"{data}, {name}",
            metric,
            tuple(float(getattr(result, field)) for result in results),
            "",
            results[0].parameters,
            _mean(results, "seconds"),
        )
        for name, results in found.items()
        for metric, field in (("MSE", "mse"), ("Hamming distance of neighbours", "local"))
    ]


def _row(found: Results, field: str, form: str) -> tuple[list[float], str]:
    means = [_mean(results, field) for results in found.values()]
    return means, ", ".join(f"{name} {mean:{form}}" for name, mean in zip(found, means, strict=True))


def _errors(data: str, found: Results) -> Check:
    means, text = _row(found, "mse", ".3g")
    until = list(found).index("L = 5") + 1
    ordered = all(a >= b for a, b in pairwise(means[:until]))
    shown = ordered and means[0] >= 20 * means[until - 1]
    bound = "falling, [0, 1] at least 20 times L = 5 (means)"
    return Check(f"encoding lowers the error, {data}", f"MSE {text}", bound, shown)


def _distances(data: str, found: Results) -> Check:
    until = list(found).index("L = 5") + 1
    local, local_text = _row(found, "local", ".1f")
    count, count_text = _row(found, "regions", ".0f")
    rising = all(a <= b for values in (local, count) for a, b in pairwise(values[:until]))
    shown = rising and local[until - 1] >= 5 * local[0]
    bound = "both rising, distance at L = 5 at least 5 times [0, 1] (means)"
    measured = f"distance {local_text}; regions {count_text} of 1024"
    return Check(f"encoding parts neighbours, {data}", measured, bound, shown)


def _order(one: Results) -> Check:
    early = [result.spectrum[100 // EVERY - 1] for result in one["L = 5"]]
    shown = all(float(row[0]) < 0.5 * float(row[-1]) for row in early)
    measured = ", ".join(f"{row[0]:.2f} against {row[-1]:.2f}" for row in early)
    bound = "error at k=5 below half of that at k=50 at step 100, every seed"
    return Check("low frequencies come first", measured, bound, shown)


def _unlearned(one: Results) -> Check:
    high = [float(result.spectrum[-1][TONES >= 35].min()) for result in one[UNIT]]
    measured = "least relative error " + ", ".join(f"{error:.2f}" for error in high)
    bound = "> 0.8 for every tone of k >= 35, every seed"
    return Check("raw coordinates do not learn high tones", measured, bound, min(high) > 0.8)


def _confused(one: Results) -> Check:
    raw, encoded = ([result.spread for result in one[name]] for name in (UNIT, "L = 7"))
    pairs = ", ".join(f"{r:.2f} against {e:.2f}" for r, e in zip(raw, encoded, strict=True))
    shown = all(r > e and r > 0.9 for r, e in zip(raw, encoded, strict=True))
    return Check(
        "raw coordinates confuse neighbours' gradients",
        f"standard deviation of cosines {pairs}",
        "> 0.9 and above L = 7, every seed",
        shown,
    )


def _note(data: str, found: Results) -> str:
    parts = [
        f"{name}: {_mean(results, 'dead'):.0f} dead units, {_mean(results, 'boundary'):.1e} to a boundary, "
        f"spectral norms' product {_mean(results, 'slope'):.3g}, {_mean(results, 'far'):.0f} bits to far points"
        for name, results in found.items()
    ]
    return f"{data}: " + "; ".join(parts) + "."


def picture(one: Results, two: Results, path: Path) -> None:
    """Error of every tone against step, neighbours' gradients and distances, and a piece of the signal."""
    figure, axes = panels(2, 3)
    for place, name in zip(axes[0], (UNIT, "L = 3", "L = 5"), strict=True):
        shown = _spectrum_panel(place, one[name], name)
    figure.colorbar(shown, ax=axes[0, 2], label="relative error")
    _confusion_panel(axes[1, 0], one)
    _distance_panel(axes[1, 1], one, two)
    _regions_panel(axes[1, 2], one, two)
    letters(list(axes.flat))
    save(figure, path)


def _spectrum_panel(axes: Axes, results: list[Result], name: str) -> Any:
    spectrum = torch.stack([result.spectrum for result in results]).mean(0)  # (probes, tones)
    reach = (EVERY / 2, EVERY * (len(spectrum) + 0.5), 2.5, 52.5)
    shown = axes.imshow(
        spectrum.T.clamp_max(1), origin="lower", aspect="auto", extent=reach, vmin=0, vmax=1, cmap="cividis"
    )
    axes.set(xlabel="step", ylabel="tone k", title=f"input {name}")
    axes.grid(False)
    return shown


def _confusion_panel(axes: Axes, one: Results) -> None:
    bins = np.linspace(-1, 1, 21)
    for name, colour, style in zip((UNIT, "L = 3", "L = 7"), COLOURS, LINES, strict=False):
        cosines = torch.cat([result.confusions for result in one[name]]).numpy()
        heights, _ = np.histogram(cosines, bins, density=True)
        axes.stairs(heights, bins, color=colour, linestyle=style, label=name, linewidth=1.5)
    axes.set(xlabel="cosine of neighbours' gradients", ylabel="density")
    axes.legend(fontsize=7, loc="upper center")


def _distance_panel(axes: Axes, one: Results, two: Results) -> None:
    for found, label, colour in ((one, "ten tones", COLOURS[0]), (two, "noise image", COLOURS[1])):
        flat = [(result.local, result.mse) for results in found.values() for result in results]
        axes.plot(*zip(*flat, strict=True), "o", color=colour, markersize=4, label=label)
    axes.set(xscale="log", yscale="log", xlabel="Hamming distance of neighbours", ylabel="MSE")
    axes.legend(fontsize=7)


def _regions_panel(axes: Axes, one: Results, two: Results) -> None:
    for number, (found, label) in enumerate(((one, "ten tones"), (two, "noise image"))):
        places = [list(SIGNAL).index(name) if name in SIGNAL else 2 for name in found]
        means = [_mean(results, "regions") for results in found.values()]
        axes.plot(places, means, "o" + LINES[number], color=COLOURS[number], label=label)
    axes.set(ylabel="regions among 1024 points", ylim=(0, None))
    axes.set_xticks(range(len(SIGNAL)), [UNIT, CENTRED, "L = 2, 3", "L = 5", "L = 7"])
    axes.legend(fontsize=7)
