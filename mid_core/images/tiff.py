"""Decode and encode TIFF by tifffile; a file may hold several images, its pages.

Beside the samples, memory holds a few strips or tiles.
"""

import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from mid_core.images.formats import refuse_if, refuse_if_huge
from mid_core.images.metadata import TEXTS, exif_bytes, told_profile
from mid_core.images.picture import Header, Picture, upright, upright_size
from mid_core.images.scratch import Space

# How files start, plain and big, in either order of bytes.
STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_HEADS = {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}
# Of EXIF, each behind a tag with its offset.
_DIRECTORIES = (IFD.Exif, IFD.GPSInfo)
_DNG_VERSION = 50_706
# Tags that are not kept.
_LOST = {700: "XMP", 33723: "IPTC"}
_LOST |= dict.fromkeys((301, 318, 319), "colours told by TIFF's tags 301, 318, 319")
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
    picture = upright(
        samples.reshape(*samples.shape[:2], -1),
        _orientation(page),
        page.tags.valueof("InterColorProfile"),
        page.get_resolution("INCH") if has_unit else None,
    )
    return _with_words(picture, page, path)


def _with_words(picture: Picture, page: tifffile.TiffPage, path: Path) -> Picture:
    """Add what the page tells beside its pixels."""
    lost = [name for tag, name in _LOST.items() if tag in page.tags]
    # OME's text names its file; tifffile's own tells a layout that is not kept.
    texts = TEXTS
    if page.is_ome or page.is_shaped:
        texts = tuple(tag for tag in TEXTS if tag != Base.ImageDescription)
        lost += ["OME's text"] * page.is_ome
    exif = Image.Exif()
    exif.endian, exif.bigtiff = page.parent.byteorder, page.parent.is_bigtiff
    with path.open("rb") as file:
        exif.load_from_fp(file, page.offset)
        height, width = picture.samples.shape[:2]
        kept, damage = exif_bytes(exif, height, width, texts)
        icc = picture.icc or told_profile(exif)
    return replace(picture, icc=icc, exif=kept, lost=(*lost, *damage))


def _images(tiff: tifffile.TiffFile, path: Path) -> tuple[int, ...]:
    """Give the numbers of the pages that are images of one size and kind."""
    every = list(tiff.pages)
    larger = [sub for sub in every[0].pages or () if sub.size > every[0].size]
    is_raw = bool(larger) or _DNG_VERSION in every[0].tags
    refuse_if(is_raw, path, "it is a raw photograph and shows but a preview")
    pages = [page for page in every if not page.is_reduced] or every[:1]
    kinds = {(page.shape, page.dtype, page.photometric) for page in pages}
    refuse_if(len(kinds) > 1, path, f"its {len(pages)} pages differ in size or kind")
    # A page may stand for a volume, or for images that lie in other files.
    offsets = {page.offset for page in every}
    # Thumbnails and pyramids are series of their own, in directories below a page.
    main = [series for series in tiff.series if series.keyframe.offset in offsets]
    told = sum(series.size for series in main)
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
    is_big = pages * samples.nbytes > _PLAIN_BYTES
    exif = Image.Exif()
    exif.load(like.exif or b"")
    scale = {}
    if like.dpi:
        scale = {"resolution": like.dpi, "resolutionunit": "INCH"}
    elif Base.XResolution in exif:
        x, y = (float(exif[tag]) for tag in (Base.XResolution, Base.YResolution))
        scale = {"resolution": (x, y), "resolutionunit": "NONE"}
    tifffile.imwrite(
        path,
        samples,
        append="force" if number else False,  # to any description
        bigtiff=is_big,
        photometric="rgb" if channels >= 3 else "minisblack",
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        predictor=True,
        metadata=None,
        software=False,
        iccprofile=like.icc,
        extratags=_extra_tags(exif, is_big),
        **scale,
    )
    if not is_big:
        _append_directories(path, exif, number)


def _extra_tags(exif: Image.Exif, is_big: bool) -> list[tuple]:
    """Give EXIF's texts, and the places for the offsets of its directories."""
    tags: list[tuple] = [
        (tag, "s", 0, str(exif[tag]).encode(), True) for tag in TEXTS if tag in exif
    ]
    if not is_big:
        tags += [
            (tag - 1, "I", 1, 0, True) for tag in _DIRECTORIES if exif.get_ifd(tag)
        ]
    return tags


def _append_directories(path: Path, exif: Image.Exif, number: int) -> None:
    """Write the directories of EXIF behind the page, and tell where they are.

    tifffile leaves their tags out, so the ones before stood in for them.
    """
    if not any(exif.get_ifd(tag) for tag in _DIRECTORIES):
        return
    with tifffile.TiffFile(path, mode="r+") as tiff:
        page, file = tiff.pages[number], tiff.filehandle
        for tag in _DIRECTORIES:
            if content := dict(exif.get_ifd(tag)):
                if IFD.Interop in content:
                    content[IFD.Interop] = exif.get_ifd(IFD.Interop)
                directory = ImageFileDirectory_v2(_HEADS[tiff.byteorder])
                for key, value in content.items():
                    directory[key] = value
                file.seek(0, os.SEEK_END)
                # Offsets are even.
                file.write(bytes(file.tell() % 2))
                offset = file.tell()
                file.write(directory.tobytes(offset))
                file.seek(page.tags[tag - 1].offset)
                entry = struct.pack(f"{tiff.byteorder}HHII", tag, 4, 1, offset)
                file.write(entry)
