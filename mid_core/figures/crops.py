"""The same window of several versions of an image, beside each other."""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from mid_core.figures.style import PAGE

# Inches of a crop with its margin: three to a column, six to a page. Letters that fit.
SIDE, LETTERS = 1.1, 13
Versions = Mapping[str, tuple[np.ndarray, str]]


def busiest_window(image: np.ndarray, size: int) -> tuple[slice, slice]:
    """Return the window with the strongest gradients: chosen by rule, not by hand.

    Parameters
    ----------
    image
        Clean image, (H, W, C).
    size
        Side of the window; the whole image where it is smaller. Windows start at
        multiples of 16 pixels.
    """
    dy, dx = np.gradient(image.mean(axis=2))
    sums = np.pad(np.hypot(dy, dx), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    high, wide = (min(size, side) for side in image.shape[:2])
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide]
    inside = (inside + sums[:-high, :-wide])[::16, ::16]
    top, left = (16 * int(i) for i in np.unravel_index(inside.argmax(), inside.shape))
    return slice(top, top + high), slice(left, left + wide)


def draw_crop(axes: Axes, image: np.ndarray, title: str, text: str) -> None:
    """Show (S, S, C) in [0, 1] between a title and a line under it."""
    picture = np.clip(image if image.shape[2] == 3 else image[..., 0], 0, 1)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[], title=title, xlabel=text)
    axes.spines[:].set_visible(False)


def crops_figure(images: Mapping[str, Versions]) -> Figure:
    """Draw the same window of several versions of each image.

    Parameters
    ----------
    images
        For the name of each image, the same versions by name: a crop, float32
        (S, S, C) in [0, 1], and the text under it.
    """
    count = max(map(len, images.values()))
    rows = -(-count // int(PAGE / SIDE))
    columns = -(-count // rows)
    size = (columns * SIDE, len(images) * rows * (SIDE + 0.42))
    figure = Figure(figsize=size, layout="constrained")
    parts = figure.subfigures(len(images), squeeze=False)
    for (name, versions), part in zip(images.items(), parts.ravel(), strict=True):
        part.supylabel(textwrap.fill(name, 24 * rows))
        _draw_versions(part, versions, rows, columns)
    return figure


def _draw_versions(part: SubFigure, versions: Versions, rows: int, columns: int):
    grid = part.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(versions) :]:
        axes.set_axis_off()
    for axes, (name, (crop, text)) in zip(grid, versions.items(), strict=False):
        # "K = 10" stays on one line.
        whole = name.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        draw_crop(axes, crop, textwrap.fill(whole, LETTERS), text)
