"""The refine stage: mapped circuits evolve gate by gate under error budgets, then for power."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from flows.job import Job
from flows.mapping import (
    PAPER,
    QUICK,
    REFINE,
    SEARCH,
    TREE,
    VERILOG,
    Entry,
    Judge,
    area_of,
    finish,
    model_of,
    netlist_file,
    netlist_of,
    spread,
)
from flows.refined import Candidate, power_saved, worth_a_look
from flows.sturdy import sturdy_variants
from hdl.forest import map_forest
from hdl.gates import gates_verilog
from hdl.synthesis import equivalent, map_verilog, netlist_verilog
from printedmlp.circuit import Netlist
from printedmlp.circuit.care import CareSet, copies_for, jittered
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.refine import Evolution, Refined
from printedmlp.circuit.simplify import INVERTER
from printedmlp.circuit.sweep import LARGE_CELLS, SweepSettings, sweep, within_areas
from printedmlp.errors import PrintedMLPWarning, VerificationError
from printedmlp.forests import forests
from printedmlp.pareto import non_dominated
from printedmlp.technology import Technology
from printedmlp.tree_area import TreeUnits

FEWEST_COPIES = 2
"""Noisy copies of each row that even a large table has."""
RESTARTS = 2
"""Searches for the fewest errors within every area."""
START_STAGES = (TREE, SEARCH, PAPER)
"""Stages whose circuits are refined; forests are the fourth kind of start."""


def refine(job: Job) -> list[str]:
    """Refine the best circuits of the other stages, and keep those worth it on the rows that may decide.

    Evolution sees training rows only. Of all circuits that it passes through, those worth keeping by merit and
    area go on: each is given another chance for power, or mapped again by every recipe, and proved equal
    to its Verilog.
    """
    judge = Judge.of(job)
    if not job.technology.cells_with_function(1, INVERTER):
        name = job.technology.name
        warnings.warn(f"technology '{name}' has no inverter: nothing is refined", PrintedMLPWarning, stacklevel=2)
        job.run.write_json({"found": []}, "search", "refine.json")
        return ["search/refine.json"]
    evolution = Evolution(care_set(job, judge), job.technology, should_stop=job.stop.is_set)
    circuits = evolved(job, [evolution], starts_of(job, judge))
    recorded = partial(_candidate, job, judge)
    found = worth_a_look(list(map(recorded, dict.fromkeys(circuits))), (area_of,))
    for_power = job.in_parallel("power", partial(power_saved, job, evolution, recorded), list(enumerate(found)))
    saved = [candidate for family in for_power for candidate in family]
    plain = {candidate.entry["key"]: candidate for candidate in found}
    sturdy = sturdy_variants(job, judge, evolution.care, [candidate.netlist for candidate in found])
    saved += map(recorded, sturdy)
    by_key = {**{candidate.entry["key"]: candidate for candidate in saved}, **plain}
    everything = list(by_key.values())
    files = list(job.in_parallel("proof", lambda c: _proved(job, c, c.entry["key"] in plain), everything))
    pairs = zip(everything, files, strict=True)
    entries = list(job.in_parallel("figures", lambda pair: finish(job, judge, pair[0].entry, pair[1]), pairs))
    job.run.write_json({"found": entries}, "search", "refine.json")
    return ["search/refine.json", *sorted(files)]


def care_set(job: Job, judge: Judge) -> CareSet:
    """The rows that evolution has to answer."""
    codes, y = care_rows(job, judge)
    n_classes, weights = judge.train.n_classes, judge.weights
    return CareSet.of(codes, y, n_classes=n_classes, input_bits=job.config.input_bits, class_weights=weights)


def care_rows(job: Job, judge: Judge) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The training rows and noisy copies of them, many of few rows: evolution learns bare rows by heart."""
    codes, y = judge.train.codes, judge.train.y
    copies = copies_for(len(y), job.config.jitter, FEWEST_COPIES)
    if copies > 0:
        codes, y = jittered(codes, y, copies, job.config.input_bits, job.rng("jitter"))
    return codes, y


def starts_of(job: Job, judge: Judge) -> list[Netlist]:
    """Circuits to start from: by turns a mapped tree, networks of both genetic searches and a forest."""
    each = starts_each(job)
    entries = job.run.read_json("search", "candidates.json")
    kinds = [[start_of(job, entry) for entry in chosen_starts(entries, stage, each)] for stage in START_STAGES]
    return by_turns(job, [*kinds, forest_starts(job, judge, each)])


def starts_each(job: Job) -> int:
    """Starts of each kind."""
    return -(-job.config.refine_starts // (len(START_STAGES) + 1))


def by_turns(job: Job, kinds: Sequence[Sequence[Netlist]]) -> list[Netlist]:
    """As many starts as wanted, one of each kind after the other."""
    turns = [kind[place] for place in range(starts_each(job)) for kind in kinds if place < len(kind)]
    return turns[: job.config.refine_starts]


def chosen_starts(entries: Sequence[Entry], stage: str, n: int) -> list[Entry]:
    """At most n circuits of a stage, spread over its front of training error and area."""
    return spread(_training_front([e for e in entries if e["stage"] == stage]), n)


def forest_starts(job: Job, judge: Judge, n: int) -> list[Netlist]:
    """At most n forests as circuits, spread over the front of score and estimated area, the best one among them.

    The small end is left out: a few leaves are a matter for a tree. A large forest is worth its start: it errs on
    other rows than one tree, and evolution takes away most of its gates before it gives up much of that.
    """
    if not n or job.stop.is_set():
        return []
    train, validation = judge.train, judge.validation
    grown = forests(
        train.codes,
        train.y,
        n_classes=train.n_classes,
        input_bits=job.config.input_bits,
        rng=job.rng("forests"),
        class_weights=judge.weights,
    )
    units = TreeUnits.of(job.technology)
    # The training rows would have the largest forests, which know them all, whether they understand or not.
    scores = [judge.scores(f.predict(train.codes), f.predict(validation.codes))["score"] for f in grown]
    areas = [forest.area_um2(units) for forest in grown]
    points = np.array([scores, areas]).T * (-1, 1)
    front = np.flatnonzero(non_dominated(points))
    by_area = spread(front[np.argsort(points[front, 1])].tolist(), n + 1)
    chosen = by_area[-n:]
    small = small_cells(job.technology)

    def circuit(number: int) -> Netlist:
        with TemporaryDirectory(prefix="printedmlp-") as folder:
            return map_forest(grown[number], small, effort=QUICK, work_dir=Path(folder))

    return list(job.in_parallel("forests", circuit, chosen))


def _training_front(entries: Sequence[Entry]) -> list[Entry]:
    """The non-dominated by training error and area, fewest errors first."""
    points = np.array([[e["train_error"], e["area_cm2"]] for e in entries]).reshape(-1, 2)
    front = [e for e, good in zip(entries, non_dominated(points), strict=True) if good]
    return sorted(front, key=lambda e: (e["train_error"], e["key"]))


def evolved(job: Job, evolutions: Sequence[Evolution], starts: Sequence[Netlist]) -> list[Netlist]:
    """Everything worth a look that evolution makes of the starts, each with the next of the evolutions in turn."""
    settings = SweepSettings(moves=job.config.refine_moves)
    measured = [evolutions[0].measure(netlist) for netlist in starts]

    def family(number: int) -> list[Refined]:
        evolution = evolutions[number % len(evolutions)]
        return list(sweep(evolution, starts[number], settings, job.rng(REFINE, number)))

    families = list(job.in_parallel("refinement", family, worth_evolving(measured)))
    known = measured + [circuit for found in families for circuit in found]

    def by_area(number: int) -> list[Refined]:
        evolution = evolutions[number % len(evolutions)]
        # What a circuit cost in another evolution says nothing of what it costs in this one.
        pool = known if len(evolutions) == 1 else [evolution.measure(circuit.netlist) for circuit in known]
        return list(within_areas(evolution, pool, settings, job.rng("areas", number)))

    more = job.in_parallel("areas", by_area, range(max(RESTARTS, len(evolutions))))
    return [circuit.netlist for circuit in (*known, *(c for family in more for c in family))]


def worth_evolving(starts: Sequence[Refined]) -> list[int]:
    """Numbers of the starts but for large ones that err as much as a smaller one: they take long and end behind."""
    return [
        number
        for number, start in enumerate(starts)
        if len(start.netlist.instances) <= LARGE_CELLS
        or not any(other.errors <= start.errors and other.area_mm2 < start.area_mm2 for other in starts)
    ]


def start_of(job: Job, entry: Entry) -> Netlist:
    """A circuit in cells of one or two inputs, which evolution knows: mapped anew if it has larger ones."""
    netlist, small = netlist_of(job, entry), small_cells(job.technology)
    if all(instance.cell in small.cells for instance in netlist.instances):
        return netlist
    rtl = VERILOG[entry["stage"]](model_of(entry))
    with TemporaryDirectory(prefix="printedmlp-") as folder:
        return map_verilog(rtl, small, effort=QUICK, work_dir=Path(folder), prove=False).netlist


def small_cells(technology: Technology) -> Technology:
    """The technology without its cells of three and more inputs."""
    return replace(technology, cells={n: c for n, c in technology.cells.items() if len(c.inputs) <= 2})


def _candidate(job: Job, judge: Judge, netlist: Netlist) -> Candidate:
    model = GateClassifier.of_netlist(
        netlist, job.technology, input_bits=job.config.input_bits, n_classes=judge.train.n_classes
    )
    return Candidate(netlist, judge.entry(REFINE, model, area_cm2=netlist.area_cm2(job.technology)))


def _proved(job: Job, candidate: Candidate, recipes: bool) -> str:
    """Write the netlist's record: what evolution left, or what a recipe makes of it where that is smaller.

    Recipes mind the area alone and would undo what was done for power, so they can be left out.
    """
    file = netlist_file(candidate.entry, REFINE)
    if job.run.read_piece(file):
        return file
    rtl = gates_verilog(GateClassifier.from_json(candidate.entry["model"]))
    with TemporaryDirectory(prefix="printedmlp-") as folder:
        work_dir = Path(folder)
        netlist, recipe, log = candidate.netlist, "evolution", []
        if recipes:
            again = map_verilog(rtl, job.technology, effort=QUICK, work_dir=work_dir / "recipes", prove=False)
            if again.netlist.area_cm2(job.technology) < netlist.area_cm2(job.technology) - 1e-9:
                netlist, recipe, log = again.netlist, again.recipe, list(again.log)
        (work_dir / "proof").mkdir()
        difference = equivalent(rtl, netlist, job.technology, work_dir=work_dir / "proof")
    if difference is not None:
        raise VerificationError(f"refined circuit {candidate.entry['key']}: netlist and Verilog differ")
    record = {
        "recipe": recipe,
        "area_cm2": netlist.area_cm2(job.technology),
        "log": [*log, f"{recipe}: proved equal to the Verilog"],
        "netlist": netlist_verilog(netlist, job.technology),
    }
    job.run.write_piece(record, file)
    return file
