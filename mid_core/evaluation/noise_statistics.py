"""Statistics of noise banks, and the symptoms that tell damaged noise from real noise."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter, gaussian_laplace
from scipy.stats import kurtosis

LAGS = 8
BINS = 16
WINDOW = 512
# A bin for each grey level: narrower ones would alias with 8-bit images.
EDGES = np.arange(-128.5, 129) / 255
# Noise that a network left in an image must not be taken for its edges.
SMOOTHING = 3


def autocorrelation(noise: np.ndarray, lags: int = LAGS) -> np.ndarray:
    """Normalised spatial autocorrelation, mean of the colours.

    Parameters
    ----------
    noise
        (H, W, C); each colour's mean is removed first.
    lags
        Largest shift in pixels.

    Returns
    -------
    float64 (2 lags + 1, 2 lags + 1), 1 in the middle; entry (lags + dy, lags + dx)
    is the mean of n(p) n(p + (dy, dx)) over all pairs of pixels inside the image,
    over the variance.
    """
    height, width, _ = noise.shape
    n = noise.astype(np.float64) - noise.mean(axis=(0, 1), dtype=np.float64)
    shape = [fft.next_fast_len(side + lags, real=True) for side in (height, width)]
    power = np.abs(fft.rfft2(n, shape, axes=(0, 1))) ** 2
    sums = fft.irfft2(power.mean(axis=2), shape)
    shifts = np.arange(-lags, lags + 1)
    pairs = np.outer(height - abs(shifts), width - abs(shifts))
    products = sums[np.ix_(shifts % shape[0], shifts % shape[1])] / pairs
    variance = products[lags, lags]
    return products / variance if variance > 0 else np.zeros_like(products)


def lag_correlation(statistics: Mapping, lag: int) -> float:
    """Return the autocorrelation at a shift along a row or a column: their mean.

    Parameters
    ----------
    statistics
        As `Statistics` gathers them.
    lag
        In pixels.
    """
    values = np.asarray(statistics["autocorrelation"])
    middle = len(values) // 2
    return (values[middle, middle + lag] + values[middle + lag, middle]) / 2


def std_by_brightness(statistics: Mapping) -> dict[float, float]:
    """Return the standard deviation of the noise by the brightness under it.

    Parameters
    ----------
    statistics
        As `Statistics` gathers them.

    Returns
    -------
    Both in grey levels of 255; empty where the images are not known.
    """
    curve = statistics["variance_by_brightness"]
    brightness = 255 * np.asarray(curve["brightness"])
    std = 255 * np.sqrt(np.maximum(curve["variance"], 0))
    return dict(zip(brightness.tolist(), std.tolist(), strict=True))


def explained_variance(n: np.ndarray, fields: Sequence[np.ndarray]) -> float:
    """Variance of ``n`` that a linear regression on other fields of its shape explains."""
    covariance = np.cov([field.ravel() for field in (n, *fields)])
    common = covariance[0, 1:]
    inverse = np.linalg.pinv(covariance[1:, 1:], hermitian=True)
    return float(common @ inverse @ common)


def leakage(noise: np.ndarray, image: np.ndarray) -> float:
    """Share of the noise's variance that the structure of an image explains.

    The square of the multiple correlation of the signed noise with the smoothed image,
    its two slopes, their size and its Laplacian, each colour by itself. That noise is
    stronger where an image is brighter does not count.

    Parameters
    ----------
    noise, image
        (H, W, C): the noise, and the image without it.

    Returns
    -------
    In [0, 1], mean of the colours.
    """
    shares = []
    for colour in range(noise.shape[2]):
        n, x = (field[..., colour].astype(np.float64) for field in (noise, image))
        right, down = (gaussian_filter(x, SMOOTHING, o) for o in ((0, 1), (1, 0)))
        smooth, curved = gaussian_filter(x, SMOOTHING), gaussian_laplace(x, SMOOTHING)
        fields = (smooth, right, down, np.hypot(right, down), curved)
        explained = explained_variance(n, fields)
        shares.append(explained / n.var(ddof=1) if np.ptp(n) else 0)
    return float(np.mean(shares))


def symptoms(noise: np.ndarray, image: np.ndarray | None = None) -> dict[str, float]:
    """Measure what tells damaged noise from real noise.

    Parameters
    ----------
    noise, image
        (H, W, C): the noise, and where known the image under it, in [0, 1].

    Returns
    -------
    What ``gate.SYMPTOMS`` names: ``kurtosis``, the mean of the colours, and shares in
    [0, 1]; ``leakage`` and ``clipped`` only with an image. What is not finite must
    have been removed.
    """
    flat = noise.reshape(-1, noise.shape[2])
    low, high = flat.min(axis=0), flat.max(axis=0)
    varies = (low < high).all()
    found = {
        "kurtosis": float(kurtosis(flat, fisher=False).mean()) if varies else 0.0,
        "pinned": float(((flat == low) | (flat == high)).mean()),
        "zeros": float((flat == 0).mean()),
    }
    if image is not None:
        # The noise was rounded: a quarter of a grey level of 8 bits is allowed for it.
        clipped = abs(image + noise - 0.5) > 0.5 - 0.25 / 255
        found |= {"leakage": leakage(noise, image), "clipped": float(clipped.mean())}
    return found


class Statistics:
    """Statistics of a bank, gathered image by image.

    Each image counts with the 512 x 512 pixels in its middle at most. Correlations and
    symptoms are means over images, so that the noisiest do not decide alone.

    Parameters
    ----------
    lags
        Largest shift of the autocorrelation, in pixels; images must be larger.
    """

    def __init__(self, lags: int = LAGS) -> None:
        self.images, self._lags = 0, lags
        self._mean = self._square = self._spatial = self._colour = 0.0
        self._histogram = np.zeros(len(EDGES) - 1, np.int64)
        self._by_brightness = np.zeros((3, BINS))
        self._symptoms: Counter[str] = Counter()

    def add(self, noise: np.ndarray, image: np.ndarray | None = None) -> None:
        """Count one noise field (H, W, C), and where known the image under it.

        What is not finite counts as zero, and as ``not_finite``.
        """
        height, width = noise.shape[:2]
        top, left = max(0, height - WINDOW) // 2, max(0, width - WINDOW) // 2
        middle = (slice(top, top + WINDOW), slice(left, left + WINDOW))
        n = noise[middle].astype(np.float64)
        finite = np.isfinite(n)
        n = np.where(finite, n, 0)
        x = None if image is None else np.where(finite, image[middle], 0)
        lost = float(1 - finite.mean())
        self._symptoms.update({"not_finite": lost, **symptoms(n, x)})
        self.images += 1
        self._mean = self._mean + n.mean(axis=(0, 1))
        self._square = self._square + (n**2).mean(axis=(0, 1))
        self._spatial = self._spatial + autocorrelation(n, self._lags)
        flat = n.reshape(-1, n.shape[2])
        varies = (flat.std(axis=0) > 0).all()
        colours = np.corrcoef(flat.T) if varies else np.eye(n.shape[2])
        self._colour = self._colour + np.atleast_2d(colours)
        self._histogram += np.histogram(n, EDGES)[0]
        if x is not None:
            bins = (np.clip(x, 0, 1) * (BINS - 1e-6)).astype(np.intp)
            for row, weight in enumerate((None, n.ravel(), n.ravel() ** 2)):
                self._by_brightness[row] += np.bincount(bins.ravel(), weight, BINS)

    def summary(self) -> dict:
        """Return plain numbers, in units of the image range [0, 1].

        Keys: ``images``; ``mean`` and ``std`` for each colour;
        ``autocorrelation``; ``colour_correlation``; ``histogram`` with
        ``edges`` and ``counts``; ``variance_by_brightness`` with ``brightness``,
        ``variance`` and ``samples``, empty where the image is not known; the share
        of ``not_finite`` samples, and what ``symptoms`` finds.
        """
        mean = np.asarray(self._mean) / self.images
        variance = np.asarray(self._square) / self.images - mean**2
        samples, sums, squares = self._by_brightness
        seen = samples > 0
        local = squares[seen] / samples[seen] - (sums[seen] / samples[seen]) ** 2
        return {
            "images": self.images,
            "mean": mean.tolist(),
            "std": np.sqrt(np.maximum(variance, 0)).tolist(),
            "autocorrelation": np.asarray(self._spatial / self.images).tolist(),
            "colour_correlation": (np.asarray(self._colour) / self.images).tolist(),
            "histogram": {
                "edges": EDGES.tolist(),
                "counts": self._histogram.tolist(),
            },
            "variance_by_brightness": {
                "brightness": ((np.flatnonzero(seen) + 0.5) / BINS).tolist(),
                "variance": local.tolist(),
                "samples": samples[seen].astype(int).tolist(),
            },
            **{key: total / self.images for key, total in self._symptoms.items()},
        }
