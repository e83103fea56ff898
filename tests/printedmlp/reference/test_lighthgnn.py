import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402
from functools import partial  # noqa: E402
from math import e, log  # noqa: E402

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from printedmlp.reference.distillation import Recipe  # noqa: E402
from printedmlp.reference.graph_data import NodeSplit, node_split, planted_hypergraph  # noqa: E402
from printedmlp.reference.graphs import Hypergraph, compressed, gathered  # noqa: E402
from printedmlp.reference.lighthgnn import (  # noqa: E402
    HGNN,
    PUBLISHED,
    Lesson,
    LightHGNNConfig,
    Student,
    counted_parameters,
    divergence,
    flattened_divergence,
    high_order_divergence,
    perturbed,
    reliability,
    teach,
    topology_score,
)
from printedmlp.reference.outcome import Context  # noqa: E402
from printedmlp.reference.studies import lighthgnn as study  # noqa: E402
from printedmlp.reference.studies import lighthgnn_runs  # noqa: E402
from printedmlp.reference.studies.lighthgnn_runs import (  # noqa: E402
    MODELS,
    QUICK,
    Found,
    Plan,
    Task,
    Trial,
    student_of,
    tasks,
    teacher_of,
    unseen,
    without,
)
from printedmlp.reference.studies.lighthgnn_speed import (  # noqa: E402
    Times,
    folded,
    random_hypergraph,
    rows_compressed,
    times,
)
from printedmlp.reference.training import History, built, parameter_count, seeded  # noqa: E402

SMALL = LightHGNNConfig(n_features=5, n_classes=3, teacher_hidden=4, student_hidden=6)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def chances(*shape, seed=0):
    return functional.softmax(drawn(*shape, seed=seed), dim=1)


def made(kind, config=SMALL, seed=0):
    return built(lambda: kind(config), seed).eval()


def of(*edges, n):
    """The hypergraph of n nodes with these sets of nodes."""
    members = [(node, number) for number, edge in enumerate(edges) for node in edge]
    return Hypergraph(n, len(edges), np.array(members, dtype=np.int64).T)


TWO = of((0, 1, 2), (2, 3), n=4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_smoothing_keeps_the_roots_of_degrees_and_lowers_all_else(seed):
    structure = planted_hypergraph(seed, n=40, edges=30, classes=2).structure
    L = structure.hgnn_operator().dense().astype(np.float64)
    assert np.allclose(L, L.T, atol=1e-6)
    roots = np.sqrt(np.bincount(structure.members[0], minlength=40))
    assert np.allclose(L @ roots, roots, atol=1e-5)
    assert np.linalg.eigvalsh(L)[-1] == pytest.approx(1, abs=1e-5)
    assert np.allclose(structure.mean_operator().dense().sum(axis=1), 1, atol=1e-5)
    assert np.allclose(structure.edge_means().dense().sum(axis=1), 1, atol=1e-5)


def test_smoothing_of_a_ring_by_hand():
    ring = of((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), n=5)
    A = np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1)
    assert np.allclose(ring.hgnn_operator().dense(), (A + 2 * np.eye(5)) / 4)


def test_alone_in_its_hyperedge_a_node_meets_a_plain_network():
    alone = of(*((node,) for node in range(6)), n=6)
    model, x = made(HGNN), drawn(6, 5)
    assert np.allclose(alone.hgnn_operator().dense(), np.eye(6))
    plain = nn.Sequential(model.first, nn.ReLU(), model.second)
    torch.testing.assert_close(model(x, alone.hgnn_operator()), plain(x))
    targets, logits = chances(6, 3), drawn(6, 3, seed=1)
    low = divergence(targets, functional.log_softmax(logits, dim=1))
    high = high_order_divergence(targets, logits, alone.edge_means(), torch.ones(6, dtype=torch.bool))
    torch.testing.assert_close(high, low)


def test_in_one_hyperedge_all_answers_are_alike():
    whole = of(range(6), n=6)
    model, x = made(HGNN), drawn(6, 5)
    answers = model(x, whole.hgnn_operator())
    torch.testing.assert_close(answers, answers[:1].expand(6, -1))
    assert topology_score(model.embed(x, whole.hgnn_operator()), whole) == pytest.approx(0, abs=1e-6)


def test_the_bias_is_smoothed_too():
    """Node 3 of TWO has one hyperedge of two: row 3 of L is (0, 0, 1/2 / sqrt 2, 1/2)."""
    model, x = made(HGNN), torch.zeros(4, 5)
    before = nn.functional.relu(torch.from_numpy(TWO.hgnn_operator().dense()).sum(1)[:, None] * model.first.bias)
    torch.testing.assert_close(model.embed(x, TWO.hgnn_operator()), before)
    assert float(torch.from_numpy(TWO.hgnn_operator().dense()).sum(1)[3]) == pytest.approx(0.5 + 0.5 / 2**0.5)


def test_published_sizes():
    assert counted_parameters(PUBLISHED) == (46_119, 184_711)
    for config in (PUBLISHED, SMALL, replace(SMALL, batch_norm=False)):
        assert counted_parameters(config) == (
            parameter_count(HGNN(config)),
            parameter_count(Student(config)),
        )


def test_sparse_features_give_the_same_answers():
    x = drawn(4, 5).relu()
    operator = TWO.hgnn_operator()
    torch.testing.assert_close(made(HGNN)(x.to_sparse(), operator), made(HGNN)(x, operator))
    torch.testing.assert_close(made(Student)(x.to_sparse()), made(Student)(x))


def test_divergence_by_hand():
    targets = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    answers = torch.tensor([[0.5, 0.5], [0.25, 0.75]])
    expected = (log(2) + 0.5 * log(2) + 0.5 * log(2 / 3)) / 2
    assert float(divergence(targets, answers.log())) == pytest.approx(expected)
    assert float(divergence(targets[1:], targets[1:].log())) == 0


@pytest.mark.parametrize(("measure", "most"), [(flattened_divergence, e / (e + 6)), (divergence, 1.0)])
def test_what_each_divergence_leads_to(measure, most):
    """One certain class of seven: the release's form stops at 0.3118."""
    targets = torch.eye(7)[:1]
    logits = torch.zeros(1, 7, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = measure(targets, functional.log_softmax(logits, dim=1))
        loss.backward()
        return loss

    optimiser.step(closure)
    assert float(functional.softmax(logits.detach(), dim=1)[0, 0]) == pytest.approx(most, abs=1e-4)


def test_high_order_divergence_by_hand():
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    logits = torch.zeros(4, 2)
    means = TWO.edge_means()
    torch.testing.assert_close(means(targets), torch.tensor([[2 / 3, 1 / 3], [0.0, 1.0]]))
    first, second = log(2) - (log(3) - 2 / 3 * log(2)), log(2)
    for kept, expected in (
        ([1, 1], (first + second) / 2),
        ([1, 0], first),
        ([0, 1], second),
        ([0, 0], 0.0),
    ):
        found = high_order_divergence(targets, logits, means, torch.tensor(kept).bool())
        assert float(found) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_hyperedges_soft_targets_are_probabilities(seed):
    structure = planted_hypergraph(seed, n=30, edges=20, classes=2).structure
    means = structure.edge_means()(chances(30, 4, seed=seed))
    torch.testing.assert_close(means.sum(1), torch.ones(structure.n_edges))
    assert (means >= 0).all()


def test_reliability_by_hand():
    """Entropies change at node 0 alone, by ln 2: over the three nodes of the first hyperedge."""
    sure = torch.tensor([[50.0, 0.0]]).repeat(4, 1)
    noisy = sure.clone()
    noisy[0] = 0
    torch.testing.assert_close(reliability(sure, noisy, TWO.edge_means()), torch.tensor([0.0, 1.0]))
    noisy[3, 0] = 0
    torch.testing.assert_close(reliability(sure, noisy, TWO.edge_means()), torch.tensor([1 / 3, 0.0]))
    assert reliability(sure, sure, TWO.edge_means()).tolist() == [1, 1]


def test_multiplied_noise_leaves_zeros():
    x = drawn(200, 5, seed=1).relu()
    noisy = perturbed(x, seeded(0))
    assert ((noisy == 0) == (x == 0)).all()
    ratio = (noisy[x > 0] / x[x > 0]) - 1
    assert float(ratio.mean()) == pytest.approx(0, abs=0.15)
    assert float(ratio.std()) == pytest.approx(1, abs=0.1)
    torch.testing.assert_close(perturbed(x, seeded(0), scale=3.0), 3 * noisy)
    sparse = perturbed(x.to_sparse(), seeded(0))
    assert ((sparse.to_dense() == 0) == (x == 0)).all()
    assert not torch.allclose(sparse.to_dense(), x)


def test_topology_score_by_hand():
    """Means (0, 4) and (4, 0); distances 2, 2 and 0, 0, averaged by hyperedge; rows have mean length 5."""
    structure = of((0, 1), (2, 3), n=4)
    x = torch.tensor([[0.0, 6.0], [0.0, 2.0], [6.0, 0.0], [6.0, 0.0]])
    assert topology_score(x, structure) == pytest.approx((2 + 0) / 2 / 5)
    assert topology_score(7 * x, structure) == pytest.approx(topology_score(x, structure))
    assert topology_score(torch.zeros(4, 2), structure) == 0


def test_lessons_mix_their_parts():
    lesson = Lesson(chances(4, 3), TWO.edge_means(), torch.ones(2))
    logits = drawn(4, 3, seed=1)
    low = divergence(lesson.targets, functional.log_softmax(logits, dim=1))
    high = high_order_divergence(lesson.targets, logits, lesson.edge_means, torch.ones(2).bool())
    torch.testing.assert_close(lesson.loss(logits, high_order=False), low)
    torch.testing.assert_close(lesson.loss(logits, high_order=True), low + high)
    torch.testing.assert_close(lesson.loss(logits, high_order=True, hard=2.0, lam=0.25), 0.5 + 0.75 * (low + high))
    flat = lesson.loss(logits, high_order=False, measure=flattened_divergence)
    torch.testing.assert_close(flat, flattened_divergence(lesson.targets, functional.log_softmax(logits, dim=1)))
    never = replace(lesson, keep=torch.zeros(2))
    torch.testing.assert_close(never.loss(logits, high_order=True), low)


def test_what_a_teacher_hands_over():
    model, x, smooth = made(HGNN), drawn(4, 5), TWO.hgnn_operator()
    lesson = teach(model, x, TWO, smooth, seeded(0))
    torch.testing.assert_close(lesson.targets, functional.softmax(model(x, smooth), dim=1))
    assert lesson.keep.shape == (2,)
    assert (float(lesson.keep.min()), float(lesson.keep.max()) <= 1) == (0, True)
    assert not lesson.targets.requires_grad


def test_folded_student_is_the_student():
    for config in (SMALL, replace(SMALL, batch_norm=False)):
        student = built(partial(Student, config), 0)
        for _ in range(5):
            student(drawn(20, 5) + 1)
        student.eval()
        torch.testing.assert_close(folded(student)(drawn(7, 5)), student(drawn(7, 5)))


def test_one_answer_gathered_is_that_of_the_full_pass():
    data = random_hypergraph(300, 0)
    config = LightHGNNConfig(data.x.shape[1], data.n_classes)
    model, operator = made(HGNN, config), data.structure.hgnn_operator()
    full = model(data.x, operator)
    torch.testing.assert_close(model(rows_compressed(data.x.to_sparse()), compressed(operator)), full)
    for node in (0, 17, 299):
        layers, rows = gathered(operator, np.array([node]), 2)
        torch.testing.assert_close(model(data.x[rows], *layers), full[node : node + 1])


def test_random_hypergraphs_are_as_stated():
    structure = random_hypergraph(500, 0).structure
    sizes = np.bincount(structure.members[1])
    assert (structure.n_nodes, sizes[:500].max() <= 10) == (500, True)
    assert sizes[:500].mean() == pytest.approx(6, abs=0.4)
    assert np.bincount(structure.members[0], minlength=500).min() >= 1


def test_times_are_of_the_same_answers():
    found = times(random_hypergraph(200, 0), seed=0, queries=3, repeats=2)
    assert found.difference < 1e-5
    assert 1 < found.fetched <= 200
    assert min(found.full, found.gather, found.gathered, found.student, found.student_full) > 0


def test_without_nodes_by_hand():
    """Without node 1 the first hyperedge holds nodes 0 and 2; without 2 and 3 the second is gone."""
    y = torch.tensor([0, 1, 0, 1])
    data = replace(planted_hypergraph(0, n=40, edges=30, classes=2), x=drawn(4, 5), y=y, structure=TWO)
    parts = NodeSplit(torch.tensor([0]), torch.tensor([3]), torch.tensor([1, 2]))
    task = Task(data, parts, SMALL, Recipe(1))
    smaller = without(task, torch.tensor([1]))
    assert smaller.data.structure.incidence().toarray().tolist() == [[1, 0], [1, 1], [0, 1]]
    assert [part.tolist() for part in smaller.split] == [[0], [2], [1]]
    assert smaller.data.y.tolist() == [0, 0, 1]
    torch.testing.assert_close(smaller.data.x, data.x[[0, 2, 3]])
    smaller = without(task, torch.tensor([2, 3]))
    assert smaller.data.structure.incidence().toarray().tolist() == [[1], [1]]
    assert smaller.split.validation.tolist() == []


def small_task(seed=0, epochs=30):
    data = planted_hypergraph(seed, n=300, edges=150, classes=3)
    config = LightHGNNConfig(data.x.shape[1], 3, batch_norm=False)
    return Task(data, node_split(data.y, seed), config, Recipe(epochs))


def test_a_student_learns_from_a_lesson_and_no_test_class_is_read():
    task = small_task()
    smooth = task.data.structure.hgnn_operator()
    hidden = task.data.y.clone()
    hidden[task.split.test] = 0
    blind = replace(task, data=replace(task.data, y=hidden))
    lessons = []
    for each in (task, blind):
        teacher, history = teacher_of(each, smooth, 0)
        assert history.losses[-1] < history.losses[0]
        lessons.append(teach(teacher, each.data.x, each.data.structure, smooth, seeded(0)))
    assert torch.equal(lessons[0].targets, lessons[1].targets)
    first, history = student_of(task, 0, lessons[0], high_order=True)
    again, _ = student_of(blind, 0, lessons[1], high_order=True)
    assert history.losses[-1] < 0.7 * history.losses[0]
    assert torch.equal(first(task.data.x), again(task.data.x))


def test_nodes_not_met_are_asked_for_alone(monkeypatch):
    """Shares right come from nodes that the smaller task does not have, and from all of those."""
    task, met, asked = small_task(epochs=2), [], []

    def noted(task, hidden):
        met.append(hidden)
        return without(task, hidden)

    def share(logits, y, rows):
        assert (len(logits), len(y)) == (300, 300)
        asked.append(rows)
        return 0.5

    monkeypatch.setattr(lighthgnn_runs, "without", noted)
    monkeypatch.setattr(lighthgnn_runs, "share_right", share)
    assert unseen(task, 0) == {"HGNN": 0.5, "MLP": 0.5, "LightHGNN": 0.5}
    (hidden,) = met
    assert all(torch.equal(rows, hidden) for rows in asked)
    assert len(hidden) == round(0.9 * len(task.split.test))
    assert torch.isin(hidden, task.split.test).all()
    assert without(task, hidden).data.structure.n_nodes == 300 - len(hidden)


def test_tasks_without_a_data_folder(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    (task,) = tasks(Plan(), 0)
    assert task.data.name == "planted hypergraph"
    assert [len(part) for part in task.split] == [120, 180, 1200]


def test_the_study_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "QUICK", replace(QUICK, epochs=3, nodes=420, sizes=(200, 400), queries=2, repeats=2))
    outcome = study.run(Context((0,), True, "cpu", tmp_path))
    assert (tmp_path / "lighthgnn.png").is_file()
    assert len(outcome.checks) == 5
    assert {measure.data for measure in outcome.measures} == {
        "planted hypergraph",
        "planted hypergraph, 420 nodes",
        "random hypergraph, 200 nodes",
        "random hypergraph, 400 nodes",
    }


ACCURACIES = {"HGNN": 0.85, "MLP": 0.45, "LightHGNN": 0.84, "LightHGNN+": 0.84}
SCORES = {"HGNN": 0.2, "MLP": 0.9, "LightHGNN": 0.5, "LightHGNN+": 0.6}


def clock(nodes, full, gather):
    return Times(nodes, full, gather, 1.0, 1.0, 2.0, 30.0, 1e-7)


def claims(accuracies=None, scores=None, here=(20.0, 8.0), grown=(20.0, 80.0, 300.0)):
    """Numbers of the claims that are not shown; all are unless figures are changed."""
    right, smooth = ACCURACIES | (accuracies or {}), SCORES | (scores or {})
    one = Trial({m: Found(right[m], smooth[m], 1, History()) for m in MODELS}, torch.ones(2), {})
    clocks = {"here": [clock(100, *here)] * 3}
    clocks |= {f"{place}": [clock(place, ratio, 9.0)] * 3 for place, ratio in enumerate(grown)}
    checks = study.checks({"planted hypergraph": [one] * 3}, clocks)
    return [number for number, check in enumerate(checks) if not check.shown]


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"accuracies": {"LightHGNN": 0.825, "LightHGNN+": 0.825}}, [0]),
        ({"accuracies": {"MLP": 0.73}}, [0]),
        ({"accuracies": {"LightHGNN+": 0.82}}, [1]),
        ({"accuracies": {"LightHGNN+": 0.86}}, [1]),
        ({"scores": {"LightHGNN": 0.95}}, [2]),
        ({"scores": {"LightHGNN+": 0.95}}, [2]),
        ({"here": (9.0, 8.0)}, [3]),
        ({"here": (20.0, 4.0)}, [3]),
        ({"grown": (20.0, 300.0, 80.0)}, [4]),
        ({"grown": (20.0, 20.0, 80.0)}, [4]),
    ],
)
def test_every_claim_can_fail(changed, missing):
    assert claims(**changed) == missing
