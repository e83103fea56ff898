import random
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

from printedmlp import anneal_tasks
from printedmlp.anneal import AnnealSettings, anneal
from printedmlp.anneal_tasks import error_budgets
from printedmlp.area import AreaModel, AreaUnits
from printedmlp.chain import BINS, Chain, row_weights
from printedmlp.errors import ConfigError, ModelError, PrintedMLPWarning
from printedmlp.found import best_layers
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.model import QReLU
from printedmlp.moves import MoveShares
from printedmlp.pareto import non_dominated
from printedmlp.technology import load_technology

TECHNOLOGY = load_technology("egfet")
UNITS = AreaUnits.of(TECHNOLOGY)
SETTINGS = AnnealSettings(chains=3, rounds=1, widths=(3, 2), levels=2, proposals=3000, keep=30)


class Stop(Exception):  # noqa: N818
    """An interruption, as a test makes it."""


@pytest.fixture(scope="module")
def data():
    """Which of three pairs of codes has the largest sum."""
    X = np.random.default_rng(1).integers(0, 16, (300, 6))
    return X, np.argmax(X[:, ::2] + X[:, 1::2], axis=1)


def run(data, *, settings=SETTINGS, seed=3, **options):
    X, y = data
    options.setdefault("n_classes", 3)
    return anneal(settings, X, y, input_bits=4, technology=TECHNOLOGY, rng=np.random.default_rng(seed), **options)


def same(a, b):
    facts = [[(f.model.dumps(), f.errors, f.area_mm2) for f in found] for found in (a, b)]
    return facts[0] == facts[1]


@st.composite
def small_layouts(draw):
    """One hidden layer, any widths, bits and scores; small sums, so that all use the same machine code."""
    sizes = tuple(draw(st.integers(1, 5)) for _ in range(3))
    lsb = draw(st.integers(0, 4))
    layout = GenomeLayout.uniform(
        sizes,
        input_bits=draw(st.integers(1, 5)),
        lsb=lsb,
        msb=lsb + draw(st.integers(0, 7)),
        max_exponent=draw(st.integers(0, 7)),
        bias_bits=draw(st.integers(2, 8)),
    )
    return replace(layout, signed_scores=draw(st.booleans()))


def new_chain(layout, seed, *, n_rows=300, class_weights=None, another_move=0.3):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 1 << layout.input_bits, (n_rows, layout.topology[0]))
    y = rng.integers(0, layout.topology[-1], n_rows)
    genes = layout.random(1, rng)[0]
    genes[(layout.kinds == MASK) & (rng.random(layout.size) < 0.4)] = 0
    weights = row_weights(y, layout.topology[-1], class_weights)
    return Chain(
        layout,
        X,
        y,
        weights,
        units=UNITS,
        shares=MoveShares(),
        another_move=another_move,
        genes=genes,
        seed=seed + 1,
    )


@given(small_layouts(), st.integers(0, 2**32), st.sampled_from((-1.0, 0.1, 5.0)), st.integers(1, 600))
@settings(max_examples=40, deadline=None)
def test_what_the_loop_knows_is_what_the_classifier_does(layout, seed, price, n_rows):
    chain = new_chain(layout, seed, n_rows=n_rows, class_weights=range(1, layout.topology[-1] + 1))
    chain.check()
    for first in (0, 40, 80):
        chain.run((n_rows // 3, 20.0, 2.0, price), first, first + 40, 120)
        chain.check()
        layout.check(chain.genes[None, :])
        assert np.array_equal(layout.canonical(chain.genes), chain.genes)
    chain.restart(chain.genes)
    chain.check()
    best = chain.best()
    assert np.array_equal(best.areas, AreaModel(layout, UNITS).areas(best.genes))


def test_a_proposal_worth_taking_is_found_by_hand(data):
    """Class 1 where the first input's high bit is set, no error allowed: all the other bits are too many."""
    layout = GenomeLayout.uniform((2, 1, 2))
    X = np.stack(np.meshgrid(range(16), range(16)), axis=-1).reshape(-1, 2)
    y = (X[:, 0] >= 8).astype(int)
    genes = np.array([1, 15, 4, 1, 8, 0, -8, 1, 0, 0, 0, 1, 255, 0, 0], dtype=np.int32)
    weights = np.ones(len(y), np.int64)
    chain = Chain(layout, X, y, weights, units=UNITS, shares=MoveShares(), another_move=0.2, genes=genes, seed=5)
    start = chain.area
    chain.run((chain.errors, 2.0, 0.05, -1.0), 0, 20_000, 20_000)
    chain.check()
    assert chain.area < start
    assert chain.area < 1.0  # hardly more than the input bit that decides


@pytest.mark.parametrize("breakage", ["hidden", "scores", "selector", "errors", "area", "genes"])
def test_a_broken_update_is_noticed(breakage):
    chain = new_chain(GenomeLayout.uniform((4, 3, 3)), 4)
    chain.check()
    if breakage == "hidden":
        chain._data[3][0, chain._net[2][1] + 2, 7] += 1
    elif breakage == "scores":
        chain._data[4][0, chain._net[3][1] + 2, 7] += 16
    elif breakage == "selector":
        chain._data[3][:, 2 + 1 - chain._net[2][1]] -= 1
        chain._net[2][1] ^= 1
    elif breakage == "errors":
        chain._state[1][0] += 1
    elif breakage == "area":
        chain._state[0][0] += 0.5
    else:
        chain._net[1][-1] += 1
    with pytest.raises(AssertionError, match="annealing"):
        chain.check()


def test_a_bound_on_the_errors_is_kept_and_a_chain_above_it_never_gets_worse():
    layout = GenomeLayout.uniform((4, 3, 3))
    chain = new_chain(layout, 8)
    errors = chain.errors
    for first in range(0, 4000, 500):
        chain.run((0, 0.5, 0.1, -1.0), first, first + 500, 4000)
        assert chain.errors <= errors
        errors = chain.errors
    chain.run((errors + 10, 0.3, 0.05, -1.0), 0, 4000, 4000)
    assert chain.errors <= errors + 10
    counts = chain.counts
    assert counts["proposals"] == counts["too_large"] + counts["too_wrong"] + counts["accepted"]
    assert min(counts.values()) > 0


@pytest.mark.slow
def test_wide_sums_take_wide_accumulators():
    layout = GenomeLayout.uniform((2, 2, 3), lsb=4, msb=24, max_exponent=14)
    chain = new_chain(layout, 1)
    assert chain._data[4].dtype == np.int64
    chain.run((150, 5.0, 0.5, 0.5), 0, 200, 200)
    chain.check()


def test_many_rows_share_the_places_of_the_archive():
    chain = new_chain(GenomeLayout.uniform((3, 2, 2)), 1, n_rows=3 * BINS)
    chain.run((3 * BINS, 50.0, 5.0, 0.1), 0, 3000, 3000)
    assert 1 < len(chain.best().errors) <= BINS


def test_more_or_fewer_hidden_layers_are_refused():
    for sizes in ((3, 2), (3, 2, 2, 2)):
        with pytest.raises(ConfigError, match="annealing needs one hidden layer"):
            new_chain(GenomeLayout.uniform(sizes), 1)


def test_the_result_is_what_it_says(data):
    X, y = data
    found = run(data)
    assert 3 < len(found) <= SETTINGS.keep
    for f in found:
        layout = GenomeLayout.uniform(f.model.topology, msb=f.model.layers[0].activation.msb)
        assert f.errors == int((f.model.predict(X) != y).sum())
        assert f.area_mm2 == AreaModel(layout, UNITS).areas(layout.encode(f.model)[None])[0]
    assert [f.errors for f in found] == sorted(f.errors for f in found)
    assert found[0].errors < 0.15 * len(y)
    assert min(f.area_mm2 for f in found) < 0.5 * found[0].area_mm2
    assert len({f.model.topology[1] for f in found}) > 1


def test_class_weights_shift_the_errors(data):
    X, y = data
    found = run(data, class_weights=(1, 1, 9))
    weights = np.array([1, 1, 9])[y]
    for f in found:
        assert f.errors == int(weights[f.model.predict(X) != y].sum())


@pytest.mark.parametrize("weights", [(1, 1), (1, 0, 1), (1, 1.5, 1)])
def test_bad_class_weights_are_refused(data, weights):
    with pytest.raises(ConfigError, match="class_weights must be 3 positive integers"):
        run(data, class_weights=weights)


def test_equal_seeds_equal_bytes_whatever_the_threads(data):
    random.seed(1)
    first = run(data, threads=1)
    before = random.getstate()
    assert same(first, run(data, threads=3))
    assert random.getstate() == before
    assert not same(first, run(data, seed=4))


def test_chains_leave_the_numbers_of_blas_threads_alone(data, monkeypatch):
    """Chains that each set the limit, and lifted it while another was at work, would sum in another order."""
    seen = []
    made = anneal_tasks.start_point

    def looking(*arguments, **options):
        seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
        return made(*arguments, **options)

    before = threadpool_info()
    monkeypatch.setattr(anneal_tasks, "start_point", looking)
    run(data, threads=3)
    assert seen
    assert all(numbers == {1} for numbers in seen)
    assert threadpool_info() == before


def test_the_levels_are_told(data):
    told = []
    found = run(data, threads=1, on_progress=lambda *facts: told.append(facts))
    total = (SETTINGS.rounds + 1) * SETTINGS.chains * SETTINGS.levels
    assert [facts[:2] for facts in told] == [(n, total) for n in range(1, total + 1)]
    assert told[-1][2] == found[0].errors
    assert told[-1][3] == min(f.area_mm2 for f in found)


def interrupt_after(number):
    def callback(done, *_):
        if done == number:
            raise Stop

    return callback


@pytest.mark.parametrize("number", [1, 3, 9])
def test_an_interrupted_search_ends_as_if_it_had_not_been(data, tmp_path, number):
    file = tmp_path / "anneal.npz"
    with pytest.raises(Stop):
        run(data, threads=1, checkpoint=file, on_progress=interrupt_after(number))
    told = []
    resumed = run(data, threads=1, checkpoint=file, on_progress=lambda *facts: told.append(facts))
    assert same(resumed, run(data))
    assert len(told) == 12 - (number - 1) // 2
    assert [path.name for path in tmp_path.iterdir()] == ["anneal.npz"]


def test_a_search_can_be_stopped_at_any_time(data, tmp_path):
    assert run(data, should_stop=lambda: True) == []
    asked = count()
    file = tmp_path / "anneal.npz"
    found = run(data, threads=1, checkpoint=file, should_stop=lambda: next(asked) > 4)
    assert found
    assert same(run(data, checkpoint=file), run(data))


def test_a_checkpoint_of_another_search_or_a_damaged_one_is_refused(data, tmp_path):
    file = tmp_path / "anneal.npz"
    first = run(data, checkpoint=file)
    with pytest.warns(PrintedMLPWarning, match=r"anneal\.npz is of another search .* starting afresh"):
        run(data, checkpoint=file, seed=4)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.warns(PrintedMLPWarning, match=r"anneal\.npz cannot be read .* starting afresh"):
        assert same(run(data, checkpoint=file), first)


def test_given_start_points_are_improved(data):
    X, y = data
    start = run(data)[0].model
    found = run(data, settings=replace(SETTINGS, chains=1, rounds=0), seed=9, starts=[start])
    assert found[0].errors <= int((start.predict(X) != y).sum())
    assert {f.model.topology for f in found} == {start.topology}
    assert {f.model.layers[0].activation for f in found} == {start.layers[0].activation}


def test_the_widths_are_those_that_the_table_can_use(data):
    settings = replace(SETTINGS, widths=(16, 2), tops=(6,), rounds=0)
    found = run(data, settings=settings)
    assert {f.model.topology for f in found} == {(6, 2, 3)}
    assert {f.model.layers[0].activation for f in found} == {QReLU(4, 6)}
    assert {f.model.topology[1] for f in run(data, settings=replace(settings, widths=(16,)))} == {16}


def test_budgets_are_denser_where_errors_are_few():
    assert error_budgets(10, 100, 0.12, 4) == [10, 11, 15, 22]
    assert error_budgets(10, 100, 0.12, 1) == [22]


def test_the_best_layers_come_first():
    errors, areas = np.array([1, 2, 3, 1, 2, 3]), np.array([9.0, 5, 1, 10, 6, 2])
    assert best_layers(errors, areas, 6).tolist() == [0, 1, 2, 3, 4, 5]
    assert best_layers(errors, areas, 5).tolist() == [0, 1, 2, 3, 5]
    rng = np.random.default_rng(0)
    errors, areas = rng.integers(0, 50, 200), rng.random(200)
    front = np.flatnonzero(non_dominated(np.stack([errors, areas], axis=1)))
    assert {*front} <= {*best_layers(errors, areas, 60)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chains": 0}, "chains must be at least 1, not 0"),
        ({"rounds": -1}, "rounds must be at least 0, not -1"),
        ({"levels": 0}, "levels must be at least 1"),
        ({"proposals": 0}, "proposals must be at least 1"),
        ({"keep": 0}, "keep must be at least 1"),
        ({"max_loss": 1.5}, r"max_loss must be in 0\.\.1, not 1.5"),
        ({"another_move": float("nan")}, "another_move must be in"),
        ({"heat": 0.0}, "heat must be above 0"),
        ({"price": -1.0}, "price must be above 0"),
        ({"learning": -1.0}, "learning must be 0 or more"),
        ({"widths": ()}, "widths must have at least one entry"),
        ({"widths": (3, 65)}, r"widths must be in 1\.\.64, not 65"),
        ({"starts": ("oracle",)}, "starts: no kind 'oracle'; there are trained, tree, sparse"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        AnnealSettings(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X + 16, y), r"codes must be in 0\.\.15"),
        (lambda X, y: (X, y - 1), r"labels must be in 0\.\.2"),
        (lambda X, y: (X[:5], y), "rows of shape"),
        (lambda X, y: (X * 0.5, y), "codes must be integers"),
    ],
)
def test_rows_that_do_not_fit_are_refused(data, change, message):
    with pytest.raises(ModelError, match=message):
        run(change(*data))
