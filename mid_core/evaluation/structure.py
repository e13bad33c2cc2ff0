"""How much of what a network takes out of noisy images is structure; without the truth.

What is taken out should have nothing to do with the image. Structure that was taken for
noise goes with the estimate's own edges and texture, and so does noise that was left in.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

# The bands of an estimate: it less what is left of it under these blurs, in pixels.
BLURS = (1, 2, 4)


def structure_taken(x_hat: np.ndarray, y: np.ndarray) -> float:
    """Return the variance of y - x_hat that bands of the estimate explain.

    Parameters
    ----------
    x_hat, y
        The estimate and the noisy image, (H, W, C) in [0, 1].

    Returns
    -------
    Grey levels of 255, squared; mean of the colours, each regressed by itself. In
    absolute numbers, as a share of the residual could be made small by taking out more.

    Examples
    --------
    >>> y = np.random.default_rng(0).random((33, 47, 3))
    >>> structure_taken(y, y)
    0.0
    """
    found = []
    for c in range(y.shape[2]):
        x, n = 255.0 * x_hat[..., c], 255.0 * (y[..., c] - x_hat[..., c])
        bands = np.stack([(x - gaussian_filter(x, blur)).ravel() for blur in BLURS])
        covariance = np.cov(np.vstack([n.ravel(), bands]))
        common = covariance[0, 1:]
        inverse = np.linalg.pinv(covariance[1:, 1:], hermitian=True)
        found.append(common @ inverse @ common)
    return float(np.mean(found))
