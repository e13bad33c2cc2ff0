"""How much of what a network takes out of noisy images is structure; without the truth.

What is taken out should have nothing to do with the image. Structure that was taken for
noise goes with the estimate's own edges and texture, and so does noise that was left in.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from mid_core.cameras import look_alone
from mid_core.ensemble import denoise
from mid_core.evaluation.noise_statistics import explained_variance
from mid_core.look import BLOCK
from mid_core.masking import Masking
from mid_core.networks.denoiser import Denoiser

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
        bands = [x - gaussian_filter(x, blur) for blur in BLURS]
        found.append(explained_variance(n, bands))
    return float(np.mean(found))


def taken_out(
    network: Denoiser,
    masking: Masking,
    images: Sequence[np.ndarray],
    seed: Sequence[int],
    num_masks: int = 4,
) -> dict[str, float]:
    """Measure what a network takes out of noisy images.

    Parameters
    ----------
    network, masking
        It, in evaluation mode, and how its inputs are masked.
    images
        Noisy images, float32 (H, W, C) in [0, 1].
    seed
        Of the masks.
    num_masks
        Predictions averaged.

    Returns
    -------
    Means over the images, in grey levels of 255: ``structure_taken``, squared;
    ``residual_std``; and ``noise_level``, as those show it that are large enough, NaN
    where none is.
    """
    rows = []
    for i, y in enumerate(images):
        (x_hat,) = denoise(network, y, masking, [*seed, i], (num_masks,))
        level = float("nan")
        if min(y.shape[:2]) >= 2 * BLOCK:
            level = look_alone(y).mean_level
        residual = float((y - x_hat).std())
        rows.append((structure_taken(x_hat, y), 255 * residual, 255 * level))
    taken, std, levels = np.array(rows).T
    known = levels[np.isfinite(levels)]
    return {
        "structure_taken": float(taken.mean()),
        "residual_std": float(std.mean()),
        "noise_level": float(known.mean()) if len(known) else float("nan"),
    }
