"""KAN or MLP at small scale: same data, optimiser and epochs, scores against the number of trained parameters.

Classification of three scikit-learn tables, a formula (the incomplete elliptic integral), and digits whose classes
arrive three at a time. Scores are those of the last epoch; only the spline range of the formula is chosen, on
validation points.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from scipy.special import ellipkinc
from sklearn.datasets import load_breast_cancer, load_wine
from torch import Tensor, nn

from printedmlp.reference.datasets import Samples, digits, stratified
from printedmlp.reference.kan import KANConfig
from printedmlp.reference.kan_or_mlp import (
    SplineConfig,
    SplineMLP,
    average_accuracy,
    backward_transfer,
    fixed_kan,
    kan_cost,
    mlp_cost,
    spline_mlp_cost,
)
from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, letters, panels, save
from printedmlp.reference.training import (
    Settings,
    Tensors,
    accuracy,
    built,
    cross_entropy,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
)

RANGES = (1.0, 2.0, 4.0)
TASKS = ((0, 1, 2), (3, 4, 5), (6, 7, 8))
KINDS = {"gelu": "GELU", "relu": "ReLU"}
TABLES = {"digits": 1e-3, "breast cancer": 1e-2, "wine": 1e-2}
"""Learning rate of each table."""


@dataclass(frozen=True)
class Design:
    """A family of networks at one size, for any inputs, outputs and spline range."""

    family: str
    width: int
    grid: int = 5
    activation: str = "gelu"

    @property
    def name(self) -> str:
        """For tables."""
        grid = "" if self.family == "MLP" else f" G={self.grid}"
        kind = f"{KINDS[self.activation]} MLP" if self.family == "MLP" else self.family
        return f"{kind} {self.width}{grid}"

    def make(self, n_in: int, n_out: int, reach: float) -> nn.Module:
        """A fresh network with splines on -reach .. reach."""
        widths = (n_in, self.width, n_out)
        if self.family == "MLP":
            return MLP(Config(n_in, n_out, (self.width,), self.activation))
        if self.family == "KAN":
            return fixed_kan(KANConfig(widths, grid=self.grid, low=-reach, high=reach, noise=0.1))
        splines = SplineConfig(grid=self.grid, low=-reach, high=reach)
        return SplineMLP(widths, splines, first=self.family == "spline-first MLP")


MLP32, KAN4, SPLINE32 = Design("MLP", 32), Design("KAN", 4), Design("spline MLP", 32)
SWEEP = {
    "MLP": tuple(Design("MLP", width) for width in (8, 16, 32, 64, 128)),
    "spline MLP": tuple(Design("spline MLP", width) for width in (8, 16, 32, 64)),
    "KAN": tuple(Design("KAN", width) for width in (1, 2, 4, 8, 16)),
}
PAIRED = (MLP32, SPLINE32, KAN4)
CONTINUAL = (*PAIRED, Design("KAN", 8))
FORMULA = (
    Design("KAN", 5, 20),
    Design("MLP", 100),
    Design("MLP", 100, activation="relu"),
    Design("spline MLP", 15, 20),
    Design("spline-first MLP", 12, 20),
)


@dataclass(frozen=True)
class Score:
    """One design over the seeds."""

    values: tuple[float, ...]
    parameters: int
    seconds: float

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(self.values)


@dataclass(frozen=True)
class Forgetting:
    """One design over the seeds: accuracies (T, T) a seed, task i after training on t."""

    histories: tuple[Tensor, ...]
    parameters: int
    seconds: float

    @property
    def transfers(self) -> tuple[float, ...]:
        """Backward transfer in points."""
        return tuple(100 * backward_transfer(history) for history in self.histories)

    @property
    def averages(self) -> tuple[float, ...]:
        """Average accuracy at the end, in per cent."""
        return tuple(100 * average_accuracy(history) for history in self.histories)


def table(name: str) -> Samples:
    """One of TABLES."""
    if name == "digits":
        return digits()
    bunch = load_breast_cancer() if name == "breast cancer" else load_wine()
    return Samples(bunch.data.astype(np.float32), bunch.target.astype(np.int64))


def split(samples: Samples, seed: int) -> tuple[Tensors, Tensors]:
    """Training and test rows, 70 to 30, inputs standardised by the training rows."""
    train, test = stratified(samples.y, (0.7, 0.3), seed)
    x = torch.from_numpy(samples.x)  # (n, F)
    mean, std = x[train].mean(0), x[train].std(0)  # (F,) each
    x = (x - mean) / torch.where(std > 0, std, 1.0)
    y = torch.from_numpy(samples.y)  # (n,)
    return Tensors(x[train], y[train]), Tensors(x[test], y[test])


def classified(design: Design, name: str, epochs: int, context: Context) -> Score:
    """Test accuracy in per cent after the last epoch."""
    samples, values, started = table(name), [], time.perf_counter()
    classes = int(samples.y.max()) + 1
    for seed in context.seeds:
        train, test = split(samples, seed)
        model = built(lambda: design.make(train.x.shape[1], classes, 4.0), seed)  # noqa: B023
        fit(
            model,
            cross_entropy(),
            train,
            None,
            Settings(epochs, 64, TABLES[name], device=context.device),
            seed=seed,
        )
        values.append(100 * accuracy(model, test))
    seconds = (time.perf_counter() - started) / len(values)
    return Score(tuple(values), parameter_count(model), seconds)


def elliptic(n: int, seed: int) -> Tensors:
    """Uniform points of the unit square and the incomplete elliptic integral of the first kind: (n, 2), (n, 1)."""
    points = np.random.default_rng(seed).uniform(size=(n, 2))
    values = ellipkinc(points[:, :1], points[:, 1:])
    return Tensors(torch.from_numpy(points).float(), torch.from_numpy(values).float())


def absolute_error(model: nn.Module, data: Tensors) -> float:
    """Mean absolute error, the paper's figure for formulas."""
    return float((outputs(model, data.x).cpu() - data.y).abs().mean())


def fitted(design: Design, epochs: int, context: Context) -> Score:
    """Test error on the formula, at the spline range with the least mean error on validation points."""
    tried: list[tuple[float, list[float], int, float]] = []
    for reach in RANGES[:1] if design.family == "MLP" else RANGES:
        validation, test, started = [], [], time.perf_counter()
        for seed in context.seeds:
            model = built(lambda: design.make(2, 1, reach), seed)  # noqa: B023
            recipe = Settings(epochs, 128, 1e-3, device=context.device)
            fit(model, mean_squared_error, elliptic(1000, 1000 + seed), None, recipe, seed=seed)
            validation.append(absolute_error(model, elliptic(1000, 2000 + seed)))
            test.append(absolute_error(model, elliptic(1000, 3000 + seed)))
        seconds = (time.perf_counter() - started) / len(test)
        tried.append((statistics.fmean(validation), test, parameter_count(model), seconds))
    _, values, parameters, seconds = min(tried)
    return Score(tuple(values), parameters, seconds)


def in_turn(design: Design, epochs: int, context: Context) -> Forgetting:
    """Three digits after three others with one head of nine outputs and no replay."""
    histories, started = [], time.perf_counter()
    for seed in context.seeds:
        train, test = split(digits(), seed)
        model = built(lambda: design.make(64, 9, 4.0), seed)
        history = torch.zeros(len(TASKS), len(TASKS))
        recipe = Settings(epochs, 64, 1e-3, device=context.device)
        for stage, task in enumerate(TASKS):
            fit(model, cross_entropy(), _of(train, task), None, recipe, seed=seed)
            history[stage] = torch.tensor([accuracy(model, _of(test, other)) for other in TASKS])
        histories.append(history)
    seconds = (time.perf_counter() - started) / len(histories)
    return Forgetting(tuple(histories), parameter_count(model), seconds)


def _of(data: Tensors, classes: Sequence[int]) -> Tensors:
    return data.rows(torch.isin(data.y, torch.tensor(classes)))


def run(context: Context) -> Outcome:
    """All experiments and the picture."""
    epochs, formula_epochs, task_epochs = (3, 10, 3) if context.quick else (40, 300, 20)
    sweep = {
        family: [classified(design, "digits", epochs, context) for design in designs]
        for family, designs in SWEEP.items()
    }
    known = {(d, "digits"): s for f, designs in SWEEP.items() for d, s in zip(designs, sweep[f], strict=True)}
    paired = {
        (design, name): known.get((design, name)) or classified(design, name, epochs, context)
        for name in TABLES
        for design in PAIRED
    }
    formula = {design: fitted(design, formula_epochs, context) for design in FORMULA}
    turns = {design: in_turn(design, task_epochs, context) for design in CONTINUAL}
    picture(sweep, formula, turns, context.folder / "kan_or_mlp.png")
    return Outcome(
        (*_classification(paired), *_formula_rows(formula), *_turn_rows(turns)),
        (*_table_checks(paired), *_formula_checks(formula), _forgetting_check(turns), *_cost_checks()),
        (_cost_note(),),
    )


def _classification(scores: dict[tuple[Design, str], Score]) -> list[Measure]:
    return [
        Measure(
            "classification",
            f"{name}, {design.name}",
            "test accuracy (%)",
            score.values,
            "",
            score.parameters,
            score.seconds,
        )
        for (design, name), score in scores.items()
    ]


def _formula_rows(scores: dict[Design, Score]) -> list[Measure]:
    published = {"KAN": "7.8e-5 (at most 500 parameters)", "MLP": "1.5e-3 (at most 500 parameters)"}
    metric = "test mean absolute error"
    return [
        Measure(
            "formula",
            f"ellipkinc, {design.name}",
            metric,
            score.values,
            published.get(design.family, ""),
            score.parameters,
            score.seconds,
        )
        for design, score in scores.items()
    ]


def _turn_rows(turns: dict[Design, Forgetting]) -> list[Measure]:
    rows = []
    for design, result in turns.items():
        for metric, values in (("average accuracy (%)", result.averages), ("backward transfer", result.transfers)):
            data = f"digits in three tasks, {design.name}"
            rows.append(Measure("class-incremental", data, metric, values, "", result.parameters, result.seconds))
    return rows


def _table_checks(scores: dict[tuple[Design, str], Score]) -> list[Check]:
    checks = []
    for name in TABLES:
        mlp, kan = scores[MLP32, name], scores[KAN4, name]
        gap = mlp.mean - kan.mean
        measured = f"{mlp.mean:.1f} with {mlp.parameters} parameters against {kan.mean:.1f} with {kan.parameters}"
        if name == "digits":
            checks.append(Check("MLP beats KAN on digits", measured, "at least 3 points", gap >= 3))
        else:
            checks.append(Check(f"MLP and KAN agree on {name}", measured, "within 2 points", abs(gap) <= 2))
    return checks


def _formula_checks(scores: dict[Design, Score]) -> list[Check]:
    kan, gelu, relu, spline, first = (scores[design].mean for design in FORMULA)
    best = min(gelu, relu)
    return [
        Check(
            "KAN fits the formula better",
            f"{kan:.1e} against {best:.1e}",
            "at most 0.3 of the better MLP's error",
            kan <= 0.3 * best,
        ),
        Check("splines help the MLP", f"{spline:.1e} against {gelu:.1e}", "below the GELU MLP", spline < gelu),
        Check(
            "the B-spline MLP matches the KAN",
            f"{min(spline, first):.1e} against {kan:.1e}",
            "at most the KAN's error",
            min(spline, first) <= kan,
        ),
    ]


def _forgetting_check(turns: dict[Design, Forgetting]) -> Check:
    mlp, kan = (statistics.fmean(turns[design].transfers) for design in (MLP32, KAN4))
    measured = f"backward transfer {kan:.1f} against {mlp:.1f} points"
    return Check("KAN forgets more than MLP", measured, "at least 20 points lower", kan <= mlp - 20)


def _cost_checks() -> list[Check]:
    known = {
        "KAN [784,2,10] G=3 k=2 SiLU": (kan_cost((784, 2, 10), 3, 2, "silu"), (12716, 181786)),
        "MLP 784-1024-10 GELU": (mlp_cost((784, 1024, 10), "gelu"), (814090, 1640588)),
    }
    checks = []
    for name, (cost, published) in known.items():
        ours = (cost.parameters, cost.flops)
        bound = f"{published[0]} and {published[1]} as published"
        checks.append(
            Check(f"cost of {name}", f"{ours[0]} parameters, {ours[1]} operations", bound, ours == published)
        )
    return checks


def _cost_note() -> str:
    shapes: dict[Design, Callable[..., Any]] = {MLP32: mlp_cost, KAN4: kan_cost, SPLINE32: spline_mlp_cost}
    rest: dict[Design, tuple[Any, ...]] = {MLP32: ("gelu",), KAN4: (5, 3, "silu"), SPLINE32: (5, 3)}
    parts = []
    for design, formula in shapes.items():
        cost = formula((64, design.width, 10), *rest[design])
        counted = parameter_count(design.make(64, 10, 4.0))
        parts.append(f"{design.name} {cost.parameters} by formula, {counted} trained, {cost.flops} operations")
    return "Digits: " + "; ".join(parts) + "."


def picture(
    sweep: dict[str, list[Score]],
    formula: dict[Design, Score],
    turns: dict[Design, Forgetting],
    path: Path,
) -> None:
    """Accuracy against parameters, the formula's errors, and what is left of each task."""
    figure, axes = panels(1, 3)
    score, errors, tasks = axes[0]
    for (family, scores), colour in zip(sweep.items(), COLOURS, strict=False):
        sizes = [s.parameters for s in scores]
        spread = np.std([s.values for s in scores], axis=1)
        score.errorbar(
            sizes, [s.mean for s in scores], spread, marker="o", markersize=4, color=colour, label=family
        )
    score.set(xscale="log", xlabel="trained parameters", ylabel="digits, test accuracy (%)")
    score.legend(loc="lower right", fontsize=7)
    for place, (design, result) in enumerate(formula.items()):
        colour = COLOURS[("MLP", "spline MLP", "KAN", "spline-first MLP").index(design.family)]
        errors.plot(result.values, [place] * len(result.values), "o", color=colour)
    errors.set_yticks(range(len(formula)), [f"{d.name}\n({s.parameters})" for d, s in formula.items()], fontsize=7)
    errors.set(xscale="log", xlabel="mean absolute error of ellipkinc", ylim=(len(formula) - 0.5, -0.5))
    _tasks_panel(tasks, turns)
    letters(list(axes.flat))
    save(figure, path)


def _tasks_panel(axes: Axes, turns: dict[Design, Forgetting]) -> None:
    """Accuracy on the first task after each of the three."""
    colours = dict(zip(turns, (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[5]), strict=True))
    for design, result in turns.items():
        first = 100 * torch.stack([history[:, 0] for history in result.histories]).mean(0)  # (T,)
        axes.plot(range(1, len(TASKS) + 1), first, "o-", color=colours[design], label=design.name)
    axes.set(xlabel="tasks trained on", ylabel="accuracy on the first task (%)", xticks=range(1, 4), ylim=(-3, 103))
    axes.legend(fontsize=7)
