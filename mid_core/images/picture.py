"""Read and write an image of any mode: float32 RGB in [0, 1], and back to what it was.

What a file cannot give or take without loss is refused with a reason, never converted
in silence; it is decoded whole before anyone sees it. Kept: size, dtype, grey or
colour, alpha, ICC profile, resolution. Changed: EXIF orientation is applied, then all
EXIF dropped; palettes become RGB, greys of 2 or 4 bits 8-bit. Not noticed: a JPEG
that lost bytes in its middle but kept its end.
"""

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mid_core.errors import MidError
from mid_core.images import codecs
from mid_core.images.formats import check_writable
from mid_core.images.scratch import Space, scratch


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
    float_range : (low, high)
        The float samples that mean 0 and 1; (0, 1) for integer files.
    icc : bytes or None
        The ICC colour profile.
    dpi : (horizontal, vertical) or None
        Pixels per inch.
    """

    samples: np.ndarray
    alpha: np.ndarray | None = None
    float_range: tuple[float, float] = (0.0, 1.0)
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None

    @property
    def is_grey(self) -> bool:
        """Whether the file has one colour channel."""
        return self.samples.shape[2] == 1

    @property
    def rgb(self) -> np.ndarray:
        """A new (H, W, 3) float32 array in [0, 1]; grey is replicated."""
        x = self.rows(0, len(self.samples))
        return np.repeat(x, 3, axis=2) if self.is_grey else x

    def rows(self, first: int, last: int) -> np.ndarray:
        """A new (last - first, W, 1 or 3) float32 array in [0, 1]."""
        low, high = self.float_range
        x = to_float(np.ascontiguousarray(self.samples[first:last]))
        if (low, high) != (0.0, 1.0):
            x = (x - low) / (high - low)
        return x


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


def header(path: str | Path) -> codecs.Header:
    """Read size and pages of a file without decoding it.

    Raises MidError as `read` does, but not for what only decoding shows.
    """
    with _explained(Path(path)):
        return codecs.header(Path(path))


def read_pixels(path: str | Path, page: int | None = None) -> np.ndarray:
    """Read stored samples, upright: (H, W, 1) or (H, W, 3).

    They are uint8, uint16 or float32 in [0, 1]. Raises MidError as `read` does, and if
    a part of the image is transparent: that part's colours mean nothing.
    """
    picture = read(path, page=page)
    if picture.alpha is not None and np.ptp(picture.alpha) > 0:
        raise MidError(
            f"{path} has transparent parts: save it without its alpha channel, or "
            "leave it out."
        )
    return picture.samples


def read(
    path: str | Path,
    float_range: tuple[float, float] = (0.0, 1.0),
    page: int | None = None,
    space: Space = np.empty,
) -> Picture:
    """Read an image and what is needed to write it back; the suffix may lie.

    Parameters
    ----------
    path : path
        An image file.
    float_range : (low, high)
        The samples of a float file that mean 0 and 1. It is given, never taken from
        one image: noise banks mix images, so a folder needs one scale.
    page : int or None
        One of the pages that `header` lists; may be left out if there is one only.
    space : callable
        Makes the array for the samples: `np.empty`, or `scratch` in a folder where
        they might not fit into memory.

    Raises
    ------
    MidError
        If the file is missing, damaged, cut short, above `codecs.MAX_PIXELS`, not
        finite or outside `float_range`; or of a kind that is not read: CMYK, 1-bit,
        12-bit, float64, a volume, ...
    """
    low, high = float_range
    if not (np.isfinite([low, high]).all() and low < high):
        raise MidError(f"float_range is {float_range}: give two numbers, low < high.")
    picture = _load(Path(path), page, space)
    if picture.samples.dtype != np.float32:
        return picture
    darkest, brightest = picture.samples.min(), picture.samples.max()
    if darkest < low or brightest > high:
        raise MidError(
            f"{path} holds float samples from {darkest:.6g} to {brightest:.6g}, beyond "
            f"{low:.6g} to {high:.6g}: rescale all images of its folder alike, so that "
            "0 is black and 1 is white."
        )
    return replace(picture, float_range=(low, high))


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what decoders raise into a sentence."""
    try:
        yield
    except MidError:
        raise
    except MemoryError as error:
        raise MidError(f"{path} does not fit into memory: cut it in parts.") from error
    # On damaged files decoders raise whatever they meet, even IndexError.
    except Exception as error:
        raise MidError(
            f"{path} cannot be read, it is missing, damaged, cut short or no image "
            f"({error}): restore it from its source or leave it out."
        ) from error


def _load(path: Path, page: int | None, space: Space) -> Picture:
    with _explained(path):
        samples, turn, icc, dpi = codecs.decode(path, page, space)
    # EXIF orientation: TIFF 6.0, tag 274.
    samples = samples.swapaxes(0, 1) if turn >= 5 else samples
    samples = samples[::-1] if turn in (3, 4, 7, 8) else samples
    samples = samples[:, ::-1] if turn in (2, 3, 6, 7) else samples
    dpi = dpi[::-1] if dpi and turn >= 5 else dpi
    is_float = samples.dtype == np.float32
    if is_float and not np.isfinite([samples.min(), samples.max()]).all():
        raise MidError(f"{path} holds NaN or infinite pixels: repair or leave it out.")
    colours = 3 if samples.shape[2] >= 3 else 1
    alpha = samples[..., -1] if samples.shape[2] > colours else None
    return Picture(samples[..., :colours], alpha, icc=icc, dpi=dpi)


def write(path: str | Path, rgb: np.ndarray, like: Picture) -> None:
    """Write one image: `write_pages` with a single page."""
    write_pages(path, [([rgb], like)], 1)


def write_pages(
    path: str | Path,
    images: Iterable[tuple[Iterable[np.ndarray], Picture]],
    pages: int,
) -> None:
    """Write RGB images as the kind that is given, in the format of the suffix.

    Parameters
    ----------
    path : path
        An existing file is replaced, at once and whole, through a hidden file in the
        same folder. JPEG has quality 95 and full chroma, all else is lossless.
    images : iterable of (bands, like)
        The bands, (rows, W, 3) floats from top to bottom, are clipped to [0, 1],
        brought to `like.float_range`, rounded; a grey image is the mean of the three,
        or is given as (rows, W, 1).
        `like` gives dtype, grey or colour, alpha, profile and resolution. A band is
        stored before the next is asked for, and an image written before the next is,
        so that large images and long stacks need little memory.
    pages : int
        How many images there are; more than one makes a TIFF of so many pages.

    Raises
    ------
    MidError
        As `check_writable`, before the first band; if the bands have another size or
        are not finite; if the disk refuses.
    """
    path = Path(path)
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix.lower()}")
    try:
        stored = (_encodable(path, *image, pages) for image in images)
        codecs.encode(part, stored, pages)
        part.replace(path)
    except OSError as error:
        raise MidError(f"{path} cannot be written: {error}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _encodable(
    path: Path, bands: Iterable[np.ndarray], like: Picture, pages: int
) -> codecs.Encodable:
    """Gather the samples of a file, alpha included, beside it."""
    check_writable(path, like, pages)
    height, width, colours = like.samples.shape
    channels = colours + (like.alpha is not None)
    stored = scratch((height, width, channels), like.samples.dtype, path.parent)
    done = 0
    for rgb in bands:
        rows = stored[done : done + len(rgb), :, :colours]
        fits = rgb.shape in ((len(rows), width, 3), rows.shape)
        if not fits or not np.isfinite(rgb).all():
            raise MidError(
                f"{path} cannot be written: got {rgb.shape} pixels at row {done}, "
                f"where finite ones for {height} x {width} are needed."
            )
        rows[:] = _stored_like(rgb, like)
        done += len(rgb)
    if done < height:
        raise MidError(f"{path} cannot be written: got {done} of {height} rows.")
    if like.alpha is not None:
        stored[..., colours] = like.alpha
    return stored[..., 0] if channels == 1 else stored, like.icc, like.dpi


def _stored_like(rgb: np.ndarray, like: Picture) -> np.ndarray:
    # In float64 the mean of three equal float32 is that float32.
    is_mean = rgb.shape[2] > like.samples.shape[2]
    colour = rgb.mean(2, np.float64, keepdims=True) if is_mean else rgb
    low, high = like.float_range
    samples = to_dtype(colour, like.samples.dtype)
    if (low, high) != (0.0, 1.0):
        samples = np.clip(low + samples * (high - low), low, high)
    return samples
