"""The textbook form: another circuit, the same function, the same score nets."""

import numpy as np
import pytest
from hypothesis import given, settings

from hdl.classifier import published_scores
from hdl.emit import classifier_verilog, textbook_verilog
from printedmlp.model import DiscreteMLP, Layer, Neuron, Scores, Term
from tests.hdl.test_classifier import exact, predicted, two_layers
from tests.random_models import all_inputs, classifiers


@pytest.mark.parametrize("model", [two_layers(), two_layers(True), exact()], ids=["unsigned", "signed", "exact"])
def test_every_input_of_small_classifiers(model):
    X = all_inputs(model)
    assert predicted(model, X, textbook_verilog(model)).tolist() == model.predict(X).tolist()


@settings(max_examples=8, deadline=None)
@given(classifiers())
def test_every_input_of_random_classifiers(model):
    X = all_inputs(model)
    assert predicted(model, X, textbook_verilog(model)).tolist() == model.predict(X).tolist()


def test_an_exact_network_has_a_multiplier_a_weight_and_the_score_nets():
    text = textbook_verilog(exact())
    assert text.count(" * ") == 11  # of 12 weights, 64 is a shift
    for net in published_scores(exact()).values():
        assert f" {net.name};" in text


def test_it_is_another_circuit_than_the_small_one():
    assert textbook_verilog(exact(), header=["a"]) != classifier_verilog(exact(), header=["a"])


def test_a_wrong_weight_shows():
    right = DiscreteMLP(
        1, 4, (Layer((Neuron((), 20), Neuron((Term(0, 1, 15, 2), Term(0, -1, 15, 0)))), 0, Scores()),)
    )
    wrong = DiscreteMLP(1, 4, (Layer((Neuron((), 20), Neuron((Term(0, 1, 15, 2),))), 0, Scores()),))
    X = all_inputs(right)
    assert not np.array_equal(predicted(right, X, textbook_verilog(wrong)), right.predict(X))
