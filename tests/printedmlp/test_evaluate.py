from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ModelError
from printedmlp.evaluate import PopulationEvaluator, accumulator_dtype
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.kernels import jit, loops
from printedmlp.model import QReLU
from tests.printedmlp.test_genome import HAND_GENES, layouts


def data(layout, n_samples, rng):
    X = rng.integers(0, 1 << layout.input_bits, (n_samples, layout.topology[0]))
    return X, rng.integers(0, layout.topology[-1], n_samples)


def agree(layout, population, X, y, **options):
    """Whether the kernel and the definition give the same class on every sample."""
    evaluator = PopulationEvaluator(layout, X, y, **options)
    wanted = np.array([layout.decode(genes).predict(X) for genes in population])
    return np.array_equal(evaluator.predictions(population), wanted) and np.array_equal(
        evaluator.errors(population), (wanted != y).sum(axis=1)
    )


def test_by_hand():
    layout = GenomeLayout.uniform((2, 1, 2))
    genes = np.array([HAND_GENES], dtype=np.int32)
    # The hidden sum is ((x0 & 10) << 3) - x1 - 80, and 80 is the most the mask lets through of input 0.
    # So the hidden value is always 0, class 0 scores 7 << 8 and class 1 max(-8 << 8, 0) = 0.
    evaluator = PopulationEvaluator(layout, [[15, 0], [0, 15]], [0, 1])
    assert evaluator.predictions(genes).tolist() == [[0, 0]]
    assert evaluator.errors(genes).tolist() == [1]


@given(layouts(), st.integers(1, 3 * loops.BLOCK), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_bit_equal_to_the_definition(layout, n_samples, sparsity, seed):
    rng = np.random.default_rng(seed)
    population = layout.random(3, rng)
    population[(layout.kinds == MASK) & (rng.random(population.shape) < sparsity)] = 0
    assert agree(layout, population, *data(layout, n_samples, rng))


@pytest.mark.parametrize("n_samples", [1, loops.BLOCK - 1, loops.BLOCK, loops.BLOCK + 1])
@pytest.mark.parametrize("signed_scores", [False, True])
def test_block_edges_on_a_published_topology(n_samples, signed_scores):
    rng = np.random.default_rng(n_samples)
    layout = replace(GenomeLayout.uniform((16, 5, 10)), signed_scores=signed_scores)
    assert agree(layout, layout.random(20, rng), *data(layout, n_samples, rng))


def test_sums_beyond_int32_take_int64():
    rng = np.random.default_rng(5)
    layout = GenomeLayout((4, 3, 3), 16, (QReLU(20, 40),), 20, (-128, 127), (20, 28))
    assert accumulator_dtype(layout) is np.int64
    assert accumulator_dtype(GenomeLayout.uniform((16, 5, 10))) is np.int32
    assert agree(layout, layout.random(20, rng), *data(layout, 700, rng))


def test_a_clip_beyond_int32_takes_int64():
    layout = GenomeLayout((2, 2, 2), 1, (QReLU(20, 31),), 0, (0, 1), (0, 0))
    assert layout.largest_sum < 1 << 31
    assert accumulator_dtype(layout) is np.int64


def test_threads_do_not_change_the_answer():
    rng = np.random.default_rng(2)
    layout = GenomeLayout.uniform((5, 4, 3))
    X, y = data(layout, 1000, rng)
    population = layout.random(53, rng)
    answers = [PopulationEvaluator(layout, X, y, threads=n).errors(population) for n in (1, 3)]
    assert np.array_equal(answers[0], answers[1])


def test_an_empty_population_has_no_errors():
    layout = GenomeLayout.uniform((5, 4, 3))
    evaluator = PopulationEvaluator(layout, *data(layout, 10, np.random.default_rng(0)))
    assert evaluator.errors(layout.random(0, np.random.default_rng(0))).shape == (0,)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1]], [0], "samples of shape"),
        ([[1, 2]], [0, 1], "labels of shape"),
        ([[1, 16]], [0], "sample 0: code 16 is not in 0..15"),
        ([[1, 2], [1, 2]], [0, 2], "sample 1: label 2 is not in 0..1"),
        ([[1, 2]], [-1], "sample 0: label -1"),
        ([[0.5, 2.0]], [0], "codes must be integers"),
        (np.zeros((0, 2), dtype=int), np.zeros(0, dtype=int), "labels of shape"),
    ],
)
def test_bad_samples_are_refused(X, y, message):
    with pytest.raises(ModelError, match=message):
        PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), X, y)


def test_genes_out_of_range_are_refused():
    layout = GenomeLayout.uniform((2, 1, 2))
    genes = np.array([HAND_GENES], dtype=np.int32)
    genes[0, 2] = 40
    with pytest.raises(ModelError, match="gene 2: value 40"):
        PopulationEvaluator(layout, [[1, 2]], [0]).errors(genes)


def test_no_place_to_cache_is_no_obstacle(monkeypatch):
    asked = []

    def without_cache(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(jit, "njit", without_cache)
    assert jit.compiled(abs) is abs
    assert [bool(options.get("cache")) for options in asked] == [True, False]
