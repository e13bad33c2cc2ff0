"""PSNR of a run's rounds."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mid_core.figures.style import PAGE, look


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
