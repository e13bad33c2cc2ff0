import matplotlib as mpl
import numpy as np
import pytest

from mid_core.figures.crops import busiest_window, crops_figure
from mid_core.figures.style import COLUMN, PAGE, STYLE


def test_busiest_window_is_where_the_edges_are():
    image = np.zeros((90, 150, 3))
    image[33:63:2, 81:111] = 1
    rows, columns = busiest_window(image, 32)
    assert (rows.start, columns.start) == (32, 80)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (32, 32)
    rows, columns = busiest_window(image[:20, :25], 32)
    assert (rows, columns) == (slice(0, 20), slice(0, 25))


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(3, 1, 3), (6, 1, 6), (8, 2, 4), (13, 3, 5)]
)
def test_versions_wrap_so_that_all_fits_a_page(count, rows, columns):
    crop = np.zeros((8, 8, 1))
    names = ["noisy", *(f"MID, round {i}, K = 10" for i in range(count - 2)), "truth"]
    versions = dict.fromkeys(names, (crop, "27.93 dB / 0.716"))
    with mpl.rc_context(STYLE):
        figure = crops_figure({"NOISY_0": versions, "a": versions})
        figure.draw_without_rendering()
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert (grid.nrows, grid.ncols) == (rows, columns)
    assert figure.get_figwidth() <= PAGE
    assert figure.get_figwidth() == pytest.approx(COLUMN) or count > 3
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 2 * count
    wide = figure.axes[0].bbox.width + 10
    for axes in shown:
        assert axes.title.get_window_extent().width < wide
        assert axes.xaxis.label.get_window_extent().width < wide
    labels = [part.get_supylabel() for part in figure.subfigs]
    assert labels == ["NOISY_0", "a"]
