"""What every stage may hand on: a network, a tree, or a circuit of gates, each with the same few abilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp import model, trees
from printedmlp.circuit import gates
from printedmlp.errors import ModelError


class Classifier(Protocol):
    """An integer function from codes to classes that defines what its circuit has to compute."""

    @property
    def n_features(self) -> int:
        """Number of inputs."""

    @property
    def input_bits(self) -> int:
        """Bits of each input."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""

    @property
    def topology(self) -> tuple[int, ...]:
        """Sizes that describe it; empty where there are none."""

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Class of each row of codes (n_samples, n_features), (n_samples,)."""

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary, which `classifier_from_json` reads."""

    def dumps(self) -> str:
        """JSON text; the same classifier, the same bytes."""


def classifier_from_json(data: Mapping[str, Any]) -> Classifier:
    """The classifier that any of the forms' `to_json` wrote; ModelError for another dictionary."""
    form = data.get("format") if isinstance(data, Mapping) else None
    if form == model.FORMAT:
        return model.DiscreteMLP.from_json(data)
    if form == trees.FORMAT:
        return trees.DecisionTree.from_json(data)
    if form == gates.FORMAT:
        return gates.GateClassifier.from_json(data)
    raise ModelError(f"format {form!r:.60} is not that of a classifier")


def description(classifier: Classifier) -> str:
    """What a classifier is, in a word or two; empty for a network, whose topology tells."""
    if isinstance(classifier, trees.DecisionTree):
        n = classifier.n_leaves
        return f"tree, {n} {'leaf' if n == 1 else 'leaves'}"
    if isinstance(classifier, gates.GateClassifier):
        n = len(classifier.gates)
        return f"{n} gate{'' if n == 1 else 's'}"
    return ""
