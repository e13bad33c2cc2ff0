"""Which images are shown, and which part of them: chosen by a rule, not by hand."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Window = tuple[slice, slice]
T = TypeVar("T")
# Side of the blocks that are judged, in pixels; windows start at multiples of it.
BLOCK = 8
# Standard deviation, of 1: above it a block is texture or an edge, below it flat.
DETAIL, FLAT = 6 / 255, 2.5 / 255
# The mean brightness where most is seen, and how far from it something is.
LIGHT, SPREAD = 0.45, 0.2
# So that grey images, and evenly lit ones, are told apart, too.
GREY, EVEN = 0.05, 0.01
# Images looked at for each that is shown.
CANDIDATES = 4


def telling_window(image: np.ndarray, size: int) -> tuple[Window, float]:
    """Return the window that shows detail beside flat colour, in normal light.

    Parameters
    ----------
    image
        Without noise, float (H, W, C) in [0, 1].
    size
        Side of the window; the whole image where it is smaller.

    Returns
    -------
    The window, and its score: geometric mean of the shares of detailed and of flat
    blocks, no more than half each, times how near the mean brightness is to 0.45, times
    how strong the colours are, times how much the brightness varies.

    Examples
    --------
    >>> image = np.zeros((40, 64, 3))
    >>> image[:, 32:48:2] = 0.9
    >>> telling_window(image, 24)[0]
    (slice(0, 24, None), slice(24, 48, None))
    """
    height, width = image.shape[:2]
    sides = [min(-(-size // BLOCK), side // BLOCK) for side in (height, width)]
    if min(sides) == 0:
        return (slice(0, height), slice(0, width)), 0.0
    grey = image.mean(axis=2, keepdims=True)
    blocks = _blocks(grey)[..., 0]
    spread, light = blocks.std(axis=(1, 3)), blocks.mean(axis=(1, 3))
    colour = _blocks(np.abs(image - grey)).mean(axis=(1, 3, 4))
    parts = spread > DETAIL, spread < FLAT, light, light**2, colour
    detail, flat, light, squares, strength = (_means(each, *sides) for each in parts)
    contrast = np.sqrt(np.maximum(squares - light**2, 0))
    mixed = np.sqrt(np.minimum(detail, 0.5) * np.minimum(flat, 0.5))
    near = np.exp(-0.5 * ((light - LIGHT) / SPREAD) ** 2)
    # Where nothing is mixed, detail decides.
    score = (mixed + 1e-3 * detail) * near * (GREY + strength) * (EVEN + contrast)
    # Of equal ones the first, whatever their last digits.
    best = np.unravel_index(score.round(9).argmax(), score.shape)
    top, left = (BLOCK * int(i) for i in best)
    rows = slice(top, min(top + size, height))
    return (rows, slice(left, min(left + size, width))), float(score.max())


def most_telling(
    candidates: Sequence[T], guide: Callable[[T], np.ndarray], size: int, count: int
) -> list[tuple[T, Window]]:
    """Choose ``count`` images, each the most telling of its neighbours.

    Parameters
    ----------
    candidates
        In an order that says which are alike, such as that of their names.
    guide
        Gives the image by which the window of a candidate is chosen.
    size, count
        Side of the windows, and how many images.

    Returns
    -------
    The chosen ones with their windows, the most telling first; fewer where there are
    fewer.
    """
    chosen = []
    for group in np.array_split(np.arange(len(candidates)), count):
        found = [(i, *telling_window(guide(candidates[i]), size)) for i in group]
        if found:
            chosen.append(max(found, key=lambda one: one[2]))
    chosen.sort(key=lambda one: -one[2])
    return [(candidates[i], window) for i, window, _ in chosen]


def _blocks(image: np.ndarray) -> np.ndarray:
    """Cut (H, W, C) into blocks: (rows, BLOCK, columns, BLOCK, C), whole ones only."""
    rows, columns = (side // BLOCK for side in image.shape[:2])
    whole = image[: rows * BLOCK, : columns * BLOCK]
    return whole.reshape(rows, BLOCK, columns, BLOCK, -1)


def _means(blocks: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Return the mean over each window of so many blocks."""
    sums = np.pad(blocks.astype(float), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide]
    return (inside + sums[:-high, :-wide]) / (high * wide)
