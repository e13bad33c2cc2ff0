"""What images show of their noise: its spread by brightness, and its correlations."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mid_core.evaluation.sights import Sight, curve
from mid_core.figures.style import PAGE
from mid_core.look import BINS, autocorrelation

LAGS = 6
_INK = {"R": "#D55E00", "G": "#009E73", "B": "#0072B2", "grey": "black"}


def look_figure(sights: Sequence[Sight]) -> Figure:
    """Draw what images show of their noise, a row for grey images and one for colour.

    Parameters
    ----------
    sights
        As ``sights.look_at`` gives them. Curves are medians over the images, and
        the map is their mean correlation, as seen.
    """
    size = (PAGE, 0.3 + 2.0 * len(sights))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(sights), 2, squeeze=False, width_ratios=(3, 2))
    for sight, (left, right) in zip(sights, grid, strict=True):
        _brightness(left, sight)
        _map(right, sight)
    return figure


def _brightness(axes: Axes, sight: Sight) -> None:
    middles = 255 * (np.arange(BINS) + 0.5) / BINS
    stds = curve(sight)
    for name, std in zip(sight.colours, stds, strict=True):
        axes.plot(middles, std, ".-", color=_INK[name], label=name)
    title = f"{len(sight.images)} image(s)"
    axes.set(xlabel="brightness (grey levels)", ylabel="std (grey levels)", title=title)
    axes.set(xlim=(0, 255), ylim=(0, 1.1 * np.nanmax(stds) or 1))
    axes.legend()


def _map(axes: Axes, sight: Sight) -> None:
    """Show the mean autocorrelation of images and colours, as a map from -1 to 1."""
    each = [autocorrelation(seen.look.spectrum, LAGS) for seen in sight.images]
    values = np.einsum("nyxcc->yx", np.array(each))
    edge = LAGS + 0.5
    shown = axes.imshow(
        values / values[LAGS, LAGS],
        cmap="RdBu_r",
        vmin=-1,
        vmax=1,
        extent=(-edge, edge, edge, -edge),
    )
    axes.set(xticks=(-LAGS, 0, LAGS), yticks=(-LAGS, 0, LAGS))
    axes.set(title="autocorrelation", xlabel="shift (pixels)")
    axes.figure.colorbar(shown, ax=axes)
