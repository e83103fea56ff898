"""The stages of a design run between a table in memory and the front, which are what the estimator's `fit` does.

They are those of `flows.design` but for three: rows are split into training and validation only, methods that were
not asked for find nothing, and the last stage proves the front and measures it on these rows. What needs test rows,
pictures and the baselines is left to `flows.estimator_report`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flows import priced_refinement, searches, stages
from flows.burns import timing_of
from flows.circuits import SOURCES, by_merit, most_promising, synthesised
from flows.config import DesignConfig
from flows.design import settings_of
from flows.given import write_given
from flows.job import Job, Stage
from flows.mapping import PAPER, REFINE, SEARCH, TREE, VERILOG, Choice, Entry, Judge, model_of, netlist_of
from flows.printed_design import ENTRY_FIGURES, PrintedDesign, counted, named_classes, refuse_difference
from flows.progress import Reporter
from flows.proofs import Claim, prove_all
from flows.run import open_run, sha256_text, write_text
from printedmlp.choice import nearest_miss, select_front
from printedmlp.errors import EstimatorError
from printedmlp.float_mlp import FloatMLP
from printedmlp.preparation import Prepared
from printedmlp.samples import Dataset
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree
from sim.vectors import stimulus

METHODS = (PAPER, TREE, SEARCH, REFINE)
"""Stages that find circuits; the first three from nothing, the last from what they found."""
TABLE = "table.csv"
FOUND = "found.json"


@dataclass(frozen=True)
class Order:
    """What is to be designed.

    Attributes
    ----------
    ready : the table, split into training and validation rows.
    config : the settings, hidden sizes filled in.
    technology : the cells.
    methods : those of `METHODS` to try.
    start : a classifier of codes to start from; None for none.
    """

    ready: Prepared
    config: DesignConfig
    technology: Technology
    methods: tuple[str, ...]
    start: FloatMLP | DecisionTree | None = None

    @property
    def dataset(self) -> Dataset:
        """The table."""
        return self.ready.dataset

    def settings(self) -> dict[str, Any]:
        """Everything that decides the result, JSON-ready."""
        rows = ",".join(map(str, self.ready.split.validation.tolist()))
        own = {"methods": list(self.methods), "validation_rows": sha256_text(rows), "start": _digest(self.start)}
        return {**settings_of(self.config, self.dataset), **own}


def found_designs(order: Order, folder: Path, reporter: Reporter) -> list[PrintedDesign]:
    """Run every stage that is not done yet in the folder; the front's circuits, smallest first.

    Raises
    ------
    EstimatorError : no circuit keeps to the limits.
    VerificationError : a netlist is not its classifier.
    """
    todo = stages_of(order)
    with open_run(folder, order.settings(), list(todo)) as run:
        job = Job(order.config, order.dataset, order.technology, run, reporter)
        for name, stage in todo.items():
            ran = run.do(name, partial(stage, job))
            reporter.line(f"{name}: {'done' if ran else 'kept from an earlier run'}")
        return [PrintedDesign.from_json(record, order.technology) for record in run.read_json(FOUND)]


def stages_of(order: Order) -> dict[str, Stage]:
    """The stages by name, in their order."""
    todo: dict[str, Stage] = {"data": partial(_data, order)}
    if order.start is not None:
        todo["given"] = partial(_given, order.start)
    if PAPER in order.methods:
        todo["exact"] = stages.exact
    finders = {PAPER: searches.paper, TREE: searches.tree, SEARCH: searches.search}
    for name, finder in finders.items():
        todo[name] = finder if name in order.methods else partial(_left_out, name)
    todo["synthesis"] = _synthesis
    todo[REFINE] = priced_refinement.refine if REFINE in order.methods else partial(_left_out, REFINE)
    todo["front"] = _front
    return todo


def _digest(start: FloatMLP | DecisionTree | None) -> str | None:
    if start is None or isinstance(start, DecisionTree):
        return None if start is None else sha256_text(start.dumps())
    return sha256_text(repr([array.tolist() for array in (*start.weights, *start.biases)]))


def _data(order: Order, job: Job) -> list[str]:
    lines = [",".join([*(f"x{i}" for i in range(job.dataset.n_features)), "class"])]
    rows = zip(job.dataset.X.tolist(), job.dataset.y.tolist(), strict=True)
    lines += [",".join(map(repr, [*row, label])) for row, label in rows]
    write_text(job.run.path(TABLE), "\n".join(lines) + "\n")
    return [*stages.write_prepared(job, order.ready), TABLE]


def _given(start: FloatMLP | DecisionTree, job: Job) -> list[str]:
    return write_given(job, start, searches.search_layout(job))


def _left_out(name: str, job: Job) -> list[str]:
    job.run.write_json({"found": []}, "search", f"{name}.json")
    return [f"search/{name}.json"]


def _synthesis(job: Job) -> list[str]:
    entries = most_promising(job.run.read_json, SOURCES, job.config.candidates)
    return synthesised(job, Judge.of(job), entries)


def _front(job: Job) -> list[str]:
    """Choose the front by training and validation rows, and prove and measure its circuits."""
    judge = Judge.of(job)
    found = [*job.run.read_json("search", "candidates.json"), *job.run.read_json("search", "refine.json")["found"]]
    choices, limits = [Choice(entry) for entry in by_merit(found, len(judge.validation.y))], job.config.limits
    front = select_front(choices, limits=limits)
    if not front:
        raise EstimatorError(nearest_miss(choices, limits))
    named = {name: choice.entry for name, choice in zip(_names(front), front, strict=True)}
    proofs = prove_all(job, [_claim(job, name, entry) for name, entry in named.items()])
    designs = [
        _design(job, judge, name, entry, proof) for (name, entry), proof in zip(named.items(), proofs, strict=True)
    ]
    job.run.write_json([design.to_json(job.technology) for design in designs], FOUND)
    return [FOUND]


def _names(front: Sequence[Choice]) -> list[str]:
    """The stage of each and its number among those of the stage, such as tree-2."""
    kinds = [str(choice.entry["stage"]) for choice in front]
    return [f"{kind}-{kinds[: place + 1].count(kind)}" for place, kind in enumerate(kinds)]


def _claim(job: Job, name: str, entry: Entry) -> Claim:
    record, model = job.run.read_json(entry["netlist_file"]), model_of(entry)
    rtl = VERILOG[entry["stage"]](model)
    return Claim(name, model, netlist_of(job, entry), record["netlist"], rtl, record["log"])


def _design(job: Job, judge: Judge, name: str, entry: Entry, proof: Mapping[str, Any]) -> PrintedDesign:
    model, netlist, validation = model_of(entry), netlist_of(job, entry), judge.validation
    nominal = timing_of(netlist, job.technology)[job.technology.nominal_voltage]
    vectors = stimulus(
        judge.deciding_codes(), model.input_bits, n_random=job.config.random_vectors, seed=job.config.seed
    )
    refuse_difference(name, model, netlist, job.technology, vectors.codes)
    answers = named_classes(model.predict(validation.codes), validation.n_classes, validation.majority_class)
    return PrintedDesign(
        id=name,
        kind=entry["stage"],
        **{key: float(entry[key]) for key in ENTRY_FIGURES},
        power_mw=entry["choice_power_mw"],
        delay_ms=nominal.delay_ms if nominal else None,
        cells=len(netlist.instances),
        proof=dict(proof),
        vectors=len(vectors),
        answers=counted(answers, validation.y, validation.n_classes),
        model=model,
        netlist=netlist,
    )
