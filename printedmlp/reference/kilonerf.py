"""KiloNeRF: a radiance field as a grid of thousands of tiny networks, taught by one large one.

C. Reiser, S. Peng, Y. Liao and A. Geiger, "KiloNeRF: Speeding up Neural Radiance Fields with Thousands of Tiny
MLPs", ICCV 2021, arXiv:2103.13744, sections 3 and 4. A coordinate v is encoded as

    gamma_L(v) = (v, cos 2^0 v, ..., cos 2^(L-1) v, sin 2^0 v, ..., sin 2^(L-1) v).

The teacher is NeRF's network (Mildenhall et al., arXiv:2003.08934): position through `depth` layers to a density
and a feature, feature and direction to a colour. The student has one much smaller network of the same kind a grid
cell, all with the same start, each fed with the position in its own cell. It is first distilled, at random points
of every cell, to the teacher's colour and alpha = 1 - exp(-density * step), the losses of the networks added up,
and then fine-tuned on the photographs. Points of all cells are sorted by cell and answered by one grouped product
(`volume` renders).

Left out: the CUDA kernels, retraining of saturated networks, centre crops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.volume import Grid

LEAK = 0.01
"""Slope below zero of the density while it is trained, so that what has died can come back."""
BLOCKS = (16, 64)
"""Points of one cell that are answered together, where cells have few of them and where they have more."""


@dataclass(frozen=True)
class FieldConfig:
    """Sizes of a radiance field's network.

    Attributes
    ----------
    width, depth : hidden layers of the position.
    refed : the layer, from 1, that gets the encoded position once more; 0 for none.
    head : hidden units between feature and colour.
    position, direction : frequencies L of the two encodings.
    """

    width: int = 256
    depth: int = 8
    refed: int = 6
    head: int = 128
    position: int = 10
    direction: int = 4

    @property
    def inputs(self) -> tuple[int, int]:
        """Values of an encoded position and of an encoded direction."""
        return 3 * (2 * self.position + 1), 3 * (2 * self.direction + 1)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every linear layer: the hidden ones, density, feature, head, colour."""
        position, direction = self.inputs
        hidden = [
            ((position if n == 1 else self.width) + (position if n == self.refed else 0), self.width)
            for n in range(1, self.depth + 1)
        ]
        ends = [(self.width, 1), (self.width, self.width), (self.width + direction, self.head), (self.head, 3)]
        return hidden + ends


TEACHER = FieldConfig()
TINY = FieldConfig(width=32, depth=2, refed=0, head=32)
"""The paper's networks."""
LEGO_CELLS = (9, 16, 10)
"""The paper's grid for the scene "lego"."""


def encoded(v: Tensor, frequencies: int, scale: float = 1.0) -> Tensor:
    """gamma_L of `scale` times the coordinates, which come first as they are: (..., a) to (..., a (2 L + 1))."""
    angles = v[..., None, :] * scale * 2.0 ** torch.arange(frequencies, device=v.device)[:, None]  # (..., L, axes)
    return torch.cat([v, angles.cos().flatten(-2), angles.sin().flatten(-2)], dim=-1)


def multiplications(config: FieldConfig) -> int:
    """Products of one query; a multiply-add counts as two operations, so FLOPs are twice as many."""
    return sum(n * m for n, m in config.sizes)


class GroupedLinear(nn.Module):
    """One linear layer a cell, all with the same start: uniform within 1 / sqrt(n_in), PyTorch's default."""

    def __init__(self, cells: int, n_in: int, n_out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        weight = torch.empty(1, n_in, n_out).uniform_(-bound, bound)
        bias = torch.empty(1, 1, n_out).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight.repeat(cells, 1, 1))  # (cells, n_in, n_out)
        self.bias = nn.Parameter(bias.repeat(cells, 1, 1))  # (cells, 1, n_out)

    def forward(self, x: Tensor, cell: Tensor | None) -> Tensor:
        """Blocks (m, b, n_in) of the cells (m,), or of each cell in turn, to (m, b, n_out)."""
        weight, bias = (self.weight, self.bias) if cell is None else (self.weight[cell], self.bias[cell])
        return torch.baddbmm(bias, x, weight)  # (m, b, n_out)


class RadianceField(nn.Module):
    """The network of `FieldConfig`, once for each of a number of cells; the teacher has a single cell."""

    def __init__(self, config: FieldConfig, cells: int = 1) -> None:
        super().__init__()
        self.config = config
        layers = [GroupedLinear(cells, *size) for size in config.sizes]
        self.hidden = nn.ModuleList(layers[: config.depth])
        self.density, self.feature, self.head, self.colour = layers[config.depth :]

    def forward(self, x: Tensor, d: Tensor, cell: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Colours (m, b, 3) and densities (m, b) at x (m, b, 3), seen along d (m, b, 3), of the cells (m,)."""
        position = encoded(x, self.config.position)  # (m, b, inputs)
        z = position
        for number, layer in enumerate(self.hidden, start=1):
            z = torch.cat([position, z], dim=-1) if number == self.config.refed else z  # (m, b, n_in)
            z = functional.relu(layer(z, cell))  # (m, b, width)
        sigma = functional.leaky_relu(self.density(z, cell)[..., 0], LEAK if self.training else 0.0)  # (m, b)
        seen = torch.cat([self.feature(z, cell), encoded(d, self.config.direction)], dim=-1)  # (m, b, width + dirs)
        colour: Tensor = self.colour(functional.relu(self.head(seen, cell)), cell)  # (m, b, 3)
        return colour.sigmoid(), sigma

    def view_norms(self) -> Tensor:
        """Sum of the norms of the layers that know the direction, which fine-tuning keeps small: ()."""
        return sum((p.norm() for part in (self.head, self.colour) for p in part.parameters()), torch.zeros(()))


class NeRF(nn.Module):
    """One network for all of space: the teacher. `grid` has one cell, so positions are -1 .. 1 in its box."""

    def __init__(self, config: FieldConfig, grid: Grid) -> None:
        super().__init__()
        self.grid, self.field = Grid((1,) * len(grid.cells), grid.low, grid.high), RadianceField(config)

    def forward(self, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Colours (n, 3) and densities (n,) at points (n, 3) seen along unit directions (n, 3)."""
        colours, sigma = self.field(self.grid.local(points)[None], directions[None])  # (1, n, 3), (1, n)
        return colours[0], sigma[0]


class KiloNeRF(nn.Module):
    """A network for every cell of a grid: the student."""

    def __init__(self, config: FieldConfig, grid: Grid) -> None:
        super().__init__()
        self.grid, self.field = grid, RadianceField(config, grid.count)

    def forward(self, points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Colours (n, 3) and densities (n,) at points (n, 3) seen along unit directions (n, 3)."""
        inputs = torch.cat([self.grid.local(points), directions], dim=1)  # (n, 6)

        def answer(x: Tensor, cell: Tensor) -> Tensor:
            colours, sigma = self.field(x[..., :3], x[..., 3:], cell)
            return torch.cat([colours, sigma[..., None]], dim=-1)  # (m, b, 4)

        out = grouped(answer, inputs, self.grid.cell_of(points), self.grid.count)  # (n, 4)
        return out[:, :3], out[:, 3]


class PictureMLP(nn.Module):
    """One network for a whole picture, coordinates -1 .. 1 encoded with pi: the teacher in the plane."""

    def __init__(self, hidden: tuple[int, ...], frequencies: int = 7, outputs: int = 3) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.mlp = MLP(Config(2 * (2 * frequencies + 1), outputs, hidden, "relu"))

    def forward(self, points: Tensor) -> Tensor:
        """Points (n, 2) to colours (n, outputs)."""
        colours: Tensor = self.mlp(encoded(points, self.frequencies, math.pi))
        return colours.sigmoid()


class TinyImages(nn.Module):
    """The same idea in the plane: a network of two hidden layers a cell of a grid, coordinates to colours."""

    def __init__(self, grid: Grid, width: int, frequencies: int = 4, outputs: int = 3) -> None:
        super().__init__()
        self.grid, self.frequencies = grid, frequencies
        sizes = (len(grid.cells) * (2 * frequencies + 1), width, width, outputs)
        self.layers = nn.ModuleList(GroupedLinear(grid.count, n, m) for n, m in pairwise(sizes))

    def cells(self, x: Tensor, cell: Tensor | None = None) -> Tensor:
        """Local coordinates (m, b, axes) in the cells (m,), or in each cell in turn, to colours (m, b, outputs)."""
        z = encoded(x, self.frequencies)  # (m, b, inputs)
        for layer in self.layers[:-1]:
            z = functional.relu(layer(z, cell))  # (m, b, width)
        colours: Tensor = self.layers[-1](z, cell)
        return colours.sigmoid()

    def forward(self, points: Tensor) -> Tensor:
        """Points (n, axes) of the grid's box to colours (n, outputs)."""
        return grouped(self.cells, self.grid.local(points), self.grid.cell_of(points), self.grid.count)


def grouped(
    answer: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, cell: Tensor, cells: int, block: int | None = None
) -> Tensor:
    """Answer rows (n, k) that belong to cells (n,): sorted by cell, cut into blocks of one cell, put back in order.

    The last block of a cell is filled up with zeros.

    answer : from blocks (m, block, k) and the number of each block's cell (m,) to (m, block, outputs).
    """
    block = block or BLOCKS[len(cell) > BLOCKS[1] * cells]
    order = cell.argsort()  # (n,)
    counts = cell.bincount(minlength=cells)  # (cells,)
    blocks = -(-counts // block)  # (cells,), the last one of a cell may be part empty
    first = blocks.cumsum(0) - blocks  # (cells,), number of each cell's first block
    start = counts.cumsum(0) - counts  # (cells,), place of its first row in the order
    ranked = cell[order]  # (n,)
    slot = torch.arange(len(cell), device=cell.device) + (first * block - start)[ranked]  # (n,) among m * block
    owner = torch.repeat_interleave(torch.arange(cells, device=cell.device), blocks)  # (m,)
    packed = inputs.new_zeros(len(owner) * block, inputs.shape[1]).index_copy(0, slot, inputs[order])
    answers = answer(packed.reshape(len(owner), block, -1), owner).flatten(0, 1)  # (m * block, outputs)
    place = torch.empty_like(slot)
    place[order] = slot  # (n,), where each row of the input went
    return answers[place]


def distillation_loss(output: Tensor, target: Tensor) -> Tensor:
    """Squared errors of (cells, b, values): averaged within each network, added up over the networks."""
    return (output - target).square().mean((1, 2)).sum()


def opacity(density: Tensor, step: float) -> Tensor:
    """alpha of a step of this length; what is learned in place of the density, which has no bound."""
    return 1 - torch.exp(-density * step)
