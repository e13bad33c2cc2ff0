"""How far noise banks are from the true noise, and masked inputs from real ones."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mid_core.evaluation.realism import MEASURES
from mid_core.figures.style import COLUMN, PAGE, label, look


def realism_figure(table: pd.DataFrame, floor: pd.Series) -> Figure:
    """Draw each distance to the true noise against the round, one panel each.

    Parameters
    ----------
    table
        The columns of `realism.MEASURES`, a row for each bank N_k, in order.
    floor
        What the true noise scores as its own bank. Differences below it mean nothing:
        the axis is linear and shaded there, and logarithmic above.
    """
    figure = Figure(figsize=(PAGE, 2.2), layout="constrained")
    panels, rounds = figure.subplots(1, len(MEASURES)), range(len(table))
    for axes, (measure, title) in zip(panels, MEASURES.items(), strict=True):
        highest = table[measure].max()
        lowest = max(floor[measure], highest / 1000, 1e-6)
        axes.axhspan(0, lowest, color="0.88", lw=0, label="floor: the true noise")
        axes.plot(rounds, table[measure], **look("bank"), label="noise bank")
        axes.set_yscale("symlog", linthresh=lowest, linscale=0.5)
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set(xticks=rounds, title=textwrap.fill(title, 20))
        limits = (0, 1.5 * max(highest, lowest))
        axes.set_ylim(limits)
        # The linear part has room for one tick.
        ticks = [tick for tick in axes.get_yticks() if not 0 < tick < lowest]
        axes.set(yticks=ticks, ylim=limits)
    figure.supxlabel("bank $N_k$ of round k")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


def gap_figure(table: pd.DataFrame) -> Figure:
    """Draw the gap of masked synthetic inputs to masked real ones against the ratio.

    Parameters
    ----------
    table
        ``bank``, ``mask_ratio`` and ``gap_nats``, as ``realism.gap`` finds them for
        each bank; the bank ``floor`` is real inputs against real ones.
    """
    figure = Figure(figsize=(COLUMN, 3), layout="constrained")
    axes = figure.subplots()
    for name, found in table.groupby("bank", sort=False):
        masked, nats = 100 * found["mask_ratio"], found["gap_nats"]
        if name == "floor":
            style = {"color": "0.88", "lw": 0, "label": "floor: real inputs"}
            axes.fill_between(masked, nats, **style)
        else:
            axes.plot(masked, nats, markevery=4, label=label(name), **look(name))
    axes.set(xlabel="masked (%)", ylabel="KL of masked pairs of pixels (nats)")
    # Near 0, where every gap ends and the floor lies, the axis is linear.
    axes.set_yscale("symlog", linthresh=0.002, linscale=0.5)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set(xlim=(0, 100), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3)
    return figure
