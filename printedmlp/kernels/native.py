"""The population kernel in the machine's own vector code, built for one layout when it is first needed.

`population.cpp` is compiled for the shape of a layout, and for one of several kinds of vectors. All kinds give the
same answers. A layout fits where inputs and hidden values are bytes; `misfit` says why one does not.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ToolError
from printedmlp.genome import SIGN, Genes, GenomeLayout
from printedmlp.kernels.compiler import Compiler, find_compiler
from printedmlp.kernels.job import Job

FOLDER = Path(__file__).parent
ALIGNMENT = 64
RUN = 8
"""Successive tiles of one class, before those of the next: a budget should see all classes soon."""
NONE = -(1 << 31)
"""No gene has this value."""
NO_COMPILER = "no C++ compiler is found (c++, g++, clang++ or the one in CXX)"


@dataclass(frozen=True)
class Vectors:
    """A kind of vectors: macros that announce it, the compiler's flags, the source that defines it."""

    name: str
    features: tuple[str, ...]
    flags: tuple[str, ...]
    header: str


VECTORS = (
    Vectors(
        "avx512vnni",
        ("__AVX512F__", "__AVX512BW__", "__AVX512VNNI__"),
        ("-mavx512f", "-mavx512bw", "-mavx512vnni", "-mpopcnt"),
        "vector_avx512vnni.h",
    ),
    Vectors("avxvnni", ("__AVX2__", "__AVXVNNI__"), ("-mavx2", "-mavxvnni", "-mpopcnt"), "vector_avx2.h"),
    Vectors("avx2", ("__AVX2__",), ("-mavx2", "-mpopcnt"), "vector_avx2.h"),
    Vectors("portable", (), (), "vector_portable.h"),
)
"""Fastest first."""


def runnable(compiler: Compiler | None) -> tuple[str, ...]:
    """Names of the kinds of vectors that a compiler builds for this machine, fastest first; none without one."""
    return tuple(kind.name for kind in VECTORS if compiler.has(*kind.features)) if compiler else ()


def misfit(layout: GenomeLayout) -> str | None:
    """Why a layout is none for this kernel; None where it is one."""
    reasons = {
        "more than 8 input bits": layout.input_bits > 8,
        "a hidden activation of more than 8 bits": any(a.width > 8 for a in layout.activations),
        "an activation beyond bit 30": any(a.msb > 30 for a in layout.activations),
        "exponents above 7": layout.max_exponent > 7,
        "sums that need more than 32 bits": layout.largest_sum >= (1 << 31) - 1,
        "a machine that stores the highest byte first": sys.byteorder != "little",
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


class _Samples(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("bytes", "classes", "present", "weights")),
        ("n_tiles", ctypes.c_int64),
    )


class _Population(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("genes", "lower", "upper", "excluded")),
        ("size", ctypes.c_int64),
    )


class NativeKernel:
    """Counts errors and classifies, as compiled code, on one set of samples.

    Parameters
    ----------
    layout : one without `misfit`.
    codes : (n_samples, n_features) integers in range.
    labels : (n_samples,) class indices.
    weights : (C,) int64 weight of a wrong sample of each class.
    name : one of `runnable`.

    Raises
    ------
    ToolError : where there is no compiler, or it fails.
    """

    def __init__(
        self,
        layout: GenomeLayout,
        codes: NDArray[np.integer],
        labels: NDArray[np.integer],
        weights: NDArray[np.int64],
        name: str,
    ) -> None:
        self.name = name
        self._layout = layout
        self._library = _library(name, _shape(layout))
        self._tiles = _Tiles(layout, codes, labels, int(self._library.tile_samples()))
        self._limits = (layout.lower, layout.upper, np.where(layout.kinds == SIGN, 0, NONE).astype(np.int32))
        self._weights = weights
        tiles = self._tiles
        pointers = (array.ctypes.data for array in (tiles.bytes, tiles.classes, tiles.present, weights))
        self._samples = _Samples(*pointers, len(tiles.classes))

    def errors(self, genes: Genes, budget: int) -> Job[NDArray[np.int64]]:
        """Weighted errors of each chromosome of (P, G), (P,) int64; above the budget they may be too few."""
        errors = np.zeros(len(genes), dtype=np.int64)
        work = self._work(genes, self._library.count_errors, ctypes.c_int64(budget), result=errors)
        return Job(work, lambda: errors)

    def classes(self, genes: Genes) -> Job[NDArray[np.int64]]:
        """Class of each sample for each chromosome of (P, G), (P, n_samples) int64."""
        n_lanes = self._tiles.present.size * self._tiles.size
        classes = np.zeros((len(genes), n_lanes), dtype=np.int32)
        work = self._work(genes, self._library.classify, result=classes)
        return Job(work, lambda: classes[:, self._tiles.place].astype(np.int64))

    def _work(
        self,
        genes: Genes,
        function: Callable[..., int],
        *options: ctypes.c_int64,
        result: NDArray[np.integer],
    ) -> Callable[[], None]:
        arrays = (genes, *self._limits)
        population = _Population(*(array.ctypes.data for array in arrays), len(genes))
        claimed = ctypes.c_int64(0)
        arguments = (ctypes.byref(population), ctypes.byref(self._samples), *options, ctypes.byref(claimed))

        def work() -> None:
            # An address keeps no array alive; what this closure names lives as long as the work.
            if not function(*arguments, ctypes.c_void_p(result.ctypes.data)):
                self._layout.check(arrays[0])
                raise AssertionError("the kernel and the layout disagree on a gene's range")

        return work


class _Tiles:
    """Samples as the kernel reads them: tiles of one class each, padded, four features a 32-bit lane.

    size : samples a tile.
    bytes : (n_tiles, groups of four features, size, 4) uint8; features of at most 4 bits twice in their byte.
    classes : (n_tiles,) int32. present : (n_tiles,) uint64, bit t says whether sample t is none of the padding.
    place : (n_samples,) where each sample went, counted over all tiles.
    """

    def __init__(
        self, layout: GenomeLayout, codes: NDArray[np.integer], labels: NDArray[np.integer], size: int
    ) -> None:
        self.size = size
        tiles = _tiles_of_one_class(labels, size)
        self.classes = np.array([labels[rows[0]] for rows in tiles], dtype=np.int32)
        self.present = np.array([(1 << len(rows)) - 1 for rows in tiles], dtype=np.uint64)
        self.place = np.zeros(len(labels), dtype=np.int64)
        for tile, rows in enumerate(tiles):
            self.place[rows] = tile * size + np.arange(len(rows))
        groups = -(-codes.shape[1] // 4)
        flat = np.zeros((len(tiles) * size, 4 * groups), dtype=np.uint8)
        flat[self.place, : codes.shape[1]] = codes * (17 if layout.input_bits <= 4 else 1)
        self.bytes = _aligned(flat.reshape(len(tiles), size, groups, 4).transpose(0, 2, 1, 3))


def _tiles_of_one_class(labels: NDArray[np.integer], size: int) -> list[NDArray[np.int64]]:
    """Rows of each tile; the classes take turns, `RUN` tiles at a time."""
    runs = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        tiles = [rows[start : start + size] for start in range(0, len(rows), size)]
        runs += [(start / len(tiles), tiles[start : start + RUN]) for start in range(0, len(tiles), RUN)]
    return [tile for _, run in sorted(runs, key=lambda run: run[0]) for tile in run]


def _aligned(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    space = np.empty(values.size + ALIGNMENT, dtype=np.uint8)
    start = -space.ctypes.data % ALIGNMENT
    result = space[start : start + values.size].reshape(values.shape)
    result[...] = values
    return result


def _shape(layout: GenomeLayout) -> tuple[str, ...]:
    """The layout as the compiler's definitions: nothing but integers."""
    values: dict[str, Sequence[int]] = {
        "LAYER_SIZES": layout.topology,
        "INPUT_BITS_OF": layout.input_widths,
        "BIAS_SHIFTS_OF": layout.bias_shifts,
        "LSB_OF": (*(activation.lsb for activation in layout.activations), 0),
        "MAX_EXPONENT": (layout.max_exponent,),
        "SIGNED_SCORES": (int(layout.signed_scores),),
    }
    return tuple(f"-D{name}={','.join(map(str, map(int, numbers)))}" for name, numbers in values.items())


@cache
def _library(name: str, shape: tuple[str, ...]) -> ctypes.CDLL:
    compiler = find_compiler()
    if compiler is None:
        raise ToolError(NO_COMPILER)
    kind = next(kind for kind in VECTORS if kind.name == name)
    sources = [FOLDER / name for name in ("population.cpp", "program.h", kind.header)]
    library = compiler.library(sources, [*kind.flags, f'-DVECTOR_HEADER="{kind.header}"', *shape])
    for function in (library.tile_samples, library.count_errors, library.classify):
        function.restype = ctypes.c_int64
    return library
