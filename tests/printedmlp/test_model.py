"""The classifier's arithmetic: a hand-computed example, then bounds, round trips and every refusal."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ModelError
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term, input_coefficients
from tests.random_models import all_inputs, classifiers, csd_terms, layer

HAND = DiscreteMLP(
    n_features=2,
    input_bits=4,
    layers=(
        Layer(
            neurons=(
                Neuron((Term(0, 1, 0b1010, 2), Term(1, -1, 0b0011, 0)), bias=3),
                Neuron((Term(1, 1, 0b1111, 3),), bias=-5),
            ),
            bias_shift=1,
            activation=QReLU(lsb=2, msb=5),
        ),
        Layer(
            neurons=(
                Neuron((Term(0, 1, 0b1111, 0),), bias=0),
                Neuron((Term(1, 1, 0b1110, 1), Term(0, -1, 0b0001, 3)), bias=-1),
                Neuron((), bias=2),
            ),
            bias_shift=2,
            activation=Scores(),
        ),
    ),
)


def one_layer(*neurons, bias_shift=0, activation=None, n_features=2, input_bits=4):
    return DiscreteMLP(n_features, input_bits, (Layer(neurons, bias_shift, activation or Scores()),))


def test_hand_computed():
    """x = (11, 6): S = ((11&10)<<2) - (6&3) + (3<<1) = 44, (6<<3) - 10 = 38; h = 44>>2, 38>>2 = 11, 9.

    Scores: 11, ((9&14)<<1) - ((11&1)<<3) - 4 = 4, 2<<2 = 8.
    """
    first, second = HAND.sums([[11, 6]])
    assert first.tolist() == [[44, 38]]
    assert second.tolist() == [[11, 4, 8]]
    assert HAND.scores([[11, 6]]).tolist() == [[11, 4, 8]]
    assert HAND.predict([[11, 6]]).tolist() == [0]


def test_hand_computed_clips_and_rectifies():
    """x = (0, 15): S = -3 + 6 = 3, 120 - 10 = 110; h = 0, min(110, 63)>>2 = 15; scores 0, 28 - 4 = 24, 8."""
    assert HAND.scores([[0, 15]]).tolist() == [[0, 24, 8]]
    assert HAND.predict([[0, 15], [0, 0]]).tolist() == [1, 2]


def test_hand_computed_intervals():
    """Sums: 6 - 3 .. 40 + 6 and -10 .. 110; activated 0 .. 11 and 0 .. 15; scores below."""
    first, second = HAND.intervals()
    assert first.sums == ((3, 46), (-10, 110))
    assert first.outputs == ((0, 11), (0, 15))
    assert second.sums == ((0, 11), (-12, 24), (8, 8))
    assert second.outputs == ((0, 11), (0, 24), (8, 8))


def test_shape_properties():
    assert (HAND.topology, HAND.n_classes, HAND.input_widths) == ((2, 2, 3), 3, (4, 4))


@pytest.mark.parametrize("signed", [False, True])
def test_ties_go_to_the_lower_index(signed):
    neurons = (Neuron((), -3), Neuron((Term(0, 1, 1, 0),), 0), Neuron((Term(0, 1, 1, 0),), 0))
    model = one_layer(*neurons, activation=Scores(signed))
    assert model.predict([[1, 0]]).tolist() == [1]
    assert model.predict([[0, 0]]).tolist() == [1 if signed else 0]


def test_a_unit_with_lsb_equal_to_msb_has_one_bit():
    activation = QReLU(3, 3)
    assert activation.width == 1
    assert activation(np.array([-1, 7, 8, 99])).tolist() == [0, 0, 1, 1]


@given(classifiers())
@settings(max_examples=60, deadline=None)
def test_json_round_trip(model):
    text = model.dumps()
    again = DiscreteMLP.from_json(json.loads(text))
    assert again == model
    assert hash(again) == hash(model)
    assert again.dumps() == text


@given(classifiers(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_intervals_hold_every_value(model, seed):
    X = np.random.default_rng(seed).integers(0, 1 << model.input_bits, (64, model.n_features))
    for sums, layer_, bounds in zip(model.sums(X), model.layers, model.intervals(), strict=True):
        for values, limits in ((sums, bounds.sums), (layer_.activation(sums), bounds.outputs)):
            low, high = np.array(limits).T
            assert (low <= values).all()
            assert (values <= high).all()


@given(classifiers(max_features=2, max_layers=1))
@settings(max_examples=60, deadline=None)
def test_first_layer_intervals_are_attained(model):
    sums = model.sums(all_inputs(model))[0]
    attained = tuple(zip(sums.min(axis=0).tolist(), sums.max(axis=0).tolist(), strict=True))
    assert model.intervals()[0].sums == attained


def test_a_hidden_interval_that_is_no_power_of_two_is_ranged_exactly():
    """h is in 4 .. 6, so h&3 never reaches 3 although both of its bits vary."""
    hidden = Layer((Neuron((Term(0, 1, 0b10, 0),), 4),), 0, QReLU(0, 3))
    output = Layer((Neuron((Term(0, 1, 0b0011, 0),), 0),), 0, Scores())
    assert DiscreteMLP(1, 2, (hidden, output)).intervals()[1].sums == ((0, 2),)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_input_coefficients_are_the_sum(data):
    """Weights of bits reproduce the terms' sum, whatever overlaps."""
    neuron = data.draw(layer(2, 4, 1, Scores())).neurons[0]
    x = data.draw(st.lists(st.integers(0, 15), min_size=2, max_size=2))
    weights = input_coefficients(neuron, 2, 4)
    total = sum(weights[i][j] for i in range(2) for j in range(4) if x[i] >> j & 1)
    expected = sum(t.sign * ((x[t.input] & t.mask) << t.shift) for t in neuron.terms)
    assert total == expected


@given(st.integers(-127, 127), st.integers(0, 15))
def test_canonical_signed_digits_multiply(weight, x):
    model = one_layer(Neuron(csd_terms(0, weight, 15)), activation=Scores(True), n_features=1)
    assert model.scores([[x]]).tolist() == [[weight * x]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
def test_any_integer_type_is_an_input(dtype):
    assert HAND.predict(np.array([[11, 6]], dtype=dtype)).tolist() == [0]


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ([1, 2], "shape (2,)"),
        ([[1, 2, 3]], "expected (n_samples, 2)"),
        ([[1.0, 2.0]], "integers, not float64"),
        ([[1, 2], [16, 0]], "row 1, column 0: 16 is not in 0..15"),
        ([[1, -1]], "row 0, column 1: -1"),
    ],
)
def test_inputs_out_of_range(X, words):
    with pytest.raises(ModelError) as error:
        HAND.predict(X)
    assert words in str(error.value)


TERM = Term(0, 1, 1, 0)
HIDDEN = Layer((Neuron((TERM,)),), 0, QReLU(0, 3))
OUTPUT = Layer((Neuron((TERM,)),), 0, Scores())
SHIFTED = Layer((Neuron((Term(0, 1, 15, 31),)),), 0, QReLU(0, 61))
WIDE = Layer((Neuron((Term(0, 1, (1 << 62) - 1, 31),)),), 0, QReLU(0, 61))


def with_term(**changes):
    return (replace(OUTPUT, neurons=(Neuron((replace(TERM, **changes),)),)),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 4, (OUTPUT,)), "n_features must be in 1..65536, not 0"),
        ((1, 0, (OUTPUT,)), "input_bits must be in 1..16, not 0"),
        ((1, 17, (OUTPUT,)), "not 17"),
        ((1, 4, ()), "at least an output layer"),
        ((1, 4, (HIDDEN,)), "layer 0: activation must be Scores"),
        ((1, 4, (OUTPUT, OUTPUT)), "layer 0: activation must be QReLU"),
        ((1, 4, (replace(OUTPUT, neurons=()),)), "layer 0: has no neurons"),
        ((1, 4, (replace(OUTPUT, bias_shift=32),)), "layer 0: bias_shift must be in 0..31, not 32"),
        ((1, 4, (replace(OUTPUT, bias_shift=-1),)), "not -1"),
        ((1, 4, (replace(HIDDEN, activation=QReLU(4, 3)), OUTPUT)), "not (4, 3)"),
        ((1, 4, (replace(HIDDEN, activation=QReLU(-1, 3)), OUTPUT)), "not (-1, 3)"),
        ((1, 4, (replace(HIDDEN, activation=QReLU(0, 62)), OUTPUT)), "not (0, 62)"),
        ((1, 4, (replace(OUTPUT, neurons=(Neuron((), 1 << 31),)),)), "neuron 0: bias 2147483648"),
        ((1, 4, with_term(input=1)), "layer 0, neuron 0: term on input 1"),
        ((1, 4, with_term(sign=0)), "input 0: sign must be -1 or 1, not 0"),
        ((1, 4, with_term(mask=16)), "mask 16 does not fit 4 bits"),
        ((1, 4, with_term(mask=-1)), "mask -1"),
        ((1, 4, with_term(shift=32)), "shift must be in 0..31, not 32"),
        ((1, 4, (SHIFTED, WIDE, OUTPUT)), "layer 1: a sum needs more than 62 bits"),
    ],
)
def test_malformed_classifiers(arguments, words):
    with pytest.raises(ModelError) as error:
        DiscreteMLP(*arguments)
    assert words in str(error.value)


def broken(path, value):
    data = json.loads(HAND.dumps())
    *parents, last = path
    node = data
    for key in parents:
        node = node[key]
    node[last] = value
    return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "'format' must be"),
        ({}, "'format' must be"),
        (broken(["format"], "other"), "'format' must be"),
        (broken(["version"], 2), "version 1"),
        (broken(["layers"], {}), "model JSON: 'layers' must be a list"),
        (broken(["n_features"], "2"), "model JSON: 'n_features' must be an integer, not '2'"),
        (broken(["input_bits"], True), "'input_bits' must be an integer, not True"),
        (broken(["layers", 0], 3), "layers[0]: 'neurons' must be a list"),
        (broken(["layers", 0, "bias_shift"], None), "layers[0]: 'bias_shift'"),
        (broken(["layers", 0, "activation"], "qrelu"), "layers[0].activation must be an object"),
        (broken(["layers", 0, "activation", "kind"], "tanh"), "layers[0].activation.kind"),
        (broken(["layers", 1, "activation", "signed"], 1), "boolean 'signed'"),
        (broken(["layers", 0, "activation", "lsb"], 1.5), "layers[0].activation: 'lsb'"),
        (broken(["layers", 0, "neurons", 1], []), "layers[0].neurons[1]: 'terms' must be a list"),
        (broken(["layers", 0, "neurons", 1, "bias"], "x"), "layers[0].neurons[1]: 'bias'"),
        (broken(["layers", 0, "neurons", 0, "terms", 1], [1, 2]), "layers[0].neurons[0].terms[1]"),
        (broken(["layers", 0, "neurons", 0, "terms", 1], [0, 1, True, 0]), "in integers"),
        (broken(["layers", 0, "neurons", 0, "terms", 1], "abcd"), "terms[1]"),
        (broken(["layers", 0, "neurons", 0, "terms", 1], [7, 1, 1, 0]), "term on input 7"),
    ],
)
def test_malformed_json(data, words):
    with pytest.raises(ModelError) as error:
        DiscreteMLP.from_json(data)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
