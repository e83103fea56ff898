"""Star clusters: the start, the motion and the table, each held against plain Python or a closed form."""

import hashlib
import math
import os
import re
import statistics
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite.binding import get_host_cpu_features
from numba import njit

from printedmlp.builtin import BUILT_IN
from printedmlp.errors import ConfigError
from printedmlp.kernels.gravity import advance, densities, potentials
from printedmlp.stars.cluster import (
    Cluster,
    ClusterConfig,
    begin,
    density,
    density_centre,
    distances,
    escape_times,
    moved,
    potential,
    snapshots,
)
from printedmlp.stars.draws import MASS_GRID, SCALE, direction, kroupa, plummer, uniforms
from printedmlp.stars.escapers import CLASSES, CONFIG, FEATURES, HORIZON, SEEDS, escaper_rows, features, rounded

SMALL = ClusterConfig(n_stars=9, n_massless=5, jacobi_radius=1.5, steps=32)
ALONE = ClusterConfig(n_stars=16, n_massless=8, jacobi_radius=0.0, steps=128)


def plain_pull(places, masses, softening2, omega, i):
    """Acceleration of body i, in Python's own floats."""
    a = [0.0, 0.0, 0.0]
    for (x, y, z), mass in zip(places, masses, strict=False):
        dx, dy, dz = x - places[i][0], y - places[i][1], z - places[i][2]
        d2 = dx * dx + dy * dy + dz * dz + softening2
        weight = mass / (d2 * math.sqrt(d2))
        a = [a[0] + weight * dx, a[1] + weight * dy, a[2] + weight * dz]
    if omega:
        a[0] += 3.0 * (omega * omega) * places[i][0]
        a[2] -= omega * omega * places[i][2]
    return a


def plain_turn(v, tangent):
    norm = 1.0 + tangent * tangent
    cosine, sine = (1.0 - tangent * tangent) / norm, 2.0 * tangent / norm
    return [cosine * v[0] + sine * v[1], cosine * v[1] - sine * v[0], v[2]]


def plain_moved(cluster, config, steps):
    """The leapfrog once more: one body and one number after the other, without NumPy."""
    places, speeds = cluster.position.T.tolist(), cluster.velocity.T.tolist()
    masses, omega, dt = cluster.masses.tolist(), config.omega, 1.0 / config.steps
    for _ in range(steps):
        places = [
            [p + 0.5 * dt * u for p, u in zip(x, v, strict=True)] for x, v in zip(places, speeds, strict=True)
        ]
        pulls = [plain_pull(places, masses, config.softening**2, omega, i) for i in range(len(places))]
        if omega:
            speeds = [
                [u + 0.5 * dt * g for u, g in zip(v, a, strict=True)] for v, a in zip(speeds, pulls, strict=True)
            ]
            speeds = [plain_turn(v, omega * dt) for v in speeds]
            speeds = [
                [u + 0.5 * dt * g for u, g in zip(v, a, strict=True)] for v, a in zip(speeds, pulls, strict=True)
            ]
        else:
            speeds = [[u + dt * g for u, g in zip(v, a, strict=True)] for v, a in zip(speeds, pulls, strict=True)]
        places = [
            [p + 0.5 * dt * u for p, u in zip(x, v, strict=True)] for x, v in zip(places, speeds, strict=True)
        ]
    return places, speeds


def plain_density(places, masses, i):
    near = sorted(
        (sum((a - b) ** 2 for a, b in zip(places[i], places[j], strict=True)), j) for j in range(len(masses))
    )
    six = [pair for pair in near if pair[1] != i][:6]
    return sum(masses[j] for _, j in six) / (six[-1][0] * math.sqrt(six[-1][0]))


def plain_rows(config, seed, horizon):
    """The table of one cluster from `plain_moved` and sums written out."""
    start = begin(config, seed)
    n, stride, now, left = start.n_stars, config.steps // 4, start, set()
    masses = start.masses.tolist()
    for step in range(round(horizon * 4) + 1):
        if step:
            places, speeds = plain_moved(now, config, stride)
            now = Cluster(np.array(places).T.copy(), np.array(speeds).T.copy(), start.masses)
        places = now.position.T.tolist()
        weights = [plain_density(places[:n], masses, i) for i in range(n)]
        centre = [math.fsum(w * places[i][k] for i, w in enumerate(weights)) / math.fsum(weights) for k in range(3)]
        for i, p in enumerate(places):
            if math.sqrt(sum((a - b) ** 2 for a, b in zip(p, centre, strict=True))) > 2 * config.jacobi_radius:
                left.add(i)
    return [plain_row(start, config, i, i in left) for i in range(n, start.position.shape[1])]


def plain_row(start, config, i, left):
    (x, y, z), (vx, vy, vz) = start.position[:, i].tolist(), start.velocity[:, i].tolist()
    phi = 0.0
    for (a, b, c), mass in zip(start.position.T.tolist(), start.masses.tolist(), strict=False):
        dx, dy, dz = a - x, b - y, c - z
        phi -= mass / math.sqrt(dx * dx + dy * dy + dz * dz + config.softening**2)
    r, v2, square = math.sqrt(x * x + y * y + z * z), vx * vx + vy * vy + vz * vz, config.omega**2
    lx, ly, lz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    energy = 0.5 * v2 + phi
    derived = (
        *(r, math.sqrt(v2), (x * vx + y * vy + z * vz) / r, math.sqrt(lx * lx + ly * ly + lz * lz)),
        *(energy, energy - 1.5 * square * (x * x) + 0.5 * square * (z * z)),
    )
    return (*(rounded(f) for f in (x, y, z, vx, vy, vz, *derived)), CLASSES[left])


@pytest.mark.parametrize("config", [SMALL, ClusterConfig(9, 5, jacobi_radius=0.0, steps=32)])
def test_the_compiled_motion_is_that_of_plain_python_to_the_last_bit(config):
    start = begin(config, 3)
    places, speeds = plain_moved(start, config, 100)
    now = moved(start, config, 100)
    assert now.position.T.tolist() == places
    assert now.velocity.T.tolist() == speeds


@pytest.mark.parametrize("seed", [0, 1])
def test_the_table_is_that_of_plain_python(seed):
    rows = plain_rows(SMALL, seed, 3.0)
    assert escaper_rows(SMALL, (seed,), 3.0) == rows
    assert len({row[-1] for row in escaper_rows(SMALL, (0, 1), 3.0)}) == 2


def test_a_last_bit_changes_the_motion():
    """Chaos: one last bit makes a difference above 1e-9 at the horizon and above 1 at twice that time."""
    config = ClusterConfig(n_massless=0)
    start = begin(config, 0)
    other = start._replace(position=start.position.copy())
    other.position[0, 0] = np.nextafter(other.position[0, 0], 9.0)
    for time, least in ((HORIZON, 1e-9), (2 * HORIZON, 1.0)):
        steps = round(time * config.steps)
        assert np.abs(moved(other, config, steps).position - moved(start, config, steps).position).max() > least


def least_processor(code, folder):
    """What code prints where kernels are compiled for the least x86-64 processor: short vectors, no fused sums."""
    cpu = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **cpu}
    ).stdout


def test_the_least_processor_gives_the_same_bits(tmp_path):
    code = (
        "from printedmlp.stars.cluster import *; c = ClusterConfig(32, 40); "
        "print(repr(moved(begin(c, 0), c, 2000).position.tolist()))"
    )
    config = ClusterConfig(32, 40)
    assert least_processor(code, tmp_path).strip() == repr(moved(begin(config, 0), config, 2000).position.tolist())


FUSED = re.compile(r"vfn?m(add|sub)")


@pytest.mark.parametrize("kernel", [advance, potentials, densities])
def test_the_compiler_fuses_no_product_with_a_sum(kernel):
    text = machine_code(kernel)
    assert "mul" in text
    assert not FUSED.search(text)


@pytest.mark.skipif(not get_host_cpu_features().get("fma"), reason="this processor has no fused products")
def test_a_fused_product_would_be_found():
    assert FUSED.search(machine_code(potentials, fastmath=True))


def machine_code(kernel, **flags):
    """Assembly of a kernel compiled for this processor; what comes from the cache does not show any."""
    again = njit(**flags)(kernel.py_func)
    start = begin(SMALL, 0)
    out = np.empty(SMALL.n_stars + SMALL.n_massless)
    others = {
        advance: (start.velocity, start.masses, 0.01, 0.1, 0.1, 1),
        potentials: (start.masses, 0.01, out),
        densities: (start.masses, out[: SMALL.n_stars]),
    }
    again(start.position, *others[kernel])
    return "".join(again.inspect_asm().values())


def test_masses_are_far_from_where_they_would_round_otherwise():
    """Powers are the one thing that another C library may give otherwise, by 1e-16 of the value."""
    draws = (uniforms(seed) for seed in SEEDS)
    powers = [kroupa(next(draw), CONFIG.heaviest) * MASS_GRID for draw in draws for _ in range(CONFIG.n_stars)]
    assert len(powers) == 1280
    assert min(abs(power - math.floor(power) - 0.5) / power for power in powers) > 1e-9


def test_inputs_are_rounded_to_three_decimals_without_negative_zeros():
    assert [rounded(v) for v in (0.0005, -0.0004, 1.2345678, -1.0)] == [0.001, 0.0, 1.235, -1.0]
    assert math.copysign(1, rounded(-0.0001)) == 1


@pytest.mark.slow
def test_the_table_of_the_least_processor_is_the_documented_one(tmp_path):
    code = "import hashlib, printedmlp.builtin as b; print(hashlib.sha256(b.cluster_escapers_bytes()).hexdigest())"
    assert least_processor(code, tmp_path).strip() == BUILT_IN["cluster_escapers"].sha256


def test_the_documented_table():
    data = BUILT_IN["cluster_escapers"].make()
    assert hashlib.sha256(data).hexdigest() == BUILT_IN["cluster_escapers"].sha256
    lines = data.decode().splitlines()
    assert lines[0].split(",") == [*FEATURES, "class"]
    assert len(lines) == 1 + 400 * len(SEEDS)
    assert BUILT_IN["cluster_escapers"].train_rows == 400 * 7


def test_draws_are_those_of_pcg64():
    draw, words = uniforms(7), np.random.PCG64(7).random_raw(2000)
    expected = [(int(word) >> 11) / 2**53 for word in words]
    assert [next(draw) for _ in range(2000)] == expected
    assert [next(uniforms(7))] == np.random.default_rng(7).random(1).tolist()


def test_plummers_sphere():
    """Half of the mass within 1.305 a, <v^2> / 2 = 3 pi / (64 a) = 1/4, directions without a preference."""
    draw = uniforms(1)
    bodies = np.array([plummer(draw, math.inf) for _ in range(60_000)])  # (n, 2, 3)
    r = np.sqrt((bodies[:, 0] ** 2).sum(1))
    half = SCALE / math.sqrt(0.5 ** (-2 / 3) - 1)
    assert half == pytest.approx(0.769, abs=5e-4)
    assert np.median(r) == pytest.approx(half, rel=0.01)
    for share, within in ((0.1, 0.1), (0.9, 0.9)):
        s = share ** (1 / 3)
        assert (r < SCALE * s / math.sqrt(1 - s * s)).mean() == pytest.approx(within, abs=0.006)
    assert (bodies[:, 1] ** 2).sum(1).mean() / 2 == pytest.approx(0.25, rel=0.01)
    assert np.abs(bodies[:, 1].mean(0)).max() < 0.01
    assert (bodies[:, 0] ** 2 / (r**2)[:, None]).mean(0) == pytest.approx([1 / 3] * 3, abs=0.005)


def test_no_body_starts_beyond_the_limit_or_above_the_escape_speed():
    draw = uniforms(2)
    for place, velocity in (plummer(draw, 1.0) for _ in range(2000)):
        r2, v2 = sum(p * p for p in place), sum(v * v for v in velocity)
        assert r2 <= 1.0 + 1e-12
        assert v2 / 2 < 1 / math.sqrt(r2 + SCALE**2)
    assert sum(x * x for x in direction(draw)) == pytest.approx(1, abs=1e-15)


def test_kroupas_law():
    """For 0.08 to 10 solar masses: mean 0.471, 76.4 % below 0.5; the ends are met."""
    shares = (np.arange(20_000) + 0.5) / 20_000
    mass = np.array([kroupa(u, 10.0) for u in shares])
    assert mass.mean() == pytest.approx(0.471, abs=0.001)
    assert (mass < 0.5).mean() == pytest.approx(0.764, abs=0.001)
    assert (kroupa(0.0, 10.0), kroupa(1.0, 10.0)) == pytest.approx((0.08, 10.0))
    assert np.all(np.diff(mass) > 0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), stars=st.integers(8, 40))
def test_a_cluster_begins_in_henon_units(seed, stars):
    start = begin(ClusterConfig(stars, 3, jacobi_radius=0.0), seed)
    mass, v = start.masses, start.velocity[:, :stars]
    assert mass.sum() == pytest.approx(1.0)
    assert 0.5 * mass @ potential(start, 0.0)[:stars] == pytest.approx(-0.5)
    assert 0.5 * mass @ (v**2).sum(0) == pytest.approx(0.25)
    assert np.abs(start.position[:, :stars] @ mass).max() < 1e-12
    assert np.abs(v @ mass).max() < 1e-12


def test_the_turning_frame_changes_velocities_only():
    still = begin(ClusterConfig(9, 5, jacobi_radius=0.0), 0)
    config = ClusterConfig(9, 5, jacobi_radius=20.0)
    turning = begin(config, 0)
    assert turning.position.tolist() == still.position.tolist()
    x, y, _ = still.position
    seen = still.velocity - config.omega * np.array([-y, x, 0 * x])
    assert turning.velocity == pytest.approx(seen)
    assert config.omega == pytest.approx(math.sqrt(1 / 3 / 20**3))


def test_massless_particles_feel_and_are_not_felt():
    full = begin(ALONE, 4)
    alone = Cluster(full.position[:, :16].copy(), full.velocity[:, :16].copy(), full.masses)
    with_them, without = moved(full, ALONE, 500), moved(alone, ALONE, 500)
    assert with_them.position[:, :16].tolist() == without.position.tolist()
    free = full.position[:, 16:] + full.velocity[:, 16:] * 500 / ALONE.steps
    assert np.abs(with_them.position[:, 16:] - free).max() > 0.1


def test_two_bodies_return_after_a_period():
    """At distance 1 with softening e the angular velocity is (1 + e^2)^(-3/4)."""
    config = ClusterConfig(steps=1024)
    rate = (1 + config.softening**2) ** -0.75
    position = np.array([[0.5, -0.5], [0.0, 0.0], [0.0, 0.0]])
    velocity = np.array([[0.0, 0.0], [0.5 * rate, -0.5 * rate], [0.0, 0.0]])
    start = position.copy()
    steps = round(2 * math.pi / rate * 1024)
    advance(position, velocity, np.array([0.5, 0.5]), config.softening**2, 0.0, 2 * math.pi / rate / steps, steps)
    assert np.abs(position - start).max() < 1e-4


def energy_error(dt):
    position = np.array([[0.5, -0.5], [0.0, 0.0], [0.0, 0.0]])
    velocity = np.array([[0.0, 0.0], [0.3, -0.3], [0.0, 0.0]])
    masses, phi, found = np.array([0.5, 0.5]), np.empty(2), []
    for _ in range(round(3 / dt)):
        potentials(position, masses, 0.0025, phi)
        found.append(float(0.25 * (velocity**2).sum() + 0.25 * phi.sum()))
        advance(position, velocity, masses, 0.0025, 0.0, dt, 1)
    return max(abs(e - found[0]) for e in found)


def test_halving_the_step_quarters_the_error_of_energy():
    assert energy_error(1 / 256) / energy_error(1 / 512) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("omega", [0.0, 0.2])
def test_time_runs_back(omega):
    """Velocities, and the sense in which the frame turns, reversed."""
    start = begin(ALONE, 1)
    position, velocity = start.position.copy(), start.velocity.copy()
    advance(position, velocity, start.masses, 0.0025, omega, 1 / 128, 100)
    assert np.abs(position - start.position).max() > 0.1
    velocity *= -1
    advance(position, velocity, start.masses, 0.0025, -omega, 1 / 128, 100)
    assert np.abs(position - start.position).max() < 1e-10
    assert np.abs(velocity + start.velocity).max() < 1e-10


def test_a_frame_that_does_not_turn_is_none():
    config = ClusterConfig(16, 8, jacobi_radius=0.0)
    assert config.omega == 0
    assert ClusterConfig(16, 8, jacobi_radius=1e9).omega == pytest.approx(0, abs=1e-12)
    far = ClusterConfig(16, 8, jacobi_radius=1e9)
    start = begin(config, 0)
    assert moved(start, far, 50).position == pytest.approx(moved(start, config, 50).position, abs=1e-9)


def test_a_body_in_the_tide_alone():
    """Hill's equations without a cluster, from rest at x = 1 and z = 2, in closed form."""
    omega, steps = 0.3, 2000
    position, velocity = np.array([[1e-3], [0.0], [2e-3]]), np.zeros((3, 1))
    advance(position, velocity, np.zeros(0), 0.0025, omega, 1 / 1000, steps)
    t, (x, y, z) = omega * steps / 1000, position[:, 0] / 1e-3
    assert x == pytest.approx(4 - 3 * math.cos(t), abs=1e-5)
    assert y == pytest.approx(6 * (math.sin(t) - t), abs=1e-5)
    assert z == pytest.approx(2 * math.cos(t), abs=1e-5)


def test_massless_particles_in_a_smooth_potential():
    """One star of mass 1 softened by Plummer's scale is Plummer's sphere: E and L stay, nobody bound escapes."""
    config = ClusterConfig(softening=SCALE, jacobi_radius=0.0)
    draw = uniforms(3)
    bodies = [plummer(draw, 10 * SCALE) for _ in range(50)]
    position = np.array([[0.0, 0.0, 0.0], *(x for x, _ in bodies)]).T.copy()
    velocity = np.array([[0.0, 0.0, 0.0], *(v for _, v in bodies)]).T.copy()
    start = Cluster(position, velocity, np.ones(1))

    def energies(cluster):
        return 0.5 * (cluster.velocity**2).sum(0)[1:] + potential(cluster, SCALE)[1:]

    for _, now in snapshots(start, config, until=30, every=5):
        assert energies(now) == pytest.approx(energies(start), abs=2e-5)
        momenta = [np.cross(c.position.T, c.velocity.T) for c in (now, start)]
        assert momenta[0] == pytest.approx(momenta[1], abs=1e-11)
        limit = np.sqrt(energies(start) ** -2.0)
        assert np.all(distances(now, (0.0, 0.0, 0.0))[1:] < limit)


def test_density_centre_and_distances_by_hand():
    """Seven stars about (10, 0, 0) and one far away, which has next to no weight."""
    ring = [(10 + math.cos(k), math.sin(k), 0.0) for k in np.arange(6) * math.pi / 3]
    position = np.array([(10.0, 0.0, 0.0), *ring, (-90.0, 0.0, 0.0)]).T.copy()
    cluster = Cluster(position, np.zeros_like(position), np.full(8, 0.125))
    assert density(cluster)[0] == pytest.approx(0.75)
    assert density_centre(cluster) == pytest.approx((10, 0, 0), abs=1e-3)
    assert distances(cluster, (10.0, 0.0, 0.0)) == pytest.approx([0, *[1] * 6, 100])


def test_snapshots_are_one_run():
    start = begin(SMALL, 2)
    times, states = zip(*snapshots(start, SMALL, until=2, every=0.5), strict=True)
    assert times == (0, 0.5, 1, 1.5, 2)
    assert states[-1].position.tolist() == moved(start, SMALL, 64).position.tolist()


def test_escapes_are_first_crossings():
    config = ClusterConfig(8, 2, jacobi_radius=1.0, steps=32)
    start = begin(config, 0)
    start.position[:, -2:] = [[0.0, 30.0], [0.0, 0.0], [1.5, 0.0]]
    start.velocity[:, -2:] = [[0.0, 0.0], [0.0, 0.0], [5.0, 0.0]]
    times = escape_times(start, config, until=1)
    assert times[-1] == 0
    assert 0 < times[-2] <= 0.25
    assert statistics.median(escape_times(start, config, until=0)[:8]) == math.inf


def test_features_by_hand():
    position = np.array([[0.0] * 7 + [3.0], [0.0] * 7 + [0.0], [0.0] * 7 + [4.0]])
    velocity = np.zeros((3, 8))
    velocity[:, 7] = (0.0, 2.0, 1.0)
    config = ClusterConfig(softening=1e-9, jacobi_radius=2.0)
    (row,) = features(Cluster(position, velocity, np.full(7, 1 / 7)), config)
    square = 1 / 24
    expected = [3, 0, 4, 0, 2, 1, 5, math.sqrt(5), 0.8, math.sqrt(64 + 9 + 36), 2.3]
    assert row[:-1] == pytest.approx(expected)
    assert row[-1] == pytest.approx(2.3 - 1.5 * square * 9 + 0.5 * square * 16)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_stars": 6}, "6 stars"),
        ({"n_massless": -1}, "-1 massless"),
        ({"heaviest": 0.4}, "heaviest 0.4"),
        ({"softening": 0.0}, "softening 0.0"),
        ({"steps": 100}, "100 steps"),
    ],
)
def test_what_no_cluster_can_be(changes, words):
    with pytest.raises(ConfigError, match=words):
        ClusterConfig(**changes)
