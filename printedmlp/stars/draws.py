"""Random stars: places and velocities of Plummer's sphere, masses of Kroupa's law.

The bit stream is that of PCG64, which NumPy promises not to change. From it on only + - * / and square roots, and
for the masses powers, whose last bit depends on the C library: those are rounded to a binary grid 10^12 times
coarser than that bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from numpy.random import PCG64

SCALE = 3.0 * math.pi / 16.0
"""Plummer's scale length for a virial radius of 1."""
LIGHTEST, BREAK = 0.08, 0.5
"""Solar masses where Kroupa's law begins and where it bends."""
MASS_GRID = 2.0**12
"""Steps of a solar mass that masses are rounded to."""

Vector = tuple[float, float, float]
Uniforms = Iterator[float]


def uniforms(seed: int) -> Uniforms:
    """Endless draws from [0, 1), multiples of 2^-53."""
    bits = PCG64(seed)
    while True:
        for word in bits.random_raw(1024).tolist():
            yield (word >> 11) * 2.0**-53


def direction(draw: Uniforms) -> Vector:
    """A unit vector: a point of the cube, drawn until it is in the ball, over its length."""
    while True:
        x, y, z = 2.0 * next(draw) - 1.0, 2.0 * next(draw) - 1.0, 2.0 * next(draw) - 1.0
        square = x * x + y * y + z * z
        if 0.01 < square <= 1.0:
            length = math.sqrt(square)
            return x / length, y / length, z / length


def radius(draw: Uniforms, most: float) -> float:
    """Distance from the centre, at most `most`.

    s = r / sqrt(r^2 + a^2) has the mass s^3 within it, which is how the largest of three uniform draws is
    distributed: no cube root is needed.
    """
    while True:
        s = max(next(draw), next(draw), next(draw))
        r = SCALE * s / math.sqrt(1.0 - s * s)
        if r <= most:
            return r


def speed(draw: Uniforms, r: float) -> float:
    """Speed at distance r by rejection: q of the escape speed has density q^2 (1 - q^2)^(7/2), at most 0.0922.

    Aarseth, Henon, Wielen, Astron. Astrophys. 37 (1974) 183, appendix.
    """
    while True:
        q, height = next(draw), 0.1 * next(draw)
        rest = 1.0 - q * q
        if height <= q * q * rest * rest * rest * math.sqrt(rest):
            return q * math.sqrt(2.0 / math.sqrt(r * r + SCALE * SCALE))


def plummer(draw: Uniforms, most: float) -> tuple[Vector, Vector]:
    """Place and velocity of one body of Plummer's sphere with mass 1, isotropic, within `most` of the centre."""
    r = radius(draw, most)
    x, y, z = direction(draw)
    v = speed(draw, r)
    vx, vy, vz = direction(draw)
    return (r * x, r * y, r * z), (v * vx, v * vy, v * vz)


def kroupa(u: float, heaviest: float) -> float:
    """The mass below which the share u of stars is, in solar masses, before rounding.

    dN/dm ~ m^-1.3 from 0.08 to 0.5 and 0.5 m^-2.3 from there to `heaviest` (Kroupa, MNRAS 322 (2001) 231, eq. 2).
    """
    below = (LIGHTEST**-0.3 - BREAK**-0.3) / 0.3
    above = BREAK * (BREAK**-1.3 - heaviest**-1.3) / 1.3
    share = u * (below + above)
    if share < below:
        return float((LIGHTEST**-0.3 - 0.3 * share) ** (-1.0 / 0.3))
    return float((BREAK**-1.3 - 1.3 * (share - below) / BREAK) ** (-1.0 / 1.3))


def masses(draw: Uniforms, count: int, heaviest: float) -> list[float]:
    """Masses of a cluster's stars, their sum 1 to rounding."""
    solar = [math.floor(kroupa(next(draw), heaviest) * MASS_GRID + 0.5) / MASS_GRID for _ in range(count)]
    total = math.fsum(solar)
    return [mass / total for mass in solar]
