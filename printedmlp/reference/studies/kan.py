"""KAN at small scale: accuracy against grid, one task after another, and a network read as a formula.

Regression of exp(sin(pi x) + y^2) on [-1, 1]^2 and of five narrow peaks on [-1, 1].
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike
from torch import Tensor, nn

from printedmlp.reference.kan_formula import LIBRARY, Snap
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.studies.kan_runs import (
    FORMULA,
    FULL,
    HIDDEN,
    QUICK,
    Reading,
    Staircase,
    baseline,
    best_reading,
    drawn,
    local_kan,
    one_peak_at_a_time,
    perceptron,
    read,
    staircase,
)
from printedmlp.reference.training import parameter_count

EXPECTED = ["sin", "x^2", "exp"]


def run(context: Context) -> Outcome:
    """All three experiments and the picture; on the processor whatever the device, since the tensors are tiny."""
    plan = QUICK if context.quick else FULL
    stairs = [staircase(plan, seed) for seed in context.seeds]
    mlps = {hidden: [baseline(plan, hidden, seed) for seed in context.seeds] for hidden in HIDDEN}
    local, local_seconds = _peaks(local_kan, plan.phase_iterations, context)
    dense, dense_seconds = _peaks(
        lambda seed: perceptron(1, (64, 64), "tanh", seed), plan.phase_iterations, context
    )
    readings = [read(plan, seed) for seed in range(plan.restarts)]
    best = best_reading(plan, readings)
    errors = {hidden: float(np.median([test for test, _, _ in runs])) for hidden, runs in mlps.items()}
    picture(stairs, errors, (local, dense), best, context.folder / "kan.png")
    return Outcome(
        (
            *_measures(stairs, mlps),
            *_peak_measures(local, dense, (local_seconds, dense_seconds)),
            _formula_measure(best),
        ),
        checks(stairs, mlps, local, dense, [r.kept for r in readings], best),
        ("Node counts are those of single restarts; the formula is that of the best restart by validation error.",),
    )


def _peaks(make: Callable[[int], nn.Module], iterations: int, context: Context) -> tuple[list[list[float]], float]:
    """Errors after each peak, (seeds, 5), and seconds a seed."""
    started = time.perf_counter()
    errors = [one_peak_at_a_time(make(seed), iterations) for seed in context.seeds]
    return errors, (time.perf_counter() - started) / len(errors)


def checks(
    stairs: list[Staircase],
    mlps: dict[tuple[int, ...], list[tuple[float, int, float]]],
    local: list[list[float]],
    dense: list[list[float]],
    kept: list[int],
    best: Reading,
) -> tuple[Check, ...]:
    """The paper's claims.

    Parameters
    ----------
    stairs : one a seed.
    mlps : test error, parameters and seconds a seed, by hidden widths.
    local, dense : errors of KAN and MLP after each peak, (seeds, 5).
    kept : hidden nodes after pruning, one a restart.
    best : the restart that was read as a formula.
    """
    return (
        _extension_check(stairs),
        _efficiency_check(stairs, mlps),
        _locality_check(local, dense),
        _pruning_check(kept),
        _formula_check(best),
    )


def _measures(
    stairs: list[Staircase], mlps: dict[tuple[int, ...], list[tuple[float, int, float]]]
) -> list[Measure]:
    task, metric, first = "regression", "test RMSE", stairs[0]
    rows = []
    for place, grid in enumerate(first.grids):
        values = tuple(s.test[place] for s in stairs)
        seconds = float(np.mean([s.seconds[place] for s in stairs]))
        published = {3: "1.5e-2 ([2,1,1])", 10: "3.3e-4 ([2,1,1])", 20: "4.0e-5 ([2,1,1])"}.get(grid, "")
        name = f"{FORMULA}, KAN [2,5,1] G={grid}"
        rows.append(Measure(task, name, metric, values, published, first.parameters[place], seconds))
    for hidden, runs in mlps.items():
        shape = "-".join(map(str, (2, *hidden, 1)))
        values, seconds = tuple(r[0] for r in runs), float(np.mean([r[2] for r in runs]))
        rows.append(Measure(task, f"{FORMULA}, SiLU MLP {shape}", metric, values, "", runs[0][1], seconds))
    return rows


def _peak_measures(
    local: list[list[float]], dense: list[list[float]], seconds: tuple[float, float]
) -> list[Measure]:
    task, metric = "continual regression", "RMSE on all peaks at the end"
    return [
        Measure(task, f"five peaks, {name}", metric, tuple(e[-1] for e in errors), published, parameters, spent)
        for (name, errors, published, parameters), spent in zip(
            (("KAN [1,1] G=200", local, "4e-6", 203), ("tanh MLP 1-64-64-1", dense, "", 4353)), seconds, strict=True
        )
    ]


def _formula_measure(best: Reading) -> Measure:
    data = f"{FORMULA}, formula of the best restart"
    return Measure("symbolic regression", data, "test RMSE", (best.formula_test,), "1e-10", 4 * len(best.edges))


def _extension_check(stairs: list[Staircase]) -> Check:
    ratios = [s.test[s.grids.index(20)] / s.test[0] for s in stairs]
    measured = "ratio " + ", ".join(f"{ratio:.3f}" for ratio in ratios)
    return Check(
        "grid extension lowers the error", measured, "G=20 / G=3 <= 0.15 on every seed", max(ratios) <= 0.15
    )


def _efficiency_check(
    stairs: list[Staircase], mlps: dict[tuple[int, ...], list[tuple[float, int, float]]]
) -> Check:
    kan = [s.test[s.grids.index(10)] for s in stairs]
    mlp = [min(runs[number][0] for runs in mlps.values()) for number in range(len(stairs))]
    measured = ", ".join(f"{k:.1e} against {m:.1e}" for k, m in zip(kan, mlp, strict=True))
    shown = all(k < m for k, m in zip(kan, mlp, strict=True))
    return Check("KAN of 225 parameters beats larger MLPs", measured, "below the best MLP on every seed", shown)


def _locality_check(local: list[list[float]], dense: list[list[float]]) -> Check:
    kan, mlp = max(e[-1] for e in local), min(e[-1] for e in dense)
    measured = f"KAN at most {kan:.1e}, MLP at least {mlp:.2g}"
    return Check("splines do not forget earlier peaks", measured, "KAN < 1e-3, MLP > 0.1", kan < 1e-3 and mlp > 0.1)


def _pruning_check(kept: list[int]) -> Check:
    measured = f"kept {', '.join(map(str, kept))} of 5"
    shown = all(1 <= nodes <= 3 for nodes in kept)
    return Check("the penalty prunes hidden nodes", measured, "1 to 3 on every restart", shown)


def _formula_check(best: Reading) -> Check:
    names, r2 = [edge.name for edge in best.edges], min(edge.r2 for edge in best.edges)
    edges = ", ".join(f"{edge.name} {edge.r2:.5f}" for edge in best.edges)
    shown = best.kept == 1 and names == EXPECTED and r2 > 0.995
    bound = "one node; sin, x^2, exp with R^2 > 0.995"
    return Check("the best restart is the formula", f"{best.kept} node(s): {edges}", bound, shown)


def picture(
    stairs: list[Staircase],
    mlps: dict[tuple[int, ...], float],
    peak_errors: tuple[list[list[float]], list[list[float]]],
    best: Reading,
    path: Path,
) -> None:
    """Error against iteration and against parameters, forgetting, and the edges of the node that says most."""
    figure, axes = panels(2, 3)
    flat = list(axes.flat)
    _staircase_panel(flat[0], stairs)
    _parameters_panel(flat[1], stairs, mlps)
    _forgetting_panel(flat[2], *peak_errors)
    for place, edge in zip(flat[3:], _edges_of_main_node(best), strict=True):
        _edge_panel(place, *edge)
    letters(flat)
    save(figure, path)


def _edges_of_main_node(best: Reading) -> list[tuple[Tensor, Tensor, Snap, str]]:
    """Edges into and out of the hidden node that says most: inputs (B,), values (B,), function, name."""
    x = drawn(400, 400).x
    first, second = best.model.edges(x)  # (B, 2, kept), (B, kept, 1)
    kept, main = first.shape[2], int(second.std(0).argmax())
    return [
        (x[:, 0], first[:, 0, main], best.edges[main], "x"),
        (x[:, 1], first[:, 1, main], best.edges[kept + main], "y"),
        (first.sum(1)[:, main], second[:, main, 0], best.edges[2 * kept + main], "hidden node"),
    ]


def _staircase_panel(axes: Axes, stairs: list[Staircase]) -> None:
    steps = 5 * np.arange(1, len(stairs[0].curve) + 1)
    curves(axes, steps, {"KAN [2,5,1]": [s.curve for s in stairs]}, xlabel="L-BFGS iterations", ylabel="test RMSE")
    length = steps[-1] / len(stairs[0].grids)
    for place, grid in enumerate(stairs[0].grids):
        axes.axvline(place * length, color="0.6", linewidth=0.7, linestyle=":")
        middle = (place + 0.5) * length
        axes.text(middle, 0.95, f"G={grid}", transform=axes.get_xaxis_transform(), ha="center", size=7)
    axes.set_yscale("log")


def _parameters_panel(axes: Axes, stairs: list[Staircase], mlps: dict[tuple[int, ...], float]) -> None:
    for values, name, colour in (("test", "KAN test", COLOURS[0]), ("train", "KAN train", COLOURS[5])):
        middle = np.median([getattr(s, values) for s in stairs], axis=0)
        axes.plot(stairs[0].parameters, middle, "o-", color=colour, label=name, markersize=4)
    sizes = [parameter_count(perceptron(2, hidden, "silu", 0)) for hidden in mlps]
    axes.plot(sizes, list(mlps.values()), "s", color=COLOURS[1], label="MLP test", markersize=5)
    axes.set(xscale="log", yscale="log", xlabel="parameters", ylabel="RMSE, median of seeds")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=7)


def _forgetting_panel(axes: Axes, local: list[list[float]], dense: list[list[float]]) -> None:
    by_name: dict[str, ArrayLike] = {"KAN [1,1] G=200": local, "tanh MLP 1-64-64-1": dense}
    curves(axes, range(1, 6), by_name, xlabel="peaks trained on", ylabel="RMSE on all seen so far")
    axes.set_yscale("log")
    axes.legend(fontsize=7)


def _edge_panel(axes: Axes, x: Tensor, y: Tensor, edge: Snap, name: str) -> None:
    order = x.argsort()
    x = x[order].detach()  # (B,)
    axes.plot(x, y[order].detach(), color=COLOURS[0], label="spline edge")
    fitted = edge.c * LIBRARY[edge.name](edge.a * x + edge.b) + edge.d  # (B,)
    axes.plot(x, fitted, "--", color=COLOURS[1], label=f"{edge.name}, $R^2$ = {edge.r2:.4f}")
    axes.set(xlabel=name, ylabel="edge value")
    axes.legend(fontsize=7)
