import numpy as np
import pytest

from mid_core.figures.windows import most_telling, telling_window

SIZE = 24


@pytest.fixture
def scene():
    """Grey and flat, with stripes in the middle: (61, 97, 3)."""
    image = np.full((61, 97, 3), 0.45)
    image[24:40, 40:56:2] = 0.9
    return image


def inside(window):
    """Rows and columns of a window as four numbers."""
    return [limit for side in window for limit in (side.start, side.stop)]


def test_a_window_has_texture_and_flat_parts(scene):
    (rows, columns), score = telling_window(scene, SIZE)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (SIZE, SIZE)
    # Four blocks of nine are stripes.
    assert np.ptp(scene[rows, columns].mean(axis=2)) > 0
    assert rows.start <= 24
    assert rows.stop >= 40
    assert score > telling_window(np.full_like(scene, 0.45), SIZE)[1]


@pytest.mark.parametrize("change", ["darker", "grey"])
def test_light_and_colour_are_preferred(scene, change):
    copy = scene.copy()
    copy[..., 0] *= 0.8
    both = np.concatenate([copy, copy], axis=1)
    if change == "darker":
        both[:, 97:] *= 0.2
    else:
        both[:, 97:] = both[:, 97:].mean(axis=2, keepdims=True)
    (_, columns), _ = telling_window(both, SIZE)
    assert columns.stop <= 97
    (_, columns), _ = telling_window(both[:, ::-1], SIZE)
    assert columns.start >= 96


def test_a_small_image_is_shown_whole(scene):
    window, _ = telling_window(scene[:20, :25], SIZE)
    assert inside(window) == [0, 20, 0, 24]
    assert inside(telling_window(scene[:5, :25], SIZE)[0]) == [0, 5, 0, 25]


def test_each_group_of_neighbours_gives_its_best_and_the_best_is_first(scene):
    flat = np.full_like(scene, 0.45)
    images = {"a": flat, "b": scene, "c": flat, "d": flat, "e": scene}
    found = most_telling(list(images), images.get, SIZE, 2)
    assert [name for name, _ in found] == ["b", "e"]
    assert found[0][1] == telling_window(scene, SIZE)[0]
    assert [name for name, _ in most_telling("ab", images.get, SIZE, 5)] == ["b", "a"]
