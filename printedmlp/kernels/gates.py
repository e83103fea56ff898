"""Evolution of a gate-level circuit under an error budget: the compiled loop behind `printedmlp.circuit.refine`.

Every gate is a slot that may read any net below its own, as in Cartesian genetic programming (Miller, Thomson,
EuroGP 2000); slots that no output depends on cost nothing and drift.
"""

from __future__ import annotations

import numpy as np

from printedmlp.kernels.bits import uniform
from printedmlp.kernels.gate_moves import MOST_ENTRIES, N_MOVES, drift, propose
from printedmlp.kernels.gate_prices import FREE
from printedmlp.kernels.gate_slots import (
    LOG,
    WIRE,
    Array,
    Arrays,
    Scratch,
    connect,
    copy_circuit,
    count_errors,
    forget_trial,
    keep_trial,
    mean_power,
    new_scratch,
    simulate_trial,
    undo,
)
from printedmlp.kernels.jit import compiled_lean, inlined_lean

__all__ = ["FREE", "N_COUNTS", "N_MOVES", "WIRE", "evolve", "new_scratch"]

AREA, POWER, ERRORS, MOST_ERRORS, LARGEST_AREA, HOT, COLD, COMPOSITE = range(8)
"""Places in a goal: weights in the energy, limits, first and last temperature, share of several changes at once."""
SIMULATED, ACCEPTED, BEST_ERRORS, BEST_AREA, BEST_POWER, BEST_ENERGY, ENERGY, N_COUNTS = range(8)
"""Places in the counts."""
ROUNDING = 1e-9
NO_BOUND = np.int64(1) << 62


@compiled_lean
def evolve(
    circuit: Arrays,
    cells: Arrays,
    rows: Arrays,
    goal: Array,
    shares: Array,
    n_moves: int,
    random: Array,
    best: Arrays,
    counts: Array,
    scratch: Scratch,
) -> None:
    """Propose `n_moves` changes; leaves the last accepted circuit in `circuit` and the best one in `best`.

    Parameters
    ----------
    circuit : kind, pin a, pin b, each (n_nets,) int64 and used from the first slot on; outputs (n_outputs,) int64.
    cells : truth table (K,) int64, bit a + 2 b; area (K,) float64; leakage by state (K, 4) float64; inputs (K,).
    rows : values (n_nets * 2 * W,) uint64, those of constants and inputs filled in; wanted outputs (n_outputs * W,)
        uint64; valid bits (W,) uint64; weight of a wrong row by word (W,) int64; number of nets that are no slots
        (1,) int64.
    goal : (8,) float64, see the places above.
    shares : (N_MOVES,) float64 cumulative shares of the moves.
    random : (1,) uint64 state of the generator.
    best : arrays like those of `circuit`, overwritten with the accepted circuit of least energy within the limits.
    counts : (N_COUNTS,) float64, overwritten: proposals simulated, and accepted; figures of the best, with errors
        of -1 where none is within the limits; energy of the last accepted.
    scratch : from `new_scratch`.
    """
    work, views, log = scratch
    first, refs = rows[4][0], work[0]
    _begin(circuit, cells, rows, goal, best, counts, work, views)
    cooling = (goal[COLD] / goal[HOT]) ** (1.0 / max(n_moves, 1)) if goal[HOT] > 0 else 1.0
    temperature = goal[HOT]
    for _ in range(n_moves):
        temperature *= cooling
        drift(circuit, cells[3], refs, first, random)
        n_log = propose(circuit, cells, rows, work, views, shares, log, 0, random, first)
        while uniform(random) < goal[COMPOSITE] and n_log < LOG - MOST_ENTRIES:
            n_log = propose(circuit, cells, rows, work, views, shares, log, n_log, random, first)
        if n_log == 0:
            continue
        limit = counts[ENERGY] - temperature * np.log(uniform(random)) + ROUNDING
        if not _accepted(circuit, cells, rows, goal, limit, best, counts, work, views):
            undo(circuit, cells[1], work, log, n_log, first)


@inlined_lean
def _begin(
    circuit: Arrays,
    cells: Arrays,
    rows: Arrays,
    goal: Array,
    best: Arrays,
    counts: Array,
    work: Arrays,
    views: Arrays,
) -> None:
    """Count readers and compute all values of the first circuit, the best one so far if it is within the limits."""
    counts[:] = 0.0
    counts[BEST_ERRORS] = -1.0
    for out in circuit[3]:
        connect(out, circuit, cells[1], work, rows[4][0])
    simulate_trial(circuit, cells[0], rows, work, views, rows[4][0])
    keep_trial(work, views)
    errors = count_errors(circuit[3], rows, views, NO_BOUND)
    power = mean_power(circuit, cells[2], rows, work, views) if goal[POWER] > 0 else 0.0
    counts[ENERGY] = goal[AREA] * work[4][0] + goal[POWER] * power + goal[ERRORS] * errors
    if errors <= goal[MOST_ERRORS] and work[4][0] <= goal[LARGEST_AREA] + ROUNDING:
        _note_best(circuit, errors, work[4][0], power, best, counts)


@inlined_lean
def _accepted(
    circuit: Arrays,
    cells: Arrays,
    rows: Arrays,
    goal: Array,
    limit: float,
    best: Arrays,
    counts: Array,
    work: Arrays,
    views: Arrays,
) -> bool:
    """Whether the circuit as changed has at most `limit` energy and keeps to the limits; notes what it becomes.

    The area is known before anything is computed, and refuses most proposals.
    """
    area = work[4][0]
    if goal[AREA] * area > limit or area > goal[LARGEST_AREA] + ROUNDING:
        return False
    counts[SIMULATED] += 1
    allowed = goal[MOST_ERRORS]
    if goal[ERRORS] > 0:
        allowed = min(allowed, (limit - goal[AREA] * area) / goal[ERRORS])
    simulate_trial(circuit, cells[0], rows, work, views, rows[4][0])
    errors = count_errors(circuit[3], rows, views, np.int64(allowed))
    power = 0.0
    if errors <= allowed and goal[POWER] > 0:
        power = mean_power(circuit, cells[2], rows, work, views)
    energy = goal[AREA] * area + goal[POWER] * power + goal[ERRORS] * errors
    if errors > allowed or (goal[POWER] > 0 and energy > limit):
        forget_trial(views)
        return False
    keep_trial(work, views)
    counts[ACCEPTED] += 1
    counts[ENERGY] = energy
    tie = energy < counts[BEST_ENERGY] + ROUNDING and errors < counts[BEST_ERRORS]
    if counts[BEST_ERRORS] < 0 or energy < counts[BEST_ENERGY] - ROUNDING or tie:
        _note_best(circuit, errors, area, power, best, counts)
    return True


@inlined_lean
def _note_best(circuit: Arrays, errors: int, area: float, power: float, best: Arrays, counts: Array) -> None:
    copy_circuit(circuit, best)
    counts[BEST_ERRORS], counts[BEST_AREA], counts[BEST_POWER] = errors, area, power
    counts[BEST_ENERGY] = counts[ENERGY]
