"""Bernoulli masks. 1 = kept, 0 = hidden; a mask ratio is the share hidden."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mid_core.networks.layers import box_mean

MaskRatio = float | Sequence[float]

# Rows that share a generator; another number would draw other masks.
BAND = 64
WORDS = 2**16
# Sides of the squares, in pixels, whose visible pixels fill a hidden one.
NEAR, FAR = 5, 21


@dataclass(frozen=True)
class Masking:
    """How inputs are masked: M of the paper (section 3.2).

    Attributes
    ----------
    mask_ratio
        Share of hidden pixels in [0, 1), or a range [low, high] from which it is drawn
        anew for each image.
    per
        ``"pixel"``: one draw shared by the colours; ``"colour"``: a draw each.
    fill
        Value of hidden pixels; ``"mean"``: of the visible pixels around each.
    as_input
        Whether the network also sees the mask, as further channels.
    """

    mask_ratio: MaskRatio
    per: str = "pixel"
    fill: float | str = 0.0
    as_input: bool = False

    def channels(self, colours: int) -> int:
        """Channels of the mask itself."""
        return 1 if self.per == "pixel" else colours

    def extra_channels(self, colours: int) -> int:
        """Input channels that the mask adds."""
        return self.channels(colours) if self.as_input else 0

    @property
    def margin(self) -> int:
        """Pixels around a hidden one on which its value depends."""
        return FAR // 2 if self.fill == "mean" else 0

    def apply(self, y: Tensor, mask: Tensor) -> Tensor:
        """Hide pixels: M*y, what the network is shown.

        Parameters
        ----------
        y
            Noisy images, float32 (..., H, W, C).
        mask
            Booleans (..., H, W, 1 or C); true = kept.

        Returns
        -------
        float32 (..., H, W, C), followed by the mask's channels if ``as_input`` is set.

        Examples
        --------
        >>> y = torch.tensor([[[0.25], [0.75]]])
        >>> mask = torch.tensor([[[True], [False]]])
        >>> Masking(mask_ratio=0.5).apply(y, mask).tolist()
        [[[0.25], [0.0]]]
        """
        if self.fill == "mean":
            shown = torch.where(mask, y, visible_means(y, mask))
        else:
            shown = torch.where(mask, y, float(self.fill))
        return torch.cat([shown, mask.float()], dim=-1) if self.as_input else shown


def visible_means(y: Tensor, mask: Tensor) -> Tensor:
    """Mean of the visible pixels around each pixel, of each colour by itself.

    Those in the 5x5 pixels around it count 350 times as much as the others in 21x21,
    which matter where no near one is visible. Where none at all is, the mean is 0.

    Parameters
    ----------
    y
        Noisy images, float32 (..., H, W, C).
    mask
        Booleans (..., H, W, 1 or C); true = visible.

    Returns
    -------
    float32 (..., H, W, C).

    Examples
    --------
    >>> y = torch.tensor([[[0.2], [0.9], [0.4]]])
    >>> mask = torch.tensor([[[True], [False], [True]]])
    >>> round(visible_means(y, mask)[0, 1, 0].item(), 6)
    0.3
    """
    kept = mask.to(y.dtype)
    planes = torch.cat([y * kept, kept], dim=-1).movedim(-1, -3)
    near, far = (box_mean(planes, side) for side in (NEAR, FAR))
    sums = (near + far / 20).movedim(-3, -1)
    colours = y.shape[-1]
    return sums[..., :colours] / sums[..., colours:].clamp_min(1e-6)


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

    Examples
    --------
    >>> image_seed(0, "extract/1", "a.png") == image_seed(0, "extract/1", "b.png")
    False
    """
    # Names of files may hold bytes that are no UTF-8 (PEP 383).
    texts = (stream, name)
    return [
        seed,
        *(zlib.crc32(text.encode(errors="surrogateescape")) for text in texts),
    ]


def draw_mask_ratio(mask_ratio: MaskRatio, rng: np.random.Generator) -> float:
    """Return the ratio itself, or a uniform draw if it is a range [low, high].

    Examples
    --------
    >>> draw_mask_ratio(0.8, np.random.default_rng(0))
    0.8
    """
    if isinstance(mask_ratio, Sequence):
        low, high = mask_ratio
        return float(rng.uniform(low, high))
    return float(mask_ratio)


def bernoulli(
    shape: tuple[int, ...], mask_ratio: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw a mask, true = kept, that hides each entry with chance ``mask_ratio``.

    The last axis of ``shape`` is 1 for a mask shared by the colours (paper,
    section 3.2: Bernoulli at each pixel), or the number of colours for a draw each.

    Examples
    --------
    >>> bernoulli((2, 4, 1), 0.5, np.random.default_rng(0)).shape
    (2, 4, 1)
    """
    return rng.random(shape, dtype=np.float32) >= mask_ratio


def quick_bernoulli(
    shape: tuple[int, ...], mask_ratio: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw such a mask for a training, in a third of the time.

    16 random bits decide on an entry, so the chance is ``mask_ratio`` to the nearest
    1/65536: 0 and 1 exactly. The numbers are others than those of ``bernoulli``.
    """
    size = math.prod(shape)
    words = rng.bit_generator.random_raw(-(-size // 4)).view(np.uint16)
    return words[:size].reshape(shape) >= round(mask_ratio * WORDS)


def mask_rows(
    entropy: Sequence[int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    width: int,
    channels: int,
    mask_ratio: MaskRatio,
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
    mask_ratio
        Share hidden, or a range from which this mask's share is drawn.

    Returns
    -------
    Booleans (rows, columns, channels); true = kept.

    Examples
    --------
    >>> whole = mask_rows([7], (0, 90), (0, 50), 50, 1, 0.8)
    >>> part = mask_rows([7], (60, 90), (20, 50), 50, 1, 0.8)
    >>> bool((part == whole[60:90, 20:50]).all())
    True
    """
    drawn = draw_mask_ratio(mask_ratio, np.random.default_rng([*entropy, 0]))
    first, last = rows[0] // BAND, -(-rows[1] // BAND)
    shape = (BAND, width, channels)
    bands = [
        bernoulli(shape, drawn, np.random.default_rng([*entropy, 1, band]))[
            :, columns[0] : columns[1]
        ]
        for band in range(first, last)
    ]
    return np.concatenate(bands)[rows[0] - first * BAND : rows[1] - first * BAND]
