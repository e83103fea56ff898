"""A circuit of the front as the estimator holds it: figures, integer classifier, netlist and proof; as JSON too."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from flows.mapping import REFINE, TREE, VERILOG
from flows.proofs import proof_words
from hdl.synthesis import netlist_verilog, read_netlist
from printedmlp.circuit import Netlist
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.classifier import Classifier, classifier_from_json, description
from printedmlp.errors import ModelError, VerificationError
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree
from sim.vectors import stimulus

FORMAT = "printedmlp.PrintedDesign"
VERSION = 1
ENTRY_FIGURES = ("merit", "score", "train_accuracy", "validation_accuracy", "area_cm2")
"""Figures of a candidate's record that a design takes over as they are."""
AREA_ROUNDING_CM2 = 1e-9
MOST_ROWS = 1 << 53
"""Counts below this are exact as floating-point numbers."""
NUMBER = (int, float)
KINDS: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "kind": (str,),
    **dict.fromkeys(ENTRY_FIGURES, NUMBER),
    "power_mw": (*NUMBER, type(None)),
    "delay_ms": (*NUMBER, type(None)),
    "cells": (int,),
    "proof": (dict,),
    "vectors": (int,),
    "answers": (list,),
    "model": (dict,),
    "netlist": (str,),
}
"""What JSON holds of a design, and of which type."""


@dataclass(frozen=True)
class PrintedDesign:
    """One circuit of the front.

    Attributes
    ----------
    id : unique name, such as tree-2.
    kind : the method that found it: "paper", "tree", "search" or "refine".
    merit : what circuits are compared by, see `printedmlp.choice.merit_of`.
    score, train_accuracy, validation_accuracy : the metric on the validation rows, and shares of rows right.
    area_cm2, cells : of the netlist, without routing and sensor front end.
    power_mw : static, at the nominal voltage, in the states that training and validation rows cause; None without
        figures.
    delay_ms : longest path at the nominal voltage; None without figures.
    proof : that netlist, Verilog and integer classifier are one function, as `measure.json` holds it.
    vectors : on how many rows, corners and random codes the netlist was simulated besides.
    answers : (C, C) validation rows by answer (first) and true class.
    model : the integer classifier.
    netlist : its printed cells.
    """

    id: str
    kind: str
    merit: float
    score: float
    train_accuracy: float
    validation_accuracy: float
    area_cm2: float
    power_mw: float | None
    delay_ms: float | None
    cells: int
    proof: Mapping[str, Any]
    vectors: int
    answers: tuple[tuple[int, ...], ...]
    model: Classifier
    netlist: Netlist

    @property
    def form(self) -> str:
        """What the classifier is, such as "tree, 4 leaves" or the topology 4-3-3."""
        return description(self.model) or "-".join(map(str, self.model.topology))

    @property
    def proved(self) -> bool:
        """Whether the netlist is proved to be the integer classifier on all inputs."""
        return bool(self.proof["integers"]["verdict"] == "proved")

    def rtl(self, header: Sequence[str] = ()) -> str:
        """The classifier in behavioural Verilog, comment lines first."""
        return VERILOG[self.kind](self.model, header=header)

    def to_json(self, technology: Technology) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_json` is its inverse."""
        record = {key: getattr(self, key) for key in KINDS}
        record |= {"model": self.model.to_json(), "netlist": netlist_verilog(self.netlist, technology)}
        return {"format": FORMAT, "version": VERSION, **record, "proof": dict(self.proof)}

    @classmethod
    def from_json(cls, data: Any, technology: Technology) -> Self:
        """Rebuild a design, and simulate its netlist against its classifier.

        Raises
        ------
        ModelError : naming what the dictionary lacks or what does not fit.
        ToolError : the netlist cannot be read.
        VerificationError : netlist and classifier are not the same function.
        """
        values = _checked(data)
        model, netlist = classifier_from_json(values["model"]), read_netlist(values["netlist"], technology)
        kind, area = _checked_kind(values["kind"], model), netlist.area_cm2(technology)
        if values["cells"] != len(netlist.instances) or abs(values["area_cm2"] - area) > AREA_ROUNDING_CM2:
            raise ModelError(f"design JSON: area_cm2 or cells of '{values['id']:.40}' are not those of its netlist")
        codes = stimulus(np.empty((0, model.n_features), np.uint8), model.input_bits).codes
        refuse_difference(values["id"], model, netlist, technology, codes)
        answers = _counts(values["answers"], model.n_classes)
        return cls(**{**values, "kind": kind, "model": model, "netlist": netlist, "answers": answers})


def named_classes(answers: NDArray[np.int64], n_classes: int, majority_class: int) -> NDArray[np.int64]:
    """Answers (n,) with the majority class in place of words that name no class, which few circuits ever give."""
    return np.where(answers < n_classes, answers, majority_class)


def counted(answers: NDArray[np.int64], y: NDArray[np.int64], n_classes: int) -> tuple[tuple[int, ...], ...]:
    """(C, C) rows by answer and true class."""
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (answers, y), 1)
    return tuple(map(tuple, counts.tolist()))


def refuse_difference(
    name: str, model: Classifier, netlist: Netlist, technology: Technology, codes: NDArray[np.integer]
) -> None:
    """Simulate a netlist on codes (n, n_features); VerificationError where its classifier answers otherwise."""
    if netlist.n_inputs != model.n_features * model.input_bits:
        raise VerificationError(f"design '{name:.40}': {netlist.n_inputs} input bits are not its classifier's")
    values = simulate(netlist, technology, input_bits_of(codes, model.input_bits), len(codes))
    answered = classes(netlist, values, len(codes))
    wrong = np.flatnonzero(answered != model.predict(codes))
    if len(wrong):
        row = int(wrong[0])
        raise VerificationError(
            f"design '{name:.40}': the netlist answers {answered[row]} for codes {codes[row].tolist()}, "
            f"its classifier {model.predict(codes[row : row + 1])[0]}"
        )


def _checked(data: Any) -> dict[str, Any]:
    if not isinstance(data, Mapping) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise ModelError(f"design JSON: 'format' must be {FORMAT!r}, version {VERSION}")
    for key, kinds in KINDS.items():
        value = data.get(key)
        large = isinstance(value, NUMBER) and not abs(value) <= sys.float_info.max
        if key not in data or not isinstance(value, kinds) or isinstance(value, bool) or large:
            raise ModelError(f"design JSON: '{key}' is {value!r:.60}")
    try:
        proof_words(data["proof"])
    except (KeyError, TypeError):
        raise ModelError("design JSON: 'proof' is none") from None
    return {key: data[key] for key in KINDS}


def _checked_kind(kind: str, model: Classifier) -> str:
    """The method, if it is one that finds such classifiers, so that its Verilog can be written."""
    form = TREE if isinstance(model, DecisionTree) else REFINE if isinstance(model, GateClassifier) else None
    if kind not in VERILOG or (form or kind) != kind or (form is None and kind in (TREE, REFINE)):
        raise ModelError(f"design JSON: 'kind' {kind!r:.60} does not go with its model")
    return kind


def _counts(answers: list[Any], n_classes: int) -> tuple[tuple[int, ...], ...]:
    rows = [tuple(row) if isinstance(row, list) else () for row in answers]
    if len(rows) != n_classes or any(len(row) != n_classes for row in rows):
        raise ModelError(f"design JSON: 'answers' is no table of {n_classes} x {n_classes} counts")
    if any(type(count) is not int or not 0 <= count < MOST_ROWS for row in rows for count in row):
        raise ModelError("design JSON: 'answers' holds what is no count")
    return tuple(rows)
