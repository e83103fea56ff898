"""Scenes to render: photographs from known cameras, and three soft balls whose field is a formula.

Cameras are those of NeRF: a pose (4, 4) takes camera coordinates to the world, the camera looks along its own -z, y
points up, and a pixel's ray goes through its centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from printedmlp.errors import DataError
from printedmlp.reference.datasets import suite_array, suite_path
from printedmlp.reference.volume import Grid, Occupancy, Rays, box_spans, render

LEGO = "lego_100.npz"
LEGO_GRID = Grid((5, 8, 5), (-0.7, -1.2, -0.5), (0.7, 1.2, 1.1))
BALL_GRID = Grid((4, 4, 4), (-0.7, -0.7, -0.7), (0.7, 0.7, 0.7))
CENTRES = ((0.3, 0.0, 0.0), (-0.3, 0.2, 0.1), (0.0, -0.3, -0.2))
RADII = (0.25, 0.2, 0.22)
COLOURS = ((0.9, 0.2, 0.1), (0.1, 0.7, 0.2), (0.15, 0.25, 0.9))
DENSEST = 40.0


@dataclass(frozen=True)
class Scene:
    """Square photographs of one thing before white.

    Attributes
    ----------
    name : of the scene.
    grid : its box, cut into the student's cells.
    poses : (views, 4, 4) camera to world.
    focal : in pixels.
    images : (views, side, side, 3) in 0 .. 1.
    alpha : (views, side, side), 0 where nothing is seen but the background.
    """

    name: str
    grid: Grid
    poses: Tensor
    focal: float
    images: Tensor
    alpha: Tensor

    @property
    def side(self) -> int:
        """Pixels of a row."""
        return self.images.shape[1]

    def views(self, chosen: Tensor) -> Scene:
        """Some of the views."""
        return replace(self, poses=self.poses[chosen], images=self.images[chosen], alpha=self.alpha[chosen])

    def rays(self) -> Rays:
        """The rays of all pixels, view after view, row after row."""
        origins, directions = camera_rays(self.poses, self.focal, self.side)
        return box_spans(origins, directions, self.grid)


def camera_rays(poses: Tensor, focal: float, side: int) -> tuple[Tensor, Tensor]:
    """Origins and unit directions, (views * side^2, 3) each."""
    line = torch.arange(side) + 0.5 - side / 2  # (side,)
    y, x = torch.meshgrid(line, line, indexing="ij")  # (side, side) each
    local = torch.stack([x / focal, -y / focal, -torch.ones_like(x)], dim=-1).reshape(-1, 3)  # (side^2, 3)
    directions = functional.normalize(local @ poses[:, :3, :3].transpose(1, 2), dim=-1)  # (views, side^2, 3)
    origins = poses[:, None, :3, 3].expand_as(directions)  # (views, side^2, 3)
    return origins.flatten(0, 1), directions.flatten(0, 1)


def lego(side: int) -> Scene | None:
    """The 100 photographs of the scene "lego" at `side` pixels, a divisor of 100; None without the suite."""
    try:
        suite_path(LEGO)
    except DataError:
        return None
    stored, poses, focal = suite_array(LEGO, "images_rgba", "poses", "focal")
    rgba = torch.from_numpy(stored.astype(np.float32) / 255)  # (100, 100, 100, 4)
    alpha = rgba[..., 3:]
    both = torch.cat([rgba[..., :3] * alpha + 1 - alpha, alpha], dim=-1).permute(0, 3, 1, 2)  # before white
    small = functional.avg_pool2d(both, rgba.shape[1] // side).permute(0, 2, 3, 1)  # (100, side, side, 4)
    cameras = torch.from_numpy(poses.astype(np.float32))
    scale = side / rgba.shape[1]
    return Scene("lego", LEGO_GRID, cameras, float(focal) * scale, small[..., :3].contiguous(), small[..., 3])


def balls(side: int, views: int, samples: int = 96) -> Scene:
    """Photographs of the three soft balls from a spiral of cameras two units away that looks at the middle."""
    turn = torch.arange(views) * math.pi * (3 - math.sqrt(5))  # (views,), the golden angle
    up = torch.linspace(-0.9, 0.9, views)  # (views,)
    flat = (1 - up.square()).sqrt()
    poses = torch.stack([_looking(p) for p in 2 * torch.stack([flat * turn.cos(), flat * turn.sin(), up], dim=1)])
    focal = 1.2 * side
    rays = box_spans(*camera_rays(poses, focal, side), BALL_GRID)
    white = render(ball_field, rays, samples).colours.reshape(views, side, side, 3)
    rest = render(lambda p, d: (torch.zeros_like(p), ball_density(p)), rays, samples).colours[:, 0]
    return Scene("three balls", BALL_GRID, poses, focal, white, 1 - rest.reshape(views, side, side))


def ball_densities(points: Tensor) -> Tensor:
    """Density of each ball, 40 sigmoid(-60 (distance - radius)), cut to 0 below 0.01: (n, 3) to (n, balls)."""
    distance = (points[:, None] - points.new_tensor(CENTRES)).norm(dim=2)  # (n, balls)
    density = DENSEST * torch.sigmoid(-60 * (distance - points.new_tensor(RADII)))  # (n, balls)
    return torch.where(density < 0.01, 0.0, density)


def ball_density(points: Tensor) -> Tensor:
    """Density of all balls: (n, 3) to (n,)."""
    return ball_densities(points).sum(1)


def ball_field(points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Colours (n, 3), mixed by density, the same from all sides, and densities (n,)."""
    each = ball_densities(points)  # (n, balls)
    whole = each.sum(1)  # (n,)
    return each @ points.new_tensor(COLOURS) / whole.clamp_min(1e-6)[:, None], whole


def hull(scene: Scene, grid: Grid) -> Occupancy:
    """Voxels whose middle falls on or beside something in every view: the visual hull (A. Laurentini, 1994)."""
    axes = [
        low + (torch.arange(cells) + 0.5) / cells * (high - low)
        for low, high, cells in zip(grid.low, grid.high, grid.cells, strict=True)
    ]
    points = torch.cartesian_prod(*axes)  # (voxels, 3)
    seen = functional.max_pool2d((scene.alpha > 0).float()[:, None], 3, stride=1, padding=1)[:, 0] > 0
    filled = torch.ones(len(points), dtype=torch.bool)
    for pose, mask in zip(scene.poses, seen, strict=True):
        local = (points - pose[:3, 3]) @ pose[:3, :3]  # (voxels, 3), in camera coordinates
        ahead = -scene.focal / local[:, 2].clamp_max(-1e-6)  # (voxels,)
        column, row = ((ahead * v + scene.side / 2).floor().long() for v in (local[:, 0], -local[:, 1]))
        inside = (column >= 0) & (column < scene.side) & (row >= 0) & (row < scene.side)
        empty = inside & ~mask[row.clamp(0, scene.side - 1), column.clamp(0, scene.side - 1)]
        filled &= ~empty
    return Occupancy(grid, filled)


def _looking(place: Tensor) -> Tensor:
    """The pose (4, 4) of a camera at a place (3,) that looks at the origin, z upwards."""
    back = functional.normalize(place, dim=0)
    right = functional.normalize(torch.linalg.cross(torch.tensor([0.0, 0.0, 1.0]), back), dim=0)
    pose = torch.eye(4)
    pose[:3, :4] = torch.stack([right, torch.linalg.cross(back, right), back, place], dim=1)
    return pose
