import numpy as np
import pytest
from deap import base, tools
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.genome import MASK, GenomeLayout
from printedmlp.operators import constrained_dominance
from printedmlp.population import Population, first_of_each, nsga2, select

LAYOUT = GenomeLayout.uniform((2, 2))


def population(objectives, genes=None):
    errors, costs = np.array(objectives).reshape(-1, 2).T
    if genes is None:
        genes = LAYOUT.random(len(errors), np.random.default_rng(0))
    return Population(genes, errors, costs, np.zeros(len(errors)))


def chosen(candidates, size, max_errors=100):
    return [tuple(row) for row in select(candidates, size=size, layout=LAYOUT, max_errors=max_errors).objectives]


def test_fronts_come_first_then_the_less_crowded():
    front = [(0, 10), (1, 9), (2, 8), (9, 1)]
    assert sorted(chosen(population([*front, (3, 9), (9, 9)]), 4)) == sorted(front)
    # (1, 9) and (2, 8): the second is nearer to the far end and so less crowded.
    assert sorted(chosen(population([*front, (3, 9)]), 3)) == [(0, 10), (2, 8), (9, 1)]


def test_the_infeasible_follow_by_errors_whatever_their_area():
    candidates = population([(30, 0), (12, 50), (11, 99), (5, 5)])
    assert chosen(candidates, 3, max_errors=10) == [(5, 5), (11, 99), (12, 50)]
    assert chosen(candidates, 2, max_errors=0) == [(5, 5), (11, 99)]


def test_copies_come_last():
    genes = LAYOUT.random(3, np.random.default_rng(0))[[0, 0, 1, 2]]
    candidates = population([(1, 1), (1, 1), (5, 5), (20, 20)], genes)
    assert chosen(candidates, 3, max_errors=10) == [(1, 1), (5, 5), (20, 20)]
    assert chosen(candidates, 4, max_errors=10)[3] == (1, 1)


def test_a_different_sign_on_a_removed_connection_is_a_copy():
    genes = np.array([[1, 0, 3, 1, 5, 2, 0] * 2, [-1, 0, 0, 1, 5, 2, 0] * 2], dtype=np.int32)
    assert first_of_each(LAYOUT, genes).tolist() == [True, False]
    genes[1, 2] = 7
    assert first_of_each(LAYOUT, genes).tolist() == [True, False]
    genes[1, 3] = -1
    assert first_of_each(LAYOUT, genes).tolist() == [True, True]


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_first_of_each_equals_the_first_of_equal_canonical_genes(seed, n):
    rng = np.random.default_rng(seed)
    genes = LAYOUT.random(8, rng)[rng.integers(0, 8, n)]
    genes[(LAYOUT.kinds == MASK) & (rng.random(genes.shape) < 0.7)] = 0
    keys = [row.tobytes() for row in LAYOUT.canonical(genes)]
    assert first_of_each(LAYOUT, genes).tolist() == [key not in keys[:k] for k, key in enumerate(keys)]


class Fitness(base.Fitness):
    weights = (-1.0, -1.0)


class Individual:
    def __init__(self, row, objectives):
        self.row, self.fitness = row, Fitness(objectives)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=60), st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_selection_is_that_of_deap_in_the_same_order(objectives, size):
    individuals = [Individual(*pair) for pair in enumerate(objectives)]
    wanted = tools.selNSGA2(individuals, min(size, len(individuals)), nd="log")
    errors, costs = np.array(objectives).T
    chosen, crowding = nsga2(errors, costs, size)
    assert chosen.tolist() == [individual.row for individual in wanted]
    assert crowding.tolist() == [individual.fitness.crowding_dist for individual in wanted]


def test_selection_is_that_of_deap_on_many_real_costs():
    rng = np.random.default_rng(5)
    errors, costs = rng.integers(0, 300, 400), rng.random(400)
    individuals = [
        Individual(row, pair) for row, pair in enumerate(zip(errors.tolist(), costs.tolist(), strict=True))
    ]
    wanted = tools.selNSGA2(individuals, 200, nd="log")
    chosen, crowding = nsga2(errors, costs, 200)
    assert chosen.tolist() == [individual.row for individual in wanted]
    assert crowding.tolist() == [individual.fitness.crowding_dist for individual in wanted]


def test_selection_from_nobody_is_nobody():
    chosen, crowding = nsga2(np.zeros(0, np.int64), np.zeros(0), 5)
    assert len(chosen) == len(crowding) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25), st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_nobody_left_out_dominates_anybody_chosen(objectives, size):
    candidates = population(objectives)
    candidates.costs[:] = candidates.costs * 100 + np.arange(len(candidates))  # tells rows apart
    survivors = select(candidates, size=size, layout=LAYOUT, max_errors=5)
    assert len(survivors) == min(size, len(candidates))
    taken = {tuple(row) for row in survivors.objectives}
    left = np.array([row for row in candidates.objectives if tuple(row) not in taken]).reshape(-1, 2)
    for row in survivors.objectives:
        assert (constrained_dominance(left, np.tile(row, (len(left), 1)), 5) >= 0).all()


def test_front_is_sorted_and_has_one_individual_per_point():
    front = population([(5, 1), (3, 3), (3, 3), (4, 4), (1, 9)]).front()
    assert front.objectives.tolist() == [[1, 9], [3, 3], [5, 1]]
    assert population([(3, 1), (4, 0)]).feasible(3).objectives.tolist() == [[3, 1]]


@pytest.mark.parametrize("max_errors", [-1, 100])
def test_selection_of_everybody_keeps_everybody(max_errors):
    candidates = population([(n, 9 - n) for n in range(10)])
    assert sorted(chosen(candidates, 10, max_errors)) == [(n, 9 - n) for n in range(10)]
