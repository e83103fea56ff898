import numpy as np
import pytest

from printedmlp.genome import BIAS, EXPONENT, MASK, SIGN, GenomeLayout
from printedmlp.operators import constrained_dominance, mate, mutate, tournament
from printedmlp.population import Population

LAYOUT = GenomeLayout.uniform((4, 3, 2))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def population(objectives, crowding):
    errors, costs = np.array(objectives).T
    genes = np.arange(len(errors), dtype=np.int32)[:, None]
    return Population(genes, errors, costs, np.array(crowding, dtype=float))


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        ((3, 5), (3, 6), -1),
        ((2, 5), (3, 5), -1),
        ((2, 6), (3, 5), 0),
        ((3, 5), (3, 5), 0),
        ((10, 99), (11, 0), -1),  # only the second is infeasible
        ((12, 0), (11, 99), 1),  # both are: area does not matter
        ((12, 0), (12, 99), 0),
    ],
)
def test_dominance_under_the_constraint(a, b, wanted):
    first, second = np.array([a, b]), np.array([b, a])
    assert constrained_dominance(first, second, 10).tolist() == [wanted, -wanted]


def test_the_better_or_less_crowded_wins_every_tournament(rng):
    better = population([(1, 1), (2, 2)], [0, 9])
    assert np.mean(tournament(better, rng, n=1000, max_errors=10)) < 0.4  # (1) wins only against itself
    crowded = population([(1, 2), (2, 1)], [1, np.inf])
    assert np.mean(tournament(crowded, rng, n=1000, max_errors=10)) > 0.6
    equal = population([(1, 2), (2, 1)], [1, 1])
    assert 0.4 < np.mean(tournament(equal, rng, n=1000, max_errors=10)) < 0.6


def test_crossover_swaps_whole_neurons_between_the_two_of_a_pair(rng):
    parents = np.repeat(np.arange(40, dtype=np.int32)[:, None], LAYOUT.size, axis=1)
    children = mate(parents, rng, layout=LAYOUT, rate=0.5)
    pairs = children.reshape(20, 2, LAYOUT.size)
    assert np.array_equal(np.sort(pairs, axis=1), parents.reshape(20, 2, LAYOUT.size))
    for child in children:
        assert all(len(set(child[LAYOUT.neurons == neuron])) == 1 for neuron in range(5))
    assert 5 < sum(len(set(pair[0])) > 1 for pair in pairs) < 15
    assert np.array_equal(mate(parents, rng, layout=LAYOUT, rate=0.0), parents)


def test_mutation_by_kind(rng):
    genes = LAYOUT.random(400, rng)
    before = genes.copy()
    mutated = mutate(genes, rng, layout=LAYOUT, rate=1.0, removal_share=0.0)
    assert np.array_equal(genes, before)
    LAYOUT.check(mutated)
    kinds = LAYOUT.kinds
    assert np.array_equal(mutated[:, kinds == SIGN], -genes[:, kinds == SIGN])
    flipped = mutated[:, kinds == MASK] ^ genes[:, kinds == MASK]
    assert (np.bitwise_and(flipped, flipped - 1) == 0).all()
    assert set(flipped.ravel()) == {1, 2, 4, 8, 16, 32, 64, 128}
    assert set(flipped[:, 0]) == {1, 2, 4, 8}
    assert set((mutated - genes)[:, kinds == EXPONENT].ravel()) == {-1, 1}
    steps = np.abs(mutated - genes)[:, kinds == BIAS]
    inside = (mutated[:, kinds == BIAS] > -128) & (mutated[:, kinds == BIAS] < 127)
    assert set(steps[inside]) == {1, 2, 4, 8, 16, 32, 64, 128}


def test_mutation_changes_the_expected_number_of_genes(rng):
    genes = LAYOUT.random(4000, rng)
    changed = (mutate(genes, rng, layout=LAYOUT, rate=3 / LAYOUT.size, removal_share=0.0) != genes).sum(axis=1)
    assert changed.mean() == pytest.approx(3, abs=0.15)
    assert np.array_equal(mutate(genes, rng, layout=LAYOUT, rate=0.0, removal_share=1.0), genes)


def test_a_share_of_the_mutated_masks_is_cleared(rng):
    genes = np.tile(LAYOUT.upper, (400, 1))
    masks = LAYOUT.kinds == MASK
    mutated = mutate(genes, rng, layout=LAYOUT, rate=1.0, removal_share=0.25)
    assert np.mean(mutated[:, masks] == 0) == pytest.approx(0.25, abs=0.03)
    assert not (mutated[:, LAYOUT.kinds == EXPONENT] == 0).any()
