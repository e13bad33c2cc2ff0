"""PSNR and SSIM under named protocols.

The same two images score 0.966 or 0.926 in SSIM depending on who computes it, so a
score always carries the name of its protocol, and one table never mixes two.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from skimage.metrics import structural_similarity

from mid_core.errors import MidError

_GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@dataclass(frozen=True)
class Protocol:
    """One way to score an estimate against a clean image.

    Attributes
    ----------
    name : str
        What tables print beside the numbers.
    description : str
        What is computed, and who computes it so.
    rounds : bool
        Whether both images are rounded to 8 bits first; that costs 0.04 dB at 37 dB.
    window_px : int
        Side of the SSIM window; smaller images cannot be scored.
    ssim : callable
        SSIM of two float64 (H, W, C) images in [0, 1].
    """

    name: str
    description: str
    rounds: bool
    window_px: int
    ssim: Callable[[np.ndarray, np.ndarray], float]


def _ssim_volume(x_hat: np.ndarray, x: np.ndarray) -> float:
    """SSIM of (H, W, C) as one volume with replicated borders, as MATLAB has it."""
    # scikit-image mirrors at borders; voxels 5 away from them do not see that.
    padded = [np.pad(image, 5, mode="edge") for image in (x_hat, x)]
    _, ssim_map = structural_similarity(*padded, data_range=1, full=True, **_GAUSSIAN)
    return float(ssim_map[5:-5, 5:-5, 5:-5].mean())


def _ssim_gaussian(x_hat: np.ndarray, x: np.ndarray) -> float:
    """SSIM of each channel under a Gaussian, off the border; the channels' mean."""
    return float(
        structural_similarity(x_hat, x, data_range=1, channel_axis=2, **_GAUSSIAN)
    )


def _ssim_uniform(x_hat: np.ndarray, x: np.ndarray) -> float:
    """SSIM of each channel with scikit-image's own settings; the channels' mean."""
    return float(structural_similarity(x_hat, x, data_range=1, channel_axis=2))


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "sidd-matlab3d",
            "MATLAB psnr and ssim on [0, 1] without rounding, ssim on the H x W x 3 "
            "volume (11 x 11 x 11 Gaussian, sigma 1.5, replicated borders): the closed "
            "SIDD server, MPRNet and Restormer evaluate_SIDD.m, NAFNet _ssim_3d.",
            rounds=False,
            window_px=11,
            ssim=_ssim_volume,
        ),
        Protocol(
            "gauss2d",
            "Rounded to 8 bits; ssim with an 11 x 11 Gaussian, sigma 1.5, per channel, "
            "borders cut, mean of channels: Wang et al. 2004; AT-BSN, SCPGabNet, SDAP.",
            rounds=True,
            window_px=11,
            ssim=_ssim_gaussian,
        ),
        Protocol(
            "skimage",
            "Rounded to 8 bits; ssim as scikit-image has it by default: 7 x 7 uniform "
            "window, sample covariance, per channel, mean of channels: AP-BSN, MASH.",
            rounds=True,
            window_px=7,
            ssim=_ssim_uniform,
        ),
    )
}


def score(x_hat: np.ndarray, x: np.ndarray, protocol: str) -> dict[str, float | str]:
    """Score an estimate against the clean image.

    Parameters
    ----------
    x_hat : ndarray, (H, W, 1) or (H, W, 3), float
        The estimate; clipped to [0, 1].
    x : ndarray, same shape, float in [0, 1]
        The clean image.
    protocol : str
        A name in `PROTOCOLS`.

    Returns
    -------
    dict
        ``psnr_db`` (inf for equal images), ``ssim`` (-1 to 1) and ``protocol``.

    Raises
    ------
    MidError
        If the protocol is unknown, the shapes differ or are smaller than the window,
        or the values are not finite floats; or if `x` leaves [0, 1], which means
        that it is on another scale (0 to 255 clipped to [0, 1] still gives a score).
    """
    if protocol not in PROTOCOLS:
        raise MidError(
            f"There is no protocol {protocol!r}: choose from {', '.join(PROTOCOLS)}."
        )
    chosen = PROTOCOLS[protocol]
    _check_scorable(x_hat, x, chosen)
    clipped = [np.clip(image.astype(np.float64), 0, 1) for image in (x_hat, x)]
    if chosen.rounds:
        clipped = [np.floor(image * 255 + 0.5) / 255 for image in clipped]
    ssim = chosen.ssim(*clipped)
    return {"psnr_db": psnr(*clipped), "ssim": ssim, "protocol": protocol}


def psnr(x_hat: np.ndarray, x: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, for a peak of 1; inf for equal images.

    One mean squared error in float64 over all pixels and channels: the mean of three
    channels' PSNRs would be 0.25 dB higher (formats.md, section 7). Nothing is clipped
    or rounded. Raises MidError if the shapes differ.
    """
    _check_same_shape(x_hat, x)
    mse = np.mean(np.square(np.subtract(x_hat, x, dtype=np.float64)))
    return math.inf if mse == 0 else float(-10 * np.log10(mse))


def _check_same_shape(x_hat: np.ndarray, x: np.ndarray) -> None:
    if x_hat.shape != x.shape:
        raise MidError(
            f"The estimate is {x_hat.shape} and the clean image {x.shape}: compare "
            "images of one shape."
        )


def _check_scorable(x_hat: np.ndarray, x: np.ndarray, protocol: Protocol) -> None:
    _check_same_shape(x_hat, x)
    if x.ndim != 3 or x.shape[2] not in (1, 3):
        raise MidError(f"Images are {x.shape}: give them as (H, W, 1) or (H, W, 3).")
    if min(x.shape[:2]) < protocol.window_px:
        raise MidError(
            f"Images of {x.shape[0]} x {x.shape[1]} pixels are smaller than the window "
            f"of {protocol.name}: score at least {protocol.window_px} a side."
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
