"""A fitted estimator's circuit as JSON: quantiser, classifier, netlist and labels; nothing in it is executable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from flows.printed_design import PrintedDesign
from printedmlp.errors import DataError, EstimatorError
from printedmlp.files import parse_json
from printedmlp.metrics import METRICS
from printedmlp.quantise import Quantiser
from printedmlp.technology import BUILT_IN, load_technology

FORMAT = "printedmlp.PrintedMLPClassifier"
VERSION = 1
LABELS: Mapping[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
"""Types that labels may have in a file."""
KINDS: Mapping[str, type] = {
    "technology": str,
    "metric": str,
    "probability": bool,
    "table": dict,
    "classes": dict,
    "class_names": list,
    "majority": int,
    "feature_names": list,
    "quantiser": dict,
    "design": dict,
}


@dataclass(frozen=True)
class Portable:
    """All that a fitted estimator needs to answer; see its attributes and parameters of the same names.

    `classes` are the labels, `class_names` the same as displayed, `majority` the index of the most frequent one,
    `feature_names` are empty where the table had none.
    """

    technology: str
    metric: str
    probability: bool
    table: Mapping[str, str]
    classes: NDArray[Any]
    class_names: tuple[str, ...]
    majority: int
    feature_names: tuple[str, ...]
    quantiser: Quantiser
    design: PrintedDesign

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; EstimatorError for labels that JSON cannot hold."""
        labels = self.classes.tolist()
        kinds = {type(label).__name__ for label in labels}
        if len(kinds) != 1 or not kinds <= set(LABELS):
            raise EstimatorError(f"labels of type {', '.join(sorted(kinds))} cannot be written as JSON")
        own = {key: getattr(self, key) for key in KINDS}
        own |= {
            "table": dict(self.table),
            "classes": {"type": kinds.pop(), "labels": labels},
            "class_names": list(self.class_names),
            "feature_names": list(self.feature_names),
            "quantiser": self.quantiser.to_json(),
            "design": self.design.to_json(load_technology(self.technology)),
        }
        return {"format": FORMAT, "version": VERSION, **own}

    @classmethod
    def loads(cls, text: str, technology: str | None = None) -> Self:
        """Read JSON text; `technology` is used instead of the one it names, which must else be a built-in one.

        Raises
        ------
        PrintedMLPError : one line that names what is wrong: the text, a value, or parts that do not fit together.
        """
        try:
            data = parse_json(text)
        except ValueError as error:
            raise DataError(f"estimator JSON: cannot be read ({error})") from None
        values = _checked(data)
        if technology is None and values["technology"] not in BUILT_IN:
            raise DataError(f"estimator JSON: give technology; '{values['technology']:.40}' is not built in")
        values["technology"] = technology or values["technology"]
        quantiser = Quantiser.from_json(values["quantiser"])
        design = PrintedDesign.from_json(values["design"], load_technology(values["technology"]))
        values |= {"classes": _labels(values["classes"]), "quantiser": quantiser, "design": design}
        values |= {key: _texts(values[key], key) for key in ("class_names", "feature_names")}
        portable = cls(**values)
        portable._check_fit()
        return portable

    def _check_fit(self) -> None:
        model = self.design.model
        counts = {
            "labels": (len(self.classes), model.n_classes),
            "class_names": (len(self.class_names), model.n_classes),
            "features of the quantiser": (len(self.quantiser.feature_names), model.n_features),
            "input bits of the quantiser": (self.quantiser.input_bits, model.input_bits),
            "feature_names": (len(self.feature_names) or model.n_features, model.n_features),
        }
        for name, (found, wanted) in counts.items():
            if found != wanted:
                raise DataError(f"estimator JSON: {found} {name}, the classifier has {wanted}")
        if not 0 <= self.majority < model.n_classes:
            raise DataError(f"estimator JSON: majority {self.majority} is no class")
        if len(np.unique(self.classes)) != len(self.classes) or (self.classes != np.sort(self.classes)).any():
            raise DataError("estimator JSON: the labels are not sorted and different")


def _checked(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise DataError(f"estimator JSON: 'format' must be {FORMAT!r}, version {VERSION}")
    for key, kind in KINDS.items():
        if type(data.get(key)) is not kind:
            raise DataError(f"estimator JSON: '{key}' is {data.get(key)!r:.60}")
    if data["metric"] not in METRICS:
        raise DataError(f"estimator JSON: 'metric' is {data['metric']!r:.60}")
    table = data["table"]
    if set(table) != {"name", "sha256"} or not all(isinstance(value, str) for value in table.values()):
        raise DataError("estimator JSON: 'table' needs the texts 'name' and 'sha256'")
    return {key: data[key] for key in KINDS}


def _labels(record: Mapping[str, Any]) -> NDArray[Any]:
    kind, labels = LABELS.get(str(record.get("type"))), record.get("labels")
    if kind is None or not isinstance(labels, list) or not labels or any(type(v) is not kind for v in labels):
        raise DataError(f"estimator JSON: 'classes' is {record!r:.60}")
    values = np.array(labels)
    # Integers beyond 64 bits stay objects.
    if values.dtype == object:
        raise DataError(f"estimator JSON: 'classes' is {record!r:.60}")
    return values


def _texts(values: list[Any], key: str) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise DataError(f"estimator JSON: '{key}' is {values!r:.60}")
    return tuple(values)
