"""The estimator's JSON: there and back, and what is wrong with a text is told in a line."""

import copy
import json

import numpy as np
import pytest
from sklearn.datasets import load_iris

from benchmarks.hostile_records import changed
from flows.estimator import PrintedMLPClassifier
from hdl.synthesis import read_netlist
from printedmlp.errors import EstimatorError, PrintedMLPError, VerificationError
from printedmlp.technology import load_technology
from tests.flows.test_estimator_checks import small

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def fitted():
    return small(probability=True).fit(X, Y)


@pytest.fixture
def data(fitted):
    return json.loads(fitted.to_json())


def read(data):
    return PrintedMLPClassifier.from_json(json.dumps(data))


def test_there_and_back(fitted):
    twin = PrintedMLPClassifier.from_json(fitted.to_json())
    assert (twin.predict(X) == fitted.predict(X)).all()
    assert (twin.predict_proba(X) == fitted.predict_proba(X)).all()
    assert [twin.to_verilog(kind) for kind in ("rtl", "netlist")] == [
        fitted.to_verilog(kind) for kind in ("rtl", "netlist")
    ]
    assert twin.to_json() == fitted.to_json()
    assert twin.front_ == [twin.circuit_]
    assert twin.predict(X).dtype == Y.dtype


@pytest.mark.parametrize("labels", [["a", "b", "c"], [False, True, None], [1.5, 2.5, 3.5], [-3, 0, 2**40]])
def test_labels_keep_their_type_and_others_are_refused(fitted, labels):
    twin = PrintedMLPClassifier.from_json(fitted.to_json())
    twin.classes_ = np.array(labels, dtype=object if None in labels else None)
    if None in labels:
        with pytest.raises(EstimatorError, match="labels of type NoneType, bool cannot be written"):
            twin.to_json()
        return
    back = PrintedMLPClassifier.from_json(twin.to_json())
    assert back.classes_.tolist() == labels
    assert back.classes_.dtype == twin.classes_.dtype


def test_a_wrong_kind_of_verilog_is_named(fitted):
    with pytest.raises(EstimatorError, match="kind: 'vhdl' is neither"):
        fitted.to_verilog("vhdl")


def test_a_netlist_with_another_gate_is_refused(data):
    netlist = data["design"]["netlist"]
    assert "NAND2X1" in netlist
    head, tail = netlist.rsplit("NAND2X1", 1)
    data["design"]["netlist"] = f"{head}NOR2X1{tail}"
    with pytest.raises(PrintedMLPError, match="area_cm2 or cells of 'tree-2' are not those of its netlist"):
        read(data)
    data["design"]["area_cm2"] = area_of(data["design"]["netlist"])
    with pytest.raises(VerificationError, match=r"the netlist answers . for codes"):
        read(data)


def area_of(netlist):
    technology = load_technology("egfet")
    return read_netlist(netlist, technology).area_cm2(technology)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "[" * 100_000, '{"format": "printedmlp.Quantiser"}', "NaN"]
)
def test_texts_that_are_none_of_ours(text):
    with pytest.raises(PrintedMLPError, match="estimator JSON") as raised:
        PrintedMLPClassifier.from_json(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("technology",), "../../cells.toml"),
        (("technology",), 3),
        (("metric",), "auc"),
        (("probability",), 1),
        (("table",), {"name": "x"}),
        (("classes",), {"type": "object", "labels": [1, 2, 3]}),
        (("classes", "labels"), [0, 1]),
        (("classes", "labels"), [0, 1, 1]),
        (("classes", "labels"), [0, 1, "2"]),
        (("class_names",), ["a", "b"]),
        (("class_names",), ["a", "b", 3]),
        (("majority",), 3),
        (("feature_names",), ["a"]),
        (("quantiser", "input_bits"), 3),
        (("quantiser", "features"), []),
        (("design",), {}),
        (("design", "kind"), "magic"),
        (("design", "merit"), "1"),
        (("design", "merit"), True),
        (("design", "merit"), float("nan")),
        (("design", "area_cm2"), float("nan")),
        (("design", "area_cm2"), 10**400),
        (("design", "power_mw"), float("inf")),
        (("design", "kind"), "refine"),
        (("design", "kind"), "search"),
        (("design", "proof"), {"integers": {"verdict": "proved"}}),
        (("design", "proof"), {"verilog": 1, "integers": {"verdict": "proved"}}),
        (("design", "answers"), [[0, 0, 10**400], [0, 0, 0], [0, 0, 0]]),
        (("classes",), {"type": "int", "labels": [1, 2, 10**30]}),
        (("classes",), {"type": "float", "labels": [1.0, 2.0, float("nan")]}),
        (("design", "cells"), 1),
        (("design", "area_cm2"), 0.0),
        (("design", "proof"), {}),
        (("design", "answers"), [[1]]),
        (("design", "answers"), [[0, 0, 0], [0, 0, -1], [0, 0, 0]]),
        (("design", "model"), {"format": "?"}),
        (("design", "model", "n_features"), 3),
        (("design", "netlist"), "module top; endmodule"),
        (("design", "netlist"), ""),
    ],
)
def test_each_wrong_value_is_told_in_a_line(data, path, value):
    changed = copy.deepcopy(data)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(PrintedMLPError) as raised:
        read(changed)
    assert "\n" not in str(raised.value)


def test_every_missing_key_is_told_in_a_line(data):
    for key in data:
        with pytest.raises(PrintedMLPError):
            read({k: v for k, v in data.items() if k != key})
    for key in data["design"]:
        with pytest.raises(PrintedMLPError):
            read({**data, "design": {k: v for k, v in data["design"].items() if k != key}})


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"'])
def test_what_could_not_be_written_again_is_refused(data, value):
    text = json.dumps({**data, "table": {**data["table"], "name": "here"}}).replace('"here"', value)
    with pytest.raises(PrintedMLPError, match=r"^estimator JSON: cannot be read "):
        PrintedMLPClassifier.from_json(text)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_estimator_is_refused_in_a_line_or_answers(data, seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        said = ""
        try:
            PrintedMLPClassifier.from_json(json.dumps(changed(data, rng))).predict(X)
        except PrintedMLPError as error:
            said = str(error)
        assert said.isprintable()
