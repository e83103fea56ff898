"""Massless particles in star clusters: the other "MLP" of the literature, an N-body method and no network.

F. Flammini Dotti, M. B. N. Kouwenhoven, P. Berczik, Q. Shu, R. Spurzem, Dynamical evolution of massless particles
in star clusters with NBODY6++GPU-MASSLESS: I. Free-floating MLPs, A&A 693 (2025) A166, arXiv:2412.08785: stars
attract stars and massless particles, massless particles attract nothing.

The motion is `printedmlp.stars`: leapfrog with a fixed step, gravity softened below 0.05. Here are what is read
from a cluster, and the fourth-order Hermite scheme of that family of codes (Makino, Aarseth, PASJ 44 (1992) 141)
with one step for all bodies, against which the leapfrog can be held. Left out: individual steps, neighbour schemes
and regularised pairs (softening stands for them), stellar evolution, and the paper's sizes of clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from printedmlp.stars.cluster import (
    Cluster,
    ClusterConfig,
    begin,
    density,
    density_centre,
    distances,
    escape_times,
    potential,
    snapshots,
)

Array = NDArray[np.float64]
GROUPS = ("heaviest 10 % of stars", "lightest half of stars", "massless particles")
FAR = 10.0
"""An unbound body this far from the density centre of an isolated cluster has escaped."""


@dataclass(frozen=True)
class RunConfig:
    """A cluster, how long it is followed and how often it is looked at, in Hénon's units of time."""

    cluster: ClusterConfig
    until: float
    every: float = 1.0


class Frame(NamedTuple):
    """What is read from a cluster at one time.

    `energy` is conserved, `virial` the ratio K / |W| of the bound stars, `core` the core radius, `half` the
    half-number radii of `GROUPS` among bound bodies, `escaped` the shares of stars and massless particles.
    """

    time: float
    energy: float
    virial: float
    core: float
    half: tuple[float, ...]
    escaped: tuple[float, float]


class Tidal(NamedTuple):
    """A run in a galaxy's tide: core radii by time, and when each star and massless particle escaped (or inf)."""

    times: Array
    core: Array
    stars: Array
    massless: Array


def isolated_run(config: RunConfig, seed: int) -> list[Frame]:
    """Follow an isolated cluster."""
    start = begin(config.cluster, seed)
    seen = snapshots(start, config.cluster, until=config.until, every=config.every)
    return [frame(time, cluster, config.cluster) for time, cluster in seen]


def tidal_run(config: RunConfig, seed: int) -> Tidal:
    """Follow a cluster in a tide; a body is out farther than two tidal radii from the density centre."""
    start = begin(config.cluster, seed)
    seen = snapshots(start, config.cluster, until=config.until, every=config.every)
    times, core = zip(*((time, core_radius(cluster)) for time, cluster in seen), strict=True)
    left = escape_times(start, config.cluster, until=config.until)
    return Tidal(np.array(times), np.array(core), left[: start.n_stars], left[start.n_stars :])


def frame(time: float, cluster: Cluster, config: ClusterConfig) -> Frame:
    """Read all figures from an isolated cluster."""
    inside = bound(cluster, config)  # (n,)
    away = distances(cluster, density_centre(cluster))  # (n,)
    out, n = ~inside & (away > FAR), cluster.n_stars
    return Frame(
        time,
        energy(cluster, config),
        virial_ratio(cluster, config, inside),
        core_radius(cluster),
        half_radii(cluster, away, inside),
        (float(out[:n].mean()), float(out[n:].mean())),
    )


def energy(cluster: Cluster, config: ClusterConfig) -> float:
    """Energy of the stars; in a tide Jacobi's integral, with -3/2 omega^2 x^2 + 1/2 omega^2 z^2 for each mass."""
    n = cluster.n_stars
    (x, _, z), v2 = cluster.position[:, :n], (cluster.velocity[:, :n] ** 2).sum(0)
    tide = config.omega**2 * (0.5 * z**2 - 1.5 * x**2)
    return float(cluster.masses @ (0.5 * v2 + tide + 0.5 * potential(cluster, config.softening)[:n]))


def bound(cluster: Cluster, config: ClusterConfig) -> NDArray[np.bool_]:
    """Which bodies have v^2 / 2 + phi < 0, phi that of the stars for which this holds with all stars, (n,)."""
    kinetic = 0.5 * (cluster.velocity**2).sum(0)
    first = kinetic + potential(cluster, config.softening) < 0
    kept = cluster._replace(masses=cluster.masses * first[: cluster.n_stars])
    second: NDArray[np.bool_] = kinetic + potential(kept, config.softening) < 0
    return second


def virial_ratio(cluster: Cluster, config: ClusterConfig, inside: NDArray[np.bool_]) -> float:
    """K / |W| of the stars in `inside` (n,), velocities from their mean."""
    n = cluster.n_stars
    mass = cluster.masses * inside[:n]
    v = cluster.velocity[:, :n]
    v = v - (v @ mass / mass.sum())[:, None]
    w = 0.5 * mass @ potential(cluster._replace(masses=mass), config.softening)[:n]
    return float(0.5 * mass @ (v**2).sum(0) / -w)


def core_radius(cluster: Cluster) -> float:
    """Distance of the stars from the density centre, the root of its mean square by squared density."""
    weight = density(cluster) ** 2
    away = distances(cluster, density_centre(cluster))[: cluster.n_stars]
    return float(np.sqrt(weight @ away**2 / weight.sum()))


def half_radii(cluster: Cluster, away: Array, inside: NDArray[np.bool_]) -> tuple[float, ...]:
    """Median of the distances `away` (n,) of each of `GROUPS`, bodies in `inside` (n,) only."""
    n, order = cluster.n_stars, np.argsort(-cluster.masses, kind="stable")
    members = (order[: n // 10], order[n - n // 2 :], np.arange(n, len(away)))
    return tuple(float(np.median(away[m][inside[m]])) for m in members)


def lagrangian_radius(cluster: Cluster, share: float) -> float:
    """Distance from the density centre within which this share of the stars' mass is."""
    away = distances(cluster, density_centre(cluster))[: cluster.n_stars]
    order = np.argsort(away, kind="stable")
    return float(away[order][np.searchsorted(np.cumsum(cluster.masses[order]), share)])


def hermite(cluster: Cluster, softening: float, dt: float, steps: int) -> Cluster:
    """Move an isolated cluster by fourth-order Hermite steps: predict, force and jerk again, correct."""
    x, v, masses = cluster.position, cluster.velocity, cluster.masses
    a, j = _field(x, v, masses, softening)
    for _ in range(steps):
        ahead = x + v * dt + a * dt**2 / 2 + j * dt**3 / 6
        faster = v + a * dt + j * dt**2 / 2
        a_next, j_next = _field(ahead, faster, masses, softening)
        v_next = v + (a + a_next) * dt / 2 + (j - j_next) * dt**2 / 12
        x = x + (v + v_next) * dt / 2 + (a - a_next) * dt**2 / 12
        v, a, j = v_next, a_next, j_next
    return Cluster(x, v, masses)


def _field(x: Array, v: Array, masses: Array, softening: float) -> tuple[Array, Array]:
    """Acceleration and its rate of change at each body, (3, n) each."""
    n = len(masses)
    r, u = x[:, None, :n] - x[:, :, None], v[:, None, :n] - v[:, :, None]  # (3, n, n_stars)
    d2 = (r**2).sum(0) + softening**2
    weight = masses * d2**-1.5  # (n, n_stars)
    jerk = weight * (u - 3 * (r * u).sum(0) / d2 * r)
    return (weight * r).sum(2), jerk.sum(2)
