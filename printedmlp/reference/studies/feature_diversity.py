"""The trap of feature diversity at small scale: deep narrow networks with a small start on scikit-learn's digits.

Every variant differs from the base network (depth 7, weights N(0, 0.05^2), plain SGD) in one thing.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes

from printedmlp.reference.datasets import digits, stratified
from printedmlp.reference.feature_diversity import DeepConfig, DeepMLP, Dynamics, Probe
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.training import Settings, Tensors, cross_entropy, fit, parameter_count, seeded

CONFIG = DeepConfig(inputs=64, classes=10)
RECIPE = Settings(epochs=0, batch_size=100, learning_rate=0.1, optimiser="sgd")
PROBES, EVERY = 200, 10
BASE = "base"


@dataclass(frozen=True)
class Variant:
    """A network and how it is trained."""

    config: DeepConfig = CONFIG
    recipe: Settings = RECIPE


VARIANTS: dict[str, Variant] = {
    BASE: Variant(),
    "depth 4": Variant(replace(CONFIG, depth=4)),
    "depth 6": Variant(replace(CONFIG, depth=6)),
    "depth 8": Variant(replace(CONFIG, depth=8)),
    "batch normalisation": Variant(replace(CONFIG, batch_norm=True)),
    "start N(0, 0.07^2)": Variant(replace(CONFIG, weight_std=0.07)),
    "start N(0, 0.10^2)": Variant(replace(CONFIG, weight_std=0.1)),
    "momentum 0.9": Variant(recipe=replace(RECIPE, momentum=0.9)),
    "L2 1e-3": Variant(recipe=replace(RECIPE, weight_decay=1e-3)),
}
REMEDIES = tuple(VARIANTS)[4:]
DEPTHS = {4: "depth 4", 6: "depth 6", 7: BASE, 8: "depth 8"}


@dataclass(frozen=True)
class Runs:
    """One variant over the seeds.

    Attributes
    ----------
    dynamics : one a seed.
    steps : updates of a run.
    """

    dynamics: tuple[Dynamics, ...]
    steps: int
    parameters: int
    seconds: float

    @property
    def ends(self) -> list[float]:
        """End of the first phase a seed; infinite where it did not end."""
        return [math.inf if d.end_of_first_phase is None else float(d.end_of_first_phase) for d in self.dynamics]

    @property
    def rises(self) -> list[float]:
        """Peak of similarity in the first phase above its start, one a seed."""
        return [d.phase_peak()[0] - d.last[0] for d in self.dynamics]


def training_rows() -> Tensors:
    """Seven tenths of the digits, shifted and scaled by two numbers."""
    samples = digits()
    rows = stratified(samples.y, (0.7, 0.3), 0)[0]
    x = torch.from_numpy(samples.x[rows])  # (n, 64)
    return Tensors((x - x.mean()) / x.std(), torch.from_numpy(samples.y[rows]))


def probed(data: Tensors, variant: Variant, epochs: int, seed: int, device: str) -> tuple[Dynamics, float]:
    """Train one network and watch it on the same training samples throughout."""
    data = data.to(device)
    model = DeepMLP(variant.config, generator=seeded(seed)).to(device)
    chosen = torch.randperm(len(data.x), generator=seeded(0))[:PROBES]
    probe = Probe(model, *data.rows(chosen.to(device)), EVERY)
    recipe = replace(variant.recipe, epochs=epochs, device=device)
    history = fit(model, cross_entropy(), data, None, recipe, seed=seed, after_step=probe)
    return probe.dynamics, history.seconds


def run(context: Context) -> Outcome:
    """All variants over the seeds, the claims, and the picture."""
    epochs = 20 if context.quick else 193
    data = training_rows()
    by_name: dict[str, Runs] = {}
    for name, variant in VARIANTS.items():
        runs = [probed(data, variant, epochs, seed, context.device) for seed in context.seeds]
        with torch.device("meta"):
            count = parameter_count(DeepMLP(variant.config))
        steps = epochs * math.ceil(len(data.x) / RECIPE.batch_size)
        seconds = statistics.fmean(s for _, s in runs)
        by_name[name] = Runs(tuple(d for d, _ in runs), steps, count, seconds)
    picture(by_name, context.folder / "feature_diversity.png")
    return Outcome(_measures(by_name), checks(by_name), _notes(by_name))


def _measures(by_name: dict[str, Runs]) -> tuple[Measure, ...]:
    rows = []
    for name, runs in by_name.items():
        data = f"digits, MLP {name}" if name.startswith("depth") else f"digits, MLP depth 7, {name}"
        columns = {f"end of phase 1 (step, at most {runs.steps})": [min(end, runs.steps) for end in runs.ends]}
        if name == BASE:
            columns["similarity between classes at the start"] = [d.last[0] for d in runs.dynamics]
            columns["largest similarity in phase 1"] = [d.phase_peak()[0] for d in runs.dynamics]
            columns["last similarity"] = [_last_finite(d.last) for d in runs.dynamics]
        rows += [
            Measure("learning dynamics", data, metric, tuple(values), "", runs.parameters, runs.seconds)
            for metric, values in columns.items()
        ]
    return tuple(rows)


def _last_finite(values: list[float]) -> float:
    return next(value for value in reversed(values) if math.isfinite(value))


def _numbers(values: list[float], form: str = ".0f") -> str:
    return ", ".join("never" if math.isinf(value) else format(value, form) for value in values)


def checks(by_name: dict[str, Runs]) -> tuple[Check, ...]:
    """The paper's claims, from the runs of all variants."""
    return (_phases(by_name[BASE]), _trap(by_name[BASE]), _depth(by_name), *_remedies(by_name))


def _phases(base: Runs) -> Check:
    losses = [d.losses[-1] for d in base.dynamics]
    shown = all(500 <= end < math.inf for end in base.ends) and max(losses) < 0.5
    measured = f"first phase ends at step {_numbers(base.ends)}; final loss {_numbers(losses, '.3f')}"
    return Check("training has two phases", measured, "end >= 500 and final loss < 0.5 on every seed", shown)


def _trap(base: Runs) -> Check:
    falls = [d.phase_peak()[0] - d.last[-1] for d in base.dynamics]
    inside = all(d.steps[int(np.nanargmax(d.last))] < end for d, end in zip(base.dynamics, base.ends, strict=True))
    measured = f"rise {_numbers(base.rises, '.3f')}; fall {_numbers(falls, '.3f')}; peak in phase 1: {inside}"
    shown = min(base.rises) >= 0.08 and min(falls) >= 0.3 and inside
    bound = "rise >= 0.08, fall >= 0.3 on every seed, the largest value before the end of phase 1"
    return Check("features grow alike, then part", measured, bound, shown)


def _depth(by_name: dict[str, Runs]) -> Check:
    medians = [statistics.median(by_name[DEPTHS[depth]].ends) for depth in (4, 6, 7)]
    shown = medians[1] >= 1.5 * medians[0] and medians[2] >= 1.5 * medians[1] and medians[2] < math.inf
    measured = f"median end {_numbers(medians)} at depth 4, 6, 7"
    return Check("phase 1 grows with depth", measured, "each at least 1.5 times the one before", shown)


def _remedies(by_name: dict[str, Runs]) -> list[Check]:
    base = statistics.median(by_name[BASE].ends)
    found = []
    for name, share in (
        ("batch normalisation", 0.2),
        ("start N(0, 0.10^2)", 0.2),
        ("momentum 0.9", 0.5),
        ("L2 1e-3", 1.0),
    ):
        end = statistics.median(by_name[name].ends)
        measured = f"median end {_numbers([end])} against {_numbers([base])}"
        bound = f"below {share:g} of the base" if share < 1 else "below the base"
        found.append(Check(f"{name} shortens phase 1", measured, bound, end < share * base))
    for name in ("batch normalisation", "start N(0, 0.10^2)"):
        rises = by_name[name].rises
        measured = f"rise {_numbers(rises, '.3f')}"
        found.append(
            Check(f"{name} keeps features apart", measured, "rise <= 0.05 on every seed", max(rises) <= 0.05)
        )
    return found


def _notes(by_name: dict[str, Runs]) -> tuple[str, ...]:
    dead = max(max(d.dead, default=0) for runs in by_name.values() for d in runs.dynamics)
    condensed = [
        statistics.fmean(d.condensed[: max(1, int(min(end, d.steps[-1])) // EVERY)])
        for d, end in zip(by_name[BASE].dynamics, by_name[BASE].ends, strict=True)
    ]
    shares = ", ".join(f"{share:.2f}" for share in condensed)
    diverged = [
        f"{name} ({sum(not math.isfinite(d.losses[-1]) for d in runs.dynamics)} of {len(runs.dynamics)} runs)"
        for name, runs in by_name.items()
        if not all(math.isfinite(d.losses[-1]) for d in runs.dynamics)
    ]
    return (
        f"Diverged after phase 1: {', '.join(diverged) or 'none'}.",
        f"Share of one direction in ten steps' updates of the middle layer during phase 1: {shares} (seeds).",
        f"At most {dead} of {PROBES} probed features were dead at once.",
    )


def picture(by_name: dict[str, Runs], path: Path) -> None:
    """Two phases of the base network, what the remedies do to both, and the first phase against depth."""
    figure, axes = panels(2, 2, width=4.2)
    (both, loss), (alike, depth) = axes
    base = by_name[BASE].dynamics
    shown = {name: by_name[name].dynamics[0] for name in (BASE, *REMEDIES)}
    _two_phases(both, base)
    steps = base[0].steps
    curves(loss, steps, {n: d.losses for n, d in shown.items()}, xlabel="step", ylabel="loss, first seed")
    loss.set_ylim(0, 2.6)
    loss.get_legend().remove()
    figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    loss.axhline(math.log(10), color="0.6", linewidth=0.7, linestyle=":")
    curves(alike, steps, {n: d.last for n, d in shown.items()}, xlabel="step", ylabel="similarity between classes")
    alike.get_legend().remove()
    _depths(depth, by_name)
    letters(list(axes.flat))
    save(figure, path)


def _two_phases(axes: Axes, dynamics: tuple[Dynamics, ...]) -> None:
    for number, seen in enumerate(dynamics):
        label = number == 0
        for values, colour, style, name in (
            (np.array(seen.losses) / math.log(10), COLOURS[1], "-", "loss / log 10"),
            (seen.last, COLOURS[0], "-", "similarity between classes"),
            (seen.last_same, COLOURS[5], "--", "similarity within classes"),
        ):
            axes.plot(seen.steps, values, style, color=colour, linewidth=1, label=name * label)
    axes.set(xlabel="step", ylabel="base network, all seeds", ylim=(0, 1.1))
    axes.legend(loc="lower left", fontsize=7)


def _depths(axes: Axes, by_name: dict[str, Runs]) -> None:
    for depth, name in DEPTHS.items():
        runs = by_name[name]
        for end in runs.ends:
            stuck = math.isinf(end)
            axes.plot(depth, min(end, runs.steps), "^" if stuck else "o", color=COLOURS[1 if stuck else 0])
    axes.set(xlabel="linear layers", ylabel="end of phase 1 (step)", xticks=list(DEPTHS), ylim=(0, None))
    axes.annotate("triangle: not ended", (0.05, 0.9), xycoords="axes fraction", color=COLOURS[1])
