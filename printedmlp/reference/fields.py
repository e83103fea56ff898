"""What networks of coordinates share: a picture to learn, its points, fidelity, a falling learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR

from printedmlp.errors import DataError
from printedmlp.reference.datasets import suite_image, suite_path
from printedmlp.reference.training import Settings

BEST_PSNR = 100.0
"""What `psnr` says at most, so that a perfect copy is a number too."""


class Picture(NamedTuple):
    """A picture by name; values (height, width, channels) in 0 .. 1."""

    name: str
    values: Tensor

    @property
    def rows(self) -> Tensor:
        """The pixels row after row: (height * width, channels)."""
        return self.values.flatten(0, 1)


def psnr(output: Tensor, target: Tensor) -> float:
    """Peak signal-to-noise ratio -10 log10 MSE in dB, of values of 0 .. 1; the output is clamped to them first."""
    error = float((output.clamp(0, 1).double() - target.double()).square().mean())
    return min(-10 * math.log10(max(error, 1e-300)), BEST_PSNR)


def pixel_centres(height: int, width: int, *, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Centres of the pixels row after row, x (column) before y: (height * width, 2) in low .. high."""
    y = (torch.arange(height) + 0.5) / height  # (height,)
    x = (torch.arange(width) + 0.5) / width  # (width,)
    rows, columns = torch.meshgrid(y, x, indexing="ij")  # (height, width) each
    return low + (high - low) * torch.stack([columns.flatten(), rows.flatten()], dim=1)  # (height * width, 2)


def photograph(
    file: str, height: int, width: int, *, part: tuple[slice, slice] = (slice(None), slice(None))
) -> Picture:
    """A photograph of the suite, averaged over areas; `drawn_picture` where the suite is not there.

    Parameters
    ----------
    part : rows and columns to take before it is made smaller.

    Raises
    ------
    DataError : the photograph is there and cannot be read.
    """
    try:
        suite_path(file)
    except DataError:
        return Picture("drawn picture", drawn_picture(height, width))
    whole = torch.from_numpy(np.atleast_3d(suite_image(file))[part].copy())[..., :3]  # (h, w, channels)
    small = functional.interpolate(whole.permute(2, 0, 1)[None], (height, width), mode="area")  # (1, c, H, W)
    return Picture(file.partition(".")[0], small[0].permute(1, 2, 0).contiguous())


def drawn_picture(height: int, width: int) -> Tensor:
    """A picture with slopes, edges and fine detail: (height, width, 3).

    With x, y in 0 .. 1 at pixel centres: red is sin^2(pi f x) of stripes whose frequency f = 2 + 4 x rises to the
    right, green rises with y and falls to 0.1 inside the disc of radius 0.3 around the middle, blue is a board of
    6 x 6 fields of 0.2 and 0.8.
    """
    x, y = pixel_centres(height, width).T  # (height * width,) each
    red = torch.sin(torch.pi * (2 + 4 * x) * x).square()
    green = torch.where((x - 0.5).square() + (y - 0.5).square() < 0.09, 0.1, y)
    blue = 0.2 + 0.6 * (((6 * x).floor() + (6 * y).floor()) % 2)
    return torch.stack([red, green, blue], dim=1).reshape(height, width, 3)  # (height, width, 3)


def grey(picture: Picture) -> Picture:
    """The mean of a picture's channels: values (height, width, 1)."""
    return Picture(picture.name, picture.values.mean(2, keepdim=True))


class Falling:
    """Adam without weight decay whose rate is `factor(step)` times its start; for `training.fit`.

    `make` takes the place of the optimiser and `step` is called after every step.

    Parameters
    ----------
    factor : from the number of steps done to what the rates are multiplied with.
    faster : prefixes of parameter names to how many times the rate they have.
    """

    def __init__(self, factor: Callable[[int], float], faster: Mapping[str, float] | None = None) -> None:
        self.factor, self.faster = factor, dict(faster or {})

    def make(self, model: nn.Module, settings: Settings) -> Adam:
        """The optimiser, as `fit` wants it."""
        groups: dict[float, list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            times = next((value for prefix, value in self.faster.items() if name.startswith(prefix)), 1.0)
            groups.setdefault(times, []).append(parameter)
        optimiser = Adam([{"params": group, "lr": settings.learning_rate * t} for t, group in groups.items()])
        self.schedule = LambdaLR(optimiser, self.factor)
        return optimiser

    def step(self, _: int) -> None:
        """Lower the rates."""
        self.schedule.step()

    @property
    def hooks(self) -> dict[str, Any]:
        """What `fit` is given."""
        return {"make_optimiser": self.make, "after_step": self.step}


def exponential(steps: int, last: float = 0.1) -> Falling:
    """A rate that falls by the same share every step, to `last` of its start after `steps`."""
    return Falling(lambda step: last ** (step / max(steps, 1)))


def milestones(steps: int, shares: Sequence[float] = (0.5, 0.75), **faster: float) -> Falling:
    """A rate that falls to a tenth after each of these shares of the steps."""
    return Falling(lambda step: 0.1 ** sum(step >= share * steps for share in shares), faster)
