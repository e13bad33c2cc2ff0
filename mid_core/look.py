"""What an image's noise is like, seen without the truth: its level and correlations.

Blocks of 16 x 16 pixels that vary least for their brightness show little but noise. The
level is that of these blocks; each frequency's share is a median over them, which a few
blocks with structure do not move (as Ponomarenko et al. 2007, "An automatic approach to
lossy compression of AVIRIS images", estimate levels from coefficients of flat blocks).
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from mid_core.errors import MidError

BLOCK = 16
# Blocks of an image at most: a larger one is looked at in places spread over it.
MOST_BLOCKS = 16384
BINS = 16
# Share of the blocks of a brightness that are flat for certain.
FLAT = 0.05
ROUNDS = 6
# Of the square of a Gaussian variable of variance 1.
MEDIAN_SQUARE = 0.4549
_ROWS, _COLUMNS = np.mgrid[:BLOCK, :BLOCK]
# What brightness and its slopes in an image put into a block.
SLOPES = _ROWS + _COLUMNS <= 1
NEXT = (_ROWS + _COLUMNS >= 2) & (_ROWS + _COLUMNS <= 3)
FINEST = (_ROWS >= BLOCK // 2) & (_COLUMNS >= BLOCK // 2)
# Fine structure reaches these least.
CORNER = (_ROWS >= 3 * BLOCK // 4) & (_COLUMNS >= 3 * BLOCK // 4)


@dataclass(frozen=True)
class Look:
    """What an image of C colours shows of its noise.

    Attributes
    ----------
    level
        (C,) standard deviation over the whole image, in units of the range [0, 1].
    curve
        (C, 16) the same by a colour's own brightness, at (i + 0.5) / 16.
    places
        (64, C) the same at places spread evenly over the image.
    spectrum
        (C, C, 16, 16) covariance of two colours' noise by frequency (that of a cosine
        transform of 16 x 16 pixels); the mean of ``spectrum[c, c]`` is 1.
    finest
        Share of the level in the finest quarter of the frequencies, squared and
        relative to white noise: 1 for white noise.
    clipped
        Share of the values that are 0 or 1.
    flat
        Share of the blocks that were taken for noise alone.
    detail
        Standard deviation that the image's structure adds within blocks: what there is
        to lose.
    """

    level: np.ndarray
    curve: np.ndarray
    places: np.ndarray
    spectrum: np.ndarray
    finest: float
    clipped: float
    flat: float
    detail: float

    @property
    def mean_level(self) -> float:
        """Root mean square of the colours' levels."""
        return float(np.sqrt((self.level**2).mean()))


@dataclass(frozen=True)
class _Blocks:
    """Blocks of an image: brightness (N, C) and cosine coefficients (N, C, 16, 16)."""

    brightness: np.ndarray
    waves: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """(N, C) of what is neither their brightness nor a slope."""
        return (self.waves**2).sum(axis=(2, 3)) / (~SLOPES).sum()


def look(y: np.ndarray) -> Look:
    """Look at the noise of one image.

    Parameters
    ----------
    y
        Noisy image, float32 (H, W, C) in [0, 1].

    Raises
    ------
    MidError
        If a side is shorter than two blocks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = 0.5 + rng.normal(0, 0.04, (90, 128, 1)).astype(np.float32)
    >>> seen = look(y)
    >>> bool(0.036 < seen.level[0] < 0.044), seen.finest > 0.9
    (True, True)
    """
    if min(y.shape[:2]) < 2 * BLOCK:
        raise MidError(
            f"the image is {y.shape[1]}x{y.shape[0]} pixels: noise is looked at in "
            f"images of at least {2 * BLOCK} a side"
        )
    blocks = _blocks(y)
    flat, curves, power = _flat_blocks(blocks)
    spectrum = _spectrum(flat, curves, power)
    share = np.einsum("ccij->cij", spectrum).mean(axis=(1, 2))
    curve = np.sqrt(curves * share[:, None]).astype(np.float32)
    spectrum /= np.sqrt(np.outer(share, share))[..., None, None]
    std = std_under(curve, smoothed(y))
    level = np.sqrt((std**2).mean(axis=(0, 1)))
    within = blocks.variance.mean(axis=0) - (level**2)
    return Look(
        level=level,
        curve=curve,
        places=_on_a_grid(std, 8),
        spectrum=spectrum.astype(np.float32),
        finest=float(np.einsum("ccij->ij", spectrum)[FINEST].mean() / len(spectrum)),
        clipped=float(((y <= 0) | (y >= 1)).mean()),
        flat=len(flat.brightness) / len(blocks.brightness),
        detail=float(np.sqrt(max(0.0, within.mean()))),
    )


def smoothed(y: np.ndarray) -> np.ndarray:
    """Brightness of each colour, without most of the noise, (H, W, C)."""
    return gaussian_filter(y, (3, 3, 0))


def std_under(curve: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise where the colours have this brightness.

    Parameters
    ----------
    curve
        (C, 16), as in ``Look``.
    brightness
        (..., C) in [0, 1].
    """
    middles = (np.arange(BINS) + 0.5) / BINS
    colours = range(len(curve))
    each = [np.interp(brightness[..., c], middles, curve[c]) for c in colours]
    return np.stack(each, axis=-1)


def _on_a_grid(field: np.ndarray, side: int) -> np.ndarray:
    """Take (side * side, C) values of an (H, W, C) field, evenly spread."""
    rows, columns = (
        (np.arange(side) * length + length // 2) // side for length in field.shape[:2]
    )
    return field[np.ix_(rows, columns)].reshape(side * side, -1)


def _blocks(y: np.ndarray) -> _Blocks:
    """Cut an image into overlapping blocks, without those at black or white."""
    windows = sliding_window_view(y, (BLOCK, BLOCK), axis=(0, 1))
    step = BLOCK // 2
    while np.prod([-(-side // step) for side in windows.shape[:2]]) > MOST_BLOCKS:
        step += BLOCK // 2
    blocks = windows[::step, ::step].reshape(-1, y.shape[2], BLOCK, BLOCK)
    cut = ((blocks <= 0) | (blocks >= 1)).mean(axis=(2, 3)).max(axis=1)
    # A picture may be black all over: something must be left to look at.
    whole = cut <= max(0.02, np.quantile(cut, 0.05))
    blocks = blocks[whole].astype(np.float32)
    waves = dctn(blocks, axes=(2, 3), norm="ortho")
    waves[..., SLOPES] = 0
    return _Blocks(blocks.mean(axis=(2, 3)), waves)


def _flat_blocks(blocks: _Blocks) -> tuple[_Blocks, np.ndarray, np.ndarray]:
    """Choose the blocks that vary least for their brightness.

    Returns
    -------
    Them; the variance by brightness (C, 16); and the power of each frequency
    relative to it, (C, 16, 16).
    """
    variance = blocks.variance
    lowest = np.quantile(variance, FLAT, axis=0)
    curves = np.repeat(lowest[:, None], BINS, axis=1)
    order = np.argsort(blocks.brightness.mean(axis=1))
    groups = np.array_split(order, max(1, min(8, len(order) // 100)))
    scatter = 0.15
    for _ in range(ROUNDS):
        expected = std_under(np.sqrt(curves), blocks.brightness) ** 2
        relative = (variance / np.maximum(expected, 1e-12)).mean(axis=1)
        kept = [group[_lowest(relative[group], scatter)] for group in groups]
        chosen = np.concatenate(kept)
        flat = _Blocks(blocks.brightness[chosen], blocks.waves[chosen])
        curves = _curves(flat.brightness, variance[chosen])
        power, scatter = _power(flat, curves)
    return flat, curves, power


def _lowest(values: np.ndarray, scatter: float) -> np.ndarray:
    """Which values are those of noise alone, whose relative scatter is known."""
    # The 5 % quantile of pure noise lies so far below its mean.
    level = np.quantile(values, FLAT) * (1 + 1.2 * scatter)
    for _ in range(4):
        kept = values <= max(level * (1 + 1.6 * scatter), values.min())
        # What is cut off above would have raised the mean by that much.
        level = values[kept].mean() * (1 + 0.1 * scatter)
    return np.flatnonzero(kept)


def _curves(brightness: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Variance by brightness, (C, 16): between the bins that have blocks, linear."""
    middles, curves = (np.arange(BINS) + 0.5) / BINS, []
    for own, values in zip(brightness.T, variance.T, strict=True):
        bins = np.minimum((own * BINS).astype(int), BINS - 1)
        count = np.bincount(bins, minlength=BINS)
        seen = count >= min(20, count.max())
        sums = np.bincount(bins, values, BINS)[seen]
        where = np.bincount(bins, own, BINS)[seen] / count[seen]
        curves.append(np.interp(middles, where, sums / count[seen]))
    return np.array(curves)


def _relative(flat: _Blocks, curves: np.ndarray) -> np.ndarray:
    """Coefficients of blocks relative to the level at their brightness."""
    std = std_under(np.sqrt(curves), flat.brightness)
    return flat.waves / np.maximum(std, 1e-6)[..., None, None]


def _power(flat: _Blocks, curves: np.ndarray) -> tuple[np.ndarray, float]:
    """Median power of each frequency, and how far a block's variance scatters by it."""
    power = np.median(_relative(flat, curves) ** 2, axis=0) / MEDIAN_SQUARE
    # Where there is no noise at all, as in black, there is no spectrum: take it for white.
    power[~power.any(axis=(1, 2))] = 1
    # Slopes of the brightness would hide the noise there.
    power[:, SLOPES] = power[:, NEXT].mean(axis=1, keepdims=True)
    mean = power.mean(axis=0)
    # Squares of Gaussian variables; colours count as if 60 % of them were independent.
    freedom = mean.sum() ** 2 / (mean**2).sum() * max(1, 0.6 * len(power))
    return power, float(np.sqrt(2 / freedom))


def _spectrum(flat: _Blocks, curves: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Covariance of colours by frequency: median powers, and smoothed correlations."""
    waves = np.clip(_relative(flat, curves), -6, 6)
    products = np.einsum("naij,nbij->abij", waves, waves) / len(waves)
    own = np.sqrt(np.einsum("aaij->aij", products))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(products / (own[:, None] * own[None]))
    smooth = gaussian_filter(correlation, (0, 0, 1, 1), mode="nearest")
    for c in range(len(power)):
        smooth[c, c] = 1
    return smooth * np.sqrt(power[:, None] * power[None])


def autocorrelation(spectrum: np.ndarray, lags: int = 8) -> np.ndarray:
    """Covariance of the colours' noise by shift, from a spectrum.

    Parameters
    ----------
    spectrum
        (C, C, 16, 16), as in ``Look``.

    Returns
    -------
    (2 lags + 1, 2 lags + 1, C, C), in the middle 1 for a colour with itself.
    """
    shifts = np.arange(-lags, lags + 1)
    waves = np.cos(np.pi * np.outer(shifts, np.arange(BLOCK + 1)) / BLOCK)
    # An integral over all frequencies, by trapezia: both ends count half.
    waves[:, 0] /= 2
    waves[:, BLOCK - 1] += waves[:, BLOCK] / 2
    waves = waves[:, :BLOCK] / BLOCK
    values = np.einsum("yi,abij,xj->yxab", waves, spectrum, waves)
    std = np.sqrt(np.einsum("aa->a", values[lags, lags]))
    return values / np.outer(std, std)
