"""What turns a sensor's voltage into a circuit's input bits, and what it costs.

Three front ends of one input, from the dearest to the cheapest:

* full: a flash converter of all bits, by the range of its published figures; an input that is not read has none;
* pruned: comparators at the thresholds alone that the circuit tells apart, and gates that make the bits it reads.
  As codes between two kept thresholds are answered alike, each such run of codes may be shown to the circuit as any
  one of them; the choice with the fewest changes between neighbours needs the fewest gates;
* bespoke: the same comparators and no gates, for a circuit whose inputs are the comparators' outputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdl.power import static_power_mw
from hdl.thresholds import Thresholds
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from printedmlp.power_sources import feasible_sources
from printedmlp.technology import Technology

INVERTER, NAND = 0b01, 0b0111


@dataclass(frozen=True)
class Cost:
    """Area in cm2 and power in mW of a front end; None where it is not known."""

    area_cm2: float
    power_mw: float | None

    def __add__(self, other: Cost) -> Cost:
        power = None if self.power_mw is None or other.power_mw is None else self.power_mw + other.power_mw
        return Cost(self.area_cm2 + other.area_cm2, power)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary."""
        return {"area_cm2": self.area_cm2, "power_mw": self.power_mw}


FREE = Cost(0.0, 0.0)


def representatives(levels: Sequence[int], bits: Sequence[int], input_bits: int) -> tuple[int, ...]:
    """For each run of codes between kept thresholds the code that is shown instead, lowest run first.

    The codes chosen have the fewest changes of the bits in `bits` between neighbours, and of these the fewest ones.
    """
    edges = [0, *levels, 1 << input_bits]
    mask = sum(1 << bit for bit in bits)

    def changes(one: int, other: int) -> int:
        return ((one ^ other) & mask).bit_count()

    best: dict[int, tuple[float, tuple[int, ...]]] = {
        code: ((code & mask).bit_count() * 0.01, (code,)) for code in range(edges[1])
    }
    for low, high in itertools.pairwise(edges[1:]):
        best = {
            code: min((cost + changes(code, chosen[-1]), (*chosen, code)) for cost, chosen in best.values())
            for code in range(low, high)
        }
    return min(best.values())[1]


def changes_of(codes: Sequence[int], bit: int) -> list[int]:
    """Numbers of the levels, from 0, at which a bit of the codes shown changes."""
    return [i for i, (one, next_) in enumerate(itertools.pairwise(codes)) if (one ^ next_) >> bit & 1]


def encoder(levels: Sequence[int], bits: Sequence[int], input_bits: int, technology: Technology) -> Netlist | None:
    """Gates from the comparators at `levels` to the bits of the code in `bits`; None without a NAND2 or inverter.

    Input i is the comparator of `levels[i]`, output k is bit `bits[k]` of the code shown. A bit that changes at
    t1 < t2 < ... is t1 and not (t2 and not (t3 ...)), a chain of NAND2 with an inverter at either end.
    """
    gates = [technology.cells_with_function(1, INVERTER)[:1], technology.cells_with_function(2, NAND)[:1]]
    if not all(gates):
        return None
    inverter, nand = (found[0].name for found in gates)
    codes = representatives(levels, bits, input_bits)
    instances: list[Instance] = []

    def add(cell: str, *nets: int) -> int:
        instances.append(Instance(cell, nets))
        return FIRST_INPUT + len(levels) + len(instances) - 1

    outputs = []
    for bit in bits:
        start = codes[0] >> bit & 1
        changes = [FIRST_INPUT + i for i in changes_of(codes, bit)]
        if not changes:
            outputs.append(start)
        elif len(changes) == 1 and not start:
            outputs.append(changes[0])
        else:
            net = add(inverter, changes[-1])
            for change in changes[-2::-1]:
                net = add(nand, change, net)
            outputs.append(net if start else add(inverter, net))
    return Netlist(len(levels), tuple(instances), tuple(outputs))


def thermometer_of(codes: NDArray[np.uint8], levels: Sequence[int]) -> NDArray[np.uint8]:
    """Outputs of the comparators at `levels` for the codes (n,) of one feature, (n, len(levels)) of 0 and 1."""
    return (codes[:, None] >= np.array(levels, dtype=np.int64)[None, :]).astype(np.uint8)


def front_end(
    thresholds: Thresholds, technology: Technology, X: NDArray[np.uint8], input_bits: int
) -> dict[str, Any] | None:
    """Cost of every front end of a circuit at the nominal voltage, JSON-ready; None where nothing is known of it.

    Parameters
    ----------
    thresholds : what the circuit tells apart.
    X : (n_samples, n_features) codes; they weigh the states of the pruned converter's gates.
    """
    figures = technology.front_end
    if figures is None or not figures.covers(input_bits):
        return None
    read = [f for f, bits in enumerate(thresholds.bits) if bits]
    comparators = encoders = FREE
    for f in read:
        levels = thresholds.levels[f]
        comparators += Cost(*figures.comparators(levels, input_bits))
        encoders += _encoder_cost(X[:, f], levels, thresholds.bits[f], input_bits, technology)
    return {
        "inputs": len(read),
        "comparators": thresholds.count,
        "undecided": thresholds.undecided,
        "levels": [list(levels) for levels in thresholds.levels],
        "full": _full(technology, len(read), input_bits),
        "pruned": (comparators + encoders).to_json(),
        "bespoke": comparators.to_json(),
    }


def _full(technology: Technology, inputs: int, input_bits: int) -> dict[str, Any] | None:
    """Full converters of so many inputs, the least published figures and the "most"; None for other bits."""
    figures = technology.front_end
    if figures is None or figures.bits != input_bits:
        return None
    least, most = (
        Cost(inputs * area, inputs * power).to_json()
        for area, power in zip(figures.converter_cm2, figures.converter_mw, strict=True)
    )
    return {**least, "most": most}


def _encoder_cost(
    codes: NDArray[np.uint8], levels: Sequence[int], bits: Sequence[int], input_bits: int, technology: Technology
) -> Cost:
    netlist = encoder(levels, bits, input_bits, technology)
    if netlist is None or not netlist.instances:
        return FREE
    area = netlist.area_cm2(technology)
    if technology.without_power:
        return Cost(area, None)
    power = static_power_mw(netlist, technology, thermometer_of(codes, levels), 1)
    return Cost(area, power[technology.nominal_voltage])


def system(classifier: Cost, converters: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Classifier and front end together, JSON-ready like the front end; None without figures of it.

    "carried_by" names the weakest printed source that carries both always on, None where none does.
    """
    if converters is None:
        return None
    both = classifier + Cost(converters["area_cm2"], converters["power_mw"])
    told = {**both.to_json(), "carried_by": _carried_by(both.power_mw)}
    return {**told, **({"most": system(classifier, converters["most"])} if "most" in converters else {})}


def _carried_by(power_mw: float | None) -> str | None:
    sources = () if power_mw is None else feasible_sources(power_mw)
    return sources[-1].name if sources else None
