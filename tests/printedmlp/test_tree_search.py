import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError, ModelError
from printedmlp.exact_trees import exact_trees
from printedmlp.kernels import trees as kernel
from printedmlp.pareto import non_dominated
from printedmlp.technology import Technology, load_technology
from printedmlp.tree_area import TreeUnits, tree_area_um2
from printedmlp.tree_genes import TreeEvaluator, TreeGenome, mate, mutate
from printedmlp.tree_search import TreeSearchSettings, approximate_trees
from printedmlp.trees import grown
from tests.random_trees import trees

EGFET = load_technology("egfet")
UNITS = TreeUnits.of(EGFET)
STUB = grown(2, 4, 3, (0, 5, 0, (1, 8, 1, 2)))
SETTINGS = TreeSearchSettings(population=20, generations=25)


def evaluator_of(tree, X, y, weights=None):
    weights = np.ones(tree.n_classes, dtype=np.int64) if weights is None else np.asarray(weights)
    return TreeEvaluator(TreeGenome(tree), np.asarray(X), np.asarray(y), weights, UNITS)


def random_genes(genome, n, rng):
    top = genome.tree.input_bits
    high = np.tile([1 << top, top + 1, 2], genome.n_inner)
    low = np.tile([1, 1, 0], genome.n_inner)
    genes = rng.integers(low, high, size=(n, len(high)), dtype=np.int32)
    genes[:, kernel.KEPT :: kernel.GENES] |= rng.random((n, genome.n_inner)) < 0.7
    return genes


@pytest.fixture
def rows():
    rng = np.random.default_rng(7)
    X = rng.integers(0, 16, (200, 3))
    y = (X[:, 0] >= 9).astype(np.int64) + ((X[:, 1] >= 3) & (X[:, 2] < 13))
    return X, np.where(rng.random(200) < 0.1, 0, y)


def full_tree(X, y):
    return exact_trees(X, y, n_classes=3, input_bits=4, rng=np.random.default_rng(0))[-1]


def test_genes_by_hand():
    """x0 >= 5 with two bits is x0 >= 4; the second test ends there, and most rows are of class 2."""
    X, y = [[3, 0], [4, 0], [4, 9], [5, 9]], [0, 1, 2, 2]
    evaluator = evaluator_of(STUB, X, y)
    genes = np.array([[5, 4, 1, 8, 4, 1], [5, 2, 1, 8, 4, 0], [5, 1, 1, 8, 4, 0]], dtype=np.int32)
    decoded = [evaluator.decoded(row) for row in genes]
    assert decoded == [grown(2, 4, 3, (0, 5, 0, 2)), grown(2, 4, 3, (0, 4, 0, 2)), grown(2, 4, 3, 2)]
    objectives, live = evaluator.score(genes)
    assert objectives[:, 0].tolist() == [2, 1, 2]
    assert objectives[:, 1].tolist() == [3 * UNITS.gate, UNITS.gate, 0]
    assert live.tolist() == [[1, 1], [1, 1], [1, 1]]


@given(tree=trees(), seed=st.integers(0, 1 << 30), n=st.integers(1, 150))
@settings(max_examples=60, deadline=None)
def test_the_kernel_is_the_decoded_tree(tree, seed, n):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 1 << tree.input_bits, (n, tree.n_features))
    y = rng.integers(0, tree.n_classes, n)
    evaluator = evaluator_of(tree, X, y, rng.integers(1, 5, tree.n_classes))
    genes = random_genes(evaluator.genome, 10, rng)
    decoded = [evaluator.decoded(row) for row in genes]
    wrong = [evaluator.weights[y[tree.predict(X) != y]].sum() for tree in decoded]
    objectives, _ = evaluator.score(genes)
    assert objectives[:, 0].tolist() == wrong
    assert objectives[:, 1].tolist() == [tree_area_um2(tree, UNITS) for tree in decoded]


def test_the_pruning_path_goes_from_the_start_tree_to_one_leaf(rows):
    tree = full_tree(*rows)
    evaluator = evaluator_of(tree, *rows)
    path = evaluator.pruning_path()
    sizes = [evaluator.decoded(genes).n_leaves for genes in path]
    assert evaluator.decoded(path[0]).reduced() == tree
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[-1] == 1
    errors = evaluator.score(path)[0][:, 0].tolist()
    assert errors == sorted(errors)


def test_mutation_changes_live_nodes_only_and_stays_in_range(rows):
    genome = TreeGenome(full_tree(*rows))
    rng = np.random.default_rng(1)
    genes = np.tile(genome.exact, (400, 1))
    live = np.zeros((400, genome.n_inner), dtype=np.uint8)
    live[:, :4] = 1
    changed = mutate(genes, live, rng, genome=genome, mutations=2.0)
    nodes = (changed != genes).reshape(400, -1, 3).any(axis=2)
    assert not nodes[:, 4:].any()
    assert 1.5 < nodes.sum(axis=1).mean() < 2.1
    assert (changed[:, 0::3] >= 1).all()
    assert (changed[:, 0::3] <= 15).all()
    assert set(np.unique(changed[:, 1::3])) == {1, 2, 3, 4}
    assert set(np.unique(changed[:, 2::3])) == {0, 1}
    assert (genes == genome.exact).all()


def test_mating_exchanges_one_subtree(rows):
    genome = TreeGenome(full_tree(*rows))
    genes = np.stack([genome.exact, genome.exact + 1])
    live = np.ones((2, genome.n_inner), dtype=np.uint8)
    children = mate(genes, live, np.random.default_rng(1), genome=genome, rate=1.0)
    swapped = (children[0] != genes[0]).reshape(-1, 3).all(axis=1)
    first, n = int(np.argmax(swapped)), int(swapped.sum())
    assert first > 0
    assert n == genome.sizes[first] == swapped[first : first + n].sum()
    assert (children.sum(axis=0) == genes.sum(axis=0)).all()


def search(rows, *, seed=3, options=SETTINGS, **more):
    rng = np.random.default_rng(seed)
    return approximate_trees(options, [full_tree(*rows)], *rows, technology=EGFET, rng=rng, **more)


def test_the_front_is_what_it_says_and_better_than_its_start(rows):
    X, y = rows
    found = search(rows)
    assert [item.errors for item in found] == [int((item.tree.predict(X) != y).sum()) for item in found]
    areas = [tree_area_um2(item.tree, UNITS) / 1e6 for item in found]
    assert [item.area_mm2 for item in found] == pytest.approx(areas)
    assert non_dominated([(item.errors, item.area_mm2) for item in found]).all()
    assert [item.errors for item in found] == sorted(item.errors for item in found)
    evaluator = evaluator_of(full_tree(X, y), X, y)
    prunings = evaluator.score(evaluator.pruning_path())[0]
    for errors, area in prunings:
        assert any(item.errors <= errors and item.area_mm2 * 1e6 <= area + 0.5 for item in found)
    assert len(found) > 5
    assert found[-1].area_mm2 == 0


def test_class_weights_are_in_the_errors(rows):
    X, y = rows
    weights = np.array([1, 2, 30])
    for item in search(rows, class_weights=tuple(weights.tolist())):
        assert item.errors == weights[y[item.tree.predict(X) != y]].sum()


def test_equal_seeds_equal_trees_and_progress_is_told(rows):
    told = []
    first = search(rows, on_progress=lambda done, of: told.append((done, of)))
    assert first == search(rows)
    assert first != search(rows, seed=4)
    assert told == [(number, 25) for number in range(1, 26)]


def test_whoever_wants_an_end_gets_what_is_found_so_far(rows):
    told, asked = [], iter(range(100))
    found = search(rows, on_progress=lambda done, of: told.append(done), should_stop=lambda: next(asked) == 3)
    assert told == [1, 2, 3]
    assert found


def test_a_single_leaf_has_nothing_to_search(rows):
    found = approximate_trees(SETTINGS, [grown(3, 4, 3, 0)], *rows, technology=EGFET, rng=np.random.default_rng(0))
    assert [(item.tree.n_leaves, item.area_mm2) for item in found] == [(1, 0.0)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("population", 3), ("generations", -1), ("mutations_per_child", float("nan")), ("crossover_rate", 1.1)],
)
def test_settings_out_of_range_are_refused(field, value):
    with pytest.raises(ConfigError, match=rf"{field} must be .*, not {value}"):
        TreeSearchSettings(**{field: value})


def test_rows_of_other_features_are_refused(rows):
    with pytest.raises(ModelError, match=r"inputs of shape \(200, 2\), expected \(n_samples, 3\)"):
        approximate_trees(
            SETTINGS, [full_tree(*rows)], rows[0][:, :2], rows[1], technology=EGFET, rng=np.random.default_rng(0)
        )


def test_areas_by_hand():
    """x0 >= 5 is x3 | (x2 & (x1 | x0)), x0 >= 13 shares all but its last gate, x1 >= 8 is a wire."""
    nand, inverter = 247_860, 228_420
    gate, mux = nand + inverter // 2, 3 * nand
    assert tree_area_um2(grown(1, 4, 2, (0, 5, 0, 1)), UNITS) == 3 * gate
    assert tree_area_um2(grown(1, 4, 2, (0, 5, 0, (0, 13, 1, 0))), UNITS) == 5 * gate
    assert tree_area_um2(grown(2, 4, 2, (1, 8, 0, 1)), UNITS) == 0
    assert tree_area_um2(grown(3, 4, 2, (0, 8, (1, 8, 0, 1), (2, 8, 0, 1))), UNITS) == mux
    assert tree_area_um2(grown(2, 4, 2, (0, 8, (1, 8, 0, 1), (1, 8, 1, 0))), UNITS) == UNITS.xor
    assert tree_area_um2(grown(2, 4, 4, (0, 8, 0, (1, 8, 0, 3))), UNITS) == gate


def test_a_technology_without_nand_is_refused():
    cells = {name: cell for name, cell in EGFET.cells.items() if name != "NAND2X1"}
    with pytest.raises(ConfigError, match="technology 'none' has no NAND2"):
        TreeUnits.of(Technology("none", cells, (1.0,), 1.0))
