import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.bilinear_mlp import (  # noqa: E402
    BilinearConfig,
    BilinearMLP,
    Eigenfeatures,
    ReLUMLP,
    as_pixels,
    counted_parameters,
    eigenfeatures,
    interactions,
    masks,
    opposed,
    similarity,
    tabular_model,
    tensor,
)
from printedmlp.reference.studies import bilinear_mlp as study  # noqa: E402
from printedmlp.reference.studies.bilinear_attack import STRENGTHS, Attack, attack  # noqa: E402
from printedmlp.reference.studies.runs import Parts, Run  # noqa: E402
from printedmlp.reference.training import (  # noqa: E402
    History,
    Settings,
    Tensors,
    built,
    cross_entropy,
    fit,
    mean_squared_error,
    parameter_count,
    seeded,
)

TOY = BilinearConfig(n_inputs=9, hidden=7, n_classes=3)
WIDE = torch.float64


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=WIDE)


def started(config=TOY, seed=0):
    return built(lambda: BilinearMLP(config), seed).double()


def gate():
    """y = x0 * x1, written into the weights."""
    model = started(BilinearConfig(2, 2, 1))
    with torch.no_grad():
        model.embedding.weight.copy_(torch.eye(2))
        model.left.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
        model.right.weight.copy_(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
        model.head.weight.copy_(torch.tensor([[1.0, 0.0]]))
    return model


def test_and_gate_by_hand():
    model = gate()
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=WIDE)
    assert model(corners).flatten().tolist() == [0, 0, 0, 1]
    assert tensor(model)[0].tolist() == [[0, 1], [0, 0]]
    Q = interactions(model)
    assert Q[0].tolist() == [[0, 0.5], [0.5, 0]]
    found = eigenfeatures(Q)
    torch.testing.assert_close(found.values, torch.tensor([[-0.5, 0.5]], dtype=WIDE))
    torch.testing.assert_close(found.vectors.abs(), torch.full((1, 2, 2), 0.5**0.5, dtype=WIDE))
    assert found.top(1).vectors[0, 0].prod() > 0  # both inputs together speak for the class
    torch.testing.assert_close(found.logits(corners), model(corners))


def test_gates_are_learnt_and_read_from_the_weights():
    """Outputs x0 and x1, x2 and x3: mass on the two entries of the pair, nearly none elsewhere."""
    x = (torch.rand(600, 4, generator=seeded(0)) < 0.3).float()
    y = torch.stack([x[:, 0] * x[:, 1], x[:, 2] * x[:, 3]], dim=1)
    model = built(lambda: BilinearMLP(BilinearConfig(4, 5, 2)), 0)
    fit(model, mean_squared_error, Tensors(x, y), None, Settings(800, 0, 0.01), seed=0)
    assert isinstance(model, BilinearMLP)
    E = model.embedding.weight
    inputs = (E.T @ interactions(model) @ E).detach()  # (2, 4, 4): in terms of the inputs
    expected = torch.zeros(2, 4, 4)
    expected[0, 0, 1] = expected[0, 1, 0] = expected[1, 2, 3] = expected[1, 3, 2] = 0.5
    torch.testing.assert_close(inputs, expected, atol=0.1, rtol=0)


@pytest.mark.parametrize(("sizes", "count"), [((784, 256, 10), 334_336), ((64, 64, 10), 12_928)])
def test_published_and_study_sizes(sizes, count):
    with torch.device("meta"):
        model = BilinearMLP(BilinearConfig(*sizes))
    assert parameter_count(model) == counted_parameters(BilinearConfig(*sizes)) == count


def test_size_with_a_constant():
    config = replace(TOY, constant=True)
    assert parameter_count(started(config)) == counted_parameters(config) == counted_parameters(TOY) + 7


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), constant=st.booleans())
def test_tensor_and_eigenfeatures_are_the_network(seed, constant):
    model, x = started(replace(TOY, constant=constant), seed), drawn(6, 9, seed=seed)
    e, y = model.embed(x), model(x)
    Q = interactions(model)
    for form in (tensor(model), Q):
        torch.testing.assert_close(torch.einsum("bi,cij,bj->bc", e, form, e), y)
    found = eigenfeatures(Q)
    torch.testing.assert_close(found.logits(e), y)
    assert float((found.logits(e) - y).detach().abs().max() / y.detach().abs().max()) < 1e-10
    torch.testing.assert_close(
        found.vectors @ found.vectors.transpose(1, 2), torch.eye(7, dtype=WIDE).expand(3, 7, 7)
    )


def test_antisymmetric_part_is_felt_by_nobody():
    model = started()
    odd = tensor(model) - interactions(model)
    assert odd.abs().max() > 1e-3
    e = drawn(6, 7)
    assert torch.einsum("bi,cij,bj->bc", e, odd, e).abs().max() < 1e-12


def test_eigenvectors_of_a_matrix_that_is_not_symmetric_are_refused():
    with pytest.raises(AssertionError, match="symmetrise"):
        eigenfeatures(tensor(started()))


def test_output_is_quadratic_and_even():
    model, x = started(), drawn(6, 9)
    torch.testing.assert_close(model(3 * x), 9 * model(x))
    torch.testing.assert_close(model(-x), model(x))
    assert not torch.allclose(started(replace(TOY, constant=True))(-x), started(replace(TOY, constant=True))(x))


def test_the_two_gates_may_change_places():
    model, x = started(), drawn(6, 9)
    y, Q = model(x), interactions(model)
    model.left, model.right = model.right, model.left
    torch.testing.assert_close(model(x), y)
    torch.testing.assert_close(interactions(model), Q)


def test_equal_gates_are_a_sum_of_squares():
    model = started(replace(TOY, hidden=1))
    model.right = model.left
    Q = interactions(model)
    W = model.left.weight
    torch.testing.assert_close(Q, (W.T @ W * model.head.weight[:, :, None]).detach())
    assert (eigenfeatures(Q).values.abs() > 0).sum().item() == 3


def test_one_hidden_unit_has_one_eigenvalue_of_its_own():
    model = started()
    model.right = model.left
    with torch.no_grad():
        model.head.weight[:, 1:] = 0
    assert ((eigenfeatures(interactions(model)).values.abs() > 1e-12).sum(dim=1) == 1).all()


def test_a_gate_of_ones_is_a_linear_network():
    """Embedding keeps the inputs and the constant; V looks at the constant alone."""
    model, x = started(BilinearConfig(3, 4, 2, constant=True)), drawn(5, 3)
    with torch.no_grad():
        model.embedding.weight.copy_(torch.eye(4))
        model.right.weight.zero_()
        model.right.weight[:, 3] = 1
    with_one = torch.cat([x, torch.ones(5, 1, dtype=WIDE)], dim=1)
    torch.testing.assert_close(model(x), with_one @ (model.head.weight @ model.left.weight).T)


def test_effective_rank_and_order_by_hand():
    values = torch.tensor([[-3.0, 0.0, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    found = Eigenfeatures(values, torch.eye(4).expand(2, 4, 4))
    torch.testing.assert_close(found.effective_rank(), torch.tensor([36 / 14, 4.0]))
    assert found.strongest(2).values[0].tolist() == [-3, 2]
    assert found.top(2).values[0].tolist() == [2, 1]
    assert found.top(2).vectors[0].tolist() == [[0, 0, 0, 1], [0, 0, 1, 0]]


def test_truncation_by_all_features_is_the_network():
    model, x = started(), drawn(6, 9)
    found = eigenfeatures(interactions(model))
    torch.testing.assert_close(found.strongest(7).logits(model.embed(x)), model(x))
    errors = [(found.strongest(k).logits(model.embed(x)) - model(x)).detach().norm() for k in range(8)]
    assert errors[7] < 1e-10 < errors[3] < errors[0]


def test_pixels_see_what_the_embedding_sees():
    model, x, v = started(), drawn(6, 9), drawn(2, 7, seed=1)
    torch.testing.assert_close(x @ as_pixels(model, v).T, (model.embed(x) @ v.T).detach())


def test_masks_move_their_feature_alone():
    """With E = identity, and before it is centred, a mask is orthogonal to all other listed eigenvectors."""
    model = started(BilinearConfig(20, 20, 3))
    with torch.no_grad():
        model.embedding.weight.copy_(torch.eye(20))
    found = eigenfeatures(interactions(model))
    made = masks(model, found, 2).reshape(6, 20)
    torch.testing.assert_close(made.mean(dim=1), torch.zeros(6, dtype=WIDE), atol=1e-12, rtol=0)
    torch.testing.assert_close(made.std(dim=1, correction=0), torch.ones(6, dtype=WIDE))
    rows = found.top(2).vectors.reshape(6, 20)
    inverse = torch.linalg.pinv(rows)
    torch.testing.assert_close(rows @ inverse, torch.eye(6, dtype=WIDE))
    level = inverse - inverse.mean(dim=0)
    torch.testing.assert_close(made.T, level / level.std(dim=0, correction=0))


def test_masks_need_room():
    with pytest.raises(ConfigError, match="3 classes x 3 eigenvectors need a hidden width above 7"):
        masks(started(), eigenfeatures(interactions(started())), 3)


def test_sign_of_a_mask_follows_the_other_classes():
    mask, others = torch.tensor([1.0, -1.0]), torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    assert opposed(mask, others).tolist() == [-1.0, 1.0]
    assert opposed(-mask, others).tolist() == [-1.0, 1.0]


def test_similarity_ignores_signs():
    one = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    torch.testing.assert_close(
        similarity(one, torch.tensor([[-2.0, 0.0], [1.0, 0.0]])), torch.tensor([1.0, 0.5**0.5])
    )


def test_noise_is_for_training_only():
    model, x = started(replace(TOY, noise=0.5)), drawn(6, 9)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))
    with pytest.raises(ConfigError, match="noise: -1"):
        BilinearConfig(2, 2, 2, noise=-1)


def test_relu_twin_has_as_many_products():
    assert parameter_count(ReLUMLP(BilinearConfig(64, 64, 10))) == 64 * 65 + 128 * 65 + 10 * 129


def test_gradients_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(started(replace(TOY, constant=True)), (drawn(2, 9).requires_grad_(),))


def test_one_step_lowers_the_loss():
    model, x, y = built(lambda: tabular_model(7, 3), 0), drawn(40, 7).float(), torch.arange(40) % 3
    loss = cross_entropy()
    before = float(loss(model, x, y).detach())
    fit(model, loss, Tensors(x, y), None, Settings(1, 0, 1e-3), seed=0)
    assert float(loss(model, x, y).detach()) < before
    assert model(x).shape == (40, 3)


def test_attack_by_hand():
    """Logit c is 3 x_c^2 and a little more: the mask of class c lights input c and wins against every class."""
    model = started(BilinearConfig(40, 40, 3))
    with torch.no_grad():
        for layer in (model.embedding, model.left, model.right):
            layer.weight.copy_(torch.eye(40))
        model.head.weight.zero_()
        for label in range(3):
            model.head.weight[label, label] = 3.0
            model.head.weight[label, 3 + 2 * label : 5 + 2 * label] = 0.1
    x, y = torch.zeros(6, 40, dtype=WIDE), torch.arange(6) % 3
    x[:, :3] = 0.2
    x[torch.arange(6), y] = 1.0
    found = attack(model.eval(), Parts(Tensors(x, y), Tensors(x, y)), 0)
    assert found.masks.argmax(dim=1).tolist() == [0, 1, 2]
    assert found.masks.max().item() == pytest.approx(39**0.5)
    assert (found.masked[0], found.masked[-1], found.taken, found.prevailing) == (1.0, 0.0, 1.0, 3)
    assert found.permuted[-1] > 0.8
    assert found.taken_permuted < 0.2


def measured(relu=0.97, bilinear=0.965, plain=0.1, masked=0.5, prevailing=8, low=True, alike=True):
    """Untrained networks of two seeds; with `low`, those of weight decay 1 have one eigenvalue a class."""
    images = torch.rand(50, 64, generator=seeded(0))
    part = Parts(
        Tensors(images, torch.zeros(50, dtype=torch.int64)), Tensors(images, torch.zeros(50, dtype=torch.int64))
    )

    def network(decay, seed):
        model = started(study.BASE, 0 if alike else seed).float()
        if low and decay:
            model.right = model.left
            with torch.no_grad():
                model.head.weight[:, 1:] = 0
        return Run(model, plain, History())

    grid = {(n, d): [network(d, seed) for seed in range(2)] for n in study.NOISES for d in study.DECAYS}
    twins = {
        "BilinearMLP": [Run(BilinearMLP(study.BASE), bilinear, History())] * 2,
        "ReLUMLP": [Run(ReLUMLP(study.BASE), relu, History())] * 2,
    }
    still = (0.95,) * (len(STRENGTHS) - 1)
    attacks = [Attack((*still, masked), (*still, 0.8), 0.4, 0.01, prevailing, torch.zeros(10, 64))] * 2
    return study.Results([part] * 2, grid, twins, grid[0.0, 0.0], attacks)


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"plain": 0.0}, []),
        ({"plain": 0.0, "bilinear": 0.945, "relu": 0.95}, [1]),
        ({"plain": 0.0, "bilinear": 0.955, "relu": 0.98}, [1]),
        ({"plain": 1.0}, [2]),
        ({"plain": 0.0, "low": False}, [3]),
        ({"plain": 0.0, "masked": 0.7}, [4]),
        ({"plain": 0.0, "prevailing": 5}, [4]),
        ({"plain": 0.0, "alike": False}, [5]),
    ],
)
def test_claims_are_shown_or_not(changed, missing):
    checks = study.checks(measured(**changed))
    assert [number for number, check in enumerate(checks) if not check.shown] == missing
