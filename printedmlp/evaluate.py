"""Training error of a whole population at once, bit-equal to `DiscreteMLP.predict`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.cores import available_cores
from printedmlp.errors import ModelError
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels import loops

CHUNK = 8
"""Chromosomes a thread takes at a time: small, because chromosomes with few live terms are done sooner."""


class PopulationEvaluator:
    """Classifies one set of samples with any number of chromosomes.

    Parameters
    ----------
    layout : what the genes mean.
    X : (n_samples, n_features) integer codes in 0 .. 2^input_bits - 1.
    y : (n_samples,) class indices in 0 .. n_classes - 1.
    threads : worker threads; by default one per available core. The answers do not depend on it.

    Raises
    ------
    ModelError : for samples or labels that do not fit the layout.
    """

    def __init__(self, layout: GenomeLayout, X: ArrayLike, y: ArrayLike, *, threads: int | None = None) -> None:
        codes, labels = np.asarray(X), np.asarray(y)
        _check_samples(layout, codes, labels)
        self.layout = layout
        self.n_samples = len(codes)
        self._dtype = accumulator_dtype(layout)
        self._form = _kernel_form(layout, self._dtype)
        self._samples, self._labels = _in_blocks(codes, labels, self._dtype)
        self.digest = hashlib.sha256(self._samples.tobytes() + self._labels.tobytes()).hexdigest()
        """Names the samples and labels."""
        self._pool = ThreadPoolExecutor(threads or available_cores())

    def errors(self, population: Genes) -> NDArray[np.int64]:
        """Number of samples that each chromosome of (P, G) classifies wrongly, (P,) int64."""
        correct = np.zeros(len(population), dtype=np.int64)
        self._run(population, partial(self._count_correct, correct))
        return self.n_samples - correct

    def predictions(self, population: Genes) -> NDArray[np.int64]:
        """Class index of each sample for each chromosome of (P, G), (P, n_samples) int64."""
        n_blocks = len(self._samples)
        classes = np.zeros((len(population), n_blocks, loops.BLOCK), dtype=np.int64)
        self._run(population, partial(self._classify, classes))
        return classes.reshape(len(population), -1)[:, : self.n_samples]

    def _run(self, population: Genes, kernel: Callable[[slice, Genes], None]) -> None:
        genes = np.ascontiguousarray(population, dtype=np.int32)
        self.layout.check(genes)
        starts = range(0, len(genes), CHUNK)
        list(
            self._pool.map(lambda start: kernel(slice(start, start + CHUNK), genes[start : start + CHUNK]), starts)
        )

    def _count_correct(self, correct: NDArray[np.int64], rows: slice, genes: Genes) -> None:
        scratch = loops.new_scratch(genes, self._samples, self._form)
        loops.count_correct(genes, self._samples, self._labels, self._form, scratch, correct[rows])

    def _classify(self, classes: NDArray[np.int64], rows: slice, genes: Genes) -> None:
        scratch = loops.new_scratch(genes, self._samples, self._form)
        loops.classify(genes, self._samples, self._form, scratch, classes[rows])


def accumulator_dtype(layout: GenomeLayout) -> type[np.int32] | type[np.int64]:
    """The narrowest integer in which no sum of any individual can wrap."""
    clips = (1 << (activation.msb + 1) for activation in layout.activations)
    return np.int32 if max(layout.largest_sum, *clips, 0) < 1 << 31 else np.int64


def _kernel_form(layout: GenomeLayout, dtype: type[np.signedinteger]) -> NDArray[np.signedinteger]:
    least_score = int(np.iinfo(dtype).min) if layout.signed_scores else 0
    ends: Sequence[tuple[int, int]] = [
        *((activation.lsb, (1 << (activation.msb + 1)) - 1) for activation in layout.activations),
        (0, least_score),
    ]
    rows = zip(layout.topology, layout.topology[1:], layout.bias_shifts, ends, strict=False)
    return np.array([(a, b, shift, *end) for a, b, shift, end in rows], dtype=dtype)


def _in_blocks(
    codes: NDArray[np.integer], labels: NDArray[np.integer], dtype: type[np.signedinteger]
) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
    n_blocks = -(-len(codes) // loops.BLOCK)
    samples = np.zeros((n_blocks * loops.BLOCK, codes.shape[1]), dtype=dtype)
    samples[: len(codes)] = codes
    padded = np.full(n_blocks * loops.BLOCK, -1, dtype=dtype)
    padded[: len(labels)] = labels
    blocks = samples.reshape(n_blocks, loops.BLOCK, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(blocks), padded.reshape(n_blocks, loops.BLOCK)


def _check_samples(layout: GenomeLayout, codes: NDArray[Any], labels: NDArray[Any]) -> None:
    if codes.ndim != 2 or codes.shape[1] != layout.topology[0]:
        raise ModelError(f"samples of shape {codes.shape}, expected (n_samples, {layout.topology[0]})")
    if labels.shape != (len(codes),) or not len(codes):
        raise ModelError(f"labels of shape {labels.shape} for {len(codes)} samples")
    for name, values, stop in (("code", codes, 1 << layout.input_bits), ("label", labels, layout.topology[-1])):
        if values.dtype.kind not in "ui":
            raise ModelError(f"{name}s must be integers, not {values.dtype}")
        bad = np.argwhere((values < 0) | (values >= stop))
        if len(bad):
            raise ModelError(f"sample {bad[0][0]}: {name} {values[tuple(bad[0])]} is not in 0..{stop - 1}")
