"""Read an image file of any mode, and write one like it.

What a file cannot give or take without loss is refused with a reason, never converted
in silence; it is decoded whole before anyone sees it. Kept: size, dtype, grey or
colour, alpha, the colour space, resolution, EXIF. Changed: the orientation is applied,
EXIF's thumbnail dropped; palettes become RGB, greys of 2 or 4 bits 8-bit. What else a
file tells is named in ``Picture.lost``. Not noticed: changed bytes in a JPEG that make
pixels all the same.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mid_core.errors import MidError
from mid_core.images import single_image, tiff
from mid_core.images.formats import check_writable, refuse_if, refuse_others
from mid_core.images.picture import Header, Picture, to_dtype
from mid_core.images.scratch import Space, scratch
from mid_core.runtime.files import refusal, replacing


def header(path: str | Path) -> Header:
    """Read size and pages of a file without decoding it.

    Raises MidError as `read` does, but not for what only decoding shows.
    """
    path = Path(path)
    with _explained(path):
        return tiff.header(path) if _is_tiff(path) else single_image.header(path)


def read_pixels(path: str | Path, page: int | None = None) -> np.ndarray:
    """Read stored samples, upright: (H, W, 1) or (H, W, 3).

    They are uint8, uint16 or float32 in [0, 1]. Raises MidError as `read` does, and if
    a part of the image is transparent: that part's colours mean nothing.
    """
    picture = read(path, page)
    opaque = (
        1 if picture.samples.dtype.kind == "f" else np.iinfo(picture.samples.dtype).max
    )
    if picture.alpha is not None and picture.alpha.min() < opaque:
        raise MidError(
            f"{path} has transparent parts: save it without its alpha channel, or "
            "leave it out."
        )
    return picture.samples


def read(path: str | Path, page: int | None = None, space: Space = np.empty) -> Picture:
    """Read an image and what is needed to write it back; the suffix may lie.

    Parameters
    ----------
    path : path
        An image file.
    page : int or None
        One of the pages that `header` lists; may be left out if there is one only.
    space : callable
        Makes the array for the samples: `np.empty`, or `scratch` in a folder where
        they might not fit into memory.

    Raises
    ------
    MidError
        If the file is missing, damaged, cut short, above `formats.MAX_PIXELS`, or has
        floats outside [0, 1]; or is of a kind that is not read: CMYK, 1-bit, 12-bit,
        float64, a volume, ...
    """
    path = Path(path)
    with _explained(path):
        is_tiff = _is_tiff(path)
        picture = (
            tiff.decode(path, page, space)
            if is_tiff
            else single_image.decode(path, space)
        )
    if picture.samples.dtype == np.float32:
        _check_floats(path, picture.samples, picture.alpha)
    return picture


def _is_tiff(path: Path) -> bool:
    # To open a pipe would wait for ever.
    refuse_if(path.exists() and not path.is_file(), path, "it is no file")
    with path.open("rb") as file:
        start = file.read(16)
    refuse_others(path, start)
    return start[:4] in tiff.STARTS


def _check_floats(path: Path, samples: np.ndarray, alpha: np.ndarray | None) -> None:
    darkest, brightest = samples.min(), samples.max()
    ends = [darkest, brightest] + ([] if alpha is None else [alpha.min(), alpha.max()])
    if not np.isfinite(ends).all():
        raise MidError(f"{path} holds NaN or infinite pixels: repair or leave it out.")
    if darkest < 0 or brightest > 1:
        raise MidError(
            f"{path} holds float samples from {darkest:.6g} to {brightest:.6g}, beyond "
            "0 to 1: rescale all images of its folder alike, so that 0 is black and 1 "
            "is white."
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what decoders raise into a sentence."""
    try:
        yield
    except MidError:
        raise
    except MemoryError as error:
        raise MidError(f"{path} does not fit into memory: cut it in parts.") from error
    except OSError as error:
        if error.errno is None:  # a decoder's own
            raise _damage(path, error) from error
        raise MidError(
            f"{path} cannot be read ({error.strerror}): correct the path, or its rights"
        ) from error
    # On damaged files decoders raise whatever they meet, even IndexError.
    except Exception as error:
        raise _damage(path, error) from error


def _damage(path: Path, error: Exception) -> MidError:
    return MidError(
        f"{path} cannot be read, it is damaged, cut short or no image ({error}): "
        "restore it from its source or leave it out."
    )


def write_pages(
    path: str | Path,
    images: Iterable[tuple[Iterable[np.ndarray], Picture]],
    pages: int,
) -> None:
    """Write images as the kind that is given, in the format of the suffix.

    Parameters
    ----------
    path : path
        An existing file is replaced, at once and whole, through a hidden file in the
        same folder. JPEG has quality 95 and full chroma, all else is lossless.
    images : iterable of (bands, like)
        The bands, (rows, W, 3) floats from top to bottom, are clipped to [0, 1] and
        rounded; a grey image is the mean of the three, or is given as (rows, W, 1).
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
    try:
        with replacing(path, path.suffix.lower()) as part:
            for number, (bands, like) in enumerate(images):
                check_writable(path, like, pages)
                samples = _gathered(path, bands, like)
                if part.suffix in (".tif", ".tiff"):
                    tiff.append(part, samples, like, number, pages)
                else:
                    single_image.encode(part, samples, like)
    except OSError as error:
        raise MidError(refusal(path, error)) from error


def _gathered(path: Path, bands: Iterable[np.ndarray], like: Picture) -> np.ndarray:
    """Store the bands as samples, alpha included, in a file beside `path`."""
    height, width, colours = like.samples.shape
    channels = colours + (like.alpha is not None)
    stored = scratch((height, width, channels), like.samples.dtype, path.parent)
    done = 0
    for band in bands:
        rows = stored[done : done + len(band), :, :colours]
        fits = band.shape in ((len(rows), width, 3), rows.shape)
        if not fits or not np.isfinite(band).all():
            raise MidError(
                f"{path} cannot be written: got {band.shape} pixels at row {done}, "
                f"where finite ones for {height} x {width} are needed."
            )
        # In float64 the mean of three equal float32 is that float32.
        is_mean = band.shape[2] > colours
        colour = band.mean(2, np.float64, keepdims=True) if is_mean else band
        rows[:] = to_dtype(colour, stored.dtype)
        done += len(band)
    if done < height:
        raise MidError(f"{path} cannot be written: got {done} of {height} rows.")
    if like.alpha is not None:
        stored[..., colours] = like.alpha
    return stored[..., 0] if channels == 1 else stored
