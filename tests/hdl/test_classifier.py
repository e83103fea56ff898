"""The whole classifier in Verilog, against `DiscreteMLP` through synthesis."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings

from hdl.classifier import ScoreNet, published_scores
from hdl.emit import classifier_verilog
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from tests.hdl.circuits import verilog_outputs
from tests.random_models import all_inputs, classifiers, csd_terms


def predicted(model, X, verilog=None):
    with tempfile.TemporaryDirectory() as folder:
        return verilog_outputs(verilog or classifier_verilog(model), X, model.input_bits, Path(folder))


def two_layers(signed=False):
    hidden = Layer(
        (
            Neuron((Term(0, 1, 0b1011, 1), Term(1, -1, 0b0110, 1), Term(2, 1, 0b1100, 0)), 3),
            Neuron((Term(0, -1, 0b1110, 0), Term(2, 1, 0b1111, 1)), 2),
        ),
        1,
        QReLU(1, 3),
    )
    output = Layer(
        (
            Neuron((Term(0, 1, 0b111, 1), Term(1, -1, 0b101, 0)), -1),
            Neuron((Term(1, 1, 0b111, 1), Term(0, -1, 0b110, 0)), 0),
            Neuron((Term(0, 1, 0b001, 2), Term(1, 1, 0b010, 0)), 1),
        ),
        1,
        Scores(signed),
    )
    return DiscreteMLP(3, 4, (hidden, output))


def exact():
    """Eight-bit weights in canonical signed digits, two features."""
    weights = [[107, -93], [-54, 11], [-77, 125]]
    hidden = tuple(Neuron(csd_terms(0, a, 15) + csd_terms(1, b, 15), 90) for a, b in weights)
    back = [[31, -111, 64], [-5, 99, 23]]
    output = tuple(Neuron(sum((csd_terms(i, w, 255) for i, w in enumerate(row)), ()), 17) for row in back)
    return DiscreteMLP(2, 4, (Layer(hidden, 1, QReLU(2, 9)), Layer(output, 2, Scores())))


@pytest.mark.parametrize("model", [two_layers(), two_layers(True), exact()], ids=["unsigned", "signed", "exact"])
def test_every_input_of_small_classifiers(model):
    X = all_inputs(model)
    assert len(np.unique(model.predict(X))) > 1
    assert predicted(model, X).tolist() == model.predict(X).tolist()


@given(classifiers())
@settings(max_examples=12, deadline=None)
def test_any_classifier_on_every_input(model):
    X = all_inputs(model)
    assert predicted(model, X).tolist() == model.predict(X).tolist()


def test_a_flipped_mask_bit_is_seen():
    model = two_layers()
    hidden = model.layers[0]
    first, *terms = hidden.neurons[0].terms
    damaged_neuron = replace(hidden.neurons[0], terms=(replace(first, mask=first.mask ^ 1), *terms))
    damaged_layer = replace(hidden, neurons=(damaged_neuron, *hidden.neurons[1:]))
    damaged = replace(model, layers=(damaged_layer, *model.layers[1:]))
    X = all_inputs(model)
    seen = predicted(damaged, X)
    assert (seen != model.predict(X)).any()
    assert seen.tolist() == damaged.predict(X).tolist()


def with_scores_as_output(verilog, nets):
    """The same Verilog with the score nets, lowest class in the low bits, in place of the class."""
    top, rest = verilog.split("endmodule", 1)
    body = re.sub(r"(?<!\.)\bout\b", "winner", top.split(";", 1)[1]).replace("output", "wire", 1)
    body = re.sub(r"^  wire .*winner;$", "", body, count=1, flags=re.M)
    width = sum(net.width for net in nets)
    joined = ", ".join(net.name for net in reversed(nets))
    output = f"  output [{width - 1}:0] out;\n  assign out = {{ {joined} }};\n"
    return f"module top(out, inp);\n{body}{output}endmodule{rest}"


def check_scores(model):
    nets, X = published_scores(model), all_inputs(model)
    words = predicted(model, X, with_scores_as_output(classifier_verilog(model), list(nets.values())))
    position = 0
    for c, net in nets.items():
        word = words >> position & (1 << net.width) - 1
        value = word - (word >> net.width - 1 << net.width) if net.signed else word
        assert value.tolist() == model.scores(X)[:, c].tolist()
        position += net.width


@pytest.mark.parametrize("signed", [False, True])
def test_published_nets_carry_the_scores(signed):
    model = two_layers(signed)
    assert [net.signed for net in published_scores(model).values()] == [signed, signed, False]
    check_scores(model)


@given(classifiers(max_layers=2).filter(published_scores))
@settings(max_examples=8, deadline=None)
def test_any_published_net_carries_the_score(model):
    assume(sum(net.width for net in published_scores(model).values()) <= 62)
    check_scores(model)


def modules(model):
    return re.findall(r"^module (\w+)", classifier_verilog(model), re.M)


def one_layer(*neurons, signed=False):
    return DiscreteMLP(1, 2, (Layer(neurons, 0, Scores(signed)),))


def test_a_single_possible_winner_is_a_constant():
    model = one_layer(Neuron((Term(0, 1, 3, 0),), 0), Neuron((), 9), Neuron((Term(0, -1, 3, 0),), 8))
    assert published_scores(model) == {}
    assert modules(model) == ["top"]
    assert "assign out = 2'h1" in classifier_verilog(model)
    assert predicted(model, all_inputs(model)).tolist() == [1, 1, 1, 1]


def test_constant_scores_have_their_net():
    model = one_layer(Neuron((Term(0, 1, 3, 0),), -1), Neuron((), 1))
    assert published_scores(model)[1] == ScoreNet("score_1", 1, False)
    assert re.search(r"assign score_1 = 1'h1", classifier_verilog(model))
    assert predicted(model, all_inputs(model)).tolist() == model.predict(all_inputs(model)).tolist()


def test_one_class_is_class_zero():
    model = one_layer(Neuron((Term(0, 1, 3, 0),), 0))
    assert predicted(model, all_inputs(model)).tolist() == [0, 0, 0, 0]


def test_neurons_nobody_reads_and_constant_ones_are_left_out():
    x = Term(0, 1, 3, 0)
    hidden = (Neuron((x,), 0), Neuron((x,), 1), Neuron((), 3), Neuron((replace(x, sign=-1),), 0))
    read_all = (Neuron((Term(0, 1, 3, 0), Term(2, 1, 3, 0), Term(3, 1, 3, 1))), Neuron((), 4))
    model = DiscreteMLP(1, 2, (Layer(hidden, 0, QReLU(0, 3)), Layer(read_all, 0, Scores())))
    assert modules(model) == ["top", "neuron_0_0", "neuron_1_0", "argmax"]
    assert predicted(model, all_inputs(model)).tolist() == model.predict(all_inputs(model)).tolist()
