"""Experiments on coordinate-aware modulation: ten tones on a line, a photograph, a small field in space."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from printedmlp.reference.cam import CAM, CAMConfig, image_recipe
from printedmlp.reference.fields import Picture, grey, photograph, pixel_centres, psnr
from printedmlp.reference.outcome import Context
from printedmlp.reference.scenes import BALL_GRID, DENSEST, ball_field
from printedmlp.reference.spectral_bias import frequency_error, tones
from printedmlp.reference.training import (
    History,
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
    seeded,
)

TONES = torch.arange(5, 51, 5)
SAMPLES = 200
RATE = 1e-3
TIMED_STEPS, TIMINGS = 10, 5


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiments: steps, side of the photograph, points of the field."""

    line_steps: int = 1500
    side: int = 64
    image_steps: int = 600
    points: int = 8192
    field_steps: int = 300


FULL = Plan()
QUICK = Plan(100, 32, 60, 1024, 40)

LINE = CAMConfig(1, 1, (64,) * 4, bounded=False)
LINES: Mapping[str, CAMConfig] = {
    f"{name}, {label}": replace(config, activation=activation)
    for activation, label in (("identity", "linear"), ("relu", "ReLU"))
    for name, config in {
        "plain": LINE,
        "encoding": replace(LINE, octaves=16),
        "CAM": replace(LINE, modulation=(64,)),
        "encoding + CAM": replace(LINE, octaves=16, modulation=(64,)),
    }.items()
}
"""The paper's networks of the line, which have no activation function, and the same with one."""

PLAIN, GRID = CAMConfig(2, 1), (16, 16)
FOURIER = replace(PLAIN, fourier=32)
IMAGES: Mapping[str, CAMConfig] = {
    "plain": PLAIN,
    "plain, wider": replace(PLAIN, hidden=(70,) * 3),
    "norm": replace(PLAIN, normalised=True),
    "grid first": replace(PLAIN, features=6, feature_grid=GRID),
    "CAM": replace(PLAIN, modulation=GRID),
    "CAM + norm": replace(PLAIN, modulation=GRID, normalised=True),
    "Fourier": FOURIER,
    "Fourier, wider": replace(FOURIER, hidden=(69,) * 3),
    "Fourier + norm": replace(FOURIER, normalised=True),
    "Fourier + CAM": replace(FOURIER, modulation=GRID),
    "Fourier + CAM + norm": replace(FOURIER, modulation=GRID, normalised=True),
}

SHOWN = ("plain, wider", "grid first", "CAM + norm", "Fourier + CAM + norm")
COLOURED: Mapping[str, CAMConfig] = {name: replace(IMAGES[name], outputs=3) for name in SHOWN}
CUP = (slice(0, 400), slice(100, 500))
"""Rows and columns of the coloured photograph that are learned."""

SPACE, CUBE = CAMConfig(3, 4), (8, 8, 8)
FIELDS: Mapping[str, CAMConfig] = {
    "plain, wider": replace(SPACE, hidden=(75,) * 3),
    "grid first": replace(SPACE, features=6, feature_grid=CUBE),
    "CAM + norm": replace(SPACE, modulation=CUBE, normalised=True),
}
"""Networks of as many parameters."""


@dataclass(frozen=True)
class Fitted:
    """One trained network.

    Attributes
    ----------
    figure : mean squared error on the line, dB elsewhere.
    spectrum : relative error of the tones (10,) in the end; empty but on the line.
    variance : of the features before the output layer.
    """

    model: Any
    figure: float
    history: History
    parameters: int
    spectrum: Tensor
    variance: float


Runs = Mapping[str, list[Fitted]]
"""One network a seed by name."""


def on_line(plan: Plan, context: Context) -> Runs:
    """The sum of ten tones, its phases drawn for every seed."""
    found: dict[str, list[Fitted]] = {name: [] for name in LINES}
    recipe = Settings(plan.line_steps, 0, RATE, device=context.device)
    for seed in context.seeds:
        t, y = tones(SAMPLES, TONES, torch.rand(len(TONES), generator=seeded(seed), dtype=torch.float64))
        for name, config in LINES.items():
            model, history = _trained(config, Tensors(t, y), recipe, seed)
            answer = outputs(model, t).cpu()  # (SAMPLES, 1)
            spectrum = frequency_error(answer.flatten(), y.flatten(), TONES)
            error = float((answer - y).square().mean())
            found[name].append(_fitted(model, error, history, t, spectrum))
    return found


def target_pictures(plan: Plan) -> tuple[Picture, Picture]:
    """The photographs that are learned, a grey one and one in colours."""
    return (
        grey(photograph("camera.png", plan.side, plan.side)),
        photograph("coffee.png", plan.side, plan.side, part=CUP),
    )


def on_image(plan: Plan, context: Context, picture: Picture) -> Runs:
    """All pixels of a photograph, learned and measured; in colours by fewer networks."""
    data = Tensors(pixel_centres(plan.side, plan.side), picture.rows)
    configs = IMAGES if picture.values.shape[2] == 1 else COLOURED
    return _compared(configs, data, data, plan.image_steps, context)


def field_points(n: int, seed: int) -> Tensors:
    """Points of a small field in space, x (n, 3) in 0 .. 1, and its values (n, 4) in 0 .. 1.

    The three soft balls of `scenes`: the share of the greatest density, and the colour times that share, mottled by
    0.6 + 0.4 sin 25 x sin 25 y sin 25 z.
    """
    x = torch.rand(n, 3, generator=seeded(seed))  # (n, 3)
    low, high = torch.tensor(BALL_GRID.low), torch.tensor(BALL_GRID.high)
    place = low + x * (high - low)
    colours, density = ball_field(place, place)
    share = (density / DENSEST).clamp_max(1)[:, None]  # (n, 1)
    mottled = 0.6 + 0.4 * torch.sin(25 * place).prod(1, keepdim=True)  # (n, 1)
    return Tensors(x, torch.cat([colours * mottled * share, share], dim=1))


def on_field(plan: Plan, context: Context) -> Runs:
    """The field, learned at some points and measured at others."""
    train, test = field_points(plan.points, 100), field_points(plan.points // 2, 200)
    return _compared(FIELDS, train, test, plan.field_steps, context)


def step_ratio(plan: Plan, context: Context) -> float:
    """Seconds of a training step of CAM + norm over those of the plain network: best of five, taken in turn."""
    best: dict[str, float] = {}
    data = Tensors(pixel_centres(plan.side, plan.side), torch.zeros(plan.side**2, 1))
    recipe = Settings(TIMED_STEPS, 0, RATE, device=context.device)
    for _ in range(TIMINGS):
        for name in ("plain", "CAM + norm"):
            model = built(lambda config=IMAGES[name]: CAM(config), 0)  # type: ignore[misc]
            started = time.perf_counter()
            fit(model, mean_squared_error, data, None, recipe, seed=0)
            best[name] = min(time.perf_counter() - started, best.get(name, float("inf")))
    return best["CAM + norm"] / best["plain"]


def _compared(
    configs: Mapping[str, CAMConfig], train: Tensors, test: Tensors, steps: int, context: Context
) -> dict[str, list[Fitted]]:
    """Every network for every seed, in dB on the test points."""
    recipe = Settings(steps, 0, RATE, device=context.device)
    found: dict[str, list[Fitted]] = {name: [] for name in configs}
    for seed in context.seeds:
        for name, config in configs.items():
            model, history = _trained(config, train, recipe, seed, **image_recipe(steps).hooks)
            fidelity = psnr(outputs(model, test.x).cpu(), test.y)
            found[name].append(_fitted(model, fidelity, history, test.x, torch.empty(0)))
    return found


def _trained(config: CAMConfig, data: Tensors, recipe: Settings, seed: int, **hooks: Any) -> tuple[CAM, History]:
    model = built(lambda: CAM(config), seed)
    assert isinstance(model, CAM)
    history = fit(model, mean_squared_error, data, None, recipe, seed=seed, **hooks)
    return model.cpu(), history


@torch.no_grad()
def _fitted(model: CAM, figure: float, history: History, x: Tensor, spectrum: Tensor) -> Fitted:
    variance = float(model.hidden(x)[-1].var())
    return Fitted(model, figure, history, parameter_count(model), spectrum, variance)
