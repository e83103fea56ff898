import pytest

torch = pytest.importorskip("torch")

from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from printedmlp.errors import DataError  # noqa: E402
from printedmlp.reference.graph_data import (  # noqa: E402
    UNKNOWN,
    available,
    block_model,
    citation_graph,
    citation_hypergraph,
    node_split,
    planted_hypergraph,
)

WORDS: dict[str, Any] = {
    "feature_indptr": np.array([0, 2, 2, 3]),
    "feature_indices": np.array([0, 3, 1], dtype=np.int16),
    "feature_values": np.array([1, 3, 1], dtype=np.float32),
    "feature_shape": np.array([3, 4]),
    "label": np.array([1, -1, 0], dtype=np.int8),
}
GRAPH: dict[str, Any] = WORDS | {
    "edges": np.array([[0], [2]]),
    "train": np.array([2]),
    "val": np.array([0]),
    "test": np.array([], int),
}
SETS: dict[str, Any] = WORDS | {"edge_ptr": np.array([0, 2]), "edge_node": np.array([2, 0])}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with Cora of three nodes."""
    (tmp_path / "suite").mkdir()
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    np.savez(tmp_path / "suite" / "cora.npz", **GRAPH)
    np.savez(tmp_path / "suite" / "hyper_coauthorship_cora.npz", **SETS)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_citation_graph_is_read():
    data = citation_graph("cora")
    assert data.name == "Cora"
    assert data.x.to_dense().tolist() == [[0.25, 0, 0, 0.75], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert data.y.tolist() == [1, UNKNOWN, 0]
    assert data.n_classes == 2
    assert data.structure.edges.tolist() == [[0], [2]]
    assert data.split is not None
    assert [part.tolist() for part in data.split] == [[2], [0], []]


@pytest.mark.usefixtures("folder")
def test_a_citation_hypergraph_is_read_and_covered():
    data = citation_hypergraph("hyper_coauthorship_cora")
    assert data.name == "Cora coauthorship"
    assert data.structure.members.tolist() == [[2, 0, 1], [0, 0, 1]]
    assert data.split is None


@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_named():
    assert available("cora")
    assert not available("citeseer")
    with pytest.raises(DataError, match=r"citeseer\.npz: no such file"):
        citation_graph("citeseer")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"feature_indptr": np.array([0, 2, 3])}, "index pointer size 3 should be 4"),
        ({"feature_indices": np.array([0, 4, 1])}, "index 4 exceeds"),
        ({"feature_values": np.array([1, np.nan, 1])}, "feature_values: not all of them are finite"),
        ({"label": np.array([1, -1, 0, 0])}, "features of 3 nodes, classes of 4 and a structure of 4"),
        ({"label": np.array(["a", "b", "c"])}, "invalid literal"),
        ({"edges": np.array([[0], [3]])}, r"edge 0: \(0, 3\) is out of range"),
        ({"test": np.array([7])}, "split: node 7 of 3"),
        ({"test": np.array([2])}, "split: node 2 is in it 2 times"),
        ({"test": np.array([1])}, "split: node 1 has no class"),
    ],
)
def test_a_graph_that_is_none_is_told_in_one_line(folder, changed, message):
    np.savez(folder / "suite" / "cora.npz", **(GRAPH | changed))
    with pytest.raises(DataError, match=rf"^cora\.npz: .*{message}.*$"):
        citation_graph("cora")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"edge_ptr": np.array([0, 2, 1], dtype=np.uint16)}, "negative"),
        ({"edge_node": np.array([2])}, "same shape"),
        ({"edge_node": np.array([2, 5])}, r"membership 1: \(5, 0\) is out of range"),
    ],
)
def test_a_hypergraph_that_is_none_is_told_in_one_line(folder, changed, message):
    np.savez(folder / "suite" / "hyper_coauthorship_cora.npz", **(SETS | changed))
    with pytest.raises(DataError, match=rf"^hyper_coauthorship_cora\.npz: .*{message}.*$"):
        citation_hypergraph("hyper_coauthorship_cora")


def test_without_a_data_folder_nothing_is_available(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    assert not available("cora")


def test_the_block_model_is_what_it_says():
    data = block_model(3)
    same = data.y[data.structure.edges[0]] == data.y[data.structure.edges[1]]
    assert data.x.shape == (1400, 1000)
    assert np.bincount(data.y).tolist() == [200] * 7
    assert 0.8 <= float(same.double().mean()) <= 0.86  # 0.8 + 0.2 / 7, less the edges that were drawn twice
    assert 2600 <= len(same) <= 2800
    torch.testing.assert_close(data.x.to_dense().sum(dim=1), torch.ones(1400))
    assert 11 <= data.x.values().numel() / 1400 <= 14  # 0.01 * 940 + 0.05 * 60 words


def test_the_planted_hypergraph_is_what_it_says():
    data = planted_hypergraph(3)
    H = data.structure.incidence().toarray()
    sizes = H.sum(axis=0)
    assert H.sum(axis=1).min() == 1
    assert sizes[:600].max() == 8
    assert sizes[600:].max() == 1
    by_class = np.stack([H[data.y.numpy() == label, :600].sum(axis=0) for label in range(6)])
    assert 0.84 <= by_class.max(axis=0).sum() / sizes[:600].sum() <= 0.92
    centre = torch.stack([data.x[data.y == label].mean(dim=0) for label in range(6)])
    assert 0.15 <= float(centre.std()) <= 0.25


@pytest.mark.parametrize("make", [block_model, planted_hypergraph])
def test_generators_repeat_themselves(make):
    one, again, other = make(1), make(1), make(2)
    assert torch.equal(one.x.to_dense(), again.x.to_dense())
    assert not torch.equal(one.x.to_dense(), other.x.to_dense())
    assert torch.equal(one.y, again.y)


def test_splits_take_so_many_of_each_class_and_leave_out_the_unknown():
    y = torch.tensor([0] * 9 + [1] * 7 + [UNKNOWN] * 4)
    split = node_split(y, 0, train=2, validation=3)
    assert [torch.bincount(y[part]).tolist() for part in split] == [[2, 2], [3, 3], [4, 2]]
    assert torch.equal(torch.cat(split).sort().values, torch.arange(16))
    assert all(torch.equal(part, part.sort().values) for part in split)
    assert not torch.equal(node_split(y, 1, train=2, validation=3).train, split.train)


def test_a_class_too_small_to_split_is_named():
    with pytest.raises(DataError, match="class 1 has 5 nodes, not more than 2 \\+ 3"):
        node_split(torch.tensor([0] * 9 + [1] * 5), 0, train=2, validation=3)
