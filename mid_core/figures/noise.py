"""Noise banks: patches, and their statistics."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from scipy.stats import norm

from mid_core.evaluation.inspection import mosaic
from mid_core.evaluation.noise_statistics import lag_correlation, std_by_brightness
from mid_core.evaluation.realism import moments
from mid_core.figures.crops import draw_crop
from mid_core.figures.style import COLUMN, PAGE, SMALL, label, look

LAGS = 6


def _histogram(axes: Axes, statistics: Mapping) -> None:
    """Draw the density of the noise over the Gaussian of its mean and spread."""
    histogram = statistics["histogram"]
    edges = 255 * np.asarray(histogram["edges"])
    counts = np.asarray(histogram["counts"], float)
    levels, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    density = counts / max(counts.sum() * width, 1e-12)
    found = moments(histogram)
    gauss = norm.pdf(levels, found["mean"], found["std"] or 1)
    axes.semilogy(levels, gauss, "--", color="0.6")
    axes.semilogy(levels, np.where(density > 0, density, np.nan))
    axes.set(xlabel="noise (grey levels)", xlim=(-110, 110), ylim=(1e-6, 0.3))
    axes.set(yticks=(1e-5, 1e-3, 1e-1))


def _lag(statistics: Mapping, lag: int) -> str:
    return f"lag {lag}: {lag_correlation(statistics, lag):z.2f}"


def _map(axes: Axes, statistics: Mapping, lags: int, limit: float) -> AxesImage:
    """Show the autocorrelation up to some lags as a map from -limit to limit."""
    values = np.asarray(statistics["autocorrelation"])
    middle, edge = len(values) // 2, lags + 0.5
    inner = slice(middle - lags, middle + lags + 1)
    axes.set(xticks=(-lags, 0, lags), yticks=(-lags, 0, lags))
    return axes.imshow(
        values[inner, inner],
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        extent=(-edge, edge, edge, -edge),
    )


def _autocorrelation(axes: Axes, statistics: Mapping) -> None:
    """Draw the 2-D autocorrelation, with the value of the first lags."""
    _map(axes, statistics, len(statistics["autocorrelation"]) // 2, 1)
    title = f"{_lag(statistics, 1)}, {_lag(statistics, 2)}"
    axes.set(title=title, xlabel="shift (pixels)")


def _brightness(axes: Axes, statistics: Mapping) -> None:
    """Draw the noise's spread against the brightness under it."""
    curve = std_by_brightness(statistics)
    axes.set(xlabel="brightness (grey levels)", xlim=(0, 255))
    if not curve:
        axes.text(0.5, 0.5, "no image\nunder it", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    axes.plot(list(curve), list(curve.values()), ".-")
    axes.set_ylim(0, 1.1 * max(curve.values()) or 1)


def _colours(axes: Axes, statistics: Mapping) -> None:
    """Draw the correlation between the colours."""
    matrix = np.asarray(statistics["colour_correlation"])
    axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    ticks = range(len(matrix))
    labels = ["R", "G", "B"] if len(matrix) == 3 else ["grey"]
    axes.set(xticks=ticks, yticks=ticks, xticklabels=labels, yticklabels=labels)
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            ink = "white" if abs(value) > 0.7 else "black"
            style = {"ha": "center", "va": "center", "color": ink, "fontsize": SMALL}
            axes.text(j, i, f"{value:z.2f}", **style)


PANELS = (
    ("density", _histogram),
    ("autocorrelation", _autocorrelation),
    ("std by brightness", _brightness),
    ("colour correlation", _colours),
)


def noise_figure(
    banks: Mapping[str, tuple[Sequence[np.ndarray], Mapping]],
) -> Figure:
    """Draw noise banks, a row each: patches and four statistics.

    Parameters
    ----------
    banks
        For each name: eight patches (S, S, C) in units of [0, 1], and the statistics
        that ``noise_statistics.Statistics`` gathered.
    """
    figure = Figure(figsize=(PAGE, 0.4 + 1.35 * len(banks)), layout="constrained")
    grid = figure.subplots(len(banks), 5, squeeze=False, width_ratios=(6, 5, 5, 5, 5))
    for i, (name, (patches, statistics)) in enumerate(banks.items()):
        first, *others = grid[i]
        mean, std = (255 * np.mean(statistics[key]) for key in ("mean", "std"))
        title = f"{label(name)}\nmean {mean:.1f}, std {std:.1f}"
        draw_crop(first, mosaic(patches), title)
        for axes, (title, draw) in zip(others, PANELS, strict=True):
            axes.set_prop_cycle(color=[look(name)["color"]])
            draw(axes, statistics)
            if i == 0:
                axes.set_title(f"{title}\n{axes.get_title()}")
            if i < len(banks) - 1:
                axes.set_xlabel("")
    return figure


def brightness_figure(banks: Mapping[str, Mapping]) -> Figure:
    """Draw the spread of the noise against the brightness of the image under it.

    Parameters
    ----------
    banks
        For each name: what ``noise_statistics.Statistics`` gathered. A bank that was
        drawn without an image has the same spread everywhere.
    """
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    axes = figure.subplots()
    for name, statistics in banks.items():
        curve = std_by_brightness(statistics)
        style = look(name) | {"label": label(name)}
        if curve:
            axes.plot(list(curve), list(curve.values()), **style)
        else:
            del style["marker"]
            axes.axhline(255 * np.mean(statistics["std"]), ls="--", **style)
    axes.set(xlabel="brightness (grey levels)", ylabel="std (grey levels)")
    axes.set(xlim=(0, 255), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def autocorrelation_figure(banks: Mapping[str, Mapping]) -> Figure:
    """Draw the autocorrelation of each bank, as a map on one scale.

    Parameters
    ----------
    banks
        For each name: what ``noise_statistics.Statistics`` gathered.
    """
    columns = min(5, len(banks))
    rows = -(-len(banks) // columns)
    figure = Figure(figsize=(PAGE, 0.3 + 1.75 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel()[len(banks) :]:
        axes.set_axis_off()
    for axes, (name, statistics) in zip(grid.ravel(), banks.items(), strict=False):
        shown = _map(axes, statistics, LAGS, 0.5)
        axes.set_title(f"{label(name)}\n{_lag(statistics, 1)}")
    for axes in grid[-1]:
        axes.set_xlabel("shift (pixels)")
    figure.colorbar(shown, ax=grid, extend="both", label="autocorrelation", shrink=0.8)
    return figure
