import pytest

torch = pytest.importorskip("torch")

import matplotlib.image  # noqa: E402
from torch import nn  # noqa: E402

from printedmlp.errors import DataError  # noqa: E402
from printedmlp.reference.fields import (  # noqa: E402
    BEST_PSNR,
    drawn_picture,
    exponential,
    grey,
    milestones,
    photograph,
    pixel_centres,
    psnr,
)
from printedmlp.reference.training import Settings, Tensors, fit, mean_squared_error, seeded  # noqa: E402


def test_psnr_by_hand():
    assert psnr(torch.tensor([0.1, 0.4]), torch.tensor([0.0, 0.5])) == pytest.approx(20)
    assert psnr(torch.tensor([-3.0, 5.0]), torch.tensor([0.0, 1.0])) == BEST_PSNR


def test_psnr_of_a_constant_at_the_mean_is_the_variance():
    image = drawn_picture(20, 30)
    flat = image.mean().expand_as(image)
    assert psnr(flat, image) == pytest.approx(-10 * float(image.double().var(correction=0).log10()), abs=1e-3)


def test_pixel_centres_by_hand():
    assert pixel_centres(2, 2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]
    assert pixel_centres(1, 4, low=-1.0)[:, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_the_drawn_picture_has_edges_slopes_and_colours():
    image = drawn_picture(48, 48)
    assert image.shape == (48, 48, 3)
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1
    assert (image[24, 24, 1] - 0.1).abs() < 1e-6
    assert sorted({round(float(v), 3) for v in image[..., 2].flatten()}) == [0.2, 0.8]


def test_without_the_suite_a_photograph_is_drawn(monkeypatch):
    monkeypatch.delenv("PRINTEDMLP_DATA", raising=False)
    picture = photograph("camera.png", 8, 6)
    assert picture.name == "drawn picture"
    assert picture.values.shape == (8, 6, 3)
    assert grey(picture).rows.shape == (48, 1)


def test_a_photograph_is_averaged_and_an_unreadable_one_is_no_reason_to_draw(monkeypatch, tmp_path):
    (tmp_path / "suite").mkdir()
    monkeypatch.setenv("PRINTEDMLP_DATA", str(tmp_path))
    board = torch.tensor([[0.0, 1.0], [1.0, 1.0]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    matplotlib.image.imsave(tmp_path / "suite" / "board.png", board[..., None].repeat(1, 1, 3).numpy())
    picture = photograph("board.png", 2, 2)
    assert picture.name == "board"
    assert picture.values[..., 0].tolist() == [[0, 1], [1, 1]]
    assert photograph("board.png", 1, 1).values[0, 0].tolist() == pytest.approx([0.75] * 3)
    (tmp_path / "suite" / "broken.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="cannot be read"):
        photograph("broken.png", 2, 2)


def rates(falling, steps):
    """Rates of the two groups before each step."""
    model, seen = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), []

    def after(step):
        seen.append([group["lr"] for group in optimisers[0].param_groups])
        falling.step(step)

    optimisers = []

    def make(model, settings):
        optimisers.append(falling.make(model, settings))
        return optimisers[0]

    x = torch.rand(4, 1, generator=seeded(0))
    recipe = Settings(steps, 0, 1e-2)
    fit(model, mean_squared_error, Tensors(x, x), None, recipe, seed=0, make_optimiser=make, after_step=after)
    return seen


def test_milestones_and_faster_grids():
    falling = milestones(4)
    falling.faster = {"1.": 10.0}
    assert [one[0] for one in rates(falling, 4)] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4])
    assert [one[1] for one in rates(falling, 4)] == pytest.approx([1e-1, 1e-1, 1e-2, 1e-3])


def test_exponential_reaches_its_last_share():
    seen = [one[0] for one in rates(exponential(10), 11)]
    assert seen[0] == pytest.approx(1e-2)
    assert seen[10] == pytest.approx(1e-3)
    assert seen[5] / seen[4] == pytest.approx(0.1**0.1)
