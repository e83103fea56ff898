"""Experiments on grids of tiny networks in the plane: a picture, taught by one large network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from printedmlp.reference.fields import Picture, exponential, photograph, pixel_centres, psnr
from printedmlp.reference.kilonerf import PictureMLP, TinyImages, distillation_loss
from printedmlp.reference.outcome import Context
from printedmlp.reference.training import (
    Settings,
    Tensors,
    built,
    fit,
    mean_squared_error,
    outputs,
    parameter_count,
    seeded,
)
from printedmlp.reference.volume import Grid

FACE = (slice(0, 300), slice(100, 400))
"""Rows and columns of the photograph that are learned."""
SIDES, WIDTH = (1, 4, 8), 16
SPARSE_SIDE, SPARSE_SHARE = 16, 0.3
RATE, DISTIL_RATE, TUNE_RATE = 1e-3, 3e-3, 1e-3
BATCH, LEAST = 1024, 16
"""Points of a step, and of a cell in a step of distillation."""
POOL = 100
"""Batches of points that a teacher is asked for; they are met several times."""
TIMINGS = 5


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiments in the plane: side of the picture, the teachers' layers, steps, timed points."""

    side: int = 96
    hidden: tuple[int, ...] = (128,) * 6
    teacher_steps: int = 1200
    distil_steps: int = 1000
    tune_steps: int = 600
    sparse_hidden: tuple[int, ...] = (96,) * 4
    sparse_steps: int = 800
    timed: int = 100_000


FULL = Plan()
QUICK = Plan(32, (64,) * 3, 60, 60, 40, (32,) * 3, 60, 20_000)


@dataclass(frozen=True)
class Student:
    """A grid of tiny networks.

    Attributes
    ----------
    model : after fine-tuning.
    to_teacher, distilled, tuned : dB to the teacher and to the picture after distillation, to the picture at last.
    copy : the picture as distilled, (pixels, channels).
    faster : seconds of the teacher for many points over those of the student.
    """

    model: Any
    to_teacher: float
    distilled: float
    tuned: float
    copy: Tensor
    faster: float
    parameters: int
    seconds: float


@dataclass(frozen=True)
class Taught:
    """A teacher, its dB, and its students by cells along a side."""

    model: Any
    fidelity: float
    parameters: int
    seconds: float
    students: Mapping[int, Student]


@dataclass(frozen=True)
class Sparse:
    """dB on pixels never trained on: of the teacher, and of a grid from scratch, distilled, and then fine-tuned."""

    teacher: float
    scratch: float
    distilled: float
    tuned: float


def target_picture(plan: Plan) -> Picture:
    """The photograph that is learned."""
    return photograph("astronaut.png", plan.side, plan.side, part=FACE)


def plane(side: int) -> Grid:
    """The picture's square cut into side x side cells."""
    return Grid((side, side), (-1.0, -1.0), (1.0, 1.0))


def on_picture(plan: Plan, context: Context, picture: Picture) -> list[Taught]:
    """A teacher and grids of several sizes for every seed, all pixels known."""
    data = Tensors(pixel_centres(plan.side, plan.side, low=-1.0), picture.rows)
    return [_taught(plan, data, seed, context.device) for seed in context.seeds]


def on_few_pixels(plan: Plan, context: Context, picture: Picture) -> list[Sparse]:
    """A fine grid with and without a teacher where only 30 % of the pixels are known."""
    data = Tensors(pixel_centres(plan.side, plan.side, low=-1.0), picture.rows)
    return [_sparse(plan, data, seed, context.device) for seed in context.seeds]


def timed_in_turn(calls: Mapping[str, Callable[[], object]], repeats: int = TIMINGS) -> dict[str, float]:
    """Best seconds of each of several calls, taken in turn `repeats` times after one turn for warmth."""
    best = dict.fromkeys(calls, float("inf"))
    with torch.no_grad():
        for number in range(repeats + 1):
            for name, call in calls.items():
                _finished()
                started = time.perf_counter()
                call()
                _finished()
                seconds = time.perf_counter() - started
                best[name] = min(best[name], seconds) if number else best[name]
    return best


def _finished() -> None:
    """Wait for what a graphics processor has been given, which answers before it is done."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _taught(plan: Plan, data: Tensors, seed: int, device: str) -> Taught:
    teacher, seconds = _teacher(plan.hidden, data, plan.teacher_steps, seed, device)
    answers = outputs(teacher, data.x).cpu()  # (pixels, 3)
    students = {side: _student(plan, teacher, data, answers, side, seed, device) for side in SIDES}
    return Taught(teacher, psnr(answers, data.y), parameter_count(teacher), seconds, students)


def _student(
    plan: Plan, teacher: nn.Module, data: Tensors, answers: Tensor, side: int, seed: int, device: str
) -> Student:
    started = time.perf_counter()
    model = _distilled(teacher, side, plan.distil_steps, seed, device)
    copy = outputs(model, data.x).cpu()  # (pixels, 3)
    _tuned(model, data, plan.tune_steps, TUNE_RATE, seed, device)
    seconds = time.perf_counter() - started
    points = torch.rand(plan.timed, 2, generator=seeded(seed)).to(device) * 2 - 1
    best = timed_in_turn({"teacher": lambda: teacher(points), "student": lambda: model(points)})
    return Student(
        model,
        psnr(copy, answers),
        psnr(copy, data.y),
        psnr(outputs(model, data.x).cpu(), data.y),
        copy,
        best["teacher"] / best["student"],
        parameter_count(model),
        seconds,
    )


def _sparse(plan: Plan, data: Tensors, seed: int, device: str) -> Sparse:
    order = torch.randperm(len(data.x), generator=seeded(seed))
    known = int(SPARSE_SHARE * len(order))
    train, test = data.rows(order[:known]), data.rows(order[known:])

    def fidelity(model: nn.Module) -> float:
        return psnr(outputs(model, test.x).cpu(), test.y)

    teacher, _ = _teacher(plan.sparse_hidden, train, plan.sparse_steps, seed, device)
    scratch = _tiny(SPARSE_SIDE, seed, device)
    _tuned(scratch, train, plan.distil_steps + plan.tune_steps, DISTIL_RATE, seed, device)
    student = _distilled(teacher, SPARSE_SIDE, plan.distil_steps, seed, device)
    distilled = fidelity(student)
    _tuned(student, train, plan.tune_steps, TUNE_RATE, seed, device)
    return Sparse(fidelity(teacher), fidelity(scratch), distilled, fidelity(student))


def _teacher(hidden: tuple[int, ...], data: Tensors, steps: int, seed: int, device: str) -> tuple[nn.Module, float]:
    model = built(lambda: PictureMLP(hidden, outputs=data.y.shape[1]), seed)
    epochs = -(-steps // _steps(data))
    recipe = Settings(epochs, BATCH, RATE, device=device)
    history = fit(
        model, mean_squared_error, data, None, recipe, seed=seed, **exponential(epochs * _steps(data)).hooks
    )
    return model.eval(), history.seconds


def _tiny(side: int, seed: int, device: str) -> nn.Module:
    return built(lambda: TinyImages(plane(side), WIDTH), seed).to(device)


def _tuned(model: nn.Module, data: Tensors, steps: int, rate: float, seed: int, device: str) -> None:
    """Train on pixels, in place."""
    recipe = Settings(-(-steps // _steps(data)), BATCH, rate, device=device)
    fit(model, mean_squared_error, data, None, recipe, seed=seed)


def _steps(data: Tensors) -> int:
    """Steps of an epoch."""
    return -(-len(data.x) // BATCH)


def _distilled(teacher: nn.Module, side: int, steps: int, seed: int, device: str) -> nn.Module:
    """A grid taught at random points of every cell."""
    grid = plane(side)
    batch = max(BATCH // grid.count, LEAST)
    n = min(POOL, steps)
    local = 2 * torch.rand(n, grid.count, batch, 2, generator=seeded(seed)) - 1  # (n, cells, batch, 2)
    points = torch.stack([grid.from_local(one) for one in local])  # (n, cells, batch, 2)
    answers = outputs(teacher, points.flatten(0, 2)).cpu().reshape(*points.shape[:3], -1)  # (n, cells, batch, 3)

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        assert isinstance(model, TinyImages)
        return distillation_loss(model.cells(x[0]), y[0])

    model = _tiny(side, seed, device)
    recipe = Settings(max(steps // n, 1), 1, DISTIL_RATE, device=device)
    fit(model, loss, Tensors(local, answers), None, recipe, seed=seed)
    return model
