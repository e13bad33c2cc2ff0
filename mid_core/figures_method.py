"""The method as a diagram: what was made of what, round by round."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mid_core.figures import COLOURS

# The side of a column is 1, of a row too.
WIDE, HIGH = 0.84, 0.42
ROWS = {"images": 2, "noise": 1, "network": 1, "noisy": 0}
INKS = {
    "images": COLOURS[2],
    "noise": COLOURS[1],
    "network": COLOURS[0],
    "noisy": COLOURS[3],
}


class Node(NamedTuple):
    """A box of the diagram.

    Attributes
    ----------
    kind
        ``images`` (clean), ``noise``, ``network`` or ``noisy``: its row and its colour.
    column
        From the left; the middle of the diagram may be half a one.
    title, text
        What stands in it, the text in small print.
    """

    kind: str
    column: float
    title: str
    text: str


def method_figure(
    nodes: Mapping[str, Node], edges: Mapping[str, Sequence[str]]
) -> Figure:
    """Draw the graph of a method's rounds, left to right (paper, Fig. 2).

    Parameters
    ----------
    nodes
        By name.
    edges
        For the name of a node those of which it was made.
    """
    columns = 1 + max(node.column for node in nodes.values())
    figure = Figure(figsize=(1.15 * columns, 2.6), layout="constrained")
    axes = figure.subplots()
    places = {name: (node.column, ROWS[node.kind]) for name, node in nodes.items()}
    for name, sources in edges.items():
        for source in sources:
            arrow = FancyArrowPatch(
                *_ends(places[source], places[name]),
                arrowstyle="-|>",
                mutation_scale=8,
                color="0.4",
                linewidth=0.8,
            )
            axes.add_patch(arrow)
    for name, node in nodes.items():
        (x, y), ink = places[name], INKS[node.kind]
        corner = (x - WIDE / 2, y - HIGH / 2)
        style = "round,pad=0,rounding_size=0.05"
        box = FancyBboxPatch(
            corner, WIDE, HIGH, boxstyle=style, ec=ink, fc="white", lw=1.2, zorder=2
        )
        axes.add_patch(box)
        middle = {"ha": "center", "va": "center", "zorder": 3}
        axes.text(x, y + 0.08, node.title, color=ink, **middle)
        axes.text(x, y - 0.09, node.text, size=5.5, **middle)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-0.3, 2.3)
    axes.set_axis_off()
    return figure


def _ends(
    source: tuple[float, float], target: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves a box and meets the next: at the sides that face."""
    (x0, y0), (x1, y1) = source, target
    if y0 == y1:
        side = WIDE / 2 if x1 > x0 else -WIDE / 2
        return (x0 + side, y0), (x1 - side, y1)
    edge = HIGH / 2 if y1 > y0 else -HIGH / 2
    return (x0, y0 + edge), (x1, y1 - edge)
