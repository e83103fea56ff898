"""Nearly exact starts: one power of two a connection, inside the genome, close to the exact baseline."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.baseline import exact_baseline
from printedmlp.genome import GenomeLayout
from printedmlp.power_of_two import power_of_two_starts, round_network
from printedmlp.power_of_two_net import PowerOfTwoNet, compensated_rounding, nearest_power
from printedmlp.repair import Repair
from tests.printedmlp.test_baseline import blobs


def random_net(layout, rng):
    sizes = list(pairwise(layout.topology))
    weights = [np.exp2(rng.integers(0, 8, s)) * rng.integers(-1, 2, s) for s in sizes]
    biases = [rng.integers(*layout.bias_range, size=b).astype(float) for _, b in sizes]
    return PowerOfTwoNet(layout, weights, biases)


def scores(net, X):
    values = X
    for layer in range(len(net.weights)):
        values = net.activate(layer, net.sums(layer, values))
    return values


def test_nearest_power_worked_out_by_hand():
    values = np.array([0.0, 0.49, 0.5, 1.49, 1.5, 2.9, -3.1, 5.9, 6.1, 500.0, -0.6])
    wanted = [0, 0, 1, 1, 2, 2, -4, 4, 8, 128, -1]
    assert nearest_power(values, 7).tolist() == wanted


@given(st.floats(-300, 300))
def test_nearest_power_is_nearest(value):
    powers = np.array([0.0, *(s * 2.0**k for k in range(8) for s in (1, -1))])
    found = nearest_power(np.array([value]), 7)[0]
    assert abs(found - value) == np.abs(powers - value).min()


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.booleans(), st.sampled_from([(4, 3), (4, 3, 2), (3, 3, 2, 4)]))
def test_arrays_and_classifier_are_the_same_function(seed, signed, topology):
    rng = np.random.default_rng(seed)
    plain = GenomeLayout.uniform(topology)
    layout = GenomeLayout(
        topology, 4, plain.activations, 7, plain.bias_range, plain.bias_shifts, signed_scores=signed
    )
    net, X = random_net(layout, rng), rng.integers(0, 16, (50, topology[0]))
    assert np.array_equal(scores(net, X.astype(float)), net.to_model().scores(X))


def test_an_input_that_is_left_makes_up_for_rounding():
    # Two equal inputs: 5.5 alone would round to 4; the 2.5 that both lack goes to the second, 3 + 1.5 -> 4.
    column = np.arange(16.0)
    values = np.stack([column, column], axis=1)
    rounded = compensated_rounding(np.array([[5.5], [3.0]]), values, 7)
    assert rounded[:, 0].tolist() == [4.0, 4.0]
    assert nearest_power(np.array([5.5, 2.9]), 7).tolist() == [4.0, 2.0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(4, 3), (4, 3, 3), (4, 3, 2, 3)]))
def test_repair_never_gets_worse_and_keeps_its_books(seed, topology):
    rng = np.random.default_rng(seed)
    net = random_net(GenomeLayout.uniform(topology), rng)
    X, y = blobs(3, n=60, n_features=4, seed=seed % 99)
    repair = Repair(net, X.astype(float), y)
    before = repair.wrong
    after = repair.run(2, rng)
    assert before >= after == np.sum(net.to_model().predict(X) != y)
    net.layout.encode(net.to_model())


def test_repair_mends_a_weight_that_was_broken_on_purpose():
    layout = GenomeLayout.uniform((1, 2), bias_bits=8)
    X, y = np.arange(16.0)[:, None], (np.arange(16) >= 8).astype(int)
    # Score 1 is 2x against 15 of class 0; with its sign turned class 1 never wins.
    net = PowerOfTwoNet(layout, [np.array([[0.0, -2.0]])], [np.array([1.0, 0.0])])
    repair = Repair(net, X, y)
    assert repair.wrong == 8
    assert repair.run(3, np.random.default_rng(0)) <= 1


@pytest.fixture(scope="module")
def trained():
    X, y = blobs(4, n=600, n_features=5, seed=3)
    baseline = exact_baseline(
        X, y, X, y, topology=(4,), input_bits=4, n_classes=4, restarts=3, rng=np.random.default_rng(0)
    )
    return X, y, baseline


def test_starts_are_near_the_baseline_and_fit_the_genome(trained):
    X, y, baseline = trained
    layout = GenomeLayout.uniform((5, 4, 4))
    starts = power_of_two_starts(baseline, layout, X, y, rng=np.random.default_rng(0), n=5)
    shares = [np.mean(start.predict(X) == y) for start in starts]
    assert len(starts) == 5
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= baseline.accuracies.train - 0.05
    for start in starts:
        assert layout.decode(layout.encode(start)) == start


def test_starts_are_the_same_for_the_same_generator_and_differ_among_themselves(trained):
    X, y, baseline = trained
    layout = GenomeLayout.uniform((5, 4, 4))
    first, second = (
        power_of_two_starts(baseline, layout, X, y, rng=np.random.default_rng(5), n=5, sweeps=1) for _ in range(2)
    )
    assert first == second
    assert len({start.dumps() for start in first}) == 5


def test_rounding_alone_keeps_most_of_the_function(trained):
    X, y, baseline = trained
    net = round_network(baseline.network, GenomeLayout.uniform((5, 4, 4)), X.astype(float), y)
    assert np.mean(net.to_model().predict(X) == y) >= baseline.accuracies.train - 0.15


@pytest.mark.parametrize("topology", [(), (3, 3)])
def test_any_number_of_layers(topology):
    X, y = blobs(3, n=300)
    baseline = exact_baseline(
        X, y, X, y, topology=topology, input_bits=4, n_classes=3, restarts=3, rng=np.random.default_rng(0)
    )
    layout = GenomeLayout.uniform((3, *topology, 3))
    starts = power_of_two_starts(baseline, layout, X, y, rng=np.random.default_rng(0), n=2)
    assert np.mean(starts[0].predict(X) == y) >= baseline.accuracies.train - 0.05


def test_a_class_without_training_rows_stays_behind():
    X, y = blobs(2)
    baseline = exact_baseline(
        X, 2 * y, X, 2 * y, topology=(3,), input_bits=4, n_classes=3, restarts=2, rng=np.random.default_rng(0)
    )
    layout = GenomeLayout.uniform((3, 3, 3))
    for start in power_of_two_starts(baseline, layout, X, 2 * y, rng=np.random.default_rng(0), n=3):
        neuron = start.layers[-1].neurons[1]
        assert (neuron.terms, neuron.bias) == ((), layout.bias_range[0])


def test_one_class_in_training_gives_constant_starts():
    X, y = blobs(2, n=40)
    y = np.full(len(y), 1)
    baseline = exact_baseline(
        X, y, X, y, topology=(3,), input_bits=4, n_classes=3, restarts=1, rng=np.random.default_rng(0)
    )
    starts = power_of_two_starts(baseline, GenomeLayout.uniform((3, 3, 3)), X, y, rng=np.random.default_rng(0), n=1)
    assert set(starts[0].predict(X)) == {1}
