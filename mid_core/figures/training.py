"""Curves of trainings, step by step."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from mid_config.numbers import percent
from mid_core.figures.style import PAGE, look


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
        history, text = histories[ratio], f"{percent(ratio)} %"
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
