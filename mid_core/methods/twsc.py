"""Trilateral weighted sparse coding (Xu, Zhang and Zhang, ECCV 2018), for real noise.

Patches of all colours that look alike are coded in their own principal components: each
coefficient is made smaller by the patch's noise variance over the component's singular
value, and patches with little noise count more where they overlap.

As in all of the authors' released runs on real noise the weights of the rows are 1
(``lambda_1 = 0``), so that the code is known in closed form; settings are those of their
run on SIDD, but in RGB, not in YCbCr. Their factor of the level suits an estimate made
for white noise, of which a camera's correlated noise shows too little: ``white`` here is
from wavelets, theirs from the eigenvalues of patches (Chen, Zhu and Heng 2015). On
white noise the factor smooths too much.
"""

import numpy as np

from mid_core.methods.levels import one_number
from mid_core.methods.patch_groups import (
    Estimate,
    grouped,
    mean_of_groups,
    mean_within,
    pixels,
    planes,
    principal,
)

LABEL = "TWSC"
FAMILY = "non-learning"
OPTIONS = """
level: white
factor: 4.0
patch: 6
group: 70
step: 3
reach: 20
iterations: 4
"""
QUICK = """
group: 60
step: 6
reach: 15
iterations: 3
"""


def denoise(
    y: np.ndarray,
    level: str | float | np.ndarray = "white",
    factor: float = 4.0,
    patch: int = 6,
    group: int = 70,
    step: int = 3,
    reach: int = 20,
    iterations: int = 4,
) -> np.ndarray:
    """Denoise by trilateral weighted sparse coding.

    These settings take some ten minutes of one core a megapixel of colours; ``QUICK``
    takes a minute.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.
    level : str or float
        Standard deviation of the noise in units of the range [0, 1], or a name in
        ``levels.LEVELS`` that needs nothing but the image.
    factor : float
        Of the level.
    patch : int
        Side of the patches, in pixels.
    group : int
        Patches a group.
    step : int
        Between the patches that groups are made for, in pixels.
    reach : int
        How far around a patch others are looked for, in pixels.
    iterations : int
        How many times all is done; groups are chosen anew every second time.

    Returns
    -------
    The estimate, of the same shape and dtype; it may leave [0, 1].

    Raises
    ------
    MidError
        If the shape is another, or the level is none that this method takes.
    """
    sigma = one_number(LABEL, level, y)
    if sigma == 0:
        return y.copy()
    noisy = planes(y, patch)
    x = noisy
    for i in range(iterations):
        if i % 2 == 0:
            groups = list(grouped(x, patch, step, group, reach))
        taken = mean_within((noisy - x) ** 2, patch).mean(axis=0)
        left = factor * np.sqrt(np.abs(np.float32(sigma**2) - taken))
        x = mean_of_groups(x, patch, groups, _sparse(left))
    return pixels(x, y)


def _sparse(sigma: np.ndarray) -> Estimate:
    """Estimate groups, given the level (H, W) of each patch."""

    def estimate(
        patches: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        mean = patches.mean(axis=-1, keepdims=True)
        basis, values, weights = principal(patches - mean)
        level = np.maximum(sigma.ravel()[places], 1e-6)
        size = patches.shape[-1]
        clean = np.sqrt(np.maximum(values**2 - size * level[:, :1] ** 2, 0))
        threshold = level[:, None] ** 2 / np.maximum(clean, 1e-16)[..., None]
        code = np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)
        return basis @ code + mean, 1 / level

    return estimate
