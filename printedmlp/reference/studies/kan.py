"""KAN at small scale: accuracy against grid, one task after another, and a network read as a formula.

Regression of exp(sin(pi x) + y^2) on [-1, 1]^2 and of five narrow peaks on [-1, 1], both in float64 by L-BFGS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from printedmlp.reference.kan import KAN, KANConfig, lbfgs, pruned, sparsity
from printedmlp.reference.kan_formula import Snap, formula_of
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.training import (
    Loss,
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
    seeded,
)

FORMULA = "exp(sin(pi x) + y^2)"
HIDDEN: tuple[tuple[int, ...], ...] = ((64,), (32, 32), (64, 64))
EXPECTED = ["sin", "x^2", "exp"]
PENALTY, THRESHOLD = 1e-2, 1e-2
GRID_UPDATES = 10
WIDE = torch.float64


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiments; iterations are L-BFGS iterations."""

    samples: int = 1000
    grids: tuple[int, ...] = (3, 5, 10, 20, 50, 100)
    iterations: int = 200
    mlp_iterations: int = 1200
    phase_iterations: int = 100
    restarts: int = 6
    sparse_iterations: int = 300


FULL = Plan()
QUICK = Plan(200, (3, 10, 20), 50, 200, 30, 1, 100)


@dataclass
class Staircase:
    """One network refined grid after grid."""

    grids: tuple[int, ...]
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@dataclass
class Reading:
    """A pruned network and its edges as functions."""

    kept: int
    validation: float
    model: KAN
    edges: list[Snap] = field(default_factory=list)
    test: float = float("nan")
    formula_test: float = float("nan")


def target(x: Tensor) -> Tensor:
    """FORMULA: (B, 2) -> (B, 1)."""
    return torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:].square())


def peaks(x: Tensor) -> Tensor:
    """Five Gaussian peaks: (B, 1) -> (B, 1)."""
    centres = torch.linspace(-0.8, 0.8, 5, dtype=x.dtype)  # (5,)
    return torch.exp(-300 * (x - centres).square()).sum(1, keepdim=True)


def drawn(n: int, seed: int) -> Tensors:
    """Uniform points of the square and their values."""
    x = torch.rand(n, 2, generator=seeded(seed), dtype=WIDE) * 2 - 1  # (n, 2)
    return Tensors(x, target(x))


def rmse(model: nn.Module, data: Tensors) -> float:
    """Root of the mean squared error."""
    return float((outputs(model, data.x) - data.y).square().mean().sqrt())


def perceptron(inputs: int, hidden: Sequence[int], activation: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Plain float64 network with one output."""
    widths = [inputs, *hidden]

    def make() -> nn.Module:
        layers: list[nn.Module] = []
        for n_in, n_out in zip(widths, hidden, strict=False):
            layers += [nn.Linear(n_in, n_out), activation()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], 1)).double()

    return built(make, seed)


def minimise(
    model: nn.Module,
    data: Tensors,
    iterations: int,
    loss: Loss = mean_squared_error,
    after_step: Callable[[int], None] | None = None,
) -> None:
    """L-BFGS on all rows; what comes out last is kept."""
    recipe = Settings(epochs=iterations // 5, batch_size=0, learning_rate=1.0)
    fit(model, loss, data, None, recipe, seed=0, make_optimiser=lbfgs, after_step=after_step)


def minimise_kan(
    model: KAN,
    data: Tensors,
    iterations: int,
    loss: Loss = mean_squared_error,
    after_step: Callable[[int], None] | None = None,
) -> None:
    """The same, the grids following the samples ten times, five iterations apart, before the rest."""
    for _ in range(GRID_UPDATES):
        model.follow_samples(data.x)
        minimise(model, data, 5, loss, after_step)
    minimise(model, data, iterations - 5 * GRID_UPDATES, loss, after_step)


def staircase(plan: Plan, seed: int) -> Staircase:
    """Train [2, 5, 1] on the coarsest grid, then refine and train on."""
    train, test = drawn(plan.samples, 100 + seed), drawn(plan.samples, 200 + seed)
    model = KAN(KANConfig((2, 5, 1), grid=plan.grids[0]), generator=seeded(seed), dtype=WIDE)
    result = Staircase(plan.grids)

    def note_error(_: int) -> None:
        result.curve.append(rmse(model, test))

    for grid in plan.grids:
        started = time.perf_counter()
        if grid > plan.grids[0]:
            model.refine(train.x, grid)
        minimise_kan(model, train, plan.iterations, after_step=note_error)
        result.train.append(rmse(model, train))
        result.test.append(rmse(model, test))
        result.parameters.append(parameter_count(model))
        result.seconds.append(time.perf_counter() - started)
    return result


def baseline(plan: Plan, hidden: Sequence[int], seed: int) -> tuple[float, int, float]:
    """Test error, parameters and seconds of a SiLU network on the same points."""
    started = time.perf_counter()
    model = perceptron(2, hidden, nn.SiLU, seed)
    minimise(model, drawn(plan.samples, 100 + seed), plan.mlp_iterations)
    test = rmse(model, drawn(plan.samples, 200 + seed))
    return test, parameter_count(model), time.perf_counter() - started


def one_peak_at_a_time(model: nn.Module, iterations: int) -> list[float]:
    """Train on a fifth of the interval after the other; error on all fifths seen so far after each."""
    errors = []
    x = torch.linspace(-1, 1, 501, dtype=WIDE)[:-1, None]  # (500, 1)
    for phase in range(5):
        part = x[100 * phase : 100 * (phase + 1)]  # (100, 1)
        minimise(model, Tensors(part, peaks(part)), iterations)
        seen = x[: 100 * (phase + 1)] + 0.002  # (100 (phase + 1), 1), between the points trained on
        errors.append(rmse(model, Tensors(seen, peaks(seen))))
    return errors


def local_kan(seed: int) -> KAN:
    """One spline without a base function, its scale fixed: 203 coefficients."""
    config = KANConfig((1, 1), grid=200, base="zero", noise=0.1, low=-1.0, high=1.01)
    model = KAN(config, generator=seeded(seed), dtype=WIDE)
    for weight in (model.layers[0].spline_weight, model.layers[0].base_weight):
        weight.requires_grad_(False)
    return model


def sparse_loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Squared error and the paper's penalty on magnitude and entropy of the edges."""
    assert isinstance(model, KAN)
    edges = model.edges(x)  # (B, n_in, n_out) each
    return (edges[-1].sum(1) - y).square().mean() + PENALTY * sparsity(edges, magnitude=1.0, entropy=10.0)


def read(plan: Plan, seed: int) -> Reading:
    """Train for sparsity, prune, refine to ten intervals and train without the penalty."""
    train = drawn(plan.samples, 100)
    model = KAN(KANConfig((2, 5, 1), grid=5), generator=seeded(seed), dtype=WIDE)
    minimise_kan(model, train, plan.sparse_iterations, sparse_loss)
    smaller = pruned(model, train.x, THRESHOLD)
    kept = smaller.config.widths[1]
    if kept:
        smaller.refine(train.x, 10)
        minimise_kan(smaller, train, plan.iterations)
    return Reading(kept, rmse(smaller, drawn(plan.samples, 300)), smaller)


def best_reading(plan: Plan, readings: Sequence[Reading]) -> Reading:
    """Fewest hidden nodes, then least error on validation points; its edges as functions, the formula retrained."""
    best = min((r for r in readings if r.kept), key=lambda r: (r.kept, r.validation), default=readings[0])
    train, test = drawn(plan.samples, 100), drawn(plan.samples, 200)
    best.test = rmse(best.model, test)
    formula, best.edges = formula_of(best.model, train.x)
    minimise(formula, train, plan.iterations)
    best.formula_test = rmse(formula, test)
    return best


def run(context: Context) -> Outcome:
    """All three experiments and the picture; on the processor whatever the device, since the tensors are tiny."""
    plan = QUICK if context.quick else FULL
    stairs = [staircase(plan, seed) for seed in context.seeds]
    mlps = {hidden: [baseline(plan, hidden, seed) for seed in context.seeds] for hidden in HIDDEN}
    local = [one_peak_at_a_time(local_kan(seed), plan.phase_iterations) for seed in context.seeds]
    dense = [
        one_peak_at_a_time(perceptron(1, (64, 64), nn.Tanh, seed), plan.phase_iterations) for seed in context.seeds
    ]
    readings = [read(plan, seed) for seed in range(plan.restarts)]
    best = best_reading(plan, readings)
    picture(stairs, {h: min(r[0] for r in runs) for h, runs in mlps.items()}, best, context.folder / "kan.png")
    return Outcome(
        (*_measures(stairs, mlps), *_peak_measures(local, dense), _formula_measure(best)),
        (
            _extension_check(stairs),
            _efficiency_check(stairs, mlps),
            _locality_check(local, dense),
            *_reading_checks(readings, best),
        ),
        ("Node counts are those of single restarts; the formula is that of the best restart by validation error.",),
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


def _peak_measures(local: list[list[float]], dense: list[list[float]]) -> list[Measure]:
    task, metric = "continual regression", "RMSE on all peaks at the end"
    return [
        Measure(task, "five peaks, KAN [1,1] G=200", metric, tuple(e[-1] for e in local), "4e-6", 203),
        Measure(task, "five peaks, tanh MLP 1-64-64-1", metric, tuple(e[-1] for e in dense), "", 4353),
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


def _reading_checks(readings: list[Reading], best: Reading) -> list[Check]:
    kept = [r.kept for r in readings]
    few = Check(
        "the penalty prunes hidden nodes",
        f"kept {', '.join(map(str, kept))} of 5",
        "1 to 3 on every restart",
        all(1 <= n <= 3 for n in kept),
    )
    names, r2 = [e.name for e in best.edges], min(e.r2 for e in best.edges)
    read_off = ", ".join(f"{e.name} {e.r2:.5f}" for e in best.edges)
    shown = best.kept == 1 and names == EXPECTED and r2 > 0.995
    bound = "one node; sin, x^2, exp with R^2 > 0.995"
    return [few, Check("the best restart is the formula", f"{best.kept} node(s): {read_off}", bound, shown)]


def picture(stairs: list[Staircase], mlps: dict[tuple[int, ...], float], best: Reading, path: Path) -> None:
    """Error against iteration, error against parameters, and the splines that are left after pruning."""
    figure, axes = panels(2, 3)
    flat = list(axes.flat)
    _staircase_panel(flat[0], stairs)
    _parameters_panel(flat[1], stairs, mlps)
    x = drawn(400, 400).x
    inputs, splines = [x], best.model.edges(x)
    for layer in best.model.layers:
        inputs.append(layer(inputs[-1]))
    drawn_edges = [(0, 0, 0), (0, 1, 0), (1, 0, 0)]
    names = ("first input", "second input", "hidden node")
    for place, (layer_number, row, column), name in zip(flat[2:5], drawn_edges, names, strict=True):
        _edge_panel(place, inputs[layer_number][:, row], splines[layer_number][:, row, column], name)
    flat[5].axis("off")
    letters(flat[:5])
    save(figure, path)


def _staircase_panel(axes: Axes, stairs: list[Staircase]) -> None:
    steps = 5 * np.arange(1, len(stairs[0].curve) + 1)
    curves(axes, steps, {"KAN [2,5,1]": [s.curve for s in stairs]}, xlabel="L-BFGS iterations", ylabel="test RMSE")
    length = steps[-1] / len(stairs[0].grids)
    for place, grid in enumerate(stairs[0].grids):
        axes.axvline(place * length, color="0.6", linewidth=0.7, linestyle=":")
        axes.text(
            (place + 0.5) * length, 1.02, f"G={grid}", transform=axes.get_xaxis_transform(), ha="center", size=7
        )
    axes.set_yscale("log")


def _parameters_panel(axes: Axes, stairs: list[Staircase], mlps: dict[tuple[int, ...], float]) -> None:
    for values, name, colour in (("test", "KAN test", COLOURS[0]), ("train", "KAN train", COLOURS[5])):
        mean = np.mean([getattr(s, values) for s in stairs], axis=0)
        axes.plot(stairs[0].parameters, mean, "o-", color=colour, label=name, markersize=4)
    sizes = [parameter_count(perceptron(2, hidden, nn.SiLU, 0)) for hidden in mlps]
    axes.plot(sizes, list(mlps.values()), "s", color=COLOURS[1], label="MLP test, best seed", markersize=5)
    axes.set(xscale="log", yscale="log", xlabel="parameters", ylabel="RMSE")
    axes.legend()


def _edge_panel(axes: Axes, x: Tensor, y: Tensor, name: str) -> None:
    order = x.argsort()
    axes.plot(x[order].detach(), y[order].detach(), color=COLOURS[0])
    axes.set(xlabel=name, ylabel="edge value")
