"""Volume rendering of a field along rays, with empty space skipped and rays ended early.

The quadrature of N. Max, "Optical models for direct volume rendering", IEEE TVCG 1 (1995) 99, as NeRF uses it
(Mildenhall et al., ECCV 2020, arXiv:2003.08934, eq. 3): with N samples a ray, step delta and density sigma,

    alpha_i = 1 - exp(-sigma_i delta),   T_i = prod_{j<i} (1 - alpha_j),
    C = sum_i T_i alpha_i c_i + T_{N+1} * background.

Two short cuts of C. Reiser et al., ICCV 2021, arXiv:2103.13744: samples whose voxel of an occupancy grid is empty
are not queried, and a ray ends where T_i < epsilon. To stay one formula, samples that are left out count as empty,
so a ray that ends early lets what remains of it, at most epsilon, fall on the background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Field = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From points (n, 3) and unit directions (n, 3) to colours (n, 3) in 0 .. 1 and densities (n,)."""
PIECE = 2**15
"""Most queries that are answered at once."""
PASS = 8
"""Most samples of a ray that are queried before it is looked at again."""


class Rays(NamedTuple):
    """Origins (n, 3), unit directions (n, 3), and the distances (n,) between which the field lies."""

    origins: Tensor
    directions: Tensor
    near: Tensor
    far: Tensor

    def rows(self, chosen: Tensor) -> Rays:
        """Some of the rays."""
        return Rays(*(part[chosen] for part in self))


@dataclass(frozen=True)
class Grid:
    """A box cut into cells; cells are numbered with the last axis fastest.

    Attributes
    ----------
    cells : of each axis.
    low, high : corners of the box.
    """

    cells: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def count(self) -> int:
        """Number of cells."""
        return int(torch.tensor(self.cells).prod())

    def scaled(self, points: Tensor) -> Tensor:
        """Points (n, axes) in cells from the low corner, (n, axes)."""
        low, high = points.new_tensor(self.low), points.new_tensor(self.high)
        return (points - low) / (high - low) * points.new_tensor(self.cells)

    def places(self, points: Tensor) -> Tensor:
        """Whole cell coordinates (n, axes) int64 by flooring; what lies beyond the box belongs to its last cell."""
        most = torch.tensor(self.cells, device=points.device) - 1
        return self.scaled(points).floor().long().clamp_min(0).minimum(most)

    def cell_of(self, points: Tensor) -> Tensor:
        """Number of the cell of each point: (n, axes) to (n,) int64."""
        number = torch.zeros(len(points), dtype=torch.long, device=points.device)
        for place, cells in zip(self.places(points).T, self.cells, strict=True):
            number = number * cells + place
        return number

    def local(self, points: Tensor) -> Tensor:
        """Coordinates in the point's own cell, -1 .. 1 from face to face: (n, axes)."""
        return 2 * (self.scaled(points) - self.places(points)) - 1

    def from_local(self, local: Tensor) -> Tensor:
        """The other way: local (cells, n, axes), one row a cell, to points (cells, n, axes)."""
        axes = [torch.arange(cells, device=local.device) for cells in self.cells]
        corner = torch.cartesian_prod(*axes).reshape(self.count, 1, -1)  # (cells, 1, axes)
        low, high = local.new_tensor(self.low), local.new_tensor(self.high)
        return low + (corner + (local + 1) / 2) / local.new_tensor(self.cells) * (high - low)

    def finer(self, times: int) -> Grid:
        """The same box with `times` as many cells along each axis."""
        return Grid(tuple(times * cells for cells in self.cells), self.low, self.high)


@dataclass(frozen=True)
class Occupancy:
    """Voxels that hold something.

    Attributes
    ----------
    grid : of the voxels.
    filled : (voxels,) bool.
    """

    grid: Grid
    filled: Tensor

    def __call__(self, points: Tensor) -> Tensor:
        """Whether each point's voxel is filled: (n, 3) to (n,) bool."""
        return self.filled.to(points.device)[self.grid.cell_of(points)]

    @property
    def share(self) -> float:
        """Filled part of all voxels."""
        return float(self.filled.double().mean())


@torch.no_grad()
def occupied(density: Callable[[Tensor], Tensor], grid: Grid, threshold: float) -> Occupancy:
    """Voxels of which any of 3 x 3 x 3 points, faces included, is denser than the threshold.

    density : from points (n, 3) to (n,). Neighbours share the points of their faces, each is asked once.
    """
    lines = [
        torch.linspace(low, high, 2 * cells + 1)
        for low, high, cells in zip(grid.low, grid.high, grid.cells, strict=True)
    ]
    points = torch.cartesian_prod(*lines)  # ((2 a + 1) (2 b + 1) (2 c + 1), 3)
    values = torch.cat([density(piece).float() for piece in points.split(PIECE)])
    lattice = values.reshape(1, 1, *(len(line) for line in lines))
    most = functional.max_pool3d(lattice, kernel_size=3, stride=2)  # (1, 1, a, b, c)
    return Occupancy(grid, most.flatten() > threshold)


def box_spans(origins: Tensor, directions: Tensor, grid: Grid) -> Rays:
    """Rays (n, 3) with the stretch that lies in the grid's box; one that misses it has a stretch of length 0."""
    safe = torch.where(directions.abs() < 1e-9, 1e-9, directions)  # (n, 3)
    one, two = ((origins.new_tensor(corner) - origins) / safe for corner in (grid.low, grid.high))
    near = torch.minimum(one, two).amax(1).clamp_min(0)  # (n,)
    far = torch.maximum(one, two).amin(1)  # (n,)
    return Rays(origins, directions, near, torch.maximum(near, far))


def sampled(rays: Rays, n: int, jitter: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Points (rays, n, 3) in the middle of n equal steps, and the steps' length (rays,).

    jitter : (rays, n) in 0 .. 1, the place within the step in place of the middle.
    """
    delta = (rays.far - rays.near) / n  # (rays,)
    within = torch.arange(n, device=delta.device) + (0.5 if jitter is None else jitter)  # (n,) or (rays, n)
    distance = rays.near[:, None] + within * delta[:, None]  # (rays, n)
    return rays.origins[:, None] + distance[..., None] * rays.directions[:, None], delta


def weights(density: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """T_i alpha_i of every sample (rays, n), and what is left behind the last (rays,); densities (rays, n)."""
    after = torch.exp(-(density * delta[:, None]).cumsum(1))  # (rays, n), T_{i+1}
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], dim=1)  # (rays, n), T_i
    return before - after, after[:, -1]


def composite(colours: Tensor, density: Tensor, delta: Tensor, background: float = 1.0) -> Tensor:
    """C of rays: colours (rays, n, 3), densities (rays, n), steps (rays,) to (rays, 3)."""
    shares, rest = weights(density, delta)  # (rays, n), (rays,)
    return (shares[..., None] * colours).sum(1) + background * rest[:, None]


class Answers(NamedTuple):
    """What a field says of the samples it was asked for, k at most of a ray, packed to the front of each row.

    Attributes
    ----------
    colours, density : (rays, k, 3) and (rays, k), 0 where a ray has fewer samples.
    queries : number of samples.
    """

    colours: Tensor
    density: Tensor
    queries: int


def queried(
    field: Field, points: Tensor, rays: Rays, delta: Tensor, kept: Tensor, stop: float | None = None
) -> Answers:
    """Ask the field for the kept samples, front to back, of rays that have not ended.

    points : (rays, n, 3); delta : (rays,); kept : (rays, n) bool; stop : see `render`.
    """
    ray = kept.nonzero()[:, 0]  # (m,)
    slot = (kept.cumsum(1) - 1)[kept]  # (m,), its place among the ray's kept samples
    turn = torch.zeros_like(slot) if stop is None else slot // PASS  # (m,)
    asked, width = points[kept], int(slot.max()) + 1 if len(slot) else 1  # (m, 3), k
    colours, density = points.new_zeros(len(kept), width, 3), points.new_zeros(len(kept), width)
    depth = torch.zeros_like(delta)  # (rays,)
    queries = 0
    for number in range(int(turn.max()) + 1 if len(turn) else 0):
        going = (turn == number) & (torch.exp(-depth[ray]) >= (stop or 0.0))  # (m,)
        now = going.nonzero()[:, 0]  # (q,)
        colour, sigma = _answered(field, asked[now], rays.directions[ray[now]])  # (q, 3), (q,)
        colours[ray[now], slot[now]] = colour
        density[ray[now], slot[now]] = sigma
        depth = depth.index_add(0, ray[now], sigma.detach() * delta[ray[now]])
        queries += len(now)
    return Answers(colours, density, queries)


def _answered(field: Field, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Colours (q, 3) and densities (q,), so many at a time that they stay in the cache."""
    pieces = [field(*piece) for piece in zip(points.split(PIECE), directions.split(PIECE), strict=True)]
    return torch.cat([colour for colour, _ in pieces]), torch.cat([sigma for _, sigma in pieces])


class Rendered(NamedTuple):
    """Colours (n, 3) of rays and the number of samples that were asked for."""

    colours: Tensor
    queries: int


@torch.no_grad()
def render(
    field: Field, rays: Rays, n: int, *, occupancy: Occupancy | None = None, stop: float | None = None
) -> Rendered:
    """Colours of rays from n samples each, before a white background; a ray that misses the box has none.

    Parameters
    ----------
    occupancy : samples in empty voxels are not queried.
    stop : epsilon, below which a ray has ended; the samples of all rays are then queried 8 of a ray at a time.
    """
    points, delta = sampled(rays, n)  # (rays, n, 3), (rays,)
    kept = (delta > 0)[:, None].expand(points.shape[:2])  # (rays, n)
    if occupancy:
        kept = kept & occupancy(points.flatten(0, 1)).reshape(kept.shape)
    answers = queried(field, points, rays, delta, kept, stop)
    return Rendered(composite(answers.colours, answers.density, delta), answers.queries)
