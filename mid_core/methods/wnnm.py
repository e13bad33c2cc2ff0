"""Weighted nuclear norm minimisation (Gu et al., CVPR 2014), as its authors released it.

Patches that look alike are the columns of a matrix of low rank. Its singular values are
made smaller, the small ones more, and over and over again: each time a tenth of what
was taken out is put back. It is made for white noise.

As in the authors' runs on real noise each colour is denoised alone, but here with the
same level and the same groups, which are of patches alike in all colours; windows at the
border reach as much further inwards.
"""

from typing import NamedTuple

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

LABEL = "WNNM"
FAMILY = "non-learning"
# 0: the paper's, which go by the level.
OPTIONS = """
level: seen
patch: 0
group: 0
step: 0
reach: 30
iterations: 0
local: 0.0
"""
QUICK = """
patch: 6
group: 70
step: 6
reach: 10
iterations: 3
local: 0.8
"""
# Of singular values, and of what was taken out that is put back.
WEIGHT, BACK = 2 * np.sqrt(2), 0.1
# Patches that a group has fewer each time that it is chosen anew, every second time.
FEWER, LEAST = 10, 10
REWEIGHTINGS = 3


class Setting(NamedTuple):
    """Side of patches, those a group, times, and factor of the level that is left."""

    patch: int
    group: int
    iterations: int
    local: float


# By the highest level, in grey levels of 255.
PUBLISHED = {
    20: Setting(6, 70, 8, 0.54),
    40: Setting(7, 90, 12, 0.56),
    60: Setting(8, 120, 14, 0.58),
    np.inf: Setting(9, 140, 14, 0.58),
}


def denoise(
    y: np.ndarray,
    level: str | float | np.ndarray = "seen",
    patch: int = 0,
    group: int = 0,
    step: int = 0,
    reach: int = 30,
    iterations: int = 0,
    local: float = 0.0,
) -> np.ndarray:
    """Denoise by weighted nuclear norm minimisation.

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
        Side of the patches, in pixels; 0: the paper's for the level, as for the others.
    group : int
        Patches a group at first; each second time, the first too, there are 10 fewer.
    step : int
        Between the patches that groups are made for, in pixels.
    reach : int
        How far around a patch others are looked for, in pixels.
    iterations : int
        How many times all is done.
    local : float
        Factor of the noise's level that is left after the first time.

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
    given = Setting(patch, group, iterations, local)
    usual = next(own for most, own in PUBLISHED.items() if 255 * sigma <= most)
    setting = Setting(*(a or b for a, b in zip(given, usual, strict=True)))
    noisy = planes(y, setting.patch)
    x, count = noisy, setting.group
    for i in range(setting.iterations):
        x = x + np.float32(BACK) * (noisy - x)
        if i % 2 == 0:
            count = max(count - FEWER, LEAST)
            between = step or max(1, int(setting.patch / 2 - 1))
            groups = list(grouped(x, setting.patch, between, count, reach))
        left = np.full_like(x, sigma)
        if i > 0:
            taken = mean_within((noisy - x) ** 2, setting.patch)
            left = setting.local * np.sqrt(np.abs(np.float32(sigma**2) - taken))
        x = mean_of_groups(x, setting.patch, groups, _of_low_rank(left))
    return pixels(x, y)


def shrunk(values: np.ndarray, sigma: np.ndarray, count: int) -> np.ndarray:
    """Make singular values smaller, by weights that the result decides in turn.

    Parameters
    ----------
    values : ndarray, (..., R)
        Of groups.
    sigma : ndarray, (..., 1)
        Standard deviation of the noise in them.
    count : int
        Patches a group.

    Returns
    -------
    (..., R), none negative, and none larger than before.
    """
    shrinking = np.sqrt(np.maximum(values**2 - count * sigma**2, 0))
    weight = WEIGHT * np.sqrt(count) * sigma**2
    for _ in range(REWEIGHTINGS):
        shrinking = np.maximum(values - weight / np.maximum(shrinking, 1e-16), 0)
    return shrinking


def _of_low_rank(sigma: np.ndarray) -> Estimate:
    """Estimate groups, each colour alone, given the level (C, H, W) of each patch."""
    channels = len(sigma)

    def estimate(
        patches: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        count, _, size = patches.shape
        own = patches.reshape(count, channels, -1, size)
        mean = own.mean(axis=-1, keepdims=True)
        basis, values, weights = principal(own - mean)
        level = sigma.reshape(channels, -1)[:, places[:, 0]].T[..., None]
        share = shrunk(values, level, size) / np.maximum(values, 1e-16)
        found = basis @ (share[..., None] * weights) + mean
        return found.reshape(patches.shape), np.ones((count, size), np.float32)

    return estimate
