"""A star cluster with massless particles, isolated or in a galaxy's tide, and its motion."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError
from printedmlp.kernels.gravity import NEIGHBOURS, advance, densities, potentials
from printedmlp.stars.draws import SCALE, Vector, masses, plummer, uniforms

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterConfig:
    """What a run of a cluster consists of.

    Attributes
    ----------
    n_stars, n_massless : bodies with mass and without.
    heaviest : upper end of Kroupa's law in solar masses.
    jacobi_radius : tidal radius of the cluster on a circular orbit about a point mass; 0 for an isolated cluster.
    softening : length below which gravity is weakened, so that a fixed step can follow close pairs.
    steps : leapfrog steps in a unit of time, a power of two.
    """

    n_stars: int = 128
    n_massless: int = 400
    heaviest: float = 10.0
    jacobi_radius: float = 2.5
    softening: float = 0.05
    steps: int = 256

    def __post_init__(self) -> None:
        """Refuse what the equations cannot take."""
        if self.n_stars <= NEIGHBOURS or self.n_massless < 0:
            raise ConfigError(f"cluster: {self.n_stars} stars, {self.n_massless} massless; more than 6 and 0 up")
        if not self.heaviest > 0.5 or not self.softening > 0 or not self.jacobi_radius >= 0:
            raise ConfigError(
                f"cluster: heaviest {self.heaviest}, softening {self.softening} or radius is too small"
            )
        if self.steps < 1 or self.steps & (self.steps - 1):
            raise ConfigError(f"cluster: {self.steps} steps a unit of time is no power of two")

    @property
    def omega(self) -> float:
        """Angular velocity of the orbit about the galaxy, and of the frame: r_J^3 = M / (3 omega^2)."""
        r = self.jacobi_radius
        return math.sqrt(1.0 / (3.0 * (r * r * r))) if r else 0.0

    @property
    def outermost(self) -> float:
        """Farthest start of a body: ten scale lengths or two tidal radii.

        Escape is judged from the density centre, so a few of the farthest may count as escaped from the start.
        """
        return min(2.0 * self.jacobi_radius or math.inf, 10.0 * SCALE)


class Cluster(NamedTuple):
    """All bodies at one time, stars first; in a tide in the frame that turns with the orbit, x outwards.

    `position` and `velocity` (3, n), `masses` (n_stars,) with sum 1.
    """

    position: Array
    velocity: Array
    masses: Array

    @property
    def n_stars(self) -> int:
        """Bodies with mass."""
        return len(self.masses)


def begin(config: ClusterConfig, seed: int) -> Cluster:
    """Draw a cluster: stars in Hénon units about their centre of mass, massless particles of the same sphere.

    Stars are scaled to W = -1/2 (without softening) and K = 1/4; massless particles are as drawn. In a tide all
    velocities are then seen from the turning frame.
    """
    draw = uniforms(seed)
    mass = masses(draw, config.n_stars, config.heaviest)
    stars = [plummer(draw, config.outermost) for _ in mass]
    places, speeds = _henon(_centred([x for x, _ in stars], mass), _centred([v for _, v in stars], mass), mass)
    others = [plummer(draw, config.outermost) for _ in range(config.n_massless)]
    position = np.array(places + [x for x, _ in others]).T.copy()  # (3, n)
    velocity = np.array(speeds + [v for _, v in others]).T.copy()  # (3, n)
    velocity[0] += config.omega * position[1]
    velocity[1] -= config.omega * position[0]
    return Cluster(position, velocity, np.array(mass))


def moved(cluster: Cluster, config: ClusterConfig, steps: int) -> Cluster:
    """The cluster that many steps later."""
    position, velocity = cluster.position.copy(), cluster.velocity.copy()
    softening2 = config.softening * config.softening
    advance(position, velocity, cluster.masses, softening2, config.omega, 1.0 / config.steps, steps)
    return Cluster(position, velocity, cluster.masses)


def snapshots(
    cluster: Cluster, config: ClusterConfig, *, until: float, every: float
) -> Iterator[tuple[float, Cluster]]:
    """The cluster at time 0 and each multiple of `every` (in units of 1/steps, at least one) to `until`."""
    stride = max(1, round(every * config.steps))
    yield 0.0, cluster
    for number in range(1, round(until * config.steps) // stride + 1):
        cluster = moved(cluster, config, stride)
        yield number * stride / config.steps, cluster


def potential(cluster: Cluster, softening: float) -> Array:
    """Potential of the stars at each body, (n,), its own left out."""
    out = np.empty(cluster.position.shape[1])
    potentials(cluster.position, cluster.masses, softening * softening, out)
    return out


def density(cluster: Cluster) -> Array:
    """Mass density at each star from its six nearest neighbours, (n_stars,), but for a constant factor."""
    out = np.empty(cluster.n_stars)
    densities(cluster.position, cluster.masses, out)
    return out


def density_centre(cluster: Cluster) -> Vector:
    """Where stars are densest: the mean of their places weighted by density (Casertano, Hut, ApJ 298 (1985) 80)."""
    weights = density(cluster).tolist()
    total = math.fsum(weights)
    x, y, z = (
        math.fsum(w * p for w, p in zip(weights, axis, strict=False)) / total for axis in cluster.position.tolist()
    )
    return x, y, z


def distances(cluster: Cluster, centre: Vector) -> Array:
    """Distance of each body from a point, (n,)."""
    dx, dy, dz = (axis - place for axis, place in zip(cluster.position, centre, strict=True))
    found: Array = np.sqrt(dx * dx + dy * dy + dz * dz)
    return found


def escape_times(cluster: Cluster, config: ClusterConfig, *, until: float, every: float = 0.25) -> Array:
    """When each body is first seen farther than two tidal radii from the density centre, (n,); inf for never."""
    assert config.jacobi_radius, "a cluster without a tide has no tidal radius"
    first = np.full(cluster.position.shape[1], np.inf)
    for time, now in snapshots(cluster, config, until=until, every=every):
        out = distances(now, density_centre(now)) > 2.0 * config.jacobi_radius
        first[out & np.isinf(first)] = time
    return first


def _centred(vectors: list[Vector], mass: list[float]) -> list[Vector]:
    """Vectors less their mean by mass."""
    total = math.fsum(mass)
    mean = [math.fsum(m * v[axis] for m, v in zip(mass, vectors, strict=True)) / total for axis in range(3)]
    return [(v[0] - mean[0], v[1] - mean[1], v[2] - mean[2]) for v in vectors]


def _henon(places: list[Vector], speeds: list[Vector], mass: list[float]) -> tuple[list[Vector], list[Vector]]:
    """Scale to W = -1/2 and K = 1/4."""
    bodies = np.array(places).T.copy()
    phi = np.empty(len(mass))
    potentials(bodies, np.array(mass), 0.0, phi)
    w = 0.5 * math.fsum(m * p for m, p in zip(mass, phi.tolist(), strict=True))
    k = 0.5 * math.fsum(m * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) for m, v in zip(mass, speeds, strict=True))
    return _times(places, -2.0 * w), _times(speeds, math.sqrt(0.25 / k))


def _times(vectors: list[Vector], factor: float) -> list[Vector]:
    return [(v[0] * factor, v[1] * factor, v[2] * factor) for v in vectors]
