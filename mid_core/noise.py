"""Noise banks: white Gaussian noise (N_0), and the residuals of real images (N_k)."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mid_core.ensemble import as_tensor, denoise
from mid_core.masking import Masking
from mid_core.networks.denoiser import Denoiser


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


def residual(
    network: Denoiser,
    y: np.ndarray,
    masking: Masking,
    seed: Sequence[int],
    num_masks: int = 1,
    tile: int | None = None,
    report: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Return y - D(M*y), an element of the next noise bank (paper, Eq. 4).

    Parameters
    ----------
    masks
        Predictions averaged first; the paper takes one.

    Returns
    -------
    float16 (H, W, C), in [-1, 1] but for what the network overshoots. For the other
    parameters see ``denoise``.

    Examples
    --------
    >>> from mid_core.networks import build
    >>> network = build({"name": "dncnn", "width": 4, "depth": 3}).eval()
    >>> y = np.full((33, 47, 3), 0.5, np.float32)
    >>> residual(network, y, Masking(0.8), seed=[0]).dtype.name
    'float16'
    """
    estimate = denoise(network, y, masking, seed, (num_masks,), tile, report)[0]
    # As NumPy would, but in all threads.
    return (as_tensor(y) - as_tensor(estimate)).half().numpy()
