"""Crops of images: several versions side by side, and the noise that is left in one."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mid_core.evaluation.metrics import psnr
from mid_core.evaluation.noise_statistics import autocorrelation
from mid_core.figures.style import PAGE, TRUE, look

# Inches of the smallest and the largest crop with its margin: three of the small ones fit
# a column, six a page, as four of the large ones do; letters that fit above an inch.
SMALLEST, LARGEST, LETTERS = 1.1, PAGE / 4, 12
# Residuals are drawn stronger than they are, around mid grey.
GAIN = 4
Versions = Mapping[str, tuple[np.ndarray, str]]


def draw_crop(axes: Axes, image: np.ndarray, title: str, text: str = "") -> None:
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
    rows = -(-count // int(PAGE / SMALLEST))
    columns = -(-count // rows)
    side = min(LARGEST, PAGE / columns)
    size = (columns * side, len(images) * rows * (side + 0.42))
    figure = Figure(figsize=size, layout="constrained")
    parts = figure.subfigures(len(images), squeeze=False)
    for (name, versions), part in zip(images.items(), parts.ravel(), strict=True):
        # In the name of a file, $ is no mathematics.
        part.supylabel(textwrap.fill(name, 24 * rows), parse_math=False)
        grid = part.subplots(rows, columns, squeeze=False).ravel()
        _draw_versions(grid, versions, int(LETTERS * side))
    return figure


def _draw_versions(grid: Sequence[Axes], versions: Versions, letters: int) -> None:
    for axes in grid[len(versions) :]:
        axes.set_axis_off()
    for axes, (name, (crop, text)) in zip(grid, versions.items(), strict=False):
        # "K = 10" stays on one line.
        whole = name.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        draw_crop(axes, crop, textwrap.fill(whole, letters), text)


def scored_crops(
    versions: Mapping[str, np.ndarray], truth: np.ndarray, window: tuple[slice, slice]
) -> Versions:
    """Cut a window of each version, with its PSNR there under it; none for the truth."""
    return {
        name: (
            image[window],
            "" if image is truth else f"{psnr(image[window], truth[window]):.2f} dB",
        )
        for name, image in versions.items()
    }


def remains_figure(
    noisy: np.ndarray,
    denoised: np.ndarray,
    clean: np.ndarray,
    window: tuple[slice, slice],
    denoiser: str = "trained on white noise",
) -> Figure:
    """Draw what a denoiser leaves of real noise (paper, Fig. 3).

    Parameters
    ----------
    noisy, denoised, clean
        The same image, (H, W, C) in [0, 1]. Errors are measured on all of it.
    window
        The part that is shown.
    denoiser
        What the denoised picture is titled.
    """
    figure = Figure(figsize=(PAGE, 4.7), layout="constrained")
    grid = figure.subplots(2, 3)
    for axes, image, title in zip(
        grid[0],
        (noisy, denoised, clean),
        ("noisy", denoiser, "clean"),
        strict=True,
    ):
        exact = image is clean
        text = "" if exact else f"{psnr(image, clean):.2f} dB"
        draw_crop(axes, image[window], title, text)
    noise, left = noisy - clean, denoised - clean
    for axes, error, title in zip(
        grid[1], (noise, left), ("noise", "what is left of it"), strict=False
    ):
        text = f"std {255 * error.std(dtype=np.float64):.1f} of 255, drawn × {GAIN}"
        draw_crop(axes, 0.5 + GAIN * error[window], title, text)
    axes = grid[1, 2]
    # What is left has the colour of N_0, the noise on which the denoiser was trained.
    for error, name, of in ((noise, "noise", TRUE[0]), (left, "what is left", "N_0")):
        values = autocorrelation(error)
        middle = values.shape[0] // 2
        near = (values[middle, middle:] + values[middle:, middle]) / 2
        axes.plot(near, label=name, **look(of))
    axes.axhline(0, color="0.7", lw=0.5, zorder=0)
    axes.set(xlabel="shift (pixels)", title="autocorrelation of both")
    axes.legend()
    return figure
