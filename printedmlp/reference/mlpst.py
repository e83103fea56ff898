"""MLPST: traffic forecast by mixers alone, over the patches of a map and over the steps of several intervals.

Z. Zhang, Z. Huang, Z. Hu, X. Zhao, W. Wang, Z. Liu, J. Zhang, S. J. Qin and H. Zhao, "MLPST: MLP is All You Need
for Spatio-Temporal Prediction", CIKM 2023, arXiv:2309.13363: a SpatialMixer over patches (local relations inside of
a patch, global ones between patches) and a TemporalMixer over closeness, period and trend. Its sizes and its fusion
are a reconstruction here. A mixer layer on n tokens of d channels, Z (n, d), with the two maps of an MLP-Mixer:

    Z <- Z + (W2 gelu(W1 norm(Z)^T))^T        tokens: n -> h -> n, the same for all channels
    Z <- Z + V2 gelu(V1 norm(Z))              channels: d -> 2d -> d, the same for all tokens

1. Space: each patch of each step becomes a token by one linear map, then layers over the patches of a step, the
   same for all steps.
2. Time: for each interval one layer over its steps, the same for all patches, and a weighted sum of the steps.
3. Fusion: the intervals' d channels of a patch, side by side, and one linear map to the values of the patch.

With h fixed the cost grows in proportion to the number of patches, with h = 2n faster (`multiply_adds`).
Left out: weather and holidays as inputs; the authors' sizes and loss, which their abstract does not tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from printedmlp.errors import ConfigError

WIDEN = 2
"""Hidden channels a channel, and hidden units a token where their number is not given."""


@dataclass(frozen=True)
class MLPSTConfig:
    """Sizes of a network.

    Attributes
    ----------
    patches, patch_size : n patches of `patch_size` values make a step.
    lengths : steps of each interval.
    width, depth : d channels of a token, mixer layers over the patches.
    space_hidden : h of those layers; 0 for 2n.
    """

    patches: int
    patch_size: int
    lengths: tuple[int, ...]
    width: int = 16
    depth: int = 2
    space_hidden: int = 0

    def __post_init__(self) -> None:
        """Refuse a network without steps."""
        if not self.lengths or min(self.lengths) < 1:
            raise ConfigError(f"lengths: {self.lengths} are not one or more numbers of steps")

    @property
    def steps(self) -> int:
        """Steps of all intervals."""
        return sum(self.lengths)

    @property
    def hidden(self) -> int:
        """Units between the patches' two token maps."""
        return self.space_hidden or WIDEN * self.patches


class MixerLayer(nn.Module):
    """The two maps of the top of the file."""

    def __init__(self, n_tokens: int, width: int, hidden: int) -> None:
        super().__init__()
        self.token_norm, self.channel_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.tokens = _two_maps(n_tokens, hidden)
        self.channels = _two_maps(width, WIDEN * width)

    def forward(self, Z: Tensor) -> Tensor:
        """(..., n, d) to the same."""
        by_channel = self.token_norm(Z).transpose(-1, -2)  # (..., d, n)
        Z = Z + self.tokens(by_channel).transpose(-1, -2)  # (..., n, d)
        added: Tensor = self.channels(self.channel_norm(Z))  # (..., n, d)
        return Z + added  # (..., n, d)


class TimeMixer(nn.Module):
    """One interval: a layer over its steps, then their sum with weights that start alike."""

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.layer = MixerLayer(length, width, WIDEN * length)
        self.sum = nn.Linear(length, 1, bias=False)
        nn.init.constant_(self.sum.weight, 1 / length)

    def forward(self, Z: Tensor) -> Tensor:
        """(B, l, n, d) to (B, n, d)."""
        mixed = self.layer(Z.transpose(1, 2))  # (B, n, l, d)
        summed: Tensor = self.sum(mixed.transpose(-1, -2)).squeeze(-1)  # (B, n, d)
        return summed


class MLPST(nn.Module):
    """Earlier steps of a map to one later step.

    Parameters
    ----------
    places : (n, patch_size) int64, the values of each patch by their place in a step; each place once.
    """

    places: Tensor
    inverse: Tensor

    def __init__(self, config: MLPSTConfig, places: Tensor) -> None:
        super().__init__()
        self.config = config
        if sorted(places.flatten().tolist()) != list(range(config.patches * config.patch_size)):
            raise ConfigError(f"places: not {config.patches} patches of {config.patch_size}, each place once")
        self.register_buffer("places", places)
        self.register_buffer("inverse", places.flatten().argsort())
        width = config.width
        self.embed = nn.Linear(config.patch_size, width)
        self.space = nn.Sequential(*(MixerLayer(config.patches, width, config.hidden) for _ in range(config.depth)))
        self.time = nn.ModuleList(TimeMixer(length, width) for length in config.lengths)
        self.fuse = nn.Linear(width * len(config.lengths), config.patch_size)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, V), the intervals' steps after each other, to (B, V)."""
        Z = self.space(self.embed(patched(x, self.places)))  # (B, T, n, d)
        parts = Z.split(self.config.lengths, dim=1)  # one (B, l, n, d) an interval
        mixed = [mix(part) for mix, part in zip(self.time, parts, strict=True)]  # (B, n, d) each
        return unpatched(self.fuse(torch.cat(mixed, dim=-1)), self.inverse)  # (B, V)


def patched(x: Tensor, places: Tensor) -> Tensor:
    """Values by patch: (..., V) and (n, v) places to (..., n, v)."""
    return x[..., places]


def unpatched(patches: Tensor, inverse: Tensor) -> Tensor:
    """Values in their places: (..., n, v) and (V,), where in the patches each place is, to (..., V)."""
    return patches.flatten(-2)[..., inverse]


def grid_places(channels: int, height: int, width: int, side: int) -> Tensor:
    """Square patches of all channels, row by row: (n, channels side^2) places in a flattened (C, H, W) map.

    Raises
    ------
    ConfigError : a patch of this side does not tile the map.
    """
    if height % side or width % side:
        raise ConfigError(f"patches of {side} x {side} do not tile {height} x {width} cells")
    grid = torch.arange(channels * height * width)
    grid = grid.reshape(channels, height // side, side, width // side, side)  # (C, H/s, s, W/s, s)
    return grid.permute(1, 3, 0, 2, 4).reshape(-1, channels * side * side)  # (n, C s^2)


def counted_parameters(config: MLPSTConfig) -> int:
    """Trained numbers in closed form."""
    n, v, d = config.patches, config.patch_size, config.width

    def layer(tokens: int, hidden: int) -> int:
        token_maps, channel_maps = (2 * m * h + m + h for m, h in ((tokens, hidden), (d, WIDEN * d)))
        return 4 * d + token_maps + channel_maps

    space = config.depth * layer(n, config.hidden)
    time = sum(layer(length, WIDEN * length) + length for length in config.lengths)
    return (v * d + d) + space + time + (len(config.lengths) * d * v + v)


def multiply_adds(config: MLPSTConfig) -> int:
    """Multiplications by trained weights for one forecast in closed form; norms and activations not counted."""
    n, v, d = config.patches, config.patch_size, config.width

    def layer(tokens: int, hidden: int) -> int:
        return 2 * tokens * hidden * d + 2 * tokens * d * WIDEN * d

    space = config.steps * (n * v * d + config.depth * layer(n, config.hidden))
    time = n * sum(layer(length, WIDEN * length) + length * d for length in config.lengths)
    return space + time + n * len(config.lengths) * d * v


def counted_multiply_adds(model: nn.Module, x: Tensor) -> int:
    """The same for any network of linear maps and convolutions, counted while it answers one row x (1, ...)."""
    counts: list[int] = []

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(module, nn.Linear | nn.Conv2d)
        counts.append(output.numel() * module.weight[0].numel())

    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return sum(counts)


def _two_maps(size: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))
