import numpy as np
import pandas as pd

from mid_core.figures.rounds import rounds_figure


def test_psnr_by_round_shows_every_variant_and_k(drawn):
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
    axes, below = drawn(rounds_figure, table).axes
    texts = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert texts == ["mid", "no_mask", "smaller K", "the largest K"]
    assert "n = 4, p" in axes.get_title()
    assert "20.00 dB" in axes.get_title()
    assert list(axes.lines[1].get_ydata()) == [32, 33]
    # A round takes the minutes of those before it, too.
    curves = [(list(line.get_xdata()), list(line.get_ydata())) for line in below.lines]
    assert curves == [([1, 2.5], [32, 33]), ([0.5], [29])]


def test_many_variants_look_different_and_the_legend_is_outside(drawn):
    names = [f"variant_{i}" for i in range(14)]
    rows = [
        {"variant": name, "round": k, "k": 10, "psnr_db": 30 + i + k}
        for i, name in enumerate(names)
        for k in (0, 1)
    ]
    rows.insert(0, {"variant": "noisy", "psnr_db": 20.0})
    known = {"test": "t", "protocol": "p", "n_images": 4, "train_seconds": 60}
    figure = drawn(rounds_figure, pd.DataFrame(rows).assign(**known))
    (legend,) = figure.legends
    keys = legend.get_lines()[: len(names)]
    looks = [(line.get_color(), line.get_marker()) for line in keys]
    assert len(set(looks)) == len(names)
    shown = [(line.get_color(), line.get_marker()) for line in figure.axes[0].lines]
    assert shown == looks
