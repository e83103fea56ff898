import hashlib
import threading
import time
import warnings
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError, ModelError, PrintedMLPWarning
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import MASK, GenomeLayout
from printedmlp.kernels import compiler, jit, loops, native
from printedmlp.kernels.compiler import find_compiler
from printedmlp.kernels.job import Job
from printedmlp.kernels.loop_kernel import accumulator_dtype
from printedmlp.model import QReLU
from tests.printedmlp.test_genome import HAND_GENES, layouts

BACKENDS = ("numba", *native.runnable(find_compiler()))


@pytest.fixture
def no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")


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


@pytest.mark.parametrize("backend", BACKENDS)
def test_by_hand(backend):
    layout = GenomeLayout.uniform((2, 1, 2))
    genes = np.array([HAND_GENES], dtype=np.int32)
    # The hidden sum is ((x0 & 10) << 3) - x1 - 80, and 80 is the most the mask lets through of input 0.
    # So the hidden value is always 0, class 0 scores 7 << 8 and class 1 max(-8 << 8, 0) = 0.
    evaluator = PopulationEvaluator(layout, [[15, 0], [0, 15]], [0, 1], backend=backend)
    assert evaluator.predictions(genes).tolist() == [[0, 0]]
    assert evaluator.errors(genes).tolist() == [1]


@given(layouts(), st.integers(1, 3 * loops.BLOCK), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_bit_equal_to_the_definition(layout, n_samples, sparsity, seed):
    rng = np.random.default_rng(seed)
    population = layout.random(3, rng)
    population[(layout.kinds == MASK) & (rng.random(population.shape) < sparsity)] = 0
    assert agree(layout, population, *data(layout, n_samples, rng), backend="numba")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n_samples", [1, loops.BLOCK - 1, loops.BLOCK, loops.BLOCK + 1])
def test_block_edges_on_a_published_topology(n_samples, backend):
    rng = np.random.default_rng(n_samples)
    layout = GenomeLayout.uniform((16, 5, 10))
    assert agree(layout, layout.random(20, rng), *data(layout, n_samples, rng), backend=backend)


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


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_empty_population_has_no_errors(backend):
    layout = GenomeLayout.uniform((5, 4, 3))
    evaluator = PopulationEvaluator(layout, *data(layout, 10, np.random.default_rng(0)), backend=backend)
    nobody = layout.random(0, np.random.default_rng(0))
    assert evaluator.errors(nobody).shape == (0,)
    assert evaluator.predictions(nobody).shape == (0, 10)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_error_counts_the_weight_of_its_class(backend):
    rng = np.random.default_rng(3)
    layout = GenomeLayout.uniform((5, 4, 3))
    X, y = data(layout, 1100, rng)
    population, weights = layout.random(30, rng), np.array([1, 20, 300])
    evaluator = PopulationEvaluator(layout, X, y, class_weights=weights, backend=backend)
    wrong = evaluator.predictions(population) != y
    assert np.array_equal(evaluator.errors(population), (wrong * weights[y]).sum(axis=1))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_spent_budget_ends_the_count(backend):
    rng = np.random.default_rng(4)
    layout = GenomeLayout.uniform((5, 4, 3))
    evaluator = PopulationEvaluator(layout, *data(layout, 3000, rng), backend=backend)
    population = layout.random(60, rng)
    full = evaluator.errors(population)
    budget = int(np.median(full))
    found = evaluator.errors(population, budget)
    within = full <= budget
    assert np.array_equal(found[within], full[within])
    assert (found[~within] > budget).all()
    assert (evaluator.errors(population, 0) < full).any()


@pytest.mark.parametrize("weights", [[1, 2], [1, 2, 0], [1, 2, 1.5], [1, 2, 1 << 40]])
def test_bad_weights_are_refused(weights):
    layout = GenomeLayout.uniform((5, 4, 3))
    with pytest.raises(ConfigError, match="class_weights must be"):
        PopulationEvaluator(layout, np.zeros((1, 5), dtype=int), [0], class_weights=weights)


def test_the_digest_tells_samples_labels_and_weights_but_no_backend():
    layout = GenomeLayout.uniform((2, 1, 2))
    one = PopulationEvaluator(layout, [[1, 2]], [0]).digest
    assert one == PopulationEvaluator(layout, [[1, 2]], [0], backend="numba", class_weights=[1, 1]).digest
    others = [([[1, 3]], [0], [1, 1]), ([[1, 2]], [1], [1, 1]), ([[1, 2]], [0], [1, 2])]
    assert one not in {PopulationEvaluator(layout, X, y, class_weights=w).digest for X, y, w in others}


def test_the_digest_is_that_of_all_samples_at_once(monkeypatch):
    layout = GenomeLayout.uniform((3, 1, 2))
    codes = np.random.default_rng(5).integers(16, size=(3, 11), dtype=np.uint8).T
    labels = np.arange(11) % 2
    whole = b"".join(np.ascontiguousarray(array, np.int64).tobytes() for array in (codes, labels, [1, 1]))
    for rows in (1, 4, 11, 100):
        monkeypatch.setattr("printedmlp.evaluate._DIGESTED_ROWS", rows)
        evaluator = PopulationEvaluator(layout, codes, labels, backend="numba")
        assert evaluator.digest == hashlib.sha256(whole).hexdigest()


def test_without_a_compiler_numba_works_and_says_so(no_compiler):
    rng = np.random.default_rng(1)
    layout = GenomeLayout.uniform((5, 4, 3))
    with pytest.warns(PrintedMLPWarning, match="no C\\+\\+ compiler is found.*numba, which is slower"):
        evaluator = PopulationEvaluator(layout, *data(layout, 100, rng))
    assert evaluator.backend == "numba"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert agree(layout, layout.random(5, rng), *data(layout, 100, rng), backend="numba")


@pytest.mark.parametrize("backend", ["native", "avx2", "portable"])
def test_native_code_without_a_compiler_is_refused(no_compiler, backend):
    with pytest.raises(ConfigError, match=f"backend '{backend}': no C\\+\\+ compiler is found"):
        PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), [[1, 2]], [0], backend=backend)


def test_a_compiler_that_fails_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(compiler, "BUILD", ("-no-such-option",))
    native._library.cache_clear()
    with pytest.warns(PrintedMLPWarning, match=r"failed \(1\): .*no-such-option"):
        assert PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), [[1, 2]], [0]).backend == "numba"


def test_an_unknown_backend_is_refused():
    with pytest.raises(ConfigError, match=r"backend must be one of auto, .*not 'cuda'"):
        PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), [[1, 2]], [0], backend="cuda")


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (GenomeLayout.uniform((2, 1, 2), input_bits=9), "more than 8 input bits"),
        (GenomeLayout.uniform((2, 1, 2), msb=12), "a hidden activation of more than 8 bits"),
        (GenomeLayout.uniform((2, 1, 2), max_exponent=8), "exponents above 7"),
        (GenomeLayout((2, 1, 2), 1, (QReLU(31, 31),), 0, (0, 1), (0, 0)), "an activation beyond bit 30"),
        (GenomeLayout((2, 2), 1, (), 0, (0, 1), (31,)), "sums that need more than 32 bits"),
    ],
)
def test_layouts_that_are_not_for_native_code(layout, reason):
    assert native.misfit(layout) == reason
    assert PopulationEvaluator(layout, [[1, 1]], [0]).backend == "numba"
    with pytest.raises(ConfigError, match=f"backend 'native' is not for a layout with {reason}"):
        PopulationEvaluator(layout, [[1, 1]], [0], backend="native")


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


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("gene", "value"), [(2, 40), (0, 0), (0, 2), (1, 16), (1, -1), (6, 1000), (6, -(1 << 31))])
def test_genes_out_of_range_are_refused(backend, threads, gene, value):
    layout = GenomeLayout.uniform((2, 1, 2))
    genes = np.array([HAND_GENES] * 300, dtype=np.int32)
    genes[299, gene] = value
    evaluator = PopulationEvaluator(layout, [[1, 2]] * 5000, [0] * 5000, backend=backend, threads=threads)
    for ask in (evaluator.errors, evaluator.predictions):
        with pytest.raises(ModelError, match=f"individual 299, gene {gene}: value {value}"):
            ask(genes)


def test_no_thread_is_at_work_any_more_when_a_gene_is_refused():
    """Compiled code writes to an address; the memory there is anybody's once the caller has left."""
    evaluator = PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), [[1, 2]] * 5000, [0] * 5000, threads=2)
    helping, done = threading.Event(), []

    def work():
        if threading.current_thread() is threading.main_thread():
            assert helping.wait(10)
            raise ModelError("a gene out of range")
        helping.set()
        time.sleep(0.2)
        done.append("helper")

    evaluator._kernel = SimpleNamespace(errors=lambda genes, budget: Job(work, lambda: None))
    with pytest.raises(ModelError, match="a gene out of range"):
        evaluator.errors(np.array([HAND_GENES] * 300, dtype=np.int32))
    assert done == ["helper"]


def test_work_keeps_its_answer_alive():
    layout = GenomeLayout.uniform((2, 1, 2))
    evaluator = PopulationEvaluator(layout, [[1, 2]], [0])
    job = evaluator._kernel.errors(np.array([HAND_GENES], dtype=np.int32), 1)
    answer = weakref.ref(job.result())
    work = job.work
    del job
    assert answer() is not None
    work()
    del work
    assert answer() is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_genes_of_another_shape_are_refused(backend):
    evaluator = PopulationEvaluator(GenomeLayout.uniform((2, 1, 2)), [[1, 2]], [0], backend=backend)
    for genes in (np.ones((3, 14), dtype=np.int32), np.array(HAND_GENES, dtype=np.int32)):
        with pytest.raises(ModelError, match="genes of shape"):
            evaluator.errors(genes)


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
