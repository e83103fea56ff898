"""The plain network: by hand, its parameters, and that it learns."""

import pytest

pytest.importorskip("torch")

import torch

from printedmlp.reference.mlp import ACTIVATIONS, MLP, Config, tabular_model
from printedmlp.reference.training import Settings, Tensors, cross_entropy, fit, parameter_count


def test_two_layers_by_hand():
    model = MLP(Config(2, 1, hidden=(2,), activation="relu"))
    weights = {
        "linears.0.weight": [[1.0, 1.0], [1.0, -1.0]],
        "linears.0.bias": [0.0, 0.0],
        "linears.1.weight": [[2.0, 3.0]],
        "linears.1.bias": [0.5],
    }
    model.load_state_dict({name: torch.tensor(values) for name, values in weights.items()})
    assert model(torch.tensor([[1.0, 2.0]])).item() == 2 * 3 + 3 * 0 + 0.5
    hidden, logits = model.features(torch.tensor([[2.0, 1.0]]))
    assert hidden.tolist() == [[3.0, 1.0]]
    assert logits.tolist() == [[9.5]]


@pytest.mark.parametrize(
    ("sizes", "count"), [((784, (32,), 10), 25_450), ((7, (32,), 2), 322), ((64, (), 10), 650)]
)
def test_parameters_as_published_for_these_sizes(sizes, count):
    n_inputs, hidden, n_outputs = sizes
    assert parameter_count(MLP(Config(n_inputs, n_outputs, hidden=hidden))) == count


def test_no_hidden_layer_is_linear():
    model = MLP(Config(3, 2, hidden=(), bias=False))
    x = torch.randn(5, 3)
    assert torch.allclose(model(2 * x), 2 * model(x))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_few_steps_lower_the_loss(activation):
    y = torch.arange(30) % 3
    data = Tensors(torch.nn.functional.one_hot(y, 4).float(), y)
    torch.manual_seed(0)
    model = MLP(Config(4, 3, hidden=(8,), activation=activation))
    history = fit(model, cross_entropy(), data, None, Settings(5, 0, 0.01), seed=0)
    assert history.losses[-1] < history.losses[0]


def test_pictures_are_flattened():
    assert MLP(Config(12, 2))(torch.zeros(5, 2, 2, 3)).shape == (5, 2)


def test_a_model_for_a_table_has_its_shape():
    assert tabular_model(7, 3)(torch.zeros(2, 7)).shape == (2, 3)
