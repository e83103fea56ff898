"""Gate-level refinement: evolve a mapped circuit for area, or for power, under a budget of training errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.care import CareSet
from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.circuit.slots import CellKinds, netlist_of, slots_of
from printedmlp.kernels import gates as kernel
from printedmlp.technology import Technology

NO_LIMIT = float(1 << 53)
MOVE_WEIGHTS = (0.34, 0.16, 0.34, 0.16, 0.0)
"""Of rewire, retype, substitute, constant and reconnect an output.

The last is left to circuits without gates, which nothing else can change: from a tree's netlist, evolution ended in
smaller circuits without it.
"""


@dataclass(frozen=True)
class Goal:
    """What a round of evolution minimises, and within which limits.

    Parameters
    ----------
    area, power, errors : weights in the energy of mm2, uW and weighted errors.
    max_errors : most weighted errors allowed.
    max_area_mm2 : largest area allowed.
    hot, cold : first and last temperature, in units of the energy.
    composite : probability of one more change in a proposal, again after each.
    """

    area: float = 1.0
    power: float = 0.0
    errors: float = 0.0
    max_errors: float = NO_LIMIT
    max_area_mm2: float = NO_LIMIT
    hot: float = 0.1
    cold: float = 0.01
    composite: float = 0.3

    def array(self) -> np.ndarray:
        """The figures in the compiled loop's order."""
        return np.array(
            [
                self.area,
                self.power,
                self.errors,
                self.max_errors,
                self.max_area_mm2,
                self.hot,
                self.cold,
                self.composite,
            ]
        )


@dataclass(frozen=True)
class InputPrices:
    """What a circuit's inputs cost.

    Attributes
    ----------
    mm2, uw : (n_inputs,) float64 price in mm2 of gates, and power, of every input that is read.
    features : (n_inputs,) int64, from 0 on; neighbours of one feature may take each other's place.
    first_mm2 : what the first input of a feature that is read costs more.
    """

    mm2: NDArray[np.float64]
    uw: NDArray[np.float64]
    features: NDArray[np.int64]
    first_mm2: float

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The figures by net, as `kernels.gate_prices` takes them."""
        prices = np.zeros((FIRST_INPUT + len(self.mm2), 2))
        prices[FIRST_INPUT:] = np.stack([self.mm2, self.uw], axis=1)
        features = np.concatenate([[-1] * FIRST_INPUT, self.features]).astype(np.int64)
        return prices, features, np.array([self.first_mm2])


@dataclass(frozen=True)
class Refined:
    """A circuit that evolution found, with its weighted errors on the care set, area and mean power on it.

    The power is 0 where the goal does not weigh it; the errors are -1 where no circuit was within the limits. Where
    inputs have prices, those of the inputs read are part of the area, and their power of the power.
    """

    netlist: Netlist
    errors: int
    area_mm2: float
    power_uw: float


class Evolution:
    """Evolves netlists on one care set in one technology; nothing of a netlist is kept between calls.

    Parameters
    ----------
    move_weights : relative frequency of each kind of move, as in `MOVE_WEIGHTS`; they add up to 1.
    should_stop : asked between rounds; once it says yes, nothing more is evolved.
    inputs : prices of the inputs that are read; None for free ones.
    """

    def __init__(
        self,
        care: CareSet,
        technology: Technology,
        *,
        move_weights: Sequence[float] = MOVE_WEIGHTS,
        should_stop: Callable[[], bool] = lambda: False,
        inputs: InputPrices | None = None,
    ) -> None:
        self.care, self.technology = care, technology
        self.move_weights = tuple(move_weights)
        self.should_stop = should_stop
        self.inputs = inputs
        self.kinds = CellKinds.of(technology)
        self.smallest_area = float(self.kinds.areas[1:].min())
        """Area of the smallest cell, mm2."""

    def measure(self, netlist: Netlist) -> Refined:
        """The netlist as it is, with its figures on the care set."""
        return self.run(netlist, Goal(power=1e-9), 0, np.random.default_rng(0))

    def run(self, netlist: Netlist, goal: Goal, moves: int, rng: np.random.Generator) -> Refined:
        """The circuit of least energy that `moves` proposals find from a netlist, itself included.

        Where the start breaks the goal's limits and nothing within them is found, the start itself comes back.
        """
        slots = slots_of(netlist, self.technology, self.kinds, rng, wired=self.inputs is not None)
        best = (slots[0].copy(), slots[1].copy(), slots[2].copy(), slots[3].copy())
        counts = np.zeros(kernel.N_COUNTS)
        random = rng.integers(1, 1 << 63, size=1, dtype=np.uint64)
        rows = self._rows(len(slots[0]), netlist.n_inputs)
        shares = np.cumsum(self.move_weights, dtype=np.float64)
        scratch = kernel.new_scratch(len(slots[0]), self.inputs.arrays() if self.inputs else kernel.FREE)
        cells = self.kinds.arrays()
        kernel.evolve(slots, cells, rows, goal.array(), shares, moves, random, best, counts, scratch)
        errors, area, power = int(counts[2]), float(counts[3]), float(counts[4])
        return Refined(netlist_of(best, netlist.n_inputs, self.kinds), errors, area, power)

    def _rows(self, n_nets: int, n_inputs: int) -> tuple[np.ndarray, ...]:
        care = self.care
        values = np.zeros((n_nets, 2, len(care.valid)), dtype=np.uint64)
        values[1] = ~np.uint64(0)
        values[2 : 2 + n_inputs, 0] = care.inputs
        first = np.array([2 + n_inputs])
        return values.reshape(-1), care.wanted.reshape(-1), care.valid, care.weights, first
