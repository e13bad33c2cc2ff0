"""Pictures of noise banks and of results: data in, matplotlib figure out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.dpi": 150,
    "pdf.fonttype": 42,
}
# Okabe and Ito's colours, told apart by colour-blind readers too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


def save(figure: Figure, *paths: Path | str) -> None:
    """Write a figure to every path, by its suffix."""
    for path in paths:
        # A date in the file would make equal figures differ.
        metadata = {"CreationDate": None} if str(path).endswith(".pdf") else None
        figure.savefig(path, metadata=metadata, bbox_inches="tight")


def _patches(axes, patches: Sequence[np.ndarray], columns: int) -> None:
    """Show noise patches as a mosaic around mid grey."""
    rows = [
        np.concatenate(patches[i : i + columns], axis=1)
        for i in range(0, len(patches) // columns * columns, columns)
    ]
    picture = np.concatenate(rows).astype(np.float32)
    picture = np.clip(0.5 + 2 * picture, 0, 1)
    axes.imshow(picture if picture.shape[2] == 3 else picture[..., 0], cmap="gray")
    axes.set_axis_off()


def _histogram(axes, statistics: dict) -> None:
    """Draw the density of the noise beside the Gaussian of its mean and spread."""
    edges = 255 * np.asarray(statistics["histogram"]["edges"])
    counts = np.asarray(statistics["histogram"]["counts"], float)
    centres, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    density = counts / max(counts.sum() * width, 1e-12)
    mean = np.average(centres, weights=counts) if counts.any() else 0.0
    spread = np.sqrt(np.average((centres - mean) ** 2, weights=counts)) or 1.0
    gauss = np.exp(-((centres - mean) ** 2) / (2 * spread**2))
    axes.semilogy(centres, np.where(density > 0, density, np.nan), color=COLOURS[0])
    axes.semilogy(
        centres, gauss / (spread * np.sqrt(2 * np.pi)), "--", color=COLOURS[1]
    )
    axes.set(xlabel="noise (grey levels)", ylabel="density", xlim=(-110, 110))
    axes.set_ylim(1e-6, 0.3)
    axes.legend(["noise", "Gaussian"], fontsize=6, loc="lower center")


def _autocorrelation(axes, statistics: dict) -> None:
    """Draw the 2-D autocorrelation, with the value of the first lags."""
    values = np.asarray(statistics["autocorrelation"])
    lags = values.shape[0] // 2
    extent = (-lags - 0.5, lags + 0.5, lags + 0.5, -lags - 0.5)
    axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, extent=extent)
    near = (values[lags, lags + 1] + values[lags + 1, lags]) / 2
    far = (values[lags, lags + 2] + values[lags + 2, lags]) / 2
    # Adding 0 turns -0.00 into 0.00.
    near, far = round(near, 2) + 0, round(far, 2) + 0
    axes.set(xlabel=f"shift (pixels)\nlag 1: {near:.2f}, lag 2: {far:.2f}")
    axes.set(xticks=(-lags, 0, lags), yticks=(-lags, 0, lags))


def _brightness(axes, statistics: dict) -> None:
    """Draw the noise's spread against the brightness under it."""
    curve = statistics["variance_by_brightness"]
    axes.set(xlabel="brightness", ylabel="std (grey levels)", xlim=(0, 255))
    if not curve["brightness"]:
        axes.text(0.5, 0.5, "no image\nunder it", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    brightness = 255 * np.asarray(curve["brightness"])
    spread = 255 * np.sqrt(np.maximum(curve["variance"], 0))
    axes.plot(brightness, spread, ".-", color=COLOURS[0])
    axes.set_ylim(0, 1.1 * spread.max() or 1)


def _colours(axes, statistics: dict) -> None:
    """Draw the correlation between the colours."""
    matrix = np.asarray(statistics["colour_correlation"])
    axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    ticks = range(len(matrix))
    labels = ["R", "G", "B"] if len(matrix) == 3 else ["grey"]
    axes.set(xticks=ticks, yticks=ticks, xticklabels=labels, yticklabels=labels)
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            ink = "white" if abs(value) > 0.7 else "black"
            axes.text(
                j, i, f"{round(value, 2) + 0:.2f}", ha="center", va="center", color=ink
            )


PANELS = (
    ("density", _histogram),
    ("autocorrelation", _autocorrelation),
    ("std against brightness", _brightness),
    ("colour correlation", _colours),
)


def noise_figure(
    banks: dict[str, tuple[Sequence[np.ndarray], dict]], columns: int = 4
) -> Figure:
    """Draw noise banks, a row each: patches and four statistics.

    Parameters
    ----------
    banks
        For each name: patches (S, S, C) in units of [0, 1], and the statistics that
        ``noise.Statistics`` gathered.
    columns
        Patches beside each other.
    """
    figure = Figure(figsize=(10, 2.1 * len(banks)), layout="constrained")
    grid = figure.subplots(len(banks), 5, squeeze=False)
    for i, (name, (patches, statistics)) in enumerate(banks.items()):
        row = grid[i]
        _patches(row[0], patches, columns)
        mean, spread = (255 * np.mean(statistics[key]) for key in ("mean", "std"))
        row[0].set_title(f"{name}\nmean {mean:.1f}, std {spread:.1f} of 255")
        for axes, (title, draw) in zip(row[1:], PANELS, strict=True):
            if i == 0:
                axes.set_title(title)
            draw(axes, statistics)
    return figure


def training_figure(histories: dict[str, pd.DataFrame]) -> Figure:
    """Draw the loss of each training against its step, both logarithmic."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    for i, (label, history) in enumerate(histories.items()):
        axes.loglog(
            history["step"],
            history["loss"],
            label=label,
            color=COLOURS[i % len(COLOURS)],
            linestyle=["-", "--", ":"][i // len(COLOURS) % 3],
        )
    axes.set(xlabel="step", ylabel="training loss")
    axes.set_title("on different noise and masks, losses do not compare")
    axes.legend(fontsize=6)
    return figure


def rounds_figure(table: pd.DataFrame) -> Figure:
    """Draw PSNR by round, and below by the time that training took; a column a test.

    Parameters
    ----------
    table
        As ``tables.rounds_table`` returns it; each test's first protocol is drawn.
    """
    first = table.groupby("test")["protocol"].transform("first")
    tests = list(table[table["protocol"] == first].groupby("test", sort=False))
    figure = Figure(figsize=(4.2 * len(tests), 5.6), layout="constrained")
    grid = figure.subplots(2, len(tests), squeeze=False, sharey="col")
    for (above, below), (test, part) in zip(grid.T, tests, strict=True):
        models, noisy = part[part["variant"] != "noisy"], part.iloc[0]
        for i, (variant, own) in enumerate(models.groupby("variant", sort=False)):
            colour = COLOURS[i % len(COLOURS)]
            marker = "os^Dv"[i // len(COLOURS) % 5]
            _by_round(above, variant, own, c=colour, marker=marker)
            _by_minutes(below, own, c=colour, marker=marker)
        above.set(xlabel="round", xticks=range(int(models["round"].max()) + 1))
        above.set_title(
            f"{test}: n = {noisy['n_images']}, {noisy['protocol']}\n"
            f"noisy input {noisy['psnr_db']:.2f} dB"
        )
        below.set(xlabel="minutes of training, earlier rounds included", xlim=(0, None))
        for axes in (above, below):
            axes.set_ylabel("PSNR (dB)")
    handles = grid[0, -1].get_legend_handles_labels()
    figure.legend(*handles, loc="outside right center", fontsize=6)
    return figure


def _by_round(axes, variant: str, own: pd.DataFrame, **look) -> None:
    """Draw a variant against the round: a line for each K, or a level of one round."""
    for k, line in own.groupby("k"):
        style = "-" if k > 1 or own["k"].nunique() == 1 else ":"
        look |= {"ls": style, "label": f"{variant}, K = {k}"}
        if line["round"].max() == 0:
            level = {key: value for key, value in look.items() if key != "marker"}
            axes.axhline(line["psnr_db"].iloc[0], lw=1, **level)
        else:
            axes.plot(line["round"], line["psnr_db"], ms=3, **look)


def _by_minutes(axes, own: pd.DataFrame, **look) -> None:
    """Draw a variant, with its largest K, against what its rounds took to train."""
    line = own[own["k"] == own["k"].max()].sort_values("round")
    axes.plot(line["train_seconds"].cumsum() / 60, line["psnr_db"], ms=3, **look)


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


def crops_figure(rows: Sequence[dict[str, tuple[np.ndarray, str]]]) -> Figure:
    """Draw the same window of several versions of an image, a row for each image.

    Parameters
    ----------
    rows
        For each image: name of the version to its crop, float32 (S, S, C) in
        [0, 1], and the text under it.
    """
    columns = len(rows[0])
    figure = Figure(figsize=(1.7 * columns, 1.95 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for i, row in enumerate(rows):
        for axes, (name, (crop, text)) in zip(grid[i], row.items(), strict=True):
            picture = crop if crop.shape[2] == 3 else crop[..., 0]
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[], xlabel=text)
            axes.spines[:].set_visible(False)
            if i == 0:
                axes.set_title(name)
    return figure
