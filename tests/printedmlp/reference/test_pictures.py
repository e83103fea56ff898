"""Pictures: the same bytes again, and the helpers draw what they are given."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from printedmlp.reference.pictures import curves, letters, panels, pixels, save


def drawn():
    figure, axes = panels(1, 2)
    curves(axes[0, 0], range(3), {"a": [[1, 2, 3], [3, 2, 1]], "b": [1, 1, 1]}, xlabel="step", ylabel="loss")
    pixels(axes[0, 1], np.array([[-2.0, 1.0], [0.0, 0.5]]), title="weights", signed=True)
    letters(axes.flat)
    return figure, axes


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_same_picture_same_bytes(tmp_path, name):
    first = save(drawn()[0], tmp_path / name).read_bytes()
    assert save(drawn()[0], tmp_path / name).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_several_seeds_are_drawn_as_their_mean_and_a_band():
    left = drawn()[1][0, 0]
    assert left.lines[0].get_ydata().tolist() == [2, 2, 2]
    assert len(left.collections) == 1
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["a", "b"]


def test_signed_colours_are_centred_on_zero():
    picture = drawn()[1][0, 1].images[0]
    assert picture.get_clim() == (-2, 2)


def test_a_picture_of_zeros_can_be_drawn(tmp_path):
    figure, axes = panels(1, 1)
    pixels(axes[0, 0], np.zeros((2, 2)), signed=True)
    assert save(figure, tmp_path / "zero.png").stat().st_size > 0
