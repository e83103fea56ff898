import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from printedmlp.errors import DataError  # noqa: E402
from printedmlp.reference.graphs import (  # noqa: E402
    Graph,
    Hypergraph,
    Operator,
    affine,
    gathered,
    neighbourhood,
    sparse_tensor,
)


def pairs(*given):
    return np.array(given, dtype=np.int64).reshape(-1, 2).T


PATH = Graph(3, pairs((0, 1), (2, 1)))
RING = Graph(5, pairs(*((node, (node + 1) % 5) for node in range(5))))
SETS = Hypergraph(5, 2, pairs((0, 0), (1, 0), (1, 1), (2, 1), (3, 1)))


@st.composite
def graphs(draw):
    n = draw(st.integers(2, 12))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda edge: edge[0] < edge[1])
    return Graph(n, pairs(*draw(st.lists(ends, max_size=20, unique=True))))


@st.composite
def hypergraphs(draw):
    n, e = draw(st.integers(1, 10)), draw(st.integers(1, 6))
    member = st.tuples(st.integers(0, n - 1), st.integers(0, e - 1))
    return Hypergraph(n, e, pairs(*draw(st.lists(member, max_size=20, unique=True))))


def test_gcn_operator_by_hand():
    """Degrees with loops 2, 3, 2."""
    root = 6**-0.5
    expected = [[1 / 2, root, 0], [root, 1 / 3, root], [0, root, 1 / 2]]
    np.testing.assert_allclose(PATH.gcn_operator().dense(), expected, rtol=1e-6)


def test_mean_operator_by_hand():
    expected = [[1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3], [0, 1 / 2, 1 / 2]]
    np.testing.assert_allclose(PATH.mean_operator().dense(), expected, rtol=1e-6)


def test_hypergraph_operators_by_hand():
    """Degrees of nodes 1, 2, 1, 1, 0 and of hyperedges 2, 3."""
    H = np.array([[1, 0], [1, 1], [0, 1], [0, 1], [0, 0]])
    means = np.diag([1 / 2, 1 / 3]) @ H.T
    np.testing.assert_array_equal(SETS.incidence().toarray(), H)
    np.testing.assert_allclose(SETS.edge_means().dense(), means, rtol=1e-6)
    np.testing.assert_allclose(SETS.mean_operator().dense(), np.diag([1, 1 / 2, 1, 1, 0]) @ H @ means, rtol=1e-6)
    root = np.diag([1, 2**-0.5, 1, 1, 0])
    np.testing.assert_allclose(SETS.hgnn_operator().dense(), root @ H @ means @ root, rtol=1e-6)


def test_a_node_in_no_hyperedge_gets_its_own():
    covered = SETS.covered()
    assert covered.n_edges == 3
    assert covered.members[:, -1].tolist() == [4, 2]
    np.testing.assert_array_equal(SETS.members, covered.members[:, :-1])


def test_a_graph_as_hyperedges():
    """Two edges, then the neighbours of 0, of 1 and of 2."""
    H = PATH.hypergraph().incidence().toarray()
    np.testing.assert_array_equal(H, [[1, 0, 0, 1, 0], [1, 1, 1, 0, 1], [0, 1, 0, 1, 0]])


@settings(max_examples=30, deadline=None)
@given(graph=graphs())
def test_gcn_operator_is_symmetric_with_largest_eigenvalue_1(graph):
    dense = graph.gcn_operator().dense().astype(np.float64)
    root = np.sqrt(1 + np.asarray(graph.adjacency().sum(axis=1)))
    np.testing.assert_allclose(dense, dense.T)
    np.testing.assert_allclose(dense @ root, root, atol=1e-5)
    assert np.linalg.eigvalsh(dense)[-1] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(graph.mean_operator().dense().sum(axis=1), 1, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(hypergraph=hypergraphs())
def test_hgnn_operator_is_symmetric_with_largest_eigenvalue_1(hypergraph):
    covered = hypergraph.covered()
    dense = covered.hgnn_operator().dense().astype(np.float64)
    root = np.sqrt(np.asarray(covered.incidence().sum(axis=1)))
    np.testing.assert_allclose(dense, dense.T, atol=1e-6)
    np.testing.assert_allclose(dense @ root, root, atol=1e-5)
    assert np.linalg.eigvalsh(dense)[-1] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(covered.mean_operator().dense().sum(axis=1), 1, atol=1e-5)
    sums = hypergraph.edge_means().dense().sum(axis=1)
    np.testing.assert_allclose(sums, np.isin(np.arange(hypergraph.n_edges), hypergraph.members[1]), atol=1e-5)


def test_singletons_leave_everything_as_it_is():
    alone = Hypergraph(4, 0, pairs()).covered()
    np.testing.assert_allclose(alone.hgnn_operator().dense(), np.eye(4), atol=1e-7)
    np.testing.assert_array_equal(Graph(4, pairs()).gcn_operator().dense(), np.eye(4))


def test_a_regular_graph_as_hypergraph():
    """Degree 2 and hyperedges of two: L = (A + 2 I) / 4."""
    ends = np.stack([RING.edges.T.ravel(), np.repeat(np.arange(5), 2)])
    expected = (RING.adjacency().toarray() + 2 * np.eye(5)) / 4
    np.testing.assert_allclose(Hypergraph(5, 5, ends).hgnn_operator().dense(), expected, rtol=1e-6)


def test_one_hyperedge_of_all_makes_all_rows_alike():
    whole = Hypergraph(4, 1, pairs(*((node, 0) for node in range(4))))
    np.testing.assert_allclose(whole.hgnn_operator().dense(), np.full((4, 4), 0.25), rtol=1e-6)


def test_constant_features_stay_alike_on_a_regular_graph():
    answer = RING.gcn_operator()(torch.full((5, 3), 2.0))
    torch.testing.assert_close(answer, torch.full((5, 3), 2.0))


@settings(max_examples=30, deadline=None)
@given(hypergraph=hypergraphs(), graph=graphs(), data=st.data(), depth=st.integers(0, 3))
def test_a_neighbourhood_gives_what_the_full_pass_does(hypergraph, graph, data, depth):
    operator = data.draw(st.sampled_from([hypergraph.covered().hgnn_operator(), graph.gcn_operator()]))
    n = operator.factors[0].shape[0]
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=3)))
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(0))
    full = x
    for _ in range(depth):
        full = torch.tanh(operator(full))
    for form in (neighbourhood, gathered):
        layers, needed = form(operator, rows, depth)
        small = x[needed]
        for layer in layers:
            small = torch.tanh(layer(small))
        torch.testing.assert_close(small, full[rows], atol=1e-6, rtol=0)
    assert needed.tolist() == neighbourhood(operator, rows, depth)[1].tolist()


def test_a_neighbourhood_is_no_larger_than_needed():
    layers, needed = neighbourhood(Graph(5, pairs((0, 1), (1, 2), (2, 3), (3, 4))).gcn_operator(), np.array([0]), 2)
    assert needed.tolist() == [0, 1, 2]
    assert [layer.factors[0].shape for layer in layers] == [(2, 3), (1, 2)]


@settings(max_examples=20, deadline=None)
@given(hypergraph=hypergraphs())
def test_the_factors_are_the_product(hypergraph):
    operator = hypergraph.hgnn_operator()
    assert isinstance(operator, Operator)
    torch.testing.assert_close(operator(torch.eye(hypergraph.n_nodes)), torch.from_numpy(operator.dense()))


def test_sparse_rows_go_through_a_layer_like_dense_ones():
    x = torch.tensor([[0.0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]])
    for bias in (True, False):
        layer = nn.Linear(4, 2, bias=bias)
        dense, sparse = affine(layer, x), affine(layer, sparse_tensor(x.numpy()))
        torch.testing.assert_close(dense, sparse)
        slopes = [torch.autograd.grad(answer.square().sum(), layer.weight)[0] for answer in (dense, sparse)]
        torch.testing.assert_close(*slopes)


def test_mistakes_are_named():
    with pytest.raises(DataError, match="edge 1: node 2 to itself"):
        Graph(3, pairs((0, 1), (2, 2)))
    with pytest.raises(DataError, match=r"edge 0: \(0, 3\) is out of range for sizes \(3, 3\)"):
        Graph(3, pairs((0, 3)))
    with pytest.raises(DataError, match=r"edge 0: \(0, 1\) is given 2 times"):
        Graph(3, pairs((0, 1), (1, 0)))
    with pytest.raises(DataError, match=r"edge 0: \(-1, 1\) is out"):
        Graph(3, pairs((-1, 1)))
    with pytest.raises(DataError, match=r"membership 1: \(0, 2\) is out of range for sizes \(3, 2\)"):
        Hypergraph(3, 2, pairs((0, 1), (0, 2)))
    with pytest.raises(DataError, match=r"membership 0: \(0, 1\) is given 2 times"):
        Hypergraph(3, 2, pairs((0, 1), (0, 1)))
    with pytest.raises(DataError, match=r"edges have shape \(3, 2\)"):
        Graph(9, np.zeros((3, 2), dtype=np.int64))
