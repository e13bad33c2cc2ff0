"""What every image file is read to, and what another one like it is written from."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mid_core.errors import MidError

# Orientations that swap height and width.
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image and what is needed to write another one like it.

    Attributes
    ----------
    samples : ndarray, (H, W, 1) or (H, W, 3), uint8, uint16 or float32
        Upright, as stored: float32 RGB would take up to twelve times the memory. It
        may be a view, in any order of memory.
    alpha : ndarray, (H, W), or None
        Of the same dtype; written back unchanged.
    icc : bytes or None
        The ICC colour profile.
    dpi : (horizontal, vertical) or None
        Pixels per inch.
    exif : bytes or None
        As a JPEG has it: ``Exif``, two zeros and a TIFF.
    chunks : bytes
        Those of a PNG that say what its colours mean, as they stand in it.
    is_srgb : bool
        Whether the chunks tell nothing but sRGB, or the ICC profile goes before them.
    lost : tuple of str
        What else the file tells, and is not kept.
    """

    samples: np.ndarray
    alpha: np.ndarray | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None
    chunks: bytes = b""
    is_srgb: bool = True
    lost: tuple[str, ...] = ()

    @property
    def is_grey(self) -> bool:
        """Whether the file has one colour channel."""
        return self.samples.shape[2] == 1

    def rows(self, first: int, last: int) -> np.ndarray:
        """A new (last - first, W, 1 or 3) float32 array in [0, 1]."""
        return to_float(np.ascontiguousarray(self.samples[first:last]))


class Header(NamedTuple):
    """What a file tells of its images before they are decoded.

    Attributes
    ----------
    size
        (height, width), upright.
    pages
        Numbers of the pages that are images; (0,) but for a TIFF of several.
    """

    size: tuple[int, int]
    pages: tuple[int, ...]


def upright_size(height: int, width: int, turn: int) -> tuple[int, int]:
    """Height and width after an EXIF orientation is applied."""
    return (width, height) if turn in _SIDEWAYS else (height, width)


def upright(
    samples: np.ndarray,
    turn: int,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
) -> Picture:
    """Turn stored samples (H, W, 1 to 4), and split alpha from colour.

    `turn` is the EXIF orientation (TIFF 6.0, tag 274). Only 1 to 8 mean anything;
    any other leaves the image as it is.
    """
    if turn in _SIDEWAYS:
        samples, dpi = samples.swapaxes(0, 1), dpi and dpi[::-1]
    samples = samples[::-1] if turn in (3, 4, 7, 8) else samples
    samples = samples[:, ::-1] if turn in (2, 3, 6, 7) else samples
    colours = 3 if samples.shape[2] >= 3 else 1
    alpha = samples[..., -1] if samples.shape[2] > colours else None
    return Picture(samples[..., :colours], alpha, icc, dpi)


def to_float(pixels: np.ndarray) -> np.ndarray:
    """Copy samples to float32: uint8 / 255, uint16 / 65535, float32 as it is.

    Any other dtype raises MidError.
    """
    if _known(pixels.dtype) == np.float32:
        return pixels.copy()
    return np.divide(pixels, np.iinfo(pixels.dtype).max, dtype=np.float32)


def to_dtype(x: np.ndarray, dtype: np.dtype | type | str) -> np.ndarray:
    """Clip to [0, 1] and store as uint8, uint16 or float32: undoes `to_float`.

    Integers are rounded, halves up, since truncation costs 0.014 dB
    (failure_modes.md, E2). Any other dtype raises MidError.
    """
    dtype = _known(np.dtype(dtype))
    clipped = np.clip(np.asarray(x, dtype=np.float32), 0, 1)
    if dtype == np.float32:
        return clipped
    return (clipped * np.iinfo(dtype).max + np.float32(0.5)).astype(dtype)


def _known(dtype: np.dtype) -> np.dtype:
    if dtype not in (np.uint8, np.uint16, np.float32):
        raise MidError(f"Pixels are {dtype}: make them uint8, uint16 or float32.")
    return dtype
