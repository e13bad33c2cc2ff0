"""An orthogonal dictionary, learned from the noisy image (Bao, Cai and Ji, ICCV 2013).

Patches are written in an orthogonal basis, one part of which is their mean and another
is learned: in turn, small coefficients are set to zero, and the basis is turned so that
it fits the rest best, which is one singular value decomposition. Then all patches that
overlap are cut by a lower threshold, and their mean is the answer. It is made for white
noise.

The thresholds and sizes are those of the authors' released program for the same model as
tight frame (Cai et al. 2014). The paper is on grey images; here a patch has all its
colours, whose means are kept one by one.
"""

import numpy as np
from scipy.fft import dct

from mid_core.methods.levels import one_number
from mid_core.methods.patch_groups import (
    pixels,
    planes,
    some_columns,
    total_of_all,
)

LABEL = "Orthogonal dictionary"
FAMILY = "non-learning"
OPTIONS = """
level: seen
patch: 16
patches: 40000
iterations: 30
learning: 3.4
threshold: 2.7
"""
QUICK = """
patch: 8
patches: 10000
iterations: 15
"""


def denoise(
    y: np.ndarray,
    level: str | float | np.ndarray = "seen",
    patch: int = 16,
    patches: int = 40_000,
    iterations: int = 30,
    learning: float = 3.4,
    threshold: float = 2.7,
) -> np.ndarray:
    """Denoise by an orthogonal dictionary of the image itself.

    ``QUICK`` is thirty times as fast.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.
    level : str or float
        Standard deviation of the noise in units of the range [0, 1], or a name in
        ``levels.LEVELS`` that needs nothing but the image.
    patch : int
        Side of the patches, in pixels.
    patches : int
        How many the dictionary is learned from, at most; spread evenly.
    iterations : int
        How many times the dictionary is turned.
    learning, threshold : float
        Coefficients below so many times the level are zero: while it is learned, and in
        the end.

    Returns
    -------
    The estimate, of the same shape and dtype; it may leave [0, 1].

    Raises
    ------
    MidError
        If the shape is another, or the level is none that this method takes.
    """
    sigma = one_number(LABEL, level, y)
    if sigma == 0:
        return y.copy()
    x = planes(y, patch)
    fixed, learned = cosines(len(x), patch)
    known = some_columns(x, patch, patches)
    for _ in range(iterations):
        learned = turned(known, fixed, learned, learning * sigma)
    basis = np.hstack([fixed, learned]).astype(np.float32)

    def estimate(own: np.ndarray) -> np.ndarray:
        code = basis.T @ own
        code[fixed.shape[1] :] = hard(code[fixed.shape[1] :], threshold * sigma)
        return basis @ code

    total, weight = total_of_all(x, patch, estimate)
    return pixels(total / weight, y)


def cosines(channels: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthonormal basis of patches, of cosines of place and of colour.

    Parameters
    ----------
    channels, side : int
        Colours of a patch, and its side in pixels.

    Returns
    -------
    fixed : ndarray, (channels * side**2, channels)
        The constant of each colour.
    others : ndarray, (channels * side**2, channels * (side**2 - 1))
        What is orthogonal to them.
    """
    places = dct(np.eye(side), axis=0, norm="ortho").T
    places = np.kron(places, places)
    fixed = np.kron(np.eye(channels), places[:, :1])
    # Of three colours: their sum, and two differences.
    colours = dct(np.eye(channels), axis=0, norm="ortho").T
    return fixed, np.kron(colours, places[:, 1:])


def turned(
    known: np.ndarray, fixed: np.ndarray, learned: np.ndarray, threshold: float
) -> np.ndarray:
    """Turn the learned part of a dictionary so that it fits what the threshold leaves.

    Parameters
    ----------
    known : ndarray, (D, N)
        Patches.
    fixed, learned : ndarray, (D, A) and (D, D - A)
        The dictionary, orthonormal.
    threshold : float
        Smaller coefficients are zero.

    Returns
    -------
    The learned part anew, orthonormal and orthogonal to the fixed one.
    """
    code = hard(learned.T.astype(known.dtype) @ known, threshold)
    matched = (known @ code.T).astype(np.float64)
    matched -= fixed @ (fixed.T @ matched)
    # In coordinates of what is orthogonal to the fixed part, nothing leaves it.
    left, _, right = np.linalg.svd(learned.T @ matched)
    return learned @ (left @ right)


def hard(values: np.ndarray, threshold: float) -> np.ndarray:
    """Set what is smaller than a threshold to zero."""
    return np.where(np.abs(values) >= threshold, values, 0).astype(values.dtype)
