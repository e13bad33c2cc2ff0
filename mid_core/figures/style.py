"""One style for every figure: its sizes, and for each thing the same colour."""

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# It logs the glyphs of each PDF, which would fill a job's log.
logging.getLogger("fontTools").setLevel(logging.WARNING)
# Inches of a printed page: one column, and both. Fonts are then as large as they say.
COLUMN, PAGE = 3.3, 6.9
SMALL = 6.5
STYLE = {
    "font.size": 7,
    "axes.titlesize": 7,
    "figure.titlesize": 7,
    "figure.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.linewidth": 1,
    "lines.markersize": 3.5,
    "figure.dpi": 150,
    "pdf.fonttype": 42,
}
# Okabe and Ito's colours, told apart by colour-blind readers too; black is the truth's.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
# One more than the colours, so that 42 lines all look different.
MARKERS = "os^Dvx*"
# What is true noise, or trained on it.
TRUE = ("true noise", "true_noise", "ceiling")


def draw(make: Callable[..., Figure], *data: Any, to: Iterable[Path | str]) -> Figure:
    """Draw a figure in the project's style, and write it to every path, by its suffix.

    Parameters
    ----------
    make
        Makes the figure of the data.
    data
        What it is made of.
    to
        The files, as ``.png`` or ``.pdf``.
    """
    with mpl.rc_context(STYLE):
        figure = make(*data)
        for path in to:
            # A date in the file would make equal figures differ.
            metadata = {"CreationDate": None} if str(path).endswith(".pdf") else None
            figure.savefig(path, metadata=metadata)
    return figure


def look(name: str, position: int = 0) -> dict[str, str]:
    """Return the colour and the marker of a line or a bank, the same in every figure.

    Parameters
    ----------
    name
        A bank N_k has the k-th look; true noise is black.
    position
        For all other names: their place among the lines, from 0.
    """
    if name in TRUE:
        return {"color": "black", "marker": "."}
    bank = re.fullmatch(r"N_(\d+)", name)
    i = int(bank[1]) if bank else position
    return {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}


def label(name: str) -> str:
    """Write the name of a bank as the paper does."""
    return re.sub(r"^N_(\d+)$", r"$N_{\1}$", name)
