"""Circuits that evolution left, whatever their inputs are: which go on, and what another chance for power makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.job import Job
from flows.mapping import Entry, spread, worth_keeping
from printedmlp.choice import POWER_GAIN
from printedmlp.circuit import Netlist
from printedmlp.circuit.refine import Evolution
from printedmlp.circuit.sweep import save_power

KEPT = 24
"""Refined circuits that go on to power, synthesis and proof, at most, for each way of choosing them."""
POWER_SLACKS = (0.0, 0.03)
"""Shares by which a circuit's area may grow for the sake of its power."""
Recorded = Callable[[Netlist], "Candidate"]
"""Makes the record of a netlist that evolution left."""


@dataclass(frozen=True)
class Candidate:
    """A refined circuit on its way: the netlist that evolution left and its record."""

    netlist: Netlist
    entry: Entry


def worth_a_look(candidates: Sequence[Candidate], sizes: Sequence[Callable[[Entry], float]]) -> list[Candidate]:
    """Those that no circuit of less size equals, by each of the sizes, thinned to a number that can be worked on.

    Those of the first size come first, each size's smallest first.
    """
    by_key = {candidate.entry["key"]: candidate for candidate in candidates}
    entries = [candidate.entry for candidate in by_key.values()]
    kept: dict[str, None] = {}
    for size in sizes:
        kept |= {entry["key"]: None for entry in spread(worth_keeping(entries, list(map(size, entries))), KEPT)}
    return [by_key[key] for key in kept]


def power_saved(
    job: Job, evolution: Evolution, recorded: Recorded, numbered: tuple[int, Candidate]
) -> list[Candidate]:
    """Variants of a circuit that save enough of its power on the training rows to be worth a second one.

    None without figures of power.

    Parameters
    ----------
    numbered : the circuit and its number among those of the run, which decides its random numbers.
    """
    if job.technology.without_power:
        return []
    number, start = numbered
    rng, found = job.rng("power", number), []
    least = evolution.measure(start.netlist).power_uw
    for slack in POWER_SLACKS:
        saved = save_power(evolution, start.netlist, job.config.power_moves, rng, area_slack=slack)
        if saved.power_uw < (1 - POWER_GAIN) * least:
            least = saved.power_uw
            found.append(recorded(saved.netlist))
    return found
