"""Experiments on radiance fields: a teacher from photographs, its grid of tiny networks, and how fast they render.

The photographs' silhouettes bound what there can be: the teacher is asked inside their visual hull, and taught
that the rest of the box is empty, which saves most of its training time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.fields import exponential, psnr
from printedmlp.reference.kilonerf import FieldConfig, KiloNeRF, NeRF, distillation_loss, opacity
from printedmlp.reference.outcome import Context
from printedmlp.reference.scenes import Scene, balls, hull, lego
from printedmlp.reference.studies.kilonerf_costs import STOP, THRESHOLD
from printedmlp.reference.studies.kilonerf_runs import timed_in_turn
from printedmlp.reference.training import Loss, Settings, Tensors, built, fit, parameter_count, seeded
from printedmlp.reference.volume import Field, Grid, Occupancy, Rays, composite, occupied, queried, render, sampled

LARGE = FieldConfig(width=128, depth=4, refed=0, head=64, position=8, direction=2)
SMALL = FieldConfig(width=16, depth=2, refed=0, head=16, position=5, direction=2)
RATE, VIEW_DECAY = 1e-3, 1e-6
TEACHER_RATE = 2e-3
POOL, PER_CELL = 40, 64
"""Batches of points that a teacher is asked for, and points of a cell in each."""
EVERY = 25
"""One view in so many is held out."""
SHOWN = 1
"""The held-out view that is drawn and timed."""
MODES = ("teacher", "teacher, short cuts", "grid", "grid, empty space skipped", "grid, both short cuts")


@dataclass(frozen=True)
class Plan:
    """Sizes of the experiment on one scene: pixels of a row, samples and rays, steps, voxels along a cell."""

    side: int
    samples: int
    rays: int
    teacher_steps: int
    distil_steps: int
    tune_steps: int
    voxels: int
    timings: int = 3


LEGO_PLAN = Plan(100, 64, 256, 1500, 400, 2000, 6, 2)
BALL_PLAN = Plan(48, 64, 256, 2500, 400, 2500, 6)
QUICK_LEGO, QUICK_BALLS = Plan(10, 24, 64, 20, 20, 10, 3, 1), Plan(16, 24, 128, 60, 40, 30, 4, 1)
BALL_VIEWS = 40


@dataclass(frozen=True)
class Rendering:
    """What rendering held-out views in one of the modes gives.

    Attributes
    ----------
    fidelity : dB to the photographs.
    queries : share of the samples in the box that were asked for.
    seconds : of one view, best of several.
    """

    fidelity: float
    queries: float
    seconds: float


@dataclass(frozen=True)
class SceneResult:
    """One teacher and its grid on one scene.

    Attributes
    ----------
    renderings : by mode.
    distilled : dB of the grid before fine-tuning, with both short cuts.
    pictures : one held-out view, (side, side, 3), as photographed, by the teacher, distilled, and at last.
    filled : share of voxels that hold something.
    parameters : of teacher and grid.
    seconds : of training.
    setting : resolution, views and steps in words.
    """

    name: str
    renderings: Mapping[str, Rendering]
    distilled: float
    pictures: Mapping[str, Tensor]
    filled: float
    parameters: tuple[int, int]
    seconds: float
    setting: str

    @property
    def faster(self) -> float:
        """Time of the teacher over that of the grid with both short cuts."""
        return self.renderings["teacher"].seconds / self.renderings[MODES[-1]].seconds

    @property
    def faster_alike(self) -> float:
        """The same, the teacher rendering with both short cuts too: what the grid alone gives."""
        return self.renderings[MODES[1]].seconds / self.renderings[MODES[-1]].seconds

    @property
    def gain(self) -> float:
        """The grid's dB over the teacher's."""
        return self.renderings[MODES[-1]].fidelity - self.renderings["teacher"].fidelity


def on_scenes(context: Context) -> dict[str, list[SceneResult]]:
    """The balls, and lego where its photographs are, for every seed."""
    ball_plan, lego_plan = (QUICK_BALLS, QUICK_LEGO) if context.quick else (BALL_PLAN, LEGO_PLAN)
    scenes = [(balls(ball_plan.side, BALL_VIEWS), ball_plan)]
    if photographed := lego(lego_plan.side):
        scenes.append((photographed, lego_plan))
    return {
        scene.name: [on_scene(scene, plan, seed, context.device) for seed in context.seeds]
        for scene, plan in scenes
    }


def on_scene(scene: Scene, plan: Plan, seed: int, device: str) -> SceneResult:
    """Teach, distil, fine-tune on the views that are not held out, and render those that are."""
    started = time.perf_counter()
    held = torch.arange(len(scene.poses)) % EVERY == 0  # (views,)
    train, test = scene.views(~held), scene.views(held)
    voxels = scene.grid.finer(plan.voxels)
    teacher = _teacher(train, plan, hull(train, voxels), seed, device)
    there = occupied(lambda points: _density(teacher, points), voxels, THRESHOLD)
    grid = _distilled(teacher, scene.grid, plan, _step(scene.grid, plan), seed, device)
    copies = _shot(grid, test, plan, there)  # (views, side, side, 3)
    distilled = psnr(copies, test.images)
    _tuned(grid, train, plan, there, seed, device)
    seconds = time.perf_counter() - started
    renderings = _renderings(teacher, grid, test, plan, there)
    one = test.views(torch.tensor([SHOWN]))
    pictures = {
        "target": one.images[0],
        "teacher": _shot(teacher, one, plan)[0],
        "grid, distilled": copies[SHOWN],
        "grid, fine-tuned": _shot(grid, one, plan, there)[0],
    }
    sizes = (parameter_count(teacher), parameter_count(grid))
    setting = _setting(scene, plan, int(held.sum()))
    return SceneResult(scene.name, renderings, distilled, pictures, there.share, sizes, seconds, setting)


def _setting(scene: Scene, plan: Plan, held: int) -> str:
    cells = " x ".join(map(str, scene.grid.cells))
    return (
        f"{len(scene.poses)} views of {plan.side} x {plan.side} pixels, {held} held out; {plan.samples} samples "
        f"a ray; teacher {plan.teacher_steps} steps of {plan.rays} rays, {cells} cells distilled in "
        f"{plan.distil_steps} and fine-tuned in {plan.tune_steps} steps"
    )


def _step(grid: Grid, plan: Plan) -> float:
    """Length of a step along the box's diagonal: what one sample stands for."""
    sides = torch.tensor(grid.high) - torch.tensor(grid.low)
    return float(sides.norm()) / plan.samples


def _density(model: nn.Module, points: Tensor) -> Tensor:
    """Density of a field at points (n, 3): (n,)."""
    density: Tensor = model(points, torch.zeros_like(points))[1]
    return density


def _packed(scene: Scene, n: int, seed: int) -> Tensors:
    """So many rays of random pixels (n, 8) and their colours (n, 3)."""
    chosen = torch.randint(scene.images[..., 0].numel(), (n,), generator=seeded(seed))
    rays = scene.rays().rows(chosen)
    packed = torch.cat([rays.origins, rays.directions, rays.near[:, None], rays.far[:, None]], dim=1)
    return Tensors(packed, scene.images.flatten(0, 2)[chosen])


def _photometric(plan: Plan, there: Occupancy) -> Loss:
    """Squared error of rays, samples at random places in their steps, asked where there may be something."""

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        rays = Rays(x[:, :3], x[:, 3:6], x[:, 6], x[:, 7])
        points, delta = sampled(rays, plan.samples, torch.rand(len(x), plan.samples, device=x.device))
        kept = there(points.flatten(0, 1)).reshape(len(x), plan.samples)
        answers = queried(model, points, rays, delta, kept)
        return functional.mse_loss(composite(answers.colours, answers.density, delta), y)

    return loss


def _teacher(scene: Scene, plan: Plan, there: Occupancy, seed: int, device: str) -> nn.Module:
    step, photometric = _step(scene.grid, plan), _photometric(plan, there)
    whole = Grid((1, 1, 1), scene.grid.low, scene.grid.high)

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        anywhere = whole.from_local(2 * torch.rand(1, 2 * len(x), 3, device=x.device) - 1)[0]  # (2 B, 3)
        outside = anywhere[~there(anywhere)]  # (m, 3)
        return photometric(model, x, y) + opacity(_density(model, outside).clamp_min(0), step).mean()

    model = built(lambda: NeRF(LARGE, scene.grid), seed)
    recipe = Settings(1, plan.rays, TEACHER_RATE, device=device)
    rays = _packed(scene, plan.teacher_steps * plan.rays, seed)
    fit(model, loss, rays, None, recipe, seed=seed, **exponential(plan.teacher_steps).hooks)
    return model.cpu().eval()


@torch.no_grad()
def _lesson(teacher: nn.Module, grid: Grid, step: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random points and directions of cells (cells, b, 6), the teacher's colours and alphas (cells, b, 4)."""
    local = 2 * torch.rand(grid.count, PER_CELL, 3, generator=generator) - 1  # (cells, b, 3)
    directions = functional.normalize(torch.randn(local.shape, generator=generator), dim=2)  # (cells, b, 3)
    colours, density = teacher(grid.from_local(local).flatten(0, 1), directions.flatten(0, 1))
    answers = torch.cat([colours, opacity(density, step)[:, None]], dim=1)  # (cells * b, 4)
    return torch.cat([local, directions], dim=2), answers.reshape(grid.count, PER_CELL, 4)


def _distilled(teacher: nn.Module, grid: Grid, plan: Plan, step: float, seed: int, device: str) -> nn.Module:
    generator, n = seeded(seed), min(POOL, plan.distil_steps)
    x, y = (
        torch.stack(part) for part in zip(*(_lesson(teacher, grid, step, generator) for _ in range(n)), strict=True)
    )

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        assert isinstance(model, KiloNeRF)
        colours, density = model.field(x[0, ..., :3], x[0, ..., 3:])  # (cells, b, 3), (cells, b)
        return distillation_loss(torch.cat([colours, opacity(density, step)[..., None]], dim=-1), y[0])

    model = built(lambda: KiloNeRF(SMALL, grid), seed)
    recipe = Settings(max(plan.distil_steps // n, 1), 1, 3 * RATE, device=device)
    fit(model, loss, Tensors(x, y), None, recipe, seed=seed)
    return model.cpu().eval()


def _tuned(model: nn.Module, scene: Scene, plan: Plan, there: Occupancy, seed: int, device: str) -> None:
    """Fine-tune a grid on the photographs, in place."""
    photometric = _photometric(plan, there)

    def loss(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        assert isinstance(model, KiloNeRF)
        return photometric(model, x, y) + VIEW_DECAY * model.field.view_norms()

    recipe = Settings(1, plan.rays, RATE, device=device)
    rays = _packed(scene, plan.tune_steps * plan.rays, seed + 1)
    fit(model, loss, rays, None, recipe, seed=seed, **exponential(plan.tune_steps).hooks)
    model.cpu().eval()


def _shot(model: nn.Module, scene: Scene, plan: Plan, there: Occupancy | None = None) -> Tensor:
    """All views as the field sees them, with both short cuts where voxels are given: (views, side, side, 3)."""
    stop = STOP if there else None
    return render(model, scene.rays(), plan.samples, occupancy=there, stop=stop).colours.reshape(scene.images.shape)


def _renderings(teacher: Field, grid: Field, scene: Scene, plan: Plan, there: Occupancy) -> dict[str, Rendering]:
    """Every mode: dB and queries on all views, seconds on the shown one, the modes taken in turn."""
    options: dict[str, tuple[Field, Occupancy | None, float | None]] = dict(
        zip(
            MODES,
            (
                (teacher, None, None),
                (teacher, there, STOP),
                (grid, None, None),
                (grid, there, None),
                (grid, there, STOP),
            ),
            strict=True,
        )
    )
    rays, one = scene.rays(), scene.views(torch.tensor([SHOWN])).rays()

    def rendered(name: str, rays: Rays) -> tuple[Tensor, int]:
        model, voxels, stop = options[name]
        return render(model, rays, plan.samples, occupancy=voxels, stop=stop)

    best = timed_in_turn({name: lambda name=name: rendered(name, one) for name in MODES}, plan.timings)  # type: ignore[misc]
    samples = int((rays.far > rays.near).sum()) * plan.samples
    found = {}
    for name in MODES:
        colours, queries = rendered(name, rays)
        fidelity = psnr(colours.reshape(scene.images.shape), scene.images)
        found[name] = Rendering(fidelity, queries / samples, best[name])
    return found
