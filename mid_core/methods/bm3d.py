"""BM3D (Dabov et al., IEEE TIP 2007; for correlated noise Mäkinen et al., IEEE TIP 2020).

The authors' own implementation, whose licence allows non-commercial use only: the
package ``bm3d`` is installed by who asks for it. Given a number it takes the noise for
white; given a power spectrum it knows how pixels correlate, but not how colours do.
"""

from types import ModuleType
from typing import Any

import numpy as np

from mid_core.errors import MidError
from mid_core.methods.levels import checked, level_of

LABEL = "BM3D"
FAMILY = "non-learning"
OPTIONS = """
level: seen
"""
LEVELS = ("seen", "white", "true", "spectrum")
# BM3D works on blocks of 8 x 8; the library (4.0.3) crashes on an image of one.
_SMALLEST_PX = 9
# Whose multiples the library takes as colours: luminance, and two of chrominance.
_OPPONENTS = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0, -0.5], [0.25, -0.5, 0.25]])


class NotInstalledError(MidError):
    """A method's package is missing: tables say so in its place."""


def denoise(y: np.ndarray, level: str | float | np.ndarray = "seen") -> np.ndarray:
    """Denoise by BM3D, in colour with blocks matched by their luminance.

    The library's normal profile. In one thread, as more of them change the last digits
    from run to run.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1], at least 9 pixels a side
        The noisy image.
    level : str, float or ndarray
        Standard deviation of the noise in units of the range [0, 1]; or its power
        spectrum (H, W, C) as ``levels.power_spectrum`` gives it; or a name in
        ``levels.LEVELS`` that needs nothing but the image.

    Returns
    -------
    The estimate, of the same shape and dtype; it may leave [0, 1].

    Raises
    ------
    NotInstalledError
        If the package is missing.
    MidError
        If the image has another shape or is smaller, or the level is none that this
        method takes.
    """
    package = _package()
    _check(y)
    sigma = level_of(level, y) if isinstance(level, str) else level
    if np.ndim(sigma) and np.shape(sigma) != y.shape:
        raise MidError(
            f"the noise's spectrum is {np.shape(sigma)} and the image {y.shape}: "
            "compute it for the size of this image"
        )
    if not np.any(sigma):
        return y.copy()
    profile = package.BM3DProfile()
    profile.num_threads = 1
    if _has_colours(y):
        x_hat = package.bm3d_rgb(y, sigma, profile)
    else:
        each = [
            package.bm3d(y[..., c], sigma[..., c] if np.ndim(sigma) else sigma, profile)
            for c in range(y.shape[2])
        ]
        x_hat = np.stack(each, axis=-1)
    return x_hat.reshape(y.shape).astype(y.dtype)


def _check(y: np.ndarray) -> None:
    if min(checked(y).shape[:2]) < _SMALLEST_PX:
        raise MidError(
            f"BM3D cannot work on {y.shape[0]} x {y.shape[1]} pixels: give it images "
            f"of at least {_SMALLEST_PX} a side"
        )


def _has_colours(y: np.ndarray) -> bool:
    """Whether each opponent colour varies: the library divides by its range."""
    return y.shape[2] == 3 and bool(np.ptp(y @ _OPPONENTS.T, axis=(0, 1)).all())


def _package() -> ModuleType:
    try:
        import bm3d
        import bm4d
    except ImportError as error:
        raise NotInstalledError(
            "BM3D needs the package bm3d, which is not installed: if you may use what "
            "is free for non-commercial use only, do pip install 'mid-denoise[bm3d]'"
        ) from error
    bm4d.np = _OlderNumPy()
    return bm3d


class _OlderNumPy:
    """NumPy as bm4d 4.2.5 expects it: ``trapz`` is called ``trapezoid`` since 2.4.

    The library integrates power spectra by it. Nobody else sees this one.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(np, "trapezoid" if name == "trapz" else name)
