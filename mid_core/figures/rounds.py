"""Pictures of noise banks and of results: data in, matplotlib figure out."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mid_core.figures.style import PAGE, SMALL, label, look


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
    """Draw the density of the noise over the Gaussian of its mean and spread."""
    edges = 255 * np.asarray(statistics["histogram"]["edges"])
    counts = np.asarray(statistics["histogram"]["counts"], float)
    centres, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    density = counts / max(counts.sum() * width, 1e-12)
    mean = np.average(centres, weights=counts) if counts.any() else 0.0
    spread = np.sqrt(np.average((centres - mean) ** 2, weights=counts)) or 1.0
    gauss = np.exp(-((centres - mean) ** 2) / (2 * spread**2))
    axes.semilogy(centres, gauss / (spread * np.sqrt(2 * np.pi)), "--", color="0.6")
    axes.semilogy(centres, np.where(density > 0, density, np.nan))
    axes.set(xlabel="noise (grey levels)", xlim=(-110, 110), ylim=(1e-6, 0.3))
    axes.set(yticks=(1e-5, 1e-3, 1e-1))


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
    axes.set(title=f"lag 1: {near:.2f}, lag 2: {far:.2f}", xlabel="shift (pixels)")
    axes.set(xticks=(-lags, 0, lags), yticks=(-lags, 0, lags))


def _brightness(axes, statistics: dict) -> None:
    """Draw the noise's spread against the brightness under it."""
    curve = statistics["variance_by_brightness"]
    axes.set(xlabel="brightness (grey levels)", xlim=(0, 255))
    if not curve["brightness"]:
        axes.text(0.5, 0.5, "no image\nunder it", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    brightness = 255 * np.asarray(curve["brightness"])
    spread = 255 * np.sqrt(np.maximum(curve["variance"], 0))
    axes.plot(brightness, spread, ".-")
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
            style = {"ha": "center", "va": "center", "color": ink, "fontsize": SMALL}
            axes.text(j, i, f"{round(value, 2) + 0:.2f}", **style)


PANELS = (
    ("density", _histogram),
    ("autocorrelation", _autocorrelation),
    ("std by brightness", _brightness),
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
    figure = Figure(figsize=(PAGE, 0.4 + 1.35 * len(banks)), layout="constrained")
    grid = figure.subplots(len(banks), 5, squeeze=False, width_ratios=(6, 5, 5, 5, 5))
    for i, (name, (patches, statistics)) in enumerate(banks.items()):
        first, *others = grid[i]
        _patches(first, patches, columns)
        mean, spread = (255 * np.mean(statistics[key]) for key in ("mean", "std"))
        first.set_title(f"{label(name)}\nmean {mean:.1f}, std {spread:.1f}")
        for axes, (title, draw) in zip(others, PANELS, strict=True):
            axes.set_prop_cycle(color=[look(name)["color"]])
            draw(axes, statistics)
            if i == 0:
                axes.set_title(f"{title}\n{axes.get_title()}")
            if i < len(banks) - 1:
                axes.set_xlabel("")
    return figure


def training_figure(histories: Mapping[tuple[str, int], pd.DataFrame]) -> Figure:
    """Draw the loss of each training against its step, both logarithmic.

    Parameters
    ----------
    histories
        By variant and round: the columns ``step`` and ``loss``. A panel for each
        variant: on different noise and masks, losses do not compare.
    """
    variants = list(dict.fromkeys(variant for variant, _ in histories))
    columns = min(4, len(variants))
    rows = -(-len(variants) // columns)
    size = (PAGE, 0.6 + 1.5 * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    panels = dict(zip(variants, grid.ravel(), strict=False))
    lines = {}
    for (variant, k), history in histories.items():
        colour = look(f"N_{k}")["color"]
        (line,) = panels[variant].loglog(history["step"], history["loss"], c=colour)
        lines.setdefault(k, line)
    for variant, axes in panels.items():
        axes.set_title(variant)
    for axes in grid.ravel()[len(variants) :]:
        axes.set_axis_off()
    figure.supxlabel("step")
    figure.supylabel("training loss")
    names = [f"round {k}" for k in sorted(lines)]
    found = [lines[k] for k in sorted(lines)]
    figure.legend(found, names, loc="outside upper center", ncols=len(names))
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
    variants = [name for name in table["variant"].unique() if name != "noisy"]
    lines = -(-(len(variants) + 2) // 4)
    size = (PAGE, 4.2 + 0.15 * lines)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(2, len(tests), squeeze=False, sharey="col")
    for (above, below), (test, part) in zip(grid.T, tests, strict=True):
        models, noisy = part[part["variant"] != "noisy"], part.iloc[0]
        for variant, own in models.groupby("variant", sort=False):
            style = look(variant, variants.index(variant))
            _by_round(above, own, **style)
            _by_minutes(below, own, **style)
        above.set(xlabel="round", xticks=range(int(models["round"].max()) + 1))
        above.set_title(
            f"{test}: n = {noisy['n_images']}, {noisy['protocol']}\n"
            f"noisy input {noisy['psnr_db']:.2f} dB"
        )
        below.set(xlabel="minutes of training, earlier rounds included", xlim=(0, None))
    for axes in grid[:, 0]:
        axes.set_ylabel("PSNR (dB)")
    keys = [Line2D([], [], label=v, **look(v, i)) for i, v in enumerate(variants)]
    keys += [
        Line2D([], [], color="0.4", ls=style, label=text)
        for style, text in ((":", "smaller K"), ("-", "the largest K"))
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return figure


def _by_round(axes: Axes, own: pd.DataFrame, **style: str) -> None:
    """Draw a variant against the round, a line for each K; one round as a level."""
    for k, line in own.groupby("k"):
        dashes = ":" if k < own["k"].max() else "-"
        axes.plot(line["round"], line["psnr_db"], ls=dashes, **style)
        if line["round"].max() == 0:
            level = line["psnr_db"].iloc[0]
            axes.axhline(level, ls=dashes, lw=0.5, color=style["color"])


def _by_minutes(axes: Axes, own: pd.DataFrame, **style: str) -> None:
    """Draw a variant, with its largest K, against what its rounds took to train."""
    line = own[own["k"] == own["k"].max()].sort_values("round")
    axes.plot(line["train_seconds"].cumsum() / 60, line["psnr_db"], **style)
