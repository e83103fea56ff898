"""Gravity of a star cluster as loops for numba that give the same bits on every x86-64 processor.

Only + - * / and square roots, which IEEE 754 defines to the last bit, each sum in one fixed order, and no fast
arithmetic: the compiler may work on several particles at once but may not reorder a particle's own sum. So an
N-body run, which doubles any difference every fraction of a crossing time, can be repeated anywhere.

Positions and velocities are (3, n) float64, the massive bodies first; G = 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.kernels.jit import compiled, inlined

Array = NDArray[np.float64]

NEIGHBOURS = 6
"""Of a star, for the density at its place."""


@inlined
def _pull(position: Array, masses: Array, softening2: float, out: Array) -> None:
    """Accelerations by the massive bodies; `np.divide` because Python's own division tests for zero each time."""
    out[:] = 0.0
    for j in range(masses.shape[0]):
        x, y, z, mass = position[0, j], position[1, j], position[2, j], masses[j]
        for i in range(position.shape[1]):
            dx = x - position[0, i]
            dy = y - position[1, i]
            dz = z - position[2, i]
            d2 = dx * dx + dy * dy + dz * dz + softening2
            weight = np.divide(mass, d2 * math.sqrt(d2))
            out[0, i] += weight * dx
            out[1, i] += weight * dy
            out[2, i] += weight * dz


@inlined
def _drift(position: Array, velocity: Array, time: float) -> None:
    for axis in range(3):
        for i in range(position.shape[1]):
            position[axis, i] += time * velocity[axis, i]


@inlined
def _tide(position: Array, omega: float, out: Array) -> None:
    """Add 3 omega^2 x - omega^2 z: the galaxy's tide and the centrifugal force."""
    square = omega * omega
    for i in range(position.shape[1]):
        out[0, i] += 3.0 * square * position[0, i]
        out[2, i] -= square * position[2, i]


@inlined
def _kick(velocity: Array, acceleration: Array, time: float) -> None:
    for axis in range(3):
        for i in range(velocity.shape[1]):
            velocity[axis, i] += time * acceleration[axis, i]


@inlined
def _turn(velocity: Array, tangent: float) -> None:
    """Turn velocities clockwise about z by twice the angle of this tangent."""
    norm = 1.0 + tangent * tangent
    cosine, sine = (1.0 - tangent * tangent) / norm, 2.0 * tangent / norm
    for i in range(velocity.shape[1]):
        vx, vy = velocity[0, i], velocity[1, i]
        velocity[0, i] = cosine * vx + sine * vy
        velocity[1, i] = cosine * vy - sine * vx


@compiled
def advance(
    position: Array, velocity: Array, masses: Array, softening2: float, omega: float, dt: float, steps: int
) -> None:
    """Move all bodies in place by leapfrog steps: drift, kick, drift.

    In a frame that turns at `omega` the velocity is turned in the middle of the kick (Boris, Proc. 4th Conf. Num.
    Sim. Plasmas, 1970, 3), by 2 arctan(omega dt): exact to second order, keeps |v|, and reversible.

    Parameters
    ----------
    position, velocity : (3, n).
    masses : (n_stars,) of the first bodies; the others feel gravity and exert none.
    softening2 : square of the softening length, > 0.
    """
    pull = np.empty_like(position)
    half = 0.5 * dt
    for _ in range(steps):
        _drift(position, velocity, half)
        _pull(position, masses, softening2, pull)
        if omega == 0.0:
            _kick(velocity, pull, dt)
        else:
            _tide(position, omega, pull)
            _kick(velocity, pull, half)
            _turn(velocity, omega * dt)
            _kick(velocity, pull, half)
        _drift(position, velocity, half)


@compiled
def potentials(position: Array, masses: Array, softening2: float, out: Array) -> None:
    """Potential of the massive bodies at each body, (n,), that of the body itself left out."""
    out[:] = 0.0
    for j in range(masses.shape[0]):
        for i in range(position.shape[1]):
            if i != j:
                dx = position[0, j] - position[0, i]
                dy = position[1, j] - position[1, i]
                dz = position[2, j] - position[2, i]
                out[i] -= np.divide(masses[j], math.sqrt(dx * dx + dy * dy + dz * dz + softening2))


@compiled
def densities(position: Array, masses: Array, out: Array) -> None:
    """Density at each star, (n_stars,): the mass of its nearest six over the cube of the sixth's distance."""
    stars = masses.shape[0]
    near = np.empty(NEIGHBOURS)
    mass = np.empty(NEIGHBOURS)
    for i in range(stars):
        near[:] = np.inf
        for j in range(stars):
            if j != i:
                dx = position[0, j] - position[0, i]
                dy = position[1, j] - position[1, i]
                dz = position[2, j] - position[2, i]
                _insert(near, mass, dx * dx + dy * dy + dz * dz, masses[j])
        total = 0.0
        for k in range(NEIGHBOURS):
            total += mass[k]
        out[i] = np.divide(total, near[NEIGHBOURS - 1] * math.sqrt(near[NEIGHBOURS - 1]))


@inlined
def _insert(near: Array, mass: Array, distance: float, value: float) -> None:
    """Keep the nearest, ascending; of equals the one met first."""
    if distance < near[NEIGHBOURS - 1]:
        place: Any = NEIGHBOURS - 1
        while place > 0 and near[place - 1] > distance:
            near[place] = near[place - 1]
            mass[place] = mass[place - 1]
            place -= 1
        near[place] = distance
        mass[place] = value
