"""Candidates on their way from classifiers to mapped circuits, as the records that stages pass on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flows.figures import power_of
from flows.job import Job
from flows.run import sha256_text
from hdl.emit import classifier_verilog, textbook_verilog
from hdl.gates import gates_verilog
from hdl.synthesis import map_verilog, netlist_verilog, read_netlist
from hdl.tree import tree_verilog
from printedmlp.circuit import Netlist
from printedmlp.circuit.devices import Devices
from printedmlp.circuit.fault_simulation import FaultSimulator
from printedmlp.circuit.yields import printed_merit, row_weights
from printedmlp.classifier import Classifier, classifier_from_json
from printedmlp.objective import Objective
from printedmlp.vectors import Vectors

Entry = dict[str, Any]
Item = TypeVar("Item")
QUICK = "quick"
ROUNDING = 1e-9
EXACT, TEXTBOOK, PAPER, TREE, SEARCH, REFINE = "exact", "textbook", "paper", "tree", "search", "refine"
ESTIMATE, ESTIMATED_POWER = "estimate", "estimated_power"
"""What a classifier costs before it is mapped: its area, and with prices of thresholds power as area of gates."""
BASELINES = (EXACT, TEXTBOOK)
"""The same exact network as the smallest circuit known here, and as multipliers and sums."""
VERILOG: dict[str, Callable[..., str]] = {
    EXACT: classifier_verilog,
    TEXTBOOK: textbook_verilog,
    PAPER: classifier_verilog,
    TREE: tree_verilog,
    SEARCH: classifier_verilog,
    REFINE: gates_verilog,
}
"""How the classifiers of each stage are written."""


@dataclass(frozen=True)
class Choice:
    """A mapped candidate as the front's choice sees it, before anything is measured on the test rows."""

    entry: Entry

    @property
    def id(self) -> str:
        """Key of the classifier and its form."""
        return str(self.entry["key"])

    @property
    def score(self) -> float:
        """Value of the chosen metric on the validation rows."""
        return float(self.entry["score"])

    @property
    def merit(self) -> float:
        """What circuits are compared by; the stages take the metric on both deciding parts together for it."""
        return float(self.entry["merit"])

    @property
    def area_cm2(self) -> float:
        """Cell area of the netlist, or of the whole system where that decides."""
        return area_of(self.entry)

    @property
    def printed_merit(self) -> float:
        """Merit that prints of the netlist are expected to have; 0 where nobody asked for it."""
        return float(self.entry.get("printed_merit", 0.0))

    @property
    def power_mw_nominal(self) -> float:
        """Power in the states of training and validation rows, or of the system where that decides.

        0, which decides nothing, without figures.
        """
        return power_of_choice(self.entry)


def area_of(entry: Entry) -> float:
    """The area in cm2 that a mapped candidate is chosen by: its system's, if it is known, or else its own."""
    return float(entry.get("system", entry)["area_cm2"])


def power_of_choice(entry: Entry) -> float:
    """The power in mW that a mapped candidate is chosen by, as `area_of`; 0 without figures."""
    power = entry["system"]["power_mw"] if "system" in entry else entry["choice_power_mw"]
    return float(power or 0.0)


@dataclass(frozen=True)
class Judge:
    """Measures candidates on the rows that may decide: training and validation."""

    objective: Objective
    train: Vectors
    validation: Vectors

    @classmethod
    def of(cls, job: Job) -> Judge:
        """The judge of a run, whose data stage is done."""
        train = job.vectors("train")
        objective = Objective.of(job.config.metric, job.config.class_weights, train.y, train.n_classes)
        return cls(objective, train, job.vectors("validation"))

    @property
    def weights(self) -> tuple[int, ...] | None:
        """Class weights of the training."""
        return self.objective.class_weights

    def scores(self, on_train: NDArray[np.int64], on_validation: NDArray[np.int64]) -> dict[str, float]:
        """The chosen metric of the answers to the validation rows, and to all rows that may decide."""
        value, n_classes = self.objective.score, self.validation.n_classes
        y, answers = np.concatenate([self.train.y, self.validation.y]), np.concatenate([on_train, on_validation])
        return {
            "score": value(self.validation.y, on_validation, n_classes),
            "merit": value(y, answers, n_classes),
        }

    def entry(self, stage: str, model: Classifier, **figures: Any) -> Entry:
        """A candidate's record: the classifier and what the rows say of it."""
        on_train, on_validation = model.predict(self.train.codes), model.predict(self.validation.codes)
        return {
            "stage": stage,
            "model": model.to_json(),
            "key": sha256_text(model.dumps() + VERILOG[stage].__name__)[:16],
            "train_accuracy": float(np.mean(on_train == self.train.y)),
            "train_error": self.objective.weighted_error(self.train.y, on_train),
            "validation_accuracy": float(np.mean(on_validation == self.validation.y)),
            **self.scores(on_train, on_validation),
            **figures,
        }

    def deciding_codes(self) -> NDArray[np.uint8]:
        """Codes of all rows that may decide, (n, n_features)."""
        return np.concatenate([self.train.codes, self.validation.codes])


def model_of(entry: Entry) -> Classifier:
    """The classifier of a record."""
    return classifier_from_json(entry["model"])


def netlist_file(entry: Entry, effort: str) -> str:
    """Where a candidate's mapped netlist lies in the run folder."""
    return f"synthesis/{entry['key']}-{effort}.json"


def netlist_of(job: Job, entry: Entry) -> Netlist:
    """The mapped netlist of a record that names its file."""
    return read_netlist(job.run.read_json(entry["netlist_file"])["netlist"], job.technology)


def mapped(job: Job, entry: Entry, effort: str) -> Entry:
    """Map a candidate unless it is done; the record of its netlist, which is proved equal to the Verilog."""
    file = netlist_file(entry, effort)
    if kept := job.run.read_piece(file):
        return kept
    rtl = VERILOG[entry["stage"]](model_of(entry))
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        result = map_verilog(rtl, job.technology, effort=effort, work_dir=Path(folder))
    record = {
        "recipe": result.recipe,
        "area_cm2": result.netlist.area_cm2(job.technology),
        "area_cm2_by_recipe": result.area_by_recipe,
        "log": list(result.log),
        "netlist": netlist_verilog(result.netlist, job.technology),
    }
    job.run.write_piece(record, file)
    return record


def finish(job: Job, judge: Judge, entry: Entry, file: str) -> Entry:
    """The candidate with the figures of its final netlist, which `file` holds.

    Where fault tolerance counts, those of its prints are among them; the baselines do without.
    """
    record = job.run.read_json(file)
    netlist = read_netlist(record["netlist"], job.technology)
    power = power_of(netlist, job.technology, judge.deciding_codes(), job.config.input_bits)
    figures = {"area_cm2": record["area_cm2"], "choice_power_mw": power[job.technology.nominal_voltage]}
    if job.config.fault_tolerance is not None and entry["stage"] not in BASELINES:
        figures |= printed_merits(job, judge, netlist, job.config.fault_tolerance)
    return {**entry, **figures, "netlist_file": file}


def printed_merits(job: Job, judge: Judge, netlist: Netlist, device_yield: float) -> dict[str, float]:
    """Merit and score that prints of a netlist are expected to have: on all rows that decide, on validation rows.

    Without faults they are the figures of the chosen metric, or the balanced accuracy where that is macro F1.
    """
    y, validation = np.concatenate([judge.train.y, judge.validation.y]), judge.validation
    parts = {"printed_merit": (judge.deciding_codes(), y), "printed_score": (validation.codes, validation.y)}
    devices, sizes = Devices.of(netlist, job.technology), (judge.train.n_classes, job.config.input_bits)
    found = {}
    for name, rows in parts.items():
        simulator = FaultSimulator(netlist, job.technology, *rows, n_classes=sizes[0], input_bits=sizes[1])
        weights = row_weights(simulator.held, balanced=job.config.metric != "accuracy")
        found[name] = printed_merit(simulator, devices, simulator.singles(), device_yield, weights)
    return found


def worth_keeping(entries: Sequence[Entry], sizes: Sequence[float]) -> list[Entry]:
    """The entries that no smaller one equals in merit, smallest first; of equals the one whose key sorts first."""
    ranked = sorted(zip(sizes, entries, strict=True), key=lambda pair: (pair[0], -pair[1]["merit"], pair[1]["key"]))
    kept: list[Entry] = []
    for _, entry in ranked:
        if not kept or entry["merit"] > kept[-1]["merit"] + ROUNDING:
            kept.append(entry)
    return kept


def spread(entries: Sequence[Item], n: int) -> list[Item]:
    """At most n of a list, the first and the last among them, the others evenly between."""
    if len(entries) <= n:
        return list(entries)
    places = np.linspace(0, len(entries) - 1, n).round().astype(int)
    return [entries[place] for place in sorted(set(places.tolist()))]
