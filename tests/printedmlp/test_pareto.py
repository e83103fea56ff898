import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.pareto import hypervolume, layers, non_dominated


def points(dimensions, largest=6):
    row = st.tuples(*[st.integers(0, largest)] * dimensions)
    return st.lists(row, min_size=0, max_size=14).map(lambda rows: np.array(rows).reshape(-1, dimensions))


def dominates(a, b):
    return all(a <= b) and any(a < b)


def test_by_hand():
    corners = [(3, 1), (1, 3), (2, 2), (2, 2), (2, 3), (4, 1), (0, 9)]
    assert non_dominated(corners).tolist() == [True, True, True, False, False, False, True]
    # Staircase below (5, 5): 2 x 1 beside 3, 3 x 1 beside 2, 4 x 2 beside 1; (0, 9) lies outside.
    assert hypervolume(corners, (5, 5)) == 2 * 4 + 1 * 3 + 1 * 2


def test_three_dimensions_by_hand():
    assert hypervolume([(1, 1, 1)], (3, 3, 3)) == 8
    assert hypervolume([(1, 1, 1), (0, 2, 2), (2, 2, 2)], (3, 3, 3)) == 8 + 1


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_nothing_is_dominated_by_and_dominates_nothing(dimensions):
    empty = np.zeros((0, dimensions))
    assert non_dominated(empty).tolist() == []
    assert hypervolume(empty, [1] * dimensions) == 0


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_non_dominated_by_brute_force(dimensions):
    @given(points(dimensions))
    @settings(max_examples=60, deadline=None)
    def check(values):
        wanted = [
            not any(dominates(other, value) for other in values)
            and not any(np.array_equal(other, value) for other in values[:n])
            for n, value in enumerate(values)
        ]
        assert non_dominated(values).tolist() == wanted

    check()


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_hypervolume_by_counting_unit_cells(dimensions):
    @given(points(dimensions), st.integers(0, 6))
    @settings(max_examples=60, deadline=None)
    def check(values, corner):
        cells = np.argwhere(np.ones((corner,) * dimensions))
        dominated = [any((value <= cell).all() for value in values) for cell in cells]
        assert hypervolume(values, (corner,) * dimensions) == sum(dominated)

    check()


def test_layers_peel_the_fronts_one_by_one():
    points = [(0, 2), (1, 1), (1, 2), (2, 0), (2, 2), (0, 2)]
    assert [layer.tolist() for layer in layers(points)] == [[0, 1, 3], [5], [2], [4]]
    assert list(layers(np.zeros((0, 2)))) == []
