"""Random classifiers for property tests: every shape the model allows, small enough to enumerate."""

import numpy as np
from hypothesis import strategies as st

from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term


@st.composite
def classifiers(draw, max_features=3, max_bits=4, max_width=4, max_layers=3):
    """Any topology, masks, shifts, activations; empty, constant and dead neurons turn up often."""
    n_features, input_bits = draw(st.integers(1, max_features)), draw(st.integers(1, max_bits))
    n_inputs, width, layers = n_features, input_bits, []
    hidden = [draw(st.integers(1, max_width)) for _ in range(draw(st.integers(0, max_layers - 1)))]
    for size in hidden:
        lsb = draw(st.integers(0, 3))
        activation = QReLU(lsb, lsb + draw(st.integers(0, 4)))
        layers.append(draw(layer(n_inputs, width, size, activation)))
        n_inputs, width = size, activation.width
    n_classes = draw(st.integers(1, 5))
    layers.append(draw(layer(n_inputs, width, n_classes, Scores(draw(st.booleans())))))
    return DiscreteMLP(n_features, input_bits, tuple(layers))


@st.composite
def layer(draw, n_inputs, width, size, activation):
    """One layer of `size` neurons on `n_inputs` inputs of `width` bits."""
    term = st.builds(
        Term,
        st.integers(0, n_inputs - 1),
        st.sampled_from((-1, 1)),
        st.integers(0, (1 << width) - 1),
        st.integers(0, 4),
    )
    neuron = st.builds(Neuron, st.lists(term, max_size=2 * n_inputs).map(tuple), st.integers(-9, 9))
    neurons = draw(st.lists(neuron, min_size=size, max_size=size))
    return Layer(tuple(neurons), draw(st.integers(0, 4)), activation)


def all_inputs(model):
    """Every input vector of a small classifier, (2^(n_features * input_bits), n_features) int64."""
    codes = np.arange(1 << model.n_features * model.input_bits)
    shifts = np.arange(model.n_features) * model.input_bits
    return codes[:, None] >> shifts & (1 << model.input_bits) - 1


def csd_terms(i, weight, mask):
    """A weight in canonical signed digits, one term a digit."""
    shift, terms = 0, []
    while weight:
        if weight & 1:
            digit = 2 - (weight & 3)
            terms.append(Term(i, digit, mask, shift))
            weight -= digit
        weight >>= 1
        shift += 1
    return tuple(terms)
