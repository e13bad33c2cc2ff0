import pytest
from matplotlib.text import Text

from mid_core.figures.style import PAGE, draw


@pytest.fixture
def drawn(tmp_path):
    """Draw a figure as the workflow does, to a file, and see that it is legible."""

    def made(make, *data):
        figure = draw(make, *data, to=[tmp_path / "figure.pdf"])
        _check_legible(figure)
        return figure

    return made


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
