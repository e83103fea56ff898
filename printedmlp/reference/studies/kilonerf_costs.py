"""Short cuts on a field that is a formula, and the cost of the published networks: nothing here is trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from printedmlp.reference.fields import psnr
from printedmlp.reference.kilonerf import LEGO_CELLS, TEACHER, TINY, KiloNeRF, NeRF
from printedmlp.reference.scenes import LEGO_GRID, ball_density, ball_field
from printedmlp.reference.studies.kilonerf_runs import timed_in_turn
from printedmlp.reference.training import built, seeded
from printedmlp.reference.volume import Grid, Rays, occupied, render, sampled, weights

THRESHOLD, STOP = 1.0, 0.01
"""Density above which a voxel is filled, and epsilon below which a ray ends."""


@dataclass(frozen=True)
class Identities:
    """Short cuts on the formula's field: lost light, largest change, share of queries and dB with both."""

    lost: float
    change: float
    queries: float
    fidelity: float


def identities() -> Identities:
    """Short cuts on the formula of the balls: 48 x 48 parallel rays, 192 samples, voxels of 1/16."""
    line = (torch.arange(48) + 0.5) / 24 - 1  # (48,)
    origins = torch.cat([torch.cartesian_prod(line, line), -torch.ones(48 * 48, 1)], dim=1)  # (2304, 3)
    directions = torch.tensor([0.0, 0.0, 1.0]).expand_as(origins)
    rays = Rays(origins, directions, torch.zeros(len(origins)), torch.full((len(origins),), 2.0))
    points, delta = sampled(rays, 192)
    shares, rest = weights(ball_density(points.flatten(0, 1)).reshape(points.shape[:2]), delta)
    there = occupied(ball_density, Grid((32,) * 3, (-1.0,) * 3, (1.0,) * 3), THRESHOLD)
    whole, ended = render(ball_field, rays, 192), render(ball_field, rays, 192, stop=STOP)
    both = render(ball_field, rays, 192, occupancy=there, stop=STOP)
    return Identities(
        float((shares.sum(1) + rest - 1).abs().max()),
        float((ended.colours - whole.colours).abs().max()),
        both.queries / whole.queries,
        psnr(both.colours, whole.colours),
    )


def published_ratio(queries: int) -> float:
    """Time of a query of the paper's teacher over one of its grid for "lego", untrained, points of all the box.

    queries : of the teacher, whose time is in proportion to them; the grid gets eight times as many at once.
    """
    grid = Grid(LEGO_CELLS, LEGO_GRID.low, LEGO_GRID.high)
    local = 2 * torch.rand(1, 8 * queries, 3, generator=seeded(0)) - 1  # (1, 8 queries, 3)
    points = Grid((1, 1, 1), grid.low, grid.high).from_local(local)[0]  # (8 queries, 3)
    directions = functional.normalize(torch.randn(len(points), 3, generator=seeded(1)), dim=1)
    teacher, student = built(lambda: NeRF(TEACHER, grid), 0), built(lambda: KiloNeRF(TINY, grid), 0)
    calls = {
        "teacher": lambda: teacher(points[:queries], directions[:queries]),
        "grid": lambda: student(points, directions),
    }
    best = timed_in_turn(calls, repeats=2)
    return 8 * best["teacher"] / best["grid"]
