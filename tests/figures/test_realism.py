import pandas as pd

from mid_core.evaluation.realism import MEASURES
from mid_core.figures.realism import gap_figure, realism_figure
from mid_core.figures.style import COLOURS


def test_realism_has_a_panel_for_each_measure(drawn):
    rows = [dict.fromkeys(MEASURES, 1 / (k + 1)) for k in range(4)]
    table = pd.DataFrame(rows, index=[f"N_{k}" for k in range(4)])
    figure = drawn(realism_figure, table, pd.Series(dict.fromkeys(MEASURES, 0.01)))
    titles = [axes.get_title().replace("\n", " ") for axes in figure.axes]
    assert titles == list(MEASURES.values())
    for axes in figure.axes:
        (line,) = axes.lines
        assert list(line.get_xdata()) == [0, 1, 2, 3]
        assert list(line.get_ydata()) == [1, 1 / 2, 1 / 3, 1 / 4]
        assert axes.get_ylim()[0] == 0


def test_realism_of_a_single_bank_that_is_exact(drawn):
    nothing = dict.fromkeys(MEASURES, 0.0)
    table = pd.DataFrame([nothing], index=["N_0"])
    figure = drawn(realism_figure, table, pd.Series(nothing))
    assert all(axes.get_ylim()[1] > 0 for axes in figure.axes)


def test_gap_in_per_cent_of_masked_pixels(drawn):
    table = pd.DataFrame(
        {
            "bank": ["floor"] * 3 + ["N_0"] * 3,
            "mask_ratio": [0, 0.5, 1] * 2,
            "gap_nats": [0.02, 0.01, 0, 0.6, 0.2, 0],
        }
    )
    (axes,) = drawn(gap_figure, table).axes
    (line,) = axes.lines
    assert line.get_color() == COLOURS[0]
    assert list(line.get_xdata()) == [0, 50, 100]
    assert list(line.get_ydata()) == [0.6, 0.2, 0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["floor: real inputs", "$N_{0}$"]
