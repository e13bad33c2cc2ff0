"""Decode and encode TIFF by tifffile; a file may hold several images, its pages.

Beside the samples, memory holds a few strips or tiles.
"""

from pathlib import Path

import numpy as np
import tifffile

from mid_core.images.formats import refuse_if, refuse_if_huge
from mid_core.images.picture import Header, Picture, upright, upright_size
from mid_core.images.scratch import Space

# How files start, plain and big, in either order of bytes.
STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_KINDS = ("8-bit uint8", "16-bit uint16", "32-bit float32")
# Offsets in a plain TIFF have 32 bits; some room is for the headers.
_PLAIN_BYTES = 2**32 - 2**25


def header(path: Path) -> Header:
    """Read size and pages; raises as `decode` does, but not for damaged pixels."""
    with tifffile.TiffFile(path) as tiff:
        pages = _images(tiff, path)
        page = tiff.pages[pages[0]]
        _check(page, path)
        return Header(
            upright_size(page.imagelength, page.imagewidth, _orientation(page)), pages
        )


def decode(path: Path, page: int | None, space: Space) -> Picture:
    """Decode a page, or the only one, into an array that `space` makes.

    Raises MidError for what is not read; damage raises whatever a decoder raises.
    """
    with tifffile.TiffFile(path) as tiff:
        if page is None:
            page, *more = _images(tiff, path)
            refuse_if(bool(more), path, f"it holds {1 + len(more)} pages")
        return _decode_page(tiff.pages[page], path, space)


def _decode_page(page: tifffile.TiffPage, path: Path, space: Space) -> Picture:
    _check(page, path)
    # Some codecs fill up a strip that ends early.
    ends = np.add(page.dataoffsets, page.databytecounts)
    if 0 in page.databytecounts or ends.max() > page.parent.filehandle.size:
        raise ValueError("pixels are missing")
    samples = page.asarray(out=space(page.shape, page.dtype))
    if _has_palette(page):
        samples = _coloured(samples, page.colormap, space)
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    has_unit = page.tags.valueof("ResolutionUnit") in (2, 3)
    return upright(
        samples.reshape(*samples.shape[:2], -1),
        _orientation(page),
        page.tags.valueof("InterColorProfile"),
        page.get_resolution("INCH") if has_unit else None,
    )


def _images(tiff: tifffile.TiffFile, path: Path) -> tuple[int, ...]:
    """Give the numbers of the pages that are images of one size and kind."""
    every = list(tiff.pages)
    pages = [page for page in every if not page.is_reduced] or every[:1]
    kinds = {(page.shape, page.dtype, page.photometric) for page in pages}
    refuse_if(len(kinds) > 1, path, f"its {len(pages)} pages differ in size or kind")
    # A page may stand for a volume, or for images that lie in other files.
    told = sum(series.size for series in tiff.series)
    is_volume = told > sum(page.size for page in every)
    refuse_if(is_volume, path, "it is a volume, not a stack of pages")
    axes = tiff.series[0].axes
    refuse_if("C" in axes, path, f"its pages are channels of an image (axes {axes})")
    return tuple(page.index for page in pages)


def _check(page: tifffile.TiffPage, path: Path) -> None:
    """Refuse a page whose kind is not read."""
    refuse_if(page.axes not in ("YX", "YXS", "SYX"), path, f"its axes are {page.axes}")
    refuse_if_huge(path, page.imagewidth, page.imagelength)
    colours = _colours(page)
    refuse_if(not colours, path, f"its colours are {page.photometric!r}")
    extras = page.samplesperpixel - colours
    is_plain = extras == 0 or (extras == 1 and page.extrasamples == (2,))
    refuse_if(not is_plain, path, "it has channels beside colour and plain alpha")
    kind = f"{page.bitspersample}-bit {page.dtype}"
    kind_known = kind in _KINDS or (_has_palette(page) and page.bitspersample <= 8)
    refuse_if(not kind_known, path, f"its samples are {kind}")


def _colours(page: tifffile.TiffPage) -> int:
    """Colour channels of a page, 0 where its colours are not read."""
    photometric = tifffile.PHOTOMETRIC
    # tifffile gives RGB for YCbCr under JPEG, and YCbCr as it is otherwise.
    is_jpeg = page.compression == tifffile.COMPRESSION.JPEG
    colours = {photometric.MINISBLACK: 1, photometric.PALETTE: 1, photometric.RGB: 3}
    return (colours | {photometric.YCBCR: 3 * is_jpeg}).get(page.photometric, 0)


def _has_palette(page: tifffile.TiffPage) -> bool:
    return page.photometric == tifffile.PHOTOMETRIC.PALETTE


def _coloured(indices: np.ndarray, palette: np.ndarray, space: Space) -> np.ndarray:
    colours = (palette.T >> 8).astype(np.uint8)
    samples = space((*indices.shape, 3), np.uint8)
    for row, line in zip(samples, indices, strict=True):
        row[:] = colours[line]
    return samples


def _orientation(page: tifffile.TiffPage) -> int:
    return page.tags.valueof("Orientation", 1)


def append(
    path: Path, samples: np.ndarray, like: Picture, number: int, pages: int
) -> None:
    """Write samples (H, W) or (H, W, 2 to 4) as page `number` of so many `pages`."""
    channels = samples.shape[2] if samples.ndim == 3 else 1
    tifffile.imwrite(
        path,
        samples,
        append=number > 0,
        bigtiff=pages * samples.nbytes > _PLAIN_BYTES,
        photometric="rgb" if channels >= 3 else "minisblack",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        iccprofile=like.icc,
        resolution=like.dpi,
        resolutionunit="INCH" if like.dpi else None,
    )
