"""The compiled kernel against the definition on every kind of vectors this machine runs, and the kept libraries."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import EXPONENT, MASK, GenomeLayout
from printedmlp.kernels import compiler, native
from printedmlp.model import QReLU
from tests.printedmlp.test_evaluate import agree, data

KINDS = native.runnable(compiler.find_compiler())
pytestmark = pytest.mark.skipif(not KINDS, reason="no C++ compiler on this machine")


def random_layout(rng, bits=None):
    """Any layout that fits: one to four layers, sizes around multiples of four, any widths."""
    sizes = tuple(int(size) for size in rng.integers(1, 11, rng.integers(2, 5)))
    n_layers = len(sizes) - 1
    activations = []
    for _ in range(n_layers - 1):
        lsb = int(rng.integers(0, 13))
        activations.append(QReLU(lsb, lsb + int(rng.integers(0, 8))))
    low = int(rng.integers(-200, 100))
    return GenomeLayout(
        (int(rng.integers(1, 22)), *sizes[1:]),
        bits or int(rng.integers(1, 9)),
        tuple(activations),
        int(rng.choice([0, 3, 6, 7, 7, 7])),
        (low, low + int(rng.integers(0, 300))),
        tuple(int(shift) for shift in rng.integers(0, 10, n_layers)),
        bool(rng.integers(2)),
    )


def random_population(layout, size, rng):
    """Dense and sparse individuals; some with every exponent at its end."""
    population = layout.random(size, rng)
    sparsity = rng.random((size, 1)) * rng.integers(0, 2, (size, 1))
    population[(layout.kinds == MASK) & (rng.random(population.shape) < sparsity)] = 0
    extreme = rng.random((size, 1)) < 0.2
    return np.where(extreme & (layout.kinds == EXPONENT), layout.max_exponent, population).astype(np.int32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_bit_equal_to_the_definition_for_random_layouts(seed, kind):
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, bits=(4, 8, None)[seed % 3])
    for n_samples in (1, 63, 64, 65, 200):
        population = random_population(layout, 12, rng)
        assert agree(layout, population, *data(layout, n_samples, rng), backend=kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(100, 112))
def test_bit_equal_to_the_definition_for_more_random_layouts(seed, kind):
    rng = np.random.default_rng(seed)
    layout = random_layout(rng)
    for n_samples in (7, 150, 600):
        population = random_population(layout, 20, rng)
        assert agree(layout, population, *data(layout, n_samples, rng), backend=kind)


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(1, 300), st.integers(0, 2**32), st.booleans())
@settings(max_examples=15, deadline=None)
def test_bit_equal_to_the_definition_for_random_samples(kind, n_samples, seed, signed):
    rng = np.random.default_rng(seed)
    layout = replace(GenomeLayout.uniform((9, 6, 5), input_bits=5), signed_scores=signed)
    assert agree(layout, random_population(layout, 8, rng), *data(layout, n_samples, rng), backend=kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("input_bits", [4, 8])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_weights_and_values_do_not_saturate(kind, input_bits, sign):
    rng = np.random.default_rng(0)
    layout = GenomeLayout.uniform((8, 8, 2), input_bits=input_bits, lsb=8, msb=15)
    population = np.tile(layout.upper, (3, 1))
    population[:, layout.kinds == 0] = sign
    population[1:, layout.kinds == 0] = rng.choice([-1, 1], population[1:, layout.kinds == 0].shape)
    X = np.full((70, 8), (1 << input_bits) - 1)
    X[35:] = rng.integers(0, 1 << input_bits, (35, 8))
    assert agree(layout, population, X, rng.integers(0, 2, 70), backend=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_of_another_shape_is_found_out(monkeypatch, kind):
    rng = np.random.default_rng(0)
    layout = GenomeLayout.uniform((8, 8, 2))
    shape = native._shape(replace(layout, max_exponent=6))  # so +128 is taken for -128
    monkeypatch.setattr(native, "_shape", lambda layout: shape)
    assert not agree(layout, layout.random(20, rng), *data(layout, 70, rng), backend=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_ties_go_to_the_lower_class(kind):
    layout = GenomeLayout.uniform((1, 3))
    genes = np.zeros((1, layout.size), dtype=np.int32)
    genes[:, layout.kinds == 0] = 1
    for bias in (-5, 0, 5):
        genes[:, layout.kinds == 3] = bias
        evaluator = PopulationEvaluator(layout, [[3]] * 6, [0, 1, 2, 0, 1, 2], backend=kind)
        assert evaluator.predictions(genes).tolist() == [[0] * 6]
        assert evaluator.errors(genes).tolist() == [4]


def test_the_fastest_kind_runs_by_default():
    layout = GenomeLayout.uniform((5, 4, 3))
    assert PopulationEvaluator(layout, np.zeros((1, 5), dtype=int), [0]).backend == KINDS[0]


def test_tiles_hold_one_class_each_and_every_sample_once():
    rng = np.random.default_rng(0)
    layout = GenomeLayout.uniform((5, 4, 3))
    X, y = data(layout, 2500, rng)
    tiles = native._Tiles(layout, X, y, 64)
    assert len(np.unique(tiles.place)) == 2500
    assert np.array_equal(tiles.classes[tiles.place // 64], y)
    present = [int(word) >> t & 1 for word in tiles.present for t in range(64)]
    assert np.array_equal(np.flatnonzero(present), np.sort(tiles.place))
    assert set(tiles.classes[: 3 * native.RUN]) == {0, 1, 2}


@pytest.fixture
def found(monkeypatch):
    """This machine's compiler."""
    monkeypatch.delenv("CXX", raising=False)
    result = compiler.find_compiler()
    assert result is not None
    return result


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    native._library.cache_clear()
    yield tmp_path / "printedmlp"
    native._library.cache_clear()


SMALL = GenomeLayout.uniform((2, 1, 2))
PROGRAM = """
import numpy as np
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import GenomeLayout
layout = GenomeLayout.uniform((2, 1, 2))
evaluator = PopulationEvaluator(layout, [[1, 2], [3, 4]], [0, 1], backend="native")
print(evaluator.errors(layout.random(50, np.random.default_rng(0))).tolist())
"""


def answers(**environment):
    """What another process answers."""
    command, here = [sys.executable, "-c", PROGRAM], Path(__file__).parents[2]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=True, cwd=here
    )
    return done.stdout


def files(folder):
    return sorted(path.suffix for path in folder.iterdir())


def test_a_library_is_built_once(cache):
    PopulationEvaluator(SMALL, [[1, 2]], [0])
    assert files(cache) == [".sha256", ".so"]
    native._library.cache_clear()
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    PopulationEvaluator(SMALL, [[1, 2]], [0])
    assert before == {path: path.stat().st_mtime_ns for path in cache.iterdir()}


@pytest.mark.parametrize("damage", ["truncated", "emptied", "overwritten", "without checksum"])
def test_a_damaged_library_is_built_anew(cache, damage):
    first = answers()
    library, checksum = next(cache.glob("*.so")), next(cache.glob("*.sha256"))
    good = library.read_bytes()
    if damage == "without checksum":
        checksum.unlink()
    else:
        library.write_bytes({"truncated": good[: len(good) // 2], "emptied": b"", "overwritten": b"x" * 99}[damage])
    assert answers() == first
    assert library.read_bytes() == good
    assert files(cache) == [".sha256", ".so"]


def test_a_library_that_cannot_be_loaded_is_built_elsewhere(cache):
    first = answers()
    library, checksum = next(cache.glob("*.so")), next(cache.glob("*.sha256"))
    library.write_bytes(b"no library")
    checksum.write_text(compiler._checksum(library), encoding="ascii")
    assert answers() == first


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    assert answers(XDG_CACHE_HOME=str(blocked)) == answers(XDG_CACHE_HOME=str(tmp_path / "new"))


def test_each_shape_kind_and_source_has_a_library_of_its_own(found, tmp_path):
    source = tmp_path / "a.cpp"
    source.write_text("int one;", encoding="utf-8")
    keys = {found._key([source], options) for options in ([], ["-DA=1"], ["-DA=2"])}
    source.write_text("int two;", encoding="utf-8")
    assert len(keys | {found._key([source], []), replace(found, macros="other")._key([source], [])}) == 5


def test_a_compiler_in_cxx_comes_first(monkeypatch, tmp_path, found):
    mine = tmp_path / "my-compiler"
    mine.write_text(f'#!/bin/sh\nexec {found.command[0]} "$@"\n', encoding="utf-8")
    mine.chmod(0o755)
    monkeypatch.setenv("CXX", f"{mine} -O1")
    chosen = compiler.find_compiler()
    assert chosen is not None
    assert chosen.command == (str(mine), "-O1")
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert compiler.find_compiler() == found


def test_a_processor_without_vectors_runs_the_portable_kind():
    assert native.runnable(compiler.Compiler(("c++",), '#define __VERSION__ "1"\n')) == ("portable",)
