import numpy as np
import pandas as pd

from mid_core.evaluation.noise_statistics import Statistics
from mid_core.figures.rounds import noise_figure, rounds_figure, training_figure
from mid_core.figures.style import COLOURS, PAGE


def statistics(noise, image=None):
    found = Statistics()
    found.add(noise, image)
    return found.summary()


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
    assert titles[1].startswith("$N_{1}$\nmean ")
    density = [axes.lines[1].get_color() for axes in figure.axes[1::5]]
    assert density[:2] == COLOURS[:2]
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
    texts = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert texts == ["mid", "no_mask", "smaller K", "the largest K"]
    assert "n = 4, p" in axes.get_title()
    assert "20.00 dB" in axes.get_title()
    assert list(axes.lines[1].get_ydata()) == [32, 33]
    # A round takes the minutes of those before it, too.
    curves = [(list(line.get_xdata()), list(line.get_ydata())) for line in below.lines]
    assert curves == [([1, 2.5], [32, 33]), ([0.5], [29])]


def test_many_variants_look_different_and_the_legend_is_outside():
    names = [f"variant_{i}" for i in range(14)]
    rows = [
        {"variant": name, "round": k, "k": 10, "psnr_db": 30 + i + k}
        for i, name in enumerate(names)
        for k in (0, 1)
    ]
    rows.insert(0, {"variant": "noisy", "psnr_db": 20.0})
    known = {"test": "t", "protocol": "p", "n_images": 4, "train_seconds": 60}
    figure = rounds_figure(pd.DataFrame(rows).assign(**known))
    (legend,) = figure.legends
    keys = legend.get_lines()[: len(names)]
    looks = [(line.get_color(), line.get_marker()) for line in keys]
    assert len(set(looks)) == len(names)
    drawn = [(line.get_color(), line.get_marker()) for line in figure.axes[0].lines]
    assert drawn == looks
    figure.draw_without_rendering()
    outside = legend.get_window_extent()
    assert not any(outside.overlaps(axes.bbox) for axes in figure.axes)
    assert figure.get_figwidth() == PAGE


def test_a_panel_for_each_variant_and_the_same_colour_for_a_round():
    history = pd.DataFrame({"step": [10, 20], "loss": [0.1, 0.05]})
    rounds = [("mid", 0), ("mid", 1), *((f"v{i}", 1) for i in range(4))]
    figure = training_figure(dict.fromkeys(rounds, history))
    first, *others, last = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title() for axes in (first, last)] == ["mid", "v3"]
    assert len(others) == 3
    assert list(first.lines[0].get_ydata()) == [0.1, 0.05]
    assert last.lines[0].get_color() == first.lines[1].get_color()
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["round 0", "round 1"]
