"""Non-local means (Buades, Coll and Morel, "Image Denoising Methods", 2010).

Each pixel becomes a mean of the pixels around, weighted by how alike their patches are:
exp(-max(d^2 - 2 sigma^2, 0) / h^2), where d^2 is the mean squared difference of two
patches. scikit-image's fast variant (Darbon et al. 2008), whose sums over 5 x 5 pixels
leave out a row and a column (0.26). It is made for white noise.
"""

import numpy as np
from skimage.restoration import denoise_nl_means

from mid_core.methods.levels import one_number

LABEL = "NLM"
FAMILY = "non-learning"
OPTIONS = """
level: seen
"""


def denoise(y: np.ndarray, level: str | float | np.ndarray = "seen") -> np.ndarray:
    """Denoise by non-local means, the colours of a patch together.

    h = 0.8 sigma, with sigma given, is where the notes of ``denoise_nl_means`` say to
    start; 5 x 5 patches at up to 6 pixels are those of scikit-image's example of it,
    ``plot_nonlocal_means.py``.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.
    level : str or float
        Standard deviation of the noise in units of the range [0, 1], or a name in
        ``levels.LEVELS`` that needs nothing but the image.

    Returns
    -------
    The estimate, of the same shape and dtype.

    Raises
    ------
    MidError
        If the shape is another, or the level is none that this method takes.
    """
    sigma = one_number(LABEL, level, y)
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
