import pandas as pd

from mid_core.figures.training import inpainter_figure, training_figure


def test_a_panel_for_each_variant_and_the_same_colour_for_a_round(drawn):
    history = pd.DataFrame({"step": [10, 20], "loss": [0.1, 0.05]})
    rounds = [("mid", 0), ("mid", 1), *((f"v{i}", 1) for i in range(4))]
    figure = drawn(training_figure, dict.fromkeys(rounds, history))
    first, *others, last = [axes for axes in figure.axes if axes.lines]
    assert [axes.get_title() for axes in (first, last)] == ["mid", "v3"]
    assert len(others) == 3
    assert list(first.lines[0].get_ydata()) == [0.1, 0.05]
    assert last.lines[0].get_color() == first.lines[1].get_color()
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["round 0", "round 1"]


def test_inpainters_in_order_with_their_last_value(drawn):
    histories = {
        ratio: pd.DataFrame({"step": [100, 200], "psnr_db": [20, 40 - 10 * ratio]})
        for ratio in (0.9, 0.2, 0.5)
    }
    curves, ends = drawn(inpainter_figure, histories).axes
    labels = curves.get_legend_handles_labels()[1]
    assert labels == ["20 %", "50 %", "90 %"]
    assert [float(line.get_xdata()[0]) for line in ends.lines] == [20, 50, 90]
    assert [text.get_text() for text in ends.texts] == ["38.0", "35.0", "31.0"]
