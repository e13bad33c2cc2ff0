import numpy as np
import pandas as pd

from mid_core.figures import (
    busiest_window,
    crops_figure,
    noise_figure,
    rounds_figure,
    training_figure,
)
from mid_core.noise import Statistics


def statistics(noise, image=None):
    found = Statistics()
    found.add(noise, image)
    return found.summary()


def test_busiest_window_is_where_the_edges_are():
    image = np.zeros((90, 150, 3))
    image[33:63:2, 81:111] = 1
    rows, columns = busiest_window(image, 32)
    assert (rows.start, columns.start) == (32, 80)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (32, 32)
    rows, columns = busiest_window(image[:20, :25], 32)
    assert (rows, columns) == (slice(0, 20), slice(0, 25))


def test_a_row_for_each_bank_with_and_without_an_image(rng):
    colour = rng.normal(0, 0.1, (64, 64, 3))
    banks = {
        "N_0": ([colour] * 8, statistics(colour)),
        "N_1": ([colour] * 8, statistics(colour, abs(colour))),
        "zeros": ([0 * colour] * 8, statistics(0 * colour)),
        "grey": ([colour[..., :1]] * 8, statistics(colour[..., :1])),
    }
    figure = noise_figure(banks)
    assert len(figure.axes) == 4 * 5
    titles = [axes.get_title() for axes in figure.axes[::5]]
    assert titles[1].startswith("N_1\nmean ")
    texts = [text.get_text() for text in figure.axes[3].texts]
    assert texts == ["no image\nunder it"]


def test_psnr_by_round_shows_every_variant_and_k():
    table = pd.DataFrame(
        {
            "test": "t",
            "variant": ["noisy", "mid", "mid", "mid", "mid", "no_mask"],
            "round": [pd.NA, 0, 1, 0, 1, 0],
            "k": [0, 1, 1, 10, 10, 1],
            "psnr_db": [20.0, 30, 31, 32, 33, 29],
            "n_images": 4,
            "protocol": "p",
            "train_seconds": [np.nan, 60, 90, 60, 90, 30],
        }
    )
    axes, below = rounds_figure(table).axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["mid, K = 1", "mid, K = 10", "no_mask, K = 1"]
    assert "n = 4, p" in axes.get_title()
    assert "20.00 dB" in axes.get_title()
    assert list(axes.lines[1].get_ydata()) == [32, 33]
    # A round takes the minutes of those before it, too.
    curves = [(list(line.get_xdata()), list(line.get_ydata())) for line in below.lines]
    assert curves == [([1, 2.5], [32, 33]), ([0.5], [29])]


def test_training_and_crops():
    history = pd.DataFrame({"step": [10, 20], "loss": [0.1, 0.05]})
    (axes,) = training_figure({"mid, round 0": history}).axes
    assert list(axes.lines[0].get_ydata()) == [0.1, 0.05]
    crop = np.zeros((8, 8, 1))
    figure = crops_figure([{"noisy": (crop, "20 dB"), "truth": (crop, "a.png")}] * 2)
    assert [axes.get_title() for axes in figure.axes] == ["noisy", "truth", "", ""]
    assert figure.axes[3].get_xlabel() == "a.png"
