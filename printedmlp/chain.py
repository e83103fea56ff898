"""One chain of simulated annealing: the arrays of the compiled loop around one chromosome of one hidden layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from printedmlp.area import AreaUnits, area_form, scratch_size
from printedmlp.errors import ConfigError
from printedmlp.found import Candidates
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels import anneal as loop
from printedmlp.kernels import incremental
from printedmlp.kernels.area import count_areas
from printedmlp.kernels.incremental import BLOCK
from printedmlp.moves import MoveShares, move_form, new_log

BINS = 1024
"""Most different error counts of which a chain remembers the smallest circuit."""


class Chain:
    """A chromosome that is annealed, everything known about it, and the best ones it has been.

    Parameters
    ----------
    layout : with one hidden layer.
    X : (n_samples, n_features) integer codes.
    y : (n_samples,) class indices.
    weights : (n_samples,) integers of 1 or more: what a wrong row counts.
    units : areas of the pieces of a circuit.
    genes : (G,) where to start.
    seed : of all its chance, 1 to 2^63.

    Raises
    ------
    ConfigError : for a layout with any other number of hidden layers, or whose scores need more than 62 bits.
    """

    def __init__(
        self,
        layout: GenomeLayout,
        X: NDArray[np.integer],
        y: NDArray[np.integer],
        weights: NDArray[np.integer],
        *,
        units: AreaUnits,
        shares: MoveShares,
        genes: Genes,
        seed: int,
        another_move: float,
    ) -> None:
        if len(layout.topology) != 3:
            raise ConfigError(f"topology: annealing needs one hidden layer, not {layout.topology}")
        self.layout = layout
        self._rows = (np.asarray(X), np.asarray(y), np.asarray(weights, dtype=np.int64))
        self._again = another_move
        self._dtype = _accumulator(layout)
        _n_inputs, n_hidden, n_classes = layout.topology
        selectors = np.zeros(n_hidden, np.int64), np.zeros(n_classes, np.int64)
        self._net = (_net_form(layout), layout.canonical(genes), *selectors)
        self._plan = _new_plan(layout, self._dtype)
        log = new_log(layout, loop.MOST_MOVES)
        chance = np.array([seed], dtype=np.uint64)
        owners = layout.neurons.astype(np.int64)
        self._moves = (move_form(layout), shares.thresholds(), chance, log, owners)
        self._cost = (area_form(layout), units.array(), np.zeros(scratch_size(layout), np.int64))
        step = int(self._rows[2].sum()) // BINS + 1
        self._archive = (
            np.full(BINS, np.inf),
            np.zeros(BINS, np.int64),
            np.zeros((BINS, layout.size), np.int32),
        )
        self._state = (np.zeros(1), np.zeros(6, np.int64), np.zeros(n_hidden + n_classes, np.int64))
        self._state[1][loop.BIN] = step
        self._order = np.arange(len(self._rows[1]))
        self._data = self._lay_out()
        self.restart(genes)

    @property
    def genes(self) -> Genes:
        """A copy of the chromosome as it is now, (G,)."""
        return self._net[1].copy()

    @property
    def errors(self) -> int:
        """Its weighted errors."""
        return int(self._state[1][loop.ERRORS])

    @property
    def area(self) -> float:
        """Its area in the unit of the technology's cells, mm2."""
        return float(self._state[0][0])

    @property
    def counts(self) -> dict[str, int]:
        """How the proposals so far ended: in all, too large, too wrong, accepted."""
        numbers = self._state[1][[loop.PROPOSALS, loop.TOO_LARGE, loop.TOO_WRONG, loop.ACCEPTED]].tolist()
        return dict(zip(("proposals", "too_large", "too_wrong", "accepted"), numbers, strict=True))

    def restart(self, genes: Genes) -> None:
        """Go on from other genes, (G,); rows that they barely get right, or wrong, come first from now on."""
        self._net[1][:] = self.layout.canonical(genes)
        self._recompute()
        scores = self._scores()
        self._order = self._order[np.argsort(_margins(scores, self._rows[1][self._order]), kind="stable")]
        self._data = self._lay_out()
        self._recompute()

    def run(self, rule: tuple[int, float, float, float], first: int, stop: int, total: int) -> None:
        """Proposals `first` to `stop` of a schedule of `total`.

        Parameters
        ----------
        rule : bound on the errors, first and last temperature in mm2, and the errors that a mm2 is worth, negative
            where only the bound counts.
        """
        loop.anneal(
            self._net,
            self._data,
            self._plan,
            self._moves,
            self._cost,
            self._archive,
            self._state,
            (int(rule[0]), float(rule[1]), float(rule[2]), float(rule[3]), self._again),
            first,
            stop,
            total,
        )

    def check(self) -> None:
        """Raise AssertionError unless everything known of the chromosome is what a fresh computation gives."""
        X, y, weights = self._rows
        model = self.layout.decode(self._net[1])
        wrong = int(weights[model.predict(X) != y].sum())
        assert self.errors == wrong, f"annealing counts {self.errors} errors where there are {wrong}"
        hidden = np.array(model.layers[0].activation(model.sums(X)[0]))[self._order]
        assert np.array_equal(self._held(3, self._net[2]), hidden), "annealing holds wrong hidden values"
        assert np.array_equal(self._scores(), model.sums(X)[1][self._order]), "annealing holds wrong scores"
        area = self._area()
        assert self.area == area, f"annealing counts {self.area} mm2 where there are {area}"

    def best(self) -> Candidates:
        """The smallest chromosomes for each error count met (several counts together on many rows)."""
        areas, errors, genes = self._archive
        found = np.isfinite(areas)
        return Candidates(self.layout, errors[found], areas[found], genes[found])

    def _recompute(self) -> None:
        self._state[1][loop.ERRORS] = incremental.evaluate_all(self._net, self._data, self._plan, self._state[2])
        self._state[0][0] = self._area()
        loop.remember(self._net[1], self._archive, self.errors, self.area, int(self._state[1][loop.BIN]))

    def _area(self) -> float:
        out = np.zeros(1)
        count_areas(self._net[1][None, :], *self._cost, out)
        return float(out[0])

    def _held(self, part: int, selectors: NDArray[np.int64]) -> NDArray[np.int64]:
        """Values that hold, (n_samples, n_neurons), in the order of the rows."""
        rows = 2 * np.arange(len(selectors)) + selectors
        values = self._data[part][:, rows].transpose(0, 2, 1).reshape(-1, len(selectors))
        return np.asarray(values[: len(self._order)], dtype=np.int64)

    def _scores(self) -> NDArray[np.int64]:
        return self._held(4, self._net[3]) >> int(self._net[0][incremental.CLASS_BITS])

    def _lay_out(self) -> incremental.Data:
        X, y, weights = (part[self._order] for part in self._rows)
        n_blocks = -(-len(y) // BLOCK)
        padding = n_blocks * BLOCK - len(y)
        low = (1 << int(self._net[0][incremental.CLASS_BITS])) - 1

        def blocks(values: NDArray[np.integer]) -> NDArray[np.integer]:
            padded = np.pad(values, ((0, padding), *[(0, 0)] * (values.ndim - 1))).astype(self._dtype)
            return np.ascontiguousarray(np.moveaxis(padded.reshape(n_blocks, BLOCK, *values.shape[1:]), 1, -1))

        _, n_hidden, n_classes = self.layout.topology
        hidden, scores = (np.zeros((n_blocks, 2 * size, BLOCK), self._dtype) for size in (n_hidden, n_classes))
        return blocks(X), blocks(low - y), blocks(weights), hidden, scores, np.zeros(BLOCK, self._dtype)


def row_weights(y: NDArray[np.integer], n_classes: int, class_weights: Sequence[int] | None) -> NDArray[np.int64]:
    """What each wrong row counts, (n_samples,); 1 without class weights.

    Raises
    ------
    ConfigError : unless there is one positive integer for every class.
    """
    if class_weights is None:
        return np.ones(len(y), dtype=np.int64)
    weights = [int(weight) for weight in class_weights]
    if len(weights) != n_classes or min(weights) < 1 or list(class_weights) != weights:
        raise ConfigError(f"class_weights must be {n_classes} positive integers, not {list(class_weights)}")
    return np.asarray(np.array(weights, dtype=np.int64)[y])


def _class_bits(layout: GenomeLayout) -> int:
    return (layout.topology[-1] - 1).bit_length()


def _accumulator(layout: GenomeLayout) -> type[np.signedinteger]:
    """The narrowest integer that holds every sum of any individual, with its class in the lowest bits."""
    largest = (layout.largest_sum + 1) << _class_bits(layout)
    limit = max(largest, 1 << (layout.activations[0].msb + 1))
    if limit >= 1 << 62:
        raise ConfigError("layout: scores with their class need more than 62 bits; lower max_exponent or widths")
    return np.int32 if limit < 1 << 31 else np.int64


def _net_form(layout: GenomeLayout) -> NDArray[np.int64]:
    bits, activation = _class_bits(layout), layout.activations[0]
    floor = -(1 << 62) if layout.signed_scores else (1 << bits) - 1
    if layout.signed_scores and _accumulator(layout) is np.int32:
        floor = -(1 << 31)
    limit = (1 << (activation.msb + 1)) - 1
    return np.array([*layout.topology, *layout.bias_shifts, activation.lsb, limit, bits, floor], dtype=np.int64)


def _new_plan(layout: GenomeLayout, dtype: type[np.signedinteger]) -> incremental.Plan:
    n_inputs, n_hidden, n_classes = layout.topology
    items, terms = n_hidden + n_classes, n_hidden * n_inputs + 2 * n_classes * n_hidden
    return (
        np.zeros((items + 1, 2), np.int64),
        np.zeros(items + 1, dtype),
        np.zeros(items + 1, np.int64),
        np.zeros(terms + 2, np.int64),
        np.zeros(terms + 2, dtype),
        np.zeros(terms + 2, dtype),
        np.zeros(n_classes, np.int64),
        np.zeros(2, np.int64),
    )


def _margins(scores: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """By how much each row's class leads the best other one, (n_samples,)."""
    scores = scores.copy()
    rows = np.arange(len(y))
    own = scores[rows, y]
    scores[rows, y] = np.iinfo(np.int64).min // 2
    return np.asarray(own - scores.max(axis=1), dtype=np.int64)
