import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from printedmlp.reference.distillation import Recipe, soft_label_kl  # noqa: E402
from printedmlp.reference.glnn import GCN, Config, Student, glnn_loss, train_teacher  # noqa: E402
from printedmlp.reference.graph_data import block_model, node_split  # noqa: E402
from printedmlp.reference.graphs import Graph, gathered, sparse_tensor  # noqa: E402
from printedmlp.reference.training import built, parameter_count, seeded  # noqa: E402

SMALL = Config(5, 3, (4, 6), 0.5)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def test_the_published_student_of_cora_has_so_many_parameters():
    config = Config(1433, 7, (128,))
    assert parameter_count(Student(config)) == parameter_count(GCN(config)) == 184_455


def test_one_layer_by_hand():
    """Nodes 0 - 1, features 2 and 6, weight 3, bias 1: both nodes answer 3 * 4 + 1."""
    model = GCN(Config(1, 1, ()))
    with torch.no_grad():
        model.linears[0].weight.fill_(3)
        model.linears[0].bias.fill_(1)
    operator = Graph(2, np.array([[0], [1]])).gcn_operator()
    torch.testing.assert_close(model(torch.tensor([[2.0], [6.0]]), [operator]), torch.full((2, 1), 13.0))


def test_without_edges_the_teacher_is_the_student():
    teacher, student, x = built(lambda: GCN(SMALL), 0).eval(), built(lambda: Student(SMALL), 0).eval(), drawn(7, 5)
    student.load_state_dict(teacher.state_dict())
    operator = Graph(7, np.zeros((2, 0), dtype=np.int64)).gcn_operator()
    torch.testing.assert_close(teacher(x, [operator] * 3), student(x))


def test_with_edges_it_is_not():
    teacher, student, x = built(lambda: GCN(SMALL), 0).eval(), built(lambda: Student(SMALL), 0).eval(), drawn(7, 5)
    student.load_state_dict(teacher.state_dict())
    operator = Graph(7, np.array([[0], [1]])).gcn_operator()
    changed = (teacher(x, [operator] * 3) - student(x)).abs().sum(dim=1) > 1e-6
    assert changed.tolist() == [True, True] + [False] * 5


def test_constant_features_make_rows_alike_on_a_ring_and_not_on_a_path():
    model, x = GCN(SMALL).eval(), torch.ones(4, 5)
    ring = Graph(4, np.array([[0, 1, 2, 3], [1, 2, 3, 0]])).gcn_operator()
    path = Graph(4, np.array([[0, 1, 2], [1, 2, 3]])).gcn_operator()
    torch.testing.assert_close(model(x, [ring] * 3), model(x, [ring] * 3)[:1].expand(4, -1))
    assert float((model(x, [path] * 3).std(dim=0)).detach().max()) > 1e-4


def test_sparse_and_dense_features_give_the_same():
    x = drawn(7, 5).relu()
    operators = [Graph(7, np.array([[0, 3], [1, 4]])).gcn_operator()] * 3
    for model, rest in ((GCN(SMALL).eval(), (operators,)), (Student(SMALL).eval(), ())):
        torch.testing.assert_close(model(sparse_tensor(x.numpy()), *rest), model(x, *rest))


def test_a_gathered_query_is_exact():
    data = block_model(0, size=30)
    model, operator = built(lambda: GCN(Config(1000, 7, (16,))), 0).eval(), data.structure.gcn_operator()
    full = model(data.x, [operator] * 2)
    for node in (0, 77, 209):
        layers, needed = gathered(operator, np.array([node]), 2)
        torch.testing.assert_close(model(data.x.to_dense()[needed], layers)[0], full[node], atol=1e-5, rtol=0)


def test_the_loss_mixes_classes_and_soft_labels():
    student, teacher, y = drawn(6, 3), drawn(6, 3, seed=1), torch.tensor([0, 1, 2, 0, 1, 2])
    labelled = torch.tensor([1, 4])
    hard = torch.nn.functional.cross_entropy(student[labelled], y[labelled])
    soft = soft_label_kl(student, teacher).mean()
    torch.testing.assert_close(glnn_loss(student, teacher, y, labelled, 1.0), hard)
    torch.testing.assert_close(glnn_loss(student, teacher, y, labelled), soft)
    torch.testing.assert_close(glnn_loss(student, teacher, y, labelled, 0.25), 0.25 * hard + 0.75 * soft)


def test_a_teacher_learns_from_edges_what_features_do_not_say():
    data = block_model(0, size=60)
    split = node_split(data.y, 0, train=15, validation=15)
    _, logits, history = train_teacher(data, split, (32,), 0.5, Recipe(40, weight_decay=5e-4), seed=0)
    right = (logits.argmax(dim=1) == data.y)[split.test].double().mean()
    assert float(right) > 0.6
    assert history.losses[-1] < history.losses[0]
    again = train_teacher(data, split, (32,), 0.5, Recipe(40, weight_decay=5e-4), seed=0)[1]
    assert torch.equal(logits, again)
