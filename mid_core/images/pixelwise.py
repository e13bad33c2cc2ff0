"""What is done to every pixel of a crop, compiled: in one pass, in any thread.

Windows are (H, W, C), in whatever order of memory a flip or a turn left them; results
are packed float32. NumPy would pass over them once for each operation, and is slow
where the innermost axis is as short as the colours.
"""

import numpy as np
from numba import njit

# Numba has no float16: the value of each of its bit patterns.
HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)

# Nothing added to any colour.
BLACK = np.zeros(3, np.float32)

# Without a cache on disk, which may be nowhere to write: it takes half a second.
compiled = njit(nogil=True)


def unit(window: np.ndarray, out: np.ndarray) -> None:
    """Bring pixels to float32 in [0, 1], in ``out``."""
    _scale(window, _one(window), out, _each(out))


def add_noise(
    window: np.ndarray,
    noise: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    contrast: float = 1.0,
    lift: np.ndarray = BLACK,
) -> None:
    """Bring pixels to float32 in [0, 1], in ``x``, and put x + n into ``y``.

    Noise is float16, as stores keep it, or becomes it. Of noise with more colours than
    the window, the first are taken. Pixels are multiplied by ``contrast``; then
    ``lift``, a number for each colour, is added.
    """
    bits = noise.astype(np.float16, copy=False).view(np.uint16)
    one = np.float32(_one(window) * contrast)
    _scale_and_add(window, one, lift, bits, HALVES, x, y, _each(x))


def ranges(window: np.ndarray) -> np.ndarray:
    """The mean, the least and the largest value of each colour: (3, C) in [0, 1]."""
    return _ranges(window, _each(window)) * _one(window)


def _one(window: np.ndarray) -> np.float32:
    """What a step of the window's integers is worth; floats stay as they are."""
    white = np.iinfo(window.dtype).max if window.dtype.kind == "u" else 1
    return np.float32(1 / white)


def _each(image: np.ndarray) -> tuple[int, ...]:
    """Its channels, as a tuple: the compiler then knows how many, and unrolls."""
    return tuple(range(image.shape[2]))


@compiled
def _scale(window, one, out, colours):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for c in range(len(colours)):
                out[i, j, c] = np.float32(window[i, j, c]) * one


@compiled
def _ranges(window, colours):
    found = np.empty((3, len(colours)), np.float32)
    for c in range(len(colours)):
        total, low, high = 0.0, np.inf, -np.inf
        for i in range(window.shape[0]):
            for j in range(window.shape[1]):
                value = float(window[i, j, c])
                total += value
                low, high = min(low, value), max(high, value)
        found[:, c] = total / (window.shape[0] * window.shape[1]), low, high
    return found


@compiled
def _scale_and_add(window, one, lift, bits, halves, x, y, colours):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            for c in range(len(colours)):
                value = np.float32(window[i, j, c]) * one + lift[c]
                x[i, j, c] = value
                y[i, j, c] = value + halves[bits[i, j, c]]
