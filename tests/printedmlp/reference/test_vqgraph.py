import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from hypothesis import assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch.nn import functional  # noqa: E402

from printedmlp.errors import ConfigError  # noqa: E402
from printedmlp.reference.distillation import Recipe, share_right  # noqa: E402
from printedmlp.reference.graph_data import block_model, node_split  # noqa: E402
from printedmlp.reference.graphs import Graph, gathered  # noqa: E402
from printedmlp.reference.outcome import Context  # noqa: E402
from printedmlp.reference.studies import vqgraph as study  # noqa: E402
from printedmlp.reference.studies import vqgraph_runs as runs  # noqa: E402
from printedmlp.reference.training import built, parameter_count, seeded  # noqa: E402
from printedmlp.reference.vqgraph import (  # noqa: E402
    EDGE_SCALES,
    RELEASED,
    Distillation,
    Student,
    VQGraph,
    VQGraphConfig,
    code_loss,
    commitment,
    edge_error,
    looped_pairs,
    similarities,
    train_student,
    train_teacher,
)
from printedmlp.reference.vqgraph_codes import (  # noqa: E402
    METRICS,
    Quantiser,
    code_classes,
    majority_accuracy,
    nearest,
    perplexity,
    same_code_rate,
    shares,
)

WIDE = torch.float64
RING = Graph(6, torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]]).numpy())
SMALL = VQGraphConfig(n_features=5, n_classes=3, width=4, hidden=8, n_codes=3, dropout=0.0)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=WIDE)


def quantiser(codes, metric="euclidean", decay=0.8):
    made = Quantiser(codes.shape[0], codes.shape[1], metric, decay).to(codes.dtype)
    made.codes = codes.clone()
    return made


def teacher(seed=0, **changes):
    made = built(lambda: VQGraph(replace(SMALL, **changes)), seed).eval()
    assert isinstance(made, VQGraph)
    return made


def dense_edge_error(u, A, scale):
    """What `edge_error` is defined by: the whole matrix."""
    gram = u @ u.T
    if scale == "sigmoid":
        return (A - gram.sigmoid()).square().mean()
    return (A - (gram - gram.min()) / (gram.max() - gram.min())).square().mean()


def test_released_sizes():
    with torch.device("meta"):
        model = VQGraph(RELEASED)
        student = Student(1433, 128, 7, RELEASED.width)
    assert parameter_count(model) == 6_256_997
    assert model.quantiser.codes.numel() == 7_165_000
    assert parameter_count(student.first) + parameter_count(student.last) == 184_455
    assert parameter_count(student.codes) == 184_857


def test_nearest_code_by_hand():
    codes = torch.tensor([[1.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    h = torch.tensor([[5.0, 1.0], [0.9, 0.8], [-0.1, 0.01], [0.1, 2.0]])
    assert nearest(h, codes, "euclidean").tolist() == [0, 0, 2, 1]
    assert nearest(h, codes, "cosine").tolist() == [0, 0, 2, 1]
    assert nearest(torch.tensor([[0.8, 0.9]]), codes, "euclidean").tolist() == [0]
    assert nearest(torch.tensor([[0.8, 0.9]]), codes, "cosine").tolist() == [1]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 30), m=st.integers(1, 12), seed=st.integers(0, 10_000))
def test_nearest_code_is_that_of_brute_force(n, m, seed):
    h, codes = drawn(n, 4, seed=seed), drawn(m, 4, seed=seed + 1)
    by_distance = [min(range(m), key=lambda j: float((row - codes[j]).norm())) for row in h]
    by_cosine = [max(range(m), key=lambda j: float(row @ codes[j] / codes[j].norm())) for row in h]
    assert nearest(h, codes, "euclidean").tolist() == by_distance
    assert nearest(h, codes, "cosine").tolist() == by_cosine
    h, codes = functional.normalize(h), functional.normalize(codes)
    assert torch.equal(nearest(h, codes, "euclidean"), nearest(h, codes, "cosine"))


def test_codes_move_by_hand():
    made = quantiser(torch.tensor([[0.0, 0.0], [10.0, 0.0], [50.0, 50.0]]))
    h = torch.tensor([[1.0, 1.0], [3.0, 1.0], [9.0, 0.0]])
    z, k = made.train()(h)
    assert k.tolist() == [0, 0, 1]
    assert z.tolist() == [[0.0, 0.0], [0.0, 0.0], [10.0, 0.0]]
    torch.testing.assert_close(made.codes, torch.tensor([[0.4, 0.2], [9.8, 0.0], [50.0, 50.0]]))


@pytest.mark.parametrize("metric", METRICS)
def test_decay_1_keeps_codes_and_decay_0_takes_the_means(metric):
    h, start = drawn(40, 3), functional.normalize(drawn(5, 3, seed=1))
    k = nearest(h, start, metric)
    still = quantiser(start, metric)
    still.move(h, k, 1.0)
    torch.testing.assert_close(still.codes, start)
    still.move(h, k, 0.0)
    members = functional.normalize(h) if metric == "cosine" else h
    means = torch.stack([members[k == m].mean(dim=0) for m in range(5)])
    torch.testing.assert_close(still.codes, functional.normalize(means) if metric == "cosine" else means)


def test_codes_rest_in_evaluation_and_are_no_parameters():
    made = quantiser(drawn(4, 3))
    before = made.codes.clone()
    made.eval()(drawn(20, 3, seed=1))
    assert torch.equal(made.codes, before)
    made.train()(drawn(20, 3, seed=1))
    assert not torch.equal(made.codes, before)
    assert list(made.parameters()) == []
    assert "codes" in made.state_dict()


def test_gradient_passes_the_quantiser_and_leaves_codes_alone():
    h, codes = drawn(7, 3).requires_grad_(), drawn(4, 3, seed=1)
    z, k = quantiser(codes).eval()(h)
    assert torch.equal(z, codes[k])
    assert torch.equal(torch.autograd.grad(z.sum(), h)[0], torch.ones_like(h))
    codes.requires_grad_()
    slopes = torch.autograd.grad(commitment(h, codes[k]), (h, codes), allow_unused=True)
    torch.testing.assert_close(slopes[0], 2 * (h - codes[k]).detach() / h.numel())
    assert slopes[1] is None


@pytest.mark.parametrize("metric", METRICS)
def test_k_means_finds_separate_heaps(metric):
    heap = torch.arange(40) % 4
    heap[torch.randperm(40, generator=seeded(3))[:4]] = torch.arange(4)
    centres = 10 * torch.eye(4, 5, dtype=WIDE)
    h, made = centres[heap] + 0.5 * drawn(40, 5), quantiser(torch.zeros(4, 5, dtype=WIDE), metric)
    made.start(h, seeded(3))
    assert nearest(h, made.codes, metric).tolist() == heap.tolist()
    members = functional.normalize(h) if metric == "cosine" else h
    means = torch.stack([members[heap == number].mean(dim=0) for number in range(4)])
    torch.testing.assert_close(made.codes, functional.normalize(means) if metric == "cosine" else means)
    with pytest.raises(ConfigError, match="4 codes need as many nodes; there are 3"):
        made.start(h[:3], seeded(0))


@pytest.mark.parametrize("metric", METRICS)
def test_codes_of_every_node_are_no_quantiser(metric):
    X, P = drawn(6, 5).float(), RING.gcn_operator()
    free, bound = teacher(n_codes=0), teacher(n_codes=6, metric=metric)
    for model in (free, bound):
        model.encoder.bias.data += 1
    h = free.encode(X, P)
    if metric == "cosine":
        free.encode = bound.encode = lambda X, P: functional.normalize(h)
        h = functional.normalize(h)
    bound.quantiser.codes = h.detach()
    for name in ("h", "z", "u", "v", "logits"):
        torch.testing.assert_close(getattr(bound(X, P), name), getattr(free(X, P), name), atol=1e-6, rtol=0)
    assert bound(X, P).k.tolist() == free(X, P).k.tolist() == list(range(6))
    bound.quantiser.codes = -h.detach()
    assert not torch.allclose(bound(X, P).logits, free(X, P).logits)


def test_a_single_code_makes_all_nodes_alike():
    tokens = teacher(n_codes=1)(drawn(6, 5).float(), RING.gcn_operator())
    assert tokens.k.tolist() == [0] * 6
    assert perplexity(shares(tokens.k, 1)) == 1
    torch.testing.assert_close(tokens.logits, tokens.logits[:1].expand(6, -1))
    for scale in EDGE_SCALES:
        assert torch.isfinite(edge_error(tokens.u, tokens.k, looped_pairs(RING), scale))


def test_edge_error_by_hand():
    """Two linked nodes, u = 0 and 2, one apart from them, u = 0: Gram matrix 4 in one place, so min-max 1 there."""
    u, k = torch.tensor([[0.0], [2.0], [0.0]]), torch.tensor([5, 1, 5])
    pairs = torch.tensor([[0, 1, 0, 1, 2], [1, 0, 0, 1, 2]])
    assert float(edge_error(u, k, pairs, "min-max")) == pytest.approx(4 / 9)
    high = 1 / (1 + torch.exp(torch.tensor(-4.0)))
    assert float(edge_error(u, k, pairs, "sigmoid")) == pytest.approx(float(8 * 0.25 + (1 - high) ** 2) / 9)
    without = edge_error(u, torch.zeros_like(k), pairs, "sigmoid")
    assert float(without) != pytest.approx(float(edge_error(u, k, pairs, "sigmoid")), rel=0.01)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 6), scale=st.sampled_from(EDGE_SCALES))
def test_edge_error_over_codes_is_the_dense_one(seed, m, scale):
    """In eighths, so that equal entries of the matrix are equal to the last bit and share an extreme's gradient."""
    generator = seeded(seed)
    k = torch.cat([torch.tensor([0, m]), torch.randint(m, (4,), generator=generator)])
    codes = torch.randint(-9, 10, (m + 1, 3), generator=generator).to(WIDE) / 8
    used = codes[k.unique()]
    gram = (used @ used.T)[tuple(torch.triu_indices(len(used), len(used)))]
    assume(int((gram == gram.min()).sum()) == int((gram == gram.max()).sum()) == 1)
    pairs = looped_pairs(RING)
    A = torch.zeros(6, 6, dtype=WIDE).index_put_((pairs[0], pairs[1]), torch.tensor(1.0, dtype=WIDE))
    results = []
    for error in (lambda u: edge_error(u, k, pairs, scale), lambda u: dense_edge_error(u, A, scale)):
        u = codes[k].requires_grad_()
        value = error(u)
        results.append((value.detach(), torch.autograd.grad(value, u)[0]))
    torch.testing.assert_close(results[0], results[1])


def test_reconstruction_by_hand():
    model, P = teacher(node_weight=2.0, edge_weight=3.0, commitment=5.0), RING.gcn_operator()
    tokens = model(drawn(6, 5).float(), P)
    A = (torch.from_numpy(P.dense()) > 0).float()
    expected = 2 * (tokens.h - tokens.v).square().mean() + 5 * (tokens.h - tokens.z).square().mean()
    expected = expected + 3 * dense_edge_error(tokens.u, A, "min-max").sqrt()
    torch.testing.assert_close(model.reconstruction(tokens, looped_pairs(RING)), expected)


def test_teacher_by_hand_without_quantiser():
    model, X, P = teacher(n_codes=0), drawn(6, 5).float(), RING.gcn_operator()
    dense = torch.from_numpy(P.dense())
    h = functional.relu(dense @ X @ model.encoder.weight.T + model.encoder.bias)
    tokens = model(X.to_sparse(), P)
    torch.testing.assert_close(tokens.h, h)
    hidden = functional.relu(dense @ model.edges(h) @ model.decoder.weight.T + model.decoder.bias)
    torch.testing.assert_close(tokens.logits, model.head(hidden))
    torch.testing.assert_close(tokens.v, model.nodes(h))


def test_a_queried_node_needs_its_neighbourhood_only():
    model, X, P = teacher(), drawn(6, 5).float(), RING.gcn_operator()
    (first, last), rows = gathered(P, torch.tensor([2]).numpy(), 2)
    assert rows.tolist() == [0, 1, 2, 3, 4]
    torch.testing.assert_close(model.answer(X[rows], first, last), model(X, P).logits[2:3])


def test_nodes_of_equal_features_differ_for_the_teacher_alone():
    X = torch.zeros(6, 5)
    X[torch.arange(6), torch.tensor([0, 1, 2, 0, 3, 4])] = 1
    model, student = teacher(n_codes=0), built(lambda: Student(5, 8, 3, 4), 0).eval()
    h = model.encode(X, RING.gcn_operator())
    assert not torch.allclose(h[0], h[3])
    assert isinstance(student, Student)
    answers = student.classes_and_codes(X)
    assert all(torch.equal(each[0], each[3]) for each in answers)
    torch.testing.assert_close(student(X.to_sparse()), answers[0])


def test_code_loss_by_hand():
    """Codes along both axes: cosines (1, 0) and (0, 1); with tau 1 softmax gives e/(1+e) and 1/(1+e), crosswise."""
    codes, one, other = torch.eye(2), torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 7.0]])
    e = torch.e
    expected = (e - 1) / (e + 1)
    assert float(code_loss(one, other, codes, 1.0, ("cosine", "cosine"))) == pytest.approx(expected)
    assert float(code_loss(one, one / 2, codes, 1.0)) == pytest.approx(0, abs=1e-7)
    assert similarities(one, codes, "distance").tolist()[0] == pytest.approx([-1e-4, -(2**0.5)])
    assert similarities(one, codes, "raw distance").tolist()[0] == pytest.approx([-1, -(5**0.5)])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["distance", "cosine", "raw distance"]))
def test_code_loss_vanishes_for_equal_vectors_and_for_high_temperature(seed, kind):
    h, t, codes = drawn(9, 4, seed=seed), drawn(9, 4, seed=seed + 1), drawn(6, 4, seed=seed + 2)
    kinds = (kind, kind)
    assert float(code_loss(h, h, codes, 0.5, kinds)) == pytest.approx(0, abs=1e-12)
    assert float(code_loss(h, t, codes, 0.5, kinds)) > 0
    hot = functional.softmax(similarities(h, codes, kind) / 1e7, dim=1)
    torch.testing.assert_close(hot, torch.full_like(hot, 1 / 6))
    assert float(code_loss(h, t, codes, 1e7, kinds)) / 1e14 == pytest.approx(0, abs=1e-12)


def test_perplexity_by_hand():
    assert perplexity(shares(torch.arange(8), 8)) == pytest.approx(8)
    assert perplexity(shares(torch.tensor([0, 0, 3, 3]), 256)) == pytest.approx(2)
    assert perplexity(torch.tensor([0.5, 0.25, 0.25])) == pytest.approx(2**1.5)


def test_what_codes_tell_by_hand():
    k, y = torch.tensor([0, 0, 0, 2, 2, 2]), torch.tensor([1, 1, 0, 2, 2, -1])
    table = code_classes(k, y, 4)
    assert table.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 2], [0, 0, 0]]
    assert majority_accuracy(table) == 0.8
    assert same_code_rate(k, torch.tensor([[0, 2, 3], [1, 3, 5]])) == pytest.approx(2 / 3)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="'manhattan' is not one of cosine, euclidean"):
        replace(SMALL, metric="manhattan")
    with pytest.raises(ConfigError, match="'tanh' is not one of min-max, sigmoid"):
        replace(SMALL, edge_scale="tanh")


def test_closed_form_counts_every_parameter():
    for config in (SMALL, replace(SMALL, n_codes=0, hidden=3)):
        assert study.closed_form(config) == parameter_count(VQGraph(config))


def test_teacher_and_student_learn_and_repeat():
    data = block_model(0, classes=3, size=30)
    split = node_split(data.y, 0, train=10, validation=5)
    config = VQGraphConfig(data.x.shape[1], 3, width=16, hidden=8, n_codes=10)

    def taught():
        model, tokens, history = train_teacher(data, split, config, Recipe(30), seed=0)
        codes = model.quantiser.codes
        return (
            tokens,
            codes,
            history,
            *train_student(data, split, tokens, codes, Distillation(), Recipe(30), seed=0),
        )

    tokens, codes, history, student, lessons = taught()
    assert history.losses[-1] < 0.9 * history.losses[0]
    assert lessons.losses[-1] < 0.9 * lessons.losses[0]
    assert share_right(tokens.logits, data.y, split.train) > 0.6
    torch.testing.assert_close(codes.norm(dim=1), torch.ones(10))
    again = taught()
    assert torch.equal(again[0].logits, tokens.logits)
    assert torch.equal(again[1], codes)
    assert torch.equal(again[3](data.x), student(data.x))


def test_no_test_class_is_read():
    data = block_model(0, classes=3, size=30)
    split = node_split(data.y, 0, train=10, validation=5)
    hidden = data.y.clone()
    hidden[split.test] = 0
    config = VQGraphConfig(data.x.shape[1], 3, width=16, hidden=8, n_codes=10)
    answers = []
    for each in (data, replace(data, y=hidden)):
        model, tokens, _ = train_teacher(each, split, config, Recipe(6), seed=0)
        codes = model.quantiser.codes
        student, _ = train_student(each, split, tokens, codes, Distillation(), Recipe(6), seed=0)
        answers.append((tokens.logits, codes, student(data.x)))
    assert all(torch.equal(one, blind) for one, blind in zip(*answers, strict=True))


def network(accuracy, agreement=0.0):
    return [runs.Network(accuracy, 1, 1.0, agreement)] * 3


def results(**changed):
    """Figures that show every claim, but for those given by name."""
    given = {
        "teacher": 0.78,
        "gcn": 0.79,
        "mlp": 0.6,
        "soft": 0.78,
        "codes": 0.80,
        "with_loss": 0.4,
        "without": 0.0,
        "same_code": 0.5,
        "majority": 8,
        "perplexity": 40.0,
        "all_nodes": 20.0,
        **changed,
    }
    book = runs.Codebook(
        torch.tensor([[given["majority"], 10 - given["majority"]]]), given["perplexity"], given["same_code"], 0.05
    )
    return runs.Results(
        "graph",
        {runs.MAIN: network(given["teacher"])},
        {runs.MAIN: [book] * 3},
        {
            runs.MLP: network(given["mlp"]),
            runs.GCN: network(given["gcn"]),
            runs.SOFT: network(given["soft"], given["without"]),
            runs.CODES: network(given["codes"], given["with_loss"]),
        },
        {},
        [runs.Speed(given["all_nodes"], 5.0)] * 3,
    )


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"teacher": 0.82}, [1, 2]),
        ({"mlp": 0.70}, [1]),
        ({"gcn": 0.81}, [2]),
        ({"same_code": 0.19}, [3]),
        ({"majority": 6}, [3]),
        ({"perplexity": 14.0}, [4]),
        ({"with_loss": 0.29}, [5]),
        ({"without": 0.2}, [5]),
        ({"soft": 0.82}, [5, 6]),
        ({"soft": 0.795}, [6]),
        ({"all_nodes": 9.0}, [7]),
    ],
)
def test_claims_are_shown_or_not(changed, missing):
    checks = study.checks(results(**changed))
    assert [number for number, check in enumerate(checks) if not check.shown] == missing


def test_one_bad_seed_is_enough_where_every_seed_counts():
    found = results()
    found.speeds[1] = runs.Speed(9.0, 5.0)
    found.codebooks[runs.MAIN][1] = replace(found.codebooks[runs.MAIN][1], same_code=0.1, perplexity=2.0)
    found.students[runs.SOFT][1] = runs.Network(0.81, 1, 1.0, 0.0)
    found.students[runs.CODES][0] = found.students[runs.CODES][2] = runs.Network(0.9, 1, 1.0, 0.4)
    assert [number for number, check in enumerate(study.checks(found)) if not check.shown] == [3, 4, 6, 7]


def test_other_released_sizes_would_be_seen(monkeypatch):
    monkeypatch.setattr(study, "RELEASED", replace(RELEASED, hidden=65))
    assert not study.checks(results())[0].shown


def test_words_are_0_and_1():
    data = block_model(0, classes=2, size=10)
    ones = runs.words(data).x.to_dense()
    assert torch.equal(ones, (data.x.to_dense() > 0).float())
    assert torch.equal(runs.words(data).y, data.y)


def test_study_runs_without_data_and_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    monkeypatch.setattr(runs, "block_model", lambda seed: block_model(seed, classes=3, size=100))
    monkeypatch.setattr(runs, "EPOCHS", {True: 2})
    monkeypatch.setattr(runs, "QUERIES", 3)
    outcome = study.run(Context((0, 1), quick=True, device="cpu", folder=tmp_path))
    assert (tmp_path / "vqgraph.png").is_file()
    assert {measure.data for measure in outcome.measures} == {"block model"}
    assert all(len(measure.values) == 2 for measure in outcome.measures)
    assert "block model" in outcome.notes[0]
    students = {measure.task: measure.parameters for measure in outcome.measures}
    assert students["student, soft labels and codes"] == 1000 * 128 + 128 + 128 * 3 + 3
