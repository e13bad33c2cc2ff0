"""The local brightness of an estimate: which it should have, by what noise does to it.

A network that never saw a colour may turn it, and one that was trained on noise of mean 0
keeps what the noise took from the mean. Both are put right where only brightness matters,
in the mean of large squares, in which little of the noise is left.

Noise is added to linear light, and the camera's curve after it is concave: the mean of
the developed values lies below the value of the mean. To second order that is half the
curve's second derivative times the variance. The sensor's noise is mostly shot noise, and
a curve under which that is equally strong everywhere is the square root. Then noise of
standard deviation s darkens the value x by s^2 / (2 x). Measured on the noise of 12 photos
of SIDD and of 10 of the simulated camera: docs/measurements.
"""

import numpy as np
from scipy.ndimage import uniform_filter

# Side of the squares, in pixels.
SQUARE = 31


def brightness_error(x_hat: np.ndarray, y: np.ndarray, mode: str) -> np.ndarray:
    """Return by how much an estimate is locally too bright, for each colour.

    Parameters
    ----------
    x_hat, y
        The estimate and the noisy image, float32 (H, W, C) in [0, 1].
    mode
        ``"predicted"``: it is as the network has it; ``"developed"``: it should be the
        noisy image's, but for what a camera's curve made of the noise.

    Returns
    -------
    float32 (H, W, C), smooth: to be taken from the estimate. 0 for ``"predicted"``.

    Examples
    --------
    >>> y = np.full((33, 47, 3), 0.5, np.float32)
    >>> abs(float(brightness_error(y, y, "developed").mean())) < 1e-3
    True
    """
    if mode == "predicted":
        return np.zeros_like(x_hat)
    noise = y - x_hat
    mean = _local_mean(noise)
    # Running sums may end just below 0 where there is no noise.
    variance = np.maximum(_local_mean((noise - mean) ** 2), 0)
    darkened = np.zeros_like(mean)
    # The value under the noise is not known before what the noise took from it.
    for _ in range(3):
        x = np.clip(x_hat + mean + darkened, 0, 1)
        # Where noise is as strong as the value, the second order is too much.
        below = x + np.sqrt(variance) / 2 + 1 / 255
        darkened = _local_mean(variance / (2 * below))
    return -(mean + darkened)


def _local_mean(field: np.ndarray) -> np.ndarray:
    return uniform_filter(field, (SQUARE, SQUARE, 0), mode="reflect")
