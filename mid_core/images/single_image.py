"""Decode and encode PNG by imagecodecs, and JPEG, BMP and WebP by Pillow.

Pillow would cut a PNG's 16 bits to 8, and take 4 bytes for 3 colours. Beside the
samples, memory holds what is encoded of a PNG, compressed; of the others the whole
image once more, with four bytes a pixel in colour and one in grey, of a JPEG twice.
"""

import io
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from PIL.JpegImagePlugin import JpegImageFile

from mid_core.images.formats import refuse_if, refuse_if_huge
from mid_core.images.metadata import (
    COLOUR_CHUNKS,
    exif_bytes,
    means_srgb,
    told_profile,
)
from mid_core.images.picture import Header, Picture, upright, upright_size
from mid_core.images.scratch import Space

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
# Pillow's mode of a PNG of 16-bit greys is one of the last two.
_MODES = ("L", "LA", "RGB", "RGBA", "P", "PA", "I", "I;16")
_JPEG_END = b"\xff\xd9"
# Bits that no code table takes for an end, to stand behind the pixels of a JPEG.
_FILLING = 64 * b"\xaa"
_BAND_ROWS = 256
# What Pillow finds and is not kept.
_LOST = {"xmp": "XMP", "photoshop": "IPTC", "comment": "comments"}
# The chunks of a PNG that may tell an orientation, by EXIF or by XMP.
_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")

# Pillow's own limit is below large photographs; `refuse_if_huge` takes its place.
Image.MAX_IMAGE_PIXELS = None


def header(path: Path) -> Header:
    """Read the size; raises as `decode` does, but not for damaged pixels."""
    with _opened(path) as image:
        turn = _exif(path, image).get(Base.Orientation, 1)
        return Header(upright_size(image.height, image.width, turn), (0,))


def decode(path: Path, space: Space) -> Picture:
    """Decode into an array that `space` makes; palettes become colours.

    Raises MidError for what is not read; damage raises whatever a decoder raises.
    """
    with _opened(path) as image:
        pixels = _jpeg_pixels(path, image) if _is_jpeg(image) else b""
        if image.format == "PNG":
            samples = _png_samples(path, image.has_transparency_data, space)
        else:
            samples = _samples(image, space)
        if pixels:
            _check_jpeg(pixels, samples)
        exif, info = _exif(path, image), image.info
        dpi = info.get("dpi")
        picture = upright(samples, exif.get(Base.Orientation, 1), None, dpi)
        return _with_words(picture, path, info, exif)


def _with_words(picture: Picture, path: Path, info: dict, exif: Image.Exif) -> Picture:
    """Add what the file tells beside its pixels."""
    with path.open("rb") as file:
        found = list(_chunks(file, COLOUR_CHUNKS)) if _is_png(file) else []
    by_kind = {chunk[4:8]: chunk[8:-4] for chunk in found}
    icc = info.get("icc_profile") or (None if found else told_profile(exif))
    lost = [name for key, name in _LOST.items() if info.get(key)]
    kept, damage = exif_bytes(exif, *picture.samples.shape[:2])
    return replace(
        picture,
        icc=icc,
        exif=kept,
        chunks=b"".join(found),
        is_srgb=bool(icc and b"cICP" not in by_kind) or means_srgb(by_kind),
        lost=(*lost, *damage),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a file by Pillow, and refuse what its header shows to be unfit."""
    with Image.open(path, formats=_FORMATS) as image:
        # The other images of an MPO are a phone's previews and gain maps.
        frames = 1 if _is_jpeg(image) else getattr(image, "n_frames", 1)
        refuse_if(frames > 1, path, f"it holds {frames} images")
        refuse_if(image.mode not in _MODES, path, f"its mode is {image.mode}")
        refuse_if_huge(path, image.width, image.height)
        yield image


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")


def _jpeg_pixels(path: Path, image: Image.Image) -> bytes:
    """Give a JPEG up to where its pixels end."""
    data = path.read_bytes()
    end = data.find(_JPEG_END, image.fp.tell())
    # The zeros at the end of a broken download would decode as grey.
    if end < 0:
        raise ValueError("it has no end marker")
    return data[:end]


def _check_jpeg(pixels: bytes, samples: np.ndarray) -> None:
    """Refuse a JPEG whose pixels end before the image does: the rest would be grey.

    A decoder that lacks bits says nothing, but reads on: what follows then matters.
    """
    data = pixels + _FILLING + _JPEG_END
    with JpegImageFile(io.BytesIO(data)) as image:
        for rows, part in _bands(image, samples):
            if (rows != part).any():
                raise ValueError("its pixels end too early")


def _samples(image: Image.Image, space: Space) -> np.ndarray:
    mode = "L" if image.mode == "L" else "RGB" + "A" * image.has_transparency_data
    samples = space((image.height, image.width, len(mode)), np.uint8)
    for rows, part in _bands(image, samples):
        rows[:] = part
    return samples


def _bands(
    image: Image.Image, samples: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Convert by bands: Pillow would need several copies of the whole."""
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    for top in range(0, image.height, _BAND_ROWS):
        rows = samples[top : top + _BAND_ROWS]
        part = image.crop((0, top, image.width, top + len(rows)))
        yield rows, np.asarray(part.convert(mode)).reshape(rows.shape)


def _png_samples(path: Path, has_alpha: bool, space: Space) -> np.ndarray:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    # PNG 1.2, 4.1.1: 2 stands for colour, palettes have it, too.
    channels = (3 if kind & 2 else 1) + has_alpha
    shape = (height, width, channels) if channels > 1 else (height, width)
    out = space(shape, np.uint16 if depth == 16 else np.uint8)
    return imagecodecs.png_decode(data, out=out).reshape(height, width, channels)


def _exif(path: Path, image: Image.Image) -> Image.Exif:
    """Give the EXIF; in a PNG it may stand behind the pixels."""
    if image.format != "PNG":
        return image.getexif()
    # Pillow decodes the pixels to see what stands behind them: it gets a single one.
    size = struct.pack(">II5B", 1, 1, 8, 0, 0, 0, 0)
    pixel = _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(bytes(2)))
    with path.open("rb") as file:
        start, texts = file.read(8), b"".join(_chunks(file, _TEXTS))
    small = start + pixel + texts + _chunk(b"IEND", b"")
    with Image.open(io.BytesIO(small), formats=["PNG"]) as tiny:
        return tiny.getexif()


def _is_png(file: BinaryIO) -> bool:
    return file.read(8) == b"\x89PNG\r\n\x1a\n"


def _chunks(file: BinaryIO, kinds: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the chunks of some kinds of a PNG, whose first 8 bytes were read."""
    while len(start := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", start)
        if kind in kinds:
            yield start + file.read(length + 4)
        else:
            file.seek(length + 4, os.SEEK_CUR)


def encode(path: Path, samples: np.ndarray, like: Picture) -> None:
    """Write samples (H, W) or (H, W, 2 to 4) in the format of the path's suffix."""
    if path.suffix == ".png":
        _encode_png(path, samples, like)
        return
    # Each format takes its own options. Full chroma keeps denoised colours sharp;
    # `exact` keeps the colours below transparent pixels.
    options = {"quality": 95, "subsampling": 0, "lossless": True, "exact": True}
    options |= {"icc_profile": like.icc} | ({"dpi": like.dpi} if like.dpi else {})
    options |= {"exif": like.exif} if like.exif else {}
    Image.fromarray(samples).save(path, **options)


def _encode_png(path: Path, samples: np.ndarray, like: Picture) -> None:
    data = memoryview(imagecodecs.png_encode(samples))
    with path.open("wb") as file:
        # All of them may follow the header: PNG 3, 5.6.
        file.write(data[:33])
        file.write(like.chunks)
        if like.icc:
            file.write(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(like.icc)))
        if like.dpi:
            x, y = (round(dots / 0.0254) for dots in like.dpi)
            file.write(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
        if like.exif:
            file.write(_chunk(b"eXIf", like.exif.removeprefix(b"Exif\0\0")))
        file.write(data[33:])


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
