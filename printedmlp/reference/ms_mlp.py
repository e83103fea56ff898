"""MS-MLP: near pixels are mixed by small convolutions, far ones are brought near by shifts.

H. Zheng, P. He, W. Chen and M. Zhou, "Mixing and Shifting: Exploiting Global and Local Dependencies in Vision
MLPs", 2022, arXiv:2202.06510, with kernels and sizes of the authors' release. The mix-shift block, for channel
groups X_1 .. X_n with a shift d_i and a kernel size k_i each:

    L_i = depthwise_ki(roll(X_i, d_i pixels along the width))
    T_i = depthwise_ki(roll(X_i, d_i pixels along the height)),   weights of its own
    Z   = [L_1 .. L_n] + [T_1 .. T_n]
    X  <- X + gamma * (W2 gelu(W1 norm(Z) + b1) + b2)

Rolls go round the border, convolutions pad with zeros. From stage to stage the resolution halves and the channels
double.

Left out: stochastic depth and the augmentation of the ImageNet recipe, the block inside of Swin transformers,
detection and segmentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.errors import ConfigError

Kernels = tuple[int, ...]
SHIFTS = (-2, -1, 0, 1, 2)
RELEASED: tuple[Kernels, ...] = ((1, 1, 3, 5, 7), (1, 3, 3, 5, 7), (1, 5, 5, 5, 7), (1, 7, 7, 7, 7))
"""Kernel sizes of the four stages, in the order of the shifts."""
EPSILON = 1e-6


@dataclass(frozen=True)
class MSMLPConfig:
    """Sizes of an MS-MLP.

    Attributes
    ----------
    in_channels, n_classes : of the image and of the logits.
    widths, depths, kernels : channels, blocks and kernel sizes (one a shift) of each stage.
    shifts : of the channel groups, in pixels.
    patch : the stem is a `patch` x `patch` convolution of that stride.
    stem_norm : whether a layer norm follows the stem.
    gamma : start of the layer scale.
    pool : "mean" or "max" over all pixels before the head.
    """

    in_channels: int
    n_classes: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    kernels: tuple[Kernels, ...]
    shifts: tuple[int, ...] = SHIFTS
    patch: int = 1
    stem_norm: bool = True
    gamma: float = 1e-6
    pool: str = "mean"

    def __post_init__(self) -> None:
        """Refuse lists that do not fit one another, even kernels and an unknown pooling."""
        if not len(self.widths) == len(self.depths) == len(self.kernels):
            raise ConfigError(f"stages: widths {self.widths}, depths {self.depths}, kernels {self.kernels}")
        for sizes in self.kernels:
            if len(sizes) != len(self.shifts) or any(size % 2 == 0 for size in sizes):
                raise ConfigError(f"kernels: {sizes} are not {len(self.shifts)} odd sizes")
        if self.pool not in ("mean", "max"):
            raise ConfigError(f"pool: {self.pool!r} is not one of mean, max")


def _published(width: int, third: int) -> MSMLPConfig:
    widths = (width, 2 * width, 4 * width, 8 * width)
    return MSMLPConfig(3, 1000, widths, (3, 3, third, 3), RELEASED, patch=4)


PUBLISHED = {"Tiny": _published(96, 9), "Small": _published(96, 27), "Base": _published(128, 27)}


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # (B, C, H, W)


class ShiftedMix(nn.Module):
    """One branch: roll each channel group along an axis, then mix its pixels channel by channel."""

    def __init__(self, channels: int, shifts: tuple[int, ...], kernels: Kernels, axis: int) -> None:
        super().__init__()
        self.shifts, self.axis = shifts, axis
        self.mixers = nn.ModuleList(
            nn.Conv2d(size, size, kernel, padding=kernel // 2, groups=size)
            for size, kernel in zip(group_sizes(channels, len(shifts)), kernels, strict=True)
        )

    def forward(self, X: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        groups = X.chunk(len(self.shifts), dim=1)  # n of (B, ~C/n, H, W)
        mixed = [
            mix(group.roll(shift, self.axis))
            for mix, group, shift in zip(self.mixers, groups, self.shifts, strict=True)
        ]
        return torch.cat(mixed, dim=1)  # (B, C, H, W)


class Block(nn.Module):
    """The mix-shift block with its residual connection."""

    def __init__(self, channels: int, shifts: tuple[int, ...], kernels: Kernels, gamma: float) -> None:
        super().__init__()
        self.across = ShiftedMix(channels, shifts, kernels, axis=3)
        self.down = ShiftedMix(channels, shifts, kernels, axis=2)
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        self.widen = nn.Linear(channels, 4 * channels)
        self.narrow = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), gamma))

    def forward(self, X: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        Z = self.across(X) + self.down(X)  # (B, C, H, W)
        hidden = functional.gelu(self.widen(self.norm(Z.permute(0, 2, 3, 1))))  # (B, H, W, 4C)
        Y: Tensor = self.gamma * self.narrow(hidden)  # (B, H, W, C)
        return X + Y.permute(0, 3, 1, 2)  # (B, C, H, W)


class MSMLP(nn.Module):
    """Stem, stages of blocks, pooling over the pixels, layer norm, linear head."""

    def __init__(self, config: MSMLPConfig) -> None:
        super().__init__()
        self.pool, first = config.pool, config.widths[0]
        stem: list[nn.Module] = [nn.Conv2d(config.in_channels, first, config.patch, stride=config.patch)]
        self.stem = nn.Sequential(*stem, *([ChannelNorm(first)] if config.stem_norm else []))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width, config.shifts, kernels, config.gamma) for _ in range(depth)))
            for width, depth, kernels in zip(config.widths, config.depths, config.kernels, strict=True)
        )
        self.halvings = nn.ModuleList(
            nn.Sequential(nn.Conv2d(before, after, 2, stride=2), ChannelNorm(after))
            for before, after in pairwise(config.widths)
        )
        self.norm = nn.LayerNorm(config.widths[-1], eps=EPSILON)
        self.head = nn.Linear(config.widths[-1], config.n_classes)
        self.apply(_start_linear)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, C) of images (B, channels, height, width)."""
        X = self.stages[0](self.stem(images))  # (B, E, H, W)
        for halve, stage in zip(self.halvings, self.stages[1:], strict=True):
            X = stage(halve(X))  # (B, 2E, H/2, W/2) and so on
        pooled = X.amax(dim=(2, 3)) if self.pool == "max" else X.mean(dim=(2, 3))  # (B, width of the last stage)
        logits: Tensor = self.head(self.norm(pooled))  # (B, C)
        return logits


def _start_linear(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


def group_sizes(channels: int, groups: int) -> list[int]:
    """Channels of each group: as many as fit at the rounded-up size, the rest in the last.

    Raises
    ------
    ConfigError : the channels make fewer groups than that.
    """
    sizes = [len(part) for part in torch.arange(channels, device="cpu").chunk(groups)]
    if len(sizes) != groups:
        raise ConfigError(f"widths: {channels} channels make {len(sizes)} groups, not {groups}")
    return sizes


Offsets = frozenset[tuple[int, int]]


def reach(shifts: tuple[int, ...], kernels: Kernels, n_blocks: int = 1) -> Offsets:
    """Where a pixel's value comes from, as (rows, columns) from it, after some blocks and away from the border.

    Group i sees its kernel's square around the pixel that lies d_i back along the shifted axis; a block sees what
    all groups of both branches see, and the pixel itself; blocks add their offsets up.
    """
    once = {(0, 0)}
    for shift, kernel in zip(shifts, kernels, strict=True):
        near = range(-(kernel // 2), kernel // 2 + 1)
        square = [(row, column) for row in near for column in near]
        once |= {(row, column - shift) for row, column in square} | {
            (row - shift, column) for row, column in square
        }
    seen = {(0, 0)}
    for _ in range(n_blocks):
        seen = {(row + down, column + right) for row, column in seen for down, right in once}
    return frozenset(seen)


def counted_parameters(config: MSMLPConfig) -> int:
    """Trained numbers in closed form."""
    total = 0
    for width, depth, kernels in zip(config.widths, config.depths, config.kernels, strict=True):
        sizes = group_sizes(width, len(kernels))
        mixing = 2 * sum(size * (kernel**2 + 1) for size, kernel in zip(sizes, kernels, strict=True))
        total += depth * (mixing + 2 * width + (4 * width**2 + 4 * width) + (4 * width**2 + width) + width)
    halvings = sum(4 * before * after + 3 * after for before, after in pairwise(config.widths))
    first, last = config.widths[0], config.widths[-1]
    stem = config.patch**2 * config.in_channels * first + first + 2 * first * config.stem_norm
    return total + halvings + stem + 2 * last + last * config.n_classes + config.n_classes
