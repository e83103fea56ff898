"""Experiments on networks of coordinates: a sum of ten tones on a line, and an image of noise.

The same rectifier network gets its coordinates in 0 .. 1, in -1 .. 1, or encoded with L frequencies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from printedmlp.reference.outcome import Context
from printedmlp.reference.spectral_bias import (
    CoordinateConfig,
    CoordinateMLP,
    boundary_distance,
    confusion,
    dead_units,
    frequency_error,
    hamming,
    patterns,
    regions,
    spectral_norms,
    tones,
)
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

SAMPLES, SIDE = 1024, 32
TONES = torch.arange(5, 51, 5)
NEAR = 25
"""Samples within which two points of the signal count as neighbours."""
EVERY = 25
PAIRS = 400
UNIT, CENTRED = "[0, 1]", "[-1, 1]"
SIGNAL = {UNIT: 0, CENTRED: 0, "L = 3": 3, "L = 5": 5, "L = 7": 7}
IMAGE = {UNIT: 0, CENTRED: 0, "L = 2": 2, "L = 5": 5}
"""Inputs of the two experiments and their frequencies L."""


@dataclass(frozen=True)
class Result:
    """One trained network.

    Attributes
    ----------
    regions : different activation patterns among the training points.
    local, far : mean Hamming distance of neighbours and of points of opposite parts.
    confusions : cosines of neighbours' gradients, (PAIRS,).
    spectrum : relative error of every tone, (probes, tones), every EVERY steps; empty for the image.
    """

    mse: float
    regions: int
    local: float
    far: float
    dead: int
    boundary: float
    slope: float
    confusions: Tensor
    spectrum: Tensor
    parameters: int
    seconds: float

    @property
    def spread(self) -> float:
        """Standard deviation of the confusions."""
        return float(self.confusions.std())


Results = dict[str, list[Result]]


def signal() -> tuple[Tensor, Tensor]:
    """Points (N, 1) in 0 .. 1 and the tones' sum (N, 1)."""
    return tones(SAMPLES, TONES, torch.from_numpy(np.random.default_rng(0).uniform(size=len(TONES))))


def image() -> Tensor:
    """Noise of whole numbers 0 .. 254 over 255, (SIDE^2, 3)."""
    noise = np.random.default_rng(2).integers(0, 255, size=(SIDE * SIDE, 3)) / 255
    return torch.from_numpy(noise).float()


def pixel_grid(line: Tensor) -> Tensor:
    """All pairs of coordinates from line (SIDE,), row after row: (SIDE^2, 2)."""
    return torch.cartesian_prod(line, line)


def signal_pairs() -> tuple[Tensor, Tensor]:
    """Neighbours, and points of opposite ends of the signal: (PAIRS, 2) row numbers each."""
    generator = seeded(0)
    start = torch.randint(SAMPLES - NEAR, (PAIRS,), generator=generator)
    step = torch.randint(1, NEAR + 1, (PAIRS,), generator=generator)
    left, right = (torch.randint(400, (PAIRS,), generator=generator) + shift for shift in (0, SAMPLES - 400))
    return torch.stack([start, start + step], dim=1), torch.stack([left, right], dim=1)


def image_pairs() -> tuple[Tensor, Tensor]:
    """Two pixels of a 3 x 3 patch, and pixels of opposite quadrants: (PAIRS, 2) row numbers each."""
    generator, half = seeded(0), SIDE // 2
    corner = torch.randint(SIDE - 2, (PAIRS, 2), generator=generator)
    places = torch.rand(PAIRS, 9, generator=generator).argsort(1)[:, :2]  # (PAIRS, 2), different ones of nine
    near = torch.stack([(corner[:, 0] + p // 3) * SIDE + corner[:, 1] + p % 3 for p in places.T], dim=1)
    top, bottom = (torch.randint(half, (PAIRS, 2), generator=generator) + shift for shift in (0, half))
    return near, torch.stack([p[:, 0] * SIDE + p[:, 1] for p in (top, bottom)], dim=1)


def examined(
    config: CoordinateConfig,
    data: Tensors,
    pairs: tuple[Tensor, Tensor],
    recipe: Settings,
    seed: int,
    probe: Callable[[CoordinateMLP], Tensor] | None = None,
) -> Result:
    """Train one network and look at its regions."""
    model = built(lambda: CoordinateMLP(config), seed)
    assert isinstance(model, CoordinateMLP)
    spectrum: list[Tensor] = []

    def watch(step: int) -> None:
        if probe and step % EVERY == 0:
            spectrum.append(probe(model))

    history = fit(model, mean_squared_error, data, None, recipe, seed=seed, after_step=watch)
    model.to("cpu")
    bits = patterns(model, data.x)  # (n, K)
    return Result(
        float((outputs(model, data.x) - data.y).square().mean()),
        regions(bits),
        hamming(bits, pairs[0]),
        hamming(bits, pairs[1]),
        dead_units(bits),
        float(boundary_distance(model, data.x).mean()),
        float(np.prod(spectral_norms(model))),
        confusion(model, data.x, data.y, pairs[0]),
        torch.stack(spectrum) if spectrum else torch.empty(0, len(TONES)),
        parameter_count(model),
        history.seconds,
    )


def on_signal(steps: int, context: Context) -> Results:
    """The tones, full batch."""
    t, y = signal()
    recipe = Settings(steps, 0, 1e-3, device=context.device)
    results: Results = {}
    for name, frequencies in SIGNAL.items():
        x = 2 * t - 1 if name == CENTRED else t

        def probe(model: CoordinateMLP, x: Tensor = x) -> Tensor:
            return frequency_error(outputs(model, x).cpu().flatten(), y.flatten(), TONES)

        config = CoordinateConfig(1, (64,) * 4, 1, frequencies)
        results[name] = [
            examined(config, Tensors(x, y), signal_pairs(), recipe, seed, probe) for seed in context.seeds
        ]
    return results


def on_image(epochs: int, context: Context) -> Results:
    """The noise; an encoding sees the pixels on a line that ends at 1, coordinates are i / SIDE."""
    raw, whole = torch.arange(SIDE) / SIDE, torch.linspace(0, 1, SIDE)  # (SIDE,) each
    recipe = Settings(epochs, 256, 1e-3, device=context.device)
    results: Results = {}
    for name, frequencies in IMAGE.items():
        line = {UNIT: raw, CENTRED: 2 * raw - 1}.get(name, whole)
        data = Tensors(pixel_grid(line), image())
        config = CoordinateConfig(2, (128, 128), 3, frequencies)
        results[name] = [examined(config, data, image_pairs(), recipe, seed) for seed in context.seeds]
    return results
