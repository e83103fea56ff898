import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

from printedmlp.reference.scenes import BALL_GRID, ball_density, ball_field, balls  # noqa: E402
from printedmlp.reference.studies.kilonerf_scenes import BALL_PLAN, MODES, Plan, _renderings, on_scene  # noqa: E402
from printedmlp.reference.volume import occupied  # noqa: E402


def test_every_mode_renders_the_same_views_and_counts_samples_in_the_box_only():
    """The true field as teacher and as grid: short cuts ask for less of it and cost next to nothing."""
    scene, voxels = balls(12, 2), BALL_GRID.finer(8)
    rays = scene.rays()
    assert 0 < float((rays.far <= rays.near).double().mean()) < 0.2
    there = occupied(ball_density, voxels, 1.0)
    plan = replace(BALL_PLAN, samples=96, timings=1)
    found = _renderings(ball_field, ball_field, scene, plan, there)
    asked = [found[mode].queries for mode in MODES]
    assert asked[0] == asked[2] == 1
    assert asked[1] == asked[4] < asked[3] < 0.2
    assert found["teacher"].fidelity > 90
    assert min(found[mode].fidelity for mode in MODES) > 35


def test_a_scene_from_photographs_to_renderings():
    """Little training: the grid is not there yet, but what is measured of it is consistent."""
    scene = balls(8, 26)
    found = on_scene(scene, Plan(8, 16, 64, 40, 20, 10, 2, 1), 0, "cpu")
    assert found.setting.startswith("26 views of 8 x 8 pixels, 2 held out; 16 samples a ray; teacher 40 steps")
    assert set(found.renderings) == set(MODES)
    assert torch.equal(found.pictures["target"], scene.images[25])
    assert {tuple(each.shape) for each in found.pictures.values()} == {(8, 8, 3)}
    teacher, both = found.renderings["teacher"], found.renderings[MODES[-1]]
    assert found.faster == teacher.seconds / both.seconds
    assert found.gain == both.fidelity - teacher.fidelity
    assert both.queries <= found.renderings[MODES[-2]].queries <= teacher.queries == 1
