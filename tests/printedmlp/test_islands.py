"""Islands: each is the plain search until they exchange; neither threads nor interruptions change the result."""

from dataclasses import replace

import numpy as np
import pytest

from printedmlp.cost import PopulationCost
from printedmlp.errors import ConfigError
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import GenomeLayout
from printedmlp.islands import IslandSettings, evolve_islands
from printedmlp.pareto import non_dominated
from printedmlp.search import Evolution, Generation, SearchSettings, evolve

LAYOUT = GenomeLayout.uniform((4, 2, 2))
SETTINGS = SearchSettings(population=24, generations=24)
THREE = IslandSettings(islands=3, epoch=6, migrants=4)


@pytest.fixture
def data():
    """Which of two pairs of codes has the larger sum."""
    X = np.random.default_rng(1).integers(0, 16, (120, 4))
    return X, (X[:, 0] + X[:, 1] > X[:, 2] + X[:, 3]).astype(int)


def parts(data, settings=SETTINGS):
    return settings, LAYOUT, PopulationEvaluator(LAYOUT, *data, threads=1), PopulationCost(LAYOUT)


def run(data, islands=THREE, settings=SETTINGS, seed=1, **options):
    work = Evolution(*parts(data, settings), reference_accuracy=0.6)
    return evolve_islands(islands, work, rng=np.random.default_rng(seed), **options)


def found(result):
    return result.genes.tobytes(), result.errors.tolist(), result.costs.tolist(), result.n_front, result.history


def test_one_island_is_the_plain_search(data):
    (own,) = np.random.default_rng(1).spawn(1)
    plain = evolve(*parts(data), reference_accuracy=0.6, rng=own)
    alone = run(data, IslandSettings(islands=1, epoch=6, migrants=0))
    assert found(alone)[:4] == found(plain)[:4]
    assert [r["number"] for r in alone.history] == [6, 12, 18, 24]
    assert alone.history[-1] == plain.history[-1]


def test_islands_alone_merge_to_the_front_of_all_of_them(data):
    plain = [evolve(*parts(data), reference_accuracy=0.6, rng=own) for own in np.random.default_rng(1).spawn(3)]
    points = np.array([p for r in plain for p in zip(r.errors[: r.n_front], r.costs[: r.n_front], strict=True)])
    merged = {tuple(point) for point in points[non_dominated(points)]}
    alone = run(data, replace(THREE, migrants=0))
    assert set(zip(alone.errors[: alone.n_front], alone.costs[: alone.n_front], strict=True)) == merged
    assert found(run(data)) != found(alone)


def test_what_one_island_knows_reaches_the_others(data):
    told: list[Generation] = []
    run(data, on_epoch=told.append)
    assert [generation.number for generation in told] == [6, 12, 18, 24]
    assert [generation.evaluations for generation in told] == [24 * 3 * (n + 1) for n in (6, 12, 18, 24)]
    volumes = [generation.hypervolume for generation in told]
    assert volumes == sorted(volumes)
    work = Evolution(*parts(data), reference_accuracy=0.6)
    one, other = (work.first(rng) for rng in np.random.default_rng(1).spawn(2))
    rng = np.random.default_rng(3)
    for _ in range(40):
        one = work.step(one, rng)
    best = one.archive.errors.min()
    assert other.archive.errors.min() > best
    assert work.joined(other, one.archive).population.errors.min() == best


def test_threads_change_nothing(data):
    assert found(run(data, threads=1)) == found(run(data, threads=3))
    assert found(run(data)) != found(run(data, seed=2))


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_stopped_search_goes_on_to_the_same_result(data, tmp_path, epochs):
    class Stop(Exception):  # noqa: N818
        pass

    def stop(generation):
        if generation.number == epochs * THREE.epoch:
            raise Stop

    file = tmp_path / "state.npz"
    with pytest.raises(Stop):
        run(data, checkpoint=file, on_epoch=stop)
    told: list[Generation] = []
    assert found(run(data, checkpoint=file, on_epoch=told.append)) == found(run(data))
    assert len(told) == 4 - epochs


def test_stopping_within_an_epoch_keeps_the_last_exchange(data, tmp_path):
    asked = iter(range(1000))
    file = tmp_path / "state.npz"
    early = run(data, checkpoint=file, threads=1, should_stop=lambda: next(asked) > 30)
    assert 6 < early.generations < 24
    assert found(run(data, checkpoint=file)) == found(run(data))


def test_a_checkpoint_of_other_islands_is_not_taken(data, tmp_path):
    file, other = tmp_path / "state.npz", replace(THREE, migrants=2)
    run(data, checkpoint=file)
    with pytest.warns(UserWarning, match="another search"):
        assert found(run(data, other, checkpoint=file)) == found(run(data, other))


@pytest.mark.parametrize(("name", "value"), [("islands", 0), ("epoch", 0), ("migrants", -1)])
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(ConfigError, match=f"{name} must be at least .*, not {value}"):
        replace(THREE, **{name: value})
