"""Quality against cost: a point for each method."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mid_core.figures.style import COLOURS, MARKERS, PAGE, SMALL


def tradeoff_figure(table: pd.DataFrame) -> Figure:
    """Draw PSNR against the seconds that a megapixel takes; a panel for each test.

    Parameters
    ----------
    table
        The columns of ``tables.given.compared_table``; the first protocol of each
        test is drawn, as means over seeds.
    """
    known = table.dropna(subset=["psnr_db", "seconds_per_megapixel"])
    tests = list(known.groupby("test", sort=False))
    size = (PAGE, 3.2 * len(tests) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(tests), 1, squeeze=False)[:, 0]
    families = list(known["family"].unique())
    for axes, (test, part) in zip(grid, tests, strict=True):
        first = part[part["protocol"] == part["protocol"].iloc[0]]
        _panel(axes, first, families)
        one = first.iloc[0]
        axes.set_title(
            f"{test}: n = {one['n_images']}, {one['protocol']}, noisy input "
            f"{one['noisy_psnr_db']:.2f} dB"
        )
    grid[-1].set_xlabel("seconds a megapixel, one answer")
    # A test may lack a family.
    each = [axes.get_legend_handles_labels() for axes in grid]
    lines = {label: line for own in each for line, label in zip(*own, strict=True)}
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=5)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, families: list[str]) -> None:
    numbers = ["psnr_db", "seconds_per_megapixel"]
    means = rows.groupby(["method", "family"], sort=False)[numbers].mean()
    for i, family in enumerate(families):
        if family not in means.index.get_level_values("family"):
            continue
        own = means.xs(family, level="family")
        style = {
            "color": COLOURS[i % len(COLOURS)],
            "marker": MARKERS[i % len(MARKERS)],
        }
        x, y = own["seconds_per_megapixel"], own["psnr_db"]
        axes.plot(x, y, ls="", label=family, **style)
        for method, at in zip(own.index, zip(x, y, strict=True), strict=True):
            axes.annotate(
                method, at, xytext=(3, 2), textcoords="offset points", fontsize=SMALL
            )
    axes.set(xscale="log", ylabel="PSNR (dB)")
    axes.margins(x=0.12, y=0.1)
