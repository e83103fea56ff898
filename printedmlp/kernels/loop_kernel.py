"""The population kernel of `printedmlp.kernels.loops`, for any layout and without a compiler on the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels import loops
from printedmlp.kernels.job import Job

CHUNK = 8
"""Chromosomes a thread takes at a time: small, because chromosomes with few live terms are done sooner."""


class LoopKernel:
    """Counts errors and classifies with numba on one set of samples; parameters as `NativeKernel`'s."""

    name = "numba"

    def __init__(
        self,
        layout: GenomeLayout,
        codes: NDArray[np.integer],
        labels: NDArray[np.integer],
        weights: NDArray[np.int64],
    ) -> None:
        dtype = accumulator_dtype(layout)
        self._layout = layout
        self._n_samples = len(codes)
        self._form = _form(layout, dtype)
        self._samples = np.ascontiguousarray(_blocks(codes, dtype).transpose(0, 2, 1))
        self._labels = _blocks(labels, dtype)
        self._costs = _blocks(weights[labels], np.int64)

    def errors(self, genes: Genes, budget: int) -> Job[NDArray[np.int64]]:
        """Weighted errors of each chromosome of (P, G), (P,) int64; above the budget they may be too few."""
        errors = np.zeros(len(genes), dtype=np.int64)

        def work(rows: slice) -> None:
            scratch = loops.new_scratch(genes, self._samples, self._form)
            samples = (self._samples, self._labels, self._costs, budget)
            loops.count_errors(genes[rows], *samples, self._form, scratch, errors[rows])

        return Job(self._shared(genes, work), lambda: errors)

    def classes(self, genes: Genes) -> Job[NDArray[np.int64]]:
        """Class of each sample for each chromosome of (P, G), (P, n_samples) int64."""
        classes = np.zeros((len(genes), len(self._samples), loops.BLOCK), dtype=np.int64)

        def work(rows: slice) -> None:
            scratch = loops.new_scratch(genes, self._samples, self._form)
            loops.classify(genes[rows], self._samples, self._form, scratch, classes[rows])

        flat = classes.reshape(len(genes), classes.shape[1] * loops.BLOCK)
        return Job(self._shared(genes, work), lambda: flat[:, : self._n_samples])

    def _shared(self, genes: Genes, work: Callable[[slice], None]) -> Callable[[], None]:
        self._layout.check(genes)
        starts = count(0, CHUNK)

        def share() -> None:
            while (start := next(starts)) < len(genes):
                work(slice(start, start + CHUNK))

        return share


def accumulator_dtype(layout: GenomeLayout) -> type[np.int32] | type[np.int64]:
    """The narrowest integer in which no sum of any individual can wrap."""
    clips = (1 << (activation.msb + 1) for activation in layout.activations)
    return np.int32 if max(layout.largest_sum, *clips, 0) < 1 << 31 else np.int64


def _form(layout: GenomeLayout, dtype: type[np.signedinteger]) -> NDArray[np.signedinteger]:
    least_score = int(np.iinfo(dtype).min) if layout.signed_scores else 0
    ends: Sequence[tuple[int, int]] = [
        *((activation.lsb, (1 << (activation.msb + 1)) - 1) for activation in layout.activations),
        (0, least_score),
    ]
    rows = zip(layout.topology, layout.topology[1:], layout.bias_shifts, ends, strict=False)
    return np.array([(a, b, shift, *end) for a, b, shift, end in rows], dtype=dtype)


def _blocks(values: NDArray[np.integer], dtype: type[np.signedinteger]) -> NDArray[np.signedinteger]:
    n_blocks = -(-len(values) // loops.BLOCK)
    padded = np.zeros((n_blocks * loops.BLOCK, *values.shape[1:]), dtype=dtype)
    padded[: len(values)] = values
    return padded.reshape(n_blocks, loops.BLOCK, *values.shape[1:])
