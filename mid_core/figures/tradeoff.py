"""Quality against cost: a point for each method."""

import numpy as np
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
    axes.set(xscale="log", ylabel="PSNR (dB)")
    axes.margins(x=0.22, y=0.1)
    _name_points(axes, means.droplevel("family"))


def _name_points(axes: Axes, points: pd.DataFrame) -> None:
    """Write each method's name beside its point, where the fewest others are near."""
    at = np.log10(points["seconds_per_megapixel"]), points["psnr_db"]
    # In widths of a name, and in heights of a line.
    x, y = (np.asarray(v) / max(np.ptp(v), 1e-9) for v in at)
    x, y = 6 * x, 24 * y
    taken = list(zip(x, y, strict=True))
    rows = zip(points.index, points.to_numpy(), strict=True)
    for i, (method, point) in enumerate(rows):
        places = {
            (x[i] + dx, y[i] + dy): (dx, dy) for dy in (0.4, -0.8) for dx in (0.5, -0.5)
        }
        own = min(places, key=lambda place: _crowd(place, taken))
        taken.append(own)
        dx, dy = places[own]
        axes.annotate(
            method,
            point[::-1],
            xytext=(6 * dx, 6 * dy),
            textcoords="offset points",
            fontsize=SMALL,
            ha="left" if dx > 0 else "right",
        )


def _crowd(place: tuple[float, float], taken: list[tuple[float, float]]) -> int:
    """How many points and names are so near that a name would cover them."""
    return sum(abs(place[0] - x) < 0.9 and abs(place[1] - y) < 0.9 for x, y in taken)
