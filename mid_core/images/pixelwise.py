"""What is done to every pixel of a crop, compiled: in one pass, in any thread.

Windows are (H, W, C), in whatever order of memory a flip or a turn left them; results
are packed float32. NumPy would pass over them once for each operation, and is slow
where the innermost axis is as short as the colours.
"""

import numpy as np
from numba import njit

# Numba has no float16: the value of each of its bit patterns.
HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)

# Without a cache on disk, which may be nowhere to write: it takes half a second.
compiled = njit(nogil=True)


def unit(window: np.ndarray, out: np.ndarray) -> None:
    """Bring pixels to float32 in [0, 1], in ``out``."""
    _scale(window, _one(window), out, _each(out))


def add_noise(
    window: np.ndarray, noise: np.ndarray, x: np.ndarray, y: np.ndarray
) -> None:
    """Bring pixels to float32 in [0, 1], in ``x``, and put x + n into ``y``.

    Noise is float16, as stores keep it, or becomes it. Of noise with more colours than
    the window, the first are taken.
    """
    bits = noise.astype(np.float16, copy=False).view(np.uint16)
    _scale_and_add(window, _one(window), bits, HALVES, x, y, _each(x))


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
def _scale_and_add(window, one, bits, halves, x, y, colours):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            for c in range(len(colours)):
                value = np.float32(window[i, j, c]) * one
                x[i, j, c] = value
                y[i, j, c] = value + halves[bits[i, j, c]]
