"""Structured mutations of chromosomes: how often each kind is made, and the operator for DEAP's toolbox."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels import moves as kernel


@dataclass(frozen=True)
class MoveShares:
    """Relative frequency of each kind of move; at least one is above zero.

    Parameters
    ----------
    flip_bit : one bit of a live mask turns.
    slide_mask, slide_exponent : a mask, or an exponent, moves by one place.
    slide_both : the mask moves one way and the exponent the other: other bits of the input, same columns.
    flip_sign, drop_connection, add_connection : of one connection; a new one keeps a random run of bits.
    drop_input_bit, drop_hidden_bit : one bit of an input, or of a hidden value, is cleared in all masks.
    drop_neuron : all masks of a neuron are cleared, and those that read it.
    step_bias : a bias moves by a power of two.
    snap_bias : a bias goes to the next multiple of a power of two, down or up.
    swap_neurons : two hidden neurons change places in one reader or in all.
    clone_neuron : a hidden neuron is copied, with a change, into an unread one, which gets one of its readers.
    rewire : a connection moves to another input of its neuron.
    rescale_neuron : all exponents of a neuron step by one and those of its readers the other way.
    trade_bit : a mask keeps one bit in another's place.
    drop_column : the lowest column that a neuron sums is cleared, or the lowest one of all outputs together.

    Raises
    ------
    ConfigError : naming the share that is negative or not a number.
    """

    flip_bit: float = 24
    slide_mask: float = 5
    slide_exponent: float = 8
    slide_both: float = 8
    flip_sign: float = 3
    drop_connection: float = 8
    add_connection: float = 8
    drop_input_bit: float = 3
    drop_hidden_bit: float = 3
    drop_neuron: float = 1
    step_bias: float = 10
    snap_bias: float = 8
    swap_neurons: float = 2
    clone_neuron: float = 2
    rewire: float = 6
    rescale_neuron: float = 3
    trade_bit: float = 6
    drop_column: float = 3

    def __post_init__(self) -> None:
        values = self.values()
        for field, value in zip(fields(self), values.tolist(), strict=True):
            if not 0 <= value < np.inf:
                raise ConfigError(f"move share {field.name} must be 0 or more, not {value}")
        if not values.sum() > 0:
            raise ConfigError("move shares are all 0; at least one must be above")

    def values(self) -> NDArray[np.float64]:
        """The shares in the order of the kernel's kinds, (n,)."""
        return np.array([getattr(self, field.name) for field in fields(self)], dtype=np.float64)

    def thresholds(self) -> NDArray[np.float64]:
        """Cumulated shares, (n,): a uniform number below entry k and not below k - 1 means kind k."""
        cumulated = np.cumsum(self.values())
        return np.asarray(cumulated / cumulated[-1], dtype=np.float64)


def move_form(layout: GenomeLayout) -> NDArray[np.int64]:
    """The layout as the kernel reads it, one row a layer; columns as in `kernels.moves`."""
    rows, gene, neuron = [], 0, 0
    sizes = layout.topology
    for n_inputs, n_neurons, width in zip(sizes, sizes[1:], layout.input_widths, strict=False):
        rows.append((gene, n_neurons, n_inputs, width, *layout.bias_range, layout.max_exponent, neuron))
        gene += n_neurons * (3 * n_inputs + 1)
        neuron += n_neurons
    return np.array(rows, dtype=np.int64)


def new_log(layout: GenomeLayout, moves: int = 1) -> NDArray[np.int64]:
    """Room for the changes of so many moves, (2, capacity); no move writes a gene more than twice."""
    return np.zeros((2, 2 * layout.size * moves), dtype=np.int64)


def random_states(size: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Seeds of independent random streams for the kernels, (size, 1), none of them zero."""
    return rng.integers(1, 1 << 63, size=(size, 1), dtype=np.uint64)


def mutate_structured(
    genes: Genes,
    rng: np.random.Generator,
    *,
    layout: GenomeLayout,
    shares: MoveShares | None = None,
    moves_per_child: float = 1.5,
) -> Genes:
    """A copy of (P, G) genes on which every row took 1 + Poisson(moves_per_child - 1) structured moves.

    Signature and promise are those of `printedmlp.operators.mutate`, so that either can be registered as "mutate".

    Raises
    ------
    ConfigError : for fewer than one move a child.
    """
    if not moves_per_child >= 1:
        raise ConfigError(f"moves_per_child must be at least 1, not {moves_per_child}")
    result = layout.canonical(np.ascontiguousarray(genes, dtype=np.int32))
    moves = 1 + rng.poisson(moves_per_child - 1, size=len(result))
    states = random_states(len(result), rng)
    thresholds = (shares or MoveShares()).thresholds()
    kernel.mutate_rows(result, move_form(layout), thresholds, moves, states, new_log(layout))
    return result
