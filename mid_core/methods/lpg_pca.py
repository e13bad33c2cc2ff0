"""Local pixel grouping and principal components (Zhang et al., Pattern Recognition 2010).

Each patch is rebuilt from the principal components of the patches that look most like
it, of which each is weighted as by Wiener: by the share of its variance that is not
noise. All is done a second time on the result, for the noise that is left. It is made
for white noise.

As in the authors' released programs, colours are taken together, in smaller patches.
Their threshold of similarity is not known: a group always has the number of patches that
they ask for at least. Windows at the border reach as much further inwards.
"""

import numpy as np

from mid_core.methods.levels import one_number
from mid_core.methods.patch_groups import (
    Estimate,
    grouped,
    mean_of_groups,
    pixels,
    planes,
    principal,
)

LABEL = "LPG-PCA"
FAMILY = "non-learning"
# 0: the authors', which go by the colours.
OPTIONS = """
level: seen
patch: 0
group: 0
step: 1
reach: 20
rebuilt: 1
"""
QUICK = """
group: 200
step: 6
reach: 15
rebuilt: 80
"""
# By colours: side of the patches, and those a group in the first and second stage.
PUBLISHED = {1: (7, (180, 150)), 3: (5, (320, 300))}
# Of the level that is left after the first stage.
LEFT = 0.35


def denoise(
    y: np.ndarray,
    level: str | float | np.ndarray = "seen",
    patch: int = 0,
    group: int = 0,
    step: int = 1,
    reach: int = 20,
    rebuilt: int = 1,
) -> np.ndarray:
    """Denoise by principal components of patches that look alike.

    The paper's settings take an hour of one core a megapixel of colours; ``QUICK`` takes
    a minute.

    Parameters
    ----------
    y : ndarray, (H, W, 1) or (H, W, 3), float32 in [0, 1]
        The noisy image.
    level : str or float
        Standard deviation of the noise in units of the range [0, 1], or a name in
        ``levels.LEVELS`` that needs nothing but the image.
    patch : int
        Side of the patches, in pixels; 0: the paper's, for grey images or colours.
    group : int
        Patches a group; 0: the paper's, for grey images or colours.
    step : int
        Between the patches that groups are made for, in pixels.
    reach : int
        How far around a patch others are looked for, in pixels.
    rebuilt : int
        Patches of a group that are rebuilt: in the paper the first one alone.

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
    side, counts = PUBLISHED[y.shape[2]]
    side = patch or side
    x = noisy = planes(y, side)
    for stage, count in enumerate(counts):
        left = sigma
        if stage > 0:
            left = LEFT * np.sqrt(abs(sigma**2 - np.square(x - noisy).mean()))
        groups = grouped(x, side, step, group or count, reach)
        x = mean_of_groups(x, side, groups, _by_components(np.float32(left), rebuilt))
    return pixels(x, y)


def kept_share(variance: np.ndarray, sigma: float) -> np.ndarray:
    """Return which share of components of this variance is not noise, in [0, 1]."""
    clean = np.maximum(variance - sigma**2, 0)
    return np.divide(clean, variance, out=np.zeros_like(clean), where=variance > 0)


def _by_components(sigma: float, rebuilt: int) -> Estimate:
    """Estimate the first patches of groups."""

    def estimate(
        patches: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        mean = patches.mean(axis=-1, keepdims=True)
        basis, values, weights = principal(patches - mean)
        share = kept_share(values**2 / patches.shape[-1], sigma)
        found = basis @ (share[..., None] * weights[..., :rebuilt]) + mean
        return found, np.ones((len(found), found.shape[-1]), np.float32)

    return estimate
