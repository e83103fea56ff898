"""One entrance for all forms of classifier."""

import json

import pytest

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.classifier import classifier_from_json, description
from printedmlp.errors import ModelError
from printedmlp.model import DiscreteMLP, Layer, Neuron, Scores, Term
from printedmlp.trees import grown

NETWORK = DiscreteMLP(2, 2, (Layer(tuple(Neuron((Term(i, 1, 3, 0),)) for i in range(2)), 0, Scores()),))
TREE = grown(2, 2, 2, (0, 2, 0, (1, 3, 1, 0)))
GATES = GateClassifier(2, 2, 2, (Gate(0b1000, (2, 5)),), (6,))
ROWS = [[0, 0], [3, 1], [2, 3], [1, 2]]


@pytest.mark.parametrize(
    ("classifier", "classes", "words"),
    [(NETWORK, [0, 0, 1, 1], ""), (TREE, [0, 1, 0, 0], "tree, 3 leaves"), (GATES, [0, 0, 0, 1], "1 gate")],
)
def test_every_form_comes_back_from_its_text(classifier, classes, words):
    again = classifier_from_json(json.loads(classifier.dumps()))
    assert type(again) is type(classifier)
    assert again == classifier == classifier_from_json(classifier.to_json())
    assert again.predict(ROWS).tolist() == classes
    assert (again.n_features, again.input_bits, again.n_classes) == (2, 2, 2)
    assert description(again) == words


@pytest.mark.parametrize("form", [None, "printedmlp.Quantiser", 3])
def test_another_form_is_refused(form):
    with pytest.raises(ModelError, match=rf"format {form!r} is not that of a classifier"):
        classifier_from_json({"format": form})


def test_a_form_with_another_content_is_refused_by_it():
    with pytest.raises(ModelError, match="'nodes' must be a list"):
        classifier_from_json({**GATES.to_json(), "format": "printedmlp.DecisionTree"})
