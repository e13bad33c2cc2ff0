"""How real a bank of noise is, where the true noise is known, and what masks hide.

All divergences are Kullback-Leibler divergences of histograms, in nats.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mid_core.errors import MidError
from mid_core.evaluation.noise_statistics import Statistics, std_by_brightness

# Distances to the true noise, and what tables and figures call them.
MEASURES = {
    "kl_nats": "KL of single samples (nats)",
    "autocorrelation": "difference in autocorrelation",
    "colour_correlation": "difference in colour correlation",
    "brightness_std_levels": "difference in std (grey levels)",
}
MOMENTS = {
    "mean": "mean (grey levels)",
    "std": "std (grey levels)",
    "skewness": "skewness",
    "kurtosis": "kurtosis",
}
RATIOS = np.arange(21) / 20
# Correlations are compared up to this shift, in pixels.
NEAR = 3
STRIP = 32
# Grey levels in a bin of a histogram of two pixels.
LEVELS = 4
SMALLEST = 2 * (NEAR + 1)


def kl_divergence(p: np.ndarray, q: np.ndarray, prior: float = 0.5) -> float:
    """Return KL(p || q) of two histograms of the same bins, in nats.

    Half a sample is added to each bin (Jeffreys' prior): a bin that q lacks counts
    much, but not without bound.

    Examples
    --------
    >>> round(kl_divergence(np.array([3e6, 1e6]), np.array([2e6, 2e6])), 3)
    0.131
    """
    p, q = ((counts + prior) / (counts + prior).sum() for counts in (p, q))
    return float(np.sum(p * np.log(p / q)))


def half(field: np.ndarray, side: int) -> list[np.ndarray]:
    """Return one half of a field (H, W, C): every other of its upright strips.

    The two halves (``side`` 0 and 1) have equal content and no common pixel.

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
    pairs = max(1, width // (2 * STRIP))
    return np.array_split(field, 2 * pairs, axis=1)[side::2]


def half_statistics(
    noise: Sequence[np.ndarray], images: Sequence[np.ndarray] | None, side: int
) -> dict:
    """Return the statistics of one half of each noise field.

    Parameters
    ----------
    noise
        (H, W, C) each, in units of [0, 1].
    images
        The images under them, in [0, 1], or None where the noise was drawn without.
    side
        Which half: 0 or 1.

    Returns
    -------
    As `noise_statistics.Statistics.summary` does.
    """
    statistics = Statistics(NEAR)
    for i, field in enumerate(noise):
        strips = half(field, side)
        under = [None] * len(strips) if images is None else half(images[i], side)
        for strip, image in zip(strips, under, strict=True):
            statistics.add(strip, image)
    return statistics.summary()


def moments(histogram: Mapping) -> dict[str, float]:
    """Return mean and std in grey levels, skewness and kurtosis of a histogram.

    Parameters
    ----------
    histogram
        ``edges`` in units of [0, 1] and ``counts``, as statistics have it.
    """
    edges = 255 * np.asarray(histogram["edges"])
    counts = np.asarray(histogram["counts"], float)
    shares = counts / max(counts.sum(), 1)
    levels = (edges[1:] + edges[:-1]) / 2
    mean = levels @ shares
    std = np.sqrt((levels - mean) ** 2 @ shares)
    normed = (levels - mean) / (std or 1)
    skewness, kurtosis = normed**3 @ shares, normed**4 @ shares
    found = mean, std, skewness, kurtosis
    return dict(zip(MOMENTS, map(float, found), strict=True))


def realism(bank: Mapping, truth: Mapping) -> dict[str, float]:
    """Measure how far a bank's noise is from the true noise; 0 means equal.

    A bank N_k has the very noise of the images that it was taken from, so give
    statistics of one half of its pixels and of the other half of the true noise. The
    true noise as its own bank then shows the floor: what two samples of one
    distribution score.

    Parameters
    ----------
    bank, truth
        Statistics, as ``half_statistics`` returns them.

    Returns
    -------
    Of the bank:

    ``mean``, ``std``, ``skewness``, ``kurtosis``
        of the pooled samples: see ``moments``.

    From the true noise:

    ``kl_nats``
        KL(true || bank) of the histograms of single samples, a bin a grey level, all
        colours together (as Abdelhamed et al. 2019, "Noise Flow", compare noise).
        What a camera makes and the bank never shows costs most.
    ``autocorrelation``
        Mean absolute difference over the shifts of up to 3 pixels.
    ``colour_correlation``
        Mean absolute difference over pairs of colours; 0 for grey noise.
    ``brightness_std_levels``
        Absolute difference of the standard deviation at equal brightness, in grey
        levels: the mean over bins of brightness, weighted by how often the true
        images have them.

    Raises
    ------
    MidError
        If bank and truth differ in their colours.
    """
    colours = [len(one["colour_correlation"]) for one in (bank, truth)]
    if colours[0] != colours[1]:
        raise MidError(
            f"the bank has {colours[0]} colour(s) but the true noise {colours[1]}: "
            "compare banks of the same images"
        )
    lags = _differences(bank, truth, "autocorrelation")
    between = _differences(bank, truth, "colour_correlation")
    counts = (np.asarray(one["histogram"]["counts"]) for one in (truth, bank))
    return moments(bank["histogram"]) | {
        "kl_nats": kl_divergence(*counts),
        "autocorrelation": float(lags.sum() / (lags.size - 1)),
        "colour_correlation": float(
            between.sum() / max(1, between.size - len(between))
        ),
        "brightness_std_levels": _brightness_difference(bank, truth),
    }


def _differences(bank: Mapping, truth: Mapping, key: str) -> np.ndarray:
    return abs(np.subtract(bank[key], truth[key]))


def _brightness_difference(bank: Mapping, truth: Mapping) -> float:
    own, true = std_by_brightness(bank), std_by_brightness(truth)
    if not own:
        # Drawn without an image, it is the same at every brightness.
        own = dict.fromkeys(true, 255 * np.sqrt(np.mean(np.square(bank["std"]))))
    samples = truth["variance_by_brightness"]["samples"]
    seen = [(level in own) * count for level, count in zip(true, samples, strict=True)]
    steps = [abs(own.get(level, 0) - std) for level, std in true.items()]
    return float(np.dot(steps, seen) / max(sum(seen), 1))


def gap(
    synthetic: Iterable[np.ndarray], real: Iterable[np.ndarray]
) -> dict[str, list[float]]:
    """Measure both sides of the inequality of Appendix A on pairs of pixels.

    Let a mask split an image into visible pixels a and hidden ones b, and let p and q
    be the densities of synthetic and real noisy images. Proposition 1:

        KL(p(a, b) || q(a, b)) >= KL(p(a) || q(a)),

    so masked synthetic inputs are no farther from masked real ones than whole ones.
    Here, (a, b) are two neighbouring pixels of a row. A Bernoulli mask shows both with
    probability (1 - ratio)^2, and one with 2 ratio (1 - ratio): the gap at a ratio is
    the mean over the masks of the KL of what they show. It is the left side at ratio
    0, and 0 at ratio 1. Whatever differs farther apart does not show.

    What is not well above ``gap(real, real)``, the floor, is not told apart.

    Parameters
    ----------
    synthetic, real
        Noisy images (H, W, C) in units of [0, 1], as the denoiser is given them: x + n
        and y; clipped to [0, 1]. To measure the noise alone, add it to the clean
        images of the real ones. Of each image, synthetic ones give one half of their
        pixels, and real ones the other.

    Returns
    -------
    ``mask_ratio`` from 0 to 1, and ``gap_nats``.
    """
    # The prior is added to the pairs alone: one pixel then is exactly their marginal.
    p, q = _pair_histogram(synthetic, 1) + 0.5, _pair_histogram(real, 0) + 0.5
    both = kl_divergence(p, q, 0)
    single = sum(kl_divergence(p.sum(axis), q.sum(axis), 0) for axis in (0, 1)) / 2
    nats = (1 - RATIOS) ** 2 * both + 2 * RATIOS * (1 - RATIOS) * single
    return {"mask_ratio": RATIOS.tolist(), "gap_nats": nats.tolist()}


def _pair_histogram(images: Iterable[np.ndarray], side: int) -> np.ndarray:
    """Count the grey levels of neighbouring pixels in one half of each image."""
    bins = 256 // LEVELS
    counts = np.zeros(bins**2, np.int64)
    for image in images:
        for strip in half(np.clip(image, 0, 1), side):
            level = np.rint(255 * strip).astype(np.intp) // LEVELS
            pairs = level[:, :-1] * bins + level[:, 1:]
            counts += np.bincount(pairs.ravel(), minlength=bins**2)
    return counts.reshape(bins, bins)
