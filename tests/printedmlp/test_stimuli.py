import numpy as np
from hypothesis import given, settings

from printedmlp.circuit.simulate import unpack_bits
from printedmlp.genome import GenomeLayout
from printedmlp.model import DiscreteMLP, Layer, Neuron, Scores, Term
from printedmlp.stimuli import first_layer_weights, stimuli
from tests.random_models import classifiers


def codes(model, n_vectors):
    bits = np.stack([unpack_bits(signal, n_vectors) for signal in stimuli(model, n_vectors)], axis=1)
    powers = 1 << np.arange(model.input_bits)
    return (bits.reshape(n_vectors, model.n_features, model.input_bits) * powers).sum(axis=2)


def test_weights_by_hand():
    neuron = Neuron((Term(0, 1, 0b101, 1), Term(1, -1, 0b010, 0)))
    model = DiscreteMLP(2, 3, (Layer((neuron,), 0, Scores()),))
    assert first_layer_weights(model).tolist() == [[2, 0, 8, 0, -2, 0]]


@given(classifiers())
@settings(max_examples=30, deadline=None)
def test_signals_are_vectors_of_the_inputs(model):
    signals = stimuli(model, 100)
    assert len(signals) == model.n_features * model.input_bits
    assert all(0 <= signal < 1 << 100 for signal in signals)
    assert signals == stimuli(model, 100)


def test_sums_come_to_their_ends_where_uniform_vectors_do_not():
    layout = GenomeLayout.uniform((20, 4, 3))
    model = layout.decode(layout.random(1, np.random.default_rng(2))[0])
    X = codes(model, 2000)
    for j, (low, high) in enumerate(model.intervals()[0].sums):
        sums = model.sums(X)[0][:, j]
        spread = (high - low) / 20
        assert sums.min() < low + spread
        assert sums.max() > high - spread
        assert sums[:1000].min() > sums.min()
        assert sums[:1000].max() < sums.max()
