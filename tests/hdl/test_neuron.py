"""Summands, neurons and activations against the integers."""

from itertools import pairwise

import numpy as np
from amaranth.hdl import Fragment
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.neuron import Neuron as NeuronBlock
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.summand import SummandBit, Summands, digits_modulo, summands_of, word_width
from tests.hdl.components import outputs, word
from tests.random_models import all_inputs, classifiers, csd_terms


def test_summands_by_hand():
    """5 + (x0 & 10) - ((x1 & 1) << 2), x1 = 0 .. 1: x0[1] + x0[3] + ~x1[0] - 4 + 5, six bits wide."""
    neuron = Neuron((Term(0, 1, 0b1010, 0), Term(1, -1, 0b0001, 2)), 5)
    bits = (SummandBit(1, 0, 1, False), SummandBit(3, 0, 3, False), SummandBit(2, 1, 0, True))
    assert summands_of(neuron, 0, [(0, 15), (0, 1)], 6) == Summands(bits, 1, 6)


def test_input_bits_that_never_vary_join_the_constant():
    """x0 = 12 .. 13 has the ones of 12 and a bit 0; x1 = 7 is a constant."""
    neuron = Neuron((Term(0, 1, 0b1111, 0), Term(1, -1, 0b0011, 0)), 0)
    assert summands_of(neuron, 0, [(12, 13), (7, 7)], 4) == Summands((SummandBit(0, 0, 0, False),), 9, 4)


@given(st.integers(-300, 300), st.integers(1, 12))
def test_signed_digits_are_the_weight_and_no_two_meet(weight, width):
    digits = list(digits_modulo(weight, width))
    value = sum(-(1 << column) if negative else 1 << column for column, negative in digits)
    assert (value - weight) % (1 << width) == 0
    columns = [column for column, _ in digits]
    assert all(b - a > 1 for a, b in pairwise(columns))


@given(st.integers(-70, 70), st.integers(0, 70))
def test_a_word_holds_its_bounds_and_no_bit_more(low, extent):
    high = low + extent
    width = word_width((low, high))
    least, most = (0, (1 << width) - 1) if low >= 0 else (-1 << width - 1, (1 << width - 1) - 1)
    assert least <= low <= high <= most
    assert width == (low < 0) or not (2 * low >= least and 2 * high < most)


def check_layers(model, X):
    """Every varying neuron of a classifier, built and simulated on its own."""
    values, bounds = X, ((0, (1 << model.input_bits) - 1),) * model.n_features
    for layer, sums, intervals in zip(model.layers, model.sums(X), model.intervals(), strict=True):
        activated = layer.activation(sums)
        hidden = isinstance(layer.activation, QReLU)
        wanted = (activated, intervals.outputs) if hidden else (sums, intervals.sums)
        for j, (low, high) in enumerate(wanted[1]):
            if low < high:
                block = NeuronBlock(layer, j, bounds, intervals)
                inputs = {f"x{i}": word(values[:, i], bounds[i]) for i in block.summands.inputs}
                assert outputs(block, "y", inputs).tolist() == word(wanted[0][:, j], (low, high)).tolist()
        values, bounds = activated, intervals.outputs


@given(classifiers(max_features=2, max_bits=3, max_width=2, max_layers=3))
@settings(max_examples=25, deadline=None)
def test_neurons_are_the_integers_on_every_input(model):
    check_layers(model, all_inputs(model)[:: max(1, len(all_inputs(model)) // 24)])


def test_exact_weights_with_several_digits_an_input():
    terms = csd_terms(0, 107, 15) + csd_terms(1, -93, 15)
    model = DiscreteMLP(2, 4, (Layer((Neuron(terms, -11),), 2, Scores(True)),))
    check_layers(model, all_inputs(model)[::3])


def block_of(neuron, activation, bias_shift=0):
    layers = (Layer((neuron,), bias_shift, activation), Layer((Neuron(()),), 0, Scores()))
    model = DiscreteMLP(1, 4, layers if isinstance(activation, QReLU) else layers[:1])
    block = NeuronBlock(model.layers[0], 0, ((0, 15),), model.intervals()[0])
    Fragment.get(block, None)  # Amaranth warns of components that nobody elaborates
    return block


def test_ports_are_as_wide_as_the_bounds():
    x = Term(0, 1, 15, 0)
    assert len(block_of(Neuron((x,), 0), QReLU(0, 7)).y) == 4
    assert len(block_of(Neuron((x,), 0), QReLU(2, 3)).y) == 2
    assert len(block_of(Neuron((x,), -8), QReLU(0, 7)).y) == 3
    assert len(block_of(Neuron((x,), -8), Scores(True)).y) == 4


def test_a_flipped_mask_bit_changes_the_neuron():
    right, wrong = (block_of(Neuron((Term(0, 1, mask, 1),), -3), QReLU(1, 3)) for mask in (0b1110, 0b1100))
    x = {"x0": np.arange(16)}
    assert (outputs(right, "y", x) != outputs(wrong, "y", x)).any()
