"""Decode and encode each file type: samples, EXIF orientation, ICC profile, dpi.

tifffile decodes and encodes TIFF, imagecodecs PNG, Pillow the others. An image is
decoded whole or refused. A TIFF may hold several, its pages. Beside the samples, memory
holds a few strips or tiles of a TIFF; of a PNG what is encoded, compressed; of the
others the whole image once more, with four bytes a pixel in colour and one in grey.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image

from mid_core.errors import MidError
from mid_core.images import png
from mid_core.images.scratch import Space

# 30 000 x 30 000 is read; a header that claims more is taken for damage or an attack.
MAX_PIXELS = 1_000_000_000

_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
# Pillow's mode of a PNG of 16-bit greys is one of the last two.
_PILLOW_MODES = ("L", "LA", "RGB", "RGBA", "P", "PA", "I", "I;16")
_TIFF_KINDS = ("8-bit uint8", "16-bit uint16", "32-bit float32")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Offsets in a plain TIFF have 32 bits; some room is for the headers.
_PLAIN_TIFF_BYTES = 2**32 - 2**25
_BAND_ROWS = 256
_JPEG_END = b"\xff\xd9"
_opening = threading.Lock()

# A decoder gives samples (H, W, 1 to 4), EXIF orientation, ICC profile and dpi.
Stored = tuple[np.ndarray, int, bytes | None, tuple[float, float] | None]


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


def header(path: Path) -> Header:
    """Read a file's header; raises as `decode` does, but not for damaged pixels."""
    if _is_tiff(path):
        with tifffile.TiffFile(path) as tiff:
            pages = _tiff_images(tiff, path)
            page = tiff.pages[pages[0]]
            _check_tiff_page(page, path)
            size = (page.imagelength, page.imagewidth)
            turn = page.tags.valueof("Orientation", 1)
    else:
        with _opened(path) as image:
            pages, size = (0,), (image.height, image.width)
            turn = _orientation(path, image)
    return Header(size[::-1] if turn >= 5 else size, pages)


def decode(path: Path, page: int | None = None, space: Space = np.empty) -> Stored:
    """Decode an image by the file's content, whatever its suffix.

    `page` is one of its `header`; without it, the file must hold a single image.
    `space` makes the array for the samples. Raises MidError for what is not read;
    damage raises whatever a decoder raises.
    """
    if _is_tiff(path):
        return _load_tiff(path, page, space)
    return _load_other(path, space)


def _is_tiff(path: Path) -> bool:
    # To open a pipe would wait for ever.
    _refuse_if(path.exists() and not path.is_file(), path, "it is no file")
    with path.open("rb") as file:
        return file.read(4) in _TIFF_STARTS


def _refuse_if(is_bad: bool, path: Path, reason: str) -> None:
    if is_bad:
        raise MidError(
            f"{path} is not read because {reason}: convert it to one 8-bit, 16-bit or "
            "float32 image in grey or RGB, or leave it out."
        )


def _refuse_if_huge(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise MidError(
            f"{path} has {width} x {height} pixels, over the limit of {MAX_PIXELS}: "
            "cut it into parts, or leave it out if that cannot be."
        )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a file by Pillow, and refuse what its header shows to be unfit."""
    # Pillow's limit is global and below large photographs: lifted to read the header.
    with _opening:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path, formats=_PILLOW_FORMATS)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    with image:
        # The other images of an MPO are a phone's previews and gain maps.
        frames = 1 if _is_jpeg(image) else getattr(image, "n_frames", 1)
        _refuse_if(frames > 1, path, f"it holds {frames} images")
        mode_known = image.mode in _PILLOW_MODES
        _refuse_if(not mode_known, path, f"its mode is {image.mode}")
        _refuse_if_huge(path, image.width, image.height)
        yield image


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")


def _orientation(path: Path, image: Image.Image) -> int:
    if image.format == "PNG":
        return png.orientation(path)
    return image.getexif().get(274, 1)


def _load_other(path: Path, space: Space) -> Stored:
    with _opened(path) as image:
        # The zeros at the end of a broken download would decode as grey.
        if _is_jpeg(image) and path.read_bytes().find(_JPEG_END, image.fp.tell()) < 0:
            raise ValueError("it has no end marker")
        if image.format == "PNG":
            samples = png.decode(path, image.has_transparency_data, space)
        else:
            samples = _pixels(image, space)
        turn = _orientation(path, image)
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    return samples, turn, icc, dpi


def _pixels(image: Image.Image, space: Space) -> np.ndarray:
    """Convert by bands: Pillow would need several copies of the whole."""
    mode = "L" if image.mode == "L" else "RGB" + "A" * image.has_transparency_data
    samples = space((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        rows = samples[top : top + _BAND_ROWS]
        part = image.crop((0, top, image.width, top + len(rows)))
        rows[:] = np.asarray(part.convert(mode)).reshape(rows.shape)
    return samples


def _tiff_images(tiff: tifffile.TiffFile, path: Path) -> tuple[int, ...]:
    """Give the numbers of the pages that are images of one size and kind."""
    every = list(tiff.pages)
    pages = [page for page in every if not page.is_reduced] or every[:1]
    kinds = {(page.shape, page.dtype, page.photometric) for page in pages}
    _refuse_if(len(kinds) > 1, path, f"its {len(pages)} pages differ in size or kind")
    # A page may stand for a volume, or for images that lie in other files.
    told = sum(series.size for series in tiff.series)
    is_volume = told > sum(page.size for page in every)
    _refuse_if(is_volume, path, "it is a volume, not a stack of pages")
    axes = tiff.series[0].axes
    _refuse_if("C" in axes, path, f"its pages are channels of an image (axes {axes})")
    return tuple(page.index for page in pages)


def _check_tiff_page(page: tifffile.TiffPage, path: Path) -> None:
    _refuse_if(page.axes not in ("YX", "YXS", "SYX"), path, f"its axes are {page.axes}")
    _refuse_if_huge(path, page.imagewidth, page.imagelength)
    colours = _tiff_colours(page)
    _refuse_if(not colours, path, f"its colours are {page.photometric!r}")
    extras = page.samplesperpixel - colours
    is_plain = extras == 0 or (extras == 1 and page.extrasamples == (2,))
    _refuse_if(not is_plain, path, "it has channels beside colour and plain alpha")
    kind = f"{page.bitspersample}-bit {page.dtype}"
    kind_known = kind in _TIFF_KINDS or (_has_palette(page) and page.bitspersample <= 8)
    _refuse_if(not kind_known, path, f"its samples are {kind}")


def _has_palette(page: tifffile.TiffPage) -> bool:
    return page.photometric == tifffile.PHOTOMETRIC.PALETTE


def _load_tiff(path: Path, number: int | None, space: Space) -> Stored:
    with tifffile.TiffFile(path) as tiff:
        if number is None:
            number, *more = _tiff_images(tiff, path)
            _refuse_if(bool(more), path, f"it holds {1 + len(more)} pages")
        page = tiff.pages[number]
        _check_tiff_page(page, path)
        # Some codecs fill up a strip that ends early.
        ends = np.add(page.dataoffsets, page.databytecounts)
        if 0 in page.databytecounts or ends.max() > tiff.filehandle.size:
            raise ValueError("pixels are missing")
        samples = page.asarray(out=space(page.shape, page.dtype))
        if _has_palette(page):
            samples = _coloured(samples, page.colormap, space)
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        tags = page.tags
        has_unit = tags.valueof("ResolutionUnit") in (2, 3)
        dpi = page.get_resolution("INCH") if has_unit else None
        turn, icc = tags.valueof("Orientation", 1), tags.valueof("InterColorProfile")
    return samples.reshape(*samples.shape[:2], -1), turn, icc, dpi


def _coloured(indices: np.ndarray, palette: np.ndarray, space: Space) -> np.ndarray:
    colours = (palette.T >> 8).astype(np.uint8)
    samples = space((*indices.shape, 3), np.uint8)
    for row, line in zip(samples, indices, strict=True):
        row[:] = colours[line]
    return samples


def _tiff_colours(page: tifffile.TiffPage) -> int:
    """Colour channels of a page, 0 where its colours are not read."""
    photometric = tifffile.PHOTOMETRIC
    # tifffile gives RGB for YCbCr under JPEG, and YCbCr as it is otherwise.
    is_jpeg = page.compression == tifffile.COMPRESSION.JPEG
    colours = {photometric.MINISBLACK: 1, photometric.PALETTE: 1, photometric.RGB: 3}
    return (colours | {photometric.YCBCR: 3 * is_jpeg}).get(page.photometric, 0)


# What a file type needs of an image: samples (H, W) or (H, W, 2 to 4), profile, dpi.
Encodable = tuple[np.ndarray, bytes | None, tuple[float, float] | None]


def encode(path: Path, images: Iterable[Encodable], pages: int) -> None:
    """Write so many images in the format of the path's suffix; several as a TIFF only.

    Each is written before the next is asked for.
    """
    for number, (samples, icc, dpi) in enumerate(images):
        if path.suffix in (".tif", ".tiff"):
            is_big = pages * samples.nbytes > _PLAIN_TIFF_BYTES
            _append_tiff(path, samples, icc, dpi, append=number > 0, bigtiff=is_big)
        elif path.suffix == ".png":
            png.encode(path, samples, icc, dpi)
        else:
            # Each format takes its own options. Full chroma keeps denoised colours
            # sharp; `exact` keeps the colours below transparent pixels.
            options = {"quality": 95, "subsampling": 0, "lossless": True, "exact": True}
            options |= {"icc_profile": icc} | ({"dpi": dpi} if dpi else {})
            Image.fromarray(samples).save(path, **options)


def _append_tiff(
    path: Path,
    samples: np.ndarray,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
    **options: bool,
) -> None:
    channels = samples.shape[2] if samples.ndim == 3 else 1
    tifffile.imwrite(
        path,
        samples,
        photometric="rgb" if channels >= 3 else "minisblack",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        iccprofile=icc,
        resolution=dpi,
        resolutionunit="INCH" if dpi else None,
        **options,
    )
