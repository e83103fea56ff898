"""Training error of a whole population at once, bit-equal to `DiscreteMLP.predict`."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.cores import available_cores
from printedmlp.errors import ConfigError, ModelError, PrintedMLPWarning, ToolError
from printedmlp.genome import Genes, GenomeLayout, as_genes
from printedmlp.kernels import native
from printedmlp.kernels.compiler import find_compiler
from printedmlp.kernels.job import Job, Kernel
from printedmlp.kernels.loop_kernel import LoopKernel

Result = TypeVar("Result")

GENES_PER_THREAD = 1 << 21
"""Genes times samples that are worth the start of another thread: about 50 microseconds."""
HEAVIEST = 1 << 31
_DIGESTED_ROWS = 1 << 12
UNLIMITED = (1 << 63) - 1


class PopulationEvaluator:
    """Classifies one set of samples with any number of chromosomes.

    Parameters
    ----------
    layout : what the genes mean.
    X : (n_samples, n_features) integer codes in 0 .. 2^input_bits - 1.
    y : (n_samples,) class indices in 0 .. n_classes - 1.
    threads : worker threads; by default one per available core. The answers do not depend on it.
    class_weights : (C,) positive integers, what an error in a sample of each class counts; None counts 1 for all.
    backend : "native" compiles a kernel for this layout and machine, "numba" does not, "auto" does where it can;
        the name of one kind of native code, such as "avx2", chooses it. The answers do not depend on it.

    Raises
    ------
    ModelError : for samples or labels that do not fit the layout.
    ConfigError : for weights out of range, and for a backend that is unknown or that cannot be had.
    """

    def __init__(
        self,
        layout: GenomeLayout,
        X: ArrayLike,
        y: ArrayLike,
        *,
        threads: int | None = None,
        class_weights: Sequence[int] | NDArray[np.integer] | None = None,
        backend: str = "auto",
    ) -> None:
        codes, labels = np.asarray(X), np.asarray(y)
        _check_samples(layout, codes, labels)
        weights = _checked_weights(class_weights, layout.topology[-1])
        self.layout = layout
        self.n_samples = len(codes)
        self.total_weight = int(weights[labels].sum())
        """Weighted errors of a chromosome that is always wrong."""
        self.digest = _digest(codes, labels, weights)
        """Names the samples, the labels and the weights."""
        self._kernel = _kernel(backend, layout, codes, labels, weights)
        self._threads = threads or available_cores()
        self._pool = ThreadPoolExecutor(self._threads)

    @property
    def backend(self) -> str:
        """What runs: "avx512vnni", "avxvnni", "avx2", "portable" or "numba"."""
        return self._kernel.name

    def errors(self, population: Genes, budget: int | None = None) -> NDArray[np.int64]:
        """Weighted errors of each chromosome of (P, G), (P,) int64: the sum of the weights of the wrong samples.

        An individual that exceeds the budget may be left early; its figure is then too low, but above the budget.

        Raises
        ------
        ModelError : for genes out of range.
        """
        genes = self._genes(population)
        return self._done(self._kernel.errors(genes, UNLIMITED if budget is None else budget), genes)

    def predictions(self, population: Genes) -> NDArray[np.int64]:
        """Class index of each sample for each chromosome of (P, G), (P, n_samples) int64; raises as `errors`."""
        genes = self._genes(population)
        return self._done(self._kernel.classes(genes), genes)

    def _genes(self, population: Genes) -> Genes:
        genes = as_genes(population)
        if genes.ndim != 2 or genes.shape[1] != self.layout.size:
            self.layout.check(genes)
        return genes

    def _done(self, job: Job[Result], genes: Genes) -> Result:
        helpers = min(self._threads, 1 + genes.size * self.n_samples // GENES_PER_THREAD) - 1
        others = [self._pool.submit(job.work) for _ in range(helpers)]
        try:
            job.work()
        finally:
            # Compiled code writes into the answer's memory, which must not be given back while any thread is at it.
            wait(others)
        for other in others:
            other.result()
        return job.result()


def _kernel(
    backend: str,
    layout: GenomeLayout,
    codes: NDArray[np.integer],
    labels: NDArray[np.integer],
    weights: NDArray[np.int64],
) -> Kernel:
    kinds = {"auto", "native", "numba", *(kind.name for kind in native.VECTORS)}
    if backend not in kinds:
        raise ConfigError(f"backend must be one of {', '.join(sorted(kinds))}, not {backend!r}")
    try:
        if backend != "numba" and (kind := _native_kind(backend, layout)):
            return native.NativeKernel(layout, codes, labels, weights, kind)
    except ToolError as error:
        if backend != "auto":
            raise ConfigError(f"backend {backend!r}: {error}") from None
        warnings.warn(f"{error}; evaluating with numba, which is slower", PrintedMLPWarning, stacklevel=3)
    return LoopKernel(layout, codes, labels, weights)


def _native_kind(backend: str, layout: GenomeLayout) -> str | None:
    """Which native code to use; None where "auto" takes numba. ConfigError, ToolError where it cannot be had."""
    reason = native.misfit(layout)
    if reason and backend == "auto":
        return None
    if reason:
        raise ConfigError(f"backend {backend!r} is not for a layout with {reason}")
    kinds = native.runnable(find_compiler())
    if not kinds:
        raise ToolError(native.NO_COMPILER)
    if backend in ("auto", "native"):
        return kinds[0]
    if backend not in kinds:
        raise ConfigError(f"backend {backend!r} does not run on this processor")
    return backend


def _digest(codes: NDArray[np.integer], labels: NDArray[np.integer], weights: NDArray[np.int64]) -> str:
    digest = hashlib.sha256()
    for array in (codes, labels, weights):
        # All rows at once would take eight times the memory of the codes.
        for start in range(0, len(array), _DIGESTED_ROWS):
            digest.update(array[start : start + _DIGESTED_ROWS].astype(np.int64).tobytes())
    return digest.hexdigest()


def _checked_weights(weights: Sequence[int] | NDArray[np.integer] | None, n_classes: int) -> NDArray[np.int64]:
    values = np.ones(n_classes, dtype=np.int64) if weights is None else np.asarray(weights)
    if values.shape != (n_classes,) or values.dtype.kind not in "ui":
        raise ConfigError(f"class_weights must be {n_classes} integers, not {weights}")
    if values.min() < 1 or values.max() >= HEAVIEST:
        raise ConfigError(f"class_weights must be in 1..{HEAVIEST - 1}, not {weights}")
    return np.ascontiguousarray(values, dtype=np.int64)


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
