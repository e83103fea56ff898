"""The table `cluster_escapers`: where a massless particle is and how it moves; has it left the cluster by then?

Ten clusters of 128 stars in a galaxy's tide, 400 massless particles each, one row a particle, the rows of a
cluster together and in the order drawn. Inputs are known at time 0, rounded to three decimals; the class is whether
the particle was farther than two tidal radii from the density centre at any quarter of a unit up to the horizon.
Rows of one cluster share its stars, so a split by rows tells a classifier about the very cluster that it is asked
about; the official split keeps the last three clusters for the test.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from printedmlp.stars.cluster import Cluster, ClusterConfig, begin, escape_times, potential

CONFIG = ClusterConfig()
SEEDS = tuple(range(10))
TRAINING_SEEDS = 7
HORIZON = 20.0
"""Units of time, seven crossings; much later chaos has erased what the start tells."""
ROUNDING = 1000.0
"""Steps of 1 that inputs are rounded to."""
FEATURES = (
    *("x", "y", "z", "vx", "vy", "vz"),
    *("radius", "speed", "radial_velocity", "angular_momentum", "energy", "jacobi_energy"),
)
CLASSES = ("stays", "escapes")

Row = tuple[float | str, ...]


def features(cluster: Cluster, config: ClusterConfig) -> NDArray[np.float64]:
    """What `FEATURES` names for each massless particle, (n_massless, 12), in the cluster's frame.

    energy : v^2 / 2 and the softened potential of the stars.
    jacobi_energy : with the tide's -3/2 omega^2 x^2 + 1/2 omega^2 z^2, what a steady cluster would conserve.
    """
    x, y, z = cluster.position[:, cluster.n_stars :]
    vx, vy, vz = cluster.velocity[:, cluster.n_stars :]
    radius = np.sqrt(x * x + y * y + z * z)
    v2 = vx * vx + vy * vy + vz * vz
    lx, ly, lz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    energy = 0.5 * v2 + potential(cluster, config.softening)[cluster.n_stars :]
    square = config.omega * config.omega
    jacobi = energy - 1.5 * square * (x * x) + 0.5 * square * (z * z)
    radial = (x * vx + y * vy + z * vz) / radius
    momentum = np.sqrt(lx * lx + ly * ly + lz * lz)
    return np.column_stack([x, y, z, vx, vy, vz, radius, np.sqrt(v2), radial, momentum, energy, jacobi])


def escaper_rows(config: ClusterConfig, seeds: tuple[int, ...], horizon: float) -> list[Row]:
    """Rows of the table: rounded features and class of each massless particle of each cluster."""
    rows: list[Row] = []
    for seed in seeds:
        cluster = begin(config, seed)
        left = np.isfinite(escape_times(cluster, config, until=horizon))[cluster.n_stars :]
        for values, out in zip(features(cluster, config).tolist(), left.tolist(), strict=True):
            rows.append((*(rounded(value) for value in values), CLASSES[out]))
    return rows


def rounded(value: float) -> float:
    """To three decimals, exact halves up, without a negative zero."""
    return math.floor(value * ROUNDING + 0.5) / ROUNDING + 0.0
