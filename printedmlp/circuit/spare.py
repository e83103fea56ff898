"""Circuits made smaller with input patterns that never occur, where those that do can all be listed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.care import CareSet
from printedmlp.circuit.netlist import Netlist
from printedmlp.circuit.refine import Evolution, Goal
from printedmlp.circuit.simplify import INVERTER
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.circuit.sweep import COMPOSITE, SweepSettings, anneal
from printedmlp.technology import Technology

MOST_PATTERNS = 1 << 15
"""Patterns that are listed, at most."""


def all_runs(levels: Sequence[Sequence[int]], most: int = MOST_PATTERNS) -> NDArray[np.uint8] | None:
    """Codes with each feature in each run between its thresholds, (n, n_features); None if more than `most`."""
    n = 1
    for own in levels:
        n *= len(own) + 1
    if n > most:
        return None
    return np.array(list(itertools.product(*([0, *own] for own in levels))), dtype=np.uint8).reshape(n, len(levels))


def without_spare_gates(
    netlist: Netlist, technology: Technology, patterns: NDArray[np.uint8], moves: int, rng: np.random.Generator
) -> Netlist:
    """The smallest circuit that gate-level evolution finds which answers all patterns as the netlist does.

    Parameters
    ----------
    patterns : (n, n_inputs) of 0 and 1, all that ever occur; on others the answer is free.
    moves : proposals of the evolution.

    Returns
    -------
    The netlist itself where it has cells that evolution does not know.
    """
    if not technology.cells_with_function(1, INVERTER) or not _known(netlist, technology):
        return netlist
    n = len(patterns)
    answers = classes(netlist, simulate(netlist, technology, input_bits_of(patterns, 1), n), n)
    care = CareSet.of(patterns, answers, n_classes=1 << len(netlist.outputs), input_bits=1)
    evolution, settings = Evolution(care, technology), SweepSettings()
    unit = evolution.smallest_area
    goal = Goal(max_errors=0, hot=settings.hot * unit, cold=settings.cold * unit, composite=COMPOSITE)
    return anneal(evolution, netlist, goal, moves, rng).netlist


def _known(netlist: Netlist, technology: Technology) -> bool:
    return all(len(technology.cell(instance.cell).inputs) <= 2 for instance in netlist.instances)
