"""How real a bank of noise is: its distances to the true noise, where that is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mid_core.errors import MidError
from mid_core.evaluation.divergence import divergence, marginal_divergence
from mid_core.evaluation.noise_statistics import BINS, WINDOW, autocorrelation

PATCH = 3
PATCHES = 60_000
LAGS = 3
STRIP = 32
SMALLEST = 2 * (LAGS + 1)
# The half that each gives: what is compared has no pixel in common.
BANK, TRUTH = 1, 0
MEASURES = {
    "marginal_kl_nats": "KL of single samples (nats)",
    "patch_kl_nats": "KL of 3×3 patches (nats)",
    "autocorrelation": "difference in autocorrelation",
    "colour_correlation": "difference in colour correlation",
    "brightness_std_levels": "difference in std (grey levels)",
}


def strips(field: np.ndarray, side: int) -> list[np.ndarray]:
    """Give one half of a field: every other of its upright strips.

    Parameters
    ----------
    field
        (H, W, C). The 512 x 512 pixels in its middle count at most.
    side
        0 or 1: halves of equal content without a common pixel.

    Returns
    -------
    Strips (H, 32 to 64, C); a single one, W / 2 wide, where W is below 128.

    Raises
    ------
    MidError
        If a side of the field is below 8 pixels.
    """
    height, width = field.shape[:2]
    if min(height, width) < SMALLEST:
        raise MidError(
            f"a field of {height} x {width} pixels is too small to be compared: leave "
            f"out what has fewer than {SMALLEST} pixels on a side"
        )
    top, left = max(0, height - WINDOW) // 2, max(0, width - WINDOW) // 2
    middle = field[top : top + WINDOW, left : left + WINDOW]
    pairs = max(1, middle.shape[1] // (2 * STRIP))
    return np.array_split(middle, 2 * pairs, axis=1)[side::2]


def draw(
    pieces: Sequence[np.ndarray], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw 3 x 3 patches at random, equally many from each piece (h, w, C).

    Returns
    -------
    (at least ``count``, 9, C), as float64.
    """
    share = -(-count // len(pieces))
    drawn = []
    for piece in pieces:
        windows = sliding_window_view(piece, (PATCH, PATCH), axis=(0, 1))
        rows, columns = (rng.integers(side, size=share) for side in windows.shape[:2])
        drawn.append(windows[rows, columns].reshape(share, -1, PATCH**2))
    return np.concatenate(drawn).swapaxes(1, 2).astype(np.float64)


def spread_levels(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round samples in units of [0, 1] to grey levels, and fill the levels evenly.

    True noise is a difference of two 8-bit images. What falls on the same level must
    look equal whether it was rounded before or not; spread at random within its level,
    it has a density, and no divergence changes.
    """
    return np.round(255 * samples) + rng.uniform(-0.5, 0.5, samples.shape)


def _colour_correlation(noise: np.ndarray) -> np.ndarray:
    """Correlation of the colours of (H, W, C); 0 with a colour that is constant."""
    covariance = np.atleast_2d(np.cov(noise.reshape(-1, noise.shape[2]).T))
    spread = np.sqrt(np.diag(covariance))
    scale = np.outer(spread, spread)
    return np.divide(covariance, scale, np.zeros_like(scale), where=scale > 0)


@dataclass(frozen=True)
class _Profile:
    """What is compared: of one half of a bank's fields.

    Attributes
    ----------
    patches
        (n, 9, C) in grey levels, equally many from each field.
    autocorrelation, colours
        (7, 7) and (C, C), means over the fields: the noisiest do not decide alone.
    std, share
        (16,): spread of the noise in each bin of brightness, in grey levels, and
        share of the samples there.
    """

    patches: np.ndarray
    autocorrelation: np.ndarray
    colours: np.ndarray
    std: np.ndarray
    share: np.ndarray


def _std_by_brightness(
    noise: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spread in each bin of brightness, and share of the samples there."""
    bins = (np.clip(image, 0, 1) * (BINS - 1e-6)).astype(np.intp).ravel()
    samples, sums, squares = (
        np.bincount(bins, weight, BINS)
        for weight in (None, noise.ravel(), noise.ravel() ** 2)
    )
    seen = np.maximum(samples, 1)
    variance = np.maximum(squares / seen - (sums / seen) ** 2, 0)
    return np.sqrt(variance), samples / samples.sum()


def _profile(
    noise: Sequence[np.ndarray],
    under: Sequence[np.ndarray] | None,
    side: int,
    rng: np.random.Generator,
) -> _Profile:
    drawn, spatial, colours = [], [], []
    for i in range(len(noise)):
        field = np.asarray(noise[i], np.float32)
        image = np.zeros_like(field) if under is None else under[i]
        pieces = strips(np.concatenate([field, image], axis=2), side)
        drawn.append(draw(pieces, -(-PATCHES // len(noise)), rng))
        alone = [piece[..., : field.shape[2]] for piece in pieces]
        spatial.append(np.mean([autocorrelation(n, LAGS) for n in alone], axis=0))
        colours.append(np.mean([_colour_correlation(n) for n in alone], axis=0))
    samples, images = np.split(np.concatenate(drawn), 2, axis=2)
    centre = PATCH**2 // 2
    std, share = _std_by_brightness(255 * samples[:, centre], images[:, centre])
    if under is None:
        # Drawn without an image, it is the same at every brightness.
        std, share = np.full(BINS, std[0]), np.full(BINS, 1 / BINS)
    patches = spread_levels(samples, rng)
    return _Profile(patches, np.mean(spatial, 0), np.mean(colours, 0), std, share)


def _distances(
    bank: _Profile, truth: _Profile, rng: np.random.Generator
) -> dict[str, float]:
    colours = truth.patches.shape[2]
    marginals = [
        marginal_divergence(truth.patches[..., c], bank.patches[..., c])
        for c in range(colours)
    ]
    flat, other = (x.patches.reshape(len(x.patches), -1) for x in (truth, bank))
    lags = abs(bank.autocorrelation - truth.autocorrelation)
    pairs = abs(bank.colours - truth.colours)
    weights = truth.share * (bank.share > 0)
    steps = abs(bank.std - truth.std)
    return {
        "marginal_kl_nats": float(np.mean(marginals)),
        "patch_kl_nats": divergence(flat, other, rng),
        "autocorrelation": float(lags.sum() / (lags.size - 1)),
        "colour_correlation": float(pairs.sum() / max(1, colours * (colours - 1))),
        "brightness_std_levels": float(steps @ weights / max(weights.sum(), 1e-12)),
        **{f"marginal_kl_nats_{c}": value for c, value in enumerate(marginals)},
    }


def realism(
    noise: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
    signal: Sequence[np.ndarray],
    rng: np.random.Generator,
    under: Sequence[np.ndarray] | None = None,
) -> dict[str, float]:
    """Measure how far a bank's noise is from the true noise; 0 means equal.

    One half of the pixels of each true field is compared with the other half of the
    bank's: a bank N_k has the very noise of the images that it was taken from, and
    compared pixel by pixel would look too good. So the true noise given as its own
    bank, ``realism(truth, truth, signal, rng, signal)``, shows the floor: what two
    samples of one distribution score. What lies within it is not told apart. Each
    field counts the same, as training draws them.

    The divergences are KL(true || bank): noise that a camera makes and the bank never
    shows costs most, as that is what the denoiser meets unprepared.

    Parameters
    ----------
    noise
        The bank: (H, W, C) each, in units of [0, 1], of any size from 8 pixels.
    truth, signal
        True noise, and the clean images under it, (H, W, C) in [0, 1].
    rng
        Draws the patches, and what the training of a critic needs.
    under
        The clean images under the bank's fields, or None where it was drawn without.

    Returns
    -------
    ``marginal_kl_nats``
        Mean over the colours of `marginal_divergence` of single samples; and each
        colour's own as ``marginal_kl_nats_0`` and so on.
    ``patch_kl_nats``
        `divergence` of 3 x 3 patches of all colours, a lower bound.
    ``autocorrelation``
        Mean absolute difference over the shifts of up to 3 pixels.
    ``colour_correlation``
        Mean absolute difference over pairs of colours; 0 for grey noise.
    ``brightness_std_levels``
        Absolute difference of the standard deviation at equal brightness, in grey
        levels of 255: the mean over 16 bins, weighted by how often the true images
        have them.

    Raises
    ------
    MidError
        If a field is too small, or bank and truth differ in their colours.
    """
    if noise[0].shape[2] != truth[0].shape[2]:
        raise MidError(
            f"the bank has {noise[0].shape[2]} colour(s) but the true noise "
            f"{truth[0].shape[2]}: compare banks of the same images"
        )
    bank = _profile(noise, under, BANK, rng)
    return _distances(bank, _profile(truth, signal, TRUTH, rng), rng)
