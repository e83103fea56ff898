import random
from dataclasses import replace

import numpy as np
import pytest

from printedmlp.cost import PopulationCost, full_adders
from printedmlp.errors import ConfigError, ModelError, PrintedMLPWarning
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import GenomeLayout
from printedmlp.pareto import non_dominated
from printedmlp.search import Generation, SearchSettings, evolve, first_genes

LAYOUT = GenomeLayout.uniform((4, 2, 2))
SETTINGS = SearchSettings(population=24, generations=20)


class Stop(Exception):  # noqa: N818
    """An interruption, as a test makes it."""


@pytest.fixture
def data():
    """Which of two pairs of codes has the larger sum."""
    X = np.random.default_rng(1).integers(0, 16, (120, 4))
    return X, (X[:, 0] + X[:, 1] > X[:, 2] + X[:, 3]).astype(int)


def run(data, *, settings=SETTINGS, seed=1, **options):
    options.setdefault("reference_accuracy", 0.6)
    evaluator, cost = PopulationEvaluator(LAYOUT, *data), PopulationCost(LAYOUT)
    return evolve(settings, LAYOUT, evaluator, cost, rng=np.random.default_rng(seed), **options)


def same(a, b):
    return (
        a.genes.tobytes() == b.genes.tobytes()
        and a.errors.tolist() == b.errors.tolist()
        and a.costs.tolist() == b.costs.tolist()
        and (a.n_front, a.generations, a.history) == (b.n_front, b.generations, b.history)
    )


def stop_after(number):
    def callback(generation):
        if generation.number == number:
            raise Stop

    return callback


def test_the_result_is_what_it_says(data):
    X, y = data
    result = run(data, settings=replace(SETTINGS, generations=60))
    models = [LAYOUT.decode(genes) for genes in result.genes]
    assert len(models) > result.n_front > 1
    assert result.errors.tolist() == [int((model.predict(X) != y).sum()) for model in models]
    assert result.costs.tolist() == [full_adders(model) for model in models]
    assert (result.errors <= 0.5 * len(y)).all()
    assert len({model.dumps() for model in models}) == len(models)
    objectives = np.stack([result.errors, result.costs], axis=1)
    assert set(np.flatnonzero(non_dominated(objectives))) == set(range(result.n_front))
    assert sorted(result.errors[: result.n_front]) == result.errors[: result.n_front].tolist()


def test_the_search_learns(data):
    result = run(data, settings=replace(SETTINGS, generations=150))
    assert result.errors[0] <= 0.2 * len(data[1]) < result.history[0]["best_error"]
    volumes = [record["hypervolume"] for record in result.history]
    assert volumes == sorted(volumes)
    assert 0 <= volumes[0] < volumes[-1] <= 1


def test_progress_is_told_generation_by_generation(data):
    told: list[Generation] = []
    result = run(data, on_generation=told.append)
    assert [generation.number for generation in told] == list(range(21))
    assert {generation.of for generation in told} == {20}
    assert [generation.evaluations for generation in told] == [24 * n for n in range(1, 22)]
    assert told[-1].best_error == result.errors[0]
    assert told[-1].smallest_cost == result.costs[result.n_front - 1]
    assert result.history[-1]["hypervolume"] == told[-1].hypervolume


def test_equal_seeds_equal_bytes_and_no_other_source_of_chance(data):
    random.seed(1)
    first = run(data)
    random.seed(2)
    before = random.getstate()
    assert same(first, run(data))
    assert random.getstate() == before
    assert not same(first, run(data, seed=4))


@pytest.mark.parametrize("stop", [0, 4, 7, 19])
def test_an_interrupted_search_ends_as_if_it_had_not_been(data, tmp_path, stop):
    file = tmp_path / "search.npz"
    with pytest.raises(Stop):
        run(data, checkpoint=file, checkpoint_every=3, on_generation=stop_after(stop))
    told: list[Generation] = []
    resumed = run(data, checkpoint=file, checkpoint_every=3, on_generation=told.append)
    assert told[0].number == (stop // 3 * 3 + 1 if stop >= 3 else 0)
    assert same(resumed, run(data))
    assert [path.name for path in tmp_path.iterdir()] == ["search.npz"]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"settings": replace(SETTINGS, mutations_per_child=2.0)},
        {"reference_accuracy": 0.7},
        {"initial": [LAYOUT.canonical(LAYOUT.upper)]},
    ],
)
def test_a_checkpoint_of_another_search_is_refused(data, tmp_path, change):
    file = tmp_path / "search.npz"
    run(data, checkpoint=file, checkpoint_every=5)
    told: list[Generation] = []
    with pytest.warns(PrintedMLPWarning, match=r"search\.npz is of another search .* starting afresh"):
        result = run(data, checkpoint=file, on_generation=told.append, **change)
    assert told[0].number == 0
    assert same(result, run(data, **change))


def test_a_checkpoint_of_other_data_is_refused(data, tmp_path):
    file = tmp_path / "search.npz"
    run(data, checkpoint=file, checkpoint_every=5)
    with pytest.warns(PrintedMLPWarning, match="another search"):
        run((data[0], 1 - data[1]), checkpoint=file)


@pytest.mark.parametrize("keep", [0, 100, 2000])
def test_a_damaged_checkpoint_is_refused(data, tmp_path, keep):
    file = tmp_path / "search.npz"
    run(data, checkpoint=file, checkpoint_every=5)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.warns(PrintedMLPWarning, match=r"search\.npz cannot be read .* starting afresh"):
        assert same(run(data, checkpoint=file), run(data))


def test_resume_can_be_declined(data, tmp_path):
    file = tmp_path / "search.npz"
    run(data, checkpoint=file, checkpoint_every=5)
    told: list[Generation] = []
    run(data, checkpoint=file, resume=False, on_generation=told.append)
    assert told[0].number == 0


def test_a_share_of_the_first_population_is_nearly_exact():
    rng = np.random.default_rng(0)
    starts = LAYOUT.random(2, rng)
    settings = SearchSettings(population=100, nearly_exact_share=0.2)
    genes = first_genes(settings, LAYOUT, starts, rng)
    assert genes.shape == (100, LAYOUT.size)
    assert np.array_equal(genes[:2], starts)
    changed = (genes[:, None, :] != starts).sum(axis=2).min(axis=1)
    assert (changed[:20] < 10).all()
    assert changed[2:20].any()
    assert (changed[20:] > 10).all()
    fewer = first_genes(replace(settings, nearly_exact_share=0.01), LAYOUT, starts, rng)
    assert np.array_equal(fewer[0], starts[0])
    assert not np.array_equal(fewer[1], starts[1])


def test_the_reference_decides_what_is_feasible(data):
    strict = replace(SETTINGS, max_accuracy_loss=0.0, generations=80)
    result = run(data, settings=strict, reference_accuracy=1.0)
    assert len(result.genes) == 0
    assert result.history[-1]["hypervolume"] == 0
    assert result.history[-1]["best_error"] < result.history[0]["best_error"]
    loose = run(data, settings=strict, reference_accuracy=0.6)
    assert loose.errors.max() <= 0.4 * 120


def test_odd_populations_and_no_generations(data):
    result = run(data, settings=SearchSettings(population=25, generations=2))
    assert result.history[-1]["evaluations"] == 75
    assert len(run(data, settings=SearchSettings(population=25, generations=0)).history) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"population": 3}, "population must be at least 4, not 3"),
        ({"generations": -1}, "generations must be at least 0, not -1"),
        ({"mutations_per_child": -0.5}, "mutations_per_child must be at least 0, not -0.5"),
        ({"crossover_rate": 1.5}, r"crossover_rate must be in 0\.\.1, not 1.5"),
        ({"max_accuracy_loss": float("nan")}, "max_accuracy_loss must be in"),
        ({"nearly_exact_share": -0.1}, "nearly_exact_share must be in"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        SearchSettings(**change)


def test_start_points_out_of_range_are_refused(data):
    with pytest.raises(ModelError, match="individual 0, gene 0"):
        run(data, initial=[LAYOUT.upper * 2])
