"""KAN or MLP at small scale: scores against the number of trained parameters, and what is forgotten.

Classification of three scikit-learn tables, a formula (the incomplete elliptic integral), and digits whose classes
arrive three at a time.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from printedmlp.reference.kan_or_mlp import kan_cost, mlp_cost, spline_mlp_cost
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, letters, panels, save
from printedmlp.reference.studies.kan_or_mlp_runs import (
    CONTINUAL,
    FORMULA,
    KAN4,
    MLP32,
    PAIRED,
    SPLINE32,
    SWEEP,
    TABLES,
    TASKS,
    Design,
    Forgetting,
    Score,
    classified,
    fitted,
    in_turn,
)
from printedmlp.reference.training import parameter_count


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
        checks(paired, formula, turns),
        (_cost_note(),),
    )


def checks(
    paired: dict[tuple[Design, str], Score], formula: dict[Design, Score], turns: dict[Design, Forgetting]
) -> tuple[Check, ...]:
    """The paper's claims: scores by design and table, errors on the formula, digits in turn."""
    return (*_table_checks(paired), *_formula_checks(formula), _forgetting_check(turns), *_cost_checks())


def _classification(scores: dict[tuple[Design, str], Score]) -> list[Measure]:
    return [
        Measure(
            "classification",
            f"{name}, {design.name}",
            "test accuracy",
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
        for metric, values in (("average accuracy", result.averages), ("backward transfer", result.transfers)):
            data = f"digits in three tasks, {design.name}"
            rows.append(Measure("class-incremental", data, metric, values, "", result.parameters, result.seconds))
    return rows


def _table_checks(scores: dict[tuple[Design, str], Score]) -> list[Check]:
    found = []
    for name in TABLES:
        mlp, kan = scores[MLP32, name], scores[KAN4, name]
        gap = 100 * (mlp.mean - kan.mean)
        measured = f"{mlp.mean:.1%} with {mlp.parameters} parameters against {kan.mean:.1%} with {kan.parameters}"
        if name == "digits":
            found.append(Check("MLP beats KAN on digits", measured, "at least 3 points", gap >= 3))
        else:
            found.append(Check(f"MLP and KAN agree on {name}", measured, "within 2 points", abs(gap) <= 2))
    return found


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
    mlp, kan = (100 * statistics.fmean(turns[design].transfers) for design in (MLP32, KAN4))
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
        spread = 100 * np.std([s.values for s in scores], axis=1)
        score.errorbar(
            sizes, [100 * s.mean for s in scores], spread, marker="o", markersize=4, color=colour, label=family
        )
    score.set(xscale="log", xlabel="trained parameters", ylabel="digits, test accuracy (%)")
    score.legend(loc="lower right", fontsize=7)
    for place, (design, result) in enumerate(formula.items()):
        colour = COLOURS[("MLP", "spline MLP", "KAN", "spline-first MLP").index(design.family)]
        errors.plot(result.values, [place] * len(result.values), "o", color=colour)
    errors.set_yticks(range(len(formula)), [f"{d.name}\n({s.parameters})" for d, s in formula.items()], fontsize=7)
    errors.set(
        xscale="log",
        xlabel="mean absolute error of ellipkinc",
        xlim=_decades(formula),
        ylim=(len(formula) - 0.5, -0.5),
    )
    errors.xaxis.set_minor_formatter(NullFormatter())
    _tasks_panel(tasks, turns)
    letters(list(axes.flat))
    save(figure, path)


def _decades(formula: dict[Design, Score]) -> tuple[float, float]:
    """Powers of ten around all errors, so that the axis has labels."""
    logs = np.log10([value for score in formula.values() for value in score.values])
    return float(10 ** np.floor(logs.min())), float(10 ** np.ceil(logs.max()))


def _tasks_panel(axes: Axes, turns: dict[Design, Forgetting]) -> None:
    """Accuracy on the first task after each of the three."""
    colours = dict(zip(turns, (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[5]), strict=True))
    for design, result in turns.items():
        first = 100 * torch.stack([history[:, 0] for history in result.histories]).mean(0)  # (T,)
        axes.plot(range(1, len(TASKS) + 1), first, "o-", color=colours[design], label=design.name)
    axes.set(xlabel="tasks trained on", ylabel="accuracy on the first task (%)", xticks=range(1, 4), ylim=(-3, 103))
    # Room above all lines for the legend.
    axes.set(ylim=(-5, 165), yticks=range(0, 101, 20))
    axes.legend(fontsize=7, loc="upper right")
