import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from printedmlp.reference.fields import psnr  # noqa: E402
from printedmlp.reference.scenes import (  # noqa: E402
    BALL_GRID,
    ball_density,
    ball_field,
    balls,
    camera_rays,
    hull,
    lego,
)
from printedmlp.reference.training import seeded  # noqa: E402
from printedmlp.reference.volume import (  # noqa: E402
    Grid,
    Occupancy,
    Rays,
    box_spans,
    composite,
    occupied,
    render,
    sampled,
    weights,
)

SQUARE = Grid((2, 4), (-1.0, -1.0), (1.0, 1.0))
BOX = Grid((32, 32, 32), (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
STOP = 0.01


def parallel_rays(side=48):
    """Rays along z through the box -1 .. 1, one a pixel."""
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    origins = torch.cat([torch.cartesian_prod(line, line), torch.full((side**2, 1), -1.0)], dim=1)
    directions = torch.tensor([0.0, 0.0, 1.0]).expand(side**2, 3)
    return Rays(origins, directions, torch.zeros(side**2), torch.full((side**2,), 2.0))


def constant(density, colour=(0.2, 0.4, 0.6)):
    return lambda points, _: (torch.tensor(colour).expand(len(points), 3), torch.full((len(points),), density))


def test_cells_by_hand():
    points = torch.tensor([[-1.0, -1.0], [-0.01, -0.51], [0.0, -0.5], [1.0, 1.0], [-7.0, 7.0]])
    assert SQUARE.cell_of(points).tolist() == [0, 0, 5, 7, 3]
    assert SQUARE.local(points)[3].tolist() == [1, 1]
    assert SQUARE.count == 8
    assert SQUARE.finer(3).cells == (6, 12)


def test_local_coordinates_of_centres_are_0_and_lead_back():
    centres = SQUARE.from_local(torch.zeros(8, 1, 2))[:, 0]
    assert SQUARE.local(centres).abs().max() == 0
    assert SQUARE.cell_of(centres).tolist() == list(range(8))
    inside = torch.rand(8, 20, 2, generator=seeded(0)) * 1.8 - 0.9
    points = SQUARE.from_local(inside).flatten(0, 1)
    assert SQUARE.cell_of(points).tolist() == [cell for cell in range(8) for _ in range(20)]
    torch.testing.assert_close(SQUARE.local(points), inside.flatten(0, 1), atol=1e-5, rtol=0)


def test_weights_are_those_of_the_product():
    density, delta = torch.rand(5, 9, generator=seeded(0)) * 8, torch.rand(5, generator=seeded(1))
    alpha = 1 - torch.exp(-density * delta[:, None])
    expected = torch.stack([alpha[:, i] * (1 - alpha[:, :i]).prod(1) for i in range(9)], dim=1)
    shares, rest = weights(density, delta)
    torch.testing.assert_close(shares, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(rest, (1 - alpha).prod(1), atol=1e-6, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(sigma=st.floats(0, 20), n=st.integers(1, 200), length=st.floats(0.1, 3))
def test_nothing_of_the_light_is_lost_and_a_constant_density_is_beers_law(sigma, n, length):
    shares, rest = weights(torch.full((1, n), sigma), torch.tensor([length / n]))
    assert float(shares.sum() + rest) == pytest.approx(1, abs=1e-5)
    assert float(rest) == pytest.approx(float(torch.exp(torch.tensor(-sigma * length))), abs=1e-5)


def test_an_opaque_first_sample_hides_the_rest_and_nothing_is_background():
    colours = torch.rand(1, 4, 3, generator=seeded(0))
    density, delta = torch.tensor([[1e6, 3.0, 3.0, 3.0]]), torch.tensor([0.1])
    torch.testing.assert_close(composite(colours, density, delta), colours[:, 0])
    assert composite(colours, torch.zeros(1, 4), delta, background=0.7)[0].tolist() == pytest.approx([0.7] * 3)


def test_spans_of_a_box_by_hand():
    origins = torch.tensor([[-2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [-2.0, 3.0, 0.0]])
    rays = box_spans(origins, torch.tensor([[1.0, 0.0, 0.0]]).expand(3, 3), BOX)
    assert rays.near.tolist() == [1, 0, pytest.approx(float(rays.near[2]))]
    assert rays.far[:2].tolist() == [3, 1]
    assert float(rays.far[2] - rays.near[2]) == 0
    points, delta = sampled(rays, 4)
    assert points[0, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert delta.tolist() == [0.5, 0.25, 0]
    everywhere = Occupancy(BOX, torch.ones(BOX.count, dtype=torch.bool))
    for occupancy in (None, everywhere):
        colours, queries = render(constant(9.0), rays, 8, occupancy=occupancy)
        assert colours[2].tolist() == [1, 1, 1]
        assert queries == 2 * 8


def test_a_full_grid_and_a_ray_that_never_ends_change_no_bit():
    rays = parallel_rays(16)
    whole = render(ball_field, rays, 64)
    everywhere = Occupancy(BOX, torch.ones(BOX.count, dtype=torch.bool))
    for other in (
        render(ball_field, rays, 64, occupancy=everywhere),
        render(ball_field, rays, 64, stop=0.0),
        render(ball_field, rays, 64, occupancy=everywhere, stop=0.0),
    ):
        assert torch.equal(other.colours, whole.colours)
        assert other.queries == whole.queries == 16 * 16 * 64


def test_skipping_and_ending_on_the_balls():
    """5 % of the voxels and so of the queries; a ray that ends early is off by no more than epsilon."""
    rays, n = parallel_rays(), 192
    occupancy = occupied(ball_density, BOX, threshold=1.0)
    assert occupancy.share == pytest.approx(0.054, abs=0.005)
    whole = render(ball_field, rays, n)
    skipped = render(ball_field, rays, n, occupancy=occupancy)
    ended = render(ball_field, rays, n, stop=STOP)
    both = render(ball_field, rays, n, occupancy=occupancy, stop=STOP)
    assert skipped.queries / whole.queries == pytest.approx(occupancy.share, abs=0.005)
    assert both.queries < 0.75 * skipped.queries
    assert psnr(skipped.colours, whole.colours) >= 35
    assert psnr(both.colours, whole.colours) >= 35
    assert 0 < float((ended.colours - whole.colours).abs().max()) <= STOP


def test_a_grid_with_a_hole_shows():
    rays = parallel_rays(16)
    filled = occupied(ball_density, BOX, threshold=1.0).filled.clone()
    filled[: BOX.count // 2] = False
    holed = render(ball_field, rays, 64, occupancy=Occupancy(BOX, filled))
    assert psnr(holed.colours, render(ball_field, rays, 64).colours) < 20


def test_voxels_are_probed_on_their_faces():
    """Only x = 0, a face that two of four voxels share, is dense."""
    grid = Grid((4, 1, 1), (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
    assert occupied(lambda p: (p[:, 0] == 0).float(), grid, 0.5).filled.tolist() == [False, True, True, False]


def test_the_middle_of_the_picture_is_where_the_camera_looks():
    pose = torch.eye(4)
    pose[:3, 3] = torch.tensor([0.0, 0.0, 5.0])
    origins, directions = camera_rays(pose[None], focal=2.0, side=2)
    assert origins.tolist() == [[0, 0, 5]] * 4
    assert directions.sum(0)[:2].abs().max() < 1e-6
    assert (directions[:, 2] < 0).all()
    assert (torch.sign(directions[0, :2])).tolist() == [-1, 1]  # the first pixel is on the left and up


def test_the_hull_holds_the_balls_and_little_else():
    scene = balls(16, 12)
    grid = BALL_GRID.finer(4)
    found, true = hull(scene, grid).filled, occupied(ball_density, grid, 1.0).filled
    assert found[true].double().mean() > 0.97
    assert found.double().mean() < 0.4
    hidden = scene.views(torch.tensor([0]))
    assert hull(hidden, grid).filled.sum() > found.sum()


def test_photographs_of_the_balls():
    scene = balls(16, 5)
    assert scene.images.shape == (5, 16, 16, 3)
    assert (scene.images[:, 0, 0] == 1).all()
    again = render(ball_field, scene.views(torch.tensor([3])).rays(), 96).colours.reshape(16, 16, 3)
    assert torch.equal(again, scene.images[3])
    assert float(scene.alpha.max()) > 0.99
    assert float(scene.alpha.min()) == 0


def test_without_the_suite_there_is_no_lego(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    assert lego(50) is None
