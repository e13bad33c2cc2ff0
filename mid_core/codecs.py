"""Decode and encode each file type: samples, EXIF orientation, ICC profile, dpi.

Pillow decodes 8-bit files, tifffile every TIFF, and imagecodecs 16-bit PNG, which
Pillow cuts to 8 bits. An image is decoded whole or refused. A TIFF may hold several,
its pages.
"""

import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from mid_core.errors import MidError

# 30 000 x 30 000 is read; a header that claims more is taken for damage or an attack.
MAX_PIXELS = 1_000_000_000

_PILLOW_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
# Pillow's mode of a PNG of 16-bit greys is one of the last two.
_PILLOW_MODES = ("L", "LA", "RGB", "RGBA", "P", "PA", "I", "I;16")
_TIFF_KINDS = ("8-bit uint8", "16-bit uint16", "32-bit float32")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Offsets in a plain TIFF have 32 bits; some room is for the headers.
_PLAIN_TIFF_BYTES = 2**32 - 2**25
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
    """Read a file's header; raises as `decode` does, but not for damaged pixels.

    The EXIF of a PNG is not seen where it stands behind the pixels.
    """
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
            # A PNG's own getexif decodes the pixels to look behind them.
            turn = Image.Image.getexif(image).get(274, 1)
    return Header(size[::-1] if turn >= 5 else size, pages)


def decode(path: Path, page: int | None = None) -> Stored:
    """Decode an image by the file's content, whatever its suffix.

    `page` is one of its `header`; without it, the file must hold a single image.
    Raises MidError for what is not read; damage raises whatever a decoder raises.
    """
    return _load_tiff(path, page) if _is_tiff(path) else _load_other(path)


def _is_tiff(path: Path) -> bool:
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


def _load_other(path: Path) -> Stored:
    with _opened(path) as image:
        data = path.read_bytes()
        # The zeros at the end of a broken download would decode as grey.
        if _is_jpeg(image) and data.find(b"\xff\xd9", image.fp.tell()) < 0:
            raise ValueError("it has no end marker")
        # Pillow would cut the 16 bits of a colour PNG to 8.
        if image.format == "PNG" and data[24] == 16:
            samples = imagecodecs.png_decode(data)
        else:
            mode = "L" if image.mode in ("L", "LA") else "RGB"
            mode += "A" * image.has_transparency_data
            samples = np.asarray(image.convert(mode))
        turn = image.getexif().get(274, 1)
        icc, dpi = image.info.get("icc_profile"), image.info.get("dpi")
    return samples.reshape(*samples.shape[:2], -1), turn, icc, dpi


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


def _load_tiff(path: Path, number: int | None) -> Stored:
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
        samples = page.asarray()
        if _has_palette(page):
            samples = (page.colormap.T >> 8).astype(np.uint8)[samples.astype(np.uint8)]
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        tags = page.tags
        has_unit = tags.valueof("ResolutionUnit") in (2, 3)
        dpi = page.get_resolution("INCH") if has_unit else None
        turn, icc = tags.valueof("Orientation", 1), tags.valueof("InterColorProfile")
    return samples.reshape(*samples.shape[:2], -1), turn, icc, dpi


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
        elif samples.dtype == np.uint16:
            path.write_bytes(_with_chunks(imagecodecs.png_encode(samples), icc, dpi))
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


def _with_chunks(
    png: bytes, icc: bytes | None, dpi: tuple[float, float] | None
) -> bytes:
    """Put profile and resolution behind a PNG's header (PNG 1.2, 4.2.2 and 4.2.4)."""
    chunks = b""
    if icc:
        chunks += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
    if dpi:
        x, y = (round(dots / 0.0254) for dots in dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", x, y, 1))
    return png[:33] + chunks + png[33:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
