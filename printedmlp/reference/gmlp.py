"""gMLP: token-wise channel maps around a spatial gating unit that stands where attention would be.

H. Liu, Z. Dai, D. R. So and Q. V. Le, "Pay Attention to MLPs", NeurIPS 2021, arXiv:2105.08050, section 2. For the
tokens X (n, d) of one sample, a block adds Y to X:

    Z = gelu(norm(X) U),   Y = s(Z) V                   (1)
    f(Z) = W norm(Z) + b,  W (n, n), b (n, 1)           (2)   one map of the tokens for all channels
    s(Z) = Z * f(Z)                                     (3)   "multiplicative"
    s(Z) = Z1 * f(Z2),     Z = [Z1, Z2] by channels     (4)   "split": the spatial gating unit

The paper's ablation s(Z) = f(Z) is "linear", and s(Z) = Z, a block that never looks at another token, is "none".
W starts near 0 and b at 1, so that every block starts as a token-wise network.

Left out: language models with their Toeplitz W, the tiny attention of aMLP, stochastic depth and the augmentation
of the ImageNet recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from printedmlp.errors import ConfigError

UNITS = ("split", "multiplicative", "linear", "none")


@dataclass(frozen=True)
class GMLPConfig:
    """Sizes of a gMLP.

    Attributes
    ----------
    n_tokens, token_size : n tokens of `token_size` values make a sample.
    n_classes : logits.
    width, ffn, depth : d channels a token, e channels inside a block, L blocks.
    unit : one of `UNITS`, see the top of the file.
    weight_std : of the normal start of W.
    """

    n_tokens: int
    token_size: int
    n_classes: int
    width: int = 32
    ffn: int = 128
    depth: int = 4
    unit: str = "split"
    weight_std: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse an unknown unit and an odd number of channels to split."""
        if self.unit not in UNITS:
            raise ConfigError(f"unit: {self.unit!r} is not one of {', '.join(UNITS)}")
        if self.unit == "split" and self.ffn % 2:
            raise ConfigError(f"ffn: {self.ffn} channels cannot be split in two")


PUBLISHED = {
    name: GMLPConfig(n_tokens=14 * 14, token_size=3 * 16 * 16, n_classes=1000, width=width, ffn=6 * width, depth=30)
    for name, width in (("gMLP-Ti/16", 128), ("gMLP-S/16", 256), ("gMLP-B/16", 512))
}
"""The paper's image models, for 224 x 224 pixels."""


class SpatialMap(nn.Module):
    """f of eq. (2): the same linear map along the tokens for every normalised channel."""

    def __init__(self, n_tokens: int, channels: int, weight_std: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.tokens = nn.Linear(n_tokens, n_tokens)
        nn.init.normal_(self.tokens.weight, std=weight_std)
        nn.init.ones_(self.tokens.bias)

    def forward(self, Z: Tensor) -> Tensor:
        """(B, n, c) to (B, n, c)."""
        by_channel = self.norm(Z).transpose(1, 2)  # (B, c, n)
        mixed: Tensor = self.tokens(by_channel).transpose(1, 2)  # (B, n, c)
        return mixed


class SpatialUnit(nn.Module):
    """s of eqs. (3) and (4) and of the ablations; `out_channels` is how many of the e channels it returns."""

    def __init__(self, config: GMLPConfig) -> None:
        super().__init__()
        self.kind = config.unit
        self.out_channels = config.ffn // 2 if self.kind == "split" else config.ffn
        if self.kind != "none":
            self.map = SpatialMap(config.n_tokens, self.out_channels, config.weight_std)

    def forward(self, Z: Tensor) -> Tensor:
        """(B, n, e) to (B, n, out_channels)."""
        if self.kind == "none":
            return Z
        kept, gate = Z.chunk(2, dim=-1) if self.kind == "split" else (Z, Z)  # (B, n, out_channels) each
        mixed: Tensor = self.map(gate)  # (B, n, out_channels)
        return mixed if self.kind == "linear" else kept * mixed  # (B, n, out_channels)


class Block(nn.Module):
    """Eq. (1) with its residual connection."""

    def __init__(self, config: GMLPConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.ffn)
        self.spatial = SpatialUnit(config)
        self.narrow = nn.Linear(self.spatial.out_channels, config.width)

    def forward(self, X: Tensor) -> Tensor:
        """(B, n, d) to (B, n, d)."""
        Z = functional.gelu(self.widen(self.norm(X)))  # (B, n, e)
        Y: Tensor = self.narrow(self.spatial(Z))  # (B, n, d)
        return X + Y  # (B, n, d)


class GMLP(nn.Module):
    """Tokens to logits: stem, blocks, norm, mean over the tokens, linear head.

    Parameters
    ----------
    stem : from a batch to (B, n, d); by default one linear map for all tokens (B, n, token_size).
    """

    def __init__(self, config: GMLPConfig, stem: nn.Module | None = None) -> None:
        super().__init__()
        self.stem = stem or nn.Linear(config.token_size, config.width)
        self.blocks = nn.Sequential(*(Block(config) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of a batch of tokens (B, n, token_size), or of what the stem takes."""
        X = self.blocks(self.stem(x))  # (B, n, d)
        logits: Tensor = self.head(self.norm(X).mean(dim=1))  # (B, C)
        return logits


class FeatureTokens(nn.Module):
    """One token a feature: its value times a direction of its own, plus an offset of its own."""

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.direction = nn.Parameter(torch.randn(n_features, width) * width**-0.5)
        self.offset = nn.Parameter(torch.randn(n_features, width) * width**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F) to (B, F, d)."""
        return x[:, :, None] * self.direction + self.offset  # (B, F, d)


def patches(images: Tensor, side: int) -> Tensor:
    """Cut (B, h, w) images into square patches, row by row: (B, h w / side^2, side^2).

    Raises
    ------
    ConfigError : a patch of this side does not tile the image.
    """
    rows, columns = images.shape[1:]
    if rows % side or columns % side:
        raise ConfigError(f"patches of {side} x {side} do not tile {rows} x {columns} pixels")
    grid = images.reshape(-1, rows // side, side, columns // side, side)  # (B, h/s, s, w/s, s)
    return grid.transpose(2, 3).reshape(len(images), -1, side * side)  # (B, n, s^2)


def counted_parameters(config: GMLPConfig) -> int:
    """Trained numbers of the "split" model in closed form."""
    n, d, e = config.n_tokens, config.width, config.ffn
    block = 2 * d + (d * e + e) + e + (n * n + n) + (e // 2 * d + d)
    stem, head = config.token_size * d + d, d * config.n_classes + config.n_classes
    return config.depth * block + stem + 2 * d + head


def tabular_model(n_features: int, n_classes: int) -> nn.Module:
    """A gMLP over feature tokens: (B, F) float32 of about unit range to (B, C) logits."""
    config = GMLPConfig(n_tokens=n_features, token_size=1, n_classes=n_classes, width=32, ffn=64, depth=2)
    return GMLP(config, FeatureTokens(n_features, config.width))
