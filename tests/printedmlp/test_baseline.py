"""The exact baseline: float training, 8-bit weights, nothing chosen on rows it has not been shown."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.baseline import exact_baseline
from printedmlp.errors import ConfigError
from printedmlp.float_mlp import FloatMLP, train_float_mlp
from printedmlp.model import DiscreteMLP, QReLU, Scores, Term
from printedmlp.quantised_mlp import quantise_network


def blobs(n_classes, n=240, n_features=3, seed=0):
    """Codes 0..15 of `n` rows around one centre a class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    centres = rng.permutation(15)[:n_classes, None] + rng.integers(-2, 3, (n_classes, n_features))
    X = np.clip(np.rint(centres[y] + rng.normal(0, 1.2, (n, n_features))), 0, 15).astype(np.uint8)
    return X, y


def train(X, y, n_classes, *, seed=0, restarts=3, topology=(3,), **settings):
    return exact_baseline(
        X[:120],
        y[:120],
        X[120:],
        y[120:],
        topology=topology,
        input_bits=4,
        n_classes=n_classes,
        restarts=restarts,
        rng=np.random.default_rng(seed),
        **settings,
    )


def test_quantisation_worked_out_by_hand():
    network = FloatMLP(
        (np.array([[1.0], [-0.5]]), np.array([[0.0, 2.0]])), (np.array([0.25]), np.array([0.0, -1.0])), 0.0
    )
    X = np.array([[15, 0], [0, 15]])
    model = quantise_network(network, X, input_bits=4, hidden_form="full")
    hidden, output = model.layers
    # 127 = 128 - 1; -0.5 becomes -63.5, rounded to even -64; bias 0.25 * 127 = 31.75.
    assert hidden.neurons[0].terms == (Term(0, -1, 15, 0), Term(0, 1, 15, 7), Term(1, -1, 15, 6))
    assert hidden.neurons[0].bias == 32
    assert hidden.activation == QReLU(0, 10)  # 127 * 15 + 32 = 1937 has 11 bits
    assert output.activation == Scores(signed=True)
    assert output.neurons[0].terms == ()
    assert [t.shift for t in output.neurons[1].terms] == [0, 7]
    assert output.neurons[1].bias == round(-1.0 * 127 * 63.5)


def test_truncated_form_keeps_eight_bits_of_the_largest_training_sum():
    network = FloatMLP((np.array([[1.0]]), np.array([[0.0, 1.0]])), (np.zeros(1), np.array([0.0, -8.0])), 0.0)
    model = quantise_network(network, np.array([[15], [3]]), input_bits=4)
    assert model.layers[0].activation == QReLU(3, 10)  # 127 * 15 = 1905 has 11 bits
    assert model.layers[1].neurons[1].bias == round(-8.0 * 127 * 127 / 8)


def clear_rows(network, X, *, weight_bits):
    """Rows whose best logit leads by more than the rounding of weights and biases can move any two logits.

    A layer passes on its inputs' error times its weights, and adds half a step of weight for every unit of input.
    """
    error, scale = np.zeros(X.shape), 1.0
    for weights, inputs in zip(network.weights, network.hidden(X), strict=True):
        step = np.abs(weights).max() / (2 ** (weight_bits - 1) - 1)
        scale *= step
        error = error @ (np.abs(weights) + step / 2) + inputs.sum(axis=1, keepdims=True) * step / 2 + scale / 2
    logits = network.logits(X)
    rows, best = np.arange(len(X)), logits.argmax(axis=1)
    lead = logits[rows, best][:, None] - logits
    lead[rows, best] = np.inf
    return (lead > error + error[rows, best][:, None]).all(axis=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(), (3,), (3, 2)]), st.integers(3, 4), st.sampled_from([4, 6, 10]))
def test_integers_follow_the_float_network(seed, topology, n_classes, weight_bits):
    X, y = blobs(n_classes, seed=seed % 1000)
    network = train_float_mlp(
        X, y, hidden=topology, input_bits=4, n_classes=n_classes, alpha=1.0, random_state=seed
    )
    model = quantise_network(network, X, input_bits=4, weight_bits=weight_bits, hidden_form="full")
    certain = clear_rows(network, X, weight_bits=weight_bits)
    assert np.array_equal(model.predict(X)[certain], network.predict(X)[certain])


def test_rounding_leaves_most_rows_clear():
    X, y = blobs(3)
    network = train_float_mlp(X, y, hidden=(3,), input_bits=4, n_classes=3, alpha=1.0, random_state=0)
    shares = [clear_rows(network, X, weight_bits=bits).mean() for bits in (2, 4, 10)]
    assert shares[0] < shares[1] <= shares[2]
    assert shares[2] > 0.9


def test_starved_weights_do_not_blow_up_the_biases():
    network = FloatMLP((np.array([[1.0]]), np.array([[1e-30, 0.0]])), (np.zeros(1), np.array([-3.0, 2.0])), 1.0)
    model = quantise_network(network, np.array([[15]]), input_bits=4)
    assert model.predict(np.array([[0], [15]])).tolist() == [1, 1]
    assert model.layers[1].bias_shift > 0


def test_the_centring_is_folded_into_the_network():
    X, y = blobs(3)
    network = train_float_mlp(X, y, hidden=(3,), input_bits=4, n_classes=3, alpha=0.1, random_state=1)
    assert np.mean(network.predict(X) == y) > 0.9


@pytest.mark.parametrize("hidden_form", ["full", "truncated"])
def test_a_baseline_learns_and_tells_its_accuracies(hidden_form):
    X, y = blobs(3)
    found = train(X, y, 3, hidden_form=hidden_form)
    assert found.accuracies.train == np.mean(found.model.predict(X[:120]) == y[:120])
    assert found.accuracies.validation == np.mean(found.model.predict(X[120:]) == y[120:])
    assert found.accuracies.float_validation == np.mean(found.network.predict(X[120:]) == y[120:])
    assert found.accuracies.validation > 0.85
    assert found.model.topology == (3, 3, 3)
    assert DiscreteMLP.from_json(found.model.to_json()) == found.model


def test_the_restart_is_chosen_by_the_integer_form_on_the_validation_rows():
    X, y = blobs(4)
    found = train(X, y, 4, restarts=4, topology=(1,))
    models = [quantise_network(n, X[:120], input_bits=4) for n in found.restarts]
    shares = [np.mean(m.predict(X[120:]) == y[120:]) for m in models]
    assert shares[0] == max(shares) == found.accuracies.validation
    assert shares == sorted(shares, reverse=True)
    assert found.restarts[0] is found.network


def test_same_seed_same_bytes_and_another_seed_another_network():
    X, y = blobs(3)
    assert train(X, y, 3).model.dumps() == train(X, y, 3).model.dumps()
    assert train(X, y, 3, seed=1).model.dumps() != train(X, y, 3).model.dumps()


def test_training_is_silent():
    X, y = blobs(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(X, y, 3)


def test_two_classes_are_a_zero_and_one_score():
    X, y = blobs(2)
    found = train(X, y, 2)
    first, second = found.model.layers[-1].neurons
    assert (first.terms, first.bias) == ((), 0)
    assert second.terms
    assert found.accuracies.validation > 0.9


@pytest.mark.parametrize("absent", [0, 1, 3])
def test_a_class_without_training_rows_never_wins(absent):
    X, y = blobs(3)
    y = y + (y >= absent)
    found = train(X, y, 4)
    assert found.accuracies.validation > 0.85
    outputs = found.model.intervals()[-1].outputs
    others = [low for j, (low, _) in enumerate(outputs) if j != absent]
    assert outputs[absent][1] < max(others)


def test_two_of_three_classes_in_training():
    X, y = blobs(2)
    found = train(X, 2 * y, 3)
    assert set(found.model.predict(X)) == {0, 2}


def test_one_class_in_training_is_a_constant():
    X, y = blobs(2)
    found = train(X, np.full(len(y), 1), 3)
    everything = np.random.default_rng(0).integers(0, 16, (200, 3))
    assert set(found.model.predict(everything)) == {1}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"restarts": 0}, "restarts must be at least 1, not 0"),
        ({"topology": (3, 0)}, r"every hidden layer needs a neuron, not \(3, 0\)"),
        ({"weight_bits": 1}, r"weight_bits must be in 2..12, not 1"),
    ],
)
def test_impossible_settings_are_refused_in_words(wrong, message):
    X, y = blobs(2)
    with pytest.raises(ConfigError, match=message):
        train(X, y, 2, **wrong)
