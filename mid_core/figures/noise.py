"""Pictures of what noise is like, round by round, and of what masks do."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mid_core.evaluation.metrics import psnr
from mid_core.evaluation.noise_statistics import autocorrelation
from mid_core.evaluation.realism import MEASURES
from mid_core.figures.crops import crops_figure, draw_crop
from mid_core.figures.style import COLUMN, PAGE, TRUE, label, look

# Residuals are drawn stronger than they are, around mid grey.
GAIN = 4
LAGS = 6


def realism_figure(table: pd.DataFrame, floor: Mapping[str, float]) -> Figure:
    """Draw each distance to the true noise against the round, one panel each.

    Parameters
    ----------
    table
        Columns ``variant`` and ``round``, and those of `realism.MEASURES`: a row for
        each bank N_k.
    floor
        What the true noise scores as its own bank. Below it, where nothing is told
        apart, the axis is linear and shaded; above it is logarithmic.
    """
    figure = Figure(figsize=(PAGE, 3.6), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    for axes, (measure, title) in zip(panels, MEASURES.items(), strict=False):
        highest = table[measure].max()
        lowest = max(abs(floor[measure]), highest / 1000, 1e-6)
        axes.axhspan(0, lowest, color="0.88", lw=0, label="floor: the true noise")
        for i, (variant, own) in enumerate(table.groupby("variant", sort=False)):
            axes.plot(
                own["round"],
                own[measure],
                label=variant,
                **look(variant, i),
            )
        axes.set_yscale("symlog", linthresh=lowest, linscale=0.5)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xticks=sorted(table["round"].unique()), title=title)
        axes.set_ylim(min(0, 1.2 * table[measure].min()), max(1.5 * highest, lowest))
        axes.set_xlabel("bank $N_k$ of round k")
    panels[-1].set_axis_off()
    panels[-1].legend(*panels[0].get_legend_handles_labels(), loc="center")
    return figure


def brightness_figure(banks: Mapping[str, dict], truth: dict) -> Figure:
    """Draw the spread of the noise against the brightness of the image under it.

    Parameters
    ----------
    banks
        For each name: what ``noise.Statistics`` gathered. A bank that was drawn without
        an image has the same spread everywhere.
    truth
        The same of the true noise.
    """
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    axes = figure.subplots()
    for name, statistics in (banks | {TRUE[0]: truth}).items():
        curve = statistics["variance_by_brightness"]
        style = look(name) | {"label": label(name)}
        if curve["brightness"]:
            brightness = 255 * np.asarray(curve["brightness"])
            std = 255 * np.sqrt(np.maximum(curve["variance"], 0))
            axes.plot(brightness, std, **style)
        else:
            del style["marker"]
            axes.axhline(255 * np.mean(statistics["std"]), ls="--", **style)
    axes.set(xlabel="brightness (grey levels)", ylabel="std (grey levels)")
    axes.set(xlim=(0, 255), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def autocorrelation_figure(banks: Mapping[str, dict]) -> Figure:
    """Draw the autocorrelation of each bank, as a map on one scale.

    Parameters
    ----------
    banks
        For each name: what ``noise.Statistics`` gathered.
    """
    columns = min(5, len(banks))
    rows = -(-len(banks) // columns)
    figure = Figure(figsize=(PAGE, 0.3 + 1.75 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel()[len(banks) :]:
        axes.set_axis_off()
    for axes, (name, statistics) in zip(grid.ravel(), banks.items(), strict=False):
        values = np.asarray(statistics["autocorrelation"])
        middle = values.shape[0] // 2
        reach = min(LAGS, middle)
        inner = slice(middle - reach, middle + reach + 1)
        edge = reach + 0.5
        shown = axes.imshow(
            values[inner, inner],
            cmap="RdBu_r",
            vmin=-0.5,
            vmax=0.5,
            extent=(-edge, edge, edge, -edge),
        )
        across, down = values[middle, middle + 1], values[middle + 1, middle]
        # Adding 0 turns -0.00 into 0.00.
        axes.set_title(f"{label(name)}\nlag 1: {round((across + down) / 2, 2) + 0:.2f}")
        axes.set(xticks=(-reach, 0, reach), yticks=(-reach, 0, reach))
    for axes in grid[-1]:
        axes.set_xlabel("shift (pixels)")
    figure.colorbar(shown, ax=grid, extend="both", label="autocorrelation", shrink=0.8)
    return figure


def gap_figure(
    gaps: Mapping[str, dict[str, Sequence[float]]], floor: dict[str, Sequence[float]]
) -> Figure:
    """Draw the gap of masked synthetic inputs to masked real ones against the ratio.

    Parameters
    ----------
    gaps
        For the name of each bank: what ``gap.gap`` returns.
    floor
        The same of real inputs against real ones.
    """
    figure = Figure(figsize=(COLUMN, 3), layout="constrained")
    axes = figure.subplots()
    ratio = 100 * np.asarray(floor["mask_ratio"])
    lowest = np.abs(floor["gap_nats"])
    axes.fill_between(ratio, lowest, color="0.88", lw=0, label="floor: real inputs")
    for name, found in gaps.items():
        axes.plot(
            100 * np.asarray(found["mask_ratio"]),
            found["gap_nats"],
            markevery=4,
            label=label(name),
            **look(name),
        )
    axes.set(xlabel="masked (%)", ylabel="KL of masked 3×3 patches (nats)")
    # Near 0, where every gap ends and the floor lies, the axis is linear.
    axes.set_yscale("symlog", linthresh=0.02, linscale=0.5)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0, 100)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


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
    # What is left goes by the colour of N_0, on which the denoiser was trained.
    for error, name, of in ((noise, "noise", TRUE[0]), (left, "what is left", "N_0")):
        values = autocorrelation(error)
        middle = values.shape[0] // 2
        near = (values[middle, middle:] + values[middle:, middle]) / 2
        axes.plot(near, label=name, **look(of))
    axes.axhline(0, color="0.7", lw=0.5, zorder=0)
    axes.set(xlabel="shift (pixels)", title="autocorrelation of both")
    axes.legend()
    return figure


def inpainter_figure(
    histories: Mapping[float, pd.DataFrame], images: str = "held-out images"
) -> Figure:
    """Draw how well inpainters do on held-out images (paper, Fig. 4).

    Parameters
    ----------
    histories
        For each mask ratio: the columns ``step`` and ``psnr_db``, of held-out images.
    images
        Which these are.
    """
    figure = Figure(figsize=(PAGE, 2.4), layout="constrained")
    curves, ends = figure.subplots(1, 2, width_ratios=(3, 2))
    ratios = sorted(histories)
    # Viridis without its end, which is too pale to see on white.
    shades = colormaps["viridis"](np.linspace(0, 0.85, len(ratios)))
    for shade, ratio in zip(shades, ratios, strict=True):
        history, text = histories[ratio], f"{100 * ratio:.0f} %"
        curves.plot(history["step"], history["psnr_db"], color=shade, label=text)
        last = history["psnr_db"].iloc[-1]
        ends.plot(100 * ratio, last, "o", color=shade)
        place = {"textcoords": "offset points", "xytext": (3, 3)}
        ends.annotate(f"{last:.1f}", (100 * ratio, last), **place)
    curves.set(xlabel="step", ylabel="held-out PSNR (dB)", title="while training")
    figure.suptitle(images)
    figure.legend(title="masked", loc="outside right center")
    ends.set(xlabel="masked (%)", ylabel="held-out PSNR (dB)", title="at the end")
    ends.set(xlim=(0, 100))
    ends.margins(y=0.15)
    return figure


def inpainted_figure(
    images: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Figure:
    """Draw masked, inpainted and original images, with their PSNR (paper, Fig. 5).

    Parameters
    ----------
    images
        For each name: the masked input, the inpainted and the original crop, (S, S, C)
        in [0, 1].
    """
    return crops_figure(
        {
            name: {
                "masked": (masked, f"{psnr(masked, original):.2f} dB"),
                "inpainted": (found, f"{psnr(found, original):.2f} dB"),
                "original": (original, ""),
            }
            for name, (masked, found, original) in images.items()
        }
    )
