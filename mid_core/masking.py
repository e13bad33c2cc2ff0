"""Bernoulli masks. 1 = kept, 0 = hidden; a mask ratio is the share hidden."""

import math
import zlib
from collections.abc import Sequence

import numpy as np

Ratio = float | Sequence[float]

BAND = 64
WORDS = 2**16


def image_seed(seed: int, stream: str, name: str) -> list[int]:
    """Entropy for all randomness of one image: independent of order and of others.

    Parameters
    ----------
    seed
        The run's seed.
    stream
        What the numbers are for, e.g. ``"extract/1"``.
    name
        The image's name.
    """
    return [seed, zlib.crc32(stream.encode()), zlib.crc32(name.encode())]


def draw_ratio(ratio: Ratio, rng: np.random.Generator) -> float:
    """Return the ratio itself, or a uniform draw if it is a range [low, high]."""
    return float(ratio) if np.isscalar(ratio) else float(rng.uniform(*ratio))


def bernoulli(
    shape: tuple[int, ...],
    ratio: float,
    rng: np.random.Generator,
    dtype: type = np.float32,
) -> np.ndarray:
    """Draw a mask in {0, 1}, of a type, that hides each entry with chance ``ratio``.

    The last axis of ``shape`` is 1 for a mask shared by the colours (paper,
    section 3.2: Bernoulli at each pixel), or 3 for a draw per colour.
    """
    return (rng.random(shape, dtype=np.float32) >= ratio).astype(dtype, copy=False)


def quick_bernoulli(
    shape: tuple[int, ...], ratio: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw such a mask for a training, in a third of the time.

    16 bits decide on an entry, so the chance is ``ratio`` to the nearest 1/65536:
    0 and 1 exactly. An image's mask is drawn by ``bernoulli``; the two share what a
    mask and a ratio mean, not their numbers.
    """
    size = math.prod(shape)
    words = rng.bit_generator.random_raw(-(-size // 4)).view(np.uint16)
    kept = words[:size].reshape(shape) >= round(ratio * WORDS)
    return kept.astype(np.float32)


def mask_rows(
    entropy: Sequence[int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    width: int,
    channels: int,
    ratio: Ratio,
    dtype: type = np.float32,
) -> np.ndarray:
    """Cut rows and columns out of one image-wide mask, without drawing all of it.

    The mask is made of bands of 64 rows with a generator each, so that every way
    of cutting an image into tiles sees the same mask.

    Parameters
    ----------
    entropy
        Seed of this image's mask; another mask needs another.
    rows, columns
        Half-open ranges [first, last).
    width
        Of the whole image.
    channels
        1, or the number of colours for a draw per colour.
    ratio
        Share hidden, or a range from which this mask's share is drawn.
    dtype
        Of the result: ``bool`` takes a quarter of the memory.

    Returns
    -------
    (rows, columns, channels) in {0, 1}.
    """
    share = draw_ratio(ratio, np.random.default_rng([*entropy, 0]))
    first, last = rows[0] // BAND, -(-rows[1] // BAND)
    shape = (BAND, width, channels)
    bands = [
        bernoulli(shape, share, np.random.default_rng([*entropy, 1, band]), dtype)[
            :, columns[0] : columns[1]
        ]
        for band in range(first, last)
    ]
    return np.concatenate(bands)[rows[0] - first * BAND : rows[1] - first * BAND]
