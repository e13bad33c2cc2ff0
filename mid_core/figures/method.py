"""The method as a diagram: what was made of what, round by round."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mid_core.figures.style import PAGE, SMALL, look

# A column is 1 wide, a row 1 high.
WIDE, HIGH = 0.84, 0.6
# The rows, from the top: noisy images, noise banks, networks, clean images.
NOISY, NOISE, NETWORK, CLEAN = 3, 2, 1, 0
INK = "0.25"


class Node(NamedTuple):
    """A box of the diagram.

    Attributes
    ----------
    place
        Column from the left, half ones too, and row.
    title, text
        What stands in it, the text in small print.
    bank
        Its name for `style.look`, where it is a noise bank.
    content
        Hash of what it holds.
    made_of
        Hashes of what it was made of; those of no other box are left out.
    """

    place: tuple[float, int]
    title: str
    text: str
    bank: str = ""
    content: str = ""
    made_of: Sequence[str] = ()


def sources(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    """Return the names of the nodes that each node was made of, by their hashes."""
    made = {node.content: name for name, node in nodes.items() if node.content}
    return {
        name: [made[one] for one in node.made_of if one in made]
        for name, node in nodes.items()
    }


def method_figure(nodes: Mapping[str, Node]) -> Figure:
    """Draw the graph of a method's rounds, left to right (paper, Fig. 2).

    Parameters
    ----------
    nodes
        By name. Each has an arrow from every box that its hashes name.
    """
    columns = 1 + max(node.place[0] for node in nodes.values())
    figure = Figure(figsize=(min(PAGE, 1.5 * columns), 3.4), layout="constrained")
    axes = figure.subplots()
    for name, found in sources(nodes).items():
        for source in found:
            _arrow(axes, nodes[source].place, nodes[name].place)
    for node in nodes.values():
        _box(axes, node)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-0.4, 3.4)
    axes.set_axis_off()
    return figure


def _box(axes: Axes, node: Node) -> None:
    (x, y), ink = node.place, look(node.bank)["color"] if node.bank else INK
    box = FancyBboxPatch(
        (x - WIDE / 2, y - HIGH / 2),
        WIDE,
        HIGH,
        boxstyle="round,pad=0,rounding_size=0.05",
        ec=ink,
        fc="0.95" if node.place[1] == NETWORK else "white",
        lw=1.2,
        zorder=2,
    )
    axes.add_patch(box)
    style = {"ha": "center", "zorder": 3}
    top = y + HIGH / 2 - 0.06
    axes.text(x, top, node.title, color=ink, va="top", size=8, **style)
    axes.text(x, top - 0.22, node.text, va="top", size=SMALL, **style)


def _arrow(axes: Axes, source: tuple[float, int], target: tuple[float, int]) -> None:
    """Draw an arrow between two boxes, from and to the sides that face each other."""
    (x0, y0), (x1, y1) = source, target
    side, edge = (WIDE / 2, 0) if y0 == y1 else (0, HIGH / 2 if y1 > y0 else -HIGH / 2)
    arrow = FancyArrowPatch(
        (x0 + side, y0 + edge),
        (x1 - side, y1 - edge),
        arrowstyle="-|>",
        mutation_scale=8,
        shrinkA=0,
        shrinkB=0,
        color=INK,
        linewidth=0.8,
    )
    axes.add_patch(arrow)
