"""Circuits whose prints are worth more at a device yield: the part of refinement that fault tolerance adds."""

from __future__ import annotations

from collections.abc import Sequence

from flows.job import Job
from flows.mapping import Judge, printed_merits, spread
from printedmlp.choice import ROUNDING
from printedmlp.circuit import Netlist
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.hardening import Hardening
from printedmlp.circuit.voting import can_vote, triplicated
from printedmlp.technology import Technology

KEPT = 10
"""Circuits that go on to proof, at most."""
SLACKS = (1.0, 2.5)
"""How many times its area a circuit may have."""
MOST_CELLS, CELLS_OF_FULL_MOVES = 150, 25
"""Cells of the largest circuits that are hardened, and cells above which moves become fewer: each costs more."""
MM2_PER_CM2 = 100.0


def sturdy_variants(job: Job, judge: Judge, care: CareSet, netlists: Sequence[Netlist]) -> list[Netlist]:
    """Hardened variants of circuits that are worth proving; none where fault tolerance does not count."""
    device_yield = job.config.fault_tolerance
    if device_yield is None or not job.config.power_moves:
        return []
    hardening = Hardening(care, job.technology, device_yield)

    def harden(task: tuple[int, tuple[Netlist, float]]) -> Netlist:
        number, (start, slack) = task
        if job.stop.is_set():
            return start
        area = start.area_cm2(job.technology) * MM2_PER_CM2 * slack
        moves = job.config.power_moves * CELLS_OF_FULL_MOVES // max(CELLS_OF_FULL_MOVES, len(start.instances))
        return hardening.run(start, moves, job.rng("hardening", number), area_mm2=area).netlist

    starts = [start for netlist in netlists for start in starts_of(netlist, job.technology)]
    return sturdiest(job, judge, list(job.in_parallel("hardening", harden, enumerate(starts))), device_yield)


def starts_of(netlist: Netlist, technology: Technology) -> list[tuple[Netlist, float]]:
    """Netlists to harden and how many times their area they may have: the circuit, and three copies that vote."""
    starts = [(netlist, slack) for slack in SLACKS]
    if can_vote(technology):
        starts.append((triplicated(netlist, technology), 1.0))
    return [start for start in starts if netlist.instances and len(start[0].instances) <= MOST_CELLS]


def sturdiest(job: Job, judge: Judge, netlists: Sequence[Netlist], device_yield: float) -> list[Netlist]:
    """Those of which no smaller one has prints of as much merit, thinned to a number that can be worked on."""
    ranked = []
    for number, netlist in enumerate(dict.fromkeys(netlists)):
        merit = printed_merits(job, judge, netlist, device_yield)["printed_merit"]
        ranked.append((netlist.area_cm2(job.technology), -merit, number, netlist))
    kept: list[Netlist] = []
    best = 0.0
    for _, negative, _, netlist in sorted(ranked, key=lambda entry: entry[:3]):
        if -negative > best + ROUNDING:
            kept.append(netlist)
            best = -negative
    return spread(kept, KEPT)
