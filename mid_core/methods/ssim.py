"""The structural similarity of images as something that can be learnt.

Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
IEEE TIP 2004. Scores come from ``mid_core.evaluation``.
"""

import torch
from torch import Tensor

from mid_core.networks.layers import gaussian_blur

SIDE, SIGMA = 11, 1.5
# Of the range of the values, which is 1.
C1, C2 = 0.01**2, 0.03**2
# Below this the logarithm of a similarity is that of this.
LEAST = 1e-3


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the similarity of each pixel's surroundings, from -1 to 1.

    Parameters
    ----------
    a, b
        (N, C, H, W) in [0, 1]; they go on around their border by their last pixels.

    Returns
    -------
    (N, C, H, W), from a Gaussian window of 11x11 pixels and a width of 1.5.
    """
    products = torch.cat([a, b, a * a, b * b, a * b], dim=1)
    mean_a, mean_b, aa, bb, ab = gaussian_blur(products, SIDE, SIGMA).chunk(5, dim=1)
    covariance = ab - mean_a * mean_b
    variances = aa - mean_a**2 + bb - mean_b**2
    light = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return light * (2 * covariance + C2) / (variances + C2)


def dissimilarity(a: Tensor, b: Tensor) -> Tensor:
    """Return -log10 of the mean similarity: one number, 0 where images are equal.

    A mean that is negative has no logarithm: it counts as 0.001, and gives no gradient.

    Examples
    --------
    >>> x = torch.rand(1, 3, 16, 16)
    >>> abs(round(dissimilarity(x, x).item(), 4))
    0.0
    """
    return -torch.log10(ssim(a, b).mean().clamp_min(LEAST))
