"""How far masked synthetic inputs are from masked real ones (paper, Appendix A)."""

from collections.abc import Sequence

import numpy as np

from mid_core.evaluation.divergence import BATCH, lower_bound, train_critic
from mid_core.evaluation.realism import (
    BANK,
    PATCH,
    PATCHES,
    TRUTH,
    draw,
    spread_levels,
    strips,
)
from mid_core.masking import bernoulli

RATIOS = np.arange(21) / 20
# Usual spreads of noise and of brightness, in grey levels: the critic's units.
NOISE, BRIGHTNESS = 10, 50


def _patches(
    images: Sequence[np.ndarray], side: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw patches from one half of each image: (n, 9, C), in grey levels."""
    share = -(-PATCHES // len(images))
    halves = (strips(np.clip(image, 0, 1), side) for image in images)
    patches = [draw(pieces, share, rng) for pieces in halves]
    return spread_levels(np.concatenate(patches), rng)


def masked(
    patches: np.ndarray, ratio: float | np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Hide pixels of patches (n, 9, C), in coordinates in which noise shows.

    Parameters
    ----------
    ratio
        Share hidden, of all or of each patch, (n, 1, 1).

    Returns
    -------
    (n, 10 C + 9): what each visible pixel differs from their mean, compressed; their
    mean; and the mask. The masked patch can be had back, so no divergence is lost.
    """
    mask = bernoulli((len(patches), PATCH**2, 1), ratio, rng)
    visible = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    mean = (mask * patches).sum(axis=1, keepdims=True) / visible
    differences = np.arcsinh(mask * (patches - mean) / NOISE)
    parts = differences, mean / BRIGHTNESS, mask
    return np.concatenate([part.reshape(len(patches), -1) for part in parts], axis=1)


def gap(
    synthetic: Sequence[np.ndarray],
    real: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Measure both sides of the inequality of Appendix A on patches of 3 x 3 pixels.

    Let a mask split an image into visible pixels a and hidden ones b, and let p and q
    be the densities of synthetic and real noisy images. Proposition 1:

        KL(p(a, b) || q(a, b)) >= KL(p(a) || q(a)),

    so masked synthetic inputs are no farther from masked real ones than whole ones.
    The gap at a mask ratio is the mean of the right side over Bernoulli masks, which is
    the divergence of mask and masked patch together. It is the left side at ratio 0,
    and 0 at ratio 1.

    The inequality itself is a theorem and needs no measurement; what is measured is how
    much of the gap is left. One critic is trained on masks of every ratio, and bounds
    the gap at each from below (see `divergence`). For Gaussians of known gap the bound
    was a half to two thirds of it from 0.02 to 3 nats, and a quarter of 22; so the true
    gap falls somewhat faster with the ratio than the measured one. It sees 3 x 3 pixels: what
    differs farther apart, or slowly, does not show. What is not well above
    ``gap(real, real, rng)``, the floor, is not told apart. And a small gap is not a
    good denoiser: it is smallest where nothing is left to see.

    What is beyond [0, 1] is clipped: real inputs never are there, so the KL would be
    infinite, and no estimate of it would mean anything.

    Parameters
    ----------
    synthetic, real
        Noisy images (H, W, C) in units of [0, 1], of at least 8 pixels a side, as the
        denoiser is given them: x + n and y. Where the clean images differ in kind, the
        gap contains that, too; to measure the noise alone, add it to the clean images
        of the real ones. Of each image, synthetic ones give one half of their pixels,
        and real ones the other.
    rng
        Draws patches and masks, and what the training needs.

    Returns
    -------
    ``mask_ratio`` from 0 to 1, and ``gap_nats``; below zero by chance.

    Raises
    ------
    MidError
        If an image is too small.
    """
    p, q = _patches(synthetic, BANK, rng), _patches(real, TRUTH, rng)

    def batch() -> tuple[np.ndarray, np.ndarray]:
        ratio = rng.random((BATCH, 1, 1))
        chosen = (x[::2][rng.integers(len(x[::2]), size=BATCH)] for x in (p, q))
        return tuple(masked(patches, ratio, rng) for patches in chosen)

    critic = train_critic(batch, rng)
    unseen = p[1::2], q[1::2]
    nats = [
        lower_bound(critic, *(masked(patches, ratio, rng) for patches in unseen))
        for ratio in RATIOS
    ]
    return {"mask_ratio": RATIOS.tolist(), "gap_nats": nats}
