import numpy as np
import pytest

from mid_core.figures.crops import (
    crops_figure,
    remains_figure,
    scored_crops,
)
from mid_core.figures.style import PAGE


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(3, 1, 3), (6, 1, 6), (8, 2, 4), (13, 3, 5)]
)
def test_versions_wrap_so_that_all_fits_a_page(drawn, count, rows, columns):
    crop = np.zeros((8, 8, 1))
    names = ["noisy", *(f"MID, round {i}, K = 10" for i in range(count - 2)), "truth"]
    versions = dict.fromkeys(names, (crop, "27.93 dB / 0.716"))
    figure = drawn(crops_figure, {"NOISY_0": versions, "a": versions})
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (rows, columns)
    assert figure.get_figwidth() == pytest.approx(PAGE if count > 3 else 3 / 4 * PAGE)
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 2 * count
    wide = figure.axes[0].bbox.width + 10
    for axes in shown:
        assert axes.title.get_window_extent().width < wide
        assert axes.xaxis.label.get_window_extent().width < wide
    labels = [part.get_supylabel() for part in figure.subfigs]
    assert labels == ["NOISY_0", "a"]


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


def test_crops_are_scored_in_their_window_by_the_truth():
    truth = np.full((9, 13, 3), 0.5, np.float32)
    versions = {"masked": 0 * truth, "inpainted": truth + 0.01, "original": truth}
    found = scored_crops(versions, truth, (slice(2, 9), slice(0, 7)))
    # 20 log10 of 1 / 0.5 and of 1 / 0.01.
    assert [text for _, text in found.values()] == ["6.02 dB", "40.00 dB", ""]
    assert {crop.shape for crop, _ in found.values()} == {(7, 7, 3)}


def test_names_of_files_are_no_mathematics(drawn):
    versions = {"noisy": (np.zeros((8, 8, 1)), "27.93 dB / 0.716")}
    figure = drawn(crops_figure, {"$\\foo_{$": versions})
    assert figure.subfigs[0].get_supylabel() == "$\\foo_{$"
