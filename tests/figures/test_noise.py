import numpy as np
import pytest

from mid_core.figures.noise import (
    autocorrelation_figure,
    brightness_figure,
    noise_figure,
)
from mid_core.figures.style import COLOURS
from tests.evaluation.test_noise_statistics import summary


def test_a_row_for_each_bank_with_and_without_an_image(drawn, rng):
    colour = rng.normal(0, 0.1, (64, 64, 3))
    grey = colour[..., :1]
    banks = {
        "N_0": ([colour] * 8, summary(colour)),
        "N_1": ([colour] * 8, summary(colour, image=abs(colour))),
        "zeros": ([0 * colour] * 8, summary(0 * colour)),
        "grey": ([grey] * 8, summary(grey)),
    }
    figure = drawn(noise_figure, banks)
    assert len(figure.axes) == 4 * 5
    titles = [axes.get_title() for axes in figure.axes[::5]]
    assert titles[1].startswith("$N_{1}$\nmean ")
    density = [axes.lines[1].get_color() for axes in figure.axes[1::5]]
    assert density[:2] == COLOURS[:2]
    texts = [text.get_text() for text in figure.axes[3].texts]
    assert texts == ["no image\nunder it"]


def test_spread_of_every_bank_and_of_the_truth(drawn, rng):
    image = np.linspace(0, 1, 97 * 61).reshape(97, 61, 1)
    noise = rng.normal(0, 10 / 255, image.shape)
    banks = {"N_0": summary(noise), "N_1": summary(2 * noise, image=image)}
    banks["true noise"] = summary(noise, image=image)
    (axes,) = drawn(brightness_figure, banks).axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["$N_{0}$", "$N_{1}$", "true noise"]
    white, own, true = (np.asarray(line.get_ydata()) for line in axes.lines)
    np.testing.assert_allclose(white, 10, rtol=0.05)
    np.testing.assert_allclose(own, 2 * true)
    # The same colours wherever these banks are drawn.
    colours = [line.get_color() for line in axes.lines]
    assert colours == [COLOURS[0], COLOURS[1], "black"]


def test_a_map_for_each_bank_on_one_scale(drawn, rng):
    white = rng.standard_normal((61, 73, 1))
    alike = (white[1:] + white[:-1]) / 2
    banks = {f"N_{k}": summary(white) for k in range(5)} | {"t": summary(alike)}
    figure = drawn(autocorrelation_figure, banks)
    maps = [axes for axes in figure.axes if axes.images]
    names = [axes.get_title().split("\n")[0] for axes in maps]
    assert names == [*(f"$N_{{{k}}}$" for k in range(5)), "t"]
    assert {image.get_clim() for axes in maps for image in axes.images} == {(-0.5, 0.5)}
    shown = maps[-1].images[0].get_array()
    middle = shown.shape[0] // 2
    assert shown[middle, middle] == pytest.approx(1)
    # Down, neighbours share half; across, nothing: their mean stands above.
    assert shown[middle + 1, middle] == pytest.approx(0.5, abs=0.05)
    assert float(maps[-1].get_title().split()[-1]) == pytest.approx(0.25, abs=0.05)
