"""What every stage of a design run is given: settings, run folder, technology, and the files of earlier stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

import numpy as np

from flows.config import DesignConfig
from flows.progress import Reporter
from flows.run import Run
from printedmlp.cores import available_cores
from printedmlp.samples import Dataset
from printedmlp.technology import Technology
from printedmlp.vectors import Vectors, read_vectors

Item = TypeVar("Item")
Result = TypeVar("Result")
STREAMS = (
    *("exact", "starts", "paper", "tree", "approximate trees", "search", "jitter", "refine", "areas", "power"),
    *("forests", "teacher", "thermometer", "layout", "given"),
)


@dataclass(frozen=True)
class Job:
    """One design run.

    Attributes
    ----------
    config : the settings, hidden sizes filled in.
    dataset : the user's table.
    technology : the cells that circuits are mapped to.
    run : the run folder.
    reporter : where progress is told.
    stop : set once the user asks for what is found so far; searches then end early.
    """

    config: DesignConfig
    dataset: Dataset
    technology: Technology
    run: Run
    reporter: Reporter
    stop: Event = field(default_factory=Event)

    @property
    def topology(self) -> tuple[int, ...]:
        """Layer sizes from the inputs to the classes."""
        return (self.dataset.n_features, *(self.config.hidden or ()), self.dataset.n_classes)

    def rng(self, stream: str, *number: int) -> np.random.Generator:
        """The random generator of one stage, or of one of its tasks: the same in every run with this seed."""
        return np.random.default_rng([self.config.seed, STREAMS.index(stream), *number])

    def vectors(self, part: str) -> Vectors:
        """The quantised rows of "train", "validation" or "test", as the data stage wrote them, or of a teacher."""
        record = self.run.read_json("dataset.json")
        bus_bits = self.dataset.n_features * self.config.input_bits
        read = read_vectors(self.run.path("vectors", f"{part}.csv"), bus_bits)
        return Vectors(read.codes, read.y, record["n_classes"], record["majority_class"])

    def in_parallel(self, title: str, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Apply `work` to every item on all cores, results in the items' order, progress shown."""
        todo = list(items)
        with self.reporter.bar(title, len(todo)) as bar, ThreadPoolExecutor(available_cores()) as pool:
            futures = [pool.submit(work, item) for item in todo]
            try:
                for future in futures:
                    yield future.result()
                    bar.step()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


Stage = Callable[[Job], list[str]]
