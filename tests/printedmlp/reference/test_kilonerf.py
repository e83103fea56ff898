import pytest

torch = pytest.importorskip("torch")

import math  # noqa: E402
from dataclasses import replace  # noqa: E402

from torch.nn import functional  # noqa: E402

from printedmlp.reference.kilonerf import (  # noqa: E402
    LEGO_CELLS,
    TEACHER,
    TINY,
    FieldConfig,
    KiloNeRF,
    NeRF,
    PictureMLP,
    RadianceField,
    TinyImages,
    distillation_loss,
    encoded,
    grouped,
    multiplications,
    opacity,
)
from printedmlp.reference.mlp import MLP, Config  # noqa: E402
from printedmlp.reference.studies import kilonerf as study  # noqa: E402
from printedmlp.reference.studies.kilonerf_costs import Identities, identities  # noqa: E402
from printedmlp.reference.studies.kilonerf_runs import Sparse, Student, Taught, timed_in_turn  # noqa: E402
from printedmlp.reference.studies.kilonerf_scenes import MODES, Rendering, SceneResult  # noqa: E402
from printedmlp.reference.training import built, parameter_count, seeded  # noqa: E402
from printedmlp.reference.volume import Grid  # noqa: E402

SMALL = FieldConfig(width=6, depth=2, refed=2, head=5, position=2, direction=1)
CUBE = Grid((2, 3, 2), (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


def plane(side):
    return Grid((side, side), (-1.0, -1.0), (1.0, 1.0))


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed)) * 2 - 1


def directions(n, seed=9):
    return functional.normalize(drawn(n, 3, seed=seed), dim=1)


def unlike(model, seed=0):
    """The same model with other weights in every cell."""
    generator = seeded(seed)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5
    return model


def test_encoding_by_hand():
    assert encoded(torch.tensor([[0.0, 0.0]]), 3).tolist() == [[0, 0] + [1] * 6 + [0] * 6]
    v = torch.tensor([[0.3]])
    expected = [0.3, math.cos(0.3), math.cos(0.6), math.sin(0.3), math.sin(0.6)]
    assert encoded(v, 2)[0].tolist() == pytest.approx(expected)
    assert encoded(v, 1, math.pi)[0].tolist() == pytest.approx(
        [0.3, math.cos(0.3 * math.pi), math.sin(0.3 * math.pi)]
    )
    assert TEACHER.inputs == (63, 27)


@pytest.mark.parametrize(("config", "count"), [(TEACHER, 595_844), (TINY, 6_212)])
def test_published_sizes(config, count):
    with torch.device("meta"):
        assert parameter_count(RadianceField(config)) == count
    assert sum(n * m + m for n, m in config.sizes) == count


def test_the_published_grid_has_nine_million_parameters():
    with torch.device("meta"):
        assert parameter_count(RadianceField(TINY, math.prod(LEGO_CELLS))) == 1440 * 6212 == 8_945_280


def test_published_cost_of_a_query():
    assert 2 * multiplications(TINY) == 12_160
    assert 2 * multiplications(TEACHER) == 1_186_816
    assert 2 * (multiplications(TEACHER) - 256**2) == 1_055_744


@pytest.mark.parametrize(("side", "width"), [(1, 16), (4, 16), (8, 8)])
def test_sizes_in_the_plane(side, width):
    model = TinyImages(plane(side), width)
    assert parameter_count(model) == side**2 * (18 * width + width + width**2 + width + 3 * width + 3)
    assert parameter_count(TinyImages(plane(1), 16)) == 627


def test_size_of_the_teacher_in_the_plane():
    model = PictureMLP((128,) * 6)
    assert parameter_count(model) == 86_915
    assert model(drawn(5, 2)).shape == (5, 3)


def test_grouped_answers_are_those_of_a_loop():
    model, points = unlike(TinyImages(plane(4), 8)), drawn(500, 2)
    local, cell = model.grid.local(points), model.grid.cell_of(points)
    rows = [model.cells(x[None, None], c[None])[0, 0] for x, c in zip(local, cell, strict=True)]
    torch.testing.assert_close(model(points), torch.stack(rows), atol=1e-6, rtol=0)


def test_grouped_keeps_order_whatever_the_block():
    inputs, cell = drawn(37, 2), torch.tensor([3, 0, 3, 3, 5] * 7 + [0, 5])

    def answer(x, owner):
        return torch.cat([x, owner[:, None, None].expand(*x.shape[:2], 1).float()], dim=-1)

    for block in (1, 4, 64):
        out = grouped(answer, inputs, cell, 6, block)
        assert torch.equal(out[:, :2], inputs)
        assert torch.equal(out[:, 2].long(), cell)


def test_points_of_one_cell_only():
    model = unlike(TinyImages(plane(4), 8))
    points = drawn(10, 2) * 0.2 + 0.25
    assert model.grid.cell_of(points).unique().tolist() == [10]
    before = model(points)
    for parameter in model.parameters():
        parameter.data[:10] += 1
        parameter.data[11:] += 1
    assert torch.equal(model(points), before)
    for parameter in model.parameters():
        parameter.data[10] += 1
    assert not torch.equal(model(points), before)


def test_one_cell_is_a_plain_network():
    model, plain = TinyImages(plane(1), 16), MLP(Config(18, 3, (16, 16), "relu"))
    for linear, layer in zip(plain.linears, model.layers, strict=True):
        weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
        linear.weight.data, linear.bias.data = weight.data[0].T, bias.data[0, 0]
    points = drawn(40, 2)
    torch.testing.assert_close(model(points), plain(encoded(points, 4)).sigmoid(), atol=1e-6, rtol=0)


def test_a_student_of_one_cell_is_a_teacher():
    one = Grid((1, 1, 1), CUBE.low, CUBE.high)
    student, teacher = unlike(KiloNeRF(SMALL, one)), NeRF(SMALL, CUBE)
    teacher.load_state_dict(student.state_dict())
    points, d = drawn(50, 3), directions(50)
    for ours, theirs in zip(student(points, d), teacher(points, d), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_a_student_answers_like_a_loop_over_its_cells():
    model, points, d = unlike(KiloNeRF(SMALL, CUBE)), drawn(60, 3), directions(60)
    local, cell = CUBE.local(points), CUBE.cell_of(points)
    colours, sigma = model(points, d)
    for n in range(60):
        c, s = model.field(local[n][None, None], d[n][None, None], cell[n][None])
        torch.testing.assert_close(colours[n], c[0, 0], atol=1e-6, rtol=0)
        torch.testing.assert_close(sigma[n], s[0, 0], atol=1e-5, rtol=0)


def test_all_cells_start_alike_and_then_differ():
    model = built(lambda: TinyImages(plane(3), 8), 0)
    assert isinstance(model, TinyImages)
    local = drawn(1, 20, 2).expand(9, 20, 2)
    started = model.cells(local)
    torch.testing.assert_close(started, started[:1].expand_as(started), atol=1e-6, rtol=0)
    assert all(torch.equal(p, p[:1].expand_as(p)) for p in model.parameters())
    target = drawn(9, 20, 3).abs()
    distillation_loss(started, target).backward()
    gradient = model.layers[-1].get_parameter("bias").grad
    assert gradient is not None
    assert not torch.equal(gradient[0], gradient[1])


def test_losses_of_the_networks_are_added_up():
    output, target = drawn(5, 7, 3), drawn(5, 7, 3, seed=1)
    each = [float((o - t).square().mean()) for o, t in zip(output, target, strict=True)]
    assert float(distillation_loss(output, target)) == pytest.approx(sum(each))
    twice = distillation_loss(output.repeat(2, 1, 1), target.repeat(2, 1, 1))
    assert float(twice) == pytest.approx(2 * sum(each))


def test_density_leaks_only_while_training_and_colour_does_not_change_it():
    model = unlike(NeRF(SMALL, CUBE))
    model.field.density.bias.data -= 2
    points = drawn(200, 3)
    trained = model(points, directions(200))[1].detach()
    model.eval()
    answered = model(points, directions(200))[1]
    assert float(trained.min()) < 0
    torch.testing.assert_close(answered, trained.clamp_min(0))
    other = model(points, directions(200, seed=5))
    assert torch.equal(other[1], answered)
    assert not torch.equal(other[0], model(points, directions(200))[0])


def test_refed_layer_sees_the_position_again():
    without = replace(SMALL, refed=0)
    assert SMALL.sizes[1] == (6 + 15, 6)
    assert without.sizes[1] == (6, 6)
    assert multiplications(SMALL) - multiplications(without) == 15 * 6


def test_opacity_by_hand():
    assert opacity(torch.tensor([0.0, 10.0, 1e9]), 0.1).tolist() == pytest.approx([0, 1 - math.exp(-1), 1])


def test_norms_of_what_sees_the_direction():
    model = RadianceField(SMALL, 2)
    parts = [*model.head.parameters(), *model.colour.parameters()]
    assert float(model.view_norms().detach()) == pytest.approx(
        sum(float(p.detach().norm()) for p in parts), rel=1e-5
    )


def test_short_cuts_on_the_formula():
    found = identities()
    assert found.lost <= 1e-5
    assert 0 < found.change <= 0.01
    assert found.queries < 0.25
    assert found.fidelity >= 35


def test_every_call_is_timed_alike():
    calls = []
    best = timed_in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3)
    assert "".join(calls) == "abababab"
    assert all(0 <= seconds < 1 for seconds in best.values())


def test_a_graphics_processor_is_waited_for(monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: said.append("wait"))
    timed_in_turn({"a": lambda: said.append("call")}, repeats=1)
    assert said == ["wait", "call", "wait"] * 2


def claims(*, tuned=29.0, faster=20.0, copies=(21.0, 25.0, 29.0), few=20.2, exact=None, fast=0.01, fidelity=25.0):
    """Which claims are shown; found as published but for what is changed in the second of two seeds."""

    def taught(tuned, faster, copies):
        students = {
            side: Student(None, copy, 25.0, tuned, torch.empty(0), faster, 1, 1.0)
            for side, copy in zip((1, 4, 8), copies, strict=True)
        }
        return Taught(None, 29.0, 1, 1.0, students)

    def scene(fast, fidelity):
        renderings = dict.fromkeys(MODES, Rendering(25.0, 1.0, 0.5)) | {MODES[-1]: Rendering(fidelity, 0.1, fast)}
        return SceneResult("lego", renderings, 24.0, {}, 0.1, (1, 1), 1.0, "")

    plane = [taught(29.0, 20.0, (21.0, 25.0, 29.0)), taught(tuned, faster, copies)]
    scenes = {"lego": [scene(0.01, 25.0), scene(fast, fidelity)]}
    sparse = [Sparse(19.0, 18.2, 19.5, 20.0), Sparse(19.0, 18.2, 19.5, few)]
    found = study.checks(
        plane,
        sparse,
        Identities(**({"lost": 1e-6, "change": 0.008, "queries": 0.1, "fidelity": 43.0} | (exact or {}))),
        scenes,
    )
    return [check.shown for check in found]


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, []),
        ({"tuned": 27.9}, [1]),
        ({"faster": 9.9}, [1]),
        ({"copies": (21.0, 20.0, 29.0)}, [2]),
        ({"copies": (21.0, 29.0, 22.0)}, [2]),
        ({"few": 18.1}, [3]),
        ({"exact": {"lost": 2e-5}}, [4]),
        ({"exact": {"change": 0.011}}, [4]),
        ({"exact": {"queries": 0.3}}, [4]),
        ({"exact": {"fidelity": 34.0}}, [4]),
        ({"fast": 0.06}, [5]),
        ({"fidelity": 23.9}, [5]),
    ],
)
def test_every_claim_can_fail(changed, missing):
    assert [number for number, shown in enumerate(claims(**changed)) if not shown] == missing


def test_the_claim_on_sizes_can_fail(monkeypatch):
    monkeypatch.setattr(study, "TINY", replace(TINY, head=31))
    assert not claims()[0]
