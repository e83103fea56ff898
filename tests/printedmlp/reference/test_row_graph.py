import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from printedmlp.reference import row_graph  # noqa: E402
from printedmlp.reference.graphs import Hypergraph  # noqa: E402
from printedmlp.reference.registry import ROW_GRAPHS  # noqa: E402
from printedmlp.reference.row_graph import (  # noqa: E402
    GRAPH,
    HYPERGRAPH,
    STUDENTS,
    RowNetwork,
    fit_rows,
    nearest,
    row_model,
)
from printedmlp.reference.training import Settings, Tensors, accuracy, built, parameter_count, seeded  # noqa: E402

LINE = torch.tensor([[0.0], [1], [3], [7], [12], [18], [25]])
KINDS = (GRAPH, HYPERGRAPH)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def network(kind, rows, seed=0):
    return built(lambda: RowNetwork(kind, rows, 3), seed).eval()


def hyperedges(made, extra=()):
    """One around each row and its neighbours; `extra` has the neighbours of one more row, which joins theirs."""
    n = len(made.rows)
    members = [{row, *made.near[row].tolist()} for row in range(n)]
    if len(extra):
        for row in extra:
            members[row].add(n)
        members.append({n, *extra})
    pairs = [(row, edge) for edge, rows in enumerate(members) for row in sorted(rows)]
    return Hypergraph(n + bool(len(extra)), len(members), np.array(pairs).T)


def test_nearest_by_hand():
    assert nearest(LINE, LINE, 2, own=True).tolist() == [[1, 2], [0, 2], [1, 0], [2, 4], [3, 5], [4, 6], [5, 4]]
    assert nearest(LINE, torch.tensor([[9.0]]), 3).tolist() == [[3, 4, 2]]


def test_ties_go_to_the_earlier_row():
    rows = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]).repeat(20, 1)
    assert nearest(rows, torch.zeros(1, 2), 6).tolist() == [[0, 1, 2, 3, 4, 5]]
    assert nearest(rows, rows[2:3], 3).tolist() == [[2, 6, 10]]


def test_a_copy_is_a_neighbour_and_a_row_is_not_its_own():
    rows = torch.tensor([[5.0], [0], [5], [9]])
    assert nearest(rows, rows, 1, own=True).tolist() == [[2], [0], [0], [0]]
    assert nearest(rows, rows[:1], 2).tolist() == [[0, 2]]


def test_nearest_in_pieces(monkeypatch):
    rows = drawn(40, 3)
    whole = nearest(rows, rows, 4, own=True)
    monkeypatch.setattr(row_graph, "DISTANCES", 7 * 40)
    assert torch.equal(nearest(rows, rows, 4, own=True), whole)
    assert nearest(rows, rows[:0], 4).shape == (0, 4)
    assert not (whole == torch.arange(40)[:, None]).any()


def test_a_graph_s_means_by_hand(monkeypatch):
    monkeypatch.setattr(row_graph, "NEAREST", 2)
    made = network(GRAPH, LINE)
    assert (3 * made.smooth(LINE)).flatten().tolist() == pytest.approx([4, 4, 4, 22, 37, 55, 55])
    near = nearest(LINE, torch.tensor([[9.0]]), 2)
    assert made.smooth_new(LINE, torch.tensor([[9.0]]), near).item() == pytest.approx((9 + 7 + 12) / 3)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 12), seed=st.integers(0, 99))
def test_a_hypergraph_s_means_are_those_of_its_operator(n, seed):
    rows, other = drawn(n, 2, seed=seed), drawn(1, 2, seed=seed + 1)
    made = network(HYPERGRAPH, rows)
    expected = hyperedges(made).mean_operator()(rows)
    torch.testing.assert_close(made.smooth(rows), expected, atol=1e-5, rtol=0)
    near = nearest(rows, other, made.k)
    joined = hyperedges(made, near[0].tolist()).mean_operator()(torch.cat([rows, other]))
    torch.testing.assert_close(made.smooth_new(rows, other, near), joined[-1:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_other_rows_do_not_change_each_other_or_the_training_rows(kind):
    made, others = network(kind, drawn(30, 4)), drawn(9, 4, seed=1)
    together = made(others)
    alone = torch.cat([made(row[None]) for row in others])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    own = made.answers(made.rows, others, nearest(made.rows, others, made.k))[0]
    torch.testing.assert_close(own, made.own_answers(made.rows))


@pytest.mark.parametrize("kind", KINDS)
def test_alike_rows_are_answered_alike_and_as_a_plain_network_would(kind):
    made = network(kind, torch.ones(20, 4))
    plain = torch.ones(1, 4)
    for number, layer in enumerate(made.layers):
        plain = layer(plain if number == 0 else functional.relu(plain))
    torch.testing.assert_close(made(torch.ones(2, 4)), plain.expand(2, -1))
    torch.testing.assert_close(made.own_answers(made.rows), plain.expand(20, -1))


def test_neighbours_matter():
    rows = drawn(30, 4)
    moved = rows.clone()
    made = network(GRAPH, rows)
    x = drawn(1, 4, seed=1)
    first = int(nearest(rows, x, 1))
    moved[first] += 0.01
    other = network(GRAPH, moved)
    assert not torch.equal(made(x), other(x))


def test_parameters_are_those_of_the_layers():
    assert parameter_count(row_model("gcn", 4, 3)) == 4 * 64 + 64 + 64 * 3 + 3
    assert parameter_count(row_model("krd", 4, 3)) == 4 * 64 + 64 + 64 * 64 + 64 + 64 * 3 + 3


def test_the_registry_names_all_of_them():
    assert set(ROW_GRAPHS) == {GRAPH, HYPERGRAPH, *STUDENTS}


def rings(n, seed):
    """Two classes, one inside of the other, with two features of noise."""
    generator = seeded(seed)
    y = torch.arange(n) % 2
    angle = 6.28 * torch.rand(n, generator=generator)
    radius = 0.5 + y + 0.2 * torch.randn(n, generator=generator)
    plane = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return Tensors(torch.cat([plane, 0.3 * torch.randn(n, 2, generator=generator)], dim=1), y)


@pytest.mark.parametrize("key", ROW_GRAPHS)
def test_every_key_learns_and_repeats_itself(key):
    train, validation, test = rings(200, 0), rings(60, 1), rings(200, 2)
    chosen = Settings(12, 32, 0.01, schedule="one_cycle")
    model, history = fit_rows(key, train, validation, 2, chosen, seed=3)
    assert accuracy(model, test) > 0.85
    best = history.best_epoch - 1
    assert accuracy(model, validation) == history.validation_accuracies[best] == max(history.validation_accuracies)
    assert len(history.validation_losses) == len(history.validation_accuracies)
    again = fit_rows(key, train, validation, 2, chosen, seed=3)[0]
    assert torch.equal(model(test.x), again(test.x))


@pytest.mark.parametrize("key", ROW_GRAPHS)
@pytest.mark.parametrize("n", [1, 3, 8])
def test_few_rows_constant_features_and_a_class_that_is_not_there(key, n):
    """Class 2 is in the validation rows alone, the second feature tells nothing."""
    x = torch.stack([torch.arange(n) - n / 2, torch.zeros(n)], dim=1)
    validation = Tensors(drawn(5, 2), torch.tensor([0, 1, 2, 1, 0]))
    model, _ = fit_rows(key, Tensors(x, torch.arange(n) % 2), validation, 3, Settings(4, 4, 0.01), seed=0)
    answers = model.eval()(validation.x)
    assert answers.shape == (5, 3)
    assert torch.isfinite(answers).all()


def test_students_are_perceptrons_that_learn_from_soft_labels_alone(monkeypatch):
    """A teacher that answers the other class teaches the other class."""
    train, validation = rings(200, 0), rings(60, 1)
    wrong = Tensors(train.x, 1 - train.y)
    made, history = row_graph._teacher(GRAPH, wrong, Tensors(validation.x, 1 - validation.y), 2, _recipe(), 0)
    monkeypatch.setattr(row_graph, "_teacher", lambda *_: (made, history))
    for key in ("glnn", "krd"):
        student, _ = fit_rows(
            key, train, Tensors(validation.x, 1 - validation.y), 2, Settings(12, 32, 0.01), seed=0
        )
        assert accuracy(student, train) < 0.2
        assert not isinstance(student, RowNetwork)


def _recipe():
    return row_graph.Recipe(60, 0.01)


def lesson(chance):
    """A lesson of four rows, two neighbours each, with given chances of teaching."""
    made = object.__new__(row_graph._Lesson)
    made.near = torch.tensor([[1, 2], [0, 2], [3, 1], [2, 0]])
    made.soft = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.0, 1.0]])
    made.chance = torch.tensor(chance)
    return made


@pytest.mark.parametrize(
    ("chance", "targets", "pairs"),
    [([0.0] * 4, [[0.9, 0.1], [0.2, 0.8]], 2), ([0.0, 1.0, 0.0, 0.0], [[1.4, 0.6], [0.7, 1.3]], 4)],
)
def test_the_loss_of_drawn_neighbours_by_hand(chance, targets, pairs):
    logits = drawn(2, 2)
    found = lesson(chance).loss(lambda _: logits, torch.zeros(2, 4), torch.tensor([[0.0], [2.0]]))
    expected = -(torch.tensor(targets) * logits.log_softmax(dim=1)).sum() / pairs
    torch.testing.assert_close(found, expected)


def test_classes_are_validated_with_plain_cross_entropy():
    logits, y = drawn(2, 2), torch.tensor([0, 1])
    found = lesson([1.0] * 4).loss(lambda _: logits, torch.zeros(2, 4), y)
    torch.testing.assert_close(found, functional.cross_entropy(logits, y))


def test_unreliable_neighbours_stop_teaching_after_the_warm_up():
    train = rings(60, 0)
    teacher = network(GRAPH, train.x)
    made = row_graph._Lesson(teacher, train, Settings(8, 32, 0.01), 0)
    assert made.config.warm_up == 2
    made.learn(1, _Agreeing(made, 0.5))
    assert made.chance.tolist() == [1.0] * 60
    made.learn(2, _Agreeing(made, 0.5))
    assert made.alpha != 1.0
    torch.testing.assert_close(made.chance, 1 - made.rho**made.alpha)


class _Agreeing(nn.Module):
    """A student that is with its teacher where the unreliability is low."""

    def __init__(self, made, most):
        super().__init__()
        agree = made.rho < most
        self.logits = torch.eye(2)[torch.where(agree, made.answers, 1 - made.answers)]

    def forward(self, x):
        return self.logits
