"""Work that any number of threads can share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from printedmlp.genome import Genes

Result = TypeVar("Result")


@dataclass(frozen=True)
class Job(Generic[Result]):
    """An answer in the making.

    work : called by each thread that helps; returns when nothing is left to begin.
    result : the answer, once every call of `work` has returned.
    """

    work: Callable[[], None]
    result: Callable[[], Result]


class Kernel(Protocol):
    """What `PopulationEvaluator` asks of a kernel, which holds the samples. Genes are (P, G) int32, contiguous."""

    name: str

    def errors(self, genes: Genes, budget: int) -> Job[NDArray[np.int64]]:
        """Weighted errors of each chromosome, (P,); above the budget they may be too few. ModelError for a gene."""

    def classes(self, genes: Genes) -> Job[NDArray[np.int64]]:
        """Class of each sample, (P, n_samples) int64. ModelError for a gene out of range."""
