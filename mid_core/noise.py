"""Noise banks: Gaussian noise, white or as measured, and the residuals of real images."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mid_core.brightness import brightness_error
from mid_core.cameras import Camera
from mid_core.look import autocorrelation

if TYPE_CHECKING:
    from mid_core.masking import Masking
    from mid_core.networks.denoiser import Denoiser

# Measured levels are varied by factors between these. Correlated noise is stronger than
# it looks in some places, and much weaker in none; see docs/measurements.
LEVELS_IF_WHITE = (0.8, 1.25)
LEVELS = (0.8, 2.0)
# Largest shift of measured correlations, in pixels.
LAGS = 8


def white_gaussian(
    count: int,
    size: int,
    sigma: tuple[float, float],
    channels: int,
    seed: int,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the bank N_0 of the paper (section 3.1): drawn once, finite.

    Parameters
    ----------
    count, size
        Elements of the bank, and their side in pixels.
    sigma
        Standard deviation of each element: uniform in [low, high], in 1/255.
    channels
        Colours, with independent noise.
    seed
        Element i depends on the seed and i alone.

    Yields
    ------
    Its name and float16 (size, size, channels).

    Examples
    --------
    >>> for name, n in white_gaussian(2, 4, (5, 50), channels=3, seed=0):
    ...     print(name, n.shape, n.dtype)
    awgn_00000 (4, 4, 3) float16
    awgn_00001 (4, 4, 3) float16
    """
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        spread = rng.uniform(*sigma) / 255
        noise = rng.standard_normal((size, size, channels), dtype=np.float32)
        yield f"awgn_{i:05d}", (noise * np.float32(spread)).astype(np.float16)


def measured_gaussian(
    camera: Camera, count: int, size: int, seed: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield Gaussian noise of the level and correlations that images show.

    Element i is like the noise of image i modulo their number: its level is that of a
    place of that image drawn at random, times a factor between those of ``LEVELS``, as
    what is seen of a level is not exact.

    Parameters
    ----------
    camera
        What the noisy images show; see ``cameras.together``.
    count, size
        Elements of the bank, and their side in pixels.
    seed
        Element i depends on the looks, the seed and i alone.

    Yields
    ------
    Its name and float16 (size, size, C).
    """
    filters = [_filter(one.spectrum, size) for one in camera.looks]
    low, high = np.log(LEVELS_IF_WHITE if camera.is_white else LEVELS)
    for i in range(count):
        rng, which = np.random.default_rng([seed, i]), i % len(filters)
        places = camera.looks[which].places
        level = places[rng.integers(len(places))] * np.exp(rng.uniform(low, high))
        white = rng.standard_normal((size, size, places.shape[1]))
        waves = np.fft.fft2(white, axes=(0, 1))[..., None]
        noise = np.fft.ifft2((filters[which] @ waves)[..., 0], axes=(0, 1)).real
        yield f"measured_{i:05d}", (noise * level).astype(np.float16)


def _filter(spectrum: np.ndarray, size: int) -> np.ndarray:
    """Square root of a spectrum on the frequencies of a square, (size, size, C, C)."""
    lags = min(LAGS, (size - 1) // 2)
    shifts = np.arange(-lags, lags + 1)
    # To 0 beyond the largest lag: a covariance that is cut off is none.
    fading = np.sqrt(np.hanning(2 * lags + 3)[1:-1])
    covariance = np.zeros((size, size, *spectrum.shape[:2]))
    covariance[np.ix_(shifts, shifts)] = (
        autocorrelation(spectrum, lags) * np.outer(fading, fading)[..., None, None]
    )
    values, vectors = np.linalg.eigh(np.fft.fft2(covariance, axes=(0, 1)))
    root = vectors * np.sqrt(np.maximum(values, 0))[..., None, :]
    root = root @ np.conj(vectors).swapaxes(-1, -2)
    # What was set to 0 must not raise the level.
    power = np.einsum("yxab,yxab->a", root, root.conj()).real / size**2
    unit: np.ndarray = root / np.sqrt(np.maximum(power, 1e-12))[:, None]
    return unit


def residual(
    network: "Denoiser",
    y: np.ndarray,
    masking: "Masking",
    seed: Sequence[int],
    num_masks: int = 1,
    tile: int | None = None,
    report: Callable[[float], None] = lambda share: None,
    brightness: str = "predicted",
) -> np.ndarray:
    """Return y - D(M*y), an element of the next noise bank (paper, Eq. 4).

    Parameters
    ----------
    num_masks
        Predictions averaged first; the paper takes one.
    brightness
        Whose local brightness the estimate has: see ``brightness_error``.

    Returns
    -------
    float16 (H, W, C), in [-1, 1] but for what the network overshoots. For the other
    parameters see ``denoise``.

    Examples
    --------
    >>> from mid_core.masking import Masking
    >>> from mid_core.networks import build
    >>> network = build({"name": "dncnn", "width": 4, "depth": 3}).eval()
    >>> y = np.full((33, 47, 3), 0.5, np.float32)
    >>> residual(network, y, Masking(0.8), seed=[0]).dtype.name
    'float16'
    """
    # Not at the top: banks of Gaussian noise are drawn without torch, in half the time.
    from mid_core.ensemble import as_tensor, denoise

    estimate = denoise(network, y, masking, seed, (num_masks,), tile, report)[0]
    estimate -= brightness_error(estimate, y, brightness)
    # As NumPy would, but in all threads.
    return (as_tensor(y) - as_tensor(estimate)).half().numpy()
