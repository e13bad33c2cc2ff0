"""Classical methods without training, as libraries have them, for comparison.

They need the noise's level, and get what can be seen of it in the noisy image alone
(``mid_core.look``). Both are made for white noise: a camera's correlated noise, whose
level is now about right, is still not what they expect.
"""

from collections.abc import Callable

import numpy as np
from skimage.restoration import denoise_nl_means, estimate_sigma

from mid_core.cameras import NOISE, look_alone
from mid_core.errors import MidError
from mid_core.look import BLOCK

# For the notes of tables.
LEVEL = (
    "the noise's level is estimated on each image, from the blocks of 16x16 pixels that "
    "vary least for their brightness (mid_core.look), root mean square of the colours; "
    "in images below 32 pixels a side from the finest diagonal wavelet details (Donoho "
    "and Johnstone 1994)"
)
# BM3D works on blocks of 8 x 8; the library (4.0.3) crashes on an image of one.
_SMALLEST_PX = 9


class NotInstalledError(MidError):
    """A method's package is missing: tables say so in its place."""


def noise_level(y: np.ndarray) -> float:
    """Estimate the standard deviation of an image's noise over all its colours.

    The root mean square of the colours' levels as ``mid_core.look`` sees them, which
    holds for correlated noise, too. An image that is too small to be looked at gets the
    mean of the colours by Donoho and Johnstone 1994, "Ideal spatial adaptation by
    wavelet shrinkage": the median of the finest diagonal details, for white noise only.

    Parameters
    ----------
    y : ndarray, (H, W, C), float in [0, 1]
        The noisy image.

    Returns
    -------
    In units of the range [0, 1]; 0 where there is less than a fortieth of a grey level.
    """
    if min(y.shape[:2]) < 2 * BLOCK:
        return _donoho(y)
    level = look_alone(y).mean_level
    return level if level > NOISE else 0.0


def _donoho(y: np.ndarray) -> float:
    # Without any change in both directions there is no detail to take a median of.
    changes = np.diff(np.diff(y, axis=0), axis=1).any(axis=(0, 1))
    levels = [
        estimate_sigma(y[..., c]) if changes[c] else 0.0 for c in range(y.shape[2])
    ]
    return float(np.mean(levels))


def nlm(y: np.ndarray) -> np.ndarray:
    """Denoise by non-local means, the colours of a patch together.

    scikit-image's fast variant (Darbon et al. 2008). h = 0.8 sigma, with sigma given,
    is where the notes of ``denoise_nl_means`` say to start; 5 x 5 patches at up to 6
    pixels are those of scikit-image's example of it, ``plot_nonlocal_means.py``.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.

    Returns
    -------
    The estimate, of the same shape and dtype.

    Raises
    ------
    MidError
        If the shape is another.
    """
    sigma = _checked_level(y)
    if sigma == 0:
        return y.copy()
    # scikit-image 0.26 fails on an axis of one channel.
    is_grey = y.shape[2] == 1
    x_hat = denoise_nl_means(
        y[..., 0] if is_grey else y,
        patch_size=5,
        patch_distance=6,
        h=0.8 * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=None if is_grey else 2,
    )
    return x_hat.reshape(y.shape)


def bm3d(y: np.ndarray) -> np.ndarray:
    """Denoise by BM3D, in colour with blocks matched by their luminance.

    The authors' own implementation (Mäkinen, Azzari and Foi 2020), whose licence
    allows non-commercial use only; its normal profile, for white noise. In one thread,
    as more of them change the last digits from run to run.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1], at least 9 pixels a side
        The noisy image.

    Returns
    -------
    The estimate, of the same shape and dtype; it may leave [0, 1].

    Raises
    ------
    NotInstalledError
        If the package is missing.
    MidError
        If the image has another shape or is smaller.
    """
    try:
        import bm3d as package
    except ImportError as error:
        raise NotInstalledError(
            "BM3D needs the package bm3d, which is not installed: if you may use what "
            "is free for non-commercial use only, do pip install 'mid-denoise[bm3d]'"
        ) from error
    sigma = _checked_level(y)
    if min(y.shape[:2]) < _SMALLEST_PX:
        raise MidError(
            f"BM3D cannot work on {y.shape[0]} x {y.shape[1]} pixels: give it images "
            f"of at least {_SMALLEST_PX} a side"
        )
    if sigma == 0:
        return y.copy()
    profile = package.BM3DProfile()
    profile.num_threads = 1
    filtered = package.bm3d if y.shape[2] == 1 else package.bm3d_rgb
    return filtered(y, sigma, profile).reshape(y.shape).astype(y.dtype)


def _checked_level(y: np.ndarray) -> float:
    if y.ndim != 3 or y.shape[2] not in (1, 3):
        raise MidError(
            f"the image is {y.shape}: give it as (H, W, 1) or (H, W, 3), grey or RGB"
        )
    return noise_level(y)


BASELINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"nlm": nlm, "bm3d": bm3d}
