import pytest

torch = pytest.importorskip("torch")

import math  # noqa: E402

import numpy as np  # noqa: E402

from printedmlp.dataset import Dataset  # noqa: E402
from printedmlp.reference.massless import (  # noqa: E402
    FAR,
    Frame,
    RunConfig,
    Tidal,
    bound,
    core_radius,
    energy,
    frame,
    half_radii,
    hermite,
    isolated_run,
    lagrangian_radius,
    tidal_run,
    virial_ratio,
)
from printedmlp.reference.outcome import Context  # noqa: E402
from printedmlp.reference.studies import massless as study  # noqa: E402
from printedmlp.reference.studies import massless_runs as runs  # noqa: E402
from printedmlp.stars.cluster import Cluster, ClusterConfig, begin, escape_times, moved, snapshots  # noqa: E402

ALONE = ClusterConfig(32, 50, jacobi_radius=0.0)


def pair(speed=0.6):
    """Two bodies of mass 1/2 at distance 1 on an ellipse."""
    position = np.array([[0.5, -0.5], [0.0, 0.0], [0.0, 0.0]])
    velocity = np.array([[0.0, 0.0], [0.5 * speed, -0.5 * speed], [0.0, 0.0]])
    return Cluster(position, velocity, np.array([0.5, 0.5]))


def worst_energy(dt):
    config, now = ClusterConfig(jacobi_radius=0.0), pair()
    first, worst = energy(now, config), 0.0
    for _ in range(round(2 / dt)):
        now = hermite(now, config.softening, dt, 1)
        worst = max(worst, abs(energy(now, config) - first))
    return worst


def test_halving_the_step_divides_the_error_of_hermite_by_16():
    assert worst_energy(1 / 64) / worst_energy(1 / 128) == pytest.approx(16, abs=3)


def test_hermite_and_leapfrog_agree():
    start = begin(ALONE, 0)
    fine = ClusterConfig(32, 50, jacobi_radius=0.0, steps=4096)
    leap, other = moved(start, fine, 4096), hermite(start, fine.softening, 1 / 512, 512)
    assert leap.position == pytest.approx(other.position, abs=2e-5)
    coarse = moved(start, ClusterConfig(32, 50, jacobi_radius=0.0, steps=16), 16)
    assert np.abs(coarse.position - other.position).max() > 1e-3


@pytest.mark.parametrize("steps", [256])
def test_leapfrog_is_that_of_rebound(steps):
    rebound = pytest.importorskip("rebound", reason="the extra [nbody] is not installed")
    start = begin(ALONE, 1)
    simulation = rebound.Simulation()
    simulation.G, simulation.softening, simulation.dt = 1.0, 0.05, 1 / 256
    simulation.integrator, simulation.gravity = "leapfrog", "basic"
    for i, (x, v) in enumerate(zip(start.position.T.tolist(), start.velocity.T.tolist(), strict=True)):
        mass = start.masses[i] if i < start.n_stars else 0.0
        simulation.add(m=mass, x=x[0], y=x[1], z=x[2], vx=v[0], vy=v[1], vz=v[2])
    simulation.N_active, simulation.testparticle_type = start.n_stars, 0
    simulation.steps(steps)
    simulation.synchronize()
    theirs, ours = np.array([p.xyz for p in simulation.particles]).T, moved(start, ALONE, steps)
    assert np.abs(ours.position - theirs).max() < 1e-11
    assert np.abs(ours.position - start.position).max() > 0.1
    speeds = np.array([p.vxyz for p in simulation.particles]).T
    assert np.abs(ours.velocity - speeds).max() < 1e-10


def test_energy_of_two_bodies_by_hand():
    """K = 2 (1/2) (1/2) 0.09, W = -1/4 / sqrt(1 + 0.05^2), tide 2 (1/2) (-3/2) omega^2 / 4."""
    for radius in (0.0, 2.0):
        config = ClusterConfig(jacobi_radius=radius)
        expected = 0.045 - 0.25 / math.sqrt(1.0025) - 0.375 * config.omega**2
        assert energy(pair(), config) == pytest.approx(expected)


@pytest.mark.parametrize("radius", [0.0, 2.5])
def test_energy_stays(radius):
    config = ClusterConfig(64, 0, jacobi_radius=radius)
    energies = [energy(c, config) for _, c in snapshots(begin(config, 3), config, until=10, every=2.5)]
    assert energies == pytest.approx([energies[0]] * 5, rel=1e-3)
    x, y = begin(config, 3).velocity[:2]
    assert np.abs(x).max() + np.abs(y).max() > 0.5


def test_a_run_without_the_change_of_frame_would_be_seen():
    """Negating omega alone breaks the integral: the check of energy can fail."""
    config = ClusterConfig(64, 0, jacobi_radius=1.0)
    far = begin(config, 3)
    later = moved(far, config, 2560)
    wrong = ClusterConfig(64, 0, jacobi_radius=2.0)
    assert energy(later, wrong) != pytest.approx(energy(far, wrong), rel=1e-2)
    assert energy(later, config) == pytest.approx(energy(far, config), rel=5e-3)


def test_a_fresh_cluster():
    config = ClusterConfig(256, 400, jacobi_radius=0.0)
    first = frame(0.0, begin(config, 0), config)
    assert first.energy == pytest.approx(-0.25, abs=0.02)
    assert first.virial == pytest.approx(0.5, abs=0.05)
    assert first.half == pytest.approx((0.77, 0.77, 0.77), abs=0.2)
    assert first.escaped == (0, 0)
    assert lagrangian_radius(begin(config, 0), 0.5) == pytest.approx(0.77, abs=0.25)


def test_a_body_that_is_fast_is_unbound_and_far_away_escaped():
    cluster = begin(ALONE, 0)
    cluster.velocity[:, 40] = (9.0, 0.0, 0.0)
    assert not bound(cluster, ALONE)[40]
    assert bound(cluster, ALONE)[:32].mean() > 0.9
    assert frame(0.0, cluster, ALONE).escaped[1] == 0
    cluster.position[:, 40] = (FAR + 5, 0.0, 0.0)
    assert frame(0.0, cluster, ALONE).escaped == (0, 1 / 50)


def test_a_star_that_left_does_not_hold_others():
    """The only heavy star is fast: what it alone would hold is unbound."""
    position = np.zeros((3, 8))
    position[0] = [0.0, *np.linspace(100, 700, 6), 0.5]
    velocity = np.zeros((3, 8))
    velocity[1, 0], velocity[1, 7] = 50.0, 0.5
    cluster = Cluster(position, velocity, np.array([1.0, *[1e-9] * 6]))
    assert not bound(cluster, ALONE)[7]


def test_half_radii_by_hand():
    """Ten stars, masses falling: heaviest at 1, lightest five at 2 and unbound or not, massless at 3."""
    away = np.array([1.0, 9, 9, 9, 9, 2, 2, 2, 2, 50, 3, 3, 3])
    cluster = Cluster(np.zeros((3, 13)), np.zeros((3, 13)), np.linspace(10, 1, 10) / 55)
    assert half_radii(cluster, away, away < 40) == (1.0, 2.0, 3.0)


def test_core_radius_and_virial_ratio_by_hand():
    ring = [(math.cos(k), math.sin(k), 0.0) for k in np.arange(7) * 2 * math.pi / 7]
    position = np.array(ring).T.copy()
    velocity = np.array([-position[1], position[0], 0 * position[0]]) + 5.0
    cluster = Cluster(position, velocity, np.full(7, 1 / 7))
    assert core_radius(cluster) == pytest.approx(1.0)
    w = -sum(1 / 49 / (2 * math.sin(math.pi * k / 7)) for k in range(1, 7)) * 7 / 2
    point = ClusterConfig(softening=1e-9, jacobi_radius=0.0)
    assert virial_ratio(cluster, point, np.ones(7, bool)) == pytest.approx(0.5 / -w)


def test_runs_of_a_small_cluster():
    config = RunConfig(ClusterConfig(16, 20, jacobi_radius=0.0, steps=64), 2.0)
    assert [f.time for f in isolated_run(config, 0)] == [0, 1, 2]
    config = RunConfig(ClusterConfig(16, 20, jacobi_radius=1.0, steps=64), 4.0)
    found = tidal_run(config, 0)
    assert found.times.tolist() == [0, 1, 2, 3, 4]
    left = escape_times(begin(config.cluster, 0), config.cluster, until=4.0)
    assert np.concatenate([found.stars, found.massless]).tolist() == left.tolist()


def frames(heavy=0.4, massless=2.0, energies=(1.0, 1.0), virial=0.5):
    half = (heavy, 1.5, massless)
    return [
        Frame(0.0, -0.25, 0.5, 0.3, (0.8, 0.8, 0.8), (0, 0)),
        Frame(30.0, -0.25 * energies[0], virial, 0.1, half, (0, 0)),
        Frame(60.0, -0.25 * energies[1], 0.5, 0.1, half, (0, 0)),
    ]


def tidal(before=10, after=10):
    """The core is smallest at 10; of 1000 massless particles so many leave at 5 and at 25."""
    times = np.arange(41.0)
    left = np.full(1000, np.inf)
    left[:before] = 5.0
    left[before : before + after] = 25.0
    return Tidal(times, np.where(times == 10, 0.1, 0.3), left[:5], left)


def score(accuracy=0.85, auc=0.8, majority=0.79):
    return runs.Score(accuracy, auc, majority, (0.8, 0.8), 74, 1.0)


def verdicts(alone=None, escapes=None, unseen=None):
    found = study.checks([alone or frames()], [escapes or tidal(100, 100)], [unseen or score()])
    return [check.shown for check in found]


def test_good_figures_show_every_claim():
    assert verdicts() == [True] * 7


@pytest.mark.parametrize(
    ("broken", "figures"),
    [
        (0, {"alone": frames(energies=(1.0, 1.002))}),
        (0, {"alone": frames(energies=(0.998, 1.0))}),
        (1, {"alone": frames(virial=0.39)}),
        (1, {"alone": frames(virial=0.66)}),
        (2, {"alone": frames(heavy=1.1)}),
        (3, {"alone": frames(massless=1.3)}),
        (5, {"escapes": tidal(100, 300)}),
        (5, {"escapes": tidal(10, 30)}),
        (6, {"unseen": score(accuracy=0.81)}),
        (6, {"unseen": score(auc=0.69)}),
    ],
)
def test_figures_that_break_one_claim(broken, figures):
    assert [k for k, shown in enumerate(verdicts(**figures)) if not shown] == [broken]


def test_a_cluster_that_began_segregated_shows_nothing():
    alone = frames()
    alone[0] = alone[0]._replace(half=(0.4, 0.8, 0.8))
    assert [k for k, shown in enumerate(verdicts(alone=alone)) if not shown] == [2]


def test_particles_that_stay_where_they_are_do_not_follow():
    alone = frames()
    alone[0] = alone[0]._replace(half=(0.8, 0.8, 1.5))
    assert [k for k, shown in enumerate(verdicts(alone=alone)) if not shown] == [4]


def test_escape_rate_by_hand():
    """Between 1 and 3: two of five escape, at 2 and 3; the others spend 2 + 2 + 1 + 2 units, one was out before."""
    left = np.array([0.5, 2.0, 3.0, 7.0, np.inf])
    assert runs.escape_rate(left, 1.0, 3.0) == pytest.approx(2 / 7)
    assert runs.escape_rate(np.array([0.5]), 1.0, 3.0) == 0
    assert runs.collapse(tidal()) == 10


def table(n=40):
    """Ten clusters of n rows whose class is told by one derived input."""
    y = np.arange(10 * n) % 2
    X = np.random.default_rng(0).normal(size=(10 * n, 12))
    X[:, 10] += 6 * y
    return Dataset("t", X, y, tuple(f"f{k}" for k in range(12)), ("escapes", "stays"), "0" * 64, "t.csv")


def test_splits_of_the_table():
    data = table()
    for seed in range(3):
        train, test = runs._parts(data, "clusters", seed)
        assert len(test) == 120
        assert not set(train // 40) & set(test // 40)
        assert sorted([*train, *test]) == list(range(400))
        rows = runs._parts(data, "rows", seed)
        assert [len(part) for part in rows] == [280, 120]
    tested = [set(runs._parts(data, "clusters", seed)[1] // 40) for seed in range(3)]
    assert tested == [{7, 8, 9}, {0, 1, 2}, {3, 4, 5}]


def test_a_network_learns_what_can_be_learnt():
    good = runs.scored(table(), "clusters", 0, 20)
    assert good.accuracy > 0.95
    assert good.auc > 0.99
    assert good.majority == 0.5
    assert good.inside == pytest.approx((good.accuracy, 0.5), abs=0.05)
    assert good.parameters == 6 * 8 + 8 + 8 * 2 + 2


def test_the_quick_study(tmp_path):
    outcome = study.run(Context((0,), True, "cpu", tmp_path))
    assert (tmp_path / "massless.png").stat().st_size > 10_000
    assert len(outcome.checks) == 7
    assert outcome.checks[0].shown
    assert "unseen clusters" in outcome.notes[0]
