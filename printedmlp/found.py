"""Classifiers that a search found, by errors and area, and which of them to keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.genome import Genes, GenomeLayout
from printedmlp.model import DiscreteMLP
from printedmlp.pareto import layers


@dataclass(frozen=True)
class Found:
    """A classifier, its weighted errors on the training rows and its estimated area in mm2."""

    model: DiscreteMLP
    errors: int
    area_mm2: float


@dataclass(frozen=True)
class Candidates:
    """Chromosomes of one layout: errors (n,) int64, areas (n,) float64 in mm2, genes (n, G) int32."""

    layout: GenomeLayout
    errors: NDArray[np.int64]
    areas: NDArray[np.float64]
    genes: Genes

    def __getitem__(self, rows: NDArray[np.intp]) -> Candidates:
        return Candidates(self.layout, self.errors[rows], self.areas[rows], self.genes[rows])

    def thinned(self, keep: int) -> Candidates:
        """At most `keep` of them, by `best_layers`."""
        return self[best_layers(self.errors, self.areas, keep)]


def best_layers(errors: NDArray[np.int64], areas: NDArray[np.float64], keep: int) -> NDArray[np.intp]:
    """Indices of at most `keep` points: the non-dominated ones, then those that only they dominate, and so on.

    Within a layer fewest errors come first; of a layer that does not fit, evenly spread points are taken, its ends
    among them.
    """
    chosen = np.zeros(0, dtype=np.intp)
    for layer in layers(np.stack([errors, areas], axis=1)):
        if len(chosen) == keep:
            break
        rows = layer[np.argsort(errors[layer], kind="stable")]
        if len(rows) > keep - len(chosen):
            rows = rows[np.unique(np.linspace(0, len(rows) - 1, keep - len(chosen)).round().astype(np.intp))]
        chosen = np.concatenate([chosen, rows])
    return chosen


@dataclass(frozen=True)
class Chosen:
    """One chromosome (G,), what its genes mean, and its area in mm2."""

    layout: GenomeLayout
    genes: Genes
    area: float


class Pool:
    """Candidates of several layouts together."""

    def __init__(self, parts: Sequence[Candidates]) -> None:
        self._parts = list(parts)
        self.errors = np.concatenate([part.errors for part in parts])
        self.areas = np.concatenate([part.areas for part in parts])
        self._owners = [(part, row) for part in parts for row in range(len(part.errors))]

    def smallest_within(self, budget: int) -> Chosen:
        """The smallest with at most `budget` errors; of the fewest errors if none has so few."""
        within = self.errors <= max(budget, int(self.errors.min()))
        number = int(np.argmin(np.where(within, self.areas, np.inf)))
        part, row = self._owners[number]
        return Chosen(part.layout, part.genes[row], float(self.areas[number]))

    def found(self, keep: int) -> list[Found]:
        """At most `keep` by `best_layers`, fewest errors first, then smallest."""
        rows = best_layers(self.errors, self.areas, keep)
        rows = rows[np.lexsort((self.areas[rows], self.errors[rows]))]
        owners = [self._owners[row] for row in rows]
        return [
            Found(part.layout.decode(part.genes[row]), int(part.errors[row]), float(part.areas[row]))
            for part, row in owners
        ]
