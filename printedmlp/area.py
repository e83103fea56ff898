"""Area of a classifier's circuit in closed form: the cost that guides the search, in mm2 of printed cells.

The circuit counted is the one that is emitted (`hdl`): every neuron is one heap of bits. A subtracted bit enters
inverted and its correction joins the bias in one constant; columns are added from the least significant one upwards
by half and full adders, constants folded in; the bounds of every sum decide the widths. Counted besides the adders:
the inverters (one for each input bit that is subtracted somewhere), the sign's and the clip's gates of a QReLU,
the comparators of the scores, the choices of the best score so far and the gates of its index. Left out is what
synthesis leaves out: neurons nobody reads, bits that no mask keeps, sums truncated away (their carries are needed),
values that are constant within their bounds, classes that can never win.

`hashed_area` builds the gates themselves: slower by three orders, and it sees what neighbouring pieces share.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.gate_area import GateAreas, hashed_area
from printedmlp.genome import Genes, GenomeLayout, as_genes
from printedmlp.kernels.area import count_areas
from printedmlp.kernels.bounds import N_COUNTERS, ROWS
from printedmlp.technology import Technology

__all__ = ["AreaModel", "AreaUnits", "area_form", "hashed_area", "scratch_size"]


@dataclass(frozen=True)
class AreaUnits:
    """Areas of the pieces of a classifier in mm2; the fields are in the order of the kernel's units.

    inverter, and_gate, or_gate : single gates.
    mux : one bit of a choice between two words.
    compare, compare_one : one bit of a comparison of two words, and of a word with a constant or an extension.
    half, full : adders of two and three bits; with only their sum or only their carry read `_sum` and `_carry`.
    """

    inverter: float
    and_gate: float
    or_gate: float
    mux: float
    compare: float
    compare_one: float
    half: float
    half_sum: float
    half_carry: float
    full: float
    full_sum: float
    full_carry: float

    @classmethod
    def of(cls, technology: Technology) -> AreaUnits:
        """The pieces' areas in a technology, from their smallest forms in inverters and two-input gates.

        In two-input NANDs a full adder takes nine, its sum alone eight; a half adder takes four and an inverter,
        its sum four; a majority, as in a carry or a bit of a comparison, four and two inverters; a choice takes
        three, its inverter being shared by the word. ConfigError without inverters and NANDs.
        """
        gates = GateAreas.of(technology)
        inverter, nand = gates.inverter, gates.nand
        and_gate, or_gate = min(gates.and_gate, nand + inverter), min(gates.or_gate, nand + 2 * inverter)
        majority = 4 * nand + 2 * inverter
        return cls(
            inverter=inverter,
            and_gate=and_gate,
            or_gate=or_gate,
            mux=3 * nand,
            compare=majority,
            compare_one=(and_gate + or_gate) / 2,
            half=4 * nand + inverter,
            half_sum=4 * nand,
            half_carry=and_gate,
            full=9 * nand,
            full_sum=8 * nand,
            full_carry=majority,
        )

    def array(self) -> NDArray[np.float64]:
        """The areas in mm2 for the kernel, (N_UNITS,)."""
        return np.array(astuple(self), dtype=np.float64)


class AreaModel:
    """Areas of whole populations in closed form.

    Parameters
    ----------
    layout : what the genes mean.
    units : areas of the pieces, `AreaUnits.of(technology)`.
    """

    def __init__(self, layout: GenomeLayout, units: AreaUnits) -> None:
        self.units = units
        self.name = f"mm2 of {units}"
        self._layout = layout
        self._form = area_form(layout)

    def areas(self, population: Genes) -> NDArray[np.float64]:
        """Area in mm2 of each chromosome of (P, G), (P,) float64; ModelError for genes out of range."""
        genes = as_genes(population)
        self._layout.check(genes)
        areas = np.zeros(len(genes))
        scratch = np.zeros(scratch_size(self._layout), dtype=np.int64)
        count_areas(genes, self._form, self.units.array(), scratch, areas)
        return areas

    def costs(self, population: Genes) -> NDArray[np.float64]:
        """The areas in mm2, as a `Cost` of the search."""
        return self.areas(population)


def area_form(layout: GenomeLayout) -> NDArray[np.int64]:
    """The layout as the kernel reads it, (n_layers, 8) int64; columns as named in `printedmlp.kernels.bounds`."""
    ends = [*((activation.lsb, activation.msb, 0) for activation in layout.activations)]
    ends.append((0, 0, int(not layout.signed_scores)))
    sizes, n_values = layout.topology, sum(layout.topology)
    rows = zip(sizes, sizes[1:], layout.bias_shifts, layout.input_widths, ends, strict=False)
    return np.array([(a, b, shift, bits, *end, n_values) for a, b, shift, bits, end in rows], dtype=np.int64)


def scratch_size(layout: GenomeLayout) -> int:
    """Length of the int64 working memory that the kernel needs for one chromosome."""
    return ROWS * sum(layout.topology) + N_COUNTERS
