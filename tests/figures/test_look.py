import imageio.v3 as iio
import numpy as np

from mid_core.evaluation.sights import look_at
from mid_core.figures.look import look_figure


def test_a_row_for_grey_images_and_one_for_those_in_colour(drawn, rng, tmp_path):
    shapes = [(41, 57), (57, 41, 3), (57, 41, 3)]
    for i, shape in enumerate(shapes):
        pixels = rng.normal(120, 10, shape).clip(0, 255).astype(np.uint8)
        iio.imwrite(tmp_path / f"{i}.png", pixels)
    iio.imwrite(tmp_path / "black.png", np.zeros((41, 57), np.uint8))
    figure = drawn(look_figure, look_at(sorted(tmp_path.glob("*.png")))[0])
    curves = [axes for axes in figure.axes if axes.get_ylabel().startswith("std")]
    assert [axes.get_title() for axes in curves] == ["2 image(s)", "2 image(s)"]
    assert [len(axes.lines) for axes in curves] == [1, 3]


def test_without_noise_there_is_still_a_figure(drawn, tmp_path):
    iio.imwrite(tmp_path / "black.png", np.zeros((41, 57), np.uint8))
    figure = drawn(look_figure, look_at([tmp_path / "black.png"])[0])
    assert figure.axes[0].get_ylim() == (0, 1)
