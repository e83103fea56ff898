import numpy as np
import pytest

from printedmlp.genome import GenomeLayout
from printedmlp.starts import KINDS, start_point


@pytest.fixture(scope="module")
def data():
    """Three classes by which of three inputs is largest."""
    X = np.random.default_rng(1).integers(0, 16, (400, 5))
    return X, np.argmax(X[:, :3], axis=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [1, 4, 9])
def test_start_points_fit_the_layout_and_beat_guessing(data, kind, width):
    X, y = data
    layout = GenomeLayout.uniform((5, width, 3))
    genes = start_point(kind, layout, X, y, rng=np.random.default_rng(3))
    layout.check(genes[None, :])
    right = (layout.decode(genes).predict(X) == y).mean()
    assert right > (0.35 if width == 1 else 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_generators_equal_starts(data, kind):
    layout = GenomeLayout.uniform((5, 4, 3))
    first, second, other = (
        start_point(kind, layout, *data, rng=np.random.default_rng(seed)).tolist() for seed in (3, 3, 4)
    )
    assert first == second != other


@pytest.mark.parametrize("kind", KINDS)
def test_missing_classes_are_never_answered(data, kind):
    X, y = data
    present = (0, 2)
    y = np.asarray(present)[y % 2]
    layout = GenomeLayout.uniform((5, 3, 3))
    genes = start_point(kind, layout, X, y, rng=np.random.default_rng(3))
    answered = layout.decode(genes).predict(X)
    assert {*answered.tolist()} <= {*present}


def test_a_tree_neuron_reads_one_input(data):
    layout = GenomeLayout.uniform((5, 6, 3))
    model = layout.decode(start_point("tree", layout, *data, rng=np.random.default_rng(3)))
    assert all(len(neuron.terms) <= 1 for neuron in model.layers[0].neurons)


def test_sparse_neurons_read_few_inputs(data):
    layout = GenomeLayout.uniform((5, 6, 3))
    model = layout.decode(start_point("sparse", layout, *data, rng=np.random.default_rng(3)))
    assert all(1 <= len(neuron.terms) <= 4 for neuron in model.layers[0].neurons)
