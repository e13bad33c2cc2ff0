from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mid_core.figures.method import CLEAN, NETWORK, NOISE, Node, method_figure, sources
from mid_core.figures.style import COLOURS

NODES = {
    "X": Node((0.5, CLEAN), "clean", "2 images", "", "cc"),
    "N_0": Node((0, NOISE), "N_0", "true noise", "true noise", "n0", ["yy"]),
    "N_1": Node((1, NOISE), "N_1", "noise", "N_1", "n1", ["d0", "elsewhere"]),
    "D_0": Node((0, NETWORK), "D_0", "", "", "d0", ["cc", "n0"]),
    # Trained on another bank than the one that lies there now.
    "D_1": Node((1, NETWORK), "D_1", "", "", "d1", ["cc", "older"]),
}


def test_arrows_are_what_the_hashes_say():
    assert sources(NODES) == {
        "X": [],
        "N_0": [],
        "N_1": ["D_0"],
        "D_0": ["X", "N_0"],
        "D_1": ["X"],
    }


def test_a_box_for_each_node_with_its_text_inside(drawn):
    figure = drawn(method_figure, NODES)
    (axes,) = figure.axes
    arrows = [one for one in axes.patches if isinstance(one, FancyArrowPatch)]
    boxes = [one for one in axes.patches if isinstance(one, FancyBboxPatch)]
    assert (len(arrows), len(boxes)) == (4, 5)
    inks = [to_hex(box.get_edgecolor()) for box in boxes]
    assert inks[1] == "#000000"
    assert inks[2] == COLOURS[1].lower()
    places = [box.get_window_extent() for box in boxes for _ in range(2)]
    for text, place in zip(axes.texts, places, strict=True):
        assert text.get_fontsize() >= 6
        extent = text.get_window_extent()
        assert place.x0 <= extent.x0
        assert extent.x1 <= place.x1
        assert place.y0 <= extent.y0 or not text.get_text()
