import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from mid_core.evaluation.noise_statistics import Statistics
from mid_core.evaluation.realism import MEASURES
from mid_core.figures.noise import (
    autocorrelation_figure,
    brightness_figure,
    gap_figure,
    inpainted_figure,
    inpainter_figure,
    realism_figure,
    remains_figure,
)
from mid_core.figures.style import COLOURS, PAGE, STYLE, save


@pytest.fixture
def drawn(tmp_path):
    """Draw a figure as the workflow does, in its style and to a file."""

    def draw(make, *data):
        with mpl.rc_context(STYLE):
            figure = make(*data)
            save(figure, tmp_path / "figure.pdf")
        _check_legible(figure)
        return figure

    return draw


def _check_legible(figure):
    """Nothing is wider than a page, smaller than 6 pt, cut off, or over a curve."""
    assert figure.get_figwidth() <= PAGE
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            assert text.get_fontsize() >= 6
    whole = figure.bbox.padded(2)
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert whole.x0 <= box.x0
    assert box.x1 <= whole.x1
    for legend in figure.legends:
        outside = legend.get_window_extent()
        assert not any(outside.overlaps(axes.bbox) for axes in figure.axes)


def statistics(noise, image=None):
    found = Statistics()
    found.add(noise, image)
    return found.summary()


def labels(axes):
    return axes.get_legend_handles_labels()[1]


def test_realism_has_a_panel_for_each_measure_and_a_line_for_each_variant(drawn):
    rows = [
        {"variant": variant, "round": k, **dict.fromkeys(MEASURES, 1 / (k + 1))}
        for variant, last in (("paper", 3), ("mid", 1))
        for k in range(last + 1)
    ]
    figure = drawn(realism_figure, pd.DataFrame(rows), dict.fromkeys(MEASURES, 0.01))
    *panels, empty = figure.axes
    assert [axes.get_title() for axes in panels] == list(MEASURES.values())
    for axes in panels:
        paper, mid = axes.lines
        assert list(paper.get_xdata()) == [0, 1, 2, 3]
        assert list(mid.get_ydata()) == [1, 1 / 2]
        assert axes.get_ylim()[0] == 0
    assert labels(panels[0])[1:] == ["paper", "mid"]
    assert empty.get_legend() is not None


@pytest.mark.parametrize("floor", [0, -0.01])
def test_realism_within_the_floor_and_below_zero(drawn, floor):
    values = dict.fromkeys(MEASURES, 0.0) | {"patch_kl_nats": -0.02}
    table = pd.DataFrame([{"variant": "mid", "round": 0, **values}])
    figure = drawn(realism_figure, table, dict.fromkeys(MEASURES, floor))
    bottom, top = figure.axes[1].get_ylim()
    assert bottom < -0.02 < 0 < top


def test_spread_of_every_bank_and_of_the_truth(drawn, rng):
    image = np.linspace(0, 1, 97 * 61).reshape(97, 61, 1)
    noise = rng.normal(0, 10 / 255, image.shape)
    truth = statistics(noise, image)
    figure = drawn(
        brightness_figure,
        {"N_0": statistics(noise), "N_1": statistics(2 * noise, image)},
        truth,
    )
    (axes,) = figure.axes
    assert labels(axes) == ["$N_{0}$", "$N_{1}$", "true noise"]
    white, own, true = (np.asarray(line.get_ydata()) for line in axes.lines)
    np.testing.assert_allclose(white, 10, rtol=0.05)
    np.testing.assert_allclose(own, 2 * true)
    # The same colours wherever these banks are drawn.
    colours = [line.get_color() for line in axes.lines]
    assert colours == [COLOURS[0], COLOURS[1], "black"]


def test_a_map_for_each_bank_on_one_scale(drawn, rng):
    white = rng.standard_normal((61, 73, 1))
    alike = (white[1:] + white[:-1]) / 2
    banks = {f"N_{k}": statistics(white) for k in range(5)} | {"t": statistics(alike)}
    figure = drawn(autocorrelation_figure, banks)
    maps = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title().split("\n")[0] for axes in maps] == [
        *(f"$N_{{{k}}}$" for k in range(5)),
        "t",
    ]
    assert {image.get_clim() for axes in maps for image in axes.images} == {(-0.5, 0.5)}
    shown = maps[-1].images[0].get_array()
    middle = shown.shape[0] // 2
    assert shown[middle, middle] == pytest.approx(1)
    # Down, neighbours share half; across, nothing: their mean stands above.
    assert shown[middle + 1, middle] == pytest.approx(0.5, abs=0.05)
    assert float(maps[-1].get_title().split()[-1]) == pytest.approx(0.25, abs=0.05)


def test_gap_in_per_cent_of_masked_pixels(drawn):
    found = {"mask_ratio": [0, 0.5, 1], "gap_nats": [0.6, 0.2, 0]}
    floor = {"mask_ratio": [0, 0.5, 1], "gap_nats": [0.02, -0.01, 0]}
    (axes,) = drawn(gap_figure, {"N_0": found}, floor).axes
    (line,) = axes.lines
    assert line.get_color() == COLOURS[0]
    assert list(line.get_xdata()) == [0, 50, 100]
    assert list(line.get_ydata()) == [0.6, 0.2, 0]
    assert labels(axes) == ["floor: real inputs", "$N_{0}$"]


@pytest.mark.parametrize("colours", [1, 3])
def test_what_is_left_is_what_the_denoiser_did_not_take(drawn, rng, colours):
    clean = np.full((65, 49, colours), 0.5)
    noise = rng.normal(0, 0.05, clean.shape)
    window = (slice(16, 40), slice(0, 24))
    figure = drawn(remains_figure, clean + noise, clean + noise / 5, clean, window)
    noisy, denoised, _, whole, left, curve = figure.axes
    # 20 log10 of 1 / 0.05 is 26.0, and of 5 is 13.98.
    decibels = [float(axes.get_xlabel().split()[0]) for axes in (noisy, denoised)]
    assert decibels[0] == pytest.approx(26.0, abs=0.3)
    assert decibels[1] - decibels[0] == pytest.approx(13.98, abs=0.02)
    assert all(
        axes.images[0].get_array().shape[:2] == (24, 24) for axes in (whole, left)
    )
    expected = 0.5 + 4 / 5 * noise[window]
    np.testing.assert_allclose(
        np.reshape(left.images[0].get_array(), expected.shape), expected
    )
    first, second = (np.asarray(line.get_ydata()) for line in curve.lines[:2])
    np.testing.assert_allclose(first, second, atol=1e-9)
    assert first[0] == pytest.approx(1)


def test_inpainters_in_order_with_their_last_value(drawn):
    histories = {
        ratio: pd.DataFrame({"step": [100, 200], "psnr_db": [20, 40 - 10 * ratio]})
        for ratio in (0.9, 0.2, 0.5)
    }
    curves, ends = drawn(inpainter_figure, histories).axes
    assert labels(curves) == ["20 %", "50 %", "90 %"]
    assert [float(line.get_xdata()[0]) for line in ends.lines] == [20, 50, 90]
    assert [text.get_text() for text in ends.texts] == ["38.0", "35.0", "31.0"]


def test_inpainted_images_with_their_psnr(drawn):
    original = np.full((9, 9, 3), 0.5, np.float32)
    figure = drawn(inpainted_figure, {"a": (0 * original, original + 0.01, original)})
    assert [axes.get_title() for axes in figure.axes] == [
        "masked",
        "inpainted",
        "original",
    ]
    # 20 log10 of 1 / 0.5 and of 1 / 0.01.
    under = [axes.get_xlabel() for axes in figure.axes]
    assert under == ["6.02 dB", "40.00 dB", ""]
    assert figure.subfigs[0].get_supylabel() == "a"
