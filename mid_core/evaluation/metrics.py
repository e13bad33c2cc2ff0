"""PSNR and SSIM under named protocols.

The same two images score 0.966 or 0.926 in SSIM depending on who computes it, so a
score always carries the name of its protocol, and one table never mixes two.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2ycbcr
from skimage.metrics import structural_similarity

from mid_core.errors import MidError
from mid_core.images.picture import to_dtype


@dataclass(frozen=True)
class Protocol:
    """One way to score an estimate against a clean image.

    A data set's score is the mean of its images' scores, in PSNR as in SSIM.

    Attributes
    ----------
    name : str
        What tables print beside the numbers.
    description : str
        What is computed, and who computes it so.
    window_px : int
        Side of the SSIM window; smaller images cannot be scored.
    data_range : float
        Of what is compared: 1, or 255 where it is rounded to 8 bits, which costs
        0.04 dB at 37 dB.
    compared : callable
        Gives from a float (H, W, C) image what is compared.
    ssim : callable
        Mean SSIM of two such; takes `data_range`, too.
    """

    name: str
    description: str
    window_px: int
    data_range: float
    compared: Callable[[np.ndarray], np.ndarray]
    ssim: Callable[..., float]


def _clipped(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 1)


def _rounded(image: np.ndarray) -> np.ndarray:
    return to_dtype(image, np.uint8)


def _luma(image: np.ndarray) -> np.ndarray:
    """Y of the rounded colours, 16 to 235; not rounded itself."""
    image = _rounded(image)
    return image if image.shape[2] == 1 else rgb2ycbcr(image)[..., :1]


def _volume_ssim(x_hat: np.ndarray, x: np.ndarray, data_range: float) -> float:
    """Mean SSIM of the volumes (H, W, C), with replicated borders: MATLAB's ``ssim``.

    Equation 13 of Wang et al. 2004, "Image Quality Assessment: From Error Visibility
    to Structural Similarity". scikit-image has it only for padded volumes, which takes
    4.5 times as long.
    """
    a, b = x_hat.astype(np.float64), x.astype(np.float64)
    products = np.stack([a, b, a * a, b * b, a * b])
    mean_a, mean_b, mean_aa, mean_bb, mean_ab = gaussian_filter(
        products, 1.5, mode="nearest", radius=5, axes=(1, 2, 3)
    )
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_product, mean_squares = mean_a * mean_b, mean_a**2 + mean_b**2
    ssim = (2 * mean_product + c1) / (mean_squares + c1)
    ssim *= 2 * (mean_ab - mean_product) + c2
    ssim /= mean_aa + mean_bb - mean_squares + c2
    return float(ssim.mean())


_ssim = partial(structural_similarity, channel_axis=2)
_gaussian_ssim = partial(_ssim, gaussian_weights=True, sigma=1.5)

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "sidd-matlab3d",
            "MATLAB psnr and ssim on [0, 1] without rounding, ssim on the H x W x 3 "
            "volume (11 x 11 x 11 Gaussian, sigma 1.5, replicated borders); mean of "
            "the images' scores: the closed SIDD server, MPRNet and Restormer "
            "evaluate_SIDD.m, NAFNet _ssim_3d.",
            window_px=11,
            data_range=1,
            compared=_clipped,
            ssim=_volume_ssim,
        ),
        Protocol(
            "gauss2d",
            "Rounded to 8 bits; ssim with an 11 x 11 Gaussian, sigma 1.5, per channel, "
            "borders cut, mean of channels; mean of the images' scores: Wang et al. "
            "2004; AT-BSN, SCPGabNet, SDAP.",
            window_px=11,
            data_range=255,
            compared=_rounded,
            ssim=partial(_gaussian_ssim, use_sample_covariance=False),
        ),
        Protocol(
            "skimage",
            "Rounded to 8 bits; ssim as scikit-image has it by default: 7 x 7 uniform "
            "window, sample covariance, per channel, mean of channels; mean of the "
            "images' scores: AP-BSN, MASH.",
            window_px=7,
            data_range=255,
            compared=_rounded,
            ssim=_ssim,
        ),
        Protocol(
            "luma",
            "Colours rounded to 8 bits, then Y of ITU-R BT.601 as MATLAB's rgb2ycbcr "
            "weighs it (16 to 235 of 255, not rounded again; grey images as they are); "
            "psnr and ssim of Y for a peak of 255, ssim with an 11 x 11 Gaussian, "
            "sigma 1.5, sample covariance, borders cut; mean of the images' scores: "
            "the SSIM of TM-BSN ssim_y_channel, whose PSNR is that of gauss2d.",
            window_px=11,
            data_range=255,
            compared=_luma,
            ssim=_gaussian_ssim,
        ),
    )
}


def scores(
    x_hat: np.ndarray, x: np.ndarray, protocols: Iterable[str]
) -> list[dict[str, float | str]]:
    """Score an estimate against the clean image under several protocols.

    It works in one thread and mostly outside Python's lock: threads that score an
    image each use all cores.

    Parameters
    ----------
    x_hat : ndarray, (H, W, 1) or (H, W, 3), float
        The estimate; clipped to [0, 1].
    x : ndarray, same shape, float in [0, 1]
        The clean image.
    protocols : iterable of str
        Names in `PROTOCOLS`.

    Returns
    -------
    list of dict
        For each protocol ``psnr_db`` (inf for equal images), ``ssim`` (-1 to 1) and
        ``protocol``.

    Raises
    ------
    MidError
        If a protocol is unknown, the shapes differ or are smaller than the window,
        or the values are not finite floats; or if `x` leaves [0, 1], which means
        that it is on another scale (0 to 255 clipped to [0, 1] still gives a score).
    """
    chosen = [_known(name) for name in protocols]
    _check_scorable(x_hat, x, chosen)
    found = []
    for protocol in chosen:
        estimate, truth = (protocol.compared(image) for image in (x_hat, x))
        peak = protocol.data_range
        psnr_db = psnr(estimate, truth, peak)
        ssim = float(protocol.ssim(estimate, truth, data_range=peak))
        found.append({"psnr_db": psnr_db, "ssim": ssim, "protocol": protocol.name})
    return found


def psnr(x_hat: np.ndarray, x: np.ndarray, peak: float = 1) -> float:
    """Peak signal-to-noise ratio in dB; inf for equal images.

    One mean squared error in float64 over all pixels and channels: the mean of three
    channels' PSNRs would be 0.25 dB higher (formats.md, section 7). Nothing is clipped
    or rounded. Raises MidError if the shapes differ.
    """
    _check_same_shape(x_hat, x)
    error = np.subtract(x_hat, x, dtype=np.float64)
    mse = np.mean(np.square(error, out=error))
    return math.inf if mse == 0 else float(10 * np.log10(peak**2 / mse))


def _known(protocol: str) -> Protocol:
    if protocol not in PROTOCOLS:
        raise MidError(
            f"There is no protocol {protocol!r}: choose from {', '.join(PROTOCOLS)}."
        )
    return PROTOCOLS[protocol]


def _check_same_shape(x_hat: np.ndarray, x: np.ndarray) -> None:
    if x_hat.shape != x.shape:
        raise MidError(
            f"The estimate is {x_hat.shape} and the clean image {x.shape}: compare "
            "images of one shape."
        )


def _check_scorable(
    x_hat: np.ndarray, x: np.ndarray, protocols: list[Protocol]
) -> None:
    _check_same_shape(x_hat, x)
    if x.ndim != 3 or x.shape[2] not in (1, 3):
        raise MidError(f"Images are {x.shape}: give them as (H, W, 1) or (H, W, 3).")
    for protocol in protocols:
        if min(x.shape[:2]) < protocol.window_px:
            raise MidError(
                f"Images of {x.shape[0]} x {x.shape[1]} pixels are smaller than the "
                f"window of {protocol.name}: score at least {protocol.window_px} a side."
            )
    for name, image in (("estimate", x_hat), ("clean image", x)):
        if image.dtype.kind != "f" or not np.isfinite(image).all():
            raise MidError(
                f"The {name} ({image.dtype}) is not all finite floats: scale integers "
                "to [0, 1], and look for what made NaN or infinity."
            )
    # A hair beyond is float32 rounding.
    if x.min() < -1e-3 or x.max() > 1 + 1e-3:
        raise MidError(
            f"The clean image spans {x.min():.4g} to {x.max():.4g}: scale it to [0, 1]."
        )
