"""The noise level that classical methods are given, by name, and its power spectrum.

The level decides how such a method ranks. Estimators for white noise see too little of
a camera's correlated noise; what ``mid_core.look`` sees holds for both.
"""

from collections.abc import Iterable

import numpy as np
from scipy import fft
from skimage.restoration import estimate_sigma

from mid_core.cameras import NOISE, look_alone
from mid_core.errors import MidError
from mid_core.look import BLOCK

# For the notes of tables.
LEVELS = {
    "seen": (
        "the noise's level is estimated on each image, from the blocks of 16x16 pixels "
        "that vary least for their brightness (mid_core.look), root mean square of the "
        "colours; in images below 32 pixels a side from the finest diagonal wavelet "
        "details (Donoho and Johnstone 1994)"
    ),
    "white": (
        "the noise's level is estimated on each image as that of white noise, from the "
        "finest diagonal wavelet details (Donoho and Johnstone 1994), mean of the "
        "colours"
    ),
    "true": (
        "the noise's level is the true one of each image, the standard deviation of "
        "noisy image minus truth, root mean square of the colours: an oracle"
    ),
    "spectrum": (
        "the noise's power spectrum is that of a bank of measured noise, scaled on each "
        "image to the level that is estimated there (mid_core.look)"
    ),
}
# Those that are one number, which every method takes.
NUMBERS = ("seen", "white", "true")
# Largest shift of correlations that are told to a method, in pixels.
LAGS = 16


def level_of(
    name: str,
    y: np.ndarray,
    truth: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
) -> float | np.ndarray:
    """Return an image's noise level, as a method is to be given it.

    Parameters
    ----------
    name : str
        One of ``LEVELS``.
    y : ndarray, (H, W, C), float in [0, 1]
        The noisy image.
    truth : ndarray, (H, W, C), float in [0, 1]
        The clean image, for ``true``.
    covariance : ndarray, (2L + 1, 2L + 1, C)
        What ``autocovariance`` found in a noise bank, for ``spectrum``.

    Returns
    -------
    The standard deviation of the noise, in units of the range [0, 1]: the root mean
    square of the colours, but of ``white`` their mean, as scikit-image takes it; of
    ``spectrum`` a ``power_spectrum`` (H, W, C).

    Raises
    ------
    MidError
        If there is no such level, or what it needs is absent or of another shape.
    """
    match name:
        case "seen":
            return noise_level(y)
        case "white":
            return white_level(y)
        case "true":
            return _true_level(y, truth)
        case "spectrum":
            return _scaled_spectrum(y, covariance)
    raise MidError(f"level '{name}' is unknown; there are: {', '.join(LEVELS)}")


def one_number(label: str, level: str | float | np.ndarray, y: np.ndarray) -> float:
    """Return the noise level of an image, for a method that takes one number.

    Parameters
    ----------
    label : str
        What the method is called.
    level : str, float or ndarray
        A name in ``LEVELS`` that needs nothing but the image, or what ``level_of``
        found.
    y : ndarray, (H, W, 1) or (H, W, 3), float in [0, 1]
        The noisy image.

    Raises
    ------
    MidError
        If the level is a spectrum, or the image has another shape.
    """
    sigma = level_of(level, checked(y)) if isinstance(level, str) else level
    if np.ndim(sigma):
        raise MidError(
            f"{label} takes the noise's level as one number, not its spectrum: choose "
            "the level `seen`, `white` or `true`"
        )
    checked(y)
    return float(sigma)


def noise_level(y: np.ndarray) -> float:
    """Estimate the standard deviation of an image's noise over all its colours.

    The root mean square of the colours' levels as ``mid_core.look`` sees them, which
    holds for correlated noise, too. An image that is too small to be looked at gets
    its ``white_level``.

    Parameters
    ----------
    y : ndarray, (H, W, C), float in [0, 1]
        The noisy image.

    Returns
    -------
    In units of the range [0, 1]; 0 where there is less than a fortieth of a grey level.
    """
    if min(y.shape[:2]) < 2 * BLOCK:
        return white_level(y)
    level = look_alone(y).mean_level
    return level if level > NOISE else 0.0


def white_level(y: np.ndarray) -> float:
    """Estimate the standard deviation of white noise, mean of the colours.

    The median of the finest diagonal details (Donoho and Johnstone 1994, "Ideal spatial
    adaptation by wavelet shrinkage"): of correlated noise it sees too little.

    Parameters
    ----------
    y : ndarray, (H, W, C), float in [0, 1]
        The noisy image.
    """
    # Without any change in both directions there is no detail to take a median of.
    changes = np.diff(np.diff(y, axis=0), axis=1).any(axis=(0, 1))
    levels = [
        estimate_sigma(y[..., c]) if changes[c] else 0.0 for c in range(y.shape[2])
    ]
    return float(np.mean(levels))


def autocovariance(noise: Iterable[np.ndarray], lags: int = LAGS) -> np.ndarray:
    """Measure how the noise of pixels at a shift varies together.

    Parameters
    ----------
    noise : iterable of ndarray, (H, W, C)
        Noise without the image, such as a noise bank's; of any sizes. Pixels count
        alike; each field's own mean is taken off.
    lags : int
        Largest shift, in pixels.

    Returns
    -------
    float64 (2 lags + 1, 2 lags + 1, C), each colour with itself: the variance in the
    middle.

    Raises
    ------
    MidError
        If there is no noise at all.
    """
    shifts = np.abs(np.arange(-lags, lags + 1))
    sums, counts = 0.0, 0.0
    for one in noise:
        field = one.astype(np.float32)
        field -= field.mean(axis=(0, 1))
        # So far padded, no shift sees the other end.
        sides = [fft.next_fast_len(side + lags, real=True) for side in one.shape[:2]]
        power = np.abs(fft.rfft2(field, sides, axes=(0, 1))) ** 2
        products = fft.irfft2(power, sides, axes=(0, 1))
        around = np.arange(-lags, lags + 1)
        sums = sums + products[np.ix_(around, around)].astype(np.float64)
        overlaps = [np.maximum(side - shifts, 0) for side in one.shape[:2]]
        counts = counts + np.multiply.outer(*overlaps)
    if np.ndim(sums) == 0:
        raise MidError("the noise bank is empty: give one of at least one element")
    return sums / np.maximum(counts, 1)[..., None]


def power_spectrum(
    covariance: np.ndarray, size: tuple[int, int], level: float | None = None
) -> np.ndarray:
    """Return the noise's power at each frequency of an image, as BM3D takes it.

    That is the expected squared magnitude of the noise's discrete Fourier transform
    (not normalised): H * W * sigma**2 everywhere for white noise. Large shifts are
    faded out (Blackman and Tukey 1958), and negative power is none.

    Parameters
    ----------
    covariance : ndarray, (2L + 1, 2L + 1, C)
        What ``autocovariance`` measured.
    size : (int, int)
        Height and width of the image.
    level : float
        Standard deviation over all colours that the spectrum is scaled to; None: that
        of the noise it was measured from.

    Returns
    -------
    float64 (H, W, C), frequency 0 first.
    """
    lags = len(covariance) // 2
    fading = 0.5 + 0.5 * np.cos(np.pi * np.arange(-lags, lags + 1) / (lags + 1))
    faded = covariance * np.multiply.outer(fading, fading)[..., None]
    # A small image has no larger shifts.
    rows, columns = (np.arange(-n, n + 1) for n in _lags_within(size, lags))
    wrapped = np.zeros((*size, covariance.shape[2]))
    wrapped[np.ix_(rows, columns)] = faded[np.ix_(rows + lags, columns + lags)]
    power = np.maximum(fft.fft2(wrapped, axes=(0, 1)).real, 0)
    variance = covariance[lags, lags]
    # What was set to 0 must not raise the level.
    power *= variance / np.maximum(power.mean(axis=(0, 1)), 1e-30)
    if level is not None:
        power *= level**2 / max(variance.mean(), 1e-30)
    return power * np.prod(size)


def checked(y: np.ndarray) -> np.ndarray:
    """Return the image, if it has the form that classical methods work on.

    Raises
    ------
    MidError
        If it is neither (H, W, 1) nor (H, W, 3).
    """
    if y.ndim != 3 or y.shape[2] not in (1, 3):
        raise MidError(
            f"the image is {y.shape}: give it as (H, W, 1) or (H, W, 3), grey or RGB"
        )
    return y


def _lags_within(size: tuple[int, int], lags: int) -> list[int]:
    return [min(lags, (side - 1) // 2) for side in size]


def _true_level(y: np.ndarray, truth: np.ndarray | None) -> float:
    if truth is None:
        raise MidError(
            "the level `true` is that of noisy image minus truth, and there is no truth "
            "here: choose the level `seen`, or a test set with truths"
        )
    if truth.shape != y.shape:
        raise MidError(
            f"the truth is {truth.shape} and its noisy image {y.shape}: give the truth "
            "of the same image"
        )
    noise = y.astype(np.float64) - truth
    return float(np.sqrt(noise.var(axis=(0, 1)).mean()))


def _scaled_spectrum(y: np.ndarray, covariance: np.ndarray | None) -> np.ndarray:
    if covariance is None:
        raise MidError(
            "the level `spectrum` is measured in a noise bank, and there is none here: "
            "choose the level `seen`, or give the noise bank of a trained model"
        )
    if covariance.shape[2] != y.shape[2]:
        raise MidError(
            f"the noise bank has {covariance.shape[2]} colours and the image "
            f"{y.shape[2]}: give the bank of images like these"
        )
    return power_spectrum(covariance, y.shape[:2], noise_level(y))
