import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402
from functools import partial  # noqa: E402

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from printedmlp.reference.distillation import entropy  # noqa: E402
from printedmlp.reference.glnn import glnn_loss  # noqa: E402
from printedmlp.reference.krd import (  # noqa: E402
    KRDConfig,
    ReliablePairs,
    fitted_alpha,
    fitted_power,
    keep_probability,
    krd_loss,
    unreliability,
)
from printedmlp.reference.studies import krd as study  # noqa: E402
from printedmlp.reference.studies import krd_runs  # noqa: E402
from printedmlp.reference.studies.krd_runs import (  # noqa: E402
    EVERY,
    GLNN,
    KRD,
    MLP,
    TEACHER,
    Plan,
    Speed,
    Trial,
    corpora,
    measured_speed,
    trial,
)
from printedmlp.reference.training import seeded  # noqa: E402

TINY = Plan(4, 4, 2, 12, 3, genuine=False)
RHO = torch.tensor([0.0, 0.25, 0.5, 1.0])
PAIRS = torch.tensor([[0, 1, 2, 3, 0, 3], [1, 0, 3, 2, 3, 0]])


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def test_sampling_by_hand_and_in_its_limits():
    assert keep_probability(RHO, 1.0).tolist() == [1.0, 0.75, 0.5, 0.0]
    assert keep_probability(RHO, 2.0).tolist() == [1.0, 0.9375, 0.75, 0.0]
    torch.testing.assert_close(keep_probability(RHO, 1e6), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    torch.testing.assert_close(keep_probability(RHO, 1e-9), torch.tensor([1.0, 0.0, 0.0, 0.0]))


def test_unreliability_by_hand():
    """A teacher that looks at the first feature only is unmoved where its answer is certain."""

    def teacher(x):
        return torch.stack([1000 * x[:, 0], torch.zeros(len(x))], dim=1)

    rho = unreliability(teacher, torch.tensor([[50.0, 1], [0, 1], [-50, 1]]), 1e-3, seed=0)
    assert rho.tolist() == [0.0, 1.0, 0.0]


def test_unreliability_is_the_move_of_the_entropy():
    x, generator = drawn(9, 4), seeded(5)
    calm, moved = entropy(x), entropy(x + 0.5 * torch.randn(9, 4, generator=generator))
    expected = (moved - calm).abs()
    torch.testing.assert_close(unreliability(lambda z: z, x, 0.5, seed=5), expected / expected.max())
    again = entropy(x + 0.5 * torch.randn(9, 4, generator=generator))
    both = expected + (again - calm).abs()
    torch.testing.assert_close(unreliability(lambda z: z, x, 0.5, seed=5, draws=2), both / both.max())


def test_an_unmoved_teacher_is_reliable_everywhere():
    assert unreliability(lambda x: torch.zeros(len(x), 3), drawn(5, 2), 1.0, seed=0).tolist() == [0.0] * 5


@settings(max_examples=25, deadline=None)
@given(alpha=st.floats(0.05, 15.0), low=st.floats(0.0, 0.5), width=st.floats(0.1, 0.5))
def test_the_power_of_a_curve_is_found_again(alpha, low, width):
    x = np.linspace(0, 1, 51)
    assert fitted_power(x, low + width * (1 - x**alpha)) == pytest.approx(alpha, rel=1e-2)


def test_the_power_of_a_histogram_is_found_again():
    """1000 nodes in each of 50 bins, of which 1 - x^3 agree."""
    middles = (np.arange(50) + 0.5) / 50
    rho = np.repeat(middles, 1000)
    agree = np.tile(np.arange(1000), 50) < 1000 * np.repeat(1 - middles**3, 1000)
    found = fitted_alpha(rho, agree, 50)
    assert found == pytest.approx(3, abs=0.15)


def test_an_empty_bin_counts_as_disagreement():
    """Two bins: 3 of 4 agree, none in the other: 1 - 0.25^a and 1 - 0.75^a nearest to 1 and 0."""
    found = fitted_alpha(np.full(4, 0.2), np.array([True, True, True, False]), 2)
    powers = np.linspace(0.01, 5, 5000)
    losses = 0.25 ** (2 * powers) + (1 - 0.75**powers) ** 2
    assert found == pytest.approx(powers[losses.argmin()], abs=2e-3)


def test_equal_agreement_says_nothing():
    assert fitted_alpha(np.array([0.1, 0.9]), np.array([True, True]), 2) is None
    sampler = ReliablePairs(PAIRS, torch.linspace(0.005, 0.995, 50), KRDConfig(warm_up=0, momentum=0.5))
    sampler.learn(1, torch.eye(3)[torch.zeros(50, dtype=torch.long)], torch.eye(3)[[0] * 50])
    assert sampler.alphas == [1.0]


def test_all_neighbours_teach_in_the_warm_up():
    sampler = ReliablePairs(PAIRS, RHO, KRDConfig(warm_up=2))
    assert sampler.draw(2).tolist() == [[0, 1, 2, 3, *PAIRS[0]], [0, 1, 2, 3, *PAIRS[1]]]
    sampler.learn(2, torch.eye(4), torch.eye(4).flip(0))
    assert sampler.alphas == [1.0]


def test_afterwards_neighbours_are_drawn_by_their_own_reliability():
    sampler, counts = ReliablePairs(PAIRS, RHO, KRDConfig(warm_up=0)), torch.zeros(4)
    torch.manual_seed(0)
    for _ in range(2000):
        taught = sampler.draw(1)
        assert taught[:, :4].tolist() == [[0, 1, 2, 3]] * 2
        counts += torch.bincount(taught[1, 4:], minlength=4)
    expected = torch.bincount(PAIRS[1], minlength=4) * torch.tensor([1.0, 0.75, 0.5, 0.0])
    torch.testing.assert_close(counts / 2000, expected, atol=0.05, rtol=0)


def test_alpha_moves_with_momentum():
    rho = torch.repeat_interleave((torch.arange(50) + 0.5) / 50, 100)
    agree = torch.arange(100).repeat(50) < 100 * (1 - rho**3)
    sampler = ReliablePairs(PAIRS, rho, KRDConfig(warm_up=0, momentum=0.9))
    sampler.learn(1, torch.eye(2)[agree.long()], torch.eye(2)[[1] * 5000])
    assert sampler.alpha == pytest.approx(0.9 + 0.1 * 3, abs=0.03)


def test_the_loss_of_pairs_by_hand():
    student, teacher = drawn(4, 3), drawn(4, 3, seed=1)
    p, q = teacher.softmax(1), student.softmax(1)

    def kl(i, j):
        return (p[j] * (p[j] / q[i]).log()).sum()

    pairs = torch.tensor([[0, 1, 1], [0, 1, 3]])
    expected = (kl(0, 0) + kl(1, 1) + kl(1, 3)) / 3
    y, labelled = torch.tensor([0, 1, 2, 0]), torch.tensor([0])
    torch.testing.assert_close(krd_loss(student, teacher, y, labelled, pairs, KRDConfig()), expected)


@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
def test_without_neighbours_it_is_the_plain_loss(mix):
    student, teacher = drawn(4, 3), drawn(4, 3, seed=1)
    y, labelled = torch.tensor([0, 1, 2, 0]), torch.tensor([0, 2])
    sampler = ReliablePairs(PAIRS, RHO, KRDConfig(warm_up=0, mix=mix))
    sampler.alpha = 1e-9
    pairs = sampler.draw(1)
    kept = pairs[1, 4:]
    assert (kept == 0).all()  # only a node with rho = 0 is certain
    alone = krd_loss(student, teacher, y, labelled, pairs[:, :4], sampler.config)
    torch.testing.assert_close(alone, glnn_loss(student, teacher, y, labelled, mix))
    if mix == 1.0:
        everything = krd_loss(student, teacher, y, labelled, pairs, sampler.config)
        torch.testing.assert_close(everything, torch.nn.functional.cross_entropy(student[labelled], y[labelled]))


def test_a_temperature_softens_both():
    student, teacher, own = drawn(4, 3), drawn(4, 3, seed=1), torch.arange(4).expand(2, -1)
    y, labelled = torch.tensor([0, 1, 2, 0]), torch.tensor([0])
    warm = krd_loss(student, teacher, y, labelled, own, KRDConfig(temperature=2.0))
    torch.testing.assert_close(warm, krd_loss(student / 2, teacher / 2, y, labelled, own, KRDConfig()))


def test_a_trial_has_everything():
    data, split = corpora(TINY)["block model"](0)
    found = trial(data, split, TINY, 0)
    assert {name: len(values) for name, values in found.accuracies.items()} == {
        TEACHER: 1, MLP: 1, GLNN: 2, KRD: 2, EVERY: 2,
    }  # fmt: skip
    assert [len(curve) for curve in found.agreement] == [4, 4]
    assert (len(found.reliable), len(found.alphas)) == (10, 4)
    assert found.parameters[GLNN] == 1000 * 128 + 128 + 128 * 7 + 7
    assert trial(data, split, TINY, 0).accuracies == found.accuracies


def test_no_test_class_is_read(monkeypatch):
    """What teacher and students answer, how they get there and how alpha moves: all as with other test classes."""
    data, split = corpora(TINY)["block model"](0)
    hidden = data.y.clone()
    hidden[split.test] = 0
    monkeypatch.setattr(krd_runs, "KRDConfig", partial(KRDConfig, warm_up=2))
    one, blind = (trial(replace(data, y=y), split, TINY, 0) for y in (data.y, hidden))
    assert one.confidence == blind.confidence
    assert one.agreement == blind.agreement
    assert one.alphas == blind.alphas
    assert one.alphas[-1] != 1.0
    assert one.accuracies != blind.accuracies


def test_a_query_is_timed_and_exact():
    data, _ = corpora(TINY)["block model"](0)
    speed = measured_speed(data, TINY, 0)
    assert min(speed.student, speed.gathered, speed.full) > 0
    assert speed.error < 1e-5


def test_the_citation_graphs_are_asked_for_only_where_they_are(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    assert list(corpora(replace(TINY, genuine=True))) == ["block model"]


GOOD = Trial(
    accuracies={TEACHER: [0.82], MLP: [0.60], GLNN: [0.81, 0.82], KRD: [0.82, 0.81], EVERY: [0.8, 0.8]},
    reliable=[0.9] * 5 + [0.7] * 5,
    agreement=[[0.9] * 60, [0.7] * 60],
    confidence={TEACHER: 0.6, MLP: 0.5, GLNN: 0.5, KRD: 0.55, EVERY: 0.5},
    alphas=[1.0] * 60,
    seconds=dict.fromkeys((TEACHER, MLP, GLNN, KRD, EVERY), 1.0),
    parameters=dict.fromkeys((TEACHER, MLP, GLNN, KRD, EVERY), 9),
)
FAST = Speed("Cora", 1e-5, 1e-3, 1e-2, 1e-7)


def with_accuracies(**changed):
    names = {"teacher": TEACHER, "mlp": MLP, "glnn": GLNN, "krd": KRD}
    return replace(GOOD, accuracies=GOOD.accuracies | {names[key]: value for key, value in changed.items()})


@pytest.mark.parametrize(
    ("third", "missing"),
    [
        (GOOD, []),
        (with_accuracies(teacher=[0.95]), [0, 1]),
        (with_accuracies(teacher=[0.88]), [0, 1]),
        (with_accuracies(mlp=[0.85]), [0]),
        (with_accuracies(krd=[0.7, 0.7]), [1]),
        (with_accuracies(glnn=[0.9, 0.9]), [1]),
        (replace(GOOD, reliable=[0.9] * 5 + [0.83] * 5), [2]),
        (replace(GOOD, agreement=[[0.7] * 60, [0.66] * 60]), [3]),
        (replace(GOOD, agreement=[[0.7] * 50 + [1.0] * 9, [0.7] * 50 + [0.0] * 9]), [3]),
        (replace(GOOD, confidence=GOOD.confidence | {KRD: 0.49}), [4]),
    ],
)
def test_claims_are_shown_or_not(third, missing):
    checks = study.checks({"Cora": [GOOD, GOOD, third]}, FAST)
    assert [number for number, check in enumerate(checks) if not check.shown] == missing


@pytest.mark.parametrize(
    "changed", [{"gathered": 4.9e-5}, {"full": 9e-5}, {"student": 3e-3}, {"error": 2e-5}], ids=str
)
def test_a_slow_or_wrong_query_is_not_shown(changed):
    assert not study.checks({"Cora": [GOOD]}, replace(FAST, **changed))[-1].shown


def test_the_lead_asked_for_is_lower_where_the_published_one_is():
    trials = [with_accuracies(mlp=[0.70], teacher=[0.82])]
    assert not study.checks({"Cora": trials}, FAST)[0].shown
    assert study.checks({"Citeseer": trials}, FAST)[0].shown
